//! Can an alarm fire on what a metric filter writes?
//!
//! The answer is an analysis, not a comparison with recommended settings: the least number of
//! matching events that moves the quiet alarm into ALARM, or the proof that none does. Quiet means
//! that logs arrive and no event matches: the metric then has the default values of the filters
//! that write it, or no data where they have none (CloudWatch Logs User Guide, "Creating metrics
//! from log events using filters"). Where the answer rests on how many default values there are,
//! of which AWS says two different things, nothing is decided.
//!
//! Not decided here: whether the filter matches the right events, and whether anybody is told.

mod datapoint;
mod expression;
mod reading;
mod statistic;
mod window;

#[cfg(test)]
mod tests;

use crate::account::AccountId;
use crate::evidence::{MetricAlarm, MetricFilter, MetricTransformation};
use crate::finding::Observation;
use crate::observation::ObservationKind;

pub use reading::{DimensionSource, Restriction, reads};
pub(in crate::evaluate) use window::{BELOW_A_MINUTE, LATCHES, MISSING_DATA_BREACHES, WRONG_WAY};

pub(in crate::evaluate) static NEEDS_SEVERAL: ObservationKind = ObservationKind {
    code: "alarm.needs-several-events",
    meaning: "The alarm goes into ALARM only after several matching events in its window, not after the first.",
};

/// What a metric filter writes, as far as an alarm can tell.
#[derive(Debug, Clone)]
pub struct Signal<'a> {
    transformation: &'a MetricTransformation,
    system_fields: &'a [String],
    /// The account whose CloudWatch holds the metric: the log group's.
    account: AccountId,
    /// What other filters write to the same metric.
    beside: Vec<Beside<'a>>,
}

/// What another filter of the log group writes to the same metric while nothing happens.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Beside<'a> {
    /// The other filter's transformation.
    pub transformation: &'a MetricTransformation,
    /// The value: its default value, or that of every event where it matches every one.
    pub value: f64,
    /// Whether it writes the same beside the events in question.
    pub always: bool,
}

impl<'a> Beside<'a> {
    /// What a filter writes for events that it does not match; `None` where that is nothing.
    pub fn default_of(transformation: &'a MetricTransformation) -> Option<Self> {
        Some(Self {
            transformation,
            value: transformation.default_value?,
            always: false,
        })
    }

    /// What a filter writes that matches every event, where that is a fixed number.
    pub fn value_of(transformation: &'a MetricTransformation) -> Option<Self> {
        Some(Self {
            transformation,
            value: fixed(transformation)?,
            always: true,
        })
    }
}

impl<'a> Signal<'a> {
    /// What one transformation of a filter writes into the CloudWatch of the log group's account.
    pub fn new(
        filter: &'a MetricFilter,
        transformation: &'a MetricTransformation,
        account: AccountId,
    ) -> Self {
        Self {
            transformation,
            system_fields: &filter.emit_system_field_dimensions,
            account,
            beside: Vec::new(),
        }
    }

    /// The same signal where other filters write to its metric, too.
    #[must_use]
    pub fn beside(mut self, others: impl IntoIterator<Item = Beside<'a>>) -> Self {
        self.beside.extend(others);
        self
    }

    /// The value of one matching event, where the filter writes a fixed number.
    fn value(&self) -> Option<f64> {
        fixed(self.transformation)
    }

    /// What is written where nothing matches. Dimensions and default values exclude each other.
    fn default_value(&self) -> Option<f64> {
        self.transformation.default_value
    }

    /// The unit data points carry.
    fn unit(&self) -> &str {
        unit(self.transformation)
    }
}

fn fixed(transformation: &MetricTransformation) -> Option<f64> {
    let value = transformation.metric_value.trim().parse().ok();
    value.filter(|value: &f64| value.is_finite())
}

/// The unit data points carry; `None` is the name of the absent unit.
fn unit(transformation: &MetricTransformation) -> &str {
    transformation.unit.as_deref().unwrap_or("None")
}

/// What an alarm makes of a signal.
#[derive(Debug, Clone, PartialEq)]
pub enum Firing {
    /// The alarm watches some other metric.
    Unrelated,
    /// Enough matching events move the quiet alarm into ALARM.
    Fires(Fires),
    /// Nothing that the filter can write moves the alarm from quiet into ALARM.
    Cannot {
        /// Why, as a clause that starts with the alarm as subject: "needs ...".
        why: String,
    },
    /// Whether it fires was not decided.
    Undecided {
        /// Why not, as a clause.
        why: String,
    },
}

/// How an alarm fires.
#[derive(Debug, Clone, PartialEq)]
pub struct Fires {
    /// The least number of matching events that moves the quiet alarm into ALARM, if they come at
    /// the best moments within its window.
    pub events: u64,
    /// The events the alarm is confined to; empty when it sees every event of the filter.
    pub restrictions: Vec<Restriction>,
    /// What is worth knowing about how it fires.
    pub observations: Vec<Observation>,
}

/// Analyses one alarm on one signal: every way in which the alarm reads it, of which there may be
/// several where metric math adds up one metric by its dimensions.
pub fn analyse(alarm: &MetricAlarm, signal: &Signal<'_>) -> Vec<Firing> {
    reading::of(alarm, signal)
        .into_iter()
        .map(|outcome| match outcome {
            reading::Outcome::Unrelated => Firing::Unrelated,
            reading::Outcome::Mismatch(why) => Firing::Cannot { why },
            reading::Outcome::Undecided(why) => Firing::Undecided { why },
            reading::Outcome::Reads(reading) => fires(alarm, reading, signal),
        })
        .collect()
}

fn fires(alarm: &MetricAlarm, reading: reading::Reading, signal: &Signal<'_>) -> Firing {
    match window::least_events(alarm, &reading, signal) {
        Err(window::Obstacle::Cannot(why)) => Firing::Cannot { why },
        Err(window::Obstacle::Undecided(why)) => Firing::Undecided { why },
        Ok(window::Result {
            events,
            mut observations,
        }) => {
            if events > 1 {
                observations.push(NEEDS_SEVERAL.observation(format!(
                    "the alarm `{}` goes into ALARM only after {events} matching events in its \
                     window, not after the first",
                    alarm.alarm_name
                )));
            }
            observations.sort();
            Firing::Fires(Fires {
                events,
                restrictions: reading.restrictions,
                observations,
            })
        }
    }
}
