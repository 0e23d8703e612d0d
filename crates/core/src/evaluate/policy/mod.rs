//! Does a resource's policy let CloudWatch do what an alarm's message needs?
//!
//! A small evaluator of resource policies for exactly one kind of request: one that the CloudWatch
//! service makes for one alarm (IAM User Guide, "Policy evaluation logic"). What the policies of
//! topics and of keys have of their own stands in their files. It is not a general IAM simulator:
//! what it does not know it leaves undecided.

mod condition;
mod key;
mod topic;
mod wildcard;

use serde_json::{Map, Value};

use crate::account::AccountId;
use crate::arn::Arn;
use crate::evaluate::undecided::{and, or};
use condition::{Key, holds};
pub(crate) use wildcard::matches;

pub use key::{KeyUse, may_use};
pub use topic::{Publication, may_publish};

/// The service that publishes.
const CLOUDWATCH: &str = "cloudwatch.amazonaws.com";

/// Whether CloudWatch may.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Permission {
    /// The policy allows it.
    Allowed,
    /// The policy denies it, or does not allow it.
    Denied(String),
    /// The policy has something in it that trailproof does not evaluate.
    Undecided(String),
}

/// One request that CloudWatch makes.
trait Request {
    /// What the policy is of, such as `topic`.
    const RESOURCE: &'static str;

    /// What is asked for, in a sentence, such as `publish`.
    fn verb(&self) -> &str;

    /// The action in small letters.
    fn action(&self) -> &str;

    /// The ARN that elements `Resource` are held against.
    fn resource(&self) -> &str;

    /// The account of the alarm.
    fn account(&self) -> AccountId;

    /// Whether a statement for the alarm's account itself is one for the service that works for
    /// it; `None` where nothing says so.
    fn account_means_service(&self) -> Option<bool>;

    /// The value of a condition key, whose name is written small.
    fn key(&self, name: &str) -> Key<'_>;
}

/// The statements of a policy.
fn statements(text: &str, resource: &str) -> Result<Vec<Map<String, Value>>, String> {
    let mut document: Value = serde_json::from_str(text)
        .map_err(|error| format!("the {resource}'s policy is not JSON: {error}"))?;
    let statements = match document.get_mut("Statement").map(Value::take) {
        Some(Value::Array(statements)) => statements,
        Some(statement @ Value::Object(_)) => vec![statement],
        _ => return Err(format!("the {resource}'s policy has no statements")),
    };
    let objects = statements.into_iter().map(|statement| match statement {
        Value::Object(statement) => Ok(statement),
        _ => Err(format!(
            "a statement of the {resource}'s policy is no object"
        )),
    });
    objects.collect()
}

/// Evaluates the statements of a policy for one request.
fn evaluate<R: Request>(statements: &[Map<String, Value>], request: &R) -> Permission {
    let mut allowed = Some(false);
    let mut denied = Some(false);
    for statement in statements {
        let applies = applies(statement, request);
        let effect = match statement.get("Effect").and_then(Value::as_str) {
            Some("Allow") => &mut allowed,
            Some("Deny") => &mut denied,
            _ => return Permission::Undecided("a statement has no effect".to_owned()),
        };
        *effect = or(*effect, applies);
    }
    let (resource, verb) = (R::RESOURCE, request.verb());
    match (denied, allowed) {
        (Some(true), _) => Permission::Denied(format!(
            "a Deny statement of the {resource}'s policy does not let {CLOUDWATCH} {verb}"
        )),
        (_, Some(false)) => Permission::Denied(format!(
            "no statement of the {resource}'s policy lets {CLOUDWATCH} {verb} for account {}",
            request.account()
        )),
        (Some(false), Some(true)) => Permission::Allowed,
        _ => Permission::Undecided(format!(
            "the {resource}'s policy has a principal or a condition that trailproof does not evaluate"
        )),
    }
}

/// Whether a statement is about this request; `None` is unknown.
fn applies<R: Request>(statement: &Map<String, Value>, request: &R) -> Option<bool> {
    let conditions = statement
        .get("Condition")
        .map_or(Some(true), |condition| holds(condition, request));
    let names_action = |pattern: &&str| is_action(pattern, request.action());
    let names_resource = |pattern: &&str| matches(pattern, request.resource());
    [
        element(statement, ["Principal", "NotPrincipal"], principal(request)),
        element(statement, ["Action", "NotAction"], |action| {
            texts(action).map(|texts| texts.iter().any(names_action))
        }),
        element(statement, ["Resource", "NotResource"], |resource| {
            texts(resource).map(|texts| texts.iter().any(names_resource))
        }),
        conditions,
    ]
    .into_iter()
    .fold(Some(true), and)
}

/// Whether a pattern names an action. The names of actions know no case (IAM User Guide, "IAM JSON
/// policy elements: Action").
fn is_action(pattern: &str, action: &str) -> bool {
    pattern.eq_ignore_ascii_case(action)
        || pattern.contains(['*', '?']) && matches(&pattern.to_ascii_lowercase(), action)
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

/// Whether the caller is meant.
fn principal<R: Request>(request: &R) -> impl Fn(&Value) -> Option<bool> {
    let account = request.account();
    let account_means_service = request.account_means_service();
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
                "AWS" if names.iter().any(|name| is_account(name, account)) => {
                    account_means_service
                }
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
