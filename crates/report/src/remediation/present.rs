//! What is there now: asking again, and taking answers apart.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde_json::Value;
use trailproof_core::account::{AccountId, Region};
use trailproof_core::evidence::{Call, CallError, ErrorClass, LogGroup, Outcome, Request, Trail};

use super::cloud::Cloud;

/// Something that could not be read, so nothing may be changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Unreadable {
    pub(crate) operation: &'static str,
    pub(crate) account: AccountId,
    pub(crate) error: CallError,
}

impl std::fmt::Display for Unreadable {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            formatter,
            "{} in account {} failed: {}: {}",
            self.operation, self.account, self.error.code, self.error.message
        )
    }
}

/// An answer; without a response where what was asked for does not exist.
pub(crate) struct Answer {
    operation: &'static str,
    account: AccountId,
    response: Option<Value>,
}

/// Asks afresh.
pub(crate) async fn ask(
    cloud: &impl Cloud,
    account: AccountId,
    region: &Region,
    call: Call,
) -> Result<Answer, Unreadable> {
    let operation = call.operation().as_str();
    let request = Request {
        account,
        region: region.clone(),
        call,
    };
    let response = match cloud.read(request).await.outcome {
        Outcome::Response(response) => Some(response),
        Outcome::Error(error) if error.class == ErrorClass::NotFound => None,
        Outcome::Error(error) => {
            return Err(Unreadable {
                operation,
                account,
                error,
            });
        }
    };
    Ok(Answer {
        operation,
        account,
        response,
    })
}

impl Answer {
    /// A member of the response.
    pub(crate) fn take(&mut self, member: &str) -> Option<Value> {
        Some(self.response.as_mut()?.get_mut(member)?.take())
    }

    /// The elements of a list in the response.
    pub(crate) fn list(&mut self, member: &str) -> Vec<Value> {
        match self.take(member) {
            Some(Value::Array(elements)) => elements,
            _ => Vec::new(),
        }
    }

    /// A part of the response in its shape. What has another one was not seen.
    pub(crate) fn shape<T: DeserializeOwned>(&self, part: Value) -> Result<T, Unreadable> {
        serde_json::from_value(part).map_err(|error| Unreadable {
            operation: self.operation,
            account: self.account,
            error: CallError {
                code: "UnreadableResponse".to_owned(),
                message: error.to_string(),
                class: ErrorClass::Other,
            },
        })
    }

    fn shapes<T: DeserializeOwned>(&mut self, member: &str) -> Result<Vec<T>, Unreadable> {
        let elements = self.list(member).into_iter();
        elements.map(|element| self.shape(element)).collect()
    }
}

/// A log group; `None` when it does not exist.
pub(crate) async fn log_group(
    cloud: &impl Cloud,
    account: AccountId,
    region: &Region,
    name: &str,
) -> Result<Option<LogGroup>, Unreadable> {
    let call = Call::DescribeLogGroups {
        log_group_name: name.to_owned(),
    };
    let groups: Vec<LogGroup> = ask(cloud, account, region, call)
        .await?
        .shapes("logGroups")?;
    Ok(groups
        .into_iter()
        .find(|group| *group.log_group_name == *name))
}

/// The trails that an account sees in a region, by ARN.
pub(crate) async fn trails(
    cloud: &impl Cloud,
    account: AccountId,
    region: &Region,
) -> Result<BTreeMap<String, Trail>, Unreadable> {
    let call = Call::DescribeTrails {
        include_shadow_trails: true,
    };
    let mut answer = ask(cloud, account, region, call).await?;
    let trails: Vec<Trail> = answer.shapes("trailList")?;
    Ok(trails
        .into_iter()
        .map(|trail| (trail.trail_arn.to_string(), trail))
        .collect())
}
