//! Every reason and every observation that a finding may give.

use super::{FAIL, UNKNOWN};
use crate::evaluate::fixture::{MEMBER, TRAIL};
use crate::evaluate::{links, observations, reasons};

#[test]
fn every_reason_belongs_to_its_link_and_says_what_to_do() {
    let mut codes = std::collections::BTreeSet::new();
    for link in links::LINKS {
        assert!(
            link.why.ends_with('.') && !link.source.is_empty(),
            "{}",
            link.name
        );
        for reason in link.reasons {
            assert!(codes.insert(reason.code), "{} twice", reason.code);
            assert!(
                reason.code.starts_with(&format!("{}.", link.name)),
                "{}",
                reason.code
            );
            assert!(matches!(reason.status, FAIL | UNKNOWN));
            assert!(
                reason.meaning.ends_with('.') && reason.remedy.ends_with('.'),
                "{}",
                reason.code
            );
        }
    }
    assert!(TRAIL.starts_with("arn:"));
}

#[test]
fn every_observation_belongs_to_its_link_and_is_made_somewhere() {
    let mut codes = std::collections::BTreeSet::new();
    for link in links::LINKS {
        for kind in link.observations {
            assert!(kind.code.starts_with(&format!("{}.", link.name)));
        }
    }
    for kind in observations() {
        assert!(codes.insert(kind.code), "{} twice", kind.code);
        assert!(kind.meaning.ends_with('.'), "{}", kind.code);
    }
    assert!(reasons().all(|reason| !codes.contains(reason.code)));
    for (code, world) in links::observed() {
        let finding = world.finding(MEMBER);
        let seen = finding.observations.iter().any(|seen| seen.code == code);
        assert!(seen, "{code}: {:?}", finding.observations);
        codes.remove(code);
    }
    // These are the policy's; the test below and those of mutes make them.
    let policy = [
        "attestation.expired",
        "attestation.not-admitted",
        "attestation.not-reached",
        "control.benchmark-text",
        "control.management-account",
        "mute.expired",
    ];
    assert_eq!(codes, policy.into(), "without a row");
}
