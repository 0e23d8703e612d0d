//! The rules of composite alarms.

use std::fmt::Write as _;
use std::sync::Arc;

use trailproof_core::evaluate::alarm_rule::{
    Also, Composites, Drive, Rule, State, Threshold, parse,
};
use trailproof_core::evidence::{CompositeAlarm, MetricAlarm};

use crate::text;

/// So many composite alarms are judged together.
const ALARMS: usize = 40;

/// Each line is a rule: of the alarms `c0`, `c1` and so on, over the metric alarms `m0`, `m1` and
/// `m2`. A rule is read, or the error points into it; it is written so that it reads the same; and
/// whatever the rules say of each other, what an alarm does to them is decided in the end.
pub(crate) fn alarm_rules(data: &[u8]) {
    let rules: Vec<&str> = text(data).lines().take(ALARMS).collect();
    for text in &rules {
        match parse(text) {
            Ok(rule) => {
                let mut printed = String::new();
                print(&rule, &mut printed);
                // Every part has brackets of its own here, and their nesting has a limit.
                match parse(&printed) {
                    Ok(again) => assert_eq!(again, rule, "{printed}"),
                    Err(error) => assert_eq!(error.expected, "less nesting", "{printed}"),
                }
            }
            Err(error) => {
                assert!(!error.expected.is_empty());
                assert!(text.is_char_boundary(error.offset), "{error}");
            }
        }
    }
    let metric: Vec<_> = ["OK", "ALARM", "INSUFFICIENT_DATA"]
        .iter()
        .enumerate()
        .map(|(index, state)| {
            Arc::new(MetricAlarm {
                alarm_name: format!("m{index}").into(),
                state_value: Some((*state).into()),
                ..MetricAlarm::default()
            })
        })
        .collect();
    let composite: Vec<_> = rules
        .iter()
        .enumerate()
        .map(|(index, rule)| {
            Arc::new(CompositeAlarm {
                alarm_name: format!("c{index}").into(),
                alarm_rule: (*rule).to_owned(),
                ..CompositeAlarm::default()
            })
        })
        .collect();
    let composites = Composites::new(&metric, &composite);
    for alarm in &metric {
        for also in [Also::No, Also::Maybe, Also::Yes] {
            let drives = composites.drives(alarm, |_| also);
            for (index, drive) in drives.iter() {
                let rule = rules.get(*index).expect("a drive is of one of the alarms");
                // What cannot be read is never proved, and whatever comes of it.
                if parse(rule).is_err() {
                    assert!(matches!(drive, Drive::Undecided(_)), "{rule}: {drive:?}");
                }
            }
            assert_eq!(drives, composites.drives(alarm, |_| also));
        }
    }
}

fn print(rule: &Rule, text: &mut String) {
    match rule {
        Rule::Constant(value) => text.push_str(if *value { "TRUE" } else { "FALSE" }),
        Rule::Is(state, alarm) => {
            text.push_str(word(*state));
            text.push('(');
            name(alarm, text);
            text.push(')');
        }
        Rule::Not(rule) => {
            text.push_str("NOT (");
            print(rule, text);
            text.push(')');
        }
        Rule::And(rules) => joined(rules, " AND ", text),
        Rule::Or(rules) => joined(rules, " OR ", text),
        Rule::AtLeast {
            threshold,
            state,
            negated,
            alarms,
        } => {
            let threshold = match threshold {
                Threshold::Count(count) => count.to_string(),
                Threshold::Percent(percent) => format!("{percent}%"),
            };
            let not = if *negated { "NOT " } else { "" };
            let state = word(*state);
            // Writing to a String cannot fail.
            let _ = write!(text, "AT_LEAST({threshold}, {not}{state}, (");
            for (index, alarm) in alarms.iter().enumerate() {
                if index > 0 {
                    text.push_str(", ");
                }
                name(alarm, text);
            }
            text.push_str("))");
        }
    }
}

fn joined(rules: &[Rule], with: &str, text: &mut String) {
    for (index, rule) in rules.iter().enumerate() {
        if index > 0 {
            text.push_str(with);
        }
        text.push('(');
        print(rule, text);
        text.push(')');
    }
}

/// Names that are written without quotes have none in them, and others no blanks that count.
fn name(name: &str, text: &mut String) {
    text.push('"');
    text.push_str(name);
    text.push('"');
}

fn word(state: State) -> &'static str {
    match state {
        State::Alarm => "ALARM",
        State::Ok => "OK",
        State::InsufficientData => "INSUFFICIENT_DATA",
    }
}
