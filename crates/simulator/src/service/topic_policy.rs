//! Access policies of topics, as far as other accounts of the organization are concerned.

use serde_json::{Value, json};
use trailproof_core::account::AccountId;

use crate::model::{Organization, Topic};
use crate::operation::Operation;

/// The policy of a topic as JSON: its own, or the one AWS gives a new topic.
pub(super) fn text(topic: &Topic, arn: &str, owner: AccountId) -> String {
    if !topic.policy.is_empty() {
        return topic.policy.clone();
    }
    json!({
        "Version": "2008-10-17",
        "Id": "__default_policy_ID",
        "Statement": [{
            "Sid": "__default_statement_ID",
            "Effect": "Allow",
            "Principal": { "AWS": "*" },
            "Action": [
                "SNS:GetTopicAttributes", "SNS:SetTopicAttributes", "SNS:AddPermission",
                "SNS:RemovePermission", "SNS:DeleteTopic", "SNS:Subscribe",
                "SNS:ListSubscriptionsByTopic", "SNS:Publish"
            ],
            "Resource": arn,
            "Condition": { "StringEquals": { "AWS:SourceOwner": owner } }
        }]
    })
    .to_string()
}

/// Whether the policy of a topic lets another account of the organization make a call.
pub(super) fn allows(
    organization: &Organization,
    topic: &Topic,
    arn: &str,
    owner: AccountId,
    caller: AccountId,
    operation: Operation,
) -> bool {
    let policy: Value = serde_json::from_str(&text(topic, arn, owner)).unwrap_or_default();
    let action = format!("sns:{}", operation.wire_name()).to_lowercase();
    let statements = many(policy.get("Statement"));
    let applies = |effect: &str| {
        statements.iter().any(|statement| {
            statement.get("Effect").and_then(Value::as_str) == Some(effect)
                && names_action(statement, &action)
                && names_caller(organization, statement, caller)
                && holds(organization, statement, caller)
        })
    };
    applies("Allow") && !applies("Deny")
}

/// A member of a policy that may be one value or a list.
fn many(value: Option<&Value>) -> &[Value] {
    match value {
        None => &[],
        Some(Value::Array(values)) => values,
        Some(value) => std::slice::from_ref(value),
    }
}

fn names_action(statement: &Value, action: &str) -> bool {
    many(statement.get("Action"))
        .iter()
        .filter_map(Value::as_str)
        .map(str::to_lowercase)
        .any(|pattern| {
            pattern
                .strip_suffix('*')
                .map_or(pattern == action, |prefix| action.starts_with(prefix))
        })
}

fn names_caller(organization: &Organization, statement: &Value, caller: AccountId) -> bool {
    let principal = statement.get("Principal");
    let root = format!("arn:{}:iam::{caller}:root", organization.partition());
    let id = caller.to_string();
    let listed = principal.map_or(&[][..], |principal| match principal {
        Value::Object(principal) => many(principal.get("AWS")),
        principal => std::slice::from_ref(principal),
    });
    listed
        .iter()
        .filter_map(Value::as_str)
        .any(|name| name == "*" || name == root || name == id)
}

/// Whether every condition holds. A condition that is not known here does not.
fn holds(organization: &Organization, statement: &Value, caller: AccountId) -> bool {
    let Some(conditions) = statement.get("Condition").and_then(Value::as_object) else {
        return true;
    };
    conditions.iter().all(|(operator, keys)| {
        let keys = keys.as_object();
        keys.is_some_and(|keys| {
            keys.iter().all(|(key, values)| {
                let value = match key.to_lowercase().as_str() {
                    "aws:sourceowner" | "aws:sourceaccount" | "aws:principalaccount" => {
                        caller.to_string()
                    }
                    "aws:principalorgid" if organization.exists => organization.id.clone(),
                    _ => return false,
                };
                operator.starts_with("StringEquals")
                    && many(Some(values))
                        .iter()
                        .any(|wanted| wanted.as_str() == Some(&value))
            })
        })
    })
}
