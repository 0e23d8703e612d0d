//! Event patterns of EventBridge, as far as it takes to say that a rule may be for some event
//! (Amazon EventBridge User Guide, "Comparison operators for use in event patterns").

use serde_json::{Map, Value};

/// Deeper patterns are taken for ones that may match.
const MAX_DEPTH: usize = 16;

/// What is known of an event.
#[derive(Debug, Clone, Copy)]
pub(super) enum Known<'v> {
    /// This value.
    Value(&'v Value),
    /// Of an object these members; of the others nothing.
    Members(&'v Map<String, Value>),
    /// Nothing.
    Nothing,
}

impl Known<'_> {
    fn member(self, name: &str) -> Self {
        match self {
            Self::Value(Value::Object(members)) | Self::Members(members) => {
                // Of objects inside, too, only some members are known.
                match members.get(name) {
                    Some(Value::Object(inner)) => Self::Members(inner),
                    Some(value) => Self::Value(value),
                    None => Self::Nothing,
                }
            }
            Self::Value(_) | Self::Nothing => Self::Nothing,
        }
    }
}

/// Whether a pattern may match an event of which some is known. A pattern that cannot be read may.
pub(super) fn may_match(pattern: &str, event: Known<'_>) -> bool {
    match serde_json::from_str::<Value>(pattern) {
        Ok(Value::Object(members)) => object(&members, event, 0),
        _ => true,
    }
}

fn object(pattern: &Map<String, Value>, event: Known<'_>, depth: usize) -> bool {
    if depth > MAX_DEPTH {
        return true;
    }
    pattern.iter().all(|(name, wanted)| {
        let known = event.member(name);
        match wanted {
            Value::Array(any) if name == "$or" => any.iter().any(|one| match one {
                Value::Object(members) => object(members, event, depth + 1),
                _ => true,
            }),
            Value::Array(any) => any.iter().any(|one| value(one, known)),
            Value::Object(members) => object(members, known, depth + 1),
            _ => true,
        }
    })
}

/// Whether one of the alternatives for a member may hold.
fn value(wanted: &Value, known: Known<'_>) -> bool {
    let Known::Value(known) = known else {
        return true;
    };
    if let Value::Array(elements) = known {
        return elements
            .iter()
            .any(|element| value(wanted, Known::Value(element)));
    }
    let Value::Object(operators) = wanted else {
        return wanted == known;
    };
    let text = known.as_str().unwrap_or_default();
    operators.iter().all(|(operator, operand)| {
        match (operator.as_str(), operand) {
            ("prefix", Value::String(start)) => text.starts_with(start.as_str()),
            ("suffix", Value::String(end)) => text.ends_with(end.as_str()),
            ("equals-ignore-case", Value::String(other)) => text.eq_ignore_ascii_case(other),
            ("anything-but", Value::String(_)) => operand != known,
            ("anything-but", Value::Array(others)) => !others.contains(known),
            ("exists", Value::Bool(there)) => *there,
            // Numbers, addresses, wildcards.
            _ => true,
        }
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn patterns_are_read_as_they_are_documented() {
        let event = json!({
            "source": "aws.signin", "detail-type": "AWS Console Sign In via CloudTrail",
            "detail": {"eventName": "ConsoleLogin", "responseElements": {"ConsoleLogin": "Failure"}},
        });
        let Value::Object(members) = &event else {
            unreachable!()
        };
        for (pattern, expected) in [
            (json!({"source": ["aws.signin"]}), true),
            (json!({"source": ["aws.ec2"]}), false),
            (json!({"source": ["aws.ec2", "aws.signin"]}), true),
            (json!({"source": [{"prefix": "aws."}]}), true),
            (json!({"source": [{"suffix": ".ec2"}]}), false),
            (json!({"source": [{"anything-but": "aws.signin"}]}), false),
            (json!({"source": [{"anything-but": ["aws.ec2"]}]}), true),
            (
                json!({"source": [{"anything-but": {"prefix": "aws.s"}}]}),
                true,
            ),
            (
                json!({"source": [{"equals-ignore-case": "AWS.SignIn"}]}),
                true,
            ),
            (json!({"source": [{"exists": false}]}), false),
            (json!({"source": [{"wildcard": "aws.*"}]}), true),
            (json!({"account": ["222222222222"]}), true),
            (
                json!({"detail": {"eventName": ["ConsoleLogin"], "userIdentity": {"type": ["Root"]}}}),
                true,
            ),
            (json!({"detail": {"eventName": ["StopLogging"]}}), false),
            (
                json!({"detail": {"responseElements": {"ConsoleLogin": ["Success"]}}}),
                false,
            ),
            (
                json!({"$or": [{"source": ["aws.ec2"]}, {"detail-type": ["other"]}]}),
                false,
            ),
            (json!({"$or": [{"source": ["aws.ec2"]}, {}]}), true),
            (json!({}), true),
        ] {
            let known = Known::Members(members);
            assert_eq!(
                may_match(&pattern.to_string(), known),
                expected,
                "{pattern}"
            );
        }
        assert!(may_match("not JSON", Known::Nothing));
        let deep = format!("{}[]{}", "{\"a\":".repeat(100), "}".repeat(100));
        assert!(may_match(&deep, Known::Nothing));
    }
}
