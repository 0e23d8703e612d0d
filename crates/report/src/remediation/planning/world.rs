//! The accounts as the evidence shows them, with the changes of a plan put in: what AWS would
//! answer if the plan had been carried out.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde_json::{Map, Value, json};
use trailproof_core::account::{AccountId, Region};
use trailproof_core::arn::Arn;
use trailproof_core::evidence::{Call, Evidence, Operation, Outcome, Record};

use super::recorded::RecordKey;
use crate::remediation::plan::Step;
use crate::remediation::resources::{Alarm, Change, MetricFilter, Subscription, Topic};

/// Records that replace or add to those of the evidence.
#[derive(Debug, Clone, Default)]
pub(super) struct World {
    /// What was seen at the sites.
    seen: BTreeMap<RecordKey, Record>,
    /// What it would look like afterwards.
    changed: BTreeMap<RecordKey, Record>,
}

impl World {
    /// Takes note of what was seen: only what repairs look at is kept.
    pub(super) fn see(&mut self, records: &[Record]) {
        for record in records {
            if matches!(
                record.operation,
                Operation::DescribeMetricFilters
                    | Operation::DescribeAlarms
                    | Operation::ListAlarmMuteRules
                    | Operation::GetTopicAttributes
                    | Operation::ListSubscriptionsByTopic
            ) {
                self.seen.insert(RecordKey::of(record), record.clone());
            }
        }
    }

    /// Forgets what was seen, not what was changed.
    pub(super) fn forget(&mut self) {
        self.seen.clear();
    }

    /// What the changes would make AWS answer.
    pub(super) fn changed(&self) -> impl Iterator<Item = &Record> {
        self.changed.values()
    }

    /// Puts the changes into evidence.
    pub(super) fn apply_to(&self, evidence: &mut Evidence) {
        for record in self.changed.values() {
            // Made from answers that could be read, with elements like theirs.
            let _ = evidence.insert(record.clone());
        }
    }

    fn response(&self, key: &RecordKey) -> Option<&Value> {
        let record = self.changed.get(key).or_else(|| self.seen.get(key))?;
        match &record.outcome {
            Outcome::Response(response) => Some(response),
            Outcome::Error(_) => None,
        }
    }

    fn list(&self, key: &RecordKey, member: &str) -> Option<Vec<&Value>> {
        let response = self.response(key)?;
        Some(
            response
                .get(member)
                .and_then(Value::as_array)
                .map(|elements| elements.iter().collect())
                .unwrap_or_default(),
        )
    }

    /// The metric filters of a log group, where they were seen.
    pub(super) fn metric_filters(
        &self,
        account: AccountId,
        region: &Region,
        log_group: &str,
    ) -> Option<Vec<&Value>> {
        let key = key(Operation::DescribeMetricFilters, account, region, log_group);
        self.list(&key, "metricFilters")
    }

    /// The metric filters of a log group as they were before any change.
    pub(super) fn seen_metric_filters(
        &self,
        account: AccountId,
        region: &Region,
        log_group: &str,
    ) -> Vec<&Value> {
        let key = key(Operation::DescribeMetricFilters, account, region, log_group);
        match self.seen.get(&key).map(|record| &record.outcome) {
            Some(Outcome::Response(response)) => response
                .get("metricFilters")
                .and_then(Value::as_array)
                .map(|filters| filters.iter().collect())
                .unwrap_or_default(),
            _ => Vec::new(),
        }
    }

    /// The metrics that metric filters of an account and region are known to feed, as namespace
    /// and name.
    pub(super) fn fed_metrics(
        &self,
        account: AccountId,
        region: &Region,
    ) -> BTreeSet<(&str, &str)> {
        self.seen
            .iter()
            .chain(&self.changed)
            .filter(|(key, _)| {
                key.operation == Operation::DescribeMetricFilters
                    && key.account == account
                    && key.region == *region
            })
            .filter_map(|(_, record)| match &record.outcome {
                Outcome::Response(response) => response.get("metricFilters")?.as_array(),
                Outcome::Error(_) => None,
            })
            .flatten()
            .filter_map(|filter| filter.get("metricTransformations")?.as_array())
            .flatten()
            .filter_map(|transformation| {
                let text = |member: &str| transformation.get(member).and_then(Value::as_str);
                Some((text("metricNamespace")?, text("metricName")?))
            })
            .collect()
    }

    /// Whether the alarms of an account and region were seen.
    pub(super) fn saw_alarms(&self, account: AccountId, region: &Region) -> bool {
        let key = key(Operation::DescribeAlarms, account, region, "");
        self.seen
            .get(&key)
            .is_some_and(|record| matches!(record.outcome, Outcome::Response(_)))
    }

    /// The attributes of a topic as they were before any change.
    pub(super) fn seen_topic(&self, arn: &str) -> Option<&Value> {
        let record = self
            .seen
            .get(&topic_key(Operation::GetTopicAttributes, arn)?)?;
        match &record.outcome {
            Outcome::Response(response) => response.get("Attributes"),
            Outcome::Error(_) => None,
        }
    }

    /// The metric alarms of an account and region, where they were seen.
    pub(super) fn metric_alarms(&self, account: AccountId, region: &Region) -> Option<Vec<&Value>> {
        self.list(
            &key(Operation::DescribeAlarms, account, region, ""),
            "MetricAlarms",
        )
    }

    /// The names of all alarms of an account and region, where they were seen.
    pub(super) fn alarm_names(
        &self,
        account: AccountId,
        region: &Region,
    ) -> Option<BTreeSet<&str>> {
        let key = key(Operation::DescribeAlarms, account, region, "");
        let metric = self.list(&key, "MetricAlarms")?;
        let composite = self.list(&key, "CompositeAlarms")?;
        let log = self.list(&key, "LogAlarms")?;
        Some(
            metric
                .into_iter()
                .chain(composite)
                .chain(log)
                .filter_map(|alarm| alarm.get("AlarmName")?.as_str())
                .collect(),
        )
    }

    /// The attributes of a topic, where they were seen.
    pub(super) fn topic(&self, arn: &str) -> Option<&Value> {
        self.response(&topic_key(Operation::GetTopicAttributes, arn)?)?
            .get("Attributes")
    }

    /// The subscriptions of a topic, where they were seen.
    pub(super) fn subscriptions(&self, arn: &str) -> Option<Vec<&Value>> {
        self.list(
            &topic_key(Operation::ListSubscriptionsByTopic, arn)?,
            "Subscriptions",
        )
    }

    /// Puts a step's effect in.
    pub(super) fn put(&mut self, step: &Step, now: Timestamp) {
        match &step.change {
            Change::PutMetricFilter(filter) => self.put_filter(step, filter, now),
            Change::CreateTopic(topic) => self.put_topic(topic, now),
            Change::Subscribe(subscription) => self.put_subscription(subscription, now),
            Change::PutMetricAlarm(alarm) => self.put_alarm(step, alarm, now),
        }
    }

    fn edit(
        &mut self,
        account: AccountId,
        region: &Region,
        call: &Call,
        now: Timestamp,
        change: impl FnOnce(&mut Map<String, Value>),
    ) {
        let fresh = Record {
            operation: call.operation(),
            account,
            region: region.clone(),
            parameters: call.parameters(),
            observed_at: now,
            request_id: None,
            outcome: Outcome::Response(json!({})),
        };
        let key = RecordKey::of(&fresh);
        // What was seen keeps its parameters, so that it is replaced and not stood beside.
        let mut record = self
            .changed
            .get(&key)
            .or_else(|| self.seen.get(&key))
            .cloned()
            .unwrap_or(fresh);
        if let Outcome::Response(Value::Object(response)) = &mut record.outcome {
            change(response);
        }
        self.changed.insert(key, record);
    }

    fn put_filter(&mut self, step: &Step, filter: &MetricFilter, now: Timestamp) {
        let call = Call::DescribeMetricFilters {
            log_group_name: filter.log_group.clone(),
        };
        let described = filter.described();
        self.edit(step.account, &step.region, &call, now, |response| {
            push(response, "metricFilters", described);
        });
    }

    fn put_alarm(&mut self, step: &Step, alarm: &Alarm, now: Timestamp) {
        let described = alarm.described(step.account, &step.region);
        self.edit(
            step.account,
            &step.region,
            &Call::DescribeAlarms,
            now,
            |response| {
                response
                    .entry("CompositeAlarms")
                    .or_insert_with(|| json!([]));
                push(response, "MetricAlarms", described);
            },
        );
        // A rule can only name an alarm that exists, and this one does not yet.
        self.assume_unmuted(step.account, &step.region, now);
    }

    /// Takes what was not seen for not there: rules that mute alarms.
    pub(super) fn assume_unmuted(&mut self, account: AccountId, region: &Region, now: Timestamp) {
        self.edit(
            account,
            region,
            &Call::ListAlarmMuteRules { alarm_name: None },
            now,
            |response| {
                response
                    .entry("AlarmMuteRuleSummaries")
                    .or_insert_with(|| json!([]));
            },
        );
    }

    /// Whether the rules that mute alarms in an account and region were seen.
    pub(super) fn saw_mute_rules(&self, account: AccountId, region: &Region) -> bool {
        let key = key(Operation::ListAlarmMuteRules, account, region, "");
        self.seen.contains_key(&key)
    }

    fn put_topic(&mut self, topic: &Topic, now: Timestamp) {
        let Some((_, account, region)) = owner(&topic.arn) else {
            return;
        };
        let attributes = topic.described(account);
        let call = Call::GetTopicAttributes {
            topic_arn: topic.arn.clone(),
        };
        self.edit(account, &region, &call, now, |response| {
            response.insert("Attributes".to_owned(), attributes);
        });
        let call = Call::ListSubscriptionsByTopic {
            topic_arn: topic.arn.clone(),
        };
        self.edit(account, &region, &call, now, |response| {
            response.entry("Subscriptions").or_insert_with(|| json!([]));
        });
    }

    /// Takes a topic that the user names for usable although it was not seen: it lets CloudWatch
    /// publish and, unless the plan subscribes somebody, somebody listens. `apply` looks first.
    pub(super) fn assume_topic(&mut self, arn: &str, somebody_listens: bool, now: Timestamp) {
        let Some((parsed, account, region)) = owner(arn) else {
            return;
        };
        let policy = json!({
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", "Principal": {"Service": "cloudwatch.amazonaws.com"},
                "Action": "sns:Publish", "Resource": parsed.as_str()}],
        });
        let confirmed = if somebody_listens { "1" } else { "0" };
        let attributes = json!({
            "TopicArn": arn, "Owner": account, "Policy": policy.to_string(),
            "SubscriptionsConfirmed": confirmed, "SubscriptionsPending": "0",
            "SubscriptionsDeleted": "0",
        });
        let call = Call::GetTopicAttributes {
            topic_arn: arn.to_owned(),
        };
        self.edit(account, &region, &call, now, |response| {
            response.insert("Attributes".to_owned(), attributes);
        });
    }

    fn put_subscription(&mut self, subscription: &Subscription, now: Timestamp) {
        let Some((_, account, region)) = owner(&subscription.topic_arn) else {
            return;
        };
        let topic_arn = || subscription.topic_arn.clone();
        let pending = subscription.needs_confirmation;
        let described = subscription.described(account);
        let call = Call::ListSubscriptionsByTopic {
            topic_arn: topic_arn(),
        };
        self.edit(account, &region, &call, now, |response| {
            push(response, "Subscriptions", described);
        });
        if self.topic(&subscription.topic_arn).is_none() {
            return;
        }
        let counter = if pending {
            "SubscriptionsPending"
        } else {
            "SubscriptionsConfirmed"
        };
        let call = Call::GetTopicAttributes {
            topic_arn: topic_arn(),
        };
        self.edit(account, &region, &call, now, |response| {
            if let Some(Value::Object(attributes)) = response.get_mut("Attributes") {
                let before = attributes.get(counter).and_then(Value::as_str);
                let count = before
                    .and_then(|text| text.parse::<u64>().ok())
                    .unwrap_or(0);
                attributes.insert(counter.to_owned(), json!((count + 1).to_string()));
            }
        });
    }
}

fn push(response: &mut Map<String, Value>, member: &str, element: Value) {
    match response.get_mut(member) {
        Some(Value::Array(elements)) => elements.push(element),
        _ => {
            response.insert(member.to_owned(), Value::Array(vec![element]));
        }
    }
}

fn key(operation: Operation, account: AccountId, region: &Region, selector: &str) -> RecordKey {
    RecordKey {
        operation,
        account,
        region: region.clone(),
        selector: selector.to_owned(),
    }
}

/// Topics are read by their owner.
fn topic_key(operation: Operation, arn: &str) -> Option<RecordKey> {
    let (_, account, region) = owner(arn)?;
    Some(key(operation, account, &region, arn))
}

fn owner(arn: &str) -> Option<(Arn, AccountId, Region)> {
    let arn: Arn = arn.parse().ok()?;
    let account = arn.account()?;
    let region = arn.region()?;
    Some((arn, account, region))
}
