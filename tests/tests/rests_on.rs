//! A finding is the same when it is judged on nothing but the records it rests on, and whatever the
//! order in which records are read.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on has failed, and says why"
)]

use std::collections::BTreeSet;

use trailproof_core::control;
use trailproof_core::evaluate::Evaluator;
use trailproof_core::evidence::{Evidence, Reader, Record, RecordId};
use trailproof_core::finding::Finding;
use trailproof_core::policy::Policy;
use trailproof_simulator::Sweep;
use trailproof_simulator::generator::{Generator, Mix};
use trailproof_tests::scenario;

/// At most so many accounts of each organization: the rest is for the long run.
const ACCOUNTS: usize = 60;

fn all_controls() -> Policy {
    Policy::new(control::builtin().to_vec())
}

fn evidence(records: &[&Record]) -> (Evidence, Vec<RecordId>) {
    let mut evidence = Evidence::default();
    let ids = records
        .iter()
        .map(|record| {
            evidence
                .insert((*record).clone())
                .expect("it was read before")
        })
        .collect();
    (evidence, ids)
}

fn judged(evidence: &Evidence, policy: &Policy) -> Vec<Finding> {
    let mut findings = Vec::new();
    let evaluator = Evaluator::new(policy.clone());
    let mut evaluation = evaluator.on(evidence);
    evaluation.for_each(|finding| findings.push(finding));
    findings
}

/// Judges every finding twice: on everything, and on what it rests on.
fn check(name: &str, records: &[&Record], policy: &Policy) -> usize {
    let (whole, ids) = evidence(records);
    let evaluator = Evaluator::new(policy.clone());
    let mut evaluation = evaluator.reading(Reader::new(&whole).noting_records());
    let accounts: Vec<_> = evaluation.accounts().into_iter().take(ACCOUNTS).collect();
    let mut findings = 0;
    for account in accounts {
        let mut parts: Vec<(BTreeSet<RecordId>, Vec<Finding>)> = Vec::new();
        for (finding, rests_on) in evaluation.findings_with_records(account) {
            let rests_on: BTreeSet<RecordId> = rests_on.into_iter().collect();
            match parts.iter_mut().find(|(known, _)| *known == rests_on) {
                Some((_, findings)) => findings.push(finding),
                None => parts.push((rests_on, vec![finding])),
            }
        }
        for (rests_on, expected) in parts {
            let part = records.iter().zip(&ids);
            let part: Vec<&Record> = part
                .filter(|(_, id)| rests_on.contains(id))
                .map(|(record, _)| *record)
                .collect();
            let (part, _) = evidence(&part);
            let mut alone = policy.clone();
            alone.accounts = Some(BTreeSet::from([account]));
            let ids: BTreeSet<&str> = expected.iter().map(|finding| &*finding.id).collect();
            let mut found = judged(&part, &alone);
            found.retain(|finding| ids.contains(&*finding.id));
            assert_eq!(found, expected, "{name}: account {account}");
            findings += expected.len();
        }
    }
    findings
}

/// The records that are left when some are lost by chance.
fn losses(records: &[Record], seed: u64) -> Vec<&Record> {
    let mut chance = fastrand::Rng::with_seed(seed);
    let keep = records.iter().filter(|_| chance.u8(..10) > 0);
    keep.collect()
}

#[test]
fn every_scenario_rests_on_what_it_says() {
    let mut findings = 0;
    for (name, scenario) in scenario::all() {
        let mut policy = all_controls();
        scenario.policy.change(&mut policy);
        let ids = ["console-auth-failures".to_owned()];
        policy.controls = control::select(control::builtin(), &ids).expect("it is there");
        let scan = scenario.organization.scan(&policy, Sweep::Adaptive);
        let records = scan.expect("every answer can be read").records;
        findings += check(&name, &records.iter().collect::<Vec<_>>(), &policy);
        for seed in 0..2 {
            findings += check(&name, &losses(&records, seed), &policy);
        }
    }
    assert!(findings > 500, "{findings}");
}

#[test]
fn generated_organizations_rest_on_what_they_say() {
    for (mix, policy) in [
        (Mix::Demo, all_controls()),
        (Mix::Realistic, Policy::new(console())),
    ] {
        let organization = Generator {
            accounts: 24,
            regions: 4,
            seed: 5,
            mix,
            denied: None,
        };
        let organization = organization.organization().expect("within the limits");
        let scan = organization.scan(&policy, Sweep::Full);
        let records = scan.expect("every answer can be read").records;
        check("generated", &records.iter().collect::<Vec<_>>(), &policy);
        for seed in 0..2 {
            check("losses", &losses(&records, seed), &policy);
        }
    }
}

fn console() -> Vec<control::Control> {
    let ids = ["console-auth-failures".to_owned()];
    control::select(control::builtin(), &ids).expect("it is there")
}

#[test]
fn the_order_of_records_does_not_matter() {
    let policy = Policy::new(console());
    for (name, scenario) in scenario::all() {
        let scan = scenario.organization.scan(&policy, Sweep::Adaptive);
        let records = scan.expect("every answer can be read").records;
        let mut records: Vec<&Record> = records.iter().collect();
        let (first, _) = evidence(&records);
        let expected = judged(&first, &policy);
        for seed in 0..20 {
            fastrand::Rng::with_seed(seed).shuffle(&mut records);
            let (other, _) = evidence(&records);
            assert_eq!(judged(&other, &policy), expected, "{name}, seed {seed}");
        }
    }
}
