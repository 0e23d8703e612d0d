//! Reports of organizations whose findings are not kept: judged again for each writer, they say the
//! same, byte for byte.
#![allow(
    clippy::expect_used,
    reason = "a test that cannot go on has failed, and says why"
)]

use serde_json::json;
use trailproof_core::control;
use trailproof_core::evidence::Evidence;
use trailproof_core::finding::Status;
use trailproof_core::policy::Policy;
use trailproof_report::findings::Findings;
use trailproof_report::format::{ALL, Report};
use trailproof_report::run::{PolicyRecord, Run, RunKind, Scope};
use trailproof_simulator::Sweep;
use trailproof_simulator::generator::{Generator, Mix};

/// Every control, and the evidence of so many accounts.
fn evidence_of(accounts: usize, seed: u64) -> (Policy, Evidence) {
    let organization = Generator {
        accounts,
        regions: 3,
        seed,
        mix: Mix::Realistic,
        denied: None,
    }
    .organization()
    .expect("the numbers are within the limits");
    let policy = Policy::new(control::builtin().to_vec());
    let scan = organization
        .scan(&policy, Sweep::Adaptive)
        .expect("every answer can be read");
    (policy, scan.evidence)
}

#[test]
fn what_is_judged_again_is_what_was_kept() {
    let (policy, evidence) = evidence_of(60, 11);
    let at = "2026-11-23T00:00:00Z".parse().expect("a time");
    let mut recorded = PolicyRecord::of(&policy, at, |_| true);
    let accepted = |what: serde_json::Value, until: &str| {
        let mut accepted = json!({"justification": "known", "owner": "a@example.com",
            "expires": until});
        if let (Some(all), Some(what)) = (accepted.as_object_mut(), what.as_object()) {
            all.extend(what.clone());
        }
        accepted
    };
    recorded.mutes = serde_json::from_value(json!([
        accepted(json!({"control": ["root-usage"]}), "2027-01-01"),
        accepted(json!({"control": ["vpc-changes"]}), "2026-01-01"),
        accepted(json!({"account": ["999999999999"]}), "2027-01-01"),
    ]))
    .expect("mutes");
    recorded.attestations = serde_json::from_value(json!([{
        "control": ["console-auth-failures"], "system": "SIEM", "statement": "reads the trail",
        "owner": "b@example.com", "expires": "2027-01-01",
    }]))
    .expect("an attestation");

    let (kept, attested, muted) = Findings::judged(&policy, &recorded, &evidence, usize::MAX);
    let (again, attested_again, muted_again) = Findings::judged(&policy, &recorded, &evidence, 0);
    assert_eq!((attested, muted), (attested_again, muted_again));
    assert_eq!(kept.outlines(), again.outlines());
    assert_eq!(kept.summary(), again.summary());
    for status in [Status::Pass, Status::Fail, Status::Muted, Status::Attested] {
        assert!(kept.summary().count(status) > 0, "no finding is {status}");
    }
    let run = Run::start(RunKind::Evaluate, Scope::default(), recorded, at);
    for format in ALL {
        let [one, other] = [&kept, &again].map(|findings| {
            let report = Report {
                run: &run,
                findings,
                evidence: &evidence,
            };
            let mut out = Vec::new();
            format
                .write(&report, &mut out)
                .expect("memory takes everything");
            out
        });
        assert!(!one.is_empty());
        assert!(one == other, "{} differs", format.name());
    }
}

/// A writer that cannot go on is not handed the rest.
#[test]
fn findings_are_handed_over_until_one_cannot_be_taken() {
    let (policy, evidence) = evidence_of(10, 3);
    let at = "2026-11-23T00:00:00Z".parse().expect("a time");
    let recorded = PolicyRecord::of(&policy, at, |_| true);
    for keep in [0, usize::MAX] {
        let (findings, ..) = Findings::judged(&policy, &recorded, &evidence, keep);
        let mut taken = 0;
        let ended = findings.try_each(|_| {
            taken += 1;
            if taken == 20 { Err("full") } else { Ok(()) }
        });
        assert_eq!((ended, taken), (Err("full"), 20), "kept {keep}");
    }
}
