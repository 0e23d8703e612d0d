//! The trails that may carry an account's events, each judged down to its log group.

use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

use super::coverage::{Decisions, Required};
use super::links::log_group::Place;
use super::links::trail::Candidate;
use super::links::{delivery, log_group, logging, selectors, trail};
use super::reading::Reading;
use super::verdict::Step;
use crate::evidence::{Evidence, Trail};
use crate::policy::Policy;

/// What a trail's owner tells of it: the same for every account behind it.
pub(super) struct Kept {
    pub(super) copy: Reading<Trail>,
    /// Logging, selectors, log group and delivery.
    pub(super) steps: Vec<Arc<Step>>,
    pub(super) place: Option<Arc<Place>>,
}

/// The trails judged so far, by ARN and control.
pub(super) type Known = HashMap<(Arc<str>, usize), Rc<Kept>>;

/// Judges what does not depend on the account that sees the trail.
pub(super) fn keep(
    evidence: &Evidence,
    policy: &Policy,
    seen: &Arc<Trail>,
    required: Required<'_>,
    decisions: &mut Decisions,
) -> Kept {
    let copy = trail::kept(evidence, seen);
    let told = match &copy {
        Reading::Read { value, .. } => value,
        Reading::Unread(_) => seen,
    };
    let status = logging::status(evidence, told);
    let logging = logging::judge(told, status.as_ref());
    let selectors = selectors::judge(evidence, told, required, decisions);
    let (log_group, place) = log_group::judge(evidence, seen, &copy);
    let delivery = delivery::judge(told, status.as_ref(), policy.max_delivery_age);
    Kept {
        copy,
        steps: [logging, selectors, log_group, delivery]
            .into_iter()
            .map(Arc::new)
            .collect(),
        place: place.map(Arc::new),
    }
}

/// The reading of a trail, for the step that depends on the account that sees it.
pub(super) fn candidate(seen: &Arc<Trail>, kept: &Kept) -> Candidate {
    let kept = match &kept.copy {
        Reading::Read {
            value,
            by,
            observed_at,
        } => Reading::Read {
            value: Arc::clone(value),
            by: by.clone(),
            observed_at: *observed_at,
        },
        Reading::Unread(unread) => Reading::Unread(unread.clone()),
    };
    Candidate {
        seen: Arc::clone(seen),
        kept,
    }
}
