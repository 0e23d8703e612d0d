//! Why a pattern does not match an event: the conditions that stand in the way.

use std::cmp::{Ordering, Reverse};
use std::fmt;

use serde_json::Value;

use super::evaluate::condition_matches;
use super::{Answers, Condition, Expression, Form, Match, Pattern, Step, Term, TermKind};

/// A condition that an event does not satisfy, and what the event has instead.
#[derive(Debug, Clone, PartialEq)]
pub struct Obstacle {
    /// The condition as it is written in a pattern.
    pub condition: String,
    /// How many other alternatives of the pattern are no nearer: any of them would do as well.
    pub alternatives: usize,
    /// What the event has where the condition looks.
    pub found: Found,
}

/// What an event has where a condition looks.
#[derive(Debug, Clone, PartialEq)]
pub enum Found {
    /// This value.
    Value(Value),
    /// Nothing: the event has no such field. The text is the field's selector.
    Absent(String),
    /// The condition looks at the whole message, or at several places.
    Elsewhere,
}

impl fmt::Display for Obstacle {
    /// A clause that says what does not hold, and why.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            condition,
            alternatives,
            found,
        } = self;
        match alternatives {
            0 => write!(out, "`{condition}` does not hold")?,
            1 => write!(out, "neither `{condition}` nor another alternative holds")?,
            _ => write!(
                out,
                "neither `{condition}` nor any of {alternatives} other alternatives holds"
            )?,
        }
        match found {
            Found::Value(value) => write!(out, " of {value}"),
            Found::Absent(field) if condition.contains("!=") => write!(
                out,
                ": the event has no `{field}`, and `!=` holds only of a field that is there"
            ),
            Found::Absent(field) => write!(out, ": the event has no `{field}`"),
            Found::Elsewhere => Ok(()),
        }
    }
}

/// Why an event slips through, as a clause; `None` where nothing is in the way.
pub fn sentence(obstacles: &[Obstacle]) -> Option<String> {
    let parts: Vec<String> = obstacles.iter().map(ToString::to_string).collect();
    (!parts.is_empty()).then(|| parts.join(", and "))
}

/// Of several patterns the one that comes nearest to matching an event, by its place, and what is
/// in its way: the one of whose conditions most hold.
pub fn nearest(patterns: &[&Pattern], event: &Value) -> Option<(usize, Vec<Obstacle>)> {
    let near = |pattern: &Pattern| match pattern.form() {
        Form::Json(expression) => match blocking(expression, event) {
            Ok(_) => None,
            Err(blocked) => Some((blocked.matched, Reverse(blocked.conditions.len()))),
        },
        _ => Some((0, Reverse(usize::MAX))),
    };
    let (at, pattern) = patterns
        .iter()
        .enumerate()
        .rev()
        .max_by_key(|(_, pattern)| near(pattern))?;
    Some((at, obstacles(pattern, event)))
}

/// The conditions that keep a pattern from matching an event. Of alternatives those of the one that
/// decides: of whose conditions most hold. Empty where the pattern matches, or where that is not
/// documented.
pub fn obstacles(pattern: &Pattern, event: &Value) -> Vec<Obstacle> {
    match pattern.form() {
        Form::Json(expression) => match blocking(expression, event) {
            Ok(_) => Vec::new(),
            Err(blocked) => blocked
                .conditions
                .into_iter()
                .map(|(condition, alternatives)| Obstacle {
                    condition: condition.to_string(),
                    alternatives,
                    found: found(condition, event),
                })
                .collect(),
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
                    alternatives: 0,
                    found: Found::Elsewhere,
                })
                .collect()
        }
        Form::Regex(regex) if !regex.is_match(&event.to_string()) => vec![Obstacle {
            condition: pattern.to_string(),
            alternatives: 0,
            found: Found::Elsewhere,
        }],
        _ => Vec::new(),
    }
}

/// What is in the way of an expression.
struct Blocked<'a> {
    /// The conditions, each with the number of alternatives that are no nearer.
    conditions: Vec<(&'a Condition, usize)>,
    /// How many conditions beside them hold.
    matched: usize,
}

/// How many conditions hold, where the expression does.
fn blocking<'a>(expression: &'a Expression, event: &Value) -> Result<usize, Blocked<'a>> {
    match expression {
        Expression::Condition(condition) => {
            if condition_matches(condition, event, &Answers::new()) == Match::Yes {
                Ok(1)
            } else {
                Err(Blocked {
                    conditions: vec![(condition, 0)],
                    matched: 0,
                })
            }
        }
        Expression::All(parts) => {
            let mut all = Blocked {
                conditions: Vec::new(),
                matched: 0,
            };
            for part in parts {
                match blocking(part, event) {
                    Ok(matched) => all.matched += matched,
                    Err(blocked) => {
                        all.matched += blocked.matched;
                        all.conditions.extend(blocked.conditions);
                    }
                }
            }
            if all.conditions.is_empty() {
                Ok(all.matched)
            } else {
                Err(all)
            }
        }
        Expression::Any(parts) => {
            let mut nearest: Option<Blocked<'a>> = None;
            let mut equals = 0;
            for part in parts {
                let blocked = match blocking(part, event) {
                    Ok(matched) => return Ok(matched),
                    Err(blocked) => blocked,
                };
                let value =
                    |blocked: &Blocked<'_>| (blocked.matched, Reverse(blocked.conditions.len()));
                match nearest
                    .as_ref()
                    .map(|known| value(&blocked).cmp(&value(known)))
                {
                    Some(Ordering::Less) => {}
                    Some(Ordering::Equal) => equals += 1,
                    Some(Ordering::Greater) | None => {
                        nearest = Some(blocked);
                        equals = 0;
                    }
                }
            }
            let Some(mut nearest) = nearest else {
                return Ok(0);
            };
            if let [(_, alternatives)] = nearest.conditions.as_mut_slice() {
                *alternatives += equals;
            }
            Err(nearest)
        }
    }
}

fn found(condition: &Condition, event: &Value) -> Found {
    let steps = &condition.selector.steps;
    if condition.selector.has_wildcard() {
        return Found::Elsewhere;
    }
    let target = steps.iter().try_fold(event, |value, step| match step {
        Step::Member(name) => value.get(name),
        Step::Index(index) => value.get(index),
        Step::AnyMember | Step::AnyIndex => None,
    });
    match target {
        Some(value) => Found::Value(value.clone()),
        None => Found::Absent(condition.selector.to_string()),
    }
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
                alternatives: 0,
                found: Found::Value(json!("IAMUser")),
            }]
        );
        let event = json!({"eventName": "ConsoleLogin", "a": 1, "b": 2});
        assert_eq!(obstacles(&pattern, &event), []);
    }

    #[test]
    fn what_is_in_the_way_is_said() {
        let event = json!({
            "eventName": "ConsoleLogin", "errorMessage": "Failed authentication",
            "userIdentity": {"type": "IAMUser"},
        });
        for (pattern, expected) in [
            ("{ $.eventName = ConsoleLogin }", None),
            (
                "{ $.eventName = CreateUser }",
                Some(r#"`$.eventName = CreateUser` does not hold of "ConsoleLogin""#),
            ),
            // The alternative that decides is the one that is about this event.
            (
                r#"{ $.eventName = CreateUser || $.eventName = ConsoleLogin && $.userIdentity.type = "Root" }"#,
                Some(r#"`$.userIdentity.type = "Root"` does not hold of "IAMUser""#),
            ),
            (
                "{ $.eventName = A || $.eventName = B || $.eventName = C }",
                Some(
                    r#"neither `$.eventName = A` nor any of 2 other alternatives holds of "ConsoleLogin""#,
                ),
            ),
            (
                r#"{ $.userIdentity.arn != "*sso*" }"#,
                Some(
                    r#"`$.userIdentity.arn != "*sso*"` does not hold: the event has no `$.userIdentity.arn`, and `!=` holds only of a field that is there"#,
                ),
            ),
            (
                "{ $.errorCode = AccessDenied && $.eventName = A }",
                Some(
                    r#"`$.errorCode = AccessDenied` does not hold: the event has no `$.errorCode`, and `$.eventName = A` does not hold of "ConsoleLogin""#,
                ),
            ),
            (
                r#""no such text""#,
                Some(r#"`"no such text"` does not hold"#),
            ),
        ] {
            let pattern = Pattern::parse(pattern).unwrap();
            let said = sentence(&obstacles(&pattern, &event));
            assert_eq!(said.as_deref(), expected, "{pattern}");
        }
    }

    #[test]
    fn of_several_patterns_the_nearest_is_told() {
        let patterns = [
            "{ $.eventName = CreateUser }",
            r#"{ $.eventName = ConsoleLogin && $.errorMessage = "x" }"#,
            "{ $.eventName = DeleteUser }",
        ]
        .map(|text| Pattern::parse(text).unwrap());
        let patterns: Vec<&Pattern> = patterns.iter().collect();
        let event = json!({"eventName": "ConsoleLogin"});
        assert_eq!(nearest(&patterns, &event).unwrap().0, 1);
        assert_eq!(nearest(&patterns, &json!({})).unwrap().0, 0);
        assert_eq!(nearest(&[], &event), None);
    }
}
