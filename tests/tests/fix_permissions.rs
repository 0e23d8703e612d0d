//! Everything that scans and repairs call is allowed by the policies that `iam-policy` prints, to
//! the one who calls it; and everything that the policies allow a repair beyond reading is called.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on has failed, and says why"
)]

use std::collections::BTreeSet;

use serde_json::Value;
use trailproof_simulator::model::Topic;
use trailproof_simulator::{Options, Scenario};
use trailproof_tests::repair::{Bench, PHONE};

const MANAGEMENT: &str = "111111111111";

/// Permissions to tag are asked for when something is created with tags; there is no call.
const WITHOUT_A_CALL: [&str; 2] = ["cloudwatch:TagResource", "sns:TagResource"];

fn policy(bench: &Bench, task: &str, who: &str) -> BTreeSet<String> {
    let printed = bench
        .trailproof
        .run(["iam-policy", task, "--who", who])
        .exits(0);
    let policy: Value = serde_json::from_str(&printed.stdout).expect("a policy is JSON");
    policy["Statement"]
        .as_array()
        .expect("a list")
        .iter()
        .flat_map(|statement| statement["Action"].as_array().expect("a list"))
        .map(|action| action.as_str().expect("a word").to_owned())
        .collect()
}

/// What was called so far, and whether by the management account.
fn calls(bench: &Bench) -> BTreeSet<(String, bool)> {
    let calls = bench.running.statistics().calls;
    calls
        .keys()
        .map(|call| {
            let mut words = call.split(' ');
            let mut word = || {
                words
                    .next()
                    .expect("an operation and an account")
                    .to_owned()
            };
            (word(), word() == MANAGEMENT)
        })
        .collect()
}

#[track_caller]
fn check(bench: &Bench, task: &str) -> BTreeSet<String> {
    let (caller, member) = (policy(bench, task, "caller"), policy(bench, task, "member"));
    let mut actions = BTreeSet::new();
    for (action, by_management) in calls(bench) {
        let allowed = if by_management { &caller } else { &member };
        // Needs no permission (AWS STS API Reference).
        if action == "sts:GetCallerIdentity" {
            continue;
        }
        assert!(
            allowed.contains(&action),
            "{task}: {action} by {}",
            if by_management {
                "the caller"
            } else {
                "a member"
            }
        );
        actions.insert(action);
    }
    actions
}

#[test]
fn scans_and_repairs_call_what_their_policies_allow() {
    let scenario = Scenario::parse(
        r#"
        title = "something to repair by the caller and in a member"
        [[accounts]]
        id = "111111111111"
        name = "management"
        chain = { filter = false, alarm = false, topic = false }
        [[accounts]]
        id = "222222222222"
        name = "member"
        chain = { filter = false, alarm = false, topic = false }
        [[accounts]]
        id = "333333333333"
        name = "fine"
        chain = true
        "#,
    )
    .expect("it is a scenario");
    let options = Options {
        track_calls: true,
        ..Options::default()
    };
    let bench = Bench::with(scenario.organization, options);
    let arguments = ["--subscribe", PHONE, "--tag", "team=security"];
    let _ = bench.plan(&arguments);
    let _ = check(&bench, "scan");

    // The name is taken since: whose topic it is, is asked of its tags.
    bench.change("222222222222", |site| {
        site.topics.push(Topic {
            name: "trailproof-alarms".to_owned(),
            ..Topic::default()
        });
    });
    let before = bench.state();
    let applied = bench.apply().exits(0);
    assert!(applied.stdout.contains("2 of 2 sites done"), "{applied:?}");
    let site = "222222222222/us-east-1/cloudtrail";
    let drill = ["fix", "drill", "journal.ndjson", "--site", site, "--yes"];
    let _ = bench.trailproof.run(drill).exits(0);
    bench.undo_restores(&before);

    // A topic of one account for all, whose policy lets nobody else publish.
    bench.change("333333333333", |site| {
        site.topics.push(Topic {
            name: "central".to_owned(),
            policy: r#"{"Version":"2012-10-17","Statement":[]}"#.to_owned(),
            ..Topic::default()
        });
    });
    let central = ["--central", "333333333333", "--topic", "central"];
    let _ = bench.plan(&[&arguments[..], &central].concat());
    std::fs::remove_file(bench.file("journal.ndjson")).expect("there is a journal");
    let before = bench.state();
    let _ = bench.apply().exits(0);
    bench.undo_restores(&before);
    let called = check(&bench, "fix");

    let beyond = |all: &BTreeSet<String>, reading: &BTreeSet<String>| -> BTreeSet<String> {
        let kept = |action: &&String| !WITHOUT_A_CALL.contains(&action.as_str());
        all.difference(reading).filter(kept).cloned().collect()
    };
    // Scans ask the pattern service only as the caller, repairs everywhere.
    let mut reading = policy(&bench, "scan", "caller");
    reading.extend(policy(&bench, "scan", "member"));
    for who in ["caller", "member"] {
        assert_eq!(
            beyond(&policy(&bench, "fix", who), &reading),
            beyond(&called, &reading),
            "{who}: every permission of a repair is used"
        );
    }
}
