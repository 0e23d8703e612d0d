//! The subscription: somebody whom a topic tells.

use std::collections::HashMap;
use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use trailproof_core::evidence;
use trailproof_core::remedy::{self, Command, Word};
use trailproof_scanner::{CallFailure, ServiceCall};

use super::{Resource, literal};
use crate::remediation::aws::Place;
use crate::remediation::endpoint::Protocol;
use crate::remediation::export::hcl::Block;
use crate::remediation::journal::Created;

// SNS quotas: 100 subscriptions a second, of which half is left to others.
pub(crate) const CREATE: ServiceCall = per_second("sns:Subscribe", 50.0);
pub(crate) const DELETE: ServiceCall = per_second("sns:Unsubscribe", 50.0);
const GET_ATTRIBUTES: ServiceCall = per_second("sns:GetSubscriptionAttributes", 5.0);

const fn per_second(action: &'static str, per_second: f64) -> ServiceCall {
    ServiceCall { action, per_second }
}

/// A subscription to be created.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Subscription {
    /// The topic.
    pub topic_arn: String,
    /// The protocol.
    pub protocol: Protocol,
    /// Where messages go. Personal data: a plan is private to the user.
    pub endpoint: String,
    /// Whether messages arrive only after somebody has confirmed.
    pub needs_confirmation: bool,
}

/// A subscription that is there, with its endpoint.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct PresentSubscription {
    #[serde(flatten)]
    pub(crate) subscription: evidence::Subscription,
    #[serde(rename = "Endpoint", default)]
    pub(crate) endpoint: Option<String>,
}

/// The attributes of a confirmed subscription (SNS API, `GetSubscriptionAttributes`).
pub(crate) type Attributes = HashMap<String, String>;

impl PresentSubscription {
    /// Its ARN, or the word that stands for it.
    pub(crate) fn arn(&self) -> &str {
        self.subscription
            .subscription_arn
            .as_deref()
            .unwrap_or_default()
    }

    pub(crate) fn is_deleted(&self) -> bool {
        self.arn() == "Deleted"
    }

    /// Protocol and endpoint.
    pub(crate) fn subscriber(&self) -> Option<(&str, &str)> {
        self.subscription
            .protocol
            .as_deref()
            .zip(self.endpoint.as_deref())
    }

    /// What undo needs to know of it.
    pub(crate) fn created(&self) -> Created {
        Created {
            arn: self
                .subscription
                .subscription_arn
                .as_deref()
                .map(str::to_owned),
            digest: None,
        }
    }
}

/// What a subscription has been given since it was created: the first such attribute. Those that
/// SNS makes up itself do not count.
pub(crate) fn given(attributes: &Attributes) -> Option<&'static str> {
    const POLICIES: [&str; 5] = [
        "FilterPolicy",
        "RedrivePolicy",
        "DeliveryPolicy",
        "ReplayPolicy",
        "SubscriptionRoleArn",
    ];
    let text = |name: &str| attributes.get(name).map_or("", String::as_str);
    if text("RawMessageDelivery") == "true" {
        return Some("RawMessageDelivery");
    }
    // An empty policy is how one is taken away.
    POLICIES
        .into_iter()
        .find(|name| !matches!(text(name), "" | "{}"))
}

impl Subscription {
    /// Whether one that is there is this one.
    pub(crate) fn is(&self, present: &PresentSubscription) -> bool {
        present.subscriber() == Some(self.subscriber()) && !present.is_deleted()
    }

    /// Protocol and endpoint.
    pub(crate) fn subscriber(&self) -> (&str, &str) {
        (self.protocol.as_str(), &self.endpoint)
    }

    /// What sns:ListSubscriptionsByTopic answers when it is there.
    pub(crate) fn described(&self, owner: impl Serialize) -> Value {
        json!({
            "TopicArn": self.topic_arn, "Owner": owner, "Protocol": self.protocol.as_str(),
            "Endpoint": self.endpoint,
            "SubscriptionArn": if self.needs_confirmation { "PendingConfirmation".to_owned() } else {
                format!("{}:00000000-0000-0000-0000-000000000000", self.topic_arn)
            },
        })
    }

    pub(crate) async fn create(&self, place: &Place<'_>) -> Result<Created, CallFailure> {
        let request = place.send(CREATE, |clients| {
            let request = clients.sns().subscribe();
            request
                .topic_arn(&self.topic_arn)
                .protocol(self.protocol.as_str())
                .endpoint(&self.endpoint)
                .send()
        });
        let answer = request.await?;
        Ok(Created {
            arn: answer.subscription_arn().map(str::to_owned),
            digest: None,
        })
    }
}

pub(crate) async fn delete(place: &Place<'_>, arn: &str) -> Result<(), CallFailure> {
    let request = place.send(DELETE, |clients| {
        clients.sns().unsubscribe().subscription_arn(arn).send()
    });
    request.await.map(drop)
}

pub(crate) async fn attributes(place: &Place<'_>, arn: &str) -> Result<Attributes, CallFailure> {
    let request = place.send(GET_ATTRIBUTES, |clients| {
        let request = clients.sns().get_subscription_attributes();
        request.subscription_arn(arn).send()
    });
    Ok(request.await?.attributes.unwrap_or_default())
}

/// The properties of a CloudFormation resource.
pub(crate) fn properties(topic: &Value, protocol: &Value, endpoint: &Value) -> Value {
    json!({"TopicArn": topic, "Protocol": protocol, "Endpoint": endpoint})
}

/// Its type in CloudFormation.
pub(crate) const CLOUDFORMATION: &str = "AWS::SNS::Subscription";

impl Resource for Subscription {
    fn cloudformation(&self, topic: &dyn Fn(&str) -> Value) -> (&'static str, Value) {
        let topic = topic(&self.topic_arn);
        let properties = properties(&topic, &json!(self.protocol), &json!(self.endpoint));
        (CLOUDFORMATION, properties)
    }

    fn terraform(&self, topic: &dyn Fn(&str) -> String) -> (&'static str, Block) {
        let block = Block::default()
            .raw("topic_arn", topic(&self.topic_arn))
            .text("protocol", self.protocol.as_str())
            .text("endpoint", &self.endpoint);
        ("aws_sns_topic_subscription", block)
    }

    fn script(&self) -> (Vec<String>, Command) {
        // Counts the same subscriptions.
        let query = format!(
            "length(Subscriptions[?Protocol=={} && Endpoint=={}])",
            literal(self.protocol.as_str()),
            literal(&self.endpoint)
        );
        let (topic, protocol) = (self.topic_arn.as_str(), self.protocol.as_str());
        let words = ["subscription", topic, protocol, &query].map(str::to_owned);
        let create = remedy::Subscription {
            topic_arn: &self.topic_arn,
            protocol: self.protocol.as_str(),
            endpoint: Word::text(&self.endpoint),
        };
        (words.into(), create.command(None))
    }
}

impl fmt::Display for Subscription {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "subscription {}:{} to `{}`",
            self.protocol, self.endpoint, self.topic_arn
        )
    }
}
