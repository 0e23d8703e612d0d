//! Whether one alarm alone can drive a composite alarm into ALARM.

use super::{Rule, State, Threshold, parse};
use crate::evidence::{CompositeAlarm, MetricAlarm};

/// Composite alarms over composite alarms; AWS refuses cycles.
const MAX_NESTING: usize = 16;

/// What an alarm that goes into ALARM does to a composite alarm while all others are quiet, that
/// is in OK or `INSUFFICIENT_DATA`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Drive {
    /// The composite alarm goes into ALARM with it.
    Yes,
    /// The composite alarm does not change into ALARM.
    No,
    /// That depends on states that nobody knows, or on a rule that could not be read.
    Undecided(String),
}

/// Whether `alarm` alone can drive `composite` into ALARM, directly or through other composite
/// alarms of the same account and region.
pub fn drives(alarm: &MetricAlarm, composite: &CompositeAlarm, others: &[CompositeAlarm]) -> Drive {
    let rule = match parse(&composite.alarm_rule) {
        Ok(rule) => rule,
        Err(error) => return Drive::Undecided(error.to_string()),
    };
    let evaluate = |fired| {
        Scene {
            alarm,
            fired,
            composites: others,
        }
        .rule(&rule, 0)
    };
    match (evaluate(false), evaluate(true)) {
        // In ALARM without it: no change of state, no notification.
        (Some(true), _) | (_, Some(false)) => Drive::No,
        (Some(false), Some(true)) => Drive::Yes,
        _ => Drive::Undecided("its rule depends on the states of other alarms".to_owned()),
    }
}

/// The states of all alarms: one may have fired, the others are quiet.
struct Scene<'a> {
    alarm: &'a MetricAlarm,
    fired: bool,
    composites: &'a [CompositeAlarm],
}

impl Scene<'_> {
    /// Three-valued: `None` is unknown.
    fn rule(&self, rule: &Rule, nesting: usize) -> Option<bool> {
        match rule {
            Rule::Constant(value) => Some(*value),
            Rule::Is(state, alarm) => self.is(*state, alarm, nesting),
            Rule::Not(rule) => self.rule(rule, nesting).map(|value| !value),
            Rule::And(rules) => self.all(rules, nesting, false),
            Rule::Or(rules) => self.all(rules, nesting, true),
            Rule::AtLeast {
                threshold,
                state,
                negated,
                alarms,
            } => {
                let needed = match threshold {
                    Threshold::Count(count) => *count,
                    Threshold::Percent(percent) => {
                        alarms.len().saturating_mul(*percent).div_ceil(100)
                    }
                };
                let (mut certain, mut possible) = (0, 0);
                for alarm in alarms {
                    let counts = self
                        .is(*state, alarm, nesting)
                        .map(|value| value != *negated);
                    certain += usize::from(counts == Some(true));
                    possible += usize::from(counts != Some(false));
                }
                match (certain >= needed, possible >= needed) {
                    (true, _) => Some(true),
                    (_, false) => Some(false),
                    _ => None,
                }
            }
        }
    }

    /// `decisive` decides as soon as it occurs: false for AND, true for OR.
    fn all(&self, rules: &[Rule], nesting: usize, decisive: bool) -> Option<bool> {
        let mut result = Some(!decisive);
        for rule in rules {
            match self.rule(rule, nesting) {
                Some(value) if value == decisive => return Some(decisive),
                Some(_) => {}
                None => result = None,
            }
        }
        result
    }

    fn is(&self, state: State, name: &str, nesting: usize) -> Option<bool> {
        let is_named = |own: &str, arn: Option<&str>| own == name || arn == Some(name);
        if is_named(&self.alarm.alarm_name, self.alarm.alarm_arn.as_deref()) {
            return in_state(state, self.fired);
        }
        let composite = self
            .composites
            .iter()
            .find(|composite| is_named(&composite.alarm_name, composite.alarm_arn.as_deref()));
        match composite {
            Some(composite) if nesting < MAX_NESTING => {
                let rule = parse(&composite.alarm_rule).ok()?;
                let in_alarm = self.rule(&rule, nesting + 1)?;
                in_state(state, in_alarm)
            }
            Some(_) => None,
            None => in_state(state, false),
        }
    }
}

/// Whether an alarm that is in ALARM, or quiet, is in a state. Quiet alarms are in OK or
/// `INSUFFICIENT_DATA`, nobody knows which.
fn in_state(state: State, in_alarm: bool) -> Option<bool> {
    match (state, in_alarm) {
        (State::Alarm, in_alarm) => Some(in_alarm),
        (State::Ok | State::InsufficientData, true) => Some(false),
        (State::Ok | State::InsufficientData, false) => None,
    }
}
