//! Condition blocks (IAM JSON policy elements, "Condition operators").

use serde_json::Value;

use super::wildcard::{arn_matches, matches};
use super::{Request, and, or};

/// The value of a condition key.
pub(super) enum Key<'a> {
    Is(&'a str),
    /// The key is not in the request.
    Absent,
    /// Nobody told.
    Unknown,
}

/// Whether a condition block holds: every operator, every key; `None` is unknown.
pub(super) fn holds<R: Request>(block: &Value, request: &R) -> Option<bool> {
    let mut result = Some(true);
    for (operator, keys) in block.as_object()? {
        for (key, expected) in keys.as_object()? {
            result = and(result, one(operator, key, expected, request));
        }
    }
    result
}

fn one<R: Request>(operator: &str, key: &str, expected: &Value, request: &R) -> Option<bool> {
    let expected = values(expected)?;
    let name = operator.to_ascii_lowercase();
    // Qualifiers for keys with several values; these keys have one at the most. An absent key
    // satisfies ForAllValues and never ForAnyValue, negated or not.
    let (name, qualified) = match name.split_once(':') {
        Some(("forallvalues", name)) => (name.to_owned(), Some(true)),
        Some(("foranyvalue", name)) => (name.to_owned(), Some(false)),
        Some(_) => return None,
        None => (name, None),
    };
    let (name, if_exists) = match name.strip_suffix("ifexists") {
        Some(name) => (name.to_owned(), true),
        None => (name, false),
    };
    let value = request.key(&key.to_ascii_lowercase());
    if name == "null" {
        let absent = match value {
            Key::Absent => "true",
            Key::Is(_) => "false",
            Key::Unknown => return None,
        };
        return Some(
            expected
                .iter()
                .any(|expected| expected.eq_ignore_ascii_case(absent)),
        );
    }
    let (name, negated) = match name.split_once("not") {
        Some((kind, rest)) => (format!("{kind}{rest}"), true),
        None => (name, false),
    };
    let compare: fn(&str, &str) -> Option<bool> = match name.as_str() {
        "stringequals" => |pattern, value| Some(pattern == value),
        "stringequalsignorecase" | "bool" => {
            |pattern, value| Some(pattern.eq_ignore_ascii_case(value))
        }
        "stringlike" => |pattern, value| Some(matches(pattern, value)),
        "arnlike" | "arnequals" => arn_matches,
        _ => return None,
    };
    match value {
        Key::Unknown => None,
        // A negated operator holds for a key that is not there.
        Key::Absent => Some(if_exists || qualified.unwrap_or(negated)),
        Key::Is(value) => expected
            .iter()
            .map(|pattern| {
                // A policy variable stands for something of the request that nobody told.
                let fixed = !pattern.contains("${");
                fixed.then(|| compare(pattern, value)).flatten()
            })
            .fold(Some(false), or)
            .map(|found| found != negated),
    }
}

/// Texts, and the booleans and numbers that policies write without quotes.
fn values(value: &Value) -> Option<Vec<String>> {
    let one = |value: &Value| match value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(_) | Value::Number(_) => Some(value.to_string()),
        _ => None,
    };
    match value {
        Value::Array(list) => list.iter().map(one).collect(),
        other => one(other).map(|text| vec![text]),
    }
}
