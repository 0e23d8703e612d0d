//! The trails that may carry an account's events, each judged down to its log group.

use std::sync::Arc;

use super::coverage::{Decisions, Required};
use super::links::log_group::Place;
use super::links::selectors::Recorded;
use super::links::trail::Candidate;
use super::links::{delivery, log_group, logging, selectors, trail};
use super::reading::Reading;
use super::routine::Routine;
use super::verdict::Step;
use crate::evidence::{CallSite, Reader, Trail};
use crate::policy::Policy;

/// What a trail's owner tells of it: the same for every account behind it, and for every control.
#[derive(Debug)]
pub(super) struct TrailVerdict {
    pub(super) owners_copy: Reading<Trail>,
    /// The trail as its owner has it or, where that is not known, as it was seen.
    pub(super) trail: Arc<Trail>,
    logging: Arc<Step>,
    log_group: Arc<Step>,
    delivery: Arc<Step>,
    pub(super) place: Option<Arc<Place>>,
    /// The events that it makes by itself.
    pub(super) routine: Routine,
}

impl TrailVerdict {
    /// Logging, selectors, log group and delivery.
    pub(super) fn steps(&self, selectors: Arc<Step>) -> [Arc<Step>; 4] {
        let [logging, log_group, delivery] =
            [&self.logging, &self.log_group, &self.delivery].map(Arc::clone);
        [logging, selectors, log_group, delivery]
    }

    /// Whether the trail records in every account of an organization, as its owner says.
    pub(super) fn is_of_organization(&self) -> bool {
        match &self.owners_copy {
            Reading::Read { value, .. } => value.is_organization_trail == Some(true),
            Reading::Unread(_) => false,
        }
    }

    /// Where its log group is, as far as that is known.
    pub(super) fn site(&self) -> Option<&CallSite> {
        self.place.as_ref().map(|place| &place.site)
    }
}

/// Judges what depends neither on the account that sees the trail nor on the control.
pub(super) fn judge_trail(
    evidence: &Reader<'_>,
    policy: &Policy,
    seen: &Arc<Trail>,
) -> TrailVerdict {
    let owners_copy = trail::owners_copy(evidence, seen);
    let trail = match &owners_copy {
        Reading::Read { value, .. } => value,
        Reading::Unread(_) => seen,
    };
    let status = logging::status(evidence, trail);
    let logging = logging::judge(trail, status.as_ref());
    let routine = Routine::of(evidence, trail);
    let (log_group, place) = log_group::judge(evidence, seen, &owners_copy);
    let delivery = delivery::judge(trail, status.as_ref(), policy.max_delivery_age);
    TrailVerdict {
        trail: Arc::clone(trail),
        owners_copy,
        logging: Arc::new(logging),
        log_group: Arc::new(log_group),
        delivery: Arc::new(delivery),
        place: place.map(Arc::new),
        routine,
    }
}

/// Which of a control's events a trail admits.
#[derive(Debug)]
pub(super) struct Admitted {
    pub(super) step: Arc<Step>,
    pub(super) recorded: Recorded,
}

/// Judges which of a control's events the trail admits.
pub(super) fn admits(
    evidence: &Reader<'_>,
    verdict: &TrailVerdict,
    required: Required<'_>,
    decisions: &mut Decisions,
) -> Admitted {
    let (step, recorded) = selectors::judge(evidence, &verdict.trail, required, decisions);
    Admitted {
        step: Arc::new(step),
        recorded,
    }
}

/// The owner's copy of a trail, for the step that depends on the account that sees it.
pub(super) fn candidate(seen: &Arc<Trail>, verdict: &TrailVerdict) -> Candidate {
    let owners_copy = match &verdict.owners_copy {
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
        owners_copy,
    }
}
