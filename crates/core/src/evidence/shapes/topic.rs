//! SNS.

use serde::Deserialize;

use super::lenient::{count, list, null_is_default, text};

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
    pub policy: Option<String>,
    /// The key that encrypts the topic; absent for none.
    #[serde(default, deserialize_with = "text")]
    pub kms_master_key_id: Option<String>,
    /// `true` for a FIFO topic.
    #[serde(default, deserialize_with = "text")]
    pub fifo_topic: Option<String>,
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
    pub subscription_arn: Option<String>,
    /// The account that subscribed.
    #[serde(default, deserialize_with = "text")]
    pub owner: Option<String>,
    /// Such as `email`.
    #[serde(default, deserialize_with = "text")]
    pub protocol: Option<String>,
    /// Where messages go. Untrusted text, and personal data where it is somebody's address: no
    /// finding tells it.
    #[serde(default, deserialize_with = "text")]
    pub endpoint: Option<String>,
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
    pub subscription_arn: Option<String>,
    /// Which messages are delivered, as JSON text; absent for all.
    #[serde(default, deserialize_with = "text")]
    pub filter_policy: Option<String>,
    /// What the filter policy looks at: `MessageAttributes`, which absent means, or `MessageBody`.
    #[serde(default, deserialize_with = "text")]
    pub filter_policy_scope: Option<String>,
    /// `true` while nobody has confirmed.
    #[serde(default, deserialize_with = "text")]
    pub pending_confirmation: Option<String>,
    /// `false` where whoever has a message can end the subscription.
    #[serde(default, deserialize_with = "text")]
    pub confirmation_was_authenticated: Option<String>,
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
