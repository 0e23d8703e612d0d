//! Filters that match events which CloudTrail itself makes again and again.

use std::sync::Arc;

use crate::evaluate::coverage::{Decisions, Required};
use crate::evaluate::links::log_group::Place;
use crate::evaluate::routine::{Routine, RoutineEvent};
use crate::evaluate::verdict::{Cause, Reason, Step};
use crate::evidence::MetricFilter;
use crate::finding::Status;
use crate::observation::ObservationKind;

pub(super) static ROUTINE: Reason = Reason {
    code: "metric-filter.matches-routine-events",
    status: Status::Fail,
    meaning: "The filter matches events that CloudTrail itself makes again and again, so its alarm never leaves ALARM and tells nobody of the next event.",
    remedy: "Create a metric filter with the control's pattern and an alarm of its own.",
};
pub(super) static NOISY: Reason = Reason {
    code: "metric-filter.noisy",
    status: Status::Unknown,
    meaning: "The filter matches events that CloudTrail itself makes, so that its alarm is ever quiet cannot be proved.",
    remedy: "Create a metric filter with the control's pattern and an alarm of its own.",
};
pub(super) static MAY_BE_NOISY: ObservationKind = ObservationKind {
    code: "metric-filter.may-match-routine-events",
    meaning: "The metric filters match events that CloudTrail itself makes where the trail records the account that owns its bucket, and who owns it is not known: its alarm may never be quiet.",
};

/// The cause of an alarm that a filter keeps from being quiet: it matches a routine event, which is
/// often enough for the alarm, or nobody knows how often.
pub(in crate::evaluate) fn noisy(
    own: &MetricFilter,
    noisy: &MetricFilter,
    routine: &RoutineEvent,
    often_enough: bool,
    alarm: &str,
) -> Cause {
    let RoutineEvent {
        name, what, event, ..
    } = routine;
    let also = if own.filter_name == noisy.filter_name {
        String::new()
    } else {
        format!(", whose metric alarm `{alarm}` reads, too,")
    };
    let matched = format!(
        "metric filter `{}`{also} matches {name}, an event that the trail makes by itself: {what}",
        noisy.filter_name
    );
    let mut cause = if often_enough {
        Cause::new(
            &ROUTINE,
            format!("{matched}, often enough that alarm `{alarm}` never leaves ALARM"),
        )
    } else {
        Cause::new(
            &NOISY,
            format!("{matched}; whether alarm `{alarm}` is ever quiet is not known"),
        )
    };
    cause.witness = Some(Arc::new(event.clone()));
    cause
}

/// What is worth knowing of filters that match a routine event, where nobody can see whether the
/// trail records it.
pub(super) fn observe(
    step: Step,
    place: &Place,
    texts: &[&str],
    routine: Routine,
    required: Required<'_>,
    decisions: &mut Decisions,
) -> Step {
    if let Ok(asked) = decisions.pattern(required.pattern)
        && let Some(event) = texts.iter().find_map(|text| {
            let pattern = decisions.pattern(text).ok()?;
            routine.may_match(&pattern, &asked)
        })
    {
        return step.observe(
            &MAY_BE_NOISY,
            format!(
                "the metric filters of log group `{}` match {}, an event that the trail makes by \
                 itself: {}; the trail records it if it records the account that owns the bucket, \
                 and who owns it is not known",
                place.name, event.name, event.what
            ),
        );
    }
    step
}

#[cfg(test)]
pub(super) mod tests;
