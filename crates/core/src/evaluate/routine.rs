//! Events that a trail makes by itself: an alarm that they reach is never quiet.

use std::sync::LazyLock;

use serde::Deserialize;
use serde_json::Value;

use super::coverage::Decisions;
use super::firing::{Owner, reads_plainly};
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

/// What has to be seen of a trail that makes the event and records it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Condition {
    /// Its log files are encrypted with a key of an account that it records.
    OwnKey,
    /// It writes to CloudWatch Logs by a role of an account that it records.
    LogRole,
    /// It delivers to a bucket of an account that it records. Nothing that is asked shows who owns
    /// a bucket.
    OwnBucket,
    /// It records the data events of the bucket that it delivers to, its own included.
    DataEvents,
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

/// A filter that a routine event matches, and the event.
pub(super) struct Noise<'v> {
    pub(super) filter: &'v MetricFilter,
    transformation: &'v MetricTransformation,
    pub(super) event: &'static RoutineEvent,
}

/// The filters of a log group whose metrics are never quiet, because a routine event matches them.
/// Events that the control itself asks for do not count.
pub(super) fn noise<'v>(
    question: &LogGroupQuestion<'_>,
    view: &'v View<MetricFilter>,
    decisions: &mut Decisions,
) -> Vec<Noise<'v>> {
    let Ok(required) = decisions.pattern(question.required.pattern) else {
        return Vec::new();
    };
    let made = question.routine.made();
    if made.is_empty() {
        return Vec::new();
    }
    let writers = view.items.iter().filter_map(|filter| {
        let transformation = filter.metric_transformations.first()?;
        let plain = !filter.apply_on_transformed_logs
            && filter.field_selection_criteria.is_none()
            && filter.emit_system_field_dimensions.is_empty()
            && transformation.dimensions.is_empty();
        plain.then_some((filter, transformation))
    });
    writers
        .filter_map(|(filter, transformation)| {
            let pattern = decisions.pattern(&filter.filter_pattern).ok()?;
            Some(Noise {
                filter,
                transformation,
                event: matched(&made, &pattern, &required)?,
            })
        })
        .collect()
}

/// The routine event that a pattern matches and a control does not ask for: one whose rate is
/// documented before others.
fn matched(
    events: &[&'static RoutineEvent],
    pattern: &Pattern,
    required: &Pattern,
) -> Option<&'static RoutineEvent> {
    let events = events.iter().copied().filter(|known| {
        let event = Event::from_value(&known.event);
        matches(pattern, &event) == Match::Yes && matches(required, &event) == Match::No
    });
    events.min_by_key(|known| known.every.is_none())
}

/// What keeps an alarm from ever being quiet, directly or through its metric math; and whether it
/// is known to be enough to keep it in ALARM.
pub(super) fn heard<'n, 'v>(
    noise: &'n [Noise<'v>],
    alarm: &MetricAlarm,
    owner: Owner,
) -> Option<(&'n Noise<'v>, bool)> {
    let read = noise
        .iter()
        .filter(|noise| reads_plainly(alarm, noise.transformation, owner))
        .map(|noise| (noise, noise.keeps_alarming(alarm)));
    read.min_by_key(|(noise, enough)| (!enough, noise.event.every.is_none()))
}

/// Which of the routine events a trail makes and records: one bit for each.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Routine {
    /// Those that are known to be recorded.
    made: u8,
    /// Those that are recorded if what nobody can see is so.
    possible: u8,
}

impl Routine {
    /// Those of a trail, as far as that was seen.
    pub(super) fn of(evidence: &Reader<'_>, trail: &Trail) -> Self {
        let records = |arn: Option<&String>| {
            let account = arn.and_then(|arn| Arn::account_in(arn));
            account.is_some()
                && (trail.is_organization_trail == Some(true) || account == trail.owner())
        };
        let mut routine = Self::default();
        for (number, known) in EVENTS.iter().take(8).enumerate() {
            let bit = 1 << number;
            let admits = || selectors::admits_event(evidence, trail, &known.event);
            match known.condition {
                Condition::OwnKey if records(trail.kms_key_id.as_ref()) && admits() => {
                    routine.made |= bit;
                }
                Condition::LogRole
                    if records(trail.cloud_watch_logs_role_arn.as_ref()) && admits() =>
                {
                    routine.made |= bit;
                }
                Condition::DataEvents if selectors::admits_log_files(evidence, trail) => {
                    routine.made |= bit;
                }
                Condition::OwnBucket if trail.s3_bucket_name.is_some() && admits() => {
                    routine.possible |= bit;
                }
                _ => {}
            }
        }
        routine
    }

    fn made(self) -> Vec<&'static RoutineEvent> {
        events(self.made)
    }

    /// A routine event that a pattern matches and a control does not ask for, if the trail records
    /// it, which nobody can see.
    pub(super) fn may_match(
        self,
        pattern: &Pattern,
        required: &Pattern,
    ) -> Option<&'static RoutineEvent> {
        matched(&events(self.possible), pattern, required)
    }
}

fn events(bits: u8) -> Vec<&'static RoutineEvent> {
    let all = EVENTS.iter().take(8).enumerate();
    all.filter(|(number, _)| bits & (1 << number) != 0)
        .map(|(_, known)| known)
        .collect()
}

impl Noise<'_> {
    /// Whether the events alone keep an alarm in ALARM: their documented rate is enough for its
    /// threshold in each of its periods.
    fn keeps_alarming(&self, alarm: &MetricAlarm) -> bool {
        let (Some(every), Some(period), Some(threshold)) =
            (self.event.every, alarm.period, alarm.threshold)
        else {
            return false;
        };
        let value = || match self.transformation.metric_value.trim().parse::<f64>() {
            Ok(value) if value > 0.0 => Some(value),
            _ => None,
        };
        #[allow(
            clippy::cast_precision_loss,
            reason = "a period has at most 86,400 seconds"
        )]
        let events = (period / every) as f64;
        let datapoint = match alarm.statistic.as_deref() {
            Some("SampleCount") => Some(events),
            Some("Sum") => value().map(|value| value * events),
            Some("Maximum") if events >= 1.0 => value(),
            _ => None,
        };
        let Some(datapoint) = datapoint else {
            return false;
        };
        match alarm.comparison_operator.as_deref() {
            Some("GreaterThanOrEqualToThreshold") => datapoint >= threshold,
            Some("GreaterThanThreshold") => datapoint > threshold,
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
