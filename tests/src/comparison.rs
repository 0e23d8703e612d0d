//! What two services answered to the same questions, and where the answers differ.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::{Map, Value};

/// The answers by question: operation, account, region and parameters.
pub type Answers = BTreeMap<String, Value>;

/// A place where answers differ.
#[derive(Debug, Clone, PartialEq)]
pub struct Difference {
    /// Such as `logs:DescribeLogGroups`.
    pub operation: String,
    /// The whole question.
    pub question: String,
    /// The way to the place, such as `.response.logGroups[].creationTime`; empty when one of the
    /// two was never asked.
    pub path: String,
    /// What the one said, if anything.
    pub left: Option<Value>,
    /// What the other said, if anything.
    pub right: Option<Value>,
}

/// Differences that are accepted, and why. An operation `*` stands for all of them, as does the
/// star at the start or the end of a path.
#[derive(Debug, Clone, Copy)]
pub struct Accepted {
    /// The operation.
    pub operation: &'static str,
    /// The place.
    pub path: &'static str,
    /// The reason.
    pub why: &'static str,
}

impl Accepted {
    /// Whether a difference is of this kind.
    pub fn covers(&self, difference: &Difference) -> bool {
        let path = difference.path.as_str();
        let place = match (self.path.strip_prefix('*'), self.path.strip_suffix('*')) {
            (Some(end), _) => path.ends_with(end),
            (_, Some(start)) => path.starts_with(start),
            (None, None) => path == self.path,
        };
        place && (self.operation == "*" || self.operation == difference.operation)
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |value: &Option<Value>| {
            value
                .as_ref()
                .map_or_else(|| "nothing".to_owned(), Value::to_string)
        };
        write!(
            formatter,
            "{}: {}\n    {}\n    {}",
            self.question,
            self.path,
            shown(&self.left),
            shown(&self.right)
        )
    }
}

/// Records as questions and answers.
///
/// When and under which request id a question was answered is left out. Lists that AWS gives in no
/// order are put in one. Texts that are JSON are read.
pub fn answers(records: &[Value]) -> Answers {
    records
        .iter()
        .map(|record| {
            let operation = record["operation"].as_str().unwrap_or_default();
            let account = record["account"].as_str().unwrap_or_default();
            let region = record["region"].as_str().unwrap_or_default();
            let question = format!("{operation} {account} {region} {}", record["parameters"]);
            let members = ["response", "error"].into_iter().filter_map(|name| {
                let mut value = record.get(name)?.clone();
                put_in_order(&mut value);
                Some((name.to_owned(), value))
            });
            (question, Value::Object(members.collect()))
        })
        .collect()
}

/// The lists that AWS gives in no order, and what tells their items apart.
const UNORDERED: [(&str, &str); 2] = [("trailList", "TrailARN"), ("Accounts", "Id")];

fn put_in_order(value: &mut Value) {
    match value {
        Value::Object(members) => {
            for (name, key) in UNORDERED {
                if let Some(Value::Array(items)) = members.get_mut(name) {
                    items.sort_by_key(|item| item[key].to_string());
                }
            }
            members.values_mut().for_each(put_in_order);
        }
        Value::Array(items) => items.iter_mut().for_each(put_in_order),
        Value::String(text) if text.starts_with('{') => {
            if let Ok(document @ Value::Object(_)) = serde_json::from_str(text) {
                *value = document;
            }
        }
        _ => {}
    }
}

/// Every place where two sets of answers differ.
pub fn differences(left: &Answers, right: &Answers) -> Vec<Difference> {
    let mut found = Vec::new();
    let nothing = Value::Null;
    for question in left
        .keys()
        .chain(right.keys().filter(|key| !left.contains_key(*key)))
    {
        let operation = question.split(' ').next().unwrap_or_default();
        let mut note = |path: &str, left: Option<&Value>, right: Option<&Value>| {
            found.push(Difference {
                operation: operation.to_owned(),
                question: question.clone(),
                path: path.to_owned(),
                left: left.cloned(),
                right: right.cloned(),
            });
        };
        match (left.get(question), right.get(question)) {
            (Some(left), Some(right)) => compare("", left, right, &mut note),
            (left, right) => note("", left.and(Some(&nothing)), right.and(Some(&nothing))),
        }
    }
    found
}

fn compare(
    path: &str,
    left: &Value,
    right: &Value,
    note: &mut impl FnMut(&str, Option<&Value>, Option<&Value>),
) {
    match (left, right) {
        (Value::Object(left), Value::Object(right)) => compare_members(path, left, right, note),
        (Value::Array(left), Value::Array(right)) if left.len() == right.len() => {
            let path = format!("{path}[]");
            for (left, right) in left.iter().zip(right) {
                compare(&path, left, right, note);
            }
        }
        _ if left == right => {}
        _ => note(path, Some(left), Some(right)),
    }
}

fn compare_members(
    path: &str,
    left: &Map<String, Value>,
    right: &Map<String, Value>,
    note: &mut impl FnMut(&str, Option<&Value>, Option<&Value>),
) {
    for name in left
        .keys()
        .chain(right.keys().filter(|name| !left.contains_key(*name)))
    {
        let path = format!("{path}.{name}");
        match (left.get(name), right.get(name)) {
            (Some(left), Some(right)) => compare(&path, left, right, note),
            (left, right) => note(&path, left, right),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn record(operation: &str, response: &Value) -> Value {
        json!({
            "operation": operation, "account": "1", "region": "us-east-1", "parameters": {},
            "observed_at": "now", "response": response,
        })
    }

    #[test]
    fn order_time_and_the_spelling_of_json_are_no_differences() {
        let trails = |first: &str, second: &str| json!({ "trailList": [{ "TrailARN": first }, { "TrailARN": second }] });
        let left = [
            record("a:B", &trails("x", "y")),
            record("c:D", &json!({ "Policy": "{\"a\": 1, \"b\": 2}" })),
        ];
        let right = [
            record("c:D", &json!({ "Policy": "{\"b\":2,\"a\":1}" })),
            record("a:B", &trails("y", "x")),
        ];
        assert_eq!(differences(&answers(&left), &answers(&right)), []);
    }

    #[test]
    fn every_other_difference_is_found_where_it_is() {
        let left = [
            record("a:B", &json!({ "l": [{ "m": 1, "n": 1 }], "k": [1] })),
            record("c:D", &json!({})),
        ];
        let right = [record("a:B", &json!({ "l": [{ "m": 2 }], "k": [] }))];
        let found = differences(&answers(&left), &answers(&right));
        let paths: Vec<&str> = found.iter().map(|found| found.path.as_str()).collect();
        assert_eq!(
            paths,
            [".response.k", ".response.l[].m", ".response.l[].n", ""]
        );
        let accepted = |operation, path| Accepted {
            operation,
            path,
            why: "",
        };
        assert!(accepted("*", "*.m").covers(&found[1]));
        assert!(accepted("a:B", ".response.l[].n").covers(&found[2]));
        assert!(!accepted("c:D", "*.n").covers(&found[2]));
    }
}
