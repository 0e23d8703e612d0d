//! Which findings a mute hides, and which it must not.

use serde_json::json;

use super::*;
use crate::control::builtin;
use crate::finding::{AccountSummary, AssuranceResult, Observation};

#[derive(Deserialize)]
struct File {
    mute: Vec<Mute>,
}

fn mutes(text: &str) -> Vec<Mute> {
    toml::from_str::<File>(text).unwrap().mute
}

/// Applies them to all findings there are.
fn apply(findings: &mut [Finding], mutes: &[Mute], evidence: &Evidence, now: Timestamp) -> Applied {
    let accounts = findings.iter().map(|finding| &*finding.account);
    let mut applying = Applying::new(mutes, accounts, evidence, now);
    applying.apply(findings);
    applying.end()
}

fn now() -> Timestamp {
    "2026-11-22T22:00:00Z".parse().unwrap()
}

/// What the management account was told about the tags of an account.
fn evidence(outcome: &serde_json::Value) -> Evidence {
    let mut record = json!({
        "operation": "organizations:ListTagsForResource",
        "account": "999999999999", "region": "us-east-1",
        "parameters": { "ResourceId": "222222222222" },
        "observed_at": "2026-11-22T22:00:00Z",
    });
    let members = record.as_object_mut().unwrap();
    members.extend(outcome.as_object().unwrap().clone());
    let mut evidence = Evidence::default();
    evidence
        .insert(serde_json::from_value(record).unwrap())
        .unwrap();
    evidence
}

fn finding(account: &str, control: &str, status: Status, reason: &str) -> Finding {
    let control = builtin().iter().find(|known| known.id == control).unwrap();
    Finding {
        id: format!("{account}/{}", control.id),
        account: Arc::new(AccountSummary {
            id: account.parse().unwrap(),
            name: None,
            ou_path: Some("o-a/r-b/ou-parent/ou-child".to_owned()),
            ou_names: Vec::new(),
        }),
        control: Arc::new(control.summary("6.0.0")),
        status,
        assurance: AssuranceResult {
            cis: status,
            effective: status,
        },
        broken_link: None,
        reason: (!reason.is_empty()).then(|| reason.into()),
        message: Arc::default(),
        chain: Vec::new(),
        observations: Vec::new(),
        witness: None,
        remediation: None,
        observed_at: None,
        attested: None,
        muted: None,
    }
}

fn sample() -> Vec<Finding> {
    vec![
        finding(
            "111111111111",
            "root-usage",
            Status::Fail,
            "subscription.pending",
        ),
        finding(
            "111111111111",
            "vpc-changes",
            Status::Unknown,
            "account.denied",
        ),
        finding("222222222222", "root-usage", Status::Fail, "alarm.missing"),
        finding("222222222222", "vpc-changes", Status::Pass, ""),
        finding("333333333333", "root-usage", Status::NotApplicable, ""),
    ]
}

/// The ids of the findings that a mute with these selectors hides.
fn hidden_by(selectors: &str) -> Vec<String> {
    let text =
        format!("[[mute]]\n{selectors}\njustification = 'j'\nowner = 'o'\nexpires = 2027-01-01\n");
    let mut findings = sample();
    apply(&mut findings, &mutes(&text), &Evidence::default(), now());
    findings
        .into_iter()
        .filter(|finding| finding.status == Status::Muted)
        .map(|finding| finding.id)
        .collect()
}

#[test]
fn every_part_has_to_match() {
    for (selectors, expected) in [
        ("account = '111111111111'", vec!["111111111111/root-usage"]),
        (
            "account = '111111111111'\nunknown = true",
            vec!["111111111111/root-usage", "111111111111/vpc-changes"],
        ),
        (
            "control = 'root-usage'",
            vec!["111111111111/root-usage", "222222222222/root-usage"],
        ),
        (
            "reason = 'subscription.pending'",
            vec!["111111111111/root-usage"],
        ),
        ("reason = 'subscription'", vec!["111111111111/root-usage"]),
        ("reason = 'subscription.pend'", vec![]),
        (
            "reason = ['alarm', 'subscription']\naccount = ['222222222222']",
            vec!["222222222222/root-usage"],
        ),
        (
            "ou = 'ou-parent'\ncontrol = 'root-usage'\naccount = '222222222222'",
            vec!["222222222222/root-usage"],
        ),
        ("ou = 'ou-pare'", vec![]),
        ("ou = 'o-a/r-b/ou-par'", vec![]),
        (
            "ou = '/o-a/r-b/'\naccount = '111111111111'",
            vec!["111111111111/root-usage"],
        ),
        ("tag = 'stage=sandbox'", vec![]),
    ] {
        assert_eq!(hidden_by(selectors), expected, "{selectors}");
    }
}

#[test]
fn tags_match_where_they_are_known() {
    let mutes = mutes(
        "[[mute]]\ntag = ['stage=sandbox', 'team=a=b']\njustification = 'j'\nowner = 'o'\nexpires = '2027-01-01'",
    );
    let tags = |pairs: &[(&str, &str)]| {
        let pairs: Vec<_> = pairs
            .iter()
            .map(|(key, value)| json!({ "Key": key, "Value": value }))
            .collect();
        evidence(&json!({ "response": { "Tags": pairs } }))
    };
    let mut findings = sample();
    let applied = apply(
        &mut findings,
        &mutes,
        &tags(&[("stage", "sandbox"), ("team", "a=b")]),
        now(),
    );
    assert_eq!(findings[2].status, Status::Muted);
    assert_eq!(applied.muted, BTreeMap::from([(0, 1)]));
    let mut findings = sample();
    let applied = apply(&mut findings, &mutes, &tags(&[("stage", "sandbox")]), now());
    assert_eq!(findings[2].status, Status::Fail);
    assert_eq!(applied.unused, BTreeSet::new());
    let other = BTreeSet::from(["111111111111".parse().unwrap()]);
    assert_eq!(applied.without_tags, BTreeMap::from([(0, other)]));
}

#[test]
fn tags_that_nobody_could_read_hide_nothing() {
    let mutes = mutes(
        "[[mute]]\naccount = '222222222222'\ntag = 'stage=sandbox'\njustification = 'j'\nowner = 'o'\nexpires = '2027-01-01'",
    );
    let denied = json!({ "error": { "code": "AccessDeniedException", "class": "denied" } });
    for evidence in [Evidence::default(), evidence(&denied)] {
        let mut findings = sample();
        let applied = apply(&mut findings, &mutes, &evidence, now());
        assert_eq!(findings[2].status, Status::Fail);
        let account = BTreeSet::from(["222222222222".parse().unwrap()]);
        assert_eq!(applied.without_tags, BTreeMap::from([(0, account)]));
        assert_eq!(applied.unused, BTreeSet::new());
    }
}

#[test]
fn tags_are_needed_only_where_they_decide() {
    let mutes = mutes(
        "[[mute]]\naccount = '222222222222'\ntag = 'stage=sandbox'\njustification = 'j'\nowner = 'o'\nexpires = '2027-01-01'
         [[mute]]\naccount = '111111111111'\njustification = 'j'\nowner = 'o'\nexpires = '2027-01-01'",
    );
    let needed: Vec<String> = sample()
        .iter()
        .filter(|finding| needs_tags(&mutes, finding))
        .map(|finding| finding.id.clone())
        .collect();
    assert_eq!(needed, ["222222222222/root-usage"]);
}

#[test]
fn an_ended_mute_hides_nothing_and_says_so() {
    let mutes = mutes(
        "[[mute]]\ncontrol = 'root-usage'\njustification = 'migration'\nowner = 'ops'\nexpires = 2026-11-21",
    );
    let mut findings = sample();
    let applied = apply(&mut findings, &mutes, &Evidence::default(), now());
    assert_eq!(applied.expired, BTreeMap::from([(0, 2)]));
    assert!(applied.muted.is_empty() && applied.unused.is_empty());
    assert_eq!(findings[0].status, Status::Fail);
    assert_eq!(
        findings[0].observations,
        [Arc::new(Observation {
            code: "mute.expired".to_owned(),
            message: "ops accepted this until 2026-11-21: migration".to_owned(),
        })]
    );
}

#[test]
fn a_day_counts_to_its_end() {
    for (expires, holds) in [
        ("2026-11-22", true),
        ("'2026-11-22'", true),
        ("2026-11-21", false),
        ("2026-11-22T22:00:01Z", true),
        ("'2026-11-22T22:00:00Z'", false),
        ("2026-11-22T23:30:00+01:00", true),
    ] {
        let text = format!(
            "[[mute]]\ncontrol = 'root-usage'\njustification = 'j'\nowner = 'o'\nexpires = {expires}"
        );
        let mutes = mutes(&text);
        let mut findings = sample();
        apply(&mut findings, &mutes, &Evidence::default(), now());
        assert_eq!(findings[0].status == Status::Muted, holds, "{expires}");
        let recorded = serde_json::to_string(&mutes).unwrap();
        assert_eq!(
            serde_json::from_str::<Vec<Mute>>(&recorded).unwrap(),
            mutes,
            "{expires}"
        );
    }
}

#[test]
fn overlapping_mutes_give_the_same_result_in_any_order() {
    let mutes = mutes(
        "[[mute]]\ncontrol = 'root-usage'\njustification = 'short'\nowner = 'a'\nexpires = 2026-12-01
         [[mute]]\naccount = '111111111111'\njustification = 'long'\nowner = 'z'\nexpires = 2027-12-01
         [[mute]]\nreason = 'subscription'\njustification = 'long'\nowner = 'b'\nexpires = 2027-12-01
         [[mute]]\nou = 'ou-child'\njustification = 'over'\nowner = 'c'\nexpires = 2025-12-01",
    );
    let mut forward = sample();
    apply(&mut forward, &mutes, &Evidence::default(), now());
    let mut backward = sample();
    let reversed: Vec<Mute> = mutes.iter().rev().cloned().collect();
    apply(&mut backward, &reversed, &Evidence::default(), now());
    assert_eq!(forward, backward);
    let shown = forward[0].muted.as_ref().unwrap();
    assert_eq!((shown.owner.as_str(), shown.status), ("b", Status::Fail));
    assert!(
        forward[0].observations.is_empty(),
        "an ended mute does not shout where another holds"
    );
}

#[test]
fn the_verdict_itself_stays() {
    let mutes = mutes(
        "[[mute]]\ncontrol = 'root-usage'\njustification = 'j'\nowner = 'o'\nexpires = 2027-01-01",
    );
    let mut findings = sample();
    apply(&mut findings, &mutes, &Evidence::default(), now());
    assert_eq!(findings[0].assurance.cis, Status::Fail);
    assert_eq!(findings[0].reason.as_deref(), Some("subscription.pending"));
}

#[test]
fn mutes_that_hide_too_much_or_say_too_little_are_refused() {
    for (text, expected) in [
        ("", "would hide everything"),
        (
            "control = 'no-such'",
            "names the control `no-such`, which does not exist",
        ),
        (
            "reason = 'typo.pending'",
            "`typo.pending` is not the reason of a finding",
        ),
        ("tag = 'sandbox'", "`sandbox` is not a tag"),
    ] {
        let text =
            format!("[[mute]]\n{text}\njustification = 'j'\nowner = 'o'\nexpires = 2027-01-01");
        let error = mutes(&text)[0].validate(builtin()).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
    for (text, expected) in [
        (
            "owner = 'o'\nexpires = 2027-01-01",
            "missing field `justification`",
        ),
        (
            "owner = 'o'\njustification = 'j'",
            "missing field `expires`",
        ),
        (
            "owner = 'o'\njustification = 'j'\nexpires = 'soon'",
            "`soon` is not the end of a mute",
        ),
        (
            "owner = 'o'\njustification = 'j'\nexpires = 2027-01-01T10:00:00",
            "is not the end of a mute",
        ),
        (
            "account = '12'\nowner = 'o'\njustification = 'j'\nexpires = 2027-01-01",
            "`12` is not an account id",
        ),
        (
            "colour = 1\nowner = 'o'\njustification = 'j'\nexpires = 2027-01-01",
            "unknown field `colour`",
        ),
    ] {
        let error = toml::from_str::<File>(&format!("[[mute]]\n{text}"))
            .err()
            .unwrap();
        assert!(error.to_string().contains(expected), "{error}");
    }
    let blank = &mutes(
        "[[mute]]\ncontrol = 'root-usage'\njustification = ' '\nowner = 'o'\nexpires = 2027-01-01",
    )[0];
    assert_eq!(
        blank.validate(builtin()),
        Err(InvalidMute::Blank("justification"))
    );
}

#[test]
fn a_unit_by_name_is_the_one_that_has_it() {
    let in_unit = |account: &str, unit: &str, name: &str| {
        let mut finding = finding(account, "root-usage", Status::Fail, "subscription.pending");
        let account = Arc::make_mut(&mut finding.account);
        account.ou_path = Some(format!("o-a/r-ab12/{unit}"));
        account.ou_names = name.split('/').map(str::to_owned).collect();
        finding
    };
    let findings = || {
        vec![
            in_unit("111111111111", "ou-ab12-11111111", "Prod"),
            in_unit(
                "222222222222",
                "ou-ab12-22222222/ou-ab12-33333333",
                "Old/Prod",
            ),
            in_unit("333333333333", "ou-ab12-22222222", "Old"),
        ]
    };
    for (unit, muted, unclear) in [
        ("Old", &["222222222222", "333333333333"][..], 0),
        ("Old/Prod", &["222222222222"], 0),
        ("Root/Prod", &["111111111111"], 0),
        ("Prod", &[], 1),
        ("prod", &[], 0),
    ] {
        let text = format!(
            "[[mute]]\nou = '{unit}'\nowner = 'o'\njustification = 'j'\nexpires = 2027-01-01"
        );
        let mut findings = findings();
        let applied = apply(&mut findings, &mutes(&text), &Evidence::default(), now());
        let found: Vec<String> = findings
            .iter()
            .filter(|finding| finding.status == Status::Muted)
            .map(|finding| finding.account.id.to_string())
            .collect();
        assert_eq!(found, muted, "{unit}");
        assert_eq!(
            applied.ambiguous.get(&0).map_or(0, Vec::len),
            unclear,
            "{unit}"
        );
    }
}

#[test]
fn tags_are_asked_for_whatever_units_are_called() {
    let found = finding(
        "222222222222",
        "root-usage",
        Status::Fail,
        "subscription.pending",
    );
    for (unit, needed) in [
        ("Prod", true),
        ("ou-child", true),
        ("ou-ab12-99999999", false),
    ] {
        let text = format!(
            "[[mute]]\nou = '{unit}'\ntag = 'a=b'\nowner = 'o'\njustification = 'j'\nexpires = 2027-01-01"
        );
        assert_eq!(needs_tags(&mutes(&text), &found), needed, "{unit}");
    }
}
