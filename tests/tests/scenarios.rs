//! Every account of every scenario gets the verdict that was written beside it, from evidence
//! alone: no network, no emulator.
#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on has failed, and says why"
)]

use std::fmt::Write;

use trailproof_core::control;
use trailproof_core::evaluate::evaluate;
use trailproof_core::policy::Policy;
use trailproof_simulator::{Scenario, Sweep};
use trailproof_tests::{scenario, vectors};

fn policy(scenario: &Scenario) -> Policy {
    let changes = &scenario.policy;
    let ids = if changes.controls.is_empty() {
        vec!["console-auth-failures".to_owned()]
    } else {
        changes.controls.clone()
    };
    let controls = control::select(control::builtin(), &ids).expect("the catalogue has them");
    let mut policy = Policy::new(controls);
    changes.change(&mut policy);
    policy
}

#[track_caller]
fn every_verdict(sweep: Sweep) {
    let mut accounts = 0;
    let mut report = String::new();
    for (name, scenario) in scenario::all() {
        let policy = policy(&scenario);
        let scan = scenario.organization.scan(&policy, sweep);
        let scan = scan.expect("every answer can be read");
        let findings = evaluate(&scan.evidence, &policy);
        let expected = scenario::expectations(&scenario);
        accounts += expected.len();
        let differences = scenario::differences(expected, &scenario::verdicts(&findings));
        if !differences.is_empty() {
            let _ = writeln!(report, "\n{name}: {}\n{differences}", scenario.title);
        }
    }
    assert!(accounts >= 60, "only {accounts} accounts");
    assert!(report.is_empty(), "{report}");
}

#[test]
fn every_account_has_its_verdict_in_a_full_sweep() {
    every_verdict(Sweep::Full);
}

#[test]
fn every_account_has_its_verdict_in_an_adaptive_sweep() {
    every_verdict(Sweep::Adaptive);
}

/// What is published is what the scenarios give, and what the files alone are judged.
#[test]
fn the_published_vectors_hold() {
    let present = vectors::present();
    for (place, evidence) in &present {
        let Some(name) = place.strip_suffix("/evidence.ndjson") else {
            continue;
        };
        let expected = present.get(&format!("{name}/findings.json"));
        let expected = expected.unwrap_or_else(|| panic!("{name} has no findings"));
        let title: serde_json::Value = serde_json::from_str(expected).expect("JSON");
        let title = title.get("title").and_then(serde_json::Value::as_str);
        let judged = vectors::judged(title.unwrap_or_default(), evidence);
        assert_eq!(judged, *expected, "{name}");
    }
    assert!(
        vectors::made() == present,
        "tests/vectors is stale: run `cargo xtask codegen`"
    );
    let size: usize = present.values().map(String::len).sum();
    assert!(size < 1 << 20, "{size} bytes");
}

/// `cargo xtask codegen` runs it.
#[test]
#[ignore = "writes files of the tree"]
fn write_the_vectors() {
    vectors::write(&vectors::made());
}
