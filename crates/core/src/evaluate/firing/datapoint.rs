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

/// One period of an alarm: everything that decides whether its data point breaches.
#[derive(Debug, Clone, Copy)]
pub(super) struct Period {
    pub(super) statistic: Statistic,
    pub(super) comparison: Comparison,
    pub(super) threshold: f64,
    /// Whole minutes in a period, at least one: metric filters write once a minute.
    pub(super) minutes: u32,
    pub(super) value: f64,
    pub(super) default: Option<f64>,
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
    fn breach(&self, events: f64, minutes_with_events: f64) -> Breach {
        let datapoint = self.statistic.of(Samples {
            events,
            value: self.value,
            quiet_minutes: f64::from(self.minutes) - minutes_with_events,
            default: self.default,
        });
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

    /// The data point of a period without a matching event.
    pub(super) fn quiet(&self) -> Breach {
        self.breach(0.0, 0.0)
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
        let breaches = |events: f64| self.breach(events, minutes) == Breach::Yes;
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

    /// Whether still more events than the least number may not breach: the comparison then looks
    /// the wrong way for an alarm on too many events.
    pub(super) fn falls_silent(&self, events: u64) -> bool {
        let minutes = f64::from(self.minutes).min(as_number(events));
        self.breach(OUT_OF_REACH, minutes) != Breach::Yes
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
