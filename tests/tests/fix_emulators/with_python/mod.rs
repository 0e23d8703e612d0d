//! Everything here needs boto3, which needs Python.

mod central;
mod confirmation;
mod convergence;
mod drift;
mod neighbours;
mod refusals;

use std::fmt::Write as _;

use serde_json::Value;
use trailproof_tests::ground::{Case, Ground, Kind, MANAGEMENT};
use trailproof_tests::provision::Emulator;
use trailproof_tests::repair::{LOG_GROUP, PHONE};

const MINISTACK: Kind = Kind::Emulator(Emulator::Ministack);
const AUTHORIZING: Kind = Kind::Emulator(Emulator::MinistackWithAuthorization);
const MOTO: Kind = Kind::Emulator(Emulator::Moto);

/// What one organization after the other is made for: emulators are slow to start.
const ENDS_WELL: &[&[Scenario]] = &[
    convergence::SCENARIOS,
    confirmation::SCENARIOS,
    central::SCENARIOS,
];
const KEEPS: &[&[Scenario]] = &[neighbours::SCENARIOS, drift::SCENARIOS];

#[test]
fn ministack_repairs_end_well() {
    run(MINISTACK, ENDS_WELL);
}

#[test]
fn moto_repairs_end_well() {
    run(MOTO, ENDS_WELL);
}

#[test]
fn simulated_repairs_end_well() {
    run(Kind::Simulator, ENDS_WELL);
}

#[test]
fn ministack_keeps_what_others_have() {
    run(MINISTACK, KEEPS);
}

#[test]
fn moto_keeps_what_others_have() {
    run(MOTO, KEEPS);
}

#[test]
fn the_simulator_keeps_what_others_have() {
    run(Kind::Simulator, KEEPS);
}

#[test]
fn ministack_refuses_in_one_account() {
    run(AUTHORIZING, &[refusals::SCENARIOS]);
}

#[test]
fn the_simulator_refuses_in_one_account() {
    run(Kind::Simulator, &[refusals::SCENARIOS]);
}

/// The name of the filter and the alarm.
const NAME: &str = "trailproof-console-auth-failures";

/// A broken account that no plan is for.
const BYSTANDER: &str = "999999999999";

/// What a whole repair adds, as [`Case::added`] writes it.
fn whole_repair() -> Vec<String> {
    repair(NAME, NAME, "trailproof-alarms")
}

fn repair(filter: &str, alarm: &str, topic: &str) -> Vec<String> {
    vec![
        format!("alarm {alarm}"),
        format!("metric-filter {LOG_GROUP}/{filter}"),
        format!("subscription {topic}/{PHONE}"),
        format!("topic {topic}"),
    ]
}

/// One thing that may go wrong, in accounts of its own.
struct Scenario {
    name: &'static str,
    /// The accounts it wants: what differs in each one's chain.
    accounts: &'static [&'static str],
    /// Where it cannot be held, and why.
    impossible: &'static [(Kind, &'static str)],
    run: fn(&Case<'_>),
}

/// A trail and a log group, and nothing behind them.
const BARE: &str = "chain = { filter = false, alarm = false, topic = false }";

/// Runs all that can be held in one organization, one after the other.
fn run(kind: Kind, scenarios: &[&[Scenario]]) {
    let mut text = format!(
        "title = \"a repair in every account\"\n[[accounts]]\nid = \"{MANAGEMENT}\"\nchain = true\n\
         [[accounts]]\nid = \"{BYSTANDER}\"\n{BARE}\n"
    );
    let mut number = 0;
    let mut held = Vec::new();
    let mut skipped = Vec::new();
    for scenario in scenarios.iter().copied().flatten() {
        let reason = scenario.impossible.iter().find(|(place, _)| *place == kind);
        if let Some((_, reason)) = reason {
            skipped.push(format!("{}: {reason}", scenario.name));
            continue;
        }
        let mut accounts = Vec::new();
        for chain in scenario.accounts {
            number += 1;
            let id = format!("2{number:011}");
            let _ = write!(text, "[[accounts]]\nid = \"{id}\"\n{chain}\n");
            accounts.push(id);
        }
        held.push((scenario, accounts));
    }
    println!(
        "{kind:?}: {} scenarios, {} that it cannot hold",
        held.len(),
        skipped.len()
    );
    for reason in skipped {
        println!("left out: {reason}");
    }
    assert!(!held.is_empty(), "{kind:?} can hold none of these");
    let ground = Ground::of(kind, &text);
    let others = ground.case(&[MANAGEMENT, BYSTANDER]);
    let before = others.resources();
    for (scenario, accounts) in &held {
        println!("{}", scenario.name);
        let accounts: Vec<_> = accounts.iter().map(String::as_str).collect();
        (scenario.run)(&ground.case(&accounts));
    }
    assert_eq!(others.resources(), before, "others were not asked");
}

/// The step of a plan that makes one kind of thing in its first site.
fn step<'a>(plan: &'a Value, operation: &str) -> &'a Value {
    plan["sites"][0]["steps"]
        .as_array()
        .expect("a site has steps")
        .iter()
        .find(|step| step["operation"] == operation)
        .expect("the step is planned")
}
