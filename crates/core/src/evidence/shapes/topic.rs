//! SNS.

use std::sync::Arc;

use serde::Deserialize;

use super::lenient::{count, list, null_is_default, text};
use super::texts::Texts;

#[derive(Deserialize)]
pub(in crate::evidence) struct TopicAttributesResponse {
    #[serde(rename = "Attributes")]
    pub(in crate::evidence) attributes: TopicAttributes,
}

/// `sns:GetTopicAttributes`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "PascalCase", expecting = "the attributes of a topic")]
pub struct TopicAttributes {
    /// The topic's policy, as JSON text.
    #[serde(default, deserialize_with = "text")]
    pub policy: Option<Box<str>>,
    /// The key that encrypts the topic; absent for none.
    #[serde(default, deserialize_with = "text")]
    pub kms_master_key_id: Option<Arc<str>>,
    /// `true` for a FIFO topic.
    #[serde(default, deserialize_with = "text")]
    pub fifo_topic: Option<Arc<str>>,
    /// How many subscriptions were confirmed.
    #[serde(default, deserialize_with = "count")]
    pub subscriptions_confirmed: Option<u64>,
    /// How many wait for their owners.
    #[serde(default, deserialize_with = "count")]
    pub subscriptions_pending: Option<u64>,
    /// How many were deleted lately.
    #[serde(default, deserialize_with = "count")]
    pub subscriptions_deleted: Option<u64>,
}

#[derive(Deserialize)]
pub(in crate::evidence) struct SubscriptionsResponse {
    #[serde(rename = "Subscriptions", default, deserialize_with = "list")]
    pub(in crate::evidence) subscriptions: Vec<Subscription>,
}

/// A subscription.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", expecting = "a subscription")]
pub struct Subscription {
    /// An ARN, `PendingConfirmation` or `Deleted`.
    #[serde(default, deserialize_with = "text")]
    pub subscription_arn: Option<Arc<str>>,
    /// The account that subscribed.
    #[serde(default, deserialize_with = "text")]
    pub owner: Option<Arc<str>>,
    /// Such as `email`.
    #[serde(default, deserialize_with = "text")]
    pub protocol: Option<Arc<str>>,
    /// Where messages go. Untrusted text, and personal data where it is somebody's address: no
    /// finding tells it.
    #[serde(default, deserialize_with = "text")]
    pub endpoint: Option<Arc<str>>,
}

#[derive(Deserialize)]
pub(in crate::evidence) struct SubscriptionAttributesResponse {
    #[serde(rename = "Attributes", default, deserialize_with = "null_is_default")]
    pub(in crate::evidence) attributes: SubscriptionAttributes,
}

/// `sns:GetSubscriptionAttributes`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(
    rename_all = "PascalCase",
    expecting = "the attributes of a subscription"
)]
pub struct SubscriptionAttributes {
    /// Whose attributes they are: the one member that is always there.
    #[serde(default, deserialize_with = "text")]
    pub subscription_arn: Option<Arc<str>>,
    /// Which messages are delivered, as JSON text; absent for all.
    #[serde(default, deserialize_with = "text")]
    pub filter_policy: Option<Arc<str>>,
    /// What the filter policy looks at: `MessageAttributes`, which absent means, or `MessageBody`.
    #[serde(default, deserialize_with = "text")]
    pub filter_policy_scope: Option<Arc<str>>,
    /// `true` while nobody has confirmed.
    #[serde(default, deserialize_with = "text")]
    pub pending_confirmation: Option<Arc<str>>,
    /// `false` where whoever has a message can end the subscription.
    #[serde(default, deserialize_with = "text")]
    pub confirmation_was_authenticated: Option<Arc<str>>,
}

impl Texts for TopicAttributes {
    fn texts(&mut self) -> impl Iterator<Item = &mut Arc<str>> {
        [&mut self.kms_master_key_id, &mut self.fifo_topic]
            .into_iter()
            .flatten()
    }
}

impl Texts for Subscription {
    fn texts(&mut self) -> impl Iterator<Item = &mut Arc<str>> {
        let texts = [
            &mut self.subscription_arn,
            &mut self.owner,
            &mut self.protocol,
            &mut self.endpoint,
        ];
        texts.into_iter().flatten()
    }
}

impl Texts for SubscriptionAttributes {
    fn texts(&mut self) -> impl Iterator<Item = &mut Arc<str>> {
        let texts = [
            &mut self.subscription_arn,
            &mut self.filter_policy,
            &mut self.filter_policy_scope,
            &mut self.pending_confirmation,
            &mut self.confirmation_was_authenticated,
        ];
        texts.into_iter().flatten()
    }
}

impl Subscription {
    /// Whether its owner confirmed it.
    pub fn is_confirmed(&self) -> bool {
        self.subscription_arn
            .as_deref()
            .is_some_and(|arn| arn.starts_with("arn:"))
    }

    /// Where messages go, if that is something in AWS.
    pub fn endpoint_arn(&self) -> Option<&str> {
        let endpoint = self.endpoint.as_deref();
        endpoint.filter(|endpoint| endpoint.starts_with("arn:"))
    }

    /// Whether it waits for its owner.
    pub fn is_pending(&self) -> bool {
        self.subscription_arn
            .as_deref()
            .is_some_and(|arn| arn.to_ascii_lowercase().starts_with("pending"))
    }
}
