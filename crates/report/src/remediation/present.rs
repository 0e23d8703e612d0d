//! What is there now: the resources around a site, read afresh, and whether they are what a step
//! would create.

use std::collections::BTreeMap;

use serde_json::Value;
use trailproof_core::account::{AccountId, Region};
use trailproof_core::arn::Arn;
use trailproof_core::evaluate::topic_policy::{Permission, Publication, may_publish};
use trailproof_core::evidence::{Call, CallError, ErrorClass, Outcome, Request};

use super::cloud::Cloud;
use super::plan::{Alarm, MetricFilter, Plan, Subscription, Topic};

/// Something that could not be read, so nothing may be changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Unreadable {
    pub(crate) operation: &'static str,
    pub(crate) account: AccountId,
    pub(crate) error: CallError,
}

impl std::fmt::Display for Unreadable {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            formatter,
            "{} in account {} failed: {}: {}",
            self.operation, self.account, self.error.code, self.error.message
        )
    }
}

/// A topic as it is.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct PresentTopic {
    pub(crate) attributes: Value,
    pub(crate) subscriptions: Vec<Value>,
}

/// Asks and takes the answer apart; an answer that the thing does not exist is `None`.
async fn ask(
    cloud: &impl Cloud,
    account: AccountId,
    region: &Region,
    call: Call,
) -> Result<Option<Value>, Unreadable> {
    let operation = call.operation().as_str();
    let request = Request {
        account,
        region: region.clone(),
        call,
    };
    match cloud.read(request).await.outcome {
        Outcome::Response(response) => Ok(Some(response)),
        Outcome::Error(error) if error.class == ErrorClass::NotFound => Ok(None),
        Outcome::Error(error) => Err(Unreadable {
            operation,
            account,
            error,
        }),
    }
}

fn list(response: Option<Value>, member: &str) -> Vec<Value> {
    match response {
        Some(Value::Object(mut members)) => match members.remove(member) {
            Some(Value::Array(elements)) => elements,
            _ => Vec::new(),
        },
        _ => Vec::new(),
    }
}

fn text<'a>(value: &'a Value, member: &str) -> Option<&'a str> {
    value.get(member).and_then(Value::as_str)
}

/// A log group; `None` when it does not exist.
pub(crate) async fn log_group(
    cloud: &impl Cloud,
    account: AccountId,
    region: &Region,
    name: &str,
) -> Result<Option<Value>, Unreadable> {
    let call = Call::DescribeLogGroups {
        log_group_name: name.to_owned(),
    };
    let groups = list(ask(cloud, account, region, call).await?, "logGroups");
    Ok(groups
        .into_iter()
        .find(|group| text(group, "logGroupName") == Some(name)))
}

/// The trails that an account sees in a region, by ARN.
pub(crate) async fn trails(
    cloud: &impl Cloud,
    account: AccountId,
    region: &Region,
) -> Result<BTreeMap<String, Value>, Unreadable> {
    let call = Call::DescribeTrails {
        include_shadow_trails: true,
    };
    let trails = list(ask(cloud, account, region, call).await?, "trailList");
    Ok(trails
        .into_iter()
        .filter_map(|trail| Some((text(&trail, "TrailARN")?.to_owned(), trail)))
        .collect())
}

/// The metric filters of a log group, by name.
pub(crate) async fn metric_filters(
    cloud: &impl Cloud,
    account: AccountId,
    region: &Region,
    log_group: &str,
) -> Result<BTreeMap<String, Value>, Unreadable> {
    let call = Call::DescribeMetricFilters {
        log_group_name: log_group.to_owned(),
    };
    let filters = list(ask(cloud, account, region, call).await?, "metricFilters");
    Ok(filters
        .into_iter()
        .filter_map(|filter| Some((text(&filter, "filterName")?.to_owned(), filter)))
        .collect())
}

/// The alarms of an account and region, of every kind, by name.
pub(crate) async fn alarms(
    cloud: &impl Cloud,
    account: AccountId,
    region: &Region,
) -> Result<BTreeMap<String, Value>, Unreadable> {
    let response = ask(cloud, account, region, Call::DescribeAlarms).await?;
    let mut alarms = BTreeMap::new();
    for member in ["MetricAlarms", "CompositeAlarms", "LogAlarms"] {
        for alarm in list(response.clone(), member) {
            if let Some(name) = text(&alarm, "AlarmName") {
                alarms.insert(name.to_owned(), alarm);
            }
        }
    }
    Ok(alarms)
}

/// The alarms that watch the metric of a filter.
pub(crate) fn watchers<'a>(
    filter: &'a MetricFilter,
    alarms: &'a BTreeMap<String, Value>,
) -> impl Iterator<Item = &'a String> {
    alarms
        .iter()
        .filter(|(_, alarm)| {
            text(alarm, "Namespace") == Some(&filter.namespace)
                && text(alarm, "MetricName") == Some(&filter.metric)
        })
        .map(|(name, _)| name)
}

/// What an alarm notifies when its state changes.
pub(crate) fn notified(alarm: &Value) -> impl Iterator<Item = &str> {
    ["AlarmActions", "OKActions", "InsufficientDataActions"]
        .into_iter()
        .filter_map(|member| alarm.get(member)?.as_array())
        .flatten()
        .filter_map(Value::as_str)
}

/// A topic, read by its owner; `None` when it does not exist.
pub(crate) async fn topic(
    cloud: &impl Cloud,
    arn: &str,
) -> Result<Option<PresentTopic>, Unreadable> {
    let parsed: Option<Arn> = arn.parse().ok();
    let Some((account, region)) = parsed.and_then(|arn| Some((arn.account()?, arn.region()?)))
    else {
        return Ok(None);
    };
    let call = Call::GetTopicAttributes {
        topic_arn: arn.to_owned(),
    };
    let Some(mut response) = ask(cloud, account, &region, call).await? else {
        return Ok(None);
    };
    let call = Call::ListSubscriptionsByTopic {
        topic_arn: arn.to_owned(),
    };
    let subscriptions = list(ask(cloud, account, &region, call).await?, "Subscriptions");
    Ok(Some(PresentTopic {
        attributes: response
            .get_mut("Attributes")
            .map(Value::take)
            .unwrap_or_default(),
        subscriptions,
    }))
}

/// The plan whose tag a topic carries. Its name and attributes do not tell: somebody may have
/// created one like it.
pub(crate) async fn plan_of_topic(
    cloud: &impl Cloud,
    account: AccountId,
    region: &Region,
    arn: &str,
) -> Result<Option<String>, Unreadable> {
    let maker = cloud.plan_of_topic(account, region, arn).await;
    maker.map_err(|error| Unreadable {
        operation: "sns:ListTagsForResource",
        account,
        error,
    })
}

impl PresentTopic {
    /// The subscription of an endpoint.
    pub(crate) fn subscription(&self, wanted: &Subscription) -> Option<&Value> {
        self.subscriptions.iter().find(|subscription| {
            text(subscription, "Protocol") == Some(wanted.protocol.as_str())
                && text(subscription, "Endpoint") == Some(&wanted.endpoint)
                && text(subscription, "SubscriptionArn") != Some("Deleted")
        })
    }

    /// Why alarms could not publish to it, where that is certain.
    pub(crate) fn unusable(&self) -> Option<&'static str> {
        let key = text(&self.attributes, "KmsMasterKeyId").unwrap_or_default();
        key.ends_with("alias/aws/sns").then_some(
            "it is encrypted with the key that AWS manages, which CloudWatch may not use",
        )
    }

    /// Why an alarm could not publish to it, where that is certain.
    pub(crate) fn refuses(
        &self,
        topic: &str,
        account: AccountId,
        region: &Region,
        alarm: &str,
    ) -> Option<String> {
        let topic: Arn = topic.parse().ok()?;
        let alarm = format!(
            "arn:{}:cloudwatch:{region}:{account}:alarm:{alarm}",
            region.partition()
        );
        let publication = Publication {
            account,
            alarm: &alarm,
            topic: &topic,
            organization: None,
        };
        match may_publish(text(&self.attributes, "Policy"), &publication) {
            Permission::Denied(why) => Some(why),
            Permission::Allowed | Permission::Undecided(_) => None,
        }
    }

    /// Who is subscribed, or was asked to be: protocol and endpoint.
    pub(crate) fn subscribers(&self) -> impl Iterator<Item = (&str, &str)> {
        self.subscriptions
            .iter()
            .filter(|subscription| text(subscription, "SubscriptionArn") != Some("Deleted"))
            .filter_map(|subscription| {
                Some((
                    text(subscription, "Protocol")?,
                    text(subscription, "Endpoint")?,
                ))
            })
    }

    /// Whether it is encrypted as a new topic would be.
    pub(crate) fn is_like(&self, wanted: &Topic) -> bool {
        let key = text(&self.attributes, "KmsMasterKeyId").filter(|key| !key.is_empty());
        key == wanted.kms_key.as_deref()
    }
}

/// Whether a value is absent, or says no more than if it were.
fn is_nothing(value: Option<&Value>) -> bool {
    match value {
        None | Some(Value::Null | Value::Bool(false)) => true,
        Some(Value::Array(elements)) => elements.is_empty(),
        Some(Value::Object(members)) => members.is_empty(),
        Some(Value::String(text)) => text.is_empty(),
        Some(Value::Number(_) | Value::Bool(true)) => false,
    }
}

fn is_number(value: Option<&Value>, expected: f64) -> bool {
    value
        .and_then(Value::as_f64)
        .is_some_and(|number| (number - expected).abs() < f64::EPSILON * expected.abs().max(1.0))
}

/// What a subscription has been given since a step created it: the first such attribute. Those
/// that SNS makes up itself do not count (SNS API, `GetSubscriptionAttributes`).
pub(crate) fn given_to_subscription(attributes: &Value) -> Option<&'static str> {
    const POLICIES: [&str; 5] = [
        "FilterPolicy",
        "RedrivePolicy",
        "DeliveryPolicy",
        "ReplayPolicy",
        "SubscriptionRoleArn",
    ];
    if text(attributes, "RawMessageDelivery") == Some("true") {
        return Some("RawMessageDelivery");
    }
    POLICIES.into_iter().find(|name| {
        // An empty policy is how one is taken away.
        !is_nothing(attributes.get(*name)) && text(attributes, name) != Some("{}")
    })
}

/// Whether a metric filter is exactly what a step would create.
pub(crate) fn is_same_filter(filter: &MetricFilter, present: &Value) -> bool {
    let transformations = present
        .get("metricTransformations")
        .and_then(Value::as_array);
    let Some([transformation]) = transformations.map(Vec::as_slice) else {
        return false;
    };
    // CloudWatch Logs answers the unit `None` for a transformation without one.
    let no_unit = matches!(text(transformation, "unit"), None | Some("" | "None"));
    text(present, "filterPattern") == Some(&filter.pattern)
        && text(transformation, "metricNamespace") == Some(&filter.namespace)
        && text(transformation, "metricName") == Some(&filter.metric)
        && text(transformation, "metricValue") == Some(&filter.value)
        && no_unit
        && is_nothing(transformation.get("defaultValue"))
        && is_nothing(transformation.get("dimensions"))
        && [
            "applyOnTransformedLogs",
            "fieldSelectionCriteria",
            "emitSystemFieldDimensions",
        ]
        .iter()
        .all(|member| is_nothing(present.get(*member)))
}

/// Whether an alarm is exactly what a step would create, whatever its state.
pub(crate) fn is_same_alarm(alarm: &Alarm, present: &Value) -> bool {
    text(present, "AlarmDescription") == Some(&alarm.description) && does_the_same(alarm, present)
}

/// The topic of an alarm that trailproof created by an earlier plan and that does what a step's
/// alarm would do, whatever it is called.
pub(crate) fn topic_of_earlier<'a>(alarm: &Alarm, present: &'a Value) -> Option<&'a str> {
    let topic = present.get("AlarmActions")?.get(0)?.as_str()?;
    let wanted = Alarm {
        topic_arn: topic.to_owned(),
        ..alarm.clone()
    };
    let ours = text(present, "AlarmDescription")?.contains(&Plan::marker(""));
    (ours && does_the_same(&wanted, present)).then_some(topic)
}

fn does_the_same(alarm: &Alarm, present: &Value) -> bool {
    let actions = present.get("AlarmActions").and_then(Value::as_array);
    text(present, "Namespace") == Some(&alarm.namespace)
        && text(present, "MetricName") == Some(&alarm.metric)
        && text(present, "Statistic") == Some("Sum")
        && text(present, "ComparisonOperator") == Some("GreaterThanOrEqualToThreshold")
        && text(present, "TreatMissingData") == Some("notBreaching")
        && is_number(present.get("Period"), f64::from(alarm.period))
        && is_number(present.get("EvaluationPeriods"), 1.0)
        && is_number(present.get("Threshold"), alarm.threshold)
        && present.get("ActionsEnabled").and_then(Value::as_bool) != Some(false)
        && actions.is_some_and(|actions| {
            matches!(actions.as_slice(), [action] if action.as_str() == Some(&alarm.topic_arn))
        })
        && (is_nothing(present.get("DatapointsToAlarm"))
            || is_number(present.get("DatapointsToAlarm"), 1.0))
        && ["OKActions", "InsufficientDataActions", "Dimensions", "Metrics", "Unit", "ExtendedStatistic"]
            .iter()
            .all(|member| is_nothing(present.get(*member)))
}
