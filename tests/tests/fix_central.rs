//! Topics of one account that the alarms of all others notify: used where they are there, made or
//! opened where they are not, left to their owner where they are not ours to change, and taken back.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on has failed, and says why"
)]

use serde_json::{Value, json};
use trailproof_simulator::model::{Subscription, SubscriptionState, Topic};
use trailproof_tests::repair::{LOG_GROUP, PHONE, Way};

const TOPIC: &str = "arn:aws:sns:us-east-1:222222222222:trailproof-alarms";
const OWN: Way = Way::ALL[0];
const NEW: Way = Way::ALL[1];
const THERE: Way = Way::ALL[2];

/// The operations of a plan, those on central topics first.
fn operations(plan: &Value) -> Vec<String> {
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    ["topics", "sites"]
        .iter()
        .flat_map(|part| list(&plan[*part]))
        .flat_map(|part| list(&part["steps"]))
        .map(|step| step["operation"].as_str().unwrap_or_default().to_owned())
        .collect()
}

#[test]
fn a_plan_has_the_least_that_a_central_topic_needs() {
    let made = |way: Way| operations(&way.bench().plan(way.arguments));
    let site = ["put-metric-filter", "put-metric-alarm"];
    assert_eq!(made(OWN).len(), 4);
    let new = made(NEW);
    assert_eq!(new, [&["create-topic", "subscribe"][..], &site].concat());
    let there = made(THERE);
    assert_eq!(
        there,
        [&["add-topic-statement", "subscribe"][..], &site].concat()
    );

    // What an earlier plan left is used as it is, by its statement.
    let bench = NEW.bench();
    let _ = bench.plan(NEW.arguments);
    let _ = bench.apply().exits(0);
    bench.change_log_group(Way::SITE, |group| group.filters.clear());
    bench.change(Way::SITE, |site| site.alarms.clear());
    let plan = bench.plan(NEW.arguments);
    assert_eq!(operations(&plan), site, "{plan:#}");
    assert_eq!(plan["topics"][0]["arn"], TOPIC);
    let before = bench.state();
    let dry = ["fix", "apply", "plan.json", "--dry-run"];
    let dry = bench.trailproof.run(dry).exits(0);
    assert!(dry.stdout.contains("1 of 1 site done"), "{dry:?}");
    std::fs::remove_file(bench.file("journal.ndjson")).expect("there is a journal");
    let _ = bench.apply().exits(0);
    bench.undo_restores(&before);

    // Somebody else's topic of the same name is not used, and not touched.
    let bench = NEW.bench();
    bench.change(Way::CENTRAL, |site| {
        site.topics.push(Topic {
            name: "trailproof-alarms".to_owned(),
            subscriptions: vec![stranger()],
            ..Topic::default()
        });
    });
    let plan = bench.plan(NEW.arguments);
    assert_eq!(plan["topics"][0]["arn"], format!("{TOPIC}-2"), "{plan:#}");
}

fn stranger() -> Subscription {
    Subscription {
        protocol: "sms".to_owned(),
        endpoint: "+4915112345678".to_owned(),
        state: SubscriptionState::Confirmed,
        ..Subscription::default()
    }
}

#[test]
fn dry_runs_change_nothing_and_see_everything() {
    for way in Way::ALL {
        let bench = way.bench();
        let _ = bench.plan(way.arguments);
        let before = bench.state();
        let dry = ["fix", "apply", "plan.json", "--dry-run"];
        let dry = bench.trailproof.run(dry).exits(0);
        assert!(
            dry.stdout
                .starts_with("4 changes would be made, 0 there already; 1 of 1 site done"),
            "{}: {dry:?}",
            way.name
        );
        assert!(bench.state() == before, "{}", way.name);
    }
}

#[test]
fn what_was_done_to_a_topic_of_others_is_taken_back_only_when_it_is_asked_for() {
    let bench = THERE.bench();
    let _ = bench.plan(THERE.arguments);
    let before = bench.state();
    let _ = bench.apply().exits(0);
    let undone = bench.undo_own().exits(4);
    assert!(undone.stdout.contains("2 left"), "{undone:?}");
    assert_eq!(
        undone
            .stdout
            .matches("--shared-topics takes it back")
            .count(),
        2
    );
    assert!(
        undone
            .stderr
            .contains("on topics that the plan did not create:"),
        "{undone:?}"
    );
    bench.undo_restores(&before);
}

#[test]
fn a_policy_that_somebody_changed_keeps_what_they_wrote() {
    // Another statement came: it stays, and ours goes.
    let bench = THERE.bench();
    let _ = bench.plan(THERE.arguments);
    let _ = bench.apply().exits(0);
    let theirs =
        r#"{"Sid":"theirs","Effect":"Deny","Principal":"*","Action":"sns:Publish","Resource":"*"}"#;
    bench.change(Way::CENTRAL, |site| {
        let policy = &mut site.topics[0].policy;
        *policy = policy.replacen('[', &format!("[{theirs},"), 1);
    });
    let _ = bench.undo().exits(0);
    let policy = bench.site(Way::CENTRAL).topics[0].policy.clone();
    assert!(
        policy.contains("theirs") && policy.contains("owner"),
        "{policy}"
    );
    assert!(!policy.contains("trailproof"), "{policy}");

    // Ours was changed: it is theirs now.
    let bench = THERE.bench();
    let _ = bench.plan(THERE.arguments);
    let _ = bench.apply().exits(0);
    bench.change(Way::CENTRAL, |site| {
        let policy = &mut site.topics[0].policy;
        *policy = policy.replace("o-trailproof1", "o-theirs");
    });
    let undone = bench.undo().exits(4);
    assert!(
        undone
            .stdout
            .contains("it was changed after trailproof created it"),
        "{undone:?}"
    );
    assert!(
        bench.site(Way::CENTRAL).topics[0]
            .policy
            .contains("o-theirs")
    );
}

#[test]
fn a_central_topic_that_drifted_holds_its_sites_up() {
    let bench = THERE.bench();
    let _ = bench.plan(THERE.arguments);
    bench.change(Way::CENTRAL, |site| {
        site.topics[0].display_name = "changed".to_owned();
    });
    let before = bench.state();
    let applied = bench.apply().exits(1);
    assert!(
        applied
            .stdout
            .contains("was left: it was changed since the plan was made"),
        "{applied:?}"
    );
    assert!(applied.stdout.starts_with("0 changes made"), "{applied:?}");
    assert!(bench.state() == before);

    // A name that was taken meanwhile gets a number, and the alarms follow.
    let bench = NEW.bench();
    let _ = bench.plan(NEW.arguments);
    bench.change(Way::CENTRAL, |site| {
        site.topics.push(Topic {
            name: "trailproof-alarms".to_owned(),
            ..Topic::default()
        });
    });
    let before = bench.state();
    let _ = bench.apply().exits(0);
    assert_eq!(
        bench.site(Way::SITE).alarms[0].alarm_actions,
        [format!("{TOPIC}-2")]
    );
    bench.undo_restores(&before);
}

#[test]
fn an_alarm_of_somebody_else_keeps_a_central_topic() {
    for way in [NEW, THERE] {
        let bench = way.bench();
        let _ = bench.plan(way.arguments);
        let _ = bench.apply().exits(0);
        bench.change(Way::SITE, |site| {
            let mut theirs = site.alarms[0].clone();
            theirs.name = "theirs".to_owned();
            theirs.metric_name = "other".to_owned();
            theirs.description = String::new();
            site.alarms.push(theirs);
        });
        let undone = bench.undo().exits(4);
        let who = "alarm `theirs` of account 111111111111, which somebody else made";
        assert!(undone.stdout.contains(who), "{}: {undone:?}", way.name);
        let topics = bench.site(Way::CENTRAL).topics;
        assert!(topics[0].policy.contains("SourceOrgID"), "{}", way.name);
    }
}

#[test]
fn what_is_not_ours_to_change_is_left_to_its_owner() {
    for way in [NEW, THERE] {
        let bench = way.bench();
        let excluded = ["--exclude-accounts", Way::CENTRAL];
        let plan = bench.plan(&[way.arguments, &excluded].concat());
        assert_eq!(plan["summary"]["changes"], 0, "{plan:#}");
        let task = &plan["for_owners"][0];
        assert_eq!(task["account"], Way::CENTRAL, "{plan:#}");
        let finding = json!([format!("{}/console-auth-failures", Way::SITE)]);
        assert_eq!(task["turns_green"], finding, "{plan:#}");
        let commands = task["commands"].to_string();
        assert!(commands.contains("aws:SourceOrgID"), "{commands}");
        assert!(commands.contains("sns subscribe"), "{commands}");
        // Nobody could have run these in vain: the owner's old statements are in them.
        assert_eq!(commands.contains("owner"), way.is_there, "{commands}");
        let shown = bench.trailproof.run(["fix", "show", "plan.json"]).exits(0);
        assert!(shown.stdout.contains("for their owners to do"), "{shown:?}");
        assert!(
            shown.stdout.contains("1 finding of 1 would be PASS"),
            "{shown:?}"
        );

        // The owner does it.
        let own = bench.plan(way.arguments);
        let before = bench.state();
        let _ = bench.apply().exits(0);
        std::fs::remove_file(bench.file("journal.ndjson")).expect("there is a journal");
        bench.change_log_group(Way::SITE, |group| group.filters.clear());
        bench.change(Way::SITE, |site| site.alarms.clear());
        assert_ne!(bench.state(), before, "{own:#}");
        let plan = bench.plan(&[way.arguments, &excluded].concat());
        assert_eq!(
            operations(&plan),
            ["put-metric-filter", "put-metric-alarm"],
            "{plan:#}"
        );
        assert_eq!(plan["summary"]["turns_green"], 1);
        let before = bench.state();
        let _ = bench.apply().exits(0);
        bench.undo_restores(&before);
    }
    // An account that the run could not enter, and one that it does not know.
    let closed = NEW.bench();
    closed.deny(Way::CENTRAL, &["*"]);
    for (central, bench) in [(Way::CENTRAL, closed), ("999999999999", NEW.bench())] {
        let arguments = ["--subscribe", PHONE, "--central", central];
        let plan = bench.plan(&arguments);
        assert_eq!(plan["summary"]["changes"], 0, "{plan:#}");
        assert_eq!(plan["for_owners"][0]["account"], central, "{plan:#}");
    }
}

#[test]
fn only_topics_of_the_central_account_are_central() {
    let bench = NEW.bench();
    let _ = bench.plan(&["--subscribe", PHONE]);
    for (arguments, reason) in [
        (
            ["--topic", "arn:aws:sns:us-east-1:111111111111:own"],
            "is not a topic of account 222222222222",
        ),
        (["--alarm-name", "Anmeldung-ä"], "ASCII characters alone"),
    ] {
        let plan = ["fix", "plan", "run", "--out", "other.json", "--central"];
        let plan = plan.iter().chain(&[Way::CENTRAL]).chain(&arguments);
        let refused = bench.trailproof.run(plan).exits(2);
        assert!(refused.stderr.contains(reason), "{refused:?}");
    }
    // One that an ARN names and that is not there is made by that name.
    let named = "arn:aws:sns:{region}:222222222222:named";
    let plan = bench.plan(&[NEW.arguments, &["--topic", named]].concat());
    assert_eq!(
        plan["topics"][0]["arn"], "arn:aws:sns:us-east-1:222222222222:named",
        "{plan:#}"
    );
    let before = bench.state();
    let _ = bench.apply().exits(0);
    bench.undo_restores(&before);
}

/// A run without an organization lets exactly those accounts publish that use the topic.
#[test]
fn without_an_organization_the_policy_names_the_accounts() {
    let bench = NEW.bench();
    bench
        .running
        .change(|organization| organization.exists = false);
    let accounts = format!("{},{}", Way::SITE, Way::CENTRAL);
    let scan = [
        "scan",
        "--out",
        "run",
        "--overwrite",
        "--quiet",
        "--accounts",
        &accounts,
    ];
    let scanned = bench.trailproof.run(scan);
    assert_eq!(scanned.code, Some(1), "{scanned:?}");
    let plan = ["fix", "plan", "run", "--overwrite"];
    let plan = plan.iter().chain(NEW.arguments);
    let _ = bench.trailproof.run(plan).exits(0);
    let plan = bench.read_plan();
    let publishers = &plan["topics"][0]["steps"][0]["creates"]["publishers"];
    assert_eq!(*publishers, json!({"accounts": [Way::SITE]}), "{plan:#}");
    let before = bench.state();
    let _ = bench.apply().exits(0);
    bench.undo_restores(&before);
    let log_groups = bench.site(Way::SITE).log_groups;
    assert!(log_groups.iter().any(|group| group.name == LOG_GROUP));
}
