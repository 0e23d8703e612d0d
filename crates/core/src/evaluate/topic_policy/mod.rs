//! Does a topic's policy let CloudWatch publish an alarm's message?
//!
//! A small evaluator of resource policies for exactly one request: `sns:Publish` by the CloudWatch
//! service for one alarm (IAM User Guide, "Policy evaluation logic"; SNS Developer Guide, "Allow
//! CloudWatch alarms in a different account to publish"). It is not a general IAM simulator: what it
//! does not know it leaves undecided.

mod condition;
mod wildcard;

#[cfg(test)]
mod tests;

use serde_json::{Map, Value};

use crate::account::AccountId;
use crate::arn::Arn;
use condition::{Context, holds};
use wildcard::matches;

/// The service that publishes.
const CLOUDWATCH: &str = "cloudwatch.amazonaws.com";
const PUBLISH: &str = "sns:publish";

/// An alarm's message to a topic.
#[derive(Debug, Clone, Copy)]
pub struct Publication<'a> {
    /// The account of the alarm.
    pub account: AccountId,
    /// The alarm's ARN.
    pub alarm: &'a str,
    /// The topic's ARN.
    pub topic: &'a Arn,
    /// The organization of the alarm's account, where it is known.
    pub organization: Option<&'a str>,
}

/// Whether CloudWatch may publish.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Permission {
    /// The policy allows it.
    Allowed,
    /// The policy denies it, or does not allow it.
    Denied(String),
    /// The policy has something in it that trailproof does not evaluate.
    Undecided(String),
}

/// Evaluates a topic's policy. Every topic has one, so `None` is one that was not shown.
pub fn may_publish(policy: Option<&str>, publication: &Publication<'_>) -> Permission {
    let Some(text) = policy else {
        return Permission::Undecided(format!(
            "the topic's policy was not shown, so what account {} may do is not known",
            publication.account
        ));
    };
    let document: Value = match serde_json::from_str(text) {
        Ok(document) => document,
        Err(error) => {
            return Permission::Undecided(format!("the topic's policy is not JSON: {error}"));
        }
    };
    let statements = match document.get("Statement") {
        Some(Value::Array(statements)) => statements.as_slice(),
        Some(statement @ Value::Object(_)) => std::slice::from_ref(statement),
        _ => return Permission::Undecided("the topic's policy has no statements".to_owned()),
    };

    let context = Context::of(publication);
    let mut allowed = Some(false);
    let mut denied = Some(false);
    for statement in statements {
        let Some(statement) = statement.as_object() else {
            return Permission::Undecided(
                "a statement of the topic's policy is no object".to_owned(),
            );
        };
        let applies = applies(statement, publication, &context);
        let effect = match statement.get("Effect").and_then(Value::as_str) {
            Some("Allow") => &mut allowed,
            Some("Deny") => &mut denied,
            _ => return Permission::Undecided("a statement has no effect".to_owned()),
        };
        *effect = or(*effect, applies);
    }
    match (denied, allowed) {
        (Some(true), _) => Permission::Denied(format!(
            "a Deny statement of the topic's policy keeps {CLOUDWATCH} from publishing"
        )),
        (_, Some(false)) => Permission::Denied(format!(
            "no statement of the topic's policy lets {CLOUDWATCH} publish for account {}",
            publication.account
        )),
        (Some(false), Some(true)) => Permission::Allowed,
        _ => Permission::Undecided(
            "the topic's policy has a principal or a condition that trailproof does not evaluate"
                .to_owned(),
        ),
    }
}

/// Whether a statement is about this request; `None` is unknown.
fn applies(
    statement: &Map<String, Value>,
    publication: &Publication<'_>,
    context: &Context<'_>,
) -> Option<bool> {
    let conditions = statement
        .get("Condition")
        .map_or(Some(true), |condition| holds(condition, context));
    [
        element(
            statement,
            ["Principal", "NotPrincipal"],
            principal(publication),
        ),
        element(statement, ["Action", "NotAction"], |action| {
            texts(action).map(|texts| texts.iter().any(|pattern| is_publish(pattern)))
        }),
        element(statement, ["Resource", "NotResource"], |resource| {
            texts(resource).map(|texts| {
                texts
                    .iter()
                    .any(|pattern| matches(pattern, publication.topic.as_str()))
            })
        }),
        conditions,
    ]
    .into_iter()
    .fold(Some(true), and)
}

/// Whether an action is to publish. The names of actions know no case (IAM User Guide, "IAM JSON
/// policy elements: Action").
fn is_publish(pattern: &str) -> bool {
    pattern.eq_ignore_ascii_case(PUBLISH)
        || pattern.contains(['*', '?']) && matches(&pattern.to_ascii_lowercase(), PUBLISH)
}

/// An element of a statement or its opposite, such as `Action` or `NotAction`. A statement without
/// either does not narrow.
fn element(
    statement: &Map<String, Value>,
    [name, opposite]: [&str; 2],
    matches: impl Fn(&Value) -> Option<bool>,
) -> Option<bool> {
    match (statement.get(name), statement.get(opposite)) {
        (Some(value), _) => matches(value),
        (None, Some(value)) => matches(value).map(|matched| !matched),
        (None, None) => Some(name == "Resource"),
    }
}

/// Whether the caller is meant. The policy that SNS gives every new topic lets alarms through by
/// naming everybody, if `AWS:SourceOwner` is the owner. Nothing says that naming the account does:
/// a service is no principal of the account it works for.
fn principal(publication: &Publication<'_>) -> impl Fn(&Value) -> Option<bool> {
    let account = publication.account;
    let same_account = publication.topic.account() == Some(account);
    move |principal| {
        let Value::Object(kinds) = principal else {
            return principal.as_str().map(|text| text == "*");
        };
        let mut found = Some(false);
        for (kind, value) in kinds {
            let names = texts(value)?;
            let meant = match kind.as_str() {
                "Service" => Some(names.iter().any(|name| *name == CLOUDWATCH || *name == "*")),
                "AWS" if names.contains(&"*") => Some(true),
                "AWS" if same_account && names.iter().any(|name| is_account(name, account)) => None,
                _ => Some(false),
            };
            found = or(found, meant);
        }
        found
    }
}

fn is_account(principal: &str, account: AccountId) -> bool {
    let account = account.to_string();
    principal == account
        || principal.parse::<Arn>().is_ok_and(|arn| {
            arn.service() == "iam" && arn.resource() == "root" && principal.contains(&account)
        })
}

/// A text or a list of texts.
fn texts(value: &Value) -> Option<Vec<&str>> {
    match value {
        Value::String(text) => Some(vec![text]),
        Value::Array(list) => list.iter().map(Value::as_str).collect(),
        _ => None,
    }
}

fn or(left: Option<bool>, right: Option<bool>) -> Option<bool> {
    match (left, right) {
        (Some(true), _) | (_, Some(true)) => Some(true),
        (Some(false), Some(false)) => Some(false),
        _ => None,
    }
}

fn and(left: Option<bool>, right: Option<bool>) -> Option<bool> {
    match (left, right) {
        (Some(false), _) | (_, Some(false)) => Some(false),
        (Some(true), Some(true)) => Some(true),
        _ => None,
    }
}
