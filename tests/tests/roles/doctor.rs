//! `trailproof doctor`.

use serde_json::Value;
use trailproof_tests::binary::{Outcome, Trailproof};
use trailproof_tests::server::Server;

use crate::organization::{Kind, Organization};

fn doctor(server: &Server, caller: &str, flags: &[&str]) -> Outcome {
    let trailproof = Trailproof::against(&server.endpoint(), caller);
    trailproof.run([&["doctor"][..], flags].concat())
}

#[track_caller]
fn document(outcome: &Outcome) -> Value {
    serde_json::from_str(&outcome.stdout).unwrap_or_else(|error| panic!("{error}: {outcome:?}"))
}

#[test]
fn a_healthy_organization_has_nothing_to_mend() {
    let mut organization = Organization::new("aws");
    for _ in 0..30 {
        organization.add(Kind::Organizations, true);
    }
    let server = organization.serve(&[]);
    let outcome = doctor(&server, "111111111111", &[]).exits(0);
    let lines: Vec<&str> = outcome.stdout.lines().collect();
    assert!(lines.len() <= 20, "{}", outcome.stdout);
    for text in [
        "user/auditor",
        "o-trailproof1 of management account 111111111111",
        "31 listed",
        "this is the management account",
        "AWS_ENDPOINT_URL",
        "10 of 10 accounts",
        "9 by OrganizationAccountAccessRole, session limited by: operations",
        "17 enabled, 17 not",
        "calls in",
        "nothing: a scan sees everything it asks for",
    ] {
        assert!(outcome.stdout.contains(text), "{text}:\n{}", outcome.stdout);
    }
    // Whatever was asked, nobody refused it: what does not exist is not found.
    let outcome = doctor(&server, "111111111111", &["--all", "--format", "json"]).exits(0);
    let found = document(&outcome);
    assert_eq!(found["sample"].as_array().map(Vec::len), Some(31));
    assert_eq!(found["exit_code"], 0);
    assert!(
        found["clock_skew_seconds"]
            .as_i64()
            .is_some_and(|skew| skew.abs() < 60)
    );
}

#[test]
fn what_is_missing_is_named_and_what_to_mend_first() {
    let mut organization = Organization::new("aws");
    organization.add(Kind::Organizations, true);
    organization.add(Kind::ControlTower, true);
    for _ in 0..2 {
        organization.add_written(
            "roles = [{ denials = [{ operations = [\"logs:DescribeMetricFilters\"] }] }]\n\
             denied_regions = [\"eu-west-1\"]\nchain = true\n",
        );
    }
    let server = organization.serve(&[]);
    let flags = ["--all", "--format", "json"];
    let found = document(&doctor(&server, "111111111111", &flags).exits(3));
    let of = |number: u64| {
        let id = format!("{:012}", 222_222_222_222 + number);
        let sample = found["sample"].as_array().expect("a list");
        let account = sample
            .iter()
            .find(|account| account["account"] == id.as_str());
        account.unwrap_or_else(|| panic!("{id}: {found:#}")).clone()
    };
    assert_eq!(of(1)["entered"], true);
    assert_eq!(of(1)["missing"], serde_json::json!([]));
    assert_eq!(of(2)["entered"], false);
    assert_eq!(of(2)["error"]["code"], "AccessDenied");
    assert_eq!(
        of(3)["missing"],
        serde_json::json!(["logs:DescribeMetricFilters"])
    );
    let mend = found["mend"].as_array().expect("a list");
    assert_eq!(mend.len(), 2, "{mend:?}");
    let text = doctor(&server, "111111111111", &["--all"]).exits(3).stdout;
    assert!(text.lines().count() <= 20, "{text}");
    for line in ["mend first", "then", "logs:DescribeMetricFilters in 2"] {
        assert!(text.contains(line), "{text}");
    }
}

#[test]
fn what_a_member_is_delegated_for_is_told() {
    let mut organization = Organization::new("aws");
    let administrator = organization.add_administrator();
    let server = organization.serve(&[]);
    let found = document(&doctor(
        &server,
        &administrator,
        &["--all", "--format", "json"],
    ));
    assert_eq!(found["delegated"], "cloudtrail");
    assert_eq!(
        found["delegated_for"],
        serde_json::json!(["cloudtrail.amazonaws.com"])
    );
    let text = doctor(&server, &administrator, &["--all"]).stdout;
    assert!(
        text.contains("for CloudTrail: reads organization trails as their owner"),
        "{text}"
    );
    assert!(!text.contains("stack sets"), "{text}");
}

#[test]
fn who_may_not_list_accounts_cannot_scan() {
    let mut organization = Organization::new("aws");
    let member = organization.add(Kind::Organizations, true);
    let server = organization.serve(&[]);
    let outcome = doctor(&server, &member, &[]).exits(4);
    assert!(
        outcome.stdout.contains("cannot be listed"),
        "{}",
        outcome.stdout
    );
    assert!(outcome.stdout.contains("mend first"), "{}", outcome.stdout);
    // One account alone can be looked at.
    let outcome = doctor(&server, &member, &["--current-account"]).exits(0);
    assert!(
        outcome.stdout.contains("1 of 1 accounts"),
        "{}",
        outcome.stdout
    );
    // Nobody answers.
    let trailproof = Trailproof::against("http://127.0.0.1:9", "111111111111");
    let _ = trailproof.run(["doctor"]).exits(4);
}
