//! The alarm: watches the metric of a filter and tells a topic.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use aws_sdk_cloudwatch::types::{ComparisonOperator, StateValue, Statistic, Tag};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use trailproof_core::account::{AccountId, Region};
use trailproof_core::evidence::{Call, MetricAlarm};
use trailproof_core::remedy::{Alarm as Advised, Command, Setting};
use trailproof_scanner::{CallFailure, ServiceCall};

use super::{MetricFilter, Resource, configuration, literal, tags};
use crate::remediation::aws::Place;
use crate::remediation::cloud::Cloud;
use crate::remediation::export::hcl::Block;
use crate::remediation::export::quote::hcl;
use crate::remediation::plan::Plan;
use crate::remediation::present::{Unreadable, ask};

// CloudWatch quotas.
pub(crate) const PUT: ServiceCall = per_second("cloudwatch:PutMetricAlarm");
pub(crate) const DELETE: ServiceCall = per_second("cloudwatch:DeleteAlarms");
pub(crate) const SET_STATE: ServiceCall = per_second("cloudwatch:SetAlarmState");

const fn per_second(action: &'static str) -> ServiceCall {
    ServiceCall {
        action,
        per_second: 3.0,
    }
}

/// An alarm to be created. The statistic is `Sum`, the comparison
/// `GreaterThanOrEqualToThreshold`, over one period; no data is good news.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Alarm {
    /// Its name.
    pub name: String,
    /// What people read beside it, the plan's marker included.
    pub description: String,
    /// The namespace of the watched metric.
    pub namespace: String,
    /// The name of the watched metric.
    pub metric: String,
    /// Seconds.
    pub period: u32,
    /// How many matching events make an alarm.
    pub threshold: f64,
    /// The topic that is told.
    pub topic_arn: String,
    /// Its tags.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
}

/// An alarm that is there, of any kind.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Present {
    #[serde(flatten)]
    pub(crate) alarm: MetricAlarm,
    #[serde(rename = "AlarmDescription", default)]
    description: Option<String>,
    #[serde(rename = "OKActions", default)]
    ok_actions: Option<Vec<Arc<str>>>,
    #[serde(rename = "InsufficientDataActions", default)]
    insufficient_data_actions: Option<Vec<Arc<str>>>,
    /// The expression of a composite alarm.
    #[serde(rename = "AlarmRule", default)]
    rule: Option<String>,
    #[serde(skip)]
    pub(crate) digest: String,
}

/// The alarms of an account and region, of every kind, by name.
pub(crate) async fn present(
    cloud: &impl Cloud,
    account: AccountId,
    region: &Region,
) -> Result<BTreeMap<String, Present>, Unreadable> {
    let mut answer = ask(cloud, account, region, Call::DescribeAlarms).await?;
    let mut alarms = BTreeMap::new();
    for member in ["MetricAlarms", "CompositeAlarms", "LogAlarms"] {
        for value in answer.list(member) {
            let digest = digest(&value);
            let alarm: Present = answer.shape(value)?;
            let name = alarm.alarm.alarm_name.to_string();
            alarms.insert(name, Present { digest, ..alarm });
        }
    }
    Ok(alarms)
}

/// A digest of an alarm's members, those aside that tell its state or history (CloudWatch API,
/// `MetricAlarm`).
pub(crate) fn digest(alarm: &Value) -> String {
    const STATE: [&str; 8] = [
        "StateValue",
        "StateReason",
        "StateReasonData",
        "StateUpdatedTimestamp",
        "StateTransitionedTimestamp",
        "AlarmConfigurationUpdatedTimestamp",
        "EvaluationState",
        "AlarmArn",
    ];
    configuration::digest(alarm, |member| !STATE.contains(&member))
}

/// The ARN of an alarm.
pub(crate) fn arn(account: AccountId, region: &Region, name: &str) -> String {
    let partition = region.partition();
    format!("arn:{partition}:cloudwatch:{region}:{account}:alarm:{name}")
}

impl Present {
    /// Whether it watches the metric of a filter.
    pub(crate) fn watches(&self, filter: &MetricFilter) -> bool {
        self.alarm.namespace.as_deref() == Some(&filter.namespace)
            && self.alarm.metric_name.as_deref() == Some(&filter.metric)
    }

    /// What it notifies when its state changes.
    pub(crate) fn notified(&self) -> impl Iterator<Item = &str> {
        let others = [&self.ok_actions, &self.insufficient_data_actions];
        let others = others.into_iter().flatten().flatten();
        self.alarm
            .alarm_actions
            .iter()
            .chain(others)
            .map(AsRef::as_ref)
    }

    /// Whether it is a composite alarm whose rule names another alarm.
    pub(crate) fn names(&self, other: &Self) -> bool {
        let rule = self.rule.as_deref().unwrap_or_default();
        let arn = other.alarm.alarm_arn.as_deref();
        rule.contains(&*other.alarm.alarm_name) || arn.is_some_and(|arn| rule.contains(arn))
    }
}

fn is(number: Option<f64>, expected: f64) -> bool {
    number.is_some_and(|number| (number - expected).abs() < f64::EPSILON * expected.abs().max(1.0))
}

impl Alarm {
    fn advised(&self) -> Advised<'_> {
        Advised {
            name: &self.name,
            description: Some(&self.description),
            namespace: &self.namespace,
            metric: &self.metric,
            period: self.period,
            threshold: self.threshold,
            topic_arn: &self.topic_arn,
        }
    }

    /// Whether one that is there is exactly this one, whatever its state.
    pub(crate) fn is(&self, present: &Present) -> bool {
        present.description.as_ref() == Some(&self.description) && self.does_the_same(present)
    }

    /// The topic of one that trailproof created by an earlier plan and that does what this one
    /// would do, whatever it is called.
    pub(crate) fn topic_of_earlier<'a>(&self, present: &'a Present) -> Option<&'a str> {
        let topic = present.alarm.alarm_actions.first()?;
        let wanted = Self {
            topic_arn: topic.to_string(),
            ..self.clone()
        };
        let ours = present.description.as_ref()?.contains(&Plan::marker(""));
        (ours && wanted.does_the_same(present)).then_some(topic)
    }

    fn does_the_same(&self, present: &Present) -> bool {
        let alarm = &present.alarm;
        let nothing = |actions: &Option<Vec<Arc<str>>>| actions.as_ref().is_none_or(Vec::is_empty);
        alarm.namespace.as_deref() == Some(&self.namespace)
            && alarm.metric_name.as_deref() == Some(&self.metric)
            && alarm.statistic.as_deref() == Some(Advised::STATISTIC)
            && alarm.comparison_operator.as_deref() == Some(Advised::COMPARISON_OPERATOR)
            && alarm.treat_missing_data.as_deref() == Some(Advised::TREAT_MISSING_DATA)
            && alarm.period == Some(self.period.into())
            && alarm.evaluation_periods == Some(Advised::EVALUATION_PERIODS.into())
            && is(alarm.threshold, self.threshold)
            && alarm.actions_enabled != Some(false)
            && matches!(&*alarm.alarm_actions, [topic] if **topic == *self.topic_arn)
            && alarm.datapoints_to_alarm.is_none_or(|points| points == 1)
            && nothing(&present.ok_actions)
            && nothing(&present.insufficient_data_actions)
            && alarm.dimensions.is_empty()
            && alarm.metrics.is_empty()
            && alarm.unit.is_none()
            && alarm.extended_statistic.is_none()
    }

    /// What cloudwatch:DescribeAlarms answers when it is new.
    pub(crate) fn described(&self, account: AccountId, region: &Region) -> Value {
        let mut members = properties(self.advised().members(), |_, setting| match setting {
            Setting::Topic(arn) => json!([arn]),
            other => plain(other),
        });
        let state = [
            ("AlarmArn", json!(arn(account, region, &self.name))),
            ("ActionsEnabled", json!(true)),
            ("OKActions", json!([])),
            ("InsufficientDataActions", json!([])),
            ("StateValue", json!("INSUFFICIENT_DATA")),
            ("Dimensions", json!([])),
        ];
        members.extend(state.map(|(name, value)| (name.to_owned(), value)));
        Value::Object(members)
    }

    pub(crate) async fn create(&self, place: &Place<'_>) -> Result<(), CallFailure> {
        let tag = |(key, value): (&String, &String)| Tag::builder().key(key).value(value).build();
        let request = place.send(PUT, |clients| {
            let request = clients.cloudwatch().put_metric_alarm();
            let tags: Vec<_> = self.tags.iter().map(tag).collect();
            request
                .alarm_name(&self.name)
                .alarm_description(&self.description)
                .namespace(&self.namespace)
                .metric_name(&self.metric)
                .statistic(Statistic::from(Advised::STATISTIC))
                .period(i32::try_from(self.period).unwrap_or(i32::MAX))
                .evaluation_periods(Advised::EVALUATION_PERIODS.cast_signed())
                .threshold(self.threshold)
                .comparison_operator(ComparisonOperator::from(Advised::COMPARISON_OPERATOR))
                .treat_missing_data(Advised::TREAT_MISSING_DATA)
                .actions_enabled(true)
                .alarm_actions(&self.topic_arn)
                .set_tags((!tags.is_empty()).then_some(tags))
                .send()
        });
        request.await.map(drop)
    }
}

pub(crate) async fn delete(place: &Place<'_>, name: &str) -> Result<(), CallFailure> {
    let request = place.send(DELETE, |clients| {
        clients
            .cloudwatch()
            .delete_alarms()
            .alarm_names(name)
            .send()
    });
    request.await.map(drop)
}

pub(crate) async fn set_state(
    place: &Place<'_>,
    name: &str,
    state: &str,
    reason: &str,
) -> Result<(), CallFailure> {
    let request = place.send(SET_STATE, |clients| {
        let request = clients.cloudwatch().set_alarm_state();
        request
            .alarm_name(name)
            .state_value(StateValue::from(state))
            .state_reason(reason)
            .send()
    });
    request.await.map(drop)
}

/// The value of a member as JSON.
fn plain(setting: Setting<'_>) -> Value {
    match setting {
        Setting::Text(text) | Setting::Topic(text) => json!(text),
        Setting::Word(word) => json!(word),
        Setting::Whole(number) => json!(number),
        Setting::Number(number) => json!(number),
    }
}

/// Members by their names, each with the value that it is given.
fn properties<'a>(
    members: impl Iterator<Item = (&'static str, Setting<'a>)>,
    mut value: impl FnMut(&'static str, Setting<'a>) -> Value,
) -> Map<String, Value> {
    members
        .map(|(name, setting)| (name.to_owned(), value(name, setting)))
        .collect()
}

/// The properties of a CloudFormation resource for several alarms with the same period and
/// threshold: what each has of its own is asked for by the name of the member.
pub(crate) fn template(
    period: u32,
    threshold: f64,
    all_tags: &BTreeMap<String, String>,
    mut own: impl FnMut(&'static str) -> Value,
) -> Value {
    let any = Advised {
        name: "",
        description: Some(""),
        namespace: "",
        metric: "",
        period,
        threshold,
        topic_arn: "",
    };
    let mut properties = properties(any.members(), |name, setting| match setting {
        Setting::Text(_) => own(name),
        Setting::Topic(_) => json!([own(name)]),
        other => plain(other),
    });
    insert_tags(&mut properties, all_tags);
    Value::Object(properties)
}

fn insert_tags(properties: &mut Map<String, Value>, all_tags: &BTreeMap<String, String>) {
    if !all_tags.is_empty() {
        properties.insert("Tags".to_owned(), tags(all_tags));
    }
}

/// Its type in CloudFormation.
pub(crate) const CLOUDFORMATION: &str = "AWS::CloudWatch::Alarm";

impl Resource for Alarm {
    fn cloudformation(&self, topic: &dyn Fn(&str) -> Value) -> (&'static str, Value) {
        let mut properties = properties(self.advised().members(), |_, setting| match setting {
            Setting::Topic(arn) => json!([topic(arn)]),
            other => plain(other),
        });
        insert_tags(&mut properties, &self.tags);
        (CLOUDFORMATION, Value::Object(properties))
    }

    fn terraform(&self, topic: &dyn Fn(&str) -> String) -> (&'static str, Block) {
        let members = self.advised().members();
        let block = members.fold(Block::default(), |block, (name, setting)| {
            let value = match setting {
                Setting::Text(text) => hcl(text),
                Setting::Word(word) => hcl(word),
                Setting::Whole(number) => number.to_string(),
                Setting::Number(number) => number.to_string(),
                Setting::Topic(arn) => format!("[{}]", topic(arn)),
            };
            block.raw(&argument(name), value)
        });
        ("aws_cloudwatch_metric_alarm", block.map("tags", &self.tags))
    }

    fn script(&self) -> (Vec<String>, Command) {
        // Counts the alarms of that name, and those that this plan made.
        let query = format!(
            "[length([MetricAlarms, CompositeAlarms][]), length(MetricAlarms[?AlarmDescription=={}])]",
            literal(&self.description)
        );
        let words = ["alarm", &self.name, &query].map(str::to_owned);
        let mut create = self.advised().command(None);
        if !self.tags.is_empty() {
            create = create.with("--tags", tags(&self.tags).to_string());
        }
        (words.into(), create)
    }
}

/// Terraform's argument for a member: `AlarmName` is `alarm_name`.
fn argument(member: &str) -> String {
    member.chars().fold(String::new(), |mut argument, letter| {
        if letter.is_ascii_uppercase() && !argument.is_empty() {
            argument.push('_');
        }
        argument.push(letter.to_ascii_lowercase());
        argument
    })
}

impl fmt::Display for Alarm {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "alarm `{}` on metric {}/{} -> `{}`",
            self.name, self.namespace, self.metric, self.topic_arn
        )
    }
}
