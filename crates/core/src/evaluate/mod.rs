//! The judgement: evidence against policy, in three-valued logic.
//!
//! Everything here is a pure function of evidence and policy. What could not be seen is
//! carried along as such, with the call that would show it: [`wanted`] is the same search as
//! [`evaluate`], and names those calls.

mod alarm_message;
pub mod alarm_rule;
mod applicability;
mod cache;
mod candidate_chain;
mod coverage;
mod evaluator;
mod event_pattern;
mod filter_expression;
pub mod filter_policy;
mod finding;
pub mod firing;
mod gathered;
pub mod inquiry;
pub mod links;
mod log_group_verdict;
mod monitoring_accounts;
mod origin;
mod other_shapes;
pub mod policy;
mod reading;
mod recipients;
mod remediation;
pub mod replay;
mod route;
mod route_choice;
mod routine;
mod simultaneous;
mod together;
mod trail_verdict;
mod undecided;
mod verdict;
mod writers;

use crate::account::AccountId;
use crate::attestation;
use crate::control;
use crate::evidence::{Evidence, Request};
use crate::finding::Finding;
use crate::mute;
use crate::observation::ObservationKind;
use crate::policy::Policy;

pub use alarm_message::AlarmMessage;
pub use evaluator::{Evaluation, Evaluator};
pub use recipients::Recipient;
pub use verdict::Reason;

/// Judges every account by every control of the policy. Findings are ordered by account, then by
/// the policy's order of controls. When they are judged does not matter: the age of a delivery is
/// its age when it was observed.
pub fn evaluate(evidence: &Evidence, policy: &Policy) -> Vec<Finding> {
    let mut findings = Vec::new();
    Evaluator::new(policy.clone())
        .on(evidence)
        .for_each(|finding| findings.push(finding));
    findings
}

/// The calls that were never made and on which the verdict of an account still rests, in an order
/// in which they may all be made at once. Empty when no further call could change the verdict.
pub fn wanted(evidence: &Evidence, policy: &Policy, account: AccountId) -> Vec<Request> {
    Evaluator::new(policy.clone()).on(evidence).wanted(account)
}

/// Every reason code that a finding can have, in the order of the chain.
pub fn reasons() -> impl Iterator<Item = &'static Reason> {
    links::LINKS.iter().flat_map(|link| link.reasons).copied()
}

/// Every observation that a finding can have: those of the links in the order of the chain, then
/// those of the policy.
pub fn observations() -> impl Iterator<Item = &'static ObservationKind> {
    links::LINKS
        .iter()
        .flat_map(|link| link.observations)
        .chain(POLICY_OBSERVATIONS.iter().copied().flatten())
        .copied()
}

/// Observations that no link makes.
pub const POLICY_OBSERVATIONS: &[&[&ObservationKind]] = &[
    control::OBSERVATIONS,
    attestation::OBSERVATIONS,
    mute::OBSERVATIONS,
];

#[cfg(test)]
mod absence;
#[cfg(test)]
mod asking;
#[cfg(test)]
mod fixture;
#[cfg(test)]
mod monotonicity;
#[cfg(test)]
mod tests;
