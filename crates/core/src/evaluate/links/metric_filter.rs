//! The metric filters of the log group together match every event of the control.

mod central;
mod noise;

use std::sync::Arc;

pub(in crate::evaluate) use central::look as central_copies;
pub(in crate::evaluate) use noise::noisy;

use crate::account::{AccountId, Region};
use crate::control;
use crate::evaluate::coverage::{Covering, Decisions, Required};
use crate::evaluate::links::log_group::Place;
use crate::evaluate::log_group_verdict::LogGroupQuestion;
use crate::evaluate::reading::{Unread, locked, request};
use crate::evaluate::routine::Routine;
use crate::evaluate::verdict::{Cause, Reason, Step};
use crate::evidence::{Call, ErrorClass, MetricFilter, Operation, Reader, View};
use crate::field_selection::FieldSelection;
use crate::finding::{LinkName, Status};
use crate::observation::ObservationKind;
use crate::pattern::{Coverage, Event, Match, Pattern, Relation, matches, obstacles, sentence};

static NONE: Reason = Reason {
    code: "metric-filter.none",
    status: Status::Fail,
    meaning: "The log group has no metric filter for the control's events.",
    remedy: "Create a metric filter with the control's pattern on the trail's log group.",
};
static ELSEWHERE: Reason = Reason {
    code: "metric-filter.elsewhere",
    status: Status::Fail,
    meaning: "The log group has no metric filter for the control's events; another log group of the account and region has one.",
    remedy: "Create the metric filter on the trail's log group: the trail may write to another one than before.",
};
static MISSES: Reason = Reason {
    code: "metric-filter.misses-events",
    status: Status::Fail,
    meaning: "The metric filters of the log group do not match every event of the control.",
    remedy: "Create a metric filter with the control's pattern beside the present ones.",
};
static EVERYTHING: Reason = Reason {
    code: "metric-filter.matches-everything",
    status: Status::Fail,
    meaning: "The filter matches every event, so its alarm tells nothing.",
    remedy: "Create a metric filter with the control's pattern beside the present one.",
};
static EXCLUDES: Reason = Reason {
    code: "metric-filter.excludes-account",
    status: Status::Fail,
    meaning: "The filter's field selection criteria leave out events of this account or of some regions.",
    remedy: "Create a metric filter with the control's pattern and without field selection criteria.",
};
static UNDOCUMENTED: Reason = Reason {
    code: "metric-filter.undocumented",
    status: Status::Unknown,
    meaning: "Whether the filters match every event of the control rests on behavior that AWS does not document.",
    remedy: "Create a metric filter with the control's pattern beside the present ones.",
};
static UNREADABLE: Reason = Reason {
    code: "metric-filter.unreadable-pattern",
    status: Status::Unknown,
    meaning: "A filter's pattern could not be read.",
    remedy: "Create a metric filter with the control's pattern beside the present one.",
};
static TRANSFORMED: Reason = Reason {
    code: "metric-filter.transformed-logs",
    status: Status::Unknown,
    meaning: "The filter sees events after the log group's transformer changed them, and what they look like then is not known.",
    remedy: "Create a metric filter with the control's pattern that is not applied to transformed logs.",
};
static SELECTION: Reason = Reason {
    code: "metric-filter.field-selection-not-decided",
    status: Status::Unknown,
    meaning: "Whether the filter's field selection criteria admit the account could not be decided.",
    remedy: "Create a metric filter with the control's pattern and without field selection criteria.",
};
static DIMENSIONS: Reason = Reason {
    code: "metric-filter.dimensions-not-decided",
    status: Status::Unknown,
    meaning: "The alarm watches one value of the filter's dimensions, and which events have it could not be decided.",
    remedy: "Create a metric filter with the control's pattern and without dimensions, and an alarm on it.",
};
static TOGETHER_NOT_DECIDED: Reason = Reason {
    code: "metric-filter.together-not-decided",
    status: Status::Unknown,
    meaning: "The metric filters of several log groups match every event of the control together, and whether every part arrives could not be decided.",
    remedy: "Create a metric filter with the control's pattern on one trail's log group.",
};
static NOT_OBSERVED: Reason = Reason {
    code: "metric-filter.not-observed",
    status: Status::Unknown,
    meaning: "The metric filters of the log group could not be listed.",
    remedy: "Let the audit role in the log group's account call logs:DescribeMetricFilters, then scan again.",
};

pub(in crate::evaluate) const REASONS: &[&Reason] = &[
    &NONE,
    &ELSEWHERE,
    &MISSES,
    &EVERYTHING,
    &EXCLUDES,
    &UNDOCUMENTED,
    &UNREADABLE,
    &TRANSFORMED,
    &SELECTION,
    &DIMENSIONS,
    &noise::ROUTINE,
    &noise::NOISY,
    &TOGETHER_NOT_DECIDED,
    &central::CENTRALIZED,
    &central::NOT_OBSERVED,
    &NOT_OBSERVED,
];

static REGIONS_APART: ObservationKind = ObservationKind {
    code: "metric-filter.regions-apart",
    meaning: "The metric filters tell regions apart; the chain shown is that of some regions.",
};
static TOGETHER: ObservationKind = ObservationKind {
    code: "metric-filter.together",
    meaning: "Several metric filters cover the control only together: each of them has to be kept.",
};
static MISSES_UNDOCUMENTED: ObservationKind = ObservationKind {
    code: "metric-filter.misses-undocumented-values",
    meaning: "The metric filters match every event of the control as AWS documents them; one with a value that AWS does not document may slip through.",
};
static NEARLY_EVERYTHING: ObservationKind = ObservationKind {
    code: "metric-filter.matches-nearly-everything",
    meaning: "The metric filters match the events of every other control, too: an alarm that never leaves ALARM tells nobody of the next event.",
};
static BROADER: ObservationKind = ObservationKind {
    code: "metric-filter.broader",
    meaning: "The metric filters match more events than the control asks for.",
};
static MISSES_RELATED: ObservationKind = ObservationKind {
    code: "metric-filter.misses-related-events",
    meaning: "The metric filters do not match events that the control does not ask for but that belong to the same matter.",
};

pub(in crate::evaluate) const OBSERVATIONS: &[&ObservationKind] = &[
    &REGIONS_APART,
    &TOGETHER,
    &MISSES_UNDOCUMENTED,
    &NEARLY_EVERYTHING,
    &BROADER,
    &noise::MAY_BE_NOISY,
    &MISSES_RELATED,
    &central::UNSEEN,
];

/// What a filter can contribute to covering a control for an account.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::evaluate) enum Contribution {
    /// The events of its pattern.
    Pattern,
    /// Nobody knows which.
    Unsure(Cause),
    /// Nothing: it matches everything, or leaves the account out.
    Rejected(Cause),
}

/// The regions in parts that no filter's field selection criteria tell apart.
pub(in crate::evaluate) fn parts(
    view: &View<MetricFilter>,
    account: AccountId,
    regions: &[Region],
) -> Vec<Vec<Region>> {
    let selections: Vec<FieldSelection> = view
        .items
        .iter()
        .filter_map(|filter| filter.field_selection_criteria.as_deref())
        .filter_map(|criteria| FieldSelection::parse(criteria).ok())
        .collect();
    let mut parts: Vec<(Vec<Match>, Vec<Region>)> = Vec::new();
    for region in regions {
        let admitted: Vec<Match> = selections
            .iter()
            .map(|selection| selection.admits(account, region))
            .collect();
        match parts.iter_mut().find(|(known, _)| *known == admitted) {
            Some((_, part)) => part.push(region.clone()),
            None => parts.push((admitted, vec![region.clone()])),
        }
    }
    parts.into_iter().map(|(_, part)| part).collect()
}

/// The step of filters that tell regions apart, for some of the regions.
pub(in crate::evaluate) fn of_part(step: Step, place: &Place, regions: &[Region]) -> Step {
    let names: Vec<&str> = regions.iter().map(Region::as_str).collect();
    step.observe(
        &REGIONS_APART,
        format!(
            "the metric filters of log group `{}` tell regions apart; this is the chain for {}",
            place.name,
            names.join(", ")
        ),
    )
}

/// What one filter contributes.
pub(in crate::evaluate) fn contribution(
    filter: &MetricFilter,
    account: AccountId,
    regions: &[Region],
    required: Required<'_>,
    decisions: &mut Decisions,
) -> Contribution {
    let name = &filter.filter_name;
    if let Some(criteria) = &filter.field_selection_criteria {
        let undecided = || {
            Contribution::Unsure(Cause::new(
                &SELECTION,
                format!(
                    "whether metric filter `{name}` admits events of account {account} could not be decided: its field selection criteria are `{criteria}`"
                ),
            ))
        };
        let Ok(selection) = FieldSelection::parse(criteria) else {
            return undecided();
        };
        for region in regions {
            match selection.admits(account, region) {
                Match::Yes => {}
                Match::No => {
                    return Contribution::Rejected(Cause::new(
                        &EXCLUDES,
                        format!(
                            "metric filter `{name}` leaves out events of account {account} in {region}: its field selection criteria are `{criteria}`"
                        ),
                    ));
                }
                Match::Undocumented => return undecided(),
            }
        }
    }
    if filter.apply_on_transformed_logs {
        return Contribution::Unsure(Cause::new(
            &TRANSFORMED,
            format!("metric filter `{name}` is applied to transformed logs"),
        ));
    }
    if let Err(error) = decisions.pattern(&filter.filter_pattern) {
        return Contribution::Unsure(Cause::new(
            &UNREADABLE,
            format!("the pattern of metric filter `{name}` could not be read: {error}"),
        ));
    }
    if decisions.covers(required, &[&filter.filter_pattern]) == Covering::Everything {
        return Contribution::Rejected(Cause::new(
            &EVERYTHING,
            format!("metric filter `{name}` matches every event"),
        ));
    }
    Contribution::Pattern
}

/// The cause of an alarm that is confined to events that no pattern can tell.
pub(in crate::evaluate) fn dimensions(filter: &MetricFilter, alarm: &str) -> Cause {
    Cause::new(
        &DIMENSIONS,
        format!(
            "alarm `{alarm}` watches one value of the dimensions of metric filter `{}`",
            filter.filter_name
        ),
    )
}

/// The cause of a filter that admits an event by one reading of the system fields, and does not by
/// the other.
pub(in crate::evaluate) fn origin_undecided(
    filter: &MetricFilter,
    place: &Place,
    account: AccountId,
) -> Cause {
    let (reason, what) = match &filter.field_selection_criteria {
        Some(criteria) => (
            &SELECTION,
            format!("its field selection criteria are `{criteria}`"),
        ),
        None => (
            &DIMENSIONS,
            format!(
                "its metric has the dimensions {}",
                filter.emit_system_field_dimensions.join(", ")
            ),
        ),
    };
    Cause::new(
        reason,
        format!(
            "what metric filter `{}` of log group `{}` counts of account {account} rests on \
             whether `@aws.account` and `@aws.region` are those of the event or of the log group, \
             which AWS does not document: {what}",
            filter.filter_name, place.name
        ),
    )
}

/// The step of log groups whose filters cover the control together, if all of them are live.
pub(in crate::evaluate) fn together(trails: usize) -> Step {
    Step::new(LinkName::MetricFilter).because(Cause::new(
        &TOGETHER_NOT_DECIDED,
        format!(
            "the metric filters behind {trails} trails match every event of the control together, \
             and whether every part arrives could not be decided"
        ),
    ))
}

/// A step about the log group's filters.
pub(in crate::evaluate) fn step(place: &Place, view: &View<MetricFilter>) -> Step {
    Step::new(LinkName::MetricFilter)
        .on(
            Arc::clone(&place.arn),
            Some(place.site.account),
            Some(place.site.region.clone()),
        )
        .seen(view.observed_at)
}

/// The step of a filter whose contribution is known.
pub(in crate::evaluate) fn of(
    place: &Place,
    view: &View<MetricFilter>,
    filter: &Arc<MetricFilter>,
) -> Step {
    let mut step = step(place, view);
    step.resource = Some((*filter.filter_name).into());
    step.detail(format!(
        "metric filter `{}` on log group `{}`: {}",
        filter.filter_name, place.name, filter.filter_pattern
    ))
}

/// The step of filters that nobody has listed.
pub(in crate::evaluate) fn unseen(
    evidence: &Reader<'_>,
    place: &Place,
    view: &View<MetricFilter>,
) -> Step {
    let unread = match &view.failure {
        Some(error) => {
            if error.class == ErrorClass::NotFound && view.items.is_empty() {
                return step(place, view).because(Cause::new(
                    &NONE,
                    format!(
                        "log group `{}` does not exist and has no metric filter",
                        place.name
                    ),
                ));
            }
            Unread::failed(
                Operation::DescribeMetricFilters,
                &place.site,
                error,
                view.observed_at,
            )
        }
        None => locked(evidence, place.site.account).unwrap_or_else(|| {
            Unread::never_asked(request(
                &place.site,
                Call::DescribeMetricFilters {
                    log_group_name: Some(place.name.clone()),
                },
            ))
        }),
    };
    step(place, view)
        .because(Cause::new(
            &NOT_OBSERVED,
            format!(
                "the metric filters of log group `{}` are not known: {}",
                place.name, unread.why
            ),
        ))
        .wanting(unread.wants)
}

/// No filter of the log group is for the control: one on another log group is named; where nobody
/// has looked for one, that is asked. The verdict does not rest on it, only what is to be done.
fn none_here(
    evidence: &Reader<'_>,
    place: &Place,
    step: Step,
    none: String,
    required: Required<'_>,
    decisions: &mut Decisions,
) -> Step {
    if let Some(cause) = elsewhere(evidence, place, required, decisions) {
        return step.because(cause);
    }
    let step = step.because(Cause::new(&NONE, none));
    let of_all = Call::DescribeMetricFilters {
        log_group_name: None,
    };
    let wanted = request(&place.site, of_all);
    if evidence.has(&wanted) || locked(evidence, place.site.account).is_some() {
        return step;
    }
    step.wanting([wanted])
}

/// The cause of a filter for the control's events that is on another log group.
fn elsewhere(
    evidence: &Reader<'_>,
    place: &Place,
    required: Required<'_>,
    decisions: &mut Decisions,
) -> Option<Cause> {
    let others = evidence.other_metric_filters(&place.site, &place.name);
    let (on, filter) = others.into_iter().find(|(_, filter)| {
        decisions.pattern(&filter.filter_pattern).is_ok()
            && decisions.covers(required, &[&filter.filter_pattern]) == Covering::Covers
    })?;
    Some(Cause::new(
        &ELSEWHERE,
        format!(
            "log group `{}` has no metric filter for the control's events; metric filter `{}` for them is on log group `{on}`, to which the trail does not write",
            place.name, filter.filter_name
        ),
    ))
}

/// The step of filters that together do not match every event of the control.
pub(in crate::evaluate) fn misses(
    evidence: &Reader<'_>,
    place: &Place,
    view: &View<MetricFilter>,
    rejected: Option<&Cause>,
    texts: &[&str],
    required: Required<'_>,
    decisions: &mut Decisions,
) -> Step {
    let step = step(place, view);
    if view.items.is_empty() {
        let none = format!("log group `{}` has no metric filter", place.name);
        return none_here(evidence, place, step, none, required, decisions);
    }
    if let Some(cause) = rejected {
        return step.because(cause.clone());
    }
    if decisions.covers(required, texts) == Covering::Everything {
        return step.because(Cause::new(
            &EVERYTHING,
            format!(
                "the metric filters of log group `{}` together match every event",
                place.name
            ),
        ));
    }
    let (others, own): (Vec<_>, Vec<_>) = view
        .items
        .iter()
        .partition(|filter| decisions.is_anothers(required, &filter.filter_pattern));
    let beside = match others.len() {
        0 => String::new(),
        1 => "; one other watches events of other controls".to_owned(),
        count => format!("; {count} others watch events of other controls"),
    };
    let filters = match own.as_slice() {
        [] => {
            let none = format!(
                "log group `{}` has no metric filter for the control's events; {} other{} events of other controls",
                place.name,
                others.len(),
                if others.len() == 1 {
                    " watches"
                } else {
                    "s watch"
                }
            );
            return none_here(evidence, place, step, none, required, decisions);
        }
        [filter] => format!(
            "metric filter `{}` of log group `{}`",
            filter.filter_name, place.name
        ),
        _ => format!(
            "the {} metric filters of log group `{}`",
            own.len(),
            place.name
        ),
    };
    let comparison = decisions.compare(required, texts);
    let missed = comparison.missed.clone();
    // Of several filters, the event that they miss says more than their patterns.
    let (mut pattern, mut why) = (String::new(), String::new());
    if let [filter] = own.as_slice() {
        pattern = format!("; its pattern is {}", filter.filter_pattern);
        if let (Some(missed), Ok(parsed)) = (&missed, decisions.pattern(&filter.filter_pattern)) {
            why = sentence(&obstacles(&parsed, missed))
                .map_or_else(String::new, |why| format!(", of the event shown {why}"));
        }
    }
    let one = own.len() == 1;
    let mut cause = Cause::new(
        &MISSES,
        match comparison.relation {
            Relation::Disjoint if comparison.matches_nothing() => format!(
                "{filters} match{} no event at all: {} conditions contradict each other{pattern}{beside}",
                if one { "es" } else { "" },
                if one { "its" } else { "their" }
            ),
            Relation::Disjoint => format!(
                "{filters} match{} none of the control's events{beside}",
                if one { "es" } else { "" }
            ),
            _ => format!(
                "{filters} miss{} events of the control{pattern}{why}{beside}",
                if one { "es" } else { "" }
            ),
        },
    );
    cause.witness = missed.map(Arc::new);
    step.because(cause)
}

/// The step of filters of which nobody knows whether they match every event of the control, and
/// what the service may be asked about it.
pub(in crate::evaluate) fn undecided(
    step: Step,
    question: &LogGroupQuestion<'_>,
    texts: &[&str],
    decisions: &mut Decisions,
) -> Step {
    let place = question.place;
    let comparison = decisions.compare(question.required, texts);
    let tries = if question.policy.test_patterns {
        question.evidence.tries(&comparison.open)
    } else {
        Vec::new()
    };
    let reason = comparison
        .reason
        .clone()
        .unwrap_or_else(|| "it could not be decided".to_owned());
    step.because(Cause::new(
        &UNDOCUMENTED,
        format!(
            "whether the metric filters of log group `{}` match every event of the control is not known: {reason}",
            place.name
        ),
    ))
    .wanting(tries)
}

/// What is worth knowing of filters that cover the control.
pub(in crate::evaluate) fn observe(
    step: Step,
    place: &Place,
    texts: &[&str],
    routine: Routine,
    required: Required<'_>,
    decisions: &mut Decisions,
) -> Step {
    let comparison = decisions.compare(required, texts);
    let mut step = step;
    if texts.len() > 1 {
        step = step.observe(
            &TOGETHER,
            format!(
                "{} metric filters of log group `{}` cover the control only together",
                texts.len(),
                place.name
            ),
        );
    }
    if let Some(missed) = &comparison.missed_undocumented {
        step = step.observe(
            &MISSES_UNDOCUMENTED,
            format!(
                "the metric filters of log group `{}` would miss an event of the control with a \
                 value that AWS does not document, such as {missed}",
                place.name
            ),
        );
    }
    let broader = comparison.relation == Relation::Broader;
    if broader && matches_other_controls(texts, required, decisions) {
        step = step.observe(
            &NEARLY_EVERYTHING,
            format!(
                "the metric filters of log group `{}` match the events of every other control, \
                 too: an alarm that never leaves ALARM tells nobody of the next event",
                place.name
            ),
        );
    } else if broader {
        step = step.observe(
            &BROADER,
            format!(
                "the metric filters of log group `{}` match more events than the control asks for",
                place.name
            ),
        );
        step = noise::observe(step, place, texts, routine, required, decisions);
    }
    for related in &required.control.related {
        let pattern = &related.pattern;
        let comparison = decisions.compare(
            Required {
                pattern,
                ..required
            },
            texts,
        );
        if comparison.coverage == Coverage::Misses {
            step = step.observe(
                &MISSES_RELATED,
                format!(
                    "the metric filters of log group `{}` do not match {}; their pattern is \
                     {pattern}",
                    place.name, related.title
                ),
            );
        }
    }
    step
}

/// Whether filters match events that have nothing in common but to be events: one of every control
/// of the benchmark. The text that versions 1.3.0 to 1.5.0 print for unauthorized calls does.
fn matches_other_controls(
    texts: &[&str],
    required: Required<'_>,
    decisions: &mut Decisions,
) -> bool {
    let patterns: Vec<_> = texts
        .iter()
        .filter_map(|text| decisions.pattern(text).ok())
        .collect();
    control::builtin()
        .iter()
        .filter(|other| other.id != required.control.id && other.example.is_object())
        .all(|other| {
            let event = Event::from_value(&other.example);
            let matched = |pattern: &Arc<Pattern>| matches(pattern, &event) == Match::Yes;
            patterns.iter().any(matched)
        })
}

#[cfg(test)]
pub(in crate::evaluate) mod tests;
