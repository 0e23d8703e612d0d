//! Whom to write to about the findings of a run, as the real binary asks for it.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on has failed, and says why"
)]

use serde_json::{Value, json};
use trailproof_simulator::model::Denial;
use trailproof_tests::repair::{Bench, id};

fn scanned() -> Bench {
    let bench = Bench::of_scenario(
        r#"
        [organization]
        regions = ["us-east-1"]
        opt_in_regions = []
        [[accounts]]
        id = "111111111111"
        name = "management"
        chain = { alarm = false }
        security_contact = { name = "Ann", title = "CISO", email = "ann@example.com", phone = "+1 555 0100" }
        [[accounts]]
        id = "222222222222"
        name = "shop"
        email = "shop@example.com"
        unit = "Workloads"
        chain.subscription = { endpoint = "late@example.com", state = "pending" }
        security_contact = { name = "=Bob", title = "Lead", email = "bob@example.com", phone = "+1 555 0101" }
        [[accounts]]
        id = "333333333333"
        name = "sandbox"
        chain = { alarm = false }
        [[accounts]]
        id = "444444444444"
        name = "whole"
        chain = true
        security_contact = { name = "Eve", title = "", email = "eve@example.com", phone = "1" }
        "#,
    );
    let scan = ["scan", "--out", "run", "--quiet"];
    let _ = bench.trailproof.run(scan).exits(1);
    bench
}

fn contacts(bench: &Bench, arguments: &[&str], code: i32) -> String {
    let command = ["accounts", "contacts", "run"].iter().chain(arguments);
    bench.trailproof.run(command).exits(code).stdout
}

#[test]
fn accounts_with_findings_have_somebody_to_write_to() {
    let bench = scanned();
    let text = contacts(&bench, &[], 0);
    assert_eq!(
        text.lines().collect::<Vec<_>>(),
        [
            "111111111111  management  1 FAIL",
            "  root user  aws+111111111111@example.com",
            "  security   Ann, CISO, ann@example.com, +1 555 0100",
            "222222222222  shop  1 FAIL",
            "  root user  shop@example.com",
            "  security   =Bob, Lead, bob@example.com, +1 555 0101",
            "333333333333  sandbox  1 FAIL",
            "  root user  aws+333333333333@example.com",
            "  security   none",
        ]
    );
    let chosen = contacts(
        &bench,
        &["--reason", "subscription.pending", "--ou", "Workloads"],
        0,
    );
    assert!(chosen.starts_with("222222222222  shop"), "{chosen}");
    assert_eq!(chosen.lines().count(), 3, "{chosen}");
    // Accounts that pass are told of where they are asked for.
    let passed = contacts(&bench, &["--status", "pass"], 0);
    assert!(
        passed.contains("Eve") && !passed.contains("Ann"),
        "{passed}"
    );
}

#[test]
fn programs_and_spreadsheets_read_the_same() {
    let bench = scanned();
    let list: Value =
        serde_json::from_str(&contacts(&bench, &["--format", "json"], 0)).expect("a list in JSON");
    assert_eq!(list.as_array().map(Vec::len), Some(3));
    assert_eq!(
        list[1],
        json!({
            "account_id": "222222222222",
            "account_name": "shop",
            "ou_names": ["Workloads"],
            "findings": {"FAIL": 1},
            "account_email": "shop@example.com",
            "security_contact": {
                "name": "=Bob", "title": "Lead", "email": "bob@example.com", "phone": "+1 555 0101",
            },
            "error": null,
        })
    );
    assert_eq!(list[2]["security_contact"], Value::Null);
    let csv = contacts(&bench, &["--format", "csv"], 0);
    let rows: Vec<&str> = csv.lines().collect();
    assert_eq!(rows.len(), 4, "{csv}");
    // A spreadsheet must not take a name for a formula.
    assert_eq!(
        rows[2],
        "222222222222,shop,Workloads,1,0,shop@example.com,named,'=Bob,Lead,bob@example.com,'+1 555 0101"
    );
    assert_eq!(
        rows[3],
        "333333333333,sandbox,,1,0,aws+333333333333@example.com,none,,,,"
    );
}

#[test]
fn what_nobody_may_ask_is_said_and_is_no_success() {
    let bench = scanned();
    bench.running.change(|organization| {
        let management = organization.account_mut(id("111111111111"));
        let management = management.expect("the account is there");
        management.denials.push(Denial {
            operations: vec!["account:GetAlternateContact".to_owned()],
            ..Denial::default()
        });
    });
    let outcome = bench.trailproof.run(["accounts", "contacts", "run"]);
    assert_eq!(outcome.code, Some(3), "{outcome:?}");
    let said = outcome
        .stderr
        .contains("account:GetAlternateContact failed for 3 of 3 accounts");
    assert!(said, "{outcome:?}");
    // What the evidence has is told all the same.
    assert!(outcome.stdout.contains("shop@example.com"), "{outcome:?}");
    assert!(
        outcome.stdout.contains("not known: AccessDenied"),
        "{outcome:?}"
    );
}

#[test]
fn the_permission_is_asked_for_on_its_own() {
    let bench = scanned();
    let policy = |arguments: &[&str]| {
        let command = ["iam-policy"].iter().chain(arguments);
        bench.trailproof.run(command).exits(0).stdout
    };
    let action = "account:GetAlternateContact";
    assert!(policy(&["contacts"]).contains(action));
    for without in [&[][..], &["contacts", "--who", "member"]] {
        assert!(!policy(without).contains(action), "{without:?}");
    }
}

#[test]
fn no_file_of_a_run_names_a_contact() {
    let bench = scanned();
    for entry in std::fs::read_dir(bench.file("run")).expect("a run") {
        let path = entry.expect("its files can be read").path();
        let bytes = std::fs::read(&path).expect("it can be read");
        let text = String::from_utf8_lossy(&bytes);
        assert!(!text.contains("ann@example.com"), "{}", path.display());
        let is_evidence = path.ends_with("evidence.ndjson");
        assert_eq!(
            text.contains("shop@example.com"),
            is_evidence,
            "{}",
            path.display()
        );
    }
}
