//! The AWS operations whose answers are evidence.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

macro_rules! operations {
    ($($(#[$doc:meta])* $name:ident = $text:literal,)*) => {
        /// An AWS API operation, written `service:Operation` as in IAM policies.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(into = "String", try_from = "String")]
        pub enum Operation { $($(#[$doc])* $name,)* }

        impl Operation {
            /// Every operation trailproof records.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The name in evidence.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }
        }
    };
}

operations! {
    /// The organization and its management account.
    DescribeOrganization = "organizations:DescribeOrganization",
    /// Every account of the organization.
    ListAccounts = "organizations:ListAccounts",
    /// The accounts that may act for the organization in one service.
    ListDelegatedAdministrators = "organizations:ListDelegatedAdministrators",
    /// The tags of an account, where a filter or a mute goes by them.
    ListTagsForResource = "organizations:ListTagsForResource",
    /// Whose credentials these are.
    GetCallerIdentity = "sts:GetCallerIdentity",
    /// Entering an account. Credentials are never part of the record.
    AssumeRole = "sts:AssumeRole",
    /// The regions of an account and whether they are enabled.
    ListRegions = "account:ListRegions",
    /// The trails that record in a region.
    DescribeTrails = "cloudtrail:DescribeTrails",
    /// Whether a trail is logging and delivering.
    GetTrailStatus = "cloudtrail:GetTrailStatus",
    /// Which events a trail records.
    GetEventSelectors = "cloudtrail:GetEventSelectors",
    /// A log group and its class.
    DescribeLogGroups = "logs:DescribeLogGroups",
    /// The metric filters of a log group.
    DescribeMetricFilters = "logs:DescribeMetricFilters",
    /// Every alarm of an account in a region.
    DescribeAlarms = "cloudwatch:DescribeAlarms",
    /// The rules that mute alarm actions in an account and region.
    ListAlarmMuteRules = "cloudwatch:ListAlarmMuteRules",
    /// A topic's policy, key and subscription counts.
    GetTopicAttributes = "sns:GetTopicAttributes",
    /// The subscriptions of a topic.
    ListSubscriptionsByTopic = "sns:ListSubscriptionsByTopic",
}

/// An operation that trailproof does not record.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an operation that trailproof knows")]
pub struct UnknownOperation(pub String);

impl FromStr for Operation {
    type Err = UnknownOperation;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .iter()
            .copied()
            .find(|operation| operation.as_str() == text)
            .ok_or_else(|| UnknownOperation(text.to_owned()))
    }
}

impl TryFrom<String> for Operation {
    type Error = UnknownOperation;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Operation> for String {
    fn from(operation: Operation) -> Self {
        operation.as_str().to_owned()
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_round_trip() {
        for operation in Operation::ALL {
            assert_eq!(operation.as_str().parse(), Ok(*operation));
        }
        assert_eq!(
            "cloudtrail:describeTrails".parse::<Operation>(),
            Err(UnknownOperation("cloudtrail:describeTrails".to_owned()))
        );
    }
}
