//! What applying and undoing need from AWS: reading with the scanner's questions, and the few
//! calls that change something.
//!
//! The decisions what to change are made against this trait and not against an SDK, so that they
//! can be tried with every answer AWS might give.

use std::future::Future;

use trailproof_core::account::{AccountId, Region};
use trailproof_core::evidence::{CallError, Record, Request};
use trailproof_scanner::CallFailure;

use super::journal::Created;
use super::resources::subscription::Attributes;
use super::resources::{Change, alarm, metric_filter, subscription, topic, topic_policy};

/// A call that changes something.
#[derive(Debug, Clone, PartialEq)]
pub enum Mutation {
    /// Creates something.
    Create(Change),
    /// logs:DeleteMetricFilter.
    DeleteMetricFilter {
        /// The log group.
        log_group: String,
        /// The filter.
        name: String,
    },
    /// sns:DeleteTopic.
    DeleteTopic {
        /// The topic.
        arn: String,
    },
    /// sns:SetTopicAttributes: takes a statement out of a policy.
    SetTopicPolicy {
        /// The topic.
        arn: String,
        /// The policy without the statement.
        policy: String,
    },
    /// sns:Unsubscribe.
    Unsubscribe {
        /// The subscription.
        arn: String,
    },
    /// cloudwatch:DeleteAlarms, of one alarm.
    DeleteAlarm {
        /// The alarm.
        name: String,
    },
    /// cloudwatch:SetAlarmState.
    SetAlarmState {
        /// The alarm.
        name: String,
        /// `ALARM` or `OK`.
        state: &'static str,
        /// What people read in the message.
        reason: String,
    },
}

impl Mutation {
    /// The action, as IAM policies name it.
    pub fn action(&self) -> &'static str {
        let call = match self {
            Self::Create(change) => change.call(),
            Self::DeleteMetricFilter { .. } => metric_filter::DELETE,
            Self::DeleteTopic { .. } => topic::DELETE,
            Self::SetTopicPolicy { .. } => topic_policy::SET,
            Self::Unsubscribe { .. } => subscription::DELETE,
            Self::DeleteAlarm { .. } => alarm::DELETE,
            Self::SetAlarmState { .. } => alarm::SET_STATE,
        };
        call.action
    }
}

/// AWS, as far as repairs need it. Everything waits for quotas and tries again by itself.
pub trait Cloud: Sync + Send {
    /// Asks a question. The record says how it went; nothing is remembered from earlier.
    fn read(&self, request: Request) -> impl Future<Output = Record> + Send;

    /// Changes something, with an account's credentials in a region. The answer has what only AWS
    /// knows: the ARN of a subscription.
    fn change(
        &self,
        account: AccountId,
        region: &Region,
        mutation: Mutation,
    ) -> impl Future<Output = Result<Created, CallFailure>> + Send;

    /// Which of some messages a filter pattern matches (logs:TestMetricFilter), by index; `None`
    /// when the service does not say, for whatever reason.
    fn matches(
        &self,
        account: AccountId,
        region: &Region,
        pattern: &str,
        messages: Vec<String>,
    ) -> impl Future<Output = Option<Vec<bool>>> + Send;

    /// The plan that created a topic, by its tag (sns:ListTagsForResource); `None` when there is no
    /// such tag.
    fn plan_of_topic(
        &self,
        account: AccountId,
        region: &Region,
        arn: &str,
    ) -> impl Future<Output = Result<Option<String>, CallError>> + Send;

    /// The attributes of a confirmed subscription (sns:GetSubscriptionAttributes); `None` when
    /// there is no such subscription.
    fn subscription_attributes(
        &self,
        account: AccountId,
        region: &Region,
        arn: &str,
    ) -> impl Future<Output = Result<Option<Attributes>, CallError>> + Send;
}
