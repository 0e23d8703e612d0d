//! Accounts that a plan is to leave alone are left alone, also where changing them would help
//! others.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on has failed, and says why"
)]

use serde_json::Value;
use trailproof_tests::repair::{Bench, PHONE};

const HERE: &str = "111111111111";

/// An organization trail without anything behind its log group.
fn bench() -> Bench {
    Bench::of_scenario(&format!(
        r#"
        title = "an organization trail"
        [[accounts]]
        id = "{HERE}"
        name = "management"
        unit = "Core"
        chain.trail.organization = true
        chain.filter = false
        chain.alarm = false
        chain.topic = false
        [[accounts]]
        id = "222222222222"
        name = "member"
        unit = "Workloads"
        [[accounts]]
        id = "333333333333"
        name = "security"
        unit = "Workloads"
        topics = [{{ name = "central" }}]
        "#
    ))
}

#[test]
fn nothing_is_changed_in_an_account_that_is_excluded() {
    let bench = bench();
    let refused = |plan: &Value, account: &str| {
        assert_eq!(plan["summary"]["changes"], 0, "{plan:#}");
        let why =
            format!("something would have to be changed in account {account}, which is excluded");
        let left = plan["unrepairable"].as_array().expect("a list");
        assert!(!left.is_empty());
        assert!(left.iter().all(|one| one["why"] == why), "{plan:#}");
    };
    let plan = bench.plan(&["--subscribe", PHONE, "--exclude-accounts", HERE]);
    refused(&plan, HERE);
    let text = std::fs::read_to_string(bench.file("run/findings.json")).expect("findings");
    let findings: Value = serde_json::from_str(&text).expect("JSON");
    let path = findings["findings"][0]["account"]["ou_path"].as_str();
    let unit = path
        .and_then(|path| path.trim_end_matches('/').rsplit('/').next())
        .expect("the account is in a unit");
    let plan = bench.plan(&["--subscribe", PHONE, "--exclude-ou", unit]);
    refused(&plan, HERE);

    // A subscription is made by the topic's owner.
    let topic = "arn:aws:sns:us-east-1:333333333333:central";
    let excluded = ["--exclude-accounts", "333333333333"];
    let arguments = [
        "--subscribe",
        "https://pager.example.com/",
        "--topic",
        topic,
    ];
    let plan = bench.plan(&[&arguments[..], &excluded].concat());
    refused(&plan, "333333333333");
}

#[test]
fn a_unit_that_is_to_be_excluded_and_is_not_there_is_an_error() {
    let bench = bench();
    let _ = bench.plan(&["--subscribe", PHONE]);
    let plan = [
        "fix",
        "plan",
        "--overwrite",
        "run",
        "--subscribe",
        PHONE,
        "--out",
        "other.json",
    ];
    let refused = bench
        .trailproof
        .run(plan.iter().chain(&["--exclude-ou", "ou-misspelt"]))
        .exits(2);
    assert!(
        refused
            .stderr
            .contains("no findings for accounts in organizational unit `ou-misspelt`"),
        "{refused:?}"
    );
    assert!(!bench.file("other.json").exists());
}
