//! Why a finding cannot be repaired, in words that say what would help.

use std::fmt;

use trailproof_core::account::{AccountId, Region};

use crate::remediation::endpoint::InvalidSubscriber;
use crate::remediation::naming::InvalidName;
use crate::remediation::resources::METRIC_FILTERS_PER_LOG_GROUP;

/// Why a finding cannot be repaired.
#[derive(Debug, Clone)]
pub(super) enum Refusal {
    /// Nobody to tell.
    NoSubscribers,
    /// The user named topics, none of them where the alarm would be.
    NoTopic(Region),
    /// The log group is full.
    TooManyFilters,
    /// A name that AWS would refuse here.
    Name(InvalidName),
    /// An endpoint that is none, here.
    Endpoint(InvalidSubscriber),
    /// A key that cannot encrypt a topic here.
    Key {
        /// The key.
        key: String,
        /// Where the topic would be.
        region: Region,
    },
    /// Something would have to be changed in an account that is to be left alone.
    Excluded(AccountId),
    /// Something would have to be changed that is another's to change.
    ForOwner {
        /// Whose topic it is.
        account: AccountId,
        /// Why trailproof does not change it.
        why: String,
    },
    /// Every name that a central topic would have is another topic's.
    TakenTopics {
        /// The account.
        account: AccountId,
        /// The name.
        name: String,
    },
    /// Somebody was asked to confirm already.
    Pending(String),
    /// Tried out, and it did not help.
    NoHelp {
        /// What would still be wrong.
        message: String,
    },
    /// Nothing that can be created would help.
    NotOurs,
}

impl fmt::Display for Refusal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSubscribers => formatter.write_str(
                "nobody is there to be told: plan again with --subscribe PROTOCOL:ENDPOINT, or name an existing topic with --topic ARN",
            ),
            Self::NoTopic(region) => write!(
                formatter,
                "no topic is named for region {region}, and alarms and topics must share a region: plan again with --topic ARN of that region, or with --topic NAME"
            ),
            Self::TooManyFilters => write!(
                formatter,
                "with what this plan adds, the log group has {METRIC_FILTERS_PER_LOG_GROUP} metric filters, the most that AWS allows: remove one that nobody needs"
            ),
            Self::Name(error) => error.fmt(formatter),
            Self::Endpoint(error) => error.fmt(formatter),
            Self::Key { key, region } => write!(
                formatter,
                "the key `{key}` cannot encrypt a topic in region {region}: name a key of that region, or one per region with {{region}} in --kms-key"
            ),
            Self::Excluded(account) => write!(
                formatter,
                "something would have to be changed in account {account}, which is excluded"
            ),
            Self::ForOwner { account, why } => write!(
                formatter,
                "the topic for its alarm is in account {account}, and {why}: the plan has the commands for its owner; plan again when they have run"
            ),
            Self::TakenTopics { account, name } => write!(
                formatter,
                "account {account} has topics `{name}` that are not trailproof's: name the topic with --topic NAME"
            ),
            Self::Pending(topic) => write!(
                formatter,
                "a subscription of `{topic}` waits to be confirmed: its owner has to follow the link in the message from AWS, which is valid for two days; subscribing again sends a new one"
            ),
            Self::NoHelp { message } => {
                write!(formatter, "no change beside what exists would help: {message}")
            }
            Self::NotOurs => formatter.write_str("no change beside what exists would help"),
        }
    }
}

impl From<InvalidName> for Refusal {
    fn from(error: InvalidName) -> Self {
        Self::Name(error)
    }
}

impl From<InvalidSubscriber> for Refusal {
    fn from(error: InvalidSubscriber) -> Self {
        Self::Endpoint(error)
    }
}
