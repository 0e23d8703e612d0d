//! One line of `evidence.ndjson`: a completed AWS API operation, all pages merged.

use jiff::Timestamp;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

use super::{Operation, timestamp, unambiguous};
use crate::account::{AccountId, Region};

/// What AWS answered to one question, by how its response is held: as a value, where it was read
/// from a file.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Record<R = Value> {
    /// The operation that was called.
    pub operation: Operation,
    /// Whose credentials made the call.
    pub account: AccountId,
    /// Where the call was made.
    pub region: Region,
    /// The parameters that select something, with the member names of the AWS API.
    pub parameters: Map<String, Value>,
    /// When the answer arrived.
    pub observed_at: Timestamp,
    /// The request id AWS gave, of the first page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// The answer.
    #[serde(flatten)]
    pub outcome: Outcome<R>,
}

/// An answer: what AWS said, or why it did not say it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome<R = Value> {
    /// The response, with exactly the member names of the AWS API.
    Response(R),
    /// Why there is none.
    Error(CallError),
}

impl<R> Record<R> {
    /// The same record, its response held in another way.
    pub fn held_as<S: From<R>>(self) -> Record<S> {
        Record {
            operation: self.operation,
            account: self.account,
            region: self.region,
            parameters: self.parameters,
            observed_at: self.observed_at,
            request_id: self.request_id,
            outcome: match self.outcome {
                Outcome::Response(response) => Outcome::Response(response.into()),
                Outcome::Error(error) => Outcome::Error(error),
            },
        }
    }
}

impl<'de> Deserialize<'de> for Record {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Line::deserialize(deserializer)?
            .try_into()
            .map_err(Error::custom)
    }
}

/// A record as it is read: somebody may have made it by hand.
#[derive(Deserialize)]
struct Line {
    operation: Operation,
    account: AccountId,
    region: Region,
    #[serde(default, deserialize_with = "unambiguous::object")]
    parameters: Option<Map<String, Value>>,
    #[serde(deserialize_with = "timestamp::required")]
    observed_at: Timestamp,
    request_id: Option<String>,
    #[serde(default, deserialize_with = "unambiguous::optional")]
    response: Option<Value>,
    error: Option<CallError>,
}

impl TryFrom<Line> for Record {
    type Error = &'static str;

    fn try_from(line: Line) -> Result<Self, Self::Error> {
        let outcome = match (line.response, line.error) {
            (Some(response @ Value::Object(_)), None) => Outcome::Response(response),
            (None, Some(error)) => Outcome::Error(error),
            // A list would be read as the members of the answer in their order.
            (Some(_), None) => {
                return Err("`response` is not an object, as the AWS CLI prints without --query");
            }
            // Which of the two is true nobody can say, and a verdict would hang on it.
            (Some(_), Some(_)) => return Err("there is both `response` and `error`"),
            (None, None) => return Err("there is neither `response` nor `error`"),
        };
        Ok(Self {
            operation: line.operation,
            account: line.account,
            region: line.region,
            parameters: line.parameters.unwrap_or_default(),
            observed_at: line.observed_at,
            request_id: line.request_id,
            outcome,
        })
    }
}

/// Why a call has no response.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct CallError {
    /// The code AWS gave, such as `AccessDenied`, or trailproof's word where AWS gave none.
    pub code: String,
    /// What AWS said about it.
    #[serde(default)]
    pub message: String,
    /// What kind of failure it is.
    pub class: ErrorClass,
}

impl CallError {
    /// Whether the service answered that it has no such operation. Nothing that only this operation
    /// could show or make exists there.
    ///
    /// The codes are those of the query protocol (SNS API Reference, "Common Errors") and of the
    /// JSON and CBOR protocols (Smithy, "AWS JSON 1.1 protocol").
    pub fn is_unknown_operation(&self) -> bool {
        matches!(
            self.code.as_str(),
            "InvalidAction" | "UnknownOperationException" | "UnknownOperation"
        )
    }
}

/// The kinds of failure that matter to a reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ErrorClass {
    /// The credentials may not make this call.
    Denied,
    /// AWS refused because of the request rate, to the end of the retry budget.
    Throttled,
    /// The region is not enabled for the account.
    RegionDisabled,
    /// The resource does not exist.
    NotFound,
    /// AWS refused the parameters.
    Invalid,
    /// The network, a time-out, or a failure inside AWS.
    Unavailable,
    /// Anything else.
    Other,
}

impl ErrorClass {
    /// The word in evidence.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Denied => "denied",
            Self::Throttled => "throttled",
            Self::RegionDisabled => "region-disabled",
            Self::NotFound => "not-found",
            Self::Invalid => "invalid",
            Self::Unavailable => "unavailable",
            Self::Other => "other",
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_response_round_trips() {
        let line = json!({
            "operation": "cloudtrail:DescribeTrails", "account": "111111111111",
            "region": "us-east-1", "parameters": {"includeShadowTrails": true},
            "observed_at": "2026-11-22T22:00:00Z", "request_id": "r-1",
            "response": {"trailList": [{"Name": "org", "Unknown": {"kept": [1, 2]}}]},
        });
        let record: Record = serde_json::from_value(line.clone()).unwrap();
        assert_eq!(serde_json::to_value(&record).unwrap(), line);
    }

    #[test]
    fn an_error_round_trips() {
        let line = json!({
            "operation": "sts:AssumeRole", "account": "111111111111", "region": "us-east-1",
            "parameters": {"RoleArn": "arn:aws:iam::222222222222:role/Audit"},
            "observed_at": "2026-11-22T22:00:00Z",
            "error": {"code": "AccessDenied", "message": "no", "class": "denied"},
        });
        let record: Record = serde_json::from_value(line.clone()).unwrap();
        assert!(
            matches!(&record.outcome, Outcome::Error(error) if error.class == ErrorClass::Denied)
        );
        assert_eq!(serde_json::to_value(&record).unwrap(), line);
    }

    #[test]
    fn a_record_has_one_outcome() {
        const ERROR: &str = r#"{"code":"AccessDenied","class":"denied"}"#;
        let read = |outcome: &str| {
            let line = format!(
                "{{\"operation\":\"sns:GetTopicAttributes\",\"account\":\"111111111111\",\
                 \"region\":\"us-east-1\",\"parameters\":null,\
                 \"observed_at\":\"2026-11-22T22:00:00Z\",{outcome}}}"
            );
            serde_json::from_str::<Record>(&line)
                .map(|record| record.outcome)
                .map_err(|error| error.to_string())
        };
        assert_eq!(
            read(r#""error":null,"response":{}"#),
            Ok(Outcome::Response(json!({})))
        );
        for (outcome, expected) in [
            (
                format!("\"response\":{{}},\"error\":{ERROR}"),
                "there is both `response` and `error`",
            ),
            (
                format!("\"error\":{ERROR},\"response\":{{}}"),
                "there is both `response` and `error`",
            ),
            (
                "\"response\":null".to_owned(),
                "there is neither `response` nor `error`",
            ),
            ("\"response\":[]".to_owned(), "`response` is not an object"),
        ] {
            let message = read(&outcome).unwrap_err();
            assert!(message.starts_with(expected), "{outcome}: {message}");
        }
    }
}
