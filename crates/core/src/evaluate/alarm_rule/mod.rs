//! Composite alarms: the rule language (CloudWatch API Reference, `PutCompositeAlarm`, `AlarmRule`;
//! CloudWatch User Guide, "Composite alarms") and whether one alarm alone can drive a composite
//! alarm into ALARM.

mod drive;
mod graph;
mod parse;

#[cfg(test)]
mod tests;

pub use drive::{Also, Composites, Drive, Drives};
pub use parse::{InvalidRule, parse};

/// A rule over the states of other alarms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rule {
    /// `TRUE` or `FALSE`.
    Constant(bool),
    /// A state function: whether an alarm is in a state.
    Is(State, String),
    /// `NOT rule`.
    Not(Box<Rule>),
    /// `rule AND rule ...`.
    And(Vec<Rule>),
    /// `rule OR rule ...`.
    Or(Vec<Rule>),
    /// `AT_LEAST(threshold, [NOT] state, (alarms))`.
    AtLeast {
        /// How many of the alarms it takes.
        threshold: Threshold,
        /// The state that counts.
        state: State,
        /// Whether alarms in any other state count instead.
        negated: bool,
        /// Names or ARNs of the alarms.
        alarms: Vec<String>,
    },
}

/// How many alarms `AT_LEAST` wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Threshold {
    /// So many.
    Count(usize),
    /// So many percent of those listed.
    Percent(usize),
}

/// The states of an alarm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// `ALARM`.
    Alarm,
    /// `OK`.
    Ok,
    /// `INSUFFICIENT_DATA`.
    InsufficientData,
}
