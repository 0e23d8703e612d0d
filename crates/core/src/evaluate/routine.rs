//! Events that a trail makes by itself: an alarm that they reach is never quiet.

use std::sync::LazyLock;

use serde::Deserialize;
use serde_json::Value;

use super::coverage::Decisions;
use super::links::selectors;
use super::log_group_verdict::LogGroupQuestion;
use crate::arn::Arn;
use crate::evidence::{MetricAlarm, MetricFilter, MetricTransformation, Reader, Trail, View};
use crate::pattern::{Event, Match, Pattern, matches};

/// An event that a trail makes by itself.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RoutineEvent {
    /// The call, such as `kms:GenerateDataKey`.
    pub(super) name: String,
    condition: Condition,
    /// The longest time between two of them, in seconds, where AWS documents it.
    every: Option<u64>,
    /// Why it happens: a sentence without a full stop.
    pub(super) what: String,
    #[cfg_attr(not(test), allow(dead_code, reason = "for whoever checks the data"))]
    source: String,
    /// The event as CloudTrail records it.
    pub(super) event: Value,
}

/// What has to be seen of a trail that makes the event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Condition {
    /// Its log files are encrypted with a key of an account that it records.
    OwnKey,
    /// It writes to CloudWatch Logs by a role of an account that it records.
    LogRole,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(rename = "routine-event")]
    events: Vec<RoutineEvent>,
}

#[allow(
    clippy::expect_used,
    reason = "the file is part of this crate, and a test reads all of it"
)]
static EVENTS: LazyLock<Vec<RoutineEvent>> = LazyLock::new(|| {
    let text = include_str!("../../facts/routine-events.toml");
    toml::from_str::<File>(text)
        .expect("the routine events of this crate")
        .events
});

/// A filter that writes to a metric, and a routine event that it matches.
pub(super) struct Noise<'v> {
    pub(super) filter: &'v MetricFilter,
    pub(super) transformation: &'v MetricTransformation,
    pub(super) event: &'static RoutineEvent,
}

/// What keeps a filter's metric from ever being quiet: a routine event that it matches, or another
/// filter that writes to the same metric. Events that the control itself asks for do not count.
pub(super) fn noise<'v>(
    question: &LogGroupQuestion<'_>,
    view: &'v View<MetricFilter>,
    filter: &MetricFilter,
    decisions: &mut Decisions,
) -> Option<Noise<'v>> {
    let own = filter.metric_transformations.first()?;
    let required = decisions.pattern(question.required.pattern).ok()?;
    let mut writers = view.items.iter().filter_map(|writer| {
        let transformation = writer.metric_transformations.first()?;
        let same = transformation.metric_namespace == own.metric_namespace
            && transformation.metric_name == own.metric_name;
        let plain = !writer.apply_on_transformed_logs
            && writer.field_selection_criteria.is_none()
            && writer.emit_system_field_dimensions.is_empty()
            && transformation.dimensions.is_empty();
        (same && plain).then_some((writer, transformation))
    });
    writers.find_map(|(writer, transformation)| {
        let pattern = decisions.pattern(&writer.filter_pattern).ok()?;
        let event = question.routine.matched_by(&pattern)?;
        let asked = matches(&required, &Event::from_value(&event.event)) != Match::No;
        (!asked).then_some(Noise {
            filter: writer,
            transformation,
            event,
        })
    })
}

/// Which of the routine events a trail makes and records: one bit for each.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Routine(u8);

impl Routine {
    /// Those of a trail, as far as that was seen.
    pub(super) fn of(evidence: &Reader<'_>, trail: &Trail) -> Self {
        let records = |arn: Option<&String>| {
            let account = arn.and_then(|arn| Arn::account_in(arn));
            account.is_some()
                && (trail.is_organization_trail == Some(true) || account == trail.owner())
        };
        let made = EVENTS.iter().take(8).map(|known| {
            let condition = match known.condition {
                Condition::OwnKey => records(trail.kms_key_id.as_ref()),
                Condition::LogRole => records(trail.cloud_watch_logs_role_arn.as_ref()),
            };
            condition && selectors::admits_event(evidence, trail, &known.event)
        });
        let bits = made
            .enumerate()
            .filter(|(_, made)| *made)
            .map(|(number, _)| 1 << number);
        Self(bits.sum())
    }

    fn events(self) -> impl Iterator<Item = &'static RoutineEvent> {
        EVENTS
            .iter()
            .take(8)
            .enumerate()
            .filter(move |(number, _)| self.0 & (1 << number) != 0)
            .map(|(_, known)| known)
    }

    /// The routine event that a pattern matches: one whose rate is documented before others.
    pub(super) fn matched_by(self, pattern: &Pattern) -> Option<&'static RoutineEvent> {
        self.events()
            .filter(|known| matches(pattern, &Event::from_value(&known.event)) == Match::Yes)
            .min_by_key(|known| known.every.is_none())
    }
}

impl RoutineEvent {
    /// Whether the events alone keep an alarm in ALARM: their documented rate is enough for its
    /// threshold in each of its periods.
    pub(super) fn keeps_alarming(
        &self,
        transformation: &MetricTransformation,
        alarm: &MetricAlarm,
    ) -> bool {
        let (Some(every), Some(period), Some(threshold)) =
            (self.every, alarm.period, alarm.threshold)
        else {
            return false;
        };
        let each = match alarm.statistic.as_deref() {
            Some("SampleCount") => 1.0,
            Some("Sum") => match transformation.metric_value.trim().parse::<f64>() {
                Ok(value) if value > 0.0 => value,
                _ => return false,
            },
            _ => return false,
        };
        #[allow(
            clippy::cast_precision_loss,
            reason = "a period has at most 86,400 seconds"
        )]
        let counted = (period / every) as f64 * each;
        match alarm.comparison_operator.as_deref() {
            Some("GreaterThanOrEqualToThreshold") => counted >= threshold,
            Some("GreaterThanThreshold") => counted > threshold,
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_event_has_a_source_and_says_what_it_is() {
        assert!((1..=8).contains(&EVENTS.len()));
        for known in EVENTS.iter() {
            assert!(!known.source.is_empty() && !known.what.ends_with('.'));
            let (service, call) = known.name.split_once(':').unwrap();
            assert_eq!(known.event["eventName"], call);
            assert_eq!(
                known.event["eventSource"],
                format!("{service}.amazonaws.com")
            );
        }
    }
}
