//! AWS itself: changes on the scanner's own connection, with its pace and its retries. Which
//! request a change is stands with what it creates, in [`super::resources`]; what to change is
//! decided elsewhere.

use std::sync::Arc;

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use trailproof_core::account::{AccountId, Region};
use trailproof_core::evidence::{CallError, ErrorClass, Record, Request};
use trailproof_scanner::{
    Access, CallFailure, ConnectOptions, RegionalClients, RoleSettings, ScanError, ServiceCall,
};

use super::cloud::{Cloud, Mutation};
use super::journal::Created;
use super::resources::{Change, alarm, metric_filter, subscription, topic, topic_policy};

/// A connection that can change accounts.
#[derive(Debug)]
pub struct Aws(Access);

/// Where and as whom a request is sent.
pub(crate) struct Place<'a> {
    access: &'a Access,
    account: AccountId,
    region: &'a Region,
}

impl Place<'_> {
    /// Sends a request, as often as it takes.
    pub(crate) async fn send<O, E, F>(
        &self,
        call: ServiceCall,
        request: impl Fn(Arc<RegionalClients>) -> F + Send + Sync,
    ) -> Result<O, CallFailure>
    where
        F: Future<Output = Result<O, SdkError<E, HttpResponse>>> + Send,
        E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    {
        let Self {
            access,
            account,
            region,
        } = *self;
        access.send(account, region, call, request).await
    }
}

/// A request that the SDK will not even send.
pub(crate) fn invalid(error: &dyn std::error::Error) -> CallFailure {
    CallFailure {
        error: CallError {
            code: "InvalidRequest".to_owned(),
            message: error.to_string(),
            class: ErrorClass::Invalid,
        },
        uncertain: false,
    }
}

/// What is not there is an answer, too.
fn found<T>(answer: Result<T, CallFailure>) -> Result<Option<T>, CallError> {
    match answer {
        Ok(seen) => Ok(Some(seen)),
        Err(failure) if failure.error.class == ErrorClass::NotFound => Ok(None),
        Err(failure) => Err(failure.error),
    }
}

impl Aws {
    /// Connects and finds out who is calling.
    pub async fn connect(
        options: &ConnectOptions,
        role: &RoleSettings,
        concurrency: usize,
    ) -> Result<Self, ScanError> {
        Access::connect(options, role, concurrency).await.map(Self)
    }

    /// The account whose credentials these are.
    pub fn caller(&self) -> AccountId {
        self.0.caller().account
    }

    /// The user or role session whose credentials these are.
    pub fn caller_arn(&self) -> &str {
        &self.0.caller().arn
    }

    fn at<'a>(&'a self, account: AccountId, region: &'a Region) -> Place<'a> {
        Place {
            access: &self.0,
            account,
            region,
        }
    }
}

impl Cloud for Aws {
    async fn read(&self, request: Request) -> Record {
        self.0.read(&request).await
    }

    async fn change(
        &self,
        account: AccountId,
        region: &Region,
        mutation: Mutation,
    ) -> Result<Created, CallFailure> {
        let place = &self.at(account, region);
        match &mutation {
            Mutation::Create(Change::CreateTopic(topic)) => return topic.create(place).await,
            Mutation::Create(Change::Subscribe(subscription)) => {
                return subscription.create(place).await;
            }
            Mutation::Create(Change::AddTopicStatement(statement)) => {
                return statement.create(place).await;
            }
            Mutation::Create(Change::PutMetricFilter(filter)) => filter.create(place).await,
            Mutation::Create(Change::PutMetricAlarm(alarm)) => alarm.create(place).await,
            Mutation::DeleteMetricFilter { log_group, name } => {
                metric_filter::delete(place, log_group, name).await
            }
            Mutation::SetTopicPolicy { arn, policy } => topic_policy::set(place, arn, policy).await,
            Mutation::DeleteTopic { arn } => topic::delete(place, arn).await,
            Mutation::Unsubscribe { arn } => subscription::delete(place, arn).await,
            Mutation::DeleteAlarm { name } => alarm::delete(place, name).await,
            Mutation::SetAlarmState {
                name,
                state,
                reason,
            } => alarm::set_state(place, name, state, reason).await,
        }
        .map(|()| Created::default())
    }

    async fn matches(
        &self,
        account: AccountId,
        region: &Region,
        pattern: &str,
        messages: Vec<String>,
    ) -> Option<Vec<bool>> {
        metric_filter::matches(&self.at(account, region), pattern, &messages).await
    }

    async fn plan_of_topic(
        &self,
        account: AccountId,
        region: &Region,
        arn: &str,
    ) -> Result<Option<String>, CallError> {
        found(topic::tag(&self.at(account, region), arn).await).map(Option::flatten)
    }

    async fn subscription_attributes(
        &self,
        account: AccountId,
        region: &Region,
        arn: &str,
    ) -> Result<Option<subscription::Attributes>, CallError> {
        found(subscription::attributes(&self.at(account, region), arn).await)
    }
}
