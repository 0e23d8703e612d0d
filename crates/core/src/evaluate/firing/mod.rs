//! Can an alarm fire on what a metric filter writes?
//!
//! The answer is an analysis, not a comparison with recommended settings: the least number of
//! matching events that moves the quiet alarm into ALARM, or the proof that none does. Quiet means
//! that logs arrive and no event matches: the metric then has the default values of the filters
//! that write it, or no data where they have none (CloudWatch Logs User Guide, "Creating metrics
//! from log events using filters"). Where the answer rests on how many default values there are,
//! of which AWS says two different things, nothing is decided.
//!
//! Everything that writes to a metric the alarm reads takes part: other metric filters of the log
//! group with their values, for the events in question as far as they match them, and for others
//! as often as they like. A metric that nobody is known to write is unknown, never quiet.
//!
//! Not decided here: whether the filter matches the right events, and whether anybody is told.

mod datapoint;
mod expression;
mod reading;
mod statistic;
mod window;
mod writer;

#[cfg(test)]
pub(in crate::evaluate) mod model;
#[cfg(test)]
mod tests;

use crate::evidence::MetricAlarm;
use crate::finding::Observation;

pub(in crate::evaluate) use reading::is_by_query;
pub use reading::{DimensionSource, Owner, Restriction, metrics_beside, reads, reads_plainly};
pub(in crate::evaluate) use window::{BELOW_A_MINUTE, LATCHES, MISSING_DATA_BREACHES, WRONG_WAY};
pub use writer::{Share, Signal, Writer};

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
    /// The least number of matching events in one period, if they come at the best moments.
    pub each: u64,
    /// In how many periods there have to be so many.
    pub periods: u64,
    /// Of how many periods in a row those may be.
    pub evaluated: u64,
    /// Seconds of a period.
    pub period: u64,
    /// Seconds from an event to the message, where that takes several periods.
    pub delay: u64,
    /// Whether periods begin and end by the clock, and count when they have ended.
    pub wall_clock: bool,
    /// The events the alarm is confined to; empty when it sees every event of the filter.
    pub restrictions: Vec<Restriction>,
    /// What is worth knowing about how it fires.
    pub observations: Vec<Observation>,
}

impl Fires {
    /// The least number of matching events that moves the quiet alarm into ALARM.
    pub fn events(&self) -> u64 {
        self.each.saturating_mul(self.periods)
    }

    /// The seconds over which events have to keep coming.
    pub fn span(&self) -> u64 {
        if self.periods > 1 || self.wall_clock {
            self.periods.saturating_mul(self.period)
        } else {
            0
        }
    }

    /// The events it takes: their number, or their rhythm.
    pub fn rhythm(&self) -> String {
        let events = match self.each {
            1 => "one matching event".to_owned(),
            many => format!("{many} matching events"),
        };
        match self.periods {
            1 => events,
            all if all == self.evaluated => format!(
                "{events} in each of {all} periods of {} in a row",
                seconds(self.period)
            ),
            some => format!(
                "{events} in each of {some} among {} periods of {} in a row",
                self.evaluated,
                seconds(self.period)
            ),
        }
    }
}

/// A number of seconds in the greatest unit that says it exactly.
pub fn seconds(seconds: u64) -> String {
    for (unit, name) in [(86_400, "day"), (3_600, "hour"), (60, "minute")] {
        if seconds >= unit && seconds.is_multiple_of(unit) {
            let number = seconds / unit;
            let plural = if number == 1 { "" } else { "s" };
            return format!("{number} {name}{plural}");
        }
    }
    format!("{seconds} seconds")
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
            reading::Outcome::Reads(reading) => match window::fires(alarm, &reading) {
                Ok(fires) => Firing::Fires(fires),
                Err(window::Obstacle::Cannot(why)) => Firing::Cannot { why },
                Err(window::Obstacle::Undecided(why)) => Firing::Undecided { why },
            },
        })
        .collect()
}
