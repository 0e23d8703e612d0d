//! Every account of every scenario gets the verdict that was written beside it, from evidence
//! alone: no network, no emulator.
#![allow(
    clippy::expect_used,
    reason = "a test that cannot go on has failed, and says why"
)]

use std::fmt::Write;

use trailproof_core::control;
use trailproof_core::evaluate::evaluate;
use trailproof_core::policy::Policy;
use trailproof_simulator::{Scenario, Sweep};
use trailproof_tests::scenario;

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
