//! What to mend, in the order in which it stands in the way.

use std::collections::{BTreeMap, BTreeSet};

use trailproof_core::account::AccountId;
use trailproof_core::evidence::Operation;
use trailproof_scanner::doctor::{Diagnosis, Listing};
use trailproof_scanner::is_worth_mending;

/// What to mend, first what stands in the way of everything else.
pub(super) fn of(diagnosis: &Diagnosis) -> Vec<String> {
    let mut advice = Vec::new();
    if let Listing::Refused(error) = &diagnosis.listing {
        advice.push(error.hint().to_owned());
    }
    if diagnosis.clock_skew.is_some_and(is_worth_mending) {
        advice.push("set this computer's clock, by NTP for instance".to_owned());
    }
    let sampled = &diagnosis.sampled.accounts;
    let refused = refused(diagnosis);
    if !refused.is_empty() {
        let every = refused.values().map(BTreeSet::len).sum::<usize>() == sampled.len();
        advice.push(if every {
            "name the role of the members with --role, such as AWSControlTowerExecution in \
             accounts of AWS Control Tower, or create one: `trailproof iam-policy --who member \
             --format cloudformation`"
                .to_owned()
        } else {
            "name the roles of the other accounts with further --role, which are tried in order, \
             or in [[member-role]] tables"
                .to_owned()
        });
    }
    let missing = missing(diagnosis);
    if !missing.is_empty() {
        let actions: Vec<&str> = missing.keys().map(|operation| operation.as_str()).collect();
        advice.push(format!(
            "allow the role {}: `trailproof iam-policy --who member` prints the policy",
            actions.join(", ")
        ));
    }
    if !denied(diagnosis).is_empty() {
        advice.push(
            "exempt the role from the service control policy that denies these calls".to_owned(),
        );
    }
    advice
}

/// The accounts that could not be entered, by the code AWS gave.
pub(super) fn refused(diagnosis: &Diagnosis) -> BTreeMap<&str, BTreeSet<AccountId>> {
    let mut refused: BTreeMap<&str, BTreeSet<AccountId>> = BTreeMap::new();
    for account in &diagnosis.sampled.accounts {
        if let Err(error) = &account.entered {
            let accounts = refused.entry(error.code.as_str()).or_default();
            accounts.insert(account.account);
        }
    }
    refused
}

/// The calls that roles may not make, and in which accounts.
pub(super) fn missing(diagnosis: &Diagnosis) -> BTreeMap<Operation, BTreeSet<AccountId>> {
    by_call(diagnosis, |account| &account.missing)
}

/// The calls that an explicit deny refuses, and in which accounts.
pub(super) fn denied(diagnosis: &Diagnosis) -> BTreeMap<Operation, BTreeSet<AccountId>> {
    by_call(diagnosis, |account| &account.denied)
}

fn by_call(
    diagnosis: &Diagnosis,
    of: impl Fn(
        &trailproof_scanner::doctor::SampledAccount,
    ) -> &Vec<(Operation, trailproof_core::evidence::CallError)>,
) -> BTreeMap<Operation, BTreeSet<AccountId>> {
    let mut calls: BTreeMap<Operation, BTreeSet<AccountId>> = BTreeMap::new();
    for account in &diagnosis.sampled.accounts {
        for (operation, _) in of(account) {
            calls.entry(*operation).or_default().insert(account.account);
        }
    }
    calls
}
