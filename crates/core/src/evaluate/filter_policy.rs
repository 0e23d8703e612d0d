//! Does the filter policy of a subscription let an alarm's message through? (SNS Developer Guide,
//! "Amazon SNS message filtering".)
//!
//! Decided in three-valued logic against what is known of the message beforehand. What is not
//! documented, and what is not known before the alarm fires, stays undecided.

use serde_json::{Map, Value};

use super::alarm_message::{AlarmMessage, Member};
use super::policy::matches;
use super::undecided::{and, or};

/// Whether a message passes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Passage {
    /// It does.
    Passes,
    /// It does not.
    Dropped,
    /// Why nobody knows.
    Undecided(String),
}

/// Judges a filter policy by what it looks at (`FilterPolicyScope`). A policy of no conditions lets
/// everything through.
pub fn judge(policy: Option<&str>, scope: Option<&str>, message: &AlarmMessage) -> Passage {
    // Blanks as JSON has them: around others it is no policy.
    let is_empty = |text: &&str| text.trim_matches([' ', '\t', '\r', '\n']) == "{}";
    let Some(text) = policy.filter(|text| !is_empty(text)) else {
        return Passage::Passes;
    };
    let undecided = |why: &str| Passage::Undecided(why.to_owned());
    match scope {
        Some("MessageBody") => {}
        // Deliveries of alarms show no attributes, and nothing documents that they have none.
        None | Some("MessageAttributes") => {
            return undecided(
                "its filter policy looks at message attributes, and whether messages of alarms have any is not documented",
            );
        }
        Some(scope) => {
            return Passage::Undecided(format!(
                "its filter policy has the scope `{scope}`, which trailproof does not know"
            ));
        }
    }
    let parsed: Value = match serde_json::from_str(text) {
        Ok(parsed) => parsed,
        Err(error) => {
            return Passage::Undecided(format!("its filter policy is not JSON: {error}"));
        }
    };
    let Some(conditions) = parsed.as_object() else {
        return undecided("its filter policy is no object");
    };
    match all(conditions, &[], message) {
        Some(true) => Passage::Passes,
        Some(false) => Passage::Dropped,
        None => undecided(
            "its filter policy has conditions that are not decided by what is known of the message",
        ),
    }
}

/// Whether every member of an object of conditions holds.
fn all(conditions: &Map<String, Value>, path: &[&str], message: &AlarmMessage) -> Option<bool> {
    let mut result = Some(true);
    for (name, condition) in conditions {
        let holds = match condition {
            Value::Array(alternatives) if name == "$or" => any_object(alternatives, path, message),
            Value::Array(alternatives) => {
                let path = [path, &[name.as_str()]].concat();
                let member = message.member(&path);
                let holds = alternatives.iter().map(|one| holds(one, &member));
                holds.fold(Some(false), or)
            }
            Value::Object(inner) => {
                let path = [path, &[name.as_str()]].concat();
                all(inner, &path, message)
            }
            _ => None,
        };
        result = and(result, holds);
    }
    result
}

fn any_object(alternatives: &[Value], path: &[&str], message: &AlarmMessage) -> Option<bool> {
    let holds = alternatives
        .iter()
        .map(|one| all(one.as_object()?, path, message));
    holds.fold(Some(false), or)
}

/// Whether a condition holds of a member.
fn holds(condition: &Value, member: &Member) -> Option<bool> {
    if let Value::Object(operator) = condition
        && let Some(wanted) = operator.get("exists")
    {
        let exists = match member {
            Member::Texts(texts) if texts.iter().all(|text| text.is_empty()) => return None,
            Member::Texts(_) | Member::OneOf(_) | Member::Number(_) | Member::Present => true,
            Member::Absent => false,
            Member::Maybe | Member::Object => return None,
        };
        return Some(wanted.as_bool()? == exists);
    }
    match member {
        // Also what it must not be: a condition on a value needs one.
        Member::Absent => Some(false),
        Member::Present | Member::Maybe | Member::Object => None,
        Member::Number(number) => of_number(condition, *number),
        Member::Texts(texts) => match texts.as_slice() {
            [text] => of_text(condition, text),
            // Any of them; what none of them must be is not documented.
            texts if !is_negative(condition) => texts
                .iter()
                .map(|text| of_text(condition, text))
                .fold(Some(false), or),
            _ => None,
        },
        Member::OneOf(texts) => {
            let mut found = texts.iter().map(|text| of_text(condition, text));
            let first = found.next()?;
            found.all(|other| other == first).then_some(first)?
        }
    }
}

fn is_negative(condition: &Value) -> bool {
    condition.get("anything-but").is_some()
}

fn of_text(condition: &Value, text: &str) -> Option<bool> {
    match condition {
        Value::String(wanted) => Some(wanted == text),
        Value::Number(_) => Some(false),
        Value::Object(operator) => {
            let mut operators = operator.iter();
            let (name, wanted) = operators.next().filter(|_| operator.len() == 1)?;
            match (name.as_str(), wanted) {
                ("prefix", Value::String(prefix)) => Some(text.starts_with(prefix.as_str())),
                ("suffix", Value::String(suffix)) => Some(text.ends_with(suffix.as_str())),
                ("equals-ignore-case", Value::String(wanted)) => {
                    Some(wanted.to_lowercase() == text.to_lowercase())
                }
                ("wildcard", Value::String(pattern)) if !pattern.contains(['?', '\\']) => {
                    Some(matches(pattern, text))
                }
                ("numeric", _) => Some(false),
                ("anything-but", Value::Array(list)) => {
                    let found = list.iter().map(|one| of_text(one, text));
                    found.fold(Some(false), or).map(|found| !found)
                }
                ("anything-but", one) => of_text(one, text).map(|found| !found),
                _ => None,
            }
        }
        _ => None,
    }
}

#[expect(
    clippy::float_cmp,
    reason = "SNS compares numbers as they are written, without a margin"
)]
fn of_number(condition: &Value, number: f64) -> Option<bool> {
    match condition {
        Value::Number(wanted) => Some(wanted.as_f64()? == number),
        Value::String(_) => Some(false),
        Value::Object(operator) => {
            let mut operators = operator.iter();
            let (name, wanted) = operators.next().filter(|_| operator.len() == 1)?;
            match (name.as_str(), wanted) {
                ("numeric", Value::Array(comparisons)) => {
                    let mut result = true;
                    for pair in comparisons.chunks(2) {
                        let [Value::String(operator), bound] = pair else {
                            return None;
                        };
                        let bound = bound.as_f64()?;
                        result &= match operator.as_str() {
                            "=" => number == bound,
                            "<" => number < bound,
                            "<=" => number <= bound,
                            ">" => number > bound,
                            ">=" => number >= bound,
                            _ => return None,
                        };
                    }
                    Some(result)
                }
                ("anything-but", Value::Array(list)) => {
                    let found = list.iter().map(|one| of_number(one, number));
                    found.fold(Some(false), or).map(|found| !found)
                }
                ("anything-but", one @ Value::Number(_)) => {
                    of_number(one, number).map(|found| !found)
                }
                _ => None,
            }
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::evidence::{CompositeAlarm, MetricAlarm};

    fn metric() -> AlarmMessage {
        let alarm: MetricAlarm = serde_json::from_value(json!({
            "AlarmName": "signins", "MetricName": "Failures", "Namespace": "CIS", "Period": 300,
            "AlarmArn": "arn:aws:cloudwatch:eu-west-1:111111111111:alarm:signins",
            "AlarmActions": ["arn:aws:sns:eu-west-1:111111111111:alerts"],
            "EvaluationPeriods": 1, "Threshold": 1.0,
            "ComparisonOperator": "GreaterThanOrEqualToThreshold",
        }))
        .unwrap();
        AlarmMessage::of_metric_alarm(&alarm)
    }

    fn body(policy: &Value, message: &AlarmMessage) -> Option<bool> {
        match judge(Some(&policy.to_string()), Some("MessageBody"), message) {
            Passage::Passes => Some(true),
            Passage::Dropped => Some(false),
            Passage::Undecided(_) => None,
        }
    }

    #[test]
    fn policies_on_the_body_of_a_metric_alarms_message() {
        for (policy, passes) in [
            (json!({}), Some(true)),
            (json!({"NewStateValue": ["ALARM"]}), Some(true)),
            (json!({"NewStateValue": ["OK"]}), Some(false)),
            (json!({"NewStateValue": ["alarm"]}), Some(false)),
            (
                json!({"NewStateValue": [{"equals-ignore-case": "alarm"}]}),
                Some(true),
            ),
            (
                json!({"NewStateValue": [{"anything-but": ["OK"]}]}),
                Some(true),
            ),
            (
                json!({"NewStateValue": [{"anything-but": "ALARM"}]}),
                Some(false),
            ),
            (json!({"AlarmName": [{"prefix": "sign"}]}), Some(true)),
            (
                json!({"AlarmName": [{"suffix": "x"}, "signins"]}),
                Some(true),
            ),
            (json!({"AlarmName": [{"wildcard": "s*s"}]}), Some(true)),
            (json!({"AWSAccountId": ["111111111111"]}), Some(true)),
            (json!({"AWSAccountId": ["222222222222"]}), Some(false)),
            (json!({"OldStateValue": ["OK"]}), None),
            (json!({"OldStateValue": ["ALARM"]}), Some(false)),
            (
                json!({"OldStateValue": [{"anything-but": "ALARM"}]}),
                Some(true),
            ),
            (json!({"Region": ["EU (Ireland)"]}), None),
            (json!({"Region": [{"exists": true}]}), Some(true)),
            (
                json!({"Trigger": {"Namespace": ["CIS"], "Period": [300]}}),
                Some(true),
            ),
            (
                json!({"Trigger": {"Period": [{"numeric": [">", 0, "<=", 60]}]}}),
                Some(false),
            ),
            (json!({"Trigger": {"Statistic": ["SUM"]}}), None),
            (json!({"Trigger": {"Severity": ["high"]}}), Some(false)),
            (
                json!({"AlarmActions": ["arn:aws:sns:eu-west-1:111111111111:alerts"]}),
                Some(true),
            ),
            // No message of an alarm has it.
            (json!({"severity": ["high"]}), Some(false)),
            (json!({"severity": [{"exists": false}]}), Some(true)),
            (
                json!({"severity": [{"anything-but": ["low"]}]}),
                Some(false),
            ),
            (
                json!({"severity": ["high"], "OldStateValue": ["OK"]}),
                Some(false),
            ),
            (json!({"AlarmRule": [{"exists": true}]}), Some(false)),
            (json!({"AlarmTags": {"Key": ["team"]}}), None),
            (
                json!({"$or": [{"severity": ["high"]}, {"NewStateValue": ["ALARM"]}]}),
                Some(true),
            ),
            (
                json!({"$or": [{"severity": ["high"]}, {"NewStateValue": ["OK"]}]}),
                Some(false),
            ),
            (json!({"AlarmName": [{"cidr": "10.0.0.0/8"}]}), None),
            (json!({"AlarmName": "signins"}), None),
        ] {
            assert_eq!(body(&policy, &metric()), passes, "{policy}");
        }
    }

    #[test]
    fn policies_on_other_messages() {
        let composite: CompositeAlarm =
            serde_json::from_value(json!({"AlarmName": "over", "AlarmRule": "ALARM(x)"})).unwrap();
        let composite = AlarmMessage::of_composite_alarm(&composite);
        let math: MetricAlarm =
            serde_json::from_value(json!({"AlarmName": "math", "Metrics": []})).unwrap();
        let math = AlarmMessage::of_metric_alarm(&math);
        let namespace = json!({"Trigger": {"Namespace": ["CIS"]}});
        assert_eq!(body(&namespace, &composite), Some(false));
        assert_eq!(body(&namespace, &math), None);
        assert_eq!(
            body(&json!({"AlarmRule": ["ALARM(x)"]}), &composite),
            Some(true)
        );
    }

    #[test]
    fn scopes_and_texts_that_nobody_documents() {
        let undecided = |policy: &str, scope| {
            matches!(judge(Some(policy), scope, &metric()), Passage::Undecided(_))
        };
        assert!(undecided(r#"{"severity": ["high"]}"#, None));
        assert!(undecided(
            r#"{"severity": ["high"]}"#,
            Some("MessageAttributes")
        ));
        assert!(undecided("{}x", Some("MessageBody")));
        assert!(undecided("{}\u{b}", Some("MessageBody")));
        assert!(undecided("[]", Some("MessageBody")));
        assert!(undecided(r#"{"a": [1]}"#, Some("Other")));
        assert_eq!(judge(Some("{}"), None, &metric()), Passage::Passes);
        assert_eq!(judge(None, None, &metric()), Passage::Passes);
        let many: Vec<Value> = (0..150)
            .map(|number| json!(format!("name {number}")))
            .collect();
        assert_eq!(body(&json!({"AlarmName": many}), &metric()), Some(false));
    }
}
