//! The topic: one for each account and region, which tells everybody who is subscribed.

use std::collections::BTreeMap;
use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use trailproof_core::account::{AccountId, Region};
use trailproof_core::arn::Arn;
use trailproof_core::evaluate::policy::{Permission, Publication, may_publish};
use trailproof_core::evidence::{Call, TopicAttributes};
use trailproof_core::remedy::{self, Command};
use trailproof_scanner::{CallFailure, ServiceCall};

use super::subscription::PresentSubscription;
use super::topic_policy::{Publishers, owners_statement};
use super::{Resource, configuration, tags};
use crate::remediation::aws::{Place, invalid};
use crate::remediation::cloud::Cloud;
use crate::remediation::export::hcl::Block;
use crate::remediation::journal::Created;
use crate::remediation::present::{Unreadable, ask};

/// The key of the tag that topics of a plan carry; its value is the plan's id.
pub const TAG: &str = "trailproof:plan";

pub(crate) const CREATE: ServiceCall = undocumented("sns:CreateTopic");
pub(crate) const DELETE: ServiceCall = undocumented("sns:DeleteTopic");
pub(crate) const LIST_TAGS: ServiceCall = undocumented("sns:ListTagsForResource");

/// No quota is documented: that of the scarcest neighbour is kept.
const fn undocumented(action: &'static str) -> ServiceCall {
    ServiceCall {
        action,
        per_second: 5.0,
    }
}

/// A topic to be created.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Topic {
    /// Its name.
    pub name: String,
    /// The ARN it will have.
    pub arn: String,
    /// The customer managed key that encrypts it, where one was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kms_key: Option<String>,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
    /// Whether a topic that has this name already is used as it is, because the user chose the
    /// name. Otherwise a taken name gets a number.
    pub use_existing: bool,
    /// Whose alarms may notify it, where those of other accounts are to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub publishers: Option<Publishers>,
}

/// A topic that is there.
#[derive(Debug, Clone)]
pub(crate) struct Present {
    pub(crate) attributes: TopicAttributes,
    pub(crate) digest: String,
    pub(crate) subscriptions: Vec<PresentSubscription>,
}

/// A topic, read by its owner; `None` when it does not exist.
pub(crate) async fn present(cloud: &impl Cloud, arn: &str) -> Result<Option<Present>, Unreadable> {
    let parsed: Option<Arn> = arn.parse().ok();
    let Some((account, region)) = parsed.and_then(|arn| Some((arn.account()?, arn.region()?)))
    else {
        return Ok(None);
    };
    let topic_arn = || arn.to_owned();
    let call = Call::GetTopicAttributes {
        topic_arn: topic_arn(),
    };
    let mut answer = ask(cloud, account, &region, call).await?;
    let Some(attributes) = answer.take("Attributes") else {
        return Ok(None);
    };
    let digest = digest(&attributes);
    let attributes = answer.shape(attributes)?;
    let call = Call::ListSubscriptionsByTopic {
        topic_arn: topic_arn(),
    };
    let mut answer = ask(cloud, account, &region, call).await?;
    let subscriptions = answer.list("Subscriptions").into_iter();
    Ok(Some(Present {
        attributes,
        digest,
        subscriptions: subscriptions
            .map(|subscription| answer.shape(subscription))
            .collect::<Result<_, _>>()?,
    }))
}

/// A digest of a topic's attributes, those aside that count something (SNS API,
/// `GetTopicAttributes`).
pub(crate) fn digest(attributes: &Value) -> String {
    const COUNTERS: [&str; 3] = [
        "SubscriptionsConfirmed",
        "SubscriptionsPending",
        "SubscriptionsDeleted",
    ];
    configuration::digest(attributes, |member| !COUNTERS.contains(&member))
}

/// The plan whose tag a topic carries. Its name and attributes do not tell: somebody may have
/// created one like it.
pub(crate) async fn maker(
    cloud: &impl Cloud,
    account: AccountId,
    region: &Region,
    arn: &str,
) -> Result<Option<String>, Unreadable> {
    let maker = cloud.plan_of_topic(account, region, arn).await;
    maker.map_err(|error| Unreadable {
        operation: LIST_TAGS.action,
        account,
        error,
    })
}

impl Present {
    /// Why alarms could not publish to it, where that is certain.
    pub(crate) fn unusable(&self) -> Option<&'static str> {
        let key = self.attributes.kms_master_key_id.as_deref();
        key.is_some_and(|key| key.ends_with("alias/aws/sns"))
            .then_some(
                "it is encrypted with the key that AWS manages, which CloudWatch may not use",
            )
    }

    /// Why an alarm could not publish to it, where that is certain.
    pub(crate) fn refuses(
        &self,
        topic: &str,
        account: AccountId,
        alarm_arn: &str,
    ) -> Option<String> {
        let publication = Publication {
            account,
            alarm: alarm_arn,
            topic: &topic.parse().ok()?,
            organization: None,
        };
        match may_publish(self.attributes.policy.as_deref(), &publication) {
            Permission::Denied(why) => Some(why),
            Permission::Allowed | Permission::Undecided(_) => None,
        }
    }

    /// Who is subscribed, or was asked to be: protocol and endpoint.
    pub(crate) fn subscribers(&self) -> impl Iterator<Item = (&str, &str)> {
        self.subscriptions
            .iter()
            .filter(|subscription| !subscription.is_deleted())
            .filter_map(PresentSubscription::subscriber)
    }

    /// What undo needs to know of it.
    pub(crate) fn created(&self, arn: &str) -> Created {
        Created {
            arn: Some(arn.to_owned()),
            digest: Some(self.digest.clone()),
        }
    }
}

impl Topic {
    /// The same topic by another name.
    pub(crate) fn named(&self, name: &str) -> Self {
        let prefix = self.arn.strip_suffix(&self.name).unwrap_or(&self.arn);
        Self {
            name: name.to_owned(),
            arn: format!("{prefix}{name}"),
            ..self.clone()
        }
    }

    /// Whether one that is there is encrypted as this one would be, and lets the same alarms
    /// through.
    pub(crate) fn is_like(&self, present: &Present, arn: &str) -> bool {
        let policy = present.attributes.policy.as_deref();
        let publishers = self.publishers.as_ref();
        present.attributes.kms_master_key_id.as_deref() == self.kms_key.as_deref()
            && publishers.is_none_or(|publishers| publishers.are_in(policy, arn))
    }

    /// The whole policy, where it is not the one that SNS gives a new topic.
    pub(crate) fn policy(&self) -> Option<Value> {
        let owner = self.arn.parse::<Arn>().ok()?.account()?;
        Some(self.publishers.as_ref()?.policy(&self.arn, owner))
    }

    /// The attributes that it is created with.
    fn attributes(&self) -> BTreeMap<&'static str, String> {
        let key = self.kms_key.as_ref();
        let key = key.map(|key| ("KmsMasterKeyId", key.clone()));
        let policy = self.policy();
        let policy = policy.map(|policy| ("Policy", policy.to_string()));
        key.into_iter().chain(policy).collect()
    }

    /// What sns:GetTopicAttributes answers when it is there: without a policy of its own, it has the
    /// one that SNS gives a new topic.
    pub(crate) fn described(&self, owner: AccountId) -> Value {
        let policy = self.policy().unwrap_or_else(|| {
            json!({
                "Version": "2008-10-17", "Id": "__default_policy_ID",
                "Statement": [owners_statement(&self.arn, owner)],
            })
        });
        let mut attributes = json!({
            "TopicArn": self.arn, "Owner": owner, "DisplayName": "",
            "SubscriptionsConfirmed": "0", "SubscriptionsPending": "0", "SubscriptionsDeleted": "0",
            "Policy": policy.to_string(),
        });
        if let (Some(key), Some(members)) = (&self.kms_key, attributes.as_object_mut()) {
            members.insert("KmsMasterKeyId".to_owned(), json!(key));
        }
        attributes
    }

    pub(crate) async fn create(&self, place: &Place<'_>) -> Result<Created, CallFailure> {
        let tag = |(key, value): (&String, &String)| {
            let tag = aws_sdk_sns::types::Tag::builder().key(key).value(value);
            tag.build().map_err(|error| invalid(&error))
        };
        let tags: Vec<_> = self.tags.iter().map(tag).collect::<Result<_, _>>()?;
        let request = place.send(CREATE, |clients| {
            let mut request = clients.sns().create_topic().name(&self.name);
            for (name, value) in self.attributes() {
                request = request.attributes(name, value);
            }
            let tags = (!tags.is_empty()).then(|| tags.clone());
            request.set_tags(tags).send()
        });
        let answer = request.await?;
        Ok(Created {
            arn: answer.topic_arn().map(str::to_owned),
            digest: None,
        })
    }
}

pub(crate) async fn delete(place: &Place<'_>, arn: &str) -> Result<(), CallFailure> {
    let request = place.send(DELETE, |clients| {
        clients.sns().delete_topic().topic_arn(arn).send()
    });
    request.await.map(drop)
}

/// The value of the plan's tag; `None` where a topic has none.
pub(crate) async fn tag(place: &Place<'_>, arn: &str) -> Result<Option<String>, CallFailure> {
    let request = place.send(LIST_TAGS, |clients| {
        let request = clients.sns().list_tags_for_resource();
        request.resource_arn(arn).send()
    });
    let answer = request.await?;
    let mut tags = answer.tags().iter();
    let tag = tags.find(|tag| tag.key() == TAG);
    Ok(tag.map(|tag| tag.value().to_owned()))
}

/// The properties of a CloudFormation resource.
pub(crate) fn properties(
    name: Value,
    kms_key: Option<Value>,
    all_tags: &BTreeMap<String, String>,
) -> Value {
    let mut properties = Map::from_iter([("TopicName".to_owned(), name)]);
    properties.extend(kms_key.map(|key| ("KmsMasterKeyId".to_owned(), key)));
    if !all_tags.is_empty() {
        properties.insert("Tags".to_owned(), tags(all_tags));
    }
    Value::Object(properties)
}

/// Its type in CloudFormation.
pub(crate) const CLOUDFORMATION: &str = "AWS::SNS::Topic";

impl Resource for Topic {
    fn cloudformation(&self, _: &dyn Fn(&str) -> Value) -> (&'static str, Value) {
        let key = self.kms_key.as_ref().map(|key| json!(key));
        (
            CLOUDFORMATION,
            properties(json!(self.name), key, &self.tags),
        )
    }

    fn terraform(&self, _: &dyn Fn(&str) -> String) -> (&'static str, Block) {
        let mut block = Block::default().text("name", &self.name);
        if let Some(key) = &self.kms_key {
            block = block.text("kms_master_key_id", key);
        }
        if let Some(policy) = self.policy() {
            block = block.text("policy", &policy.to_string());
        }
        ("aws_sns_topic", block.map("tags", &self.tags))
    }

    fn script(&self) -> (Vec<String>, Command) {
        let words = if self.use_existing {
            vec![
                "topic_of_any_origin".to_owned(),
                self.arn.clone(),
                self.name.clone(),
            ]
        } else {
            vec!["topic".to_owned()]
        };
        let create = remedy::Topic { name: &self.name }.command(None);
        let mut create = create;
        if !self.tags.is_empty() {
            create = create.with("--tags", tags(&self.tags).to_string());
        }
        let attributes = self.attributes();
        if !attributes.is_empty() {
            create = create.with("--attributes", json!(attributes).to_string());
        }
        (words, create)
    }
}

impl fmt::Display for Topic {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "topic `{}`", self.name)
    }
}
