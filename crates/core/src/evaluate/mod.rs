//! The judgement: evidence against policy, in three-valued logic.

pub mod alarm_rule;
pub mod firing;
pub mod topic_policy;

use jiff::Timestamp;

use crate::account::AccountId;
use crate::evidence::{Evidence, Request};
use crate::finding::Finding;
use crate::policy::Policy;

/// Judges every account by every control of the policy. Findings are ordered by account, then by
/// the policy's order of controls.
pub fn evaluate(_evidence: &Evidence, _policy: &Policy, _now: Timestamp) -> Vec<Finding> {
    Vec::new()
}

/// The calls that were never made and on which the verdict of an account still rests, in an order
/// in which they may all be made at once. Empty when no further call could change the verdict.
pub fn wanted(_evidence: &Evidence, _policy: &Policy, _account: AccountId) -> Vec<Request> {
    Vec::new()
}
