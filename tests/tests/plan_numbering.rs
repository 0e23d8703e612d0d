//! A plan makes the same changes whatever the numbers of the accounts: it rests on what was seen,
//! and not on who comes first.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that cannot go on has failed, and says why"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use serde_json::Value;
use trailproof_core::control;
use trailproof_core::evidence::Record;
use trailproof_core::policy::Policy;
use trailproof_simulator::Sweep;
use trailproof_simulator::generator::{Generator, Mix};
use trailproof_tests::binary::Trailproof;
use trailproof_tests::scenario;

const CONTROLS: &str = "console-auth-failures,root-usage";

/// Writes every account number of a text differently.
fn renumbered(text: &str, numbers: &BTreeMap<String, String>) -> String {
    let mut rest = text;
    let mut written = String::with_capacity(text.len());
    while let Some(start) = rest.find(|c: char| c.is_ascii_digit()) {
        let (before, digits) = rest.split_at(start);
        let end = digits.find(|c: char| !c.is_ascii_digit());
        let (number, after) = digits.split_at(end.unwrap_or(digits.len()));
        written.push_str(before);
        written.push_str(numbers.get(number).map_or(number, String::as_str));
        rest = after;
    }
    written + rest
}

/// What a plan does, in an order that does not depend on numbers. Digests are left out: they are of
/// texts with numbers in them.
fn changes(plan: &Value) -> BTreeSet<String> {
    fn sorted(value: &Value) -> Value {
        match value {
            Value::Array(elements) => {
                let mut elements: Vec<Value> = elements.iter().map(sorted).collect();
                elements.sort_by_key(Value::to_string);
                Value::Array(elements)
            }
            Value::Object(members) => members
                .iter()
                .filter(|(name, _)| !name.contains("digest"))
                .map(|(name, member)| (name.clone(), sorted(member)))
                .collect(),
            other => other.clone(),
        }
    }
    ["sites", "unrepairable"]
        .iter()
        .flat_map(|list| plan[*list].as_array().expect("a plan has its lists"))
        .map(|entry| sorted(entry).to_string())
        .collect()
}

/// Plans for records, with their numbers written differently; the plan has the first ones again.
fn planned(
    trailproof: &Trailproof,
    evidence: &str,
    numbers: &BTreeMap<String, String>,
) -> BTreeSet<String> {
    let file = trailproof.home().join("records.ndjson");
    fs::write(&file, renumbered(evidence, numbers)).expect("the folder is ours");
    let evaluate = ["evaluate", "--evidence", "records.ndjson", "--out", "run"];
    let controls = ["--control", CONTROLS, "--overwrite", "--quiet"];
    // On the day of the evidence, whatever day it is.
    let day = ["--now", "2026-11-22T22:00:00Z"];
    let judged = trailproof.run(evaluate.into_iter().chain(controls).chain(day));
    assert!(judged.stderr.is_empty(), "{judged:?}");
    let file = trailproof.home().join("plan.json");
    let _ = fs::remove_file(&file);
    let plan = ["fix", "plan", "run", "--out", "plan.json", "--overwrite"];
    let people = ["--subscribe", "email:security@example.com"];
    let made = trailproof.run(plan.into_iter().chain(people));
    let text = fs::read_to_string(&file);
    let text = text.unwrap_or_else(|error| panic!("{error}: {made:?}"));
    let back = numbers.iter().map(|(old, new)| (new.clone(), old.clone()));
    let text = renumbered(&text, &back.collect());
    let plan: Value = serde_json::from_str(&text).expect("a plan is JSON");
    // The id is one more digest, and stands in tags and descriptions.
    let id = plan["id"].as_str().expect("a plan has an id");
    let text = text.replace(id, "plan");
    changes(&serde_json::from_str(&text).expect("a plan is JSON"))
}

fn check(name: &str, records: &[Record], shuffles: u64) -> usize {
    let lines = records.iter().map(|record| {
        let line = serde_json::to_string(record).expect("a record is JSON");
        line + "\n"
    });
    let evidence: String = lines.collect();
    let accounts: BTreeSet<String> = records
        .iter()
        .map(|record| record.account.to_string())
        .collect();
    let accounts: Vec<String> = accounts.into_iter().collect();
    let numbered = |others: Vec<String>| accounts.iter().cloned().zip(others).collect();
    let trailproof = Trailproof::offline();
    let expected = planned(&trailproof, &evidence, &numbered(accounts.clone()));

    let backwards: Vec<String> = accounts.iter().rev().cloned().collect();
    let orders = (0..shuffles).map(|seed| {
        let mut others = accounts.clone();
        fastrand::Rng::with_seed(seed).shuffle(&mut others);
        others
    });
    for others in std::iter::once(backwards).chain(orders) {
        let found = planned(&trailproof, &evidence, &numbered(others));
        let lost = expected.difference(&found).next();
        let new = found.difference(&expected).next();
        assert!(found == expected, "{name}\nlost: {lost:#?}\nnew: {new:#?}");
    }
    expected.len()
}

#[test]
fn generated_organizations_are_repaired_alike_under_every_numbering() {
    for (seed, mix) in [(5, Mix::Demo), (6, Mix::Realistic)] {
        let organization = Generator {
            accounts: 40,
            regions: 3,
            seed,
            mix,
            denied: None,
        };
        let organization = organization.organization().expect("within the limits");
        let scan = organization.scan(&policy(), Sweep::Adaptive);
        let records = scan.expect("every answer can be read").records;
        assert!(check("generated", &records, 2) > 10);
    }
}

#[test]
fn scenarios_are_repaired_alike_under_every_numbering() {
    let mut entries = 0;
    for (name, scenario) in scenario::all() {
        let scan = scenario.organization.scan(&policy(), Sweep::Adaptive);
        let records = scan.expect("every answer can be read").records;
        entries += check(&name, &records, 0);
    }
    assert!(entries > 100, "{entries}");
}

fn policy() -> Policy {
    let ids: Vec<String> = CONTROLS.split(',').map(str::to_owned).collect();
    Policy::new(control::select(control::builtin(), &ids).expect("they are there"))
}
