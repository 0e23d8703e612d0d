//! Does the policy of a key let CloudWatch encrypt the messages of an alarm to a topic? (SNS
//! Developer Guide, "Enable compatibility between event sources from AWS services and encrypted
//! topics".)

use super::condition::Key;
use super::{Permission, Request, evaluate, statements};
use crate::account::AccountId;

/// The two requests that a publisher makes of a topic's key, as actions and in a sentence. SNS
/// names `kms:GenerateDataKey*` and `kms:Decrypt`; the first stands for `GenerateDataKey`.
const ACTIONS: [(&str, &str); 2] = [
    ("kms:generatedatakey", "call kms:GenerateDataKey"),
    ("kms:decrypt", "call kms:Decrypt"),
];

/// The use of a topic's key for an alarm's message.
#[derive(Debug, Clone, Copy)]
pub struct KeyUse<'a> {
    /// The account of the alarm.
    pub account: AccountId,
    /// The alarm's ARN.
    pub alarm: &'a str,
    /// The key's ARN.
    pub key: &'a str,
}

/// One of the requests.
struct Using<'a> {
    key_use: &'a KeyUse<'a>,
    action: &'static str,
    verb: &'static str,
    account: String,
}

/// Evaluates a key's policy: whether CloudWatch may use the key for an alarm's message.
pub fn may_use(policy: &str, key_use: &KeyUse<'_>) -> Permission {
    let statements = match statements(policy, Using::RESOURCE) {
        Ok(statements) => statements,
        Err(why) => return Permission::Undecided(why),
    };
    let mut undecided = None;
    for (action, verb) in ACTIONS {
        let request = Using {
            key_use,
            action,
            verb,
            account: key_use.account.to_string(),
        };
        match evaluate(&statements, &request) {
            Permission::Allowed => {}
            denied @ Permission::Denied(_) => return denied,
            unknown @ Permission::Undecided(_) => undecided = Some(unknown),
        }
    }
    undecided.unwrap_or(Permission::Allowed)
}

impl Request for Using<'_> {
    const RESOURCE: &'static str = "key";

    fn verb(&self) -> &'static str {
        self.verb
    }

    fn action(&self) -> &'static str {
        self.action
    }

    fn resource(&self) -> &str {
        self.key_use.key
    }

    fn account(&self) -> AccountId {
        self.key_use.account
    }

    /// A statement for the account lets the account's own IAM policies decide, and a service has
    /// none (KMS Developer Guide, "Allows access to the AWS account and enables IAM policies").
    fn account_means_service(&self) -> Option<bool> {
        Some(false)
    }

    /// Which other keys the requests of a service carry is not documented.
    fn key(&self, name: &str) -> Key<'_> {
        match name {
            "aws:sourceaccount" => Key::Is(&self.account),
            "aws:sourcearn" => Key::Is(self.key_use.alarm),
            _ => Key::Unknown,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::evaluate::fixture::change_members;

    const KEY: &str = "arn:aws:kms:eu-west-1:111111111111:key/1234abcd";

    fn check(statements: &Value) -> Permission {
        let policy = json!({"Version": "2012-10-17", "Statement": statements});
        may_use(
            &policy.to_string(),
            &KeyUse {
                account: "111111111111".parse().unwrap(),
                alarm: "arn:aws:cloudwatch:eu-west-1:111111111111:alarm:signins",
                key: KEY,
            },
        )
    }

    fn statement(change: &Value) -> Value {
        let mut statement = json!({
            "Effect": "Allow", "Principal": {"Service": "cloudwatch.amazonaws.com"},
            "Action": ["kms:Decrypt", "kms:GenerateDataKey*"], "Resource": "*",
        });
        change_members(&mut statement, change);
        statement
    }

    fn root() -> Value {
        json!({"Effect": "Allow", "Action": "kms:*", "Resource": "*",
            "Principal": {"AWS": "arn:aws:iam::111111111111:root"}})
    }

    #[test]
    fn keys_that_cloudwatch_may_use() {
        for change in [
            json!({}),
            json!({"Action": ["kms:Decrypt", "kms:GenerateDataKey"]}),
            json!({"Action": ["KMS:decrypt", "kms:Generate*"]}),
            json!({"Action": "kms:*"}),
            json!({"Principal": {"Service": ["sns.amazonaws.com", "cloudwatch.amazonaws.com"]}}),
            json!({"Resource": KEY}),
            json!({"Condition": {"StringEquals": {"aws:SourceAccount": "111111111111"}}}),
            json!({"Condition": {"ArnLike": {"aws:SourceArn": "arn:aws:cloudwatch:*:111111111111:alarm:*"}}}),
        ] {
            let permission = check(&json!([root(), statement(&change)]));
            assert_eq!(permission, Permission::Allowed, "{change}");
        }
        // Both requests, of whichever statement.
        let apart = json!([
            statement(&json!({"Action": "kms:Decrypt"})),
            statement(&json!({"Action": "kms:GenerateDataKey"})),
        ]);
        assert_eq!(check(&apart), Permission::Allowed);
    }

    #[test]
    fn keys_that_it_may_not_use() {
        for statements in [
            json!([]),
            // IAM policies of the account may let somebody use it, and CloudWatch has none.
            json!([root()]),
            json!([
                root(),
                statement(&json!({"Principal": {"AWS": "111111111111"}}))
            ]),
            json!([statement(&json!({"Action": "kms:Decrypt"}))]),
            json!([statement(
                &json!({"Action": ["kms:Decrypt", "kms:GenerateDataKeyWithoutPlaintext"]})
            )]),
            json!([statement(
                &json!({"Principal": {"Service": "sns.amazonaws.com"}})
            )]),
            json!([statement(
                &json!({"Resource": "arn:aws:kms:eu-west-1:111111111111:key/other"})
            )]),
            json!([statement(
                &json!({"Condition": {"StringEquals": {"aws:SourceAccount": "222222222222"}}})
            )]),
            json!([statement(
                &json!({"Condition": {"ArnLike": {"aws:SourceArn": "arn:aws:sns:*:*:*"}}})
            )]),
            json!([
                statement(&json!({})),
                statement(&json!({"Effect": "Deny", "Principal": "*"}))
            ]),
        ] {
            let permission = check(&statements);
            assert!(
                matches!(permission, Permission::Denied(_)),
                "{statements}: {permission:?}"
            );
        }
    }

    #[test]
    fn conditions_that_nobody_documents_are_undecided() {
        let mut nested = json!("1");
        for _ in 0..500 {
            nested = json!([nested]);
        }
        for statements in [
            json!([statement(
                &json!({"Condition": {"StringEquals": {"kms:ViaService": "sns.eu-west-1.amazonaws.com"}}})
            )]),
            json!([statement(
                &json!({"Condition": {"StringEquals": {"kms:EncryptionContext:aws:sns:topicArn": "x"}}})
            )]),
            json!([statement(
                &json!({"Principal": {"AWS": "*"}, "Condition": {"StringEquals": {"kms:CallerAccount": "111111111111"}}})
            )]),
            json!([
                statement(&json!({})),
                statement(
                    &json!({"Effect": "Deny", "Condition": {"StringNotEquals": {"aws:SourceOrgID": "o-1"}}})
                )
            ]),
            json!([statement(&json!({"Condition": {"StringEquals": nested}}))]),
        ] {
            let permission = check(&statements);
            assert!(
                matches!(permission, Permission::Undecided(_)),
                "{permission:?}"
            );
        }
    }

    #[test]
    fn what_is_no_policy_is_undecided() {
        for text in ["", "{}", "no JSON", r#"{"Statement": ["x"]}"#] {
            let key_use = KeyUse {
                account: "111111111111".parse().unwrap(),
                alarm: "",
                key: KEY,
            };
            assert!(matches!(may_use(text, &key_use), Permission::Undecided(_)));
        }
    }
}
