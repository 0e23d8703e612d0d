use serde_json::json;

use super::*;
use crate::control::builtin;
use crate::finding::{AccountSummary, AssuranceResult, ChainLink};

/// Applies them to all findings there are.
fn apply(
    findings: &mut [Finding],
    attestations: &[Attestation],
    benchmark: &str,
    evidence: &Evidence,
    now: Timestamp,
) -> Applied {
    let accounts = findings.iter().map(|finding| &*finding.account);
    let mut applying = Applying::new(attestations, benchmark, accounts, evidence, now);
    applying.apply(findings);
    applying.end()
}

fn now() -> Timestamp {
    "2026-11-28T12:00:00Z".parse().unwrap()
}

/// A finding whose chain breaks at a link.
fn broken_at(link: LinkName, status: Status, benchmark: &str) -> Finding {
    let control = builtin()
        .iter()
        .find(|control| control.id == "console-auth-failures")
        .unwrap();
    let chain = LinkName::CHAIN.map(|name| {
        Arc::new(ChainLink {
            link: name,
            status: match name.cmp(&link) {
                std::cmp::Ordering::Less => LinkStatus::Pass,
                std::cmp::Ordering::Equal if status == Status::Fail => LinkStatus::Fail,
                std::cmp::Ordering::Equal => LinkStatus::Unknown,
                std::cmp::Ordering::Greater => LinkStatus::NotEvaluated,
            },
            resource: None,
            account: None,
            region: None,
            detail: Arc::default(),
        })
    });
    Finding {
        id: "111111111111/console-auth-failures".to_owned(),
        account: Arc::new(AccountSummary {
            id: "111111111111".parse().unwrap(),
            name: None,
            ou_path: Some("o-a/r-b/ou-parent".to_owned()),
            ou_names: Vec::new(),
        }),
        control: Arc::new(control.summary(benchmark)),
        status,
        assurance: AssuranceResult {
            cis: status,
            effective: status,
        },
        broken_link: Some(link),
        reason: Some("metric-filter.none".into()),
        message: Arc::default(),
        chain: chain.into(),
        observations: Vec::new(),
        witness: None,
        remediation: None,
        observed_at: None,
        attested: None,
        muted: None,
    }
}

fn attestation() -> Attestation {
    serde_json::from_value(json!({
        "ou": "ou-parent", "system": "the SIEM", "statement": "pages whoever is on call",
        "owner": "security@example.com", "expires": "2027-01-31", "reference": "RISK-12",
    }))
    .unwrap()
}

/// The status after an attestation, and what is observed.
fn after(mut finding: Finding, one: &Attestation, benchmark: &str) -> (Status, Vec<String>) {
    let evidence = Evidence::default();
    let findings = std::slice::from_mut(&mut finding);
    apply(
        findings,
        std::slice::from_ref(one),
        benchmark,
        &evidence,
        now(),
    );
    let seen = finding.observations.iter();
    (finding.status, seen.map(|seen| seen.code.clone()).collect())
}

#[test]
fn an_attestation_stands_for_the_links_from_the_log_group_on() {
    use LinkName::{Account, LogGroup, Logging, MetricFilter, Selectors, Subscription, Trail};
    for (link, status, expected) in [
        (LogGroup, Status::Fail, Status::Attested),
        (MetricFilter, Status::Fail, Status::Attested),
        (Subscription, Status::Unknown, Status::Attested),
        (Trail, Status::Fail, Status::Fail),
        (Logging, Status::Unknown, Status::Unknown),
        (Selectors, Status::Fail, Status::Fail),
        (Account, Status::Unknown, Status::Unknown),
    ] {
        let (seen, codes) = after(broken_at(link, status, "7.0.0"), &attestation(), "7.0.0");
        assert_eq!(seen, expected, "{link}");
        let not_reached = codes == ["attestation.not-reached"];
        assert_eq!(not_reached, expected != Status::Attested, "{link}");
    }
}

#[test]
fn an_attestation_has_an_end_and_a_version() {
    let finding = |benchmark| broken_at(LinkName::MetricFilter, Status::Fail, benchmark);
    let mut ended = attestation();
    ended.expires = "2026-11-27".parse().unwrap();
    let (status, codes) = after(finding("7.0.0"), &ended, "7.0.0");
    assert_eq!(
        (status, codes),
        (Status::Fail, vec!["attestation.expired".to_owned()])
    );
    for (benchmark, expected) in [
        ("1.2.0", Status::Fail),
        ("1.5.0", Status::Fail),
        ("2.0.0", Status::Attested),
        ("7.0.0", Status::Attested),
    ] {
        let (status, codes) = after(finding(benchmark), &attestation(), benchmark);
        assert_eq!(status, expected, "{benchmark}");
        assert_eq!(
            codes.is_empty(),
            expected == Status::Attested,
            "{benchmark}"
        );
    }
}

#[test]
fn what_is_attested_is_counted_by_both_yardsticks() {
    use crate::finding::Summary;
    use crate::policy::Assurance;
    let mut finding = broken_at(LinkName::MetricFilter, Status::Fail, "7.0.0");
    finding.assurance.cis = Status::Pass;
    let summary = Summary::of([&finding]);
    assert_eq!(summary.count_by(Assurance::Cis, Status::Pass), 1);
    assert_eq!(summary.count_by(Assurance::Effective, Status::Fail), 1);
    assert_eq!(summary.count_by(Assurance::Both, Status::Fail), 1);
    finding.status = Status::Attested;
    let summary = Summary::of([&finding]);
    assert_eq!(summary.count_by(Assurance::Cis, Status::Pass), 1);
    assert_eq!(summary.count_by(Assurance::Effective, Status::Attested), 1);
    assert_eq!(summary.count_by(Assurance::Both, Status::Fail), 0);
}

#[test]
fn attestations_of_nothing_and_of_everything_are_refused() {
    let refused = |change: fn(&mut Attestation)| {
        let mut one = attestation();
        change(&mut one);
        one.validate(builtin()).unwrap_err()
    };
    assert_eq!(attestation().validate(builtin()), Ok(()));
    assert_eq!(
        refused(|one| one.system = " ".to_owned()),
        InvalidAttestation::Blank("system")
    );
    assert!(matches!(
        refused(|one| one.ou.clear()),
        InvalidAttestation::Everything { .. }
    ));
    assert_eq!(
        refused(|one| one.control = vec!["x".to_owned()]),
        InvalidAttestation::Control("x".to_owned())
    );
}
