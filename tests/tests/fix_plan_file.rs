//! A plan does what it shows: a file that was edited is refused before any call, whoever computed
//! its digest again.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on has failed, and says why"
)]

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::fmt::Write as _;
use trailproof_tests::repair::{Bench, PHONE, Way};

const HERE: &str = "111111111111";

/// What somebody does to a plan.
type Edit = fn(&mut Value);

/// Two accounts with trails and nothing behind them.
fn bench() -> Bench {
    Bench::of_scenario(
        r#"
        title = "a trail without a filter"
        [[accounts]]
        id = "111111111111"
        name = "management"
        chain = { filter = false, alarm = false, topic = false }
        [[accounts]]
        id = "222222222222"
        name = "payments"
        chain = { filter = false, alarm = false, topic = false }
        "#,
    )
}

/// The text that a digest is of: members sorted, numbers by their value.
fn canonical(value: &Value) -> String {
    match value {
        Value::Object(members) => {
            let mut members: Vec<_> = members.iter().collect();
            members.sort_by_key(|(name, _)| *name);
            let members = members
                .into_iter()
                .map(|(name, member)| format!("{}:{},", json!(name), canonical(member)));
            format!("{{{}}}", members.collect::<String>())
        }
        Value::Array(elements) => {
            let elements = elements.iter().map(|element| canonical(element) + ",");
            format!("[{}]", elements.collect::<String>())
        }
        Value::Number(number) => number.as_f64().expect("a number").to_string(),
        other => other.to_string(),
    }
}

/// Writes a plan with the right digest.
fn write(bench: &Bench, mut plan: Value) {
    plan["digest"] = json!("");
    let digest = Sha256::digest(canonical(&plan).as_bytes());
    plan["digest"] = digest
        .iter()
        .fold(String::new(), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
        .into();
    std::fs::write(bench.file("plan.json"), plan.to_string()).expect("the home is writable");
}

#[test]
fn changes_are_counted_and_not_believed() {
    let bench = bench();
    let plan = bench.plan(&["--subscribe", PHONE]);
    let before = bench.state();
    let mut lie = plan.clone();
    lie["summary"]["changes"] = json!(1);
    write(&bench, lie);
    let most = ["fix", "apply", "plan.json", "--yes", "--max-changes", "1"];
    let refused = bench.trailproof.run(most).exits(2);
    assert!(
        refused.stderr.contains("the plan makes 8 changes"),
        "{refused:?}"
    );
    let mut lie = plan.clone();
    lie["summary"]["changes"] = json!(0);
    write(&bench, lie);
    let dry = ["fix", "apply", "plan.json", "--dry-run"];
    let dry = bench.trailproof.run(dry).exits(0);
    assert!(dry.stderr.contains("8 changes at 2 sites"), "{dry:?}");
    assert!(bench.state() == before);
    write(&bench, plan);
    let _ = bench.apply().exits(0);
}

/// A step of the first site, by its operation.
fn step<'a>(plan: &'a mut Value, operation: &str) -> &'a mut Value {
    let steps = plan["sites"][0]["steps"].as_array_mut();
    let mut steps = steps.expect("a site has steps").iter_mut();
    let found = steps.find(|step| step["operation"] == operation);
    found.expect("it has one of each")
}

#[test]
fn what_a_plan_never_has_is_refused_before_any_call() {
    let bench = bench();
    let plan = bench.plan(&["--subscribe", PHONE]);
    let before = bench.state();
    let elsewhere = "arn:aws:sns:us-east-1:222222222222:elsewhere";
    assert_eq!(plan["sites"][0]["account"], HERE);
    let edits: [(Edit, &str); 19] = [
        (
            |plan| step(plan, "put-metric-alarm")["creates"]["threshold"] = json!(1e9),
            "is not a threshold",
        ),
        (
            |plan| step(plan, "put-metric-alarm")["creates"]["threshold"] = json!(500),
            "and the control allows",
        ),
        (
            |plan| step(plan, "put-metric-alarm")["creates"]["period"] = json!(10),
            "is not a period",
        ),
        (
            |plan| step(plan, "put-metric-alarm")["creates"]["metric"] = json!("other"),
            "feeds the metric",
        ),
        (
            |plan| {
                step(plan, "put-metric-alarm")["creates"]["topic_arn"] =
                    json!("arn:aws:sns:us-east-1:222222222222:elsewhere");
            },
            "relies on no topic",
        ),
        (
            |plan| step(plan, "put-metric-alarm")["creates"]["description"] = json!("nothing"),
            "does not name the plan",
        ),
        (
            |plan| step(plan, "put-metric-alarm")["creates"]["name"] = json!("a\u{1b}[31m"),
            "control characters",
        ),
        (
            |plan| step(plan, "put-metric-alarm")["account"] = json!("222222222222"),
            "its account is 222222222222",
        ),
        (
            |plan| step(plan, "put-metric-filter")["account"] = json!("222222222222"),
            "its account is 222222222222",
        ),
        (
            |plan| step(plan, "put-metric-filter")["region"] = json!("eu-west-1"),
            "its region is eu-west-1",
        ),
        (
            |plan| step(plan, "put-metric-filter")["creates"]["log_group"] = json!("other"),
            "its log group is `other`",
        ),
        (
            |plan| step(plan, "put-metric-filter")["creates"]["value"] = json!("0"),
            "counts `0`",
        ),
        (
            |plan| step(plan, "put-metric-filter")["operation"] = json!("delete-log-group"),
            "unknown variant",
        ),
        (
            |plan| {
                step(plan, "create-topic")["creates"]["arn"] =
                    json!("arn:aws:sns:us-east-1:111111111111:other");
            },
            "its ARN is",
        ),
        (
            |plan| step(plan, "subscribe")["account"] = json!("222222222222"),
            "not that of its topic",
        ),
        (
            |plan| step(plan, "subscribe")["creates"]["endpoint"] = json!("+15555550199"),
            "its id was made from",
        ),
        (
            |plan| plan["run"]["role"] = json!("Other"),
            "its id was made from",
        ),
        (
            |plan| plan["run"]["role"] = json!("arn:aws:iam::222222222222:role/Other"),
            "does not name a role",
        ),
        (
            |plan| plan["id"] = json!("../../../etc/x"),
            "12 hexadecimal digits",
        ),
    ];
    for (edit, problem) in edits {
        let mut edited = plan.clone();
        edit(&mut edited);
        write(&bench, edited);
        let refused = bench.apply().exits(2);
        assert!(refused.stderr.contains(problem), "{problem}: {refused:?}");
        assert!(!refused.stderr.contains("connected"), "{refused:?}");
        let exported = ["fix", "export", "plan.json", "--out", "export"];
        let _ = bench.trailproof.run(exported).exits(2);
    }
    // What a site relies on is a topic that its steps may use, and is part of the plan's id.
    let mut edited = plan;
    edited["sites"][0]["relies_on"]["reused"] = json!([{"kind": "topic", "arn": elsewhere}]);
    step(&mut edited, "put-metric-alarm")["creates"]["topic_arn"] = json!(elsewhere);
    write(&bench, edited);
    let refused = bench.apply().exits(2);
    assert!(
        refused.stderr.contains("its id was made from"),
        "{refused:?}"
    );
    assert!(bench.state() == before);
    assert!(bench.journal().is_empty());
}

#[test]
fn what_a_plan_never_does_to_a_central_topic_is_refused_before_any_call() {
    let [_, new, there] = Way::ALL;
    let creates = "/topics/0/steps/0/creates";
    let edits: [(Way, &str, Value, &str); 11] = [
        (
            new,
            "publishers/organization",
            json!("o-elsewhere"),
            "not the run's organization",
        ),
        (
            new,
            "publishers/accounts",
            json!(["333333333333"]),
            "not the run's organization",
        ),
        (
            new,
            "publishers",
            json!({"accounts": ["333333333333"]}),
            "other accounts than those",
        ),
        (
            new,
            "kms_key",
            json!("arn:aws:kms:eu-west-1:222222222222:alias/a"),
            "is not in its region",
        ),
        (
            new,
            "arn",
            json!("arn:aws:sns:us-east-1:333333333333:t"),
            "is not about the topic",
        ),
        (
            there,
            "publishers/organization",
            json!("o-elsewhere"),
            "not the run's organization",
        ),
        (there, "sid", json!("other"), "does not name the plan"),
        (there, "before", json!("{}"), "a policy of its own"),
        (
            there,
            "topic_arn",
            json!("arn:aws:sns:us-east-1:333333333333:t"),
            "is not about the topic",
        ),
        (
            new,
            "/topics/0/steps/1/account",
            json!("111111111111"),
            "not in the topic's account and region",
        ),
        (
            new,
            "/sites/0/relies_on/reused",
            json!([]),
            "no site relies on it",
        ),
    ];
    for way in [new, there] {
        let bench = way.bench();
        let plan = bench.plan(way.arguments);
        let before = bench.state();
        for (_, place, value, problem) in edits.iter().filter(|(of, ..)| of.name == way.name) {
            let mut edited = plan.clone();
            let place = if place.starts_with('/') {
                (*place).to_owned()
            } else {
                format!("{creates}/{place}")
            };
            let (parent, member) = place.rsplit_once('/').expect("it is a pointer");
            let parent = edited.pointer_mut(parent).expect("it is there");
            parent[member] = value.clone();
            write(&bench, edited);
            let refused = bench.apply().exits(2);
            assert!(refused.stderr.contains(problem), "{place}: {refused:?}");
            assert!(!refused.stderr.contains("connected"), "{refused:?}");
        }
        assert!(bench.state() == before);
    }
}

#[test]
fn the_steps_are_shown_before_anybody_is_asked() {
    let bench = bench();
    let _ = bench.plan(&["--subscribe", PHONE]);
    let refused = bench.trailproof.run(["fix", "apply", "plan.json"]).exits(2);
    let question = refused.stderr.find("type 8 to make").expect("it asks");
    assert!(refused.stderr.contains("--yes confirms"), "{refused:?}");
    let who = [
        "as arn:aws:",
        "in organization ",
        "role/OrganizationAccountAccessRole",
    ];
    for words in ["metric filter ", "alarm ", "subscription ", PHONE]
        .iter()
        .chain(&who)
    {
        let shown = refused.stderr.find(*words);
        assert!(
            shown.is_some_and(|at| at < question),
            "{words}: {refused:?}"
        );
    }
    assert!(bench.journal().is_empty());
    let names = [
        "fix",
        "plan",
        "run",
        "--overwrite",
        "--alarm-name",
        "a\u{202e}b",
    ];
    let refused = bench.trailproof.run(names).exits(2);
    assert!(refused.stderr.contains("cannot be seen"), "{refused:?}");
}

#[test]
fn a_plan_is_not_overwritten_and_can_be_shown_again() {
    let bench = bench();
    let _ = bench.plan(&["--subscribe", "email:security@example.com"]);
    let before = std::fs::read(bench.file("plan.json")).expect("there is a plan");
    let again = ["fix", "plan", "run", "--subscribe", PHONE];
    let refused = bench.trailproof.run(again).exits(2);
    assert!(refused.stderr.contains("--overwrite"), "{refused:?}");
    let now = std::fs::read(bench.file("plan.json")).expect("there is a plan");
    assert!(before == now, "it was left alone");

    let shown = bench
        .trailproof
        .run(["fix", "show", "plan.json"])
        .exits(0)
        .stdout;
    for words in [
        "adds 2 metric filters, 2 topics, 2 subscriptions, 2 alarms",
        "2 messages to confirm: security@example.com (2)",
        "2 sites: + filter, + topic, + subscription, + alarm",
        "account 222222222222 payments  region us-east-1",
    ] {
        assert!(shown.contains(words), "{words}: {shown}");
    }
    let ticket = ["fix", "show", "plan.json", "--format", "markdown"];
    let ticket = bench.trailproof.run(ticket).exits(0).stdout;
    assert!(ticket.starts_with("# Changes of plan `"), "{ticket}");
    assert!(
        ticket.contains("\n## What is changed\n\n```text\n2 sites: "),
        "{ticket}"
    );
    let overwrite = again.iter().chain(&["--overwrite", "--accounts", HERE]);
    let planned = bench.trailproof.run(overwrite).exits(0);
    assert!(
        planned
            .stdout
            .contains("account 111111111111 management  region"),
        "{planned:?}"
    );
}
