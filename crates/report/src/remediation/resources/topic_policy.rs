//! Who may publish to a topic that alarms of other accounts notify: the statement for CloudWatch in
//! its policy, in a topic of the plan's own or added to the policy of one that is there.
//!
//! CloudWatch lets the policy of a topic be held against the account, the organization and the ARN
//! of the alarm (CloudWatch User Guide, "Notifying users on alarm changes": `aws:SourceAccount`,
//! `aws:SourceOrgID`, `aws:SourceArn`).

use std::collections::BTreeSet;
use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use trailproof_core::account::AccountId;
use trailproof_core::arn::Arn;
use trailproof_core::remedy::{Command, Word};
use trailproof_scanner::{CallFailure, ServiceCall};

use super::Resource;
use crate::remediation::aws::Place;
use crate::remediation::export::hcl::Block;
use crate::remediation::journal::Created;

/// No quota is documented: that of the scarcest neighbour is kept.
pub(crate) const SET: ServiceCall = ServiceCall {
    action: "sns:SetTopicAttributes",
    per_second: 5.0,
};

/// The service whose alarms notify topics.
const CLOUDWATCH: &str = "cloudwatch.amazonaws.com";

/// The id of the statement in the policy of a topic that a plan creates. In the policy of another
/// topic the id of the plan follows.
pub(crate) const SID: &str = "trailproof";

/// Whose alarms may notify a topic.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Publishers {
    /// The organization whose accounts may (`aws:SourceOrgID`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organization: Option<String>,
    /// Where the run saw no organization: the accounts that may (`aws:SourceAccount`).
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    #[schemars(with = "Vec<String>")]
    pub accounts: BTreeSet<AccountId>,
}

/// A statement that is added to the policy of a topic that is there: all others stay as they are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TopicStatement {
    /// The topic.
    pub topic_arn: String,
    /// The statement's `Sid`, which names the plan.
    pub sid: String,
    /// Whose alarms it lets through.
    pub publishers: Publishers,
    /// The policy as it was right before, so that undo can put exactly that back. Only journals
    /// have it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
}

impl Publishers {
    /// The statement that lets CloudWatch publish the messages of their alarms in a topic's region.
    pub(crate) fn statement(&self, topic_arn: &str, sid: &str) -> Value {
        let arn: Option<Arn> = topic_arn.parse().ok();
        let alarms = arn.and_then(|arn| {
            let region = arn.region()?;
            Some(format!(
                "arn:{}:cloudwatch:{region}:*:alarm:*",
                arn.partition()
            ))
        });
        let who = match &self.organization {
            Some(organization) => json!({"aws:SourceOrgID": organization}),
            None => json!({"aws:SourceAccount": self.accounts}),
        };
        json!({
            "Sid": sid, "Effect": "Allow", "Principal": {"Service": CLOUDWATCH},
            "Action": "sns:Publish", "Resource": topic_arn,
            "Condition": {"StringEquals": who, "ArnLike": {"aws:SourceArn": alarms}},
        })
    }

    /// The policy of a new topic: the one that SNS gives every topic, and the statement.
    pub(crate) fn policy(&self, topic_arn: &str, owner: AccountId) -> Value {
        json!({
            "Version": "2012-10-17",
            "Statement": [owners_statement(topic_arn, owner), self.statement(topic_arn, SID)],
        })
    }

    /// Whether a policy has the statement already, whichever plan of trailproof wrote it.
    pub(crate) fn are_in(&self, policy: Option<&str>, topic_arn: &str) -> bool {
        let policy: Option<Value> = policy.and_then(|text| serde_json::from_str(text).ok());
        let statements = policy.as_ref().and_then(|policy| policy.get("Statement"));
        let statements = statements.and_then(Value::as_array);
        statements.into_iter().flatten().any(|statement| {
            let sid = statement.get("Sid").and_then(Value::as_str);
            sid.is_some_and(|sid| {
                sid.starts_with(SID) && is_same(statement, &self.statement(topic_arn, sid))
            })
        })
    }
}

impl fmt::Display for Publishers {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.organization {
            Some(organization) => write!(formatter, "organization {organization}"),
            None if self.accounts.len() == 1 => formatter.write_str("1 account"),
            None => write!(formatter, "{} accounts", self.accounts.len()),
        }
    }
}

/// The statement that SNS gives a new topic: everything of its own account may publish,
/// CloudWatch's alarms of that account included (SNS Developer Guide).
pub(super) fn owners_statement(topic_arn: &str, owner: AccountId) -> Value {
    json!({
        "Sid": "__default_statement_ID", "Effect": "Allow", "Principal": {"AWS": "*"},
        "Action": ["SNS:GetTopicAttributes", "SNS:SetTopicAttributes", "SNS:AddPermission",
            "SNS:RemovePermission", "SNS:DeleteTopic", "SNS:Subscribe",
            "SNS:ListSubscriptionsByTopic", "SNS:Publish"],
        "Resource": topic_arn,
        "Condition": {"StringEquals": {"AWS:SourceOwner": owner}},
    })
}

/// Whether two statements say the same: a list of one is its only element, and the names of actions
/// know no case.
fn is_same(one: &Value, other: &Value) -> bool {
    fn plain(value: &Value) -> Value {
        match value {
            Value::Array(elements) if elements.len() == 1 => {
                elements.first().map_or(Value::Null, plain)
            }
            Value::Array(elements) => {
                let mut elements: Vec<Value> = elements.iter().map(plain).collect();
                elements.sort_by_key(Value::to_string);
                Value::Array(elements)
            }
            Value::Object(members) => {
                let plain = |(name, member): (&String, &Value)| {
                    let member = plain(member);
                    let action = member.as_str().filter(|_| name == "Action");
                    let small = action.map(|action| json!(action.to_ascii_lowercase()));
                    (name.clone(), small.unwrap_or(member))
                };
                Value::Object(members.iter().map(plain).collect())
            }
            other => other.clone(),
        }
    }
    plain(one) == plain(other)
}

/// What became of the statement in a policy.
pub(crate) enum Found {
    /// It is not there.
    Absent,
    /// One of its name is there and says something else.
    Different,
    /// It is there; the policy without it.
    There(String),
}

impl TopicStatement {
    fn statement(&self) -> Value {
        self.publishers.statement(&self.topic_arn, &self.sid)
    }

    /// Looks for it in a policy.
    pub(crate) fn find(&self, policy: &str) -> Found {
        let Some((mut document, mut statements)) = taken_apart(policy) else {
            return Found::Absent;
        };
        let named = |statement: &Value| {
            statement.get("Sid").and_then(Value::as_str) == Some(self.sid.as_str())
        };
        let Some(index) = statements.iter().position(named) else {
            return Found::Absent;
        };
        if !is_same(&statements.remove(index), &self.statement()) {
            return Found::Different;
        }
        // What was one statement without a list was written as one by whoever made the topic.
        let before = self.before.as_deref().filter(|before| {
            taken_apart(before).is_some_and(|(of, parts)| of == document && parts == statements)
        });
        let rest = before.map_or_else(
            || {
                document.insert("Statement".to_owned(), Value::Array(statements));
                Value::Object(document).to_string()
            },
            str::to_owned,
        );
        Found::There(rest)
    }

    /// A policy with the statement; `None` where it is no policy.
    pub(crate) fn added_to(&self, policy: &str) -> Option<String> {
        let (mut document, mut statements) = taken_apart(policy)?;
        statements.push(self.statement());
        document.insert("Statement".to_owned(), Value::Array(statements));
        Some(Value::Object(document).to_string())
    }

    pub(crate) async fn create(&self, place: &Place<'_>) -> Result<Created, CallFailure> {
        let before = self.before.as_deref().unwrap_or_default();
        let policy = self.added_to(before).unwrap_or_default();
        set(place, &self.topic_arn, &policy).await?;
        Ok(Created {
            arn: Some(self.topic_arn.clone()),
            digest: None,
        })
    }
}

/// A policy's members but its statements, and its statements.
fn taken_apart(policy: &str) -> Option<(Map<String, Value>, Vec<Value>)> {
    let Ok(Value::Object(mut document)) = serde_json::from_str(policy) else {
        return None;
    };
    let statements = match document.remove("Statement")? {
        Value::Array(statements) => statements,
        statement @ Value::Object(_) => vec![statement],
        _ => return None,
    };
    Some((document, statements))
}

/// Replaces the policy of a topic.
pub(crate) async fn set(place: &Place<'_>, arn: &str, policy: &str) -> Result<(), CallFailure> {
    let request = place.send(SET, |clients| {
        let request = clients.sns().set_topic_attributes();
        request
            .topic_arn(arn)
            .attribute_name("Policy")
            .attribute_value(policy)
            .send()
    });
    request.await.map(drop)
}

/// CloudFormation's resource for a whole policy of a topic that the same template creates.
pub(crate) fn cloudformation(policy: &Value, topic: &Value) -> Value {
    json!({
        "Type": "AWS::SNS::TopicPolicy",
        "Properties": {"PolicyDocument": policy, "Topics": [topic]},
    })
}

impl Resource for TopicStatement {
    /// Both languages know whole policies only, and would take away what others wrote there: the
    /// exports name it, and leave it to people.
    fn cloudformation(&self, _: &dyn Fn(&str) -> Value) -> (&'static str, Value) {
        ("AWS::SNS::TopicPolicy", Value::Null)
    }

    fn terraform(&self, _: &dyn Fn(&str) -> String) -> (&'static str, Block) {
        ("aws_sns_topic_policy", Block::default())
    }

    fn script(&self) -> (Vec<String>, Command) {
        let statement = self.statement().to_string();
        let words = [
            "topic_statement",
            self.topic_arn.as_str(),
            self.sid.as_str(),
            statement.as_str(),
        ];
        let policy = self.before.as_deref();
        let policy = policy.and_then(|before| self.added_to(before));
        let policy = policy.map_or(Word::Variable("POLICY".into()), Word::text);
        let create = Command::aws("sns set-topic-attributes")
            .with("--topic-arn", self.topic_arn.as_str())
            .with_fixed("--attribute-name", "Policy")
            .with_word("--attribute-value", policy);
        (words.map(str::to_owned).to_vec(), create)
    }
}

impl fmt::Display for TopicStatement {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "statement in the policy of `{}` that lets CloudWatch publish for {}",
            self.topic_arn, self.publishers
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use trailproof_core::evaluate::policy::{Permission, Publication, may_publish};

    const TOPIC: &str = "arn:aws:sns:us-east-1:222222222222:trailproof-alarms";
    const ALARM: &str = "arn:aws:cloudwatch:us-east-1:333333333333:alarm:a";

    fn publishers() -> [Publishers; 2] {
        [
            Publishers {
                organization: Some("o-1".to_owned()),
                ..Publishers::default()
            },
            Publishers {
                accounts: BTreeSet::from(["333333333333".parse().unwrap()]),
                ..Publishers::default()
            },
        ]
    }

    fn permission(policy: &str, account: &str, organization: Option<&str>) -> Permission {
        let topic = TOPIC.parse().unwrap();
        let publication = Publication {
            account: account.parse().unwrap(),
            alarm: &ALARM.replace("333333333333", account),
            topic: &topic,
            organization,
        };
        may_publish(Some(policy), &publication)
    }

    #[test]
    fn cloudwatch_may_publish_for_whom_it_is_meant_and_for_nobody_else() {
        for meant in publishers() {
            let policy = meant.policy(TOPIC, "222222222222".parse().unwrap());
            let policy = policy.to_string();
            let allowed = permission(&policy, "333333333333", Some("o-1"));
            assert_eq!(allowed, Permission::Allowed, "{policy}");
            let own = permission(&policy, "222222222222", Some("o-1"));
            assert_eq!(own, Permission::Allowed, "{policy}");
            let stranger = permission(&policy, "444444444444", Some("o-2"));
            assert!(matches!(stranger, Permission::Denied(_)), "{policy}");
            assert!(meant.are_in(Some(&policy), TOPIC));
            let other = TOPIC.replace("us-east-1", "eu-west-1");
            assert!(!meant.are_in(Some(&policy), &other));
        }
    }

    #[test]
    fn a_statement_goes_in_and_out_of_any_policy() {
        let own = r#"{"Statement":{"Effect":"Deny","Principal":"*","Action":"sns:Publish","Resource":"*"}, "Version":"2012-10-17"}"#;
        let list = r#"{ "Version" : "2008-10-17", "Statement" : [ ] }"#;
        for before in [own, list] {
            let added = TopicStatement {
                topic_arn: TOPIC.to_owned(),
                sid: "trailproof0123456789ab".to_owned(),
                publishers: publishers()[0].clone(),
                before: Some(before.to_owned()),
            };
            let with = added.added_to(before).unwrap();
            assert!(matches!(added.find(before), Found::Absent));
            // Byte for byte what it was.
            assert!(matches!(added.find(&with), Found::There(rest) if rest == before));
            // AWS may write lists of one and other cases of letters.
            let rewritten = with
                .replace(
                    "\"sns:Publish\",\"Condition\"",
                    "[\"SNS:Publish\"],\"Condition\"",
                )
                .replace("\"o-1\"", "[\"o-1\"]");
            assert!(
                matches!(added.find(&rewritten), Found::There(_)),
                "{rewritten}"
            );
            let widened = with.replace("\"o-1\"", "[\"o-1\", \"o-2\"]");
            assert!(matches!(added.find(&widened), Found::Different));
            // Somebody came since: theirs stays.
            let more = with.replacen('[', r#"[{"Sid":"theirs"},"#, 1);
            let Found::There(rest) = added.find(&more) else {
                panic!("{more}");
            };
            assert!(
                rest.contains("theirs") && !rest.contains("trailproof"),
                "{rest}"
            );
        }
        let added = TopicStatement {
            topic_arn: TOPIC.to_owned(),
            sid: String::new(),
            publishers: Publishers::default(),
            before: None,
        };
        assert_eq!(added.added_to("nonsense"), None);
    }
}
