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

/// Two units are called `Prod`.
fn twins() -> Bench {
    Bench::of_scenario(
        r#"
        title = "units with names"
        [[accounts]]
        id = "111111111111"
        name = "management"
        chain = true
        [[accounts]]
        id = "222222222222"
        name = "shop"
        unit = "Workloads/Prod"
        chain.filter = false
        chain.alarm = false
        [[accounts]]
        id = "333333333333"
        name = "old shop"
        unit = "Prod"
        chain.filter = false
        chain.alarm = false
        "#,
    )
}

/// The accounts of findings that a command prints as JSON.
fn accounts(bench: &Bench, arguments: &[&str]) -> Vec<String> {
    let shown = bench.trailproof.run(arguments);
    let document: Value = serde_json::from_str(&shown.stdout).expect("findings.json");
    let findings = document["findings"].as_array().expect("a list").iter();
    let ids = findings.map(|finding| finding["account"]["id"].as_str().unwrap_or_default());
    ids.map(str::to_owned).collect()
}

#[test]
fn units_are_named_and_meant_by_their_names() {
    let bench = twins();
    let _ = bench.scan().exits(1);
    let found = bench.finding("222222222222", "console-auth-failures");
    let names = serde_json::json!(["Workloads", "Prod"]);
    assert_eq!(found["account"]["ou_names"], names);
    let csv = std::fs::read_to_string(bench.file("run/findings.csv")).expect("findings");
    assert!(csv.contains("Workloads / Prod"), "{csv}");

    let show = ["show", "run", "--format", "json", "--ou"];
    let of = |unit: &str| accounts(&bench, &[&show[..], &[unit]].concat());
    assert_eq!(of("Workloads"), ["222222222222"]);
    assert_eq!(of("Root/Prod"), ["333333333333"]);
    let unit = ["--ou", "Workloads/Prod"];
    let scan = ["scan", "--out", "part"];
    let _ = bench.trailproof.run(scan.iter().chain(&unit)).exits(1);
    let show = ["show", "part", "--format", "json"];
    assert_eq!(accounts(&bench, &show), ["222222222222"]);
    let plan = bench.plan(&["--subscribe", PHONE, "--ou", "Workloads/Prod"]);
    assert_eq!(plan["sites"][0]["account"], "222222222222");
    assert_eq!(plan["sites"].as_array().map(Vec::len), Some(1));
    let plan = bench.plan(&["--subscribe", PHONE, "--exclude-ou", "Workloads"]);
    assert_eq!(plan["sites"][0]["account"], "333333333333");

    for command in [
        &["scan", "--out", "other"][..],
        &["show", "run"],
        &["fix", "plan", "run", "--out", "other.json"],
    ] {
        let unclear = bench
            .trailproof
            .run(command.iter().chain(&["--ou", "Prod"]));
        let unclear = unclear.exits(2).stderr;
        assert!(
            unclear.contains("`Prod` is the name of 2 organizational units: ")
                && unclear.contains("Root/Prod (ou-")
                && unclear.contains("Root/Workloads/Prod (ou-"),
            "{unclear}"
        );
    }
    assert!(!bench.file("other").exists());
    let mute = "[[mute]]\nou = 'UNIT'\nowner = 'o'\njustification = 'j'\nexpires = 2099-01-01\n";
    for (unit, muted) in [("Prod", 0), ("Workloads", 1)] {
        let text = mute.replace("UNIT", unit);
        std::fs::write(bench.file("mute.toml"), text).expect("a file can be written");
        let judge = ["evaluate", "--evidence", "run", "--config", "mute.toml"];
        let out = ["--out", unit];
        let judged = bench.trailproof.run(judge.iter().chain(&out)).exits(1);
        let unclear = judged.stderr.contains("`Prod` is the name of 2");
        assert_eq!(unclear, muted == 0, "{judged:?}");
        let show = ["show", unit, "--format", "json", "--status", "muted"];
        assert_eq!(accounts(&bench, &show).len(), muted, "{unit}");
    }
}

#[test]
fn units_that_may_not_be_listed_cost_their_names_and_nothing_else() {
    let bench = twins();
    let named = bench.scan().exits(1);
    assert!(!named.stdout.contains("shown by id"), "{named:?}");
    bench.deny(HERE, &["organizations:ListOrganizationalUnitsForParent"]);
    let scanned = bench.scan().exits(1);
    let told = scanned
        .stdout
        .matches("Organizational units are shown by id")
        .count();
    assert_eq!(told, 1, "{scanned:?}");
    let found = bench.finding("222222222222", "console-auth-failures");
    assert_eq!(found["account"]["ou_names"], Value::Null);
    assert!(found["account"]["ou_path"].is_string());
    let run = std::fs::read_to_string(bench.file("run/run.json")).expect("run.json");
    let run: Value = serde_json::from_str(&run).expect("JSON");
    assert_eq!(run["complete"], true);
    let by_name = ["scan", "--out", "other", "--ou", "Workloads"];
    let refused = bench.trailproof.run(by_name).exits(4);
    assert!(
        refused.stderr.contains("ListOrganizationalUnitsForParent"),
        "{refused:?}"
    );
}
