//! Credentials in records that somebody made by hand: AWS hands them out with `sts:AssumeRole`, a
//! scan never writes them, and nothing that is made of evidence may carry them on.

use serde_json::Value;

/// The members that hold secrets, and the one that holds them all in answers of STS.
const SECRET: [&str; 3] = ["Credentials", "SecretAccessKey", "SessionToken"];

/// The record without the credentials in its answer and parameters; `None` where it has none.
pub(super) fn without(text: &[u8]) -> Option<String> {
    if !may_hold_some(text) {
        return None;
    }
    let mut record: Value = serde_json::from_slice(text).ok()?;
    let mut removed = false;
    remove(&mut record, &mut removed);
    removed.then(|| record.to_string())
}

/// Whether a name of such a member occurs. Parsing every line a second time would cost as much as
/// judging it.
fn may_hold_some(text: &[u8]) -> bool {
    const NAMES: [&[u8]; 2] = [b"secretaccesskey\"", b"sessiontoken\""];
    let mut rest = text;
    // Both names begin with it, in whatever case.
    while let Some(place) = rest.iter().position(|byte| matches!(byte, b's' | b'S')) {
        rest = rest.get(place..).unwrap_or_default();
        let found = NAMES.iter().any(|name| {
            rest.get(..name.len())
                .is_some_and(|found| found.eq_ignore_ascii_case(name))
        });
        if found {
            return true;
        }
        rest = rest.get(1..).unwrap_or_default();
    }
    false
}

fn remove(value: &mut Value, removed: &mut bool) {
    match value {
        Value::Object(members) => {
            members.retain(|name, value| {
                let secret = SECRET
                    .iter()
                    .any(|secret| secret.eq_ignore_ascii_case(name))
                    && !value.is_null();
                *removed |= secret;
                !secret
            });
            for value in members.values_mut() {
                remove(value, removed);
            }
        }
        Value::Array(values) => {
            for value in values {
                remove(value, removed);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_removed_and_nothing_else() {
        for (record, expected) in [
            (
                r#"{"operation":"sts:AssumeRole","response":{"AssumedRoleUser":{"Arn":"a"},"Credentials":{"AccessKeyId":"ASIA","SecretAccessKey":"s","SessionToken":"t"}}}"#,
                Some(
                    r#"{"operation":"sts:AssumeRole","response":{"AssumedRoleUser":{"Arn":"a"}}}"#,
                ),
            ),
            (
                r#"{"response":{"x":[{"secretAccessKey":"s","name":"n"}]}}"#,
                Some(r#"{"response":{"x":[{"name":"n"}]}}"#),
            ),
            (
                r#"{"response":{"Credentials":null,"sessionToken":null}}"#,
                None,
            ),
            (
                r#"{"response":{"trailList":[{"Name":"SessionToken"}]}}"#,
                None,
            ),
            (r#"{"response":{"Accounts":[]}}"#, None),
        ] {
            assert_eq!(without(record.as_bytes()).as_deref(), expected, "{record}");
        }
    }
}
