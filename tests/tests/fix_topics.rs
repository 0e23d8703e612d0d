//! Topics that several repairs share, and topics of others that a plan was told to use.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on has failed, and says why"
)]

use serde_json::Value;
use trailproof_tests::repair::{Bench, PHONE};

const HERE: &str = "111111111111";
const CONTROLS: &str = "console-auth-failures,root-usage";

/// Scans for several controls, and plans.
fn plan(bench: &Bench, controls: &str, arguments: &[&str]) -> Value {
    let scan = [
        "scan",
        "--out",
        "run",
        "--overwrite",
        "--quiet",
        "--control",
        controls,
    ];
    let _ = bench.trailproof.run(scan).exits(1);
    let plan = ["fix", "plan", "run", "--overwrite"];
    let _ = bench.trailproof.run(plan.iter().chain(arguments)).exits(0);
    bench.read_plan()
}

/// The operations of a site, with the name of what each creates.
fn steps(site: &Value) -> Vec<String> {
    let steps = site["steps"].as_array().expect("a site has steps");
    steps
        .iter()
        .map(|step| {
            let made = &step["creates"];
            let name = made["name"].as_str().or(made["endpoint"].as_str());
            let operation = step["operation"].as_str().expect("a word");
            format!("{operation} {}", name.unwrap_or_default())
        })
        .collect()
}

/// An organization trail whose log group has room for one more filter, and a log group that comes
/// before it in the alphabet and has a filter that nobody watches.
fn two_log_groups() -> Bench {
    let filters = (0..99).fold(String::new(), |text, number| {
        text + &format!(
            "{{ name = 'f{number}', pattern = '{{ $.eventName = X{number} }}', metric_name = 'm{number}', namespace = 'N', value = '1' }},"
        )
    });
    Bench::of_scenario(&format!(
        r#"
        title = "two log groups in one account"
        [[accounts]]
        id = "{HERE}"
        name = "management"
        trails = [
            {{ name = "organization", log_group = "zebra", organization = true }},
            {{ name = "own", log_group = "aardvark" }},
        ]
        log_groups = [
            {{ name = "zebra", filters = [{filters}] }},
            {{ name = "aardvark", filters = [{{ name = "root", pattern = '{{ $.userIdentity.type = "Root" && $.userIdentity.invokedBy NOT EXISTS && $.eventType != "AwsServiceEvent" }}', metric_name = "root", namespace = "N", value = "1" }}] }},
        ]
        [[accounts]]
        id = "222222222222"
        name = "member"
        [[accounts]]
        id = "333333333333"
        name = "member"
        "#
    ))
}

#[test]
fn the_first_site_that_needs_a_topic_creates_it() {
    let bench = two_log_groups();
    let plan = plan(&bench, CONTROLS, &["--subscribe", PHONE]);
    let sites = plan["sites"].as_array().expect("sites");
    assert_eq!(sites.len(), 2, "{plan:#}");
    assert_eq!(
        steps(&sites[0]),
        [
            "create-topic trailproof-alarms",
            "subscribe +15555550100",
            "put-metric-alarm trailproof-root-usage",
        ]
    );
    assert_eq!(
        steps(&sites[1]),
        [
            "put-metric-filter trailproof-console-auth-failures",
            "put-metric-alarm trailproof-console-auth-failures",
        ]
    );
    let ids = |of: &Value| -> Vec<Value> { of.as_array().cloned().unwrap_or_default() };
    assert_eq!(ids(&sites[0]["repairs"][0]["steps"]).len(), 3, "{plan:#}");
    assert_eq!(ids(&sites[1]["repairs"][0]["steps"]).len(), 2, "{plan:#}");

    let before = bench.state();
    let dry = ["fix", "apply", "plan.json", "--dry-run"];
    let dry = bench.trailproof.run(dry).exits(0);
    assert!(
        dry.stdout
            .starts_with("5 changes would be made, 0 there already; 2 of 2 sites done"),
        "{dry:?}"
    );
    assert!(bench.state() == before);
    let applied = bench.apply().exits(0);
    assert!(
        applied
            .stdout
            .starts_with("5 changes made, 0 there already; 2 of 2 sites done"),
        "{applied:?}"
    );
    bench.undo_restores(&before);
}

#[test]
fn every_control_tells_its_own_people_through_a_shared_topic() {
    let bench = Bench::of_scenario(&format!(
        "title = \"no filter\"\n[[accounts]]\nid = \"{HERE}\"\nchain = {{ filter = false, alarm = false, topic = false }}\n"
    ));
    // A queue for each control, whose messages somebody vouches for.
    let vouched = "[[forwarder]]\ntopic = \"*\"\nendpoint = \"arn:aws:sqs:*\"\ndelivers-to = \"the pager\"\nowner = \"security\"\nexpires = 2099-01-01\n";
    std::fs::write(bench.file("trailproof.toml"), vouched).expect("the folder is ours");
    let queue = "sqs:arn:aws:sqs:{region}:{account}:{control}";
    let plan = plan(&bench, CONTROLS, &["--subscribe", queue]);
    let steps = steps(&plan["sites"][0]);
    let count = |word: &str| steps.iter().filter(|step| step.starts_with(word)).count();
    assert_eq!(
        (count("create-topic"), count("subscribe")),
        (1, 2),
        "{steps:?}"
    );
    let before = bench.state();
    for arguments in [&["--dry-run"][..], &["--yes"]] {
        let apply = ["fix", "apply", "plan.json"];
        let applied = bench.trailproof.run(apply.iter().chain(arguments)).exits(0);
        assert!(applied.stdout.contains("1 of 1 site done"), "{applied:?}");
    }
    assert_eq!(bench.site(HERE).topics[0].subscriptions.len(), 2);
    bench.undo_restores(&before);
}

/// A topic in another account, that the scan has no reason to look at.
fn central_topic(subscriptions: &str, policy: &str) -> Bench {
    Bench::of_scenario(&format!(
        r#"
        title = "a topic in another account"
        [[accounts]]
        id = "{HERE}"
        name = "management"
        chain = {{ filter = false, alarm = false, topic = false }}
        [[accounts]]
        id = "222222222222"
        name = "security"
        topics = [{{ name = "central", subscriptions = [{subscriptions}]{policy} }}]
        "#
    ))
}

const SOMEBODY: &str =
    "{ protocol = \"sms\", endpoint = \"+4915112345678\", state = \"confirmed\" }";
const OPEN: &str = r#", policy = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"cloudwatch.amazonaws.com"},"Action":"sns:Publish","Resource":"*"}]}'"#;

#[test]
fn a_topic_that_would_not_pass_the_message_on_is_not_built_upon() {
    for (subscriptions, policy, reason) in [
        (
            SOMEBODY,
            "",
            "cannot be used: no statement of the topic's policy lets cloudwatch.amazonaws.com publish for account 111111111111",
        ),
        ("", OPEN, "nobody is subscribed to the topic"),
    ] {
        let bench = central_topic(subscriptions, policy);
        let central = "arn:aws:sns:us-east-1:222222222222:central";
        let arguments = ["--topic", central, "--accounts", HERE];
        let plan = bench.plan(&arguments);
        assert_eq!(plan["summary"]["changes"], 0, "{plan:#}");
        let why = plan["unrepairable"][0]["why"].as_str();
        let asked = if policy.is_empty() {
            "lets cloudwatch.amazonaws.com publish for account 111111111111"
        } else {
            "nobody is subscribed to topic"
        };
        assert!(why.is_some_and(|why| why.contains(asked)), "{plan:#}");
        let plan = bench.plan(&[&arguments[..], &["--offline"]].concat());
        assert_eq!(plan["summary"]["changes"], 2, "{plan:#}");
        let before = bench.state();
        let applied = bench.apply().exits(1);
        assert!(applied.stdout.starts_with("0 changes made"), "{applied:?}");
        assert!(applied.stdout.contains(reason), "{applied:?}");
        assert!(bench.state() == before);
    }
    // Somebody who is subscribed by the plan hears it.
    let bench = central_topic("", OPEN);
    let central = "arn:aws:sns:{region}:222222222222:central";
    let arguments = ["--topic", central, "--accounts", HERE, "--subscribe", PHONE];
    let _ = bench.plan(&arguments);
    let before = bench.state();
    let _ = bench.apply().exits(0);
    bench.undo_restores(&before);
}

#[test]
fn a_topic_that_tells_nobody_does_not_hide_the_one_that_the_user_names() {
    let bench = Bench::of_scenario(&format!(
        r#"
        title = "an alarm whose topic tells nobody, and a central topic"
        [[accounts]]
        id = "{HERE}"
        name = "management"
        chain = {{ subscription = false }}
        [[accounts]]
        id = "222222222222"
        name = "security"
        topics = [{{ name = "central"{OPEN} }}]
        "#
    ));
    let central = "arn:aws:sns:us-east-1:222222222222:central";
    let mail = "email:security@example.com";
    let arguments = ["--topic", central, "--accounts", HERE, "--subscribe", mail];
    for more in [&[][..], &["--offline"]] {
        let plan = bench.plan(&[&arguments[..], more].concat());
        assert_eq!(
            steps(&plan["sites"][0]),
            [
                "subscribe security@example.com",
                "put-metric-alarm trailproof-console-auth-failures",
            ],
            "{plan:#}"
        );
        assert_eq!(plan["summary"]["waits_for_confirmation"], 1, "{plan:#}");
    }
}

#[test]
fn what_cannot_be_a_topic_or_a_key_here_is_refused_before_anything_is_planned() {
    let bench = central_topic("", "");
    let _ = bench.plan(&["--subscribe", PHONE]);
    for (arguments, reason) in [
        (
            ["--topic", "arn:aws-cn:sns:us-east-1:222222222222:central"],
            "region us-east-1 is in partition aws",
        ),
        (["--kms-key", ""], "`` is not a key"),
        (["--subscribe", "https://"], "expected https://..."),
    ] {
        let plan = ["fix", "plan", "run", "--out", "other.json"];
        let refused = bench.trailproof.run(plan.iter().chain(&arguments)).exits(2);
        assert!(refused.stderr.contains(reason), "{refused:?}");
    }
    let key = "arn:aws:kms:eu-west-1:111111111111:key/1234abcd-12ab-34cd-56ef-1234567890ab";
    let plan = bench.plan(&[
        "--subscribe",
        "https://pager.example.com/",
        "--kms-key",
        key,
    ]);
    assert_eq!(plan["summary"]["changes"], 0, "{plan:#}");
    let why = plan["unrepairable"][0]["why"].as_str().unwrap_or_default();
    assert!(
        why.contains("cannot encrypt a topic in region us-east-1"),
        "{why}"
    );
}
