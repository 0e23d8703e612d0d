//! The filter's transformation writes a value that counts.

use std::sync::Arc;

use serde_json::Value;

use crate::evaluate::coverage::{Decisions, Required};
use crate::evaluate::firing::Share;
use crate::evaluate::verdict::{Cause, Reason, Standing, Step, Verdict};
use crate::evidence::{CallSite, MetricFilter, MetricTransformation};
use crate::finding::{LinkName, Status};
use crate::observation::ObservationKind;
use crate::pattern::{Event, Match, Pattern, matches};

static ZERO: Reason = Reason {
    code: "metric.zero-value",
    status: Status::Fail,
    meaning: "The filter writes zero for every matching event.",
    remedy: "Create a metric filter beside it that writes the value 1.",
};
static NO_TRANSFORMATION: Reason = Reason {
    code: "metric.none",
    status: Status::Fail,
    meaning: "The filter writes no metric.",
    remedy: "Create a metric filter that writes the value 1.",
};
static NOT_ON_EVENT: Reason = Reason {
    code: "metric.value-not-on-event",
    status: Status::Fail,
    meaning: "The filter takes its value from a field that the control's events do not have, or that is not a number.",
    remedy: "Create a metric filter beside it that writes the value 1.",
};
static NOT_DECIDED: Reason = Reason {
    code: "metric.value-not-decided",
    status: Status::Unknown,
    meaning: "What the filter writes could not be decided.",
    remedy: "Create a metric filter beside it that writes the value 1.",
};

pub(in crate::evaluate) const REASONS: &[&Reason] =
    &[&ZERO, &NO_TRANSFORMATION, &NOT_ON_EVENT, &NOT_DECIDED];

static SHARED: ObservationKind = ObservationKind {
    code: "metric.shared",
    meaning: "Further metric filters write to the same metric for other events: while those hold an alarm in ALARM, it tells nobody of this control's.",
};
static ZEROS_COUNT: ObservationKind = ObservationKind {
    code: "metric.zeros-count",
    meaning: "The filter writes 0 for every matching event, and the alarm fires all the same because it counts samples.",
};

pub(in crate::evaluate) const OBSERVATIONS: &[&ObservationKind] = &[&SHARED, &ZEROS_COUNT];

/// Judges what a filter writes.
pub(in crate::evaluate) fn judge(
    filter: &MetricFilter,
    transformation: Option<&MetricTransformation>,
    site: &CallSite,
    required: Required<'_>,
    decisions: &mut Decisions,
) -> Step {
    let step = Step::new(LinkName::Metric).cis(Verdict::NotAsked);
    let Some(transformation) = transformation else {
        let cause = Cause::new(
            &NO_TRANSFORMATION,
            format!("metric filter `{}` writes no metric", filter.filter_name),
        );
        return step
            .on(
                &*filter.filter_name,
                Some(site.account),
                Some(site.region.clone()),
            )
            .because(cause);
    };
    let metric = format!(
        "{}/{}",
        transformation.metric_namespace, transformation.metric_name
    );
    let value = transformation.metric_value.trim();
    let step = step
        .on(&*metric, Some(site.account), Some(site.region.clone()))
        .detail(format!(
            "metric filter `{}` writes {value} to `{metric}`",
            filter.filter_name
        ));
    match value_of(value, filter, required, decisions) {
        Ok(()) => step,
        Err((reason, why)) => step.effective(Verdict::because(Cause::new(
            reason,
            format!("metric filter `{}` {why}", filter.filter_name),
        ))),
    }
}

/// The same step where further filters write the metric for events that are not the control's.
pub(in crate::evaluate) fn shared(step: Step, others: usize) -> Step {
    if others == 0 {
        return step;
    }
    let metric = step.resource.clone().unwrap_or_default();
    step.observe(
        &SHARED,
        format!(
            "{others} further metric filters write to `{metric}` for other events: while those \
             hold an alarm in ALARM, it tells nobody of this control's"
        ),
    )
}

/// The same step as far as an alarm goes: zeros break nothing for an alarm that fires on them all
/// the same, as one that counts samples does, nor for one that nobody has seen or analysed.
pub(in crate::evaluate) fn as_counted(step: &Arc<Step>, alarm: &Step) -> Arc<Step> {
    let zero = step
        .effective
        .cause()
        .is_some_and(|cause| cause.reason == &ZERO);
    if !zero || alarm.effective.standing() == Standing::Broken {
        return Arc::clone(step);
    }
    let step = step.as_ref().clone().effective(Verdict::Proved);
    if alarm.effective != Verdict::Proved {
        return Arc::new(step);
    }
    let text = format!("{}, which the alarm counts all the same", step.detail);
    Arc::new(step.observe(&ZEROS_COUNT, text))
}

fn value_of(
    value: &str,
    filter: &MetricFilter,
    required: Required<'_>,
    decisions: &mut Decisions,
) -> Result<(), (&'static Reason, String)> {
    if let Ok(number) = value.parse::<f64>() {
        return if number == 0.0 {
            Err((
                &ZERO,
                "writes 0 for every matching event, which no sum can tell from nothing".to_owned(),
            ))
        } else if number.is_finite() {
            Ok(())
        } else {
            Err((
                &NOT_DECIDED,
                format!("writes `{value}`, which is not a number"),
            ))
        };
    }
    // Only a filter by columns can take its value from a column by name, and such a filter covers
    // no control.
    if !value.starts_with('$') {
        return Err((
            &NOT_ON_EVENT,
            format!("writes `{value}`, which is neither a number nor a selector"),
        ));
    }
    // Every event of the control that the filter matches has to have a number there.
    let number = format!("{{ {value} >= 0 || {value} < 0 }}");
    let always = decisions.pattern(&number).is_ok()
        && decisions.share(required, &filter.filter_pattern, &number) == Share::All;
    if always {
        return Ok(());
    }
    let control = required.control;
    if !control.example.is_object() {
        return Err((
            &NOT_DECIDED,
            format!("takes its value from `{value}`, which not every event need have"),
        ));
    }
    // The language itself says whether the selector finds something, and whether that is a number.
    let holds = |condition: &str| {
        Pattern::parse(&format!("{{ {value} {condition} }}"))
            .map(|pattern| matches(&pattern, &Event::from_value(&control.example)))
    };
    match (holds("= *"), holds(">= 0"), holds("< 0")) {
        (Ok(Match::No), Ok(_), Ok(_)) => Err((
            &NOT_ON_EVENT,
            format!("takes its value from `{value}`, which the control's events do not have"),
        )),
        (Ok(Match::Yes), Ok(Match::Yes), _) | (Ok(Match::Yes), _, Ok(Match::Yes)) => Err((
            &NOT_DECIDED,
            format!(
                "takes its value from `{value}`, which not every event that it matches need have: \
                 without it nothing is written"
            ),
        )),
        (Ok(Match::Yes), Ok(Match::No), Ok(Match::No)) => {
            let text = found(&control.example, value);
            if text.is_some_and(|text| text.trim().parse::<f64>().is_ok()) {
                Err((
                    &NOT_DECIDED,
                    format!("takes its value from `{value}`, a text that reads as a number"),
                ))
            } else {
                Err((
                    &NOT_ON_EVENT,
                    format!(
                        "takes its value from `{value}`, which is not a number on the control's events"
                    ),
                ))
            }
        }
        _ => Err((&NOT_DECIDED, format!("takes its value from `{value}`"))),
    }
}

/// The text at a selector of plain names.
fn found<'a>(event: &'a Value, selector: &str) -> Option<&'a str> {
    selector
        .strip_prefix("$.")?
        .split('.')
        .try_fold(event, |value, name| value.get(name))?
        .as_str()
}

#[cfg(test)]
pub(in crate::evaluate) mod tests {
    use serde_json::json;

    use crate::evaluate::fixture::{Case, MANAGEMENT, PATTERN, World, check, denied, table};
    use crate::finding::Status::{Fail, Pass, Unknown};

    #[test]
    fn zeros_count_where_samples_are_counted() {
        for (statistic, default, effective, reason) in [
            ("Sum", json!(null), Fail, Some("metric.zero-value")),
            ("Maximum", json!(null), Fail, Some("metric.zero-value")),
            ("SampleCount", json!(null), Pass, None),
            ("SampleCount", json!(0), Fail, Some("metric.zero-value")),
        ] {
            let world = World::healthy()
                .set(
                    "logs:DescribeMetricFilters",
                    MANAGEMENT,
                    "/metricFilters/0/metricTransformations/0/metricValue",
                    json!("0"),
                )
                .set(
                    "logs:DescribeMetricFilters",
                    MANAGEMENT,
                    "/metricFilters/0/metricTransformations/0/defaultValue",
                    default,
                )
                .set(
                    "cloudwatch:DescribeAlarms",
                    MANAGEMENT,
                    "/MetricAlarms/0/Statistic",
                    json!(statistic),
                );
            check(&world, Pass, effective, reason);
            let operation = "cloudwatch:DescribeAlarms";
            let unseen = world.fail(operation, MANAGEMENT, &denied(operation));
            check(&unseen, Unknown, Unknown, Some("alarm.not-observed"));
        }
    }

    /// Each observation, and where it is made.
    pub(in crate::evaluate) fn observed() -> Vec<(&'static str, World)> {
        vec![
            (
                "metric.shared",
                World::healthy().set(
                    "logs:DescribeMetricFilters",
                    MANAGEMENT,
                    "/metricFilters/1",
                    json!({
                        "filterName": "other", "filterPattern": "{ $.eventName = CreateUser }",
                        "metricTransformations": [{
                            "metricName": "Failures", "metricNamespace": "CISBenchmark",
                            "metricValue": "1",
                        }],
                    }),
                ),
            ),
            (
                "metric.zeros-count",
                World::healthy()
                    .set(
                        "logs:DescribeMetricFilters",
                        MANAGEMENT,
                        "/metricFilters/0/metricTransformations/0/metricValue",
                        json!("0"),
                    )
                    .set(
                        "cloudwatch:DescribeAlarms",
                        MANAGEMENT,
                        "/MetricAlarms/0/Statistic",
                        json!("SampleCount"),
                    ),
            ),
        ]
    }

    /// The value of a field counts where every event that the filter matches has it.
    #[test]
    fn values_taken_from_the_event() {
        let with = |more: &str| PATTERN.replacen('{', &format!("{{ {more} && "), 1);
        for (value, pattern, statistic, effective, reason) in [
            (
                "$.nothing",
                PATTERN.to_owned(),
                "SampleCount",
                Fail,
                Some("metric.value-not-on-event"),
            ),
            (
                "$.eventName",
                PATTERN.to_owned(),
                "SampleCount",
                Fail,
                Some("metric.value-not-on-event"),
            ),
            (
                "attempts",
                PATTERN.to_owned(),
                "SampleCount",
                Fail,
                Some("metric.value-not-on-event"),
            ),
            // A text that reads as a number: AWS does not say whether it is taken for one.
            (
                "$.eventVersion",
                PATTERN.to_owned(),
                "SampleCount",
                Unknown,
                Some("metric.value-not-decided"),
            ),
            // Not all of the control's events are matched then, so another filter has to help.
            (
                "$.attempts",
                with("$.attempts >= 1"),
                "SampleCount",
                Fail,
                Some("metric-filter.misses-events"),
            ),
        ] {
            let at = |member: &str| format!("/metricFilters/0/{member}");
            let world = World::healthy()
                .set(
                    "logs:DescribeMetricFilters",
                    MANAGEMENT,
                    &at("filterPattern"),
                    json!(pattern),
                )
                .set(
                    "logs:DescribeMetricFilters",
                    MANAGEMENT,
                    &at("metricTransformations/0/metricValue"),
                    json!(value),
                )
                .set(
                    "cloudwatch:DescribeAlarms",
                    MANAGEMENT,
                    "/MetricAlarms/0/Statistic",
                    json!(statistic),
                );
            check(
                &world,
                if reason == Some("metric-filter.misses-events") {
                    Fail
                } else {
                    Pass
                },
                effective,
                reason,
            );
        }
    }

    /// What is changed by itself.
    pub(in crate::evaluate) fn cases() -> Vec<Case> {
        vec![
            Case(
                "logs:DescribeMetricFilters",
                MANAGEMENT,
                "/metricFilters/0/metricTransformations/0/metricValue",
                json!("0"),
                Pass,
                Fail,
                Some("metric.zero-value"),
            ),
            Case(
                "logs:DescribeMetricFilters",
                MANAGEMENT,
                "/metricFilters/0/metricTransformations/0/metricValue",
                json!("$.nothing"),
                Pass,
                Fail,
                Some("metric.value-not-on-event"),
            ),
        ]
    }

    #[test]
    fn one_thing_is_not_as_it_should_be() {
        table(&cases());
    }
}
