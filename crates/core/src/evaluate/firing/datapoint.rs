//! How many matching events it takes for one data point of an alarm to breach its threshold.

use super::statistic::{Datapoint, Samples, Statistic};

/// More events than any window sees. A threshold that this many do not reach is out of reach.
const OUT_OF_REACH: f64 = 1e9;

/// How an alarm compares data points with its threshold. Anomaly detection bands are not
/// comparisons with a number and have no place here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Comparison {
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
}

impl Comparison {
    /// Reads `ComparisonOperator`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        match text {
            "GreaterThanThreshold" => Some(Self::Greater),
            "GreaterThanOrEqualToThreshold" => Some(Self::GreaterOrEqual),
            "LessThanThreshold" => Some(Self::Less),
            "LessThanOrEqualToThreshold" => Some(Self::LessOrEqual),
            _ => None,
        }
    }

    fn holds(self, value: f64, threshold: f64) -> bool {
        match self {
            Self::Greater => value > threshold,
            Self::GreaterOrEqual => value >= threshold,
            Self::Less => value < threshold,
            Self::LessOrEqual => value <= threshold,
        }
    }
}

/// How often a default value is written. AWS documents both: once for a minute in which logs
/// arrived and none matched (CloudWatch Logs User Guide, "Creating metrics from log events using
/// filters"), and once for every event that does not match (CloudWatch Logs API Reference,
/// `MetricTransformation`).
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Defaults {
    PerQuietMinute,
    /// For so many events of the period that do not match, besides those that do.
    PerEvent(f64),
}

/// One period of an alarm: everything that decides whether its data point breaches.
#[derive(Debug, Clone)]
pub(super) struct Period {
    pub(super) statistic: Statistic,
    pub(super) comparison: Comparison,
    pub(super) threshold: f64,
    /// Whole minutes in a period, at least one: metric filters write once a minute.
    pub(super) minutes: u32,
    pub(super) value: f64,
    /// What the filter writes where nothing matches.
    pub(super) default: Option<f64>,
    /// What other filters write to the same metric because they match none of the events.
    pub(super) beside: Vec<f64>,
    /// What further filters write to it while nothing happens, and may not write beside an event.
    pub(super) overlapping: Vec<f64>,
    /// What `FILL` puts in place of a missing data point.
    pub(super) fill: Option<f64>,
    /// The factor and the summand that metric math applies to a data point.
    pub(super) factor: f64,
    pub(super) summand: f64,
}

/// Whether a data point breaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Breach {
    Missing,
    No,
    Yes,
    /// Only bounds of the statistic are known.
    Maybe,
}

impl Period {
    fn breach(&self, events: f64, minutes_with_events: f64, defaults: Defaults) -> Breach {
        let minutes = f64::from(self.minutes);
        let (own, others) = match defaults {
            Defaults::PerQuietMinute => (minutes - minutes_with_events, minutes),
            Defaults::PerEvent(more) => (more, more + events),
        };
        let overlapping = if events > 0.0 { 0.0 } else { others };
        let samples = [Samples {
            value: self.value,
            count: events,
        }]
        .into_iter()
        .chain(self.default.map(|value| Samples { value, count: own }))
        .chain(self.beside.iter().map(|value| Samples {
            value: *value,
            count: others,
        }))
        .chain(self.overlapping.iter().map(|value| Samples {
            value: *value,
            count: overlapping,
        }));
        let datapoint = self.statistic.of(samples);
        let (low, high) = match (datapoint, self.fill) {
            (Datapoint::Between(low, high), _) => (
                low * self.factor + self.summand,
                high * self.factor + self.summand,
            ),
            (Datapoint::Missing, Some(fill)) => {
                let value = fill * self.factor + self.summand;
                (value, value)
            }
            (Datapoint::Missing, None) => return Breach::Missing,
        };
        match (
            self.comparison.holds(low, self.threshold),
            self.comparison.holds(high, self.threshold),
        ) {
            (true, true) => Breach::Yes,
            (false, false) => Breach::No,
            _ => Breach::Maybe,
        }
    }

    /// The data point of a period without a matching event; `None` where that depends on how many
    /// other events there are.
    pub(super) fn quiet(&self) -> Option<Breach> {
        let quiet = |defaults| self.breach(0.0, 0.0, defaults);
        let breach = quiet(Defaults::PerQuietMinute);
        [1.0, OUT_OF_REACH]
            .into_iter()
            .all(|more| quiet(Defaults::PerEvent(more)) == breach)
            .then_some(breach)
    }

    /// The least number of events in one period that makes its data point breach, whatever
    /// minutes they come in.
    pub(super) fn least_events(&self) -> Option<u64> {
        (1..=self.minutes)
            .filter_map(|minutes| self.least_events_in(f64::from(minutes)))
            .min()
    }

    /// The least number of events in exactly so many minutes. With their number, every statistic
    /// only grows, only falls or stays, so one step from "no" to "yes" is all there can be.
    fn least_events_in(&self, minutes: f64) -> Option<u64> {
        let breaches =
            |events: f64| self.breach(events, minutes, Defaults::PerQuietMinute) == Breach::Yes;
        if breaches(minutes) {
            return Some(count(minutes));
        }
        if !breaches(OUT_OF_REACH) {
            return None;
        }
        let (mut no, mut yes) = (minutes, OUT_OF_REACH);
        while yes - no > 1.0 {
            let middle = f64::midpoint(no, yes).floor();
            if breaches(middle) {
                yes = middle;
            } else {
                no = middle;
            }
        }
        Some(count(yes))
    }

    /// Whether some number of events makes the data point breach where default values are written
    /// for every other event, of which there is one.
    pub(super) fn breaches_among_others(&self, least: Option<u64>) -> bool {
        [least.map_or(1.0, as_number), OUT_OF_REACH]
            .into_iter()
            .any(|events| self.breach(events, 1.0, Defaults::PerEvent(1.0)) == Breach::Yes)
    }

    /// Whether still more events than the least number may not breach: the comparison then looks
    /// the wrong way for an alarm on too many events.
    pub(super) fn falls_silent(&self, events: u64) -> bool {
        let minutes = f64::from(self.minutes).min(as_number(events));
        self.breach(OUT_OF_REACH, minutes, Defaults::PerQuietMinute) != Breach::Yes
    }
}

/// Numbers of events are whole and far below the precision of a double.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "whole, positive and at most OUT_OF_REACH"
)]
fn count(events: f64) -> u64 {
    events as u64
}

#[allow(clippy::cast_precision_loss, reason = "at most OUT_OF_REACH")]
fn as_number(events: u64) -> f64 {
    events as f64
}
