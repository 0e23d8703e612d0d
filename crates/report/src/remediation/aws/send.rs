//! One request of each kind, in the SDK's terms.

use aws_sdk_cloudwatch::types::{ComparisonOperator, StateValue, Statistic};
use aws_sdk_cloudwatchlogs::types::MetricTransformation;
use serde_json::{Map, Value, json};
use trailproof_core::evidence::{CallError, ErrorClass};
use trailproof_scanner::{Cure, SendFailure};

use super::{Aws, Target};
use crate::remediation::cloud::Mutation;
use crate::remediation::plan::{Alarm, MetricFilter, Subscription, Topic};

/// Sends a request with the target's region and credentials.
macro_rules! send {
    ($sdk:ident, $target:expr, $request:expr) => {{
        let settings = $sdk::config::Builder::new()
            .region($sdk::config::Region::new(
                $target.region.as_str().to_owned(),
            ))
            .credentials_provider($target.credentials.clone());
        $request
            .customize()
            .config_override(settings)
            .send()
            .await
            .map_err(|error| SendFailure::of(&error))
    }};
}

fn invalid(error: &dyn std::error::Error) -> SendFailure {
    SendFailure {
        error: CallError {
            code: "InvalidRequest".to_owned(),
            message: error.to_string(),
            class: ErrorClass::Invalid,
        },
        cure: Cure::None,
    }
}

impl Aws {
    pub(super) async fn send(
        &self,
        target: &Target<'_>,
        mutation: &Mutation,
    ) -> Result<Value, SendFailure> {
        match mutation {
            Mutation::PutMetricFilter(filter) => self.put_metric_filter(target, filter).await,
            Mutation::DeleteMetricFilter { log_group, name } => {
                let request = self
                    .logs
                    .delete_metric_filter()
                    .log_group_name(log_group)
                    .filter_name(name);
                send!(aws_sdk_cloudwatchlogs, target, request).map(|_| Value::Null)
            }
            Mutation::CreateTopic(topic) => self.create_topic(target, topic).await,
            Mutation::DeleteTopic { arn } => {
                let request = self.sns.delete_topic().topic_arn(arn);
                send!(aws_sdk_sns, target, request).map(|_| Value::Null)
            }
            Mutation::Subscribe(subscription) => self.subscribe(target, subscription).await,
            Mutation::Unsubscribe { arn } => {
                let request = self.sns.unsubscribe().subscription_arn(arn);
                send!(aws_sdk_sns, target, request).map(|_| Value::Null)
            }
            Mutation::PutMetricAlarm(alarm) => self.put_metric_alarm(target, alarm).await,
            Mutation::DeleteAlarm { name } => {
                let request = self.cloudwatch.delete_alarms().alarm_names(name);
                send!(aws_sdk_cloudwatch, target, request).map(|_| Value::Null)
            }
            Mutation::SetAlarmState {
                name,
                state,
                reason,
            } => {
                let request = self
                    .cloudwatch
                    .set_alarm_state()
                    .alarm_name(name)
                    .state_value(StateValue::from(*state))
                    .state_reason(reason);
                send!(aws_sdk_cloudwatch, target, request).map(|_| Value::Null)
            }
        }
    }

    async fn put_metric_filter(
        &self,
        target: &Target<'_>,
        filter: &MetricFilter,
    ) -> Result<Value, SendFailure> {
        let transformation = MetricTransformation::builder()
            .metric_namespace(&filter.namespace)
            .metric_name(&filter.metric)
            .metric_value(&filter.value)
            .build()
            .map_err(|error| invalid(&error))?;
        let request = self
            .logs
            .put_metric_filter()
            .log_group_name(&filter.log_group)
            .filter_name(&filter.name)
            .filter_pattern(&filter.pattern)
            .metric_transformations(transformation);
        send!(aws_sdk_cloudwatchlogs, target, request).map(|_| Value::Null)
    }

    async fn create_topic(&self, target: &Target<'_>, topic: &Topic) -> Result<Value, SendFailure> {
        let mut request = self.sns.create_topic().name(&topic.name);
        if let Some(key) = &topic.kms_key {
            request = request.attributes("KmsMasterKeyId", key);
        }
        for (key, value) in &topic.tags {
            let tag = aws_sdk_sns::types::Tag::builder()
                .key(key)
                .value(value)
                .build()
                .map_err(|error| invalid(&error))?;
            request = request.tags(tag);
        }
        let answer = send!(aws_sdk_sns, target, request)?;
        Ok(json!({"arn": answer.topic_arn()}))
    }

    async fn subscribe(
        &self,
        target: &Target<'_>,
        subscription: &Subscription,
    ) -> Result<Value, SendFailure> {
        let request = self
            .sns
            .subscribe()
            .topic_arn(&subscription.topic_arn)
            .protocol(subscription.protocol.as_str())
            .endpoint(&subscription.endpoint);
        let answer = send!(aws_sdk_sns, target, request)?;
        Ok(json!({"arn": answer.subscription_arn()}))
    }

    async fn put_metric_alarm(
        &self,
        target: &Target<'_>,
        alarm: &Alarm,
    ) -> Result<Value, SendFailure> {
        let mut request = self
            .cloudwatch
            .put_metric_alarm()
            .alarm_name(&alarm.name)
            .alarm_description(&alarm.description)
            .namespace(&alarm.namespace)
            .metric_name(&alarm.metric)
            .statistic(Statistic::Sum)
            .period(i32::try_from(alarm.period).unwrap_or(i32::MAX))
            .evaluation_periods(1)
            .threshold(alarm.threshold)
            .comparison_operator(ComparisonOperator::GreaterThanOrEqualToThreshold)
            .treat_missing_data("notBreaching")
            .actions_enabled(true)
            .alarm_actions(&alarm.topic_arn);
        for (key, value) in &alarm.tags {
            let tag = aws_sdk_cloudwatch::types::Tag::builder()
                .key(key)
                .value(value)
                .build();
            request = request.tags(tag);
        }
        send!(aws_sdk_cloudwatch, target, request).map(|_| Value::Null)
    }

    /// Which messages a pattern matches; `None` when the service does not say.
    pub(super) async fn test_metric_filter(
        &self,
        target: &Target<'_>,
        pattern: &str,
        messages: Vec<String>,
    ) -> Option<Vec<bool>> {
        let count = messages.len();
        let request = self
            .logs
            .test_metric_filter()
            .filter_pattern(pattern)
            .set_log_event_messages(Some(messages));
        let answer = send!(aws_sdk_cloudwatchlogs, target, request).ok()?;
        let matched: Vec<usize> = answer
            .matches()
            .iter()
            .filter_map(|record| usize::try_from(record.event_number()).ok())
            .collect();
        // Event numbers count from 1 (CloudWatch Logs API, `MetricFilterMatchRecord`).
        Some(
            (1..=count)
                .map(|number| matched.contains(&number))
                .collect(),
        )
    }

    /// The tags of a topic, by key.
    pub(super) async fn topic_tags(
        &self,
        target: &Target<'_>,
        arn: &str,
    ) -> Result<Value, SendFailure> {
        let request = self.sns.list_tags_for_resource().resource_arn(arn);
        let answer = send!(aws_sdk_sns, target, request)?;
        let tags = answer.tags().iter();
        Ok(tags
            .map(|tag| (tag.key().to_owned(), Value::from(tag.value())))
            .collect::<Map<_, _>>()
            .into())
    }

    /// The attributes of a subscription.
    pub(super) async fn get_subscription_attributes(
        &self,
        target: &Target<'_>,
        arn: &str,
    ) -> Result<Value, SendFailure> {
        let request = self.sns.get_subscription_attributes().subscription_arn(arn);
        let answer = send!(aws_sdk_sns, target, request)?;
        Ok(json!(answer.attributes()))
    }
}
