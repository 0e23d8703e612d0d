//! Times in evidence: ISO 8601 text, or the epoch numbers that the AWS CLI and SDKs print.

use jiff::Timestamp;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// Reads a time as AWS and its tools write it. Fractions are kept to the nanosecond.
pub fn parse(value: &Value) -> Option<Timestamp> {
    match value {
        Value::String(text) => text.trim().parse().ok(),
        Value::Number(number) => {
            if let Some(seconds) = number.as_i64() {
                Timestamp::from_second(seconds).ok()
            } else {
                let seconds = number.as_f64()?;
                let whole = jiff::SignedDuration::try_from_secs_f64(seconds).ok()?;
                Timestamp::from_duration(whole).ok()
            }
        }
        _ => None,
    }
}

/// For `#[serde(deserialize_with)]`: an absent or null time is `None`.
pub(crate) fn optional<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Timestamp>, D::Error> {
    match Option::<Value>::deserialize(deserializer)? {
        None => Ok(None),
        Some(value) => parse(&value).map(Some).ok_or_else(|| {
            serde::de::Error::custom(format_args!(
                "`{value}` is not a time: expected ISO 8601 text with an offset, or epoch seconds"
            ))
        }),
    }
}

/// For `#[serde(deserialize_with)]`: a time that must be there.
pub(crate) fn required<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
    optional(deserializer)?.ok_or_else(|| serde::de::Error::custom("a time is required"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn reads_text_and_numbers() {
        let expected = "2026-11-22T22:00:00Z".parse::<Timestamp>().ok();
        for value in [
            json!("2026-11-22T22:00:00Z"),
            json!("2026-11-22T23:00:00+01:00"),
            json!("2026-11-22T22:00:00.000000+00:00"),
            json!(1_795_384_800),
            json!(1_795_384_800.0),
        ] {
            assert_eq!(parse(&value), expected, "{value}");
        }
        assert_eq!(parse(&json!("yesterday")), None);
        assert_eq!(parse(&json!(1e300)), None);
    }
}
