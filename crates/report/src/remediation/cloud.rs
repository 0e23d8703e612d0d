//! What applying and undoing need from AWS: reading with the scanner's questions, and the few
//! calls that change something.
//!
//! The decisions what to change are made against this trait and not against an SDK, so that they
//! can be tried with every answer AWS might give.

use std::future::Future;

use serde_json::Value;
use trailproof_core::account::{AccountId, Region};
use trailproof_core::evidence::{CallError, Record, Request};

use super::plan::{Alarm, MetricFilter, Subscription, Topic};

/// A call that changes something.
#[derive(Debug, Clone, PartialEq)]
pub enum Mutation {
    /// logs:PutMetricFilter.
    PutMetricFilter(MetricFilter),
    /// logs:DeleteMetricFilter.
    DeleteMetricFilter {
        /// The log group.
        log_group: String,
        /// The filter.
        name: String,
    },
    /// sns:CreateTopic.
    CreateTopic(Topic),
    /// sns:DeleteTopic.
    DeleteTopic {
        /// The topic.
        arn: String,
    },
    /// sns:Subscribe.
    Subscribe(Subscription),
    /// sns:Unsubscribe.
    Unsubscribe {
        /// The subscription.
        arn: String,
    },
    /// cloudwatch:PutMetricAlarm.
    PutMetricAlarm(Alarm),
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
        match self {
            Self::PutMetricFilter(_) => "logs:PutMetricFilter",
            Self::DeleteMetricFilter { .. } => "logs:DeleteMetricFilter",
            Self::CreateTopic(_) => "sns:CreateTopic",
            Self::DeleteTopic { .. } => "sns:DeleteTopic",
            Self::Subscribe(_) => "sns:Subscribe",
            Self::Unsubscribe { .. } => "sns:Unsubscribe",
            Self::PutMetricAlarm(_) => "cloudwatch:PutMetricAlarm",
            Self::DeleteAlarm { .. } => "cloudwatch:DeleteAlarms",
            Self::SetAlarmState { .. } => "cloudwatch:SetAlarmState",
        }
    }
}

/// Why a change has no answer that says it was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeError {
    /// What AWS said.
    pub error: CallError,
    /// Whether the change may have been made all the same: the answer was lost, not the question.
    pub uncertain: bool,
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
    ) -> impl Future<Output = Result<Value, ChangeError>> + Send;

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
    ) -> impl Future<Output = Result<Option<Value>, CallError>> + Send;
}
