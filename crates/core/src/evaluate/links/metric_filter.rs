//! The metric filters of the log group together match every event of the control.

use std::sync::Arc;

use crate::account::{AccountId, Region};
use crate::control;
use crate::evaluate::coverage::{Covering, Decisions, Required};
use crate::evaluate::links::log_group::Place;
use crate::evaluate::reading::{Unread, locked, request};
use crate::evaluate::verdict::{Cause, Reason, Step};
use crate::evidence::{Call, ErrorClass, MetricFilter, Operation, Reader, View};
use crate::field_selection::FieldSelection;
use crate::finding::{LinkName, Status};
use crate::observation::ObservationKind;
use crate::pattern::{Coverage, Event, Match, Pattern, Relation, matches};

static NONE: Reason = Reason {
    code: "metric-filter.none",
    status: Status::Fail,
    meaning: "The log group has no metric filter.",
    remedy: "Create a metric filter with the control's pattern on the trail's log group.",
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
static NOT_OBSERVED: Reason = Reason {
    code: "metric-filter.not-observed",
    status: Status::Unknown,
    meaning: "The metric filters of the log group could not be listed.",
    remedy: "Let the audit role in the log group's account call logs:DescribeMetricFilters, then scan again.",
};

pub(in crate::evaluate) const REASONS: &[&Reason] = &[
    &NONE,
    &MISSES,
    &EVERYTHING,
    &EXCLUDES,
    &UNDOCUMENTED,
    &UNREADABLE,
    &TRANSFORMED,
    &SELECTION,
    &DIMENSIONS,
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
    &NEARLY_EVERYTHING,
    &BROADER,
    &MISSES_RELATED,
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
    step.resource = Some(filter.filter_name.as_str().into());
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
                    log_group_name: place.name.clone(),
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

/// The step of filters that together do not match every event of the control.
pub(in crate::evaluate) fn misses(
    place: &Place,
    view: &View<MetricFilter>,
    rejected: Option<&Cause>,
    texts: &[&str],
    required: Required<'_>,
    decisions: &mut Decisions,
) -> Step {
    let step = step(place, view);
    if view.items.is_empty() {
        return step.because(Cause::new(
            &NONE,
            format!("log group `{}` has no metric filter", place.name),
        ));
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
    let count = view.items.len();
    let comparison = decisions.compare(required, texts);
    let filters = match view.items.as_slice() {
        [filter] => format!(
            "metric filter `{}` of log group `{}`",
            filter.filter_name, place.name
        ),
        _ => format!("the {count} metric filters of log group `{}`", place.name),
    };
    // The one pattern is what a reader compares; of several, the event that they miss says more.
    let pattern = match view.items.as_slice() {
        [filter] => format!("; its pattern is {}", filter.filter_pattern),
        _ => String::new(),
    };
    let mut cause = Cause::new(
        &MISSES,
        match comparison.relation {
            Relation::Disjoint => format!(
                "{filters} match{} none of the control's events",
                if count == 1 { "es" } else { "" }
            ),
            _ => format!(
                "{filters} miss{} events of the control{pattern}",
                if count == 1 { "es" } else { "" }
            ),
        },
    );
    cause.witness = comparison.missed.clone().map(Arc::new);
    step.because(cause)
}

/// The step of filters of which nobody knows whether they match every event of the control.
pub(in crate::evaluate) fn undecided(
    step: Step,
    place: &Place,
    texts: &[&str],
    required: Required<'_>,
    decisions: &mut Decisions,
) -> Step {
    let reason = decisions
        .compare(required, texts)
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
}

/// What is worth knowing of filters that cover the control.
pub(in crate::evaluate) fn observe(
    step: Step,
    place: &Place,
    texts: &[&str],
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
pub(in crate::evaluate) mod tests {
    use serde_json::json;

    use crate::evaluate::fixture::{Case, MANAGEMENT, MEMBER, PATTERN, World, check, table};
    use crate::finding::Status::{Fail, Pass, Unknown};

    /// Filters that look at some regions each cover the control together, if all are live.
    #[test]
    fn filters_may_share_the_regions_out() {
        let filter = |name: &str, metric: &str, criteria: &str| {
            json!({
                "filterName": name, "filterPattern": PATTERN, "logGroupName": "trail",
                "fieldSelectionCriteria": criteria,
                "metricTransformations": [{
                    "metricName": metric, "metricNamespace": "CISBenchmark", "metricValue": "1",
                }],
            })
        };
        let here = r#"@aws.region = "us-east-1""#;
        let elsewhere = r#"@aws.region != "us-east-1""#;
        let some = r#"@aws.region IN ["eu-west-1", "eu-central-1"]"#;
        let account = r#"@aws.account = "222222222222" AND @aws.region != "us-east-1""#;
        let other = r#"@aws.account != "222222222222" AND @aws.region != "us-east-1""#;
        for (second, metric, status, reason) in [
            (elsewhere, "Failures", Pass, None),
            (account, "Failures", Pass, None),
            (
                some,
                "Failures",
                Fail,
                Some("metric-filter.excludes-account"),
            ),
            (
                other,
                "Failures",
                Fail,
                Some("metric-filter.excludes-account"),
            ),
            (
                here,
                "Failures",
                Fail,
                Some("metric-filter.excludes-account"),
            ),
            (elsewhere, "Unwatched", Fail, Some("alarm.none")),
            (
                r#"@data.source = "x""#,
                "Failures",
                Unknown,
                Some("metric-filter.field-selection-not-decided"),
            ),
        ] {
            let world = World::healthy().set(
                "logs:DescribeMetricFilters",
                MANAGEMENT,
                "/metricFilters",
                json!([
                    filter("here", "Failures", here),
                    filter("second", metric, second),
                ]),
            );
            println!("{second} {metric}");
            check(&world, status, status, reason);
            let apart = world
                .finding(MEMBER)
                .observations
                .iter()
                .any(|seen| seen.code == "metric-filter.regions-apart");
            assert!(apart);
        }
    }

    /// Each observation, and where it is made.
    pub(in crate::evaluate) fn observed() -> Vec<(&'static str, World)> {
        let part =
            |user: &str| PATTERN.replace(" }", &format!(" && ($.userIdentity.type {user}) }}"));
        let filter = |pattern: &str, criteria: &str| {
            json!({
                "filterName": pattern, "filterPattern": pattern, "logGroupName": "trail",
                "fieldSelectionCriteria": criteria,
                "metricTransformations": [{
                    "metricName": "Failures", "metricNamespace": "CISBenchmark", "metricValue": "1"}]})
        };
        vec![
            (
                "metric-filter.regions-apart",
                World::healthy().set(
                    "logs:DescribeMetricFilters",
                    MANAGEMENT,
                    "/metricFilters",
                    json!([
                        filter(PATTERN, r#"@aws.region = "us-east-1""#),
                        filter(PATTERN, r#"@aws.region != "us-east-1""#),
                    ]),
                ),
            ),
            (
                "metric-filter.together",
                World::healthy().set(
                    "logs:DescribeMetricFilters",
                    MANAGEMENT,
                    "/metricFilters",
                    json!([
                        filter(&part("= Root"), ""),
                        filter(&part("!= Root"), ""),
                        filter(&part("NOT EXISTS"), ""),
                    ]),
                ),
            ),
            (
                "metric-filter.matches-nearly-everything",
                World::healthy().set(
                    "logs:DescribeMetricFilters",
                    MANAGEMENT,
                    "/metricFilters/0/filterPattern",
                    json!("{ $.eventName != CreateTags }"),
                ),
            ),
            (
                "metric-filter.broader",
                World::healthy().set(
                    "logs:DescribeMetricFilters",
                    MANAGEMENT,
                    "/metricFilters/0/filterPattern",
                    json!("{ $.eventName = ConsoleLogin }"),
                ),
            ),
            ("metric-filter.misses-related-events", World::healthy()),
        ]
    }

    #[test]
    fn one_thing_is_not_as_it_should_be() {
        table(&[
            Case(
                "logs:DescribeMetricFilters",
                MANAGEMENT,
                "/metricFilters",
                json!([]),
                Fail,
                Fail,
                Some("metric-filter.none"),
            ),
            Case(
                "logs:DescribeMetricFilters",
                MANAGEMENT,
                "/metricFilters/0/filterPattern",
                json!("{ $.eventName = ConsoleLogin }"),
                Pass,
                Pass,
                None,
            ),
            Case(
                "logs:DescribeMetricFilters",
                MANAGEMENT,
                "/metricFilters/0/filterPattern",
                json!(
                    r#"{ ($.eventName = ConsoleLogin) && ($.errorMessage = "Failed authentication") && ($.userIdentity.type = "Root") }"#
                ),
                Fail,
                Fail,
                Some("metric-filter.misses-events"),
            ),
            Case(
                "logs:DescribeMetricFilters",
                MANAGEMENT,
                "/metricFilters/0/filterPattern",
                json!("{ $.eventName != ConsoleLogin }"),
                Fail,
                Fail,
                Some("metric-filter.misses-events"),
            ),
            Case(
                "logs:DescribeMetricFilters",
                MANAGEMENT,
                "/metricFilters/0/filterPattern",
                json!(""),
                Fail,
                Fail,
                Some("metric-filter.matches-everything"),
            ),
            Case(
                "logs:DescribeMetricFilters",
                MANAGEMENT,
                "/metricFilters/0/filterPattern",
                json!("{ $.eventName = ConsoleLogin"),
                Unknown,
                Unknown,
                Some("metric-filter.unreadable-pattern"),
            ),
            Case(
                "logs:DescribeMetricFilters",
                MANAGEMENT,
                "/metricFilters/0/applyOnTransformedLogs",
                json!(true),
                Unknown,
                Unknown,
                Some("metric-filter.transformed-logs"),
            ),
            Case(
                "logs:DescribeMetricFilters",
                MANAGEMENT,
                "/metricFilters/0/fieldSelectionCriteria",
                json!("@aws.account = \"333333333333\""),
                Fail,
                Fail,
                Some("metric-filter.excludes-account"),
            ),
            Case(
                "logs:DescribeMetricFilters",
                MANAGEMENT,
                "/metricFilters/0/fieldSelectionCriteria",
                json!("@aws.account = \"222222222222\""),
                Pass,
                Pass,
                None,
            ),
        ]);
    }
}
