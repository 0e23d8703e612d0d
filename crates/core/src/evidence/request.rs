//! A question to AWS: one operation with its parameters, asked with one account's credentials in
//! one region.

use serde_json::{Map, Value, json};

use super::Operation;
use crate::account::{AccountId, Region};

/// A question to AWS.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Request {
    /// Whose credentials ask.
    pub account: AccountId,
    /// Where.
    pub region: Region,
    /// What.
    pub call: Call,
}

/// An operation with the parameters that select something. All pages are always asked for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Call {
    /// `organizations:DescribeOrganization`.
    DescribeOrganization,
    /// `organizations:ListAccounts`.
    ListAccounts,
    /// `organizations:ListDelegatedAdministrators` for one service principal.
    ListDelegatedAdministrators {
        /// Such as `cloudtrail.amazonaws.com`.
        service_principal: String,
    },
    /// `organizations:ListTagsForResource` for an account.
    ListTagsForResource {
        /// The account whose tags they are.
        account: AccountId,
    },
    /// `sts:GetCallerIdentity`.
    GetCallerIdentity,
    /// `sts:AssumeRole`.
    AssumeRole {
        /// The role to assume; its account is the one entered.
        role_arn: String,
    },
    /// `account:ListRegions`.
    ListRegions {
        /// The member, when its management account asks; `None` when an account asks for itself.
        account: Option<AccountId>,
    },
    /// `cloudtrail:DescribeTrails`.
    DescribeTrails {
        /// Whether replications of trails of other regions, and of organization trails in
        /// members, are wanted.
        include_shadow_trails: bool,
    },
    /// `cloudtrail:GetTrailStatus`.
    GetTrailStatus {
        /// The trail's ARN.
        trail_arn: String,
    },
    /// `cloudtrail:GetEventSelectors`.
    GetEventSelectors {
        /// The trail's ARN.
        trail_arn: String,
    },
    /// `logs:DescribeLogGroups`.
    DescribeLogGroups {
        /// The exact name of the wanted log group, asked for as a prefix.
        log_group_name: String,
    },
    /// `logs:DescribeMetricFilters`.
    DescribeMetricFilters {
        /// The log group's name.
        log_group_name: String,
    },
    /// `cloudwatch:DescribeAlarms`: metric alarms and composite alarms.
    DescribeAlarms,
    /// `cloudwatch:ListAlarmMuteRules`.
    ListAlarmMuteRules {
        /// Only the rules that target this alarm; `None` lists every rule. The answer does not
        /// say which alarms a rule targets, so the name is asked for where a rule is active.
        alarm_name: Option<String>,
    },
    /// `sns:GetTopicAttributes`.
    GetTopicAttributes {
        /// The topic's ARN.
        topic_arn: String,
    },
    /// `sns:ListSubscriptionsByTopic`.
    ListSubscriptionsByTopic {
        /// The topic's ARN.
        topic_arn: String,
    },
}

impl Call {
    /// The operation.
    pub fn operation(&self) -> Operation {
        match self {
            Self::DescribeOrganization => Operation::DescribeOrganization,
            Self::ListAccounts => Operation::ListAccounts,
            Self::ListDelegatedAdministrators { .. } => Operation::ListDelegatedAdministrators,
            Self::ListTagsForResource { .. } => Operation::ListTagsForResource,
            Self::GetCallerIdentity => Operation::GetCallerIdentity,
            Self::AssumeRole { .. } => Operation::AssumeRole,
            Self::ListRegions { .. } => Operation::ListRegions,
            Self::DescribeTrails { .. } => Operation::DescribeTrails,
            Self::GetTrailStatus { .. } => Operation::GetTrailStatus,
            Self::GetEventSelectors { .. } => Operation::GetEventSelectors,
            Self::DescribeLogGroups { .. } => Operation::DescribeLogGroups,
            Self::DescribeMetricFilters { .. } => Operation::DescribeMetricFilters,
            Self::DescribeAlarms => Operation::DescribeAlarms,
            Self::ListAlarmMuteRules { .. } => Operation::ListAlarmMuteRules,
            Self::GetTopicAttributes { .. } => Operation::GetTopicAttributes,
            Self::ListSubscriptionsByTopic { .. } => Operation::ListSubscriptionsByTopic,
        }
    }

    /// The parameters as they stand in evidence, with the member names of the AWS API.
    pub fn parameters(&self) -> Map<String, Value> {
        let value = match self {
            Self::DescribeOrganization
            | Self::ListAccounts
            | Self::GetCallerIdentity
            | Self::ListRegions { account: None }
            | Self::ListAlarmMuteRules { alarm_name: None } => json!({}),
            Self::ListAlarmMuteRules {
                alarm_name: Some(name),
            } => json!({ "AlarmName": name }),
            Self::ListDelegatedAdministrators { service_principal } => {
                json!({ "ServicePrincipal": service_principal })
            }
            Self::ListTagsForResource { account } => json!({ "ResourceId": account }),
            Self::AssumeRole { role_arn } => json!({ "RoleArn": role_arn }),
            Self::ListRegions {
                account: Some(account),
            } => json!({ "AccountId": account }),
            Self::DescribeTrails {
                include_shadow_trails,
            } => {
                json!({ "includeShadowTrails": include_shadow_trails })
            }
            Self::GetTrailStatus { trail_arn } => json!({ "Name": trail_arn }),
            Self::GetEventSelectors { trail_arn } => json!({ "TrailName": trail_arn }),
            Self::DescribeLogGroups { log_group_name } => {
                json!({ "logGroupNamePrefix": log_group_name })
            }
            Self::DescribeMetricFilters { log_group_name } => {
                json!({ "logGroupName": log_group_name })
            }
            Self::DescribeAlarms => json!({ "AlarmTypes": ["MetricAlarm", "CompositeAlarm"] }),
            Self::GetTopicAttributes { topic_arn }
            | Self::ListSubscriptionsByTopic { topic_arn } => {
                json!({ "TopicArn": topic_arn })
            }
        };
        match value {
            Value::Object(parameters) => parameters,
            _ => Map::new(),
        }
    }
}
