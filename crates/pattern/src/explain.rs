//! Why a pattern does not match an event: the conditions that stand in the way.

use serde_json::Value;

use super::evaluate::condition_matches;
use super::{Condition, Expression, Form, Match, Pattern, Step, Term, TermKind};

/// A condition that an event does not satisfy, and what the event has instead.
#[derive(Debug, Clone, PartialEq)]
pub struct Obstacle {
    /// The condition as it is written in a pattern.
    pub condition: String,
    /// What stands where the condition looks; `None` where nothing does, or where it looks at the
    /// whole message.
    pub found: Option<Value>,
}

/// The conditions that keep a pattern from matching an event: the fewest that would have to hold.
/// Empty where the pattern matches, or where that is not documented.
pub fn obstacles(pattern: &Pattern, event: &Value) -> Vec<Obstacle> {
    match pattern.form() {
        Form::Json(expression) => match blocking(expression, event) {
            Some(conditions) => conditions
                .into_iter()
                .map(|condition| Obstacle {
                    condition: condition.to_string(),
                    found: found(condition, event),
                })
                .collect(),
            None => Vec::new(),
        },
        Form::Terms(terms) => {
            let message = event.to_string();
            let blocks = |term: &&Term| match term.kind {
                TermKind::Required => !message.contains(&term.text),
                TermKind::Excluded => message.contains(&term.text),
                TermKind::Optional => false,
            };
            terms
                .iter()
                .filter(blocks)
                .map(|term| Obstacle {
                    condition: term.to_string(),
                    found: None,
                })
                .collect()
        }
        Form::Regex(regex) if !regex.is_match(&event.to_string()) => vec![Obstacle {
            condition: pattern.to_string(),
            found: None,
        }],
        _ => Vec::new(),
    }
}

/// `None` where the expression holds.
fn blocking<'a>(expression: &'a Expression, event: &Value) -> Option<Vec<&'a Condition>> {
    match expression {
        Expression::Condition(condition) => {
            (condition_matches(condition, event) != Match::Yes).then(|| vec![condition])
        }
        Expression::All(parts) => {
            let blocked: Vec<&Condition> = parts
                .iter()
                .filter_map(|part| blocking(part, event))
                .flatten()
                .collect();
            (!blocked.is_empty()).then_some(blocked)
        }
        Expression::Any(parts) => {
            let mut fewest: Option<Vec<&Condition>> = None;
            for part in parts {
                let blocked = blocking(part, event)?;
                if fewest
                    .as_ref()
                    .is_none_or(|fewest| blocked.len() < fewest.len())
                {
                    fewest = Some(blocked);
                }
            }
            fewest
        }
    }
}

fn found(condition: &Condition, event: &Value) -> Option<Value> {
    let target = condition
        .selector
        .steps
        .iter()
        .try_fold(event, |value, step| match step {
            Step::Member(name) => value.get(name),
            Step::Index(index) => value.get(index),
            Step::AnyMember | Step::AnyIndex => None,
        });
    target.cloned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_condition_in_the_way_is_named() {
        let pattern = Pattern::parse(
            r#"{ $.eventName = ConsoleLogin && ($.userIdentity.type = "Root" || $.a = 1 && $.b = 2) }"#,
        )
        .unwrap();
        let event = json!({"eventName": "ConsoleLogin", "userIdentity": {"type": "IAMUser"}});
        assert_eq!(
            obstacles(&pattern, &event),
            [Obstacle {
                condition: "$.userIdentity.type = \"Root\"".to_owned(),
                found: Some(json!("IAMUser")),
            }]
        );
        let event = json!({"eventName": "ConsoleLogin", "a": 1, "b": 2});
        assert_eq!(obstacles(&pattern, &event), []);
    }
}
