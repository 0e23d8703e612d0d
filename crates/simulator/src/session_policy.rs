//! What a session may do at most: the policy that sts:AssumeRole was given, and AWS's own policies
//! that were named beside it. Written from what AWS documents, not from what the scanner sends.

use serde_json::Value;

use crate::failure::Failure;
use crate::operation::Operation;
use crate::parameters::Parameters;

/// Patterns of actions, of which one has to match. They are part of the session's token, so that a
/// session costs no memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SessionLimit(String);

/// AWS's own policy for reading. What it allows of what is served here is what only reads.
const READ_ONLY_ACCESS: &str = "ReadOnlyAccess";

impl SessionLimit {
    /// What a call of sts:AssumeRole asks for; `None` where it sets no limit.
    pub(crate) fn asked_for(parameters: Parameters<'_>) -> Result<Option<Self>, Failure> {
        let mut patterns = Vec::new();
        if let Some(text) = parameters.text("Policy") {
            patterns.extend(actions(text).ok_or_else(|| {
                Failure::invalid("MalformedPolicyDocument", "The policy is not in valid JSON")
            })?);
        }
        for descriptor in parameters.structures("PolicyArns") {
            let arn = descriptor.text("arn").unwrap_or_default();
            let Some(name) = arn
                .split_once(":iam::aws:policy/")
                .map(|(_, name)| name)
                .filter(|name| *name == READ_ONLY_ACCESS)
            else {
                return Err(Failure::not_found(
                    "NoSuchEntity",
                    format!("Policy {arn} does not exist or is not attachable."),
                ));
            };
            patterns.push(name.to_owned());
        }
        Ok((!patterns.is_empty()).then(|| Self(patterns.join(","))))
    }

    /// How many characters a call of sts:AssumeRole spends on policies.
    pub(crate) fn size(parameters: Parameters<'_>) -> usize {
        let arns = parameters.structures("PolicyArns");
        parameters.text("Policy").map_or(0, str::len)
            + arns
                .map(|descriptor| descriptor.text("arn").map_or(0, str::len))
                .sum::<usize>()
    }

    /// As it stands in a token, where `-` means that there is no limit.
    pub(crate) fn in_token(limit: Option<&Self>) -> &str {
        limit.map_or("-", |limit| &limit.0)
    }

    /// From a token.
    pub(crate) fn of_token(text: &str) -> Option<Self> {
        (text != "-").then(|| Self(text.to_owned()))
    }

    /// Whether an operation is within it.
    pub(crate) fn allows(&self, operation: Operation) -> bool {
        let action = operation.action();
        self.0.split(',').any(|pattern| {
            if pattern == READ_ONLY_ACCESS {
                return !operation.writes() && operation != Operation::AssumeRole;
            }
            match pattern.strip_suffix('*') {
                Some(start) => action.starts_with(start),
                None => pattern == action,
            }
        })
    }
}

/// The actions that a policy document allows on every resource; `None` where it is none. It has
/// one statement or a list of them, each with one action or a list.
fn actions(text: &str) -> Option<Vec<String>> {
    let document: Value = serde_json::from_str(text).ok()?;
    if document.get("Version")? != "2012-10-17" {
        return None;
    }
    let many = |value: &Value| match value {
        Value::Array(list) => list.clone(),
        one => vec![one.clone()],
    };
    let mut actions = Vec::new();
    for statement in many(document.get("Statement")?) {
        let allows = statement.get("Effect")? == "Allow" && statement.get("Resource")? == "*";
        for action in many(statement.get("Action")?) {
            let action = action.as_str()?;
            if !action.contains(':') || action.contains(',') {
                return None;
            }
            if allows {
                actions.push(action.to_owned());
            }
        }
    }
    Some(actions)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn limit(parameters: &Value) -> SessionLimit {
        SessionLimit::asked_for(Parameters(parameters))
            .unwrap()
            .unwrap()
    }

    #[test]
    fn a_policy_limits_and_managed_ones_add() {
        let policy = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":["logs:Describe*","sns:Subscribe"],"Resource":"*"}}"#;
        let inline = limit(&json!({ "Policy": policy }));
        assert!(inline.allows(Operation::DescribeLogGroups));
        assert!(inline.allows(Operation::Subscribe));
        assert!(!inline.allows(Operation::DescribeAlarms));
        let arn = "arn:aws:iam::aws:policy/ReadOnlyAccess";
        let both = limit(&json!({ "Policy": policy, "PolicyArns": [{ "arn": arn }] }));
        assert!(both.allows(Operation::DescribeAlarms));
        assert!(both.allows(Operation::Subscribe));
        assert!(!both.allows(Operation::CreateTopic));
        assert!(!both.allows(Operation::AssumeRole));
        let token = SessionLimit::in_token(Some(&both)).to_owned();
        assert_eq!(SessionLimit::of_token(&token), Some(both));
    }

    #[test]
    fn what_is_no_policy_is_refused() {
        for policy in [
            "",
            "{}",
            r#"{"Version":"2012-10-17","Statement":[{"Action":"logs"}]}"#,
        ] {
            let parameters = json!({ "Policy": policy });
            assert!(
                SessionLimit::asked_for(Parameters(&parameters)).is_err(),
                "{policy}"
            );
        }
        assert_eq!(SessionLimit::asked_for(Parameters(&json!({}))), Ok(None));
    }
}
