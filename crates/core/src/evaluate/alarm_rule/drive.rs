//! Whether one alarm alone can drive a composite alarm into ALARM.

use std::sync::Arc;

use super::{Rule, State, Threshold, parse};
use crate::evidence::{CompositeAlarm, MetricAlarm};

/// Composite alarms over composite alarms; AWS refuses cycles.
const MAX_NESTING: usize = 16;

/// What an alarm that goes into ALARM does to a composite alarm, above all while all others are
/// quiet, that is in OK or `INSUFFICIENT_DATA`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Drive {
    /// The composite alarm goes into ALARM with it.
    Yes,
    /// It goes into ALARM with it as long as others stay in the states in which they were seen.
    Now(String),
    /// It would, were it not in ALARM already, because of others that were seen there. A composite
    /// alarm notifies somebody when it changes into ALARM.
    Held(String),
    /// It would, were it not kept from ALARM by others that were seen in ALARM.
    Blocked(String),
    /// The composite alarm does not change into ALARM.
    No,
    /// That depends on states that nobody knows, or on a rule that could not be read.
    Undecided(String),
}

/// The alarms of an account and region, as far as they were seen.
#[derive(Debug, Clone, Copy)]
pub struct Others<'a> {
    /// The metric alarms, whose states count.
    pub metric: &'a [Arc<MetricAlarm>],
    /// The composite alarms, whose rules count.
    pub composite: &'a [CompositeAlarm],
}

/// Whether `alarm` alone can drive `composite` into ALARM, directly or through other composite
/// alarms of the same account and region.
pub fn drives(alarm: &MetricAlarm, composite: &CompositeAlarm, others: Others<'_>) -> Drive {
    let rule = match parse(&composite.alarm_rule) {
        Ok(rule) => rule,
        Err(error) => return Drive::Undecided(error.to_string()),
    };
    let evaluate = |states| {
        [false, true].map(|fired| {
            Scene {
                alarm,
                fired,
                others,
                states,
            }
            .rule(&rule, 0)
        })
    };
    let quiet = evaluate(States::Quiet);
    // In ALARM without it: no change of state, no notification.
    if quiet[0] == Some(true) || quiet[1] == Some(false) {
        return Drive::No;
    }
    let loud = || {
        let mut names = Vec::new();
        collect(&rule, alarm, others, 0, &mut names);
        names.join(", ")
    };
    match (evaluate(States::InAlarm), quiet) {
        ([_, Some(false)], _) => Drive::Blocked(loud()),
        ([Some(true), _], [Some(false), Some(true)]) => Drive::Held(loud()),
        // Something that was not seen holds it there: the alarm itself does not.
        ([Some(false), Some(true)], _) if is_in_alarm_without(composite, alarm) => {
            Drive::Held("another alarm".to_owned())
        }
        ([Some(false), Some(true)], _) => Drive::Yes,
        _ if evaluate(States::Seen) == [Some(false), Some(true)] => {
            Drive::Now(composite.alarm_name.clone())
        }
        _ => Drive::Undecided("its rule depends on the states of other alarms".to_owned()),
    }
}

fn is_in_alarm_without(composite: &CompositeAlarm, alarm: &MetricAlarm) -> bool {
    composite.state_value.as_deref() == Some("ALARM")
        && matches!(
            alarm.state_value.as_deref(),
            Some("OK" | "INSUFFICIENT_DATA")
        )
}

/// The metric alarms that a rule names, itself or through others, and that were seen in ALARM.
fn collect(
    rule: &Rule,
    own: &MetricAlarm,
    others: Others<'_>,
    nesting: usize,
    names: &mut Vec<String>,
) {
    let mut by_name = |name: &str| {
        let metric = others.metric.iter().find(|other| is_named(other, name));
        if let Some(other) = metric {
            let name = format!("`{}`", other.alarm_name);
            let loud = other.state_value.as_deref() == Some("ALARM");
            if loud && other.alarm_name != own.alarm_name && !names.contains(&name) {
                names.push(name);
            }
        } else if let Some(composite) = composite(others, name)
            && nesting < MAX_NESTING
            && let Ok(rule) = parse(&composite.alarm_rule)
        {
            collect(&rule, own, others, nesting + 1, names);
        }
    };
    match rule {
        Rule::Constant(_) => {}
        Rule::Is(_, name) => by_name(name),
        Rule::AtLeast { alarms, .. } => alarms.iter().for_each(|name| by_name(name)),
        Rule::Not(rule) => collect(rule, own, others, nesting, names),
        Rule::And(rules) | Rule::Or(rules) => {
            for rule in rules {
                collect(rule, own, others, nesting, names);
            }
        }
    }
}

fn is_named(alarm: &MetricAlarm, name: &str) -> bool {
    alarm.alarm_name == name || alarm.alarm_arn.as_deref() == Some(name)
}

fn composite<'a>(others: Others<'a>, name: &str) -> Option<&'a CompositeAlarm> {
    others
        .composite
        .iter()
        .find(|other| other.alarm_name == name || other.alarm_arn.as_deref() == Some(name))
}

/// What the other metric alarms are taken to be.
#[derive(Debug, Clone, Copy)]
enum States {
    /// Quiet: in OK or `INSUFFICIENT_DATA`, nobody knows which.
    Quiet,
    /// Those that were seen in ALARM are; others are quiet.
    InAlarm,
    /// All as they were seen.
    Seen,
}

/// The states of all alarms, one of which may have fired.
struct Scene<'a> {
    alarm: &'a MetricAlarm,
    fired: bool,
    others: Others<'a>,
    states: States,
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
        if is_named(self.alarm, name) {
            return in_state(state, self.fired);
        }
        match composite(self.others, name) {
            Some(composite) if nesting < MAX_NESTING => {
                let rule = parse(&composite.alarm_rule).ok()?;
                let in_alarm = self.rule(&rule, nesting + 1)?;
                // Composite alarms lack data only until they are evaluated for the first time
                // (CloudWatch API Reference, `PutCompositeAlarm`).
                Some(match state {
                    State::Alarm => in_alarm,
                    State::Ok => !in_alarm,
                    State::InsufficientData => false,
                })
            }
            Some(_) => None,
            None => self.other(state, name),
        }
    }

    /// Whether a metric alarm that has not fired for the event is in a state.
    fn other(&self, state: State, name: &str) -> Option<bool> {
        if matches!(self.states, States::Quiet) {
            return in_state(state, false);
        }
        let seen = self
            .others
            .metric
            .iter()
            .find(|other| is_named(other, name))
            .and_then(|other| other.state_value.as_deref());
        let seen = match seen {
            Some("ALARM") => Some(State::Alarm),
            Some("OK") => Some(State::Ok),
            Some("INSUFFICIENT_DATA") => Some(State::InsufficientData),
            _ => None,
        };
        match (self.states, seen) {
            (States::Seen | States::InAlarm, Some(State::Alarm)) => in_state(state, true),
            (States::Seen, Some(seen)) => Some(seen == state),
            _ => in_state(state, false),
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
