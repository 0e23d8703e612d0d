//! Reading of an event only what patterns look at: most of an event is skipped, not kept.

use std::collections::BTreeSet;
use std::fmt;

use serde::Deserializer as _;
use serde::de::{DeserializeSeed, Error, IgnoredAny, MapAccess, Visitor};
use serde_json::{Deserializer, Map, Value};

use super::{Expression, Form, Pattern, Step};

/// The members at the root of an event that patterns look at.
///
/// [`matches`](super::matches()) says the same of an event that was read through a projection of
/// the pattern as of the whole event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Projection {
    /// `None` stands for all members: a pattern looks at `$.*`.
    members: Option<BTreeSet<String>>,
}

impl Projection {
    /// What these patterns look at.
    pub fn of<'a>(patterns: impl IntoIterator<Item = &'a Pattern>) -> Self {
        let mut projection = Self {
            members: Some(BTreeSet::new()),
        };
        for pattern in patterns {
            // All other forms look at the raw message.
            if let Form::Json(expression) = pattern.form() {
                projection.add(expression);
            }
        }
        projection
    }

    /// One more member.
    #[must_use]
    pub fn with(mut self, member: &str) -> Self {
        if let Some(members) = &mut self.members {
            members.insert(member.to_owned());
        }
        self
    }

    /// The members that are kept; `None` stands for all of them.
    pub fn members(&self) -> Option<&BTreeSet<String>> {
        self.members.as_ref()
    }

    fn add(&mut self, expression: &Expression) {
        match expression {
            Expression::All(parts) | Expression::Any(parts) => {
                for part in parts {
                    self.add(part);
                }
            }
            Expression::Condition(condition) => match condition.selector.steps.first() {
                Some(Step::Member(name)) => {
                    if let Some(members) = &mut self.members {
                        members.insert(name.clone());
                    }
                }
                // An event is an object: an index at its root points to nothing.
                Some(Step::Index(_) | Step::AnyIndex) => {}
                Some(Step::AnyMember) | None => self.members = None,
            },
        }
    }

    /// Reads an event: all of it has to be JSON, but only the members of the projection are in
    /// what is returned. `None` when the message is not JSON.
    pub fn read(&self, message: &str) -> Option<Value> {
        let Some(members) = &self.members else {
            return serde_json::from_str(message).ok();
        };
        if !message.trim_start().starts_with('{') {
            return serde_json::from_str(message).ok();
        }
        let mut deserializer = Deserializer::from_str(message);
        let value = deserializer.deserialize_map(Members(members)).ok()?;
        deserializer.end().ok()?;
        Some(Value::Object(value))
    }
}

/// Keeps the members that are named.
struct Members<'a>(&'a BTreeSet<String>);

impl<'de> Visitor<'de> for Members<'_> {
    type Value = Map<String, Value>;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Map::new();
        while let Some(name) = map.next_key_seed(Known(self.0))? {
            match name {
                Some(name) => {
                    members.insert(name.clone(), map.next_value()?);
                }
                None => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(members)
    }
}

/// Finds a member's name among those wanted, without a copy of the others.
struct Known<'a>(&'a BTreeSet<String>);

impl<'de, 'a> DeserializeSeed<'de> for Known<'a> {
    type Value = Option<&'a String>;

    fn deserialize<D: serde::Deserializer<'de>>(self, from: D) -> Result<Self::Value, D::Error> {
        from.deserialize_str(self)
    }
}

impl<'a> Visitor<'_> for Known<'a> {
    type Value = Option<&'a String>;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("the name of a member")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Self::Value, E> {
        Ok(self.0.get(name))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{Event, matches};

    fn patterns(texts: &[&str]) -> Vec<Pattern> {
        texts
            .iter()
            .map(|text| Pattern::parse(text).unwrap())
            .collect()
    }

    #[test]
    fn keeps_what_patterns_look_at() {
        let patterns = patterns(&[
            r#"{ $.a.b = "x" && ($.c[0] = 1 || $.d NOT EXISTS) }"#,
            "terms look at the message",
        ]);
        let projection = Projection::of(&patterns).with("time");
        let message =
            r#"{"a":{"b":"x","more":1},"e":[{"a":1}],"c":[1],"time":"now","a":{"b":"last"}}"#;
        assert_eq!(
            projection.read(message),
            Some(json!({"a": {"b": "last"}, "c": [1], "time": "now"}))
        );
    }

    #[test]
    fn a_wildcard_at_the_root_keeps_everything() {
        let projection = Projection::of(&patterns(&["{ $.* = 1 }", "{ $.a = 1 }"]));
        assert_eq!(
            projection.read(r#"{"a":1,"b":2}"#),
            Some(json!({"a":1,"b":2}))
        );
    }

    #[test]
    fn what_is_not_json_is_not_read() {
        let projection = Projection::of(&patterns(&["{ $.a = 1 }"]));
        for message in [
            "",
            "text",
            "{",
            r#"{"b":tru}"#,
            r#"{"b":1"#,
            r#"{"b":1} x"#,
            r#"{"b" 1}"#,
            "{1:2}",
        ] {
            assert_eq!(projection.read(message), None, "{message}");
            assert!(serde_json::from_str::<Value>(message).is_err(), "{message}");
        }
        for message in ["[1]", "1", " \"text\" "] {
            assert!(projection.read(message).is_some(), "{message}");
        }
    }

    #[test]
    fn the_answer_is_that_of_the_whole_event() {
        let patterns = patterns(
            &[
                r#"{ $.eventName = "ConsoleLogin" && $.errorMessage = "Failed authentication" }"#,
                "{ $.userIdentity.type = Root && $.userIdentity.invokedBy NOT EXISTS }",
                "{ $.resources[*].ARN = *x* }",
                "{ $.eventName NOT EXISTS }",
                "{ $.eventName IS NULL }",
                "{ $.n >= 3 }",
                "{ $[0] = 1 }",
                r#"{ $.["event\u004eame"] = "ConsoleLogin" }"#,
            ]
            .into_iter()
            .filter(|text| Pattern::parse(text).is_ok())
            .collect::<Vec<_>>(),
        );
        assert!(patterns.len() > 5);
        for message in [
            r#"{"event\u004eame":"ConsoleLogin","errorMessage":"Failed authentication"}"#,
            r#"{"userIdentity":{"type":"Root"},"eventName":null,"n":3.0}"#,
            r#"{"resources":[{"ARN":"axb"},{}],"n":"3"}"#,
            "[1]",
            "{}",
        ] {
            for pattern in &patterns {
                let value = Projection::of([pattern]).read(message);
                assert_eq!(
                    matches(pattern, &Event::from_parts(value.as_ref(), message.into())),
                    matches(pattern, &Event::from_message(message)),
                    "{pattern} on {message}"
                );
            }
        }
    }
}
