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
mod covering_trails;
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
///
/// ```
/// use trailproof_core::control;
/// use trailproof_core::evaluate::{evaluate, wanted};
/// use trailproof_core::evidence::Evidence;
/// use trailproof_core::finding::Status;
/// use trailproof_core::policy::Policy;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let ids = ["console-auth-failures".to_owned()];
/// let policy = Policy::new(control::select(control::builtin(), &ids)?);
///
/// // One record for each call, with the member names of the AWS CLI.
/// let record = r#"{"operation":"cloudtrail:DescribeTrails","account":"111111111111","region":"us-east-1","parameters":{"includeShadowTrails":true},"observed_at":"2026-11-22T22:00:00Z","response":{"trailList":[]}}"#;
/// let seen = Evidence::read(record.as_bytes())?.evidence;
/// let findings = evaluate(&seen, &policy);
/// assert_eq!(findings[0].status, Status::Fail);
/// assert_eq!(findings[0].reason.as_deref(), Some("trail.none"));
///
/// // A refused call is no empty list, and what was never asked is wanted.
/// let record = r#"{"operation":"cloudtrail:DescribeTrails","account":"111111111111","region":"us-east-1","parameters":{"includeShadowTrails":true},"observed_at":"2026-11-22T22:00:00Z","error":{"code":"AccessDenied","message":"no","class":"denied"}}"#;
/// let refused = Evidence::read(record.as_bytes())?.evidence;
/// assert_eq!(evaluate(&refused, &policy)[0].status, Status::Unknown);
/// let account = "111111111111".parse()?;
/// assert!(!wanted(&Evidence::default(), &policy, account).is_empty());
/// # Ok(())
/// # }
/// ```
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
