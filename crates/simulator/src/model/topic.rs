//! SNS topics and their subscriptions.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// A topic.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Topic {
    /// Its name; that of a FIFO topic ends in `.fifo`.
    pub name: String,
    /// The access policy as JSON; empty for the one AWS gives a new topic.
    pub policy: String,
    /// `KmsMasterKeyId`; empty when the topic is not encrypted.
    pub kms_key: String,
    /// `DisplayName`.
    pub display_name: String,
    /// Its subscriptions, in the order they were made.
    pub subscriptions: Vec<Subscription>,
    /// Tags.
    pub tags: BTreeMap<String, String>,
}

impl Topic {
    /// Whether it is a FIFO topic.
    pub fn is_fifo(&self) -> bool {
        self.name.strip_suffix(".fifo").is_some()
    }
}

/// Somebody who wants the messages of a topic.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Subscription {
    /// Such as `email`, `https`, `sqs`.
    pub protocol: String,
    /// Where messages go.
    pub endpoint: String,
    /// Whether it was confirmed.
    pub state: SubscriptionState,
    /// The last part of its ARN; made from the endpoint when empty.
    pub id: String,
    /// `FilterPolicy` as JSON; empty when there is none.
    pub filter_policy: String,
    /// `FilterPolicyScope`; empty when not set.
    pub filter_policy_scope: String,
}

impl Subscription {
    /// The last part of its ARN: what is configured, or a UUID made of protocol and endpoint, of
    /// which a topic has only one subscription.
    pub fn arn_end(&self) -> String {
        if !self.id.is_empty() {
            return self.id.clone();
        }
        let (high, low) = [&self.protocol, &self.endpoint]
            .into_iter()
            .flat_map(|text| text.bytes())
            .fold(
                (0xcbf2_9ce4_8422_2325_u64, 0x9e37_79b9_7f4a_7c15_u64),
                |(high, low), byte| {
                    (
                        (high ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3),
                        low.rotate_left(7) ^ u64::from(byte).wrapping_mul(0xff51_afd7_ed55_8ccd),
                    )
                },
            );
        format!(
            "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
            high >> 32,
            (high >> 16) & 0xffff,
            high & 0xfff,
            0x8000 | ((low >> 48) & 0x3fff),
            low & 0xffff_ffff_ffff,
        )
    }
}

impl Default for Subscription {
    fn default() -> Self {
        Self {
            protocol: "email".to_owned(),
            endpoint: String::new(),
            state: SubscriptionState::Confirmed,
            id: String::new(),
            filter_policy: String::new(),
            filter_policy_scope: String::new(),
        }
    }
}

/// What became of a subscription.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SubscriptionState {
    /// Its owner confirmed it.
    Confirmed,
    /// Nobody confirmed it yet: `PendingConfirmation`.
    Pending,
    /// It was deleted and is still listed: `Deleted`.
    Deleted,
}
