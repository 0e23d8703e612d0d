//! Every account of a generated organization gets the verdict it was made for.
#![allow(
    clippy::expect_used,
    reason = "a test that cannot go on has failed, and says why"
)]

use trailproof_core::control;
use trailproof_core::evaluate::evaluate;
use trailproof_core::policy::Policy;
use trailproof_simulator::Sweep;
use trailproof_simulator::generator::{Generator, Mix};

/// The verdicts of a mix, and that no question was asked which the minimum does not have.
#[track_caller]
fn check(mix: Mix, accounts: usize, sweep: Sweep) {
    let organization = Generator {
        accounts,
        regions: 17,
        seed: 7,
        mix,
        denied: None,
    }
    .organization()
    .expect("the numbers are within the limits");
    let ids = ["console-auth-failures".to_owned()];
    let controls = control::select(control::builtin(), &ids).expect("it is in the catalogue");
    let policy = Policy::new(controls);
    let scan = organization
        .scan(&policy, sweep)
        .expect("every answer can be read");
    let findings = evaluate(&scan.evidence, &policy);
    let expected = organization.expected();
    assert_eq!(findings.len(), expected.len());
    let mut wrong = Vec::new();
    for ((account, expected), finding) in expected.iter().zip(&findings) {
        assert_eq!(*account, finding.account.id);
        if (expected.status, expected.broken_link) != (finding.status, finding.broken_link) {
            wrong.push(format!(
                "{account}: expected {} {:?}, found {} {:?} {:?}: {}",
                expected.status,
                expected.broken_link,
                finding.status,
                finding.broken_link,
                finding.reason,
                finding.message
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let minimum = organization
        .minimum(&policy, sweep)
        .expect("every answer can be read");
    assert!(minimum.calls > u64::try_from(accounts).expect("few accounts"));
}

#[test]
fn realistic_organizations() {
    check(Mix::Realistic, 100, Sweep::Full);
    check(Mix::Realistic, 300, Sweep::Adaptive);
}

#[test]
fn the_demonstration() {
    check(Mix::Demo, 24, Sweep::Full);
}

#[test]
fn covered_organizations() {
    check(Mix::Covered, 100, Sweep::Adaptive);
}

#[test]
fn healthy_organizations() {
    check(Mix::Healthy, 40, Sweep::Adaptive);
}
