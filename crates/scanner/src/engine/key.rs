//! What makes two questions the same question.

use std::hash::{DefaultHasher, Hash, Hasher};

use serde_json::{Map, Value};
use trailproof_core::account::{AccountId, Region};
use trailproof_core::evidence::{Operation, Record, Request};

/// The identity of a question: operation, account, region and parameters, hashed. With a million
/// questions in a run, the chance that any two share a key is about one in thirty million; a
/// question lost that way would leave an UNKNOWN, not a wrong verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Key(u64);

impl Key {
    fn new(
        operation: Operation,
        account: AccountId,
        region: &Region,
        parameters: &Map<String, Value>,
    ) -> Self {
        let mut hasher = DefaultHasher::new();
        (operation, account, region).hash(&mut hasher);
        for (name, value) in parameters {
            name.hash(&mut hasher);
            match value {
                Value::String(text) => text.hash(&mut hasher),
                other => other.to_string().hash(&mut hasher),
            }
        }
        Self(hasher.finish())
    }

    pub(crate) fn of_request(request: &Request) -> Self {
        Self::new(
            request.call.operation(),
            request.account,
            &request.region,
            &request.call.parameters(),
        )
    }

    pub(crate) fn of_record<R>(record: &Record<R>) -> Self {
        Self::new(
            record.operation,
            record.account,
            &record.region,
            &record.parameters,
        )
    }
}
