//! What a plan creates, one file for each kind of resource: its members, the call that makes it,
//! how it is recognised, written in other languages, and taken back.
//!
//! Another kind is a file here and a variant of [`Change`]. When something is created, and what has
//! to be true before, is decided by those who use these.

pub(crate) mod alarm;
pub(crate) mod configuration;
pub(crate) mod metric_filter;
pub(crate) mod subscription;
pub(crate) mod topic;
pub(crate) mod topic_policy;

use std::collections::BTreeMap;
use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use trailproof_scanner::ServiceCall;

use super::export::hcl::Block;
pub use alarm::Alarm;
pub use metric_filter::{METRIC_FILTERS_PER_LOG_GROUP, MetricFilter};
pub use subscription::Subscription;
pub use topic::{TAG, Topic};
pub use topic_policy::{Publishers, TopicStatement};

/// A change: one call that creates one thing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "operation", content = "creates", rename_all = "kebab-case")]
pub enum Change {
    /// logs:PutMetricFilter.
    PutMetricFilter(MetricFilter),
    /// sns:CreateTopic.
    CreateTopic(Topic),
    /// sns:Subscribe.
    Subscribe(Subscription),
    /// cloudwatch:PutMetricAlarm.
    PutMetricAlarm(Alarm),
    /// sns:SetTopicAttributes, which adds a statement to the policy of a topic.
    AddTopicStatement(TopicStatement),
}

/// How a resource is written in other languages. Topics are referred to in each language's own way
/// where the same text creates them.
pub(crate) trait Resource {
    /// The type and the properties of a CloudFormation resource.
    fn cloudformation(&self, topic: &dyn Fn(&str) -> Value) -> (&'static str, Value);

    /// The type of a Terraform resource, and the block with its arguments.
    fn terraform(&self, topic: &dyn Fn(&str) -> String) -> (&'static str, Block);

    /// The call of a function of the script, which looks before it creates: its words, and the
    /// command that creates.
    fn script(&self) -> (Vec<String>, trailproof_core::remedy::Command);
}

impl Change {
    /// The word in plans and journals.
    pub fn operation(&self) -> &'static str {
        match self {
            Self::PutMetricFilter(_) => "put-metric-filter",
            Self::CreateTopic(_) => "create-topic",
            Self::Subscribe(_) => "subscribe",
            Self::PutMetricAlarm(_) => "put-metric-alarm",
            Self::AddTopicStatement(_) => "add-topic-statement",
        }
    }

    /// The call that creates it.
    pub(crate) fn call(&self) -> ServiceCall {
        match self {
            Self::PutMetricFilter(_) => metric_filter::PUT,
            Self::CreateTopic(_) => topic::CREATE,
            Self::Subscribe(_) => subscription::CREATE,
            Self::PutMetricAlarm(_) => alarm::PUT,
            Self::AddTopicStatement(_) => topic_policy::SET,
        }
    }

    /// The alarm's name, where it creates one.
    pub fn alarm_name(&self) -> Option<&str> {
        match self {
            Self::PutMetricAlarm(alarm) => Some(&alarm.name),
            Self::PutMetricFilter(_)
            | Self::CreateTopic(_)
            | Self::Subscribe(_)
            | Self::AddTopicStatement(_) => None,
        }
    }

    /// The topic that it creates.
    pub(crate) fn created_topic(&self) -> Option<&Topic> {
        match self {
            Self::CreateTopic(topic) => Some(topic),
            Self::PutMetricFilter(_)
            | Self::Subscribe(_)
            | Self::PutMetricAlarm(_)
            | Self::AddTopicStatement(_) => None,
        }
    }

    /// The ARN of the topic that must be there before.
    pub(crate) fn needed_topic(&self) -> Option<&str> {
        match self {
            Self::Subscribe(subscription) => Some(&subscription.topic_arn),
            Self::PutMetricAlarm(alarm) => Some(&alarm.topic_arn),
            Self::AddTopicStatement(statement) => Some(&statement.topic_arn),
            Self::PutMetricFilter(_) | Self::CreateTopic(_) => None,
        }
    }

    /// The topic that it creates, or that it adds something to.
    pub(crate) fn changed_topic(&self) -> Option<&str> {
        match self {
            Self::CreateTopic(topic) => Some(&topic.arn),
            Self::Subscribe(subscription) => Some(&subscription.topic_arn),
            Self::AddTopicStatement(statement) => Some(&statement.topic_arn),
            Self::PutMetricFilter(_) | Self::PutMetricAlarm(_) => None,
        }
    }

    pub(crate) fn resource(&self) -> &dyn Resource {
        match self {
            Self::PutMetricFilter(filter) => filter,
            Self::CreateTopic(topic) => topic,
            Self::Subscribe(subscription) => subscription,
            Self::PutMetricAlarm(alarm) => alarm,
            Self::AddTopicStatement(statement) => statement,
        }
    }
}

impl fmt::Display for Change {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PutMetricFilter(filter) => filter.fmt(formatter),
            Self::CreateTopic(topic) => topic.fmt(formatter),
            Self::Subscribe(subscription) => subscription.fmt(formatter),
            Self::PutMetricAlarm(alarm) => alarm.fmt(formatter),
            Self::AddTopicStatement(statement) => statement.fmt(formatter),
        }
    }
}

/// Tags as SNS, CloudWatch and CloudFormation write them.
pub(crate) fn tags(tags: &BTreeMap<String, String>) -> Value {
    tags.iter()
        .map(|(key, value)| json!({"Key": key, "Value": value}))
        .collect()
}

/// A literal of `JMESPath`: JSON between backticks.
fn literal(text: &str) -> String {
    format!("`{}`", json!(text).to_string().replace('`', "\\`"))
}
