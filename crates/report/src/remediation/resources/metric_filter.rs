//! The metric filter: counts a control's events in a log group.

use std::collections::BTreeMap;
use std::fmt;

use aws_sdk_cloudwatchlogs::types::MetricTransformation;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use trailproof_core::account::{AccountId, Region};
use trailproof_core::evidence::{self, Call};
use trailproof_core::remedy::{self, Command};
use trailproof_scanner::{CallFailure, ServiceCall};

use super::{Resource, configuration, literal};
use crate::remediation::aws::{Place, invalid};
use crate::remediation::cloud::Cloud;
use crate::remediation::export::hcl::Block;
use crate::remediation::present::{Unreadable, ask};

/// How many metric filters a log group may have (CloudWatch Logs quotas; not adjustable).
pub const METRIC_FILTERS_PER_LOG_GROUP: usize = 100;

// CloudWatch Logs quotas.
pub(crate) const PUT: ServiceCall = per_second("logs:PutMetricFilter");
pub(crate) const DELETE: ServiceCall = per_second("logs:DeleteMetricFilter");
const TEST: ServiceCall = per_second("logs:TestMetricFilter");

const fn per_second(action: &'static str) -> ServiceCall {
    ServiceCall {
        action,
        per_second: 5.0,
    }
}

/// A metric filter to be created.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MetricFilter {
    /// The log group it reads.
    pub log_group: String,
    /// Its name.
    pub name: String,
    /// The filter pattern.
    pub pattern: String,
    /// The namespace of its metric.
    pub namespace: String,
    /// The name of its metric.
    pub metric: String,
    /// What a matching event counts.
    pub value: String,
}

/// A metric filter that is there.
#[derive(Debug, Clone)]
pub(crate) struct Present {
    pub(crate) filter: evidence::MetricFilter,
    pub(crate) digest: String,
    /// When it was made, as far as AWS tells.
    pub(crate) created_at: Option<Timestamp>,
}

/// The metric filters of a log group, by name.
pub(crate) async fn present(
    cloud: &impl Cloud,
    account: AccountId,
    region: &Region,
    log_group: &str,
) -> Result<BTreeMap<String, Present>, Unreadable> {
    let call = Call::DescribeMetricFilters {
        log_group_name: Some(log_group.to_owned()),
    };
    let mut answer = ask(cloud, account, region, call).await?;
    let mut filters = BTreeMap::new();
    for value in answer.list("metricFilters") {
        let digest = digest(&value);
        // Milliseconds (CloudWatch Logs API, `MetricFilter`).
        let created_at = value.get("creationTime").and_then(Value::as_i64);
        let filter: evidence::MetricFilter = answer.shape(value)?;
        let present = Present {
            digest,
            created_at: created_at.and_then(|at| Timestamp::from_millisecond(at).ok()),
            filter,
        };
        filters.insert(present.filter.filter_name.to_string(), present);
    }
    Ok(filters)
}

/// A digest of the members that make a metric filter what it is (CloudWatch Logs API,
/// `MetricFilter`).
pub(crate) fn digest(filter: &Value) -> String {
    const MEMBERS: [&str; 6] = [
        "filterName",
        "filterPattern",
        "metricTransformations",
        "applyOnTransformedLogs",
        "fieldSelectionCriteria",
        "emitSystemFieldDimensions",
    ];
    configuration::digest(filter, |member| MEMBERS.contains(&member))
}

impl MetricFilter {
    fn advised(&self) -> remedy::MetricFilter<'_> {
        remedy::MetricFilter {
            log_group: &self.log_group,
            name: &self.name,
            pattern: &self.pattern,
            namespace: &self.namespace,
            metric: &self.metric,
            value: &self.value,
        }
    }

    /// Whether one that is there is exactly this one.
    pub(crate) fn is(&self, present: &evidence::MetricFilter) -> bool {
        let [transformation] = present.metric_transformations.as_slice() else {
            return false;
        };
        // CloudWatch Logs answers the unit `None` for a transformation without one.
        let no_unit = matches!(transformation.unit.as_deref(), None | Some("None"));
        *present.filter_pattern == *self.pattern
            && *transformation.metric_namespace == *self.namespace
            && *transformation.metric_name == *self.metric
            && *transformation.metric_value == *self.value
            && no_unit
            && transformation.default_value.is_none()
            && transformation.dimensions.is_empty()
            && !present.apply_on_transformed_logs
            && present.field_selection_criteria.is_none()
            && present.emit_system_field_dimensions.is_empty()
    }

    /// What logs:DescribeMetricFilters answers when it is there.
    pub(crate) fn described(&self) -> Value {
        json!({
            "filterName": self.name, "filterPattern": self.pattern,
            "logGroupName": self.log_group,
            "metricTransformations": [{"metricNamespace": self.namespace,
                "metricName": self.metric, "metricValue": self.value}],
        })
    }

    pub(crate) async fn create(&self, place: &Place<'_>) -> Result<(), CallFailure> {
        let transformation = MetricTransformation::builder()
            .metric_namespace(&self.namespace)
            .metric_name(&self.metric)
            .metric_value(&self.value)
            .build()
            .map_err(|error| invalid(&error))?;
        let request = place.send(PUT, |clients| {
            let request = clients.logs().put_metric_filter();
            request
                .log_group_name(&self.log_group)
                .filter_name(&self.name)
                .filter_pattern(&self.pattern)
                .metric_transformations(transformation.clone())
                .send()
        });
        request.await.map(drop)
    }
}

pub(crate) async fn delete(
    place: &Place<'_>,
    log_group: &str,
    name: &str,
) -> Result<(), CallFailure> {
    let request = place.send(DELETE, |clients| {
        let request = clients.logs().delete_metric_filter();
        request.log_group_name(log_group).filter_name(name).send()
    });
    request.await.map(drop)
}

/// Which messages a pattern matches; `None` when the service does not say.
pub(crate) async fn matches(
    place: &Place<'_>,
    pattern: &str,
    messages: &[String],
) -> Option<Vec<bool>> {
    let request = place.send(TEST, |clients| {
        let request = clients.logs().test_metric_filter();
        request
            .filter_pattern(pattern)
            .set_log_event_messages(Some(messages.to_vec()))
            .send()
    });
    let answer = request.await.ok()?;
    let matched: Vec<usize> = answer
        .matches()
        .iter()
        .filter_map(|record| usize::try_from(record.event_number()).ok())
        .collect();
    // Event numbers count from 1 (CloudWatch Logs API, `MetricFilterMatchRecord`).
    let numbers = 1..=messages.len();
    Some(numbers.map(|number| matched.contains(&number)).collect())
}

/// The properties of a CloudFormation resource.
pub(crate) fn properties(
    log_group: &Value,
    name: &Value,
    pattern: &Value,
    metric: [Value; 2],
    value: &str,
) -> Value {
    let [namespace, metric] = metric;
    json!({
        "FilterName": name, "FilterPattern": pattern, "LogGroupName": log_group,
        "MetricTransformations": [{"MetricNamespace": namespace, "MetricName": metric,
            "MetricValue": value}],
    })
}

/// Its type in CloudFormation.
pub(crate) const CLOUDFORMATION: &str = "AWS::Logs::MetricFilter";

impl Resource for MetricFilter {
    fn cloudformation(&self, _: &dyn Fn(&str) -> Value) -> (&'static str, Value) {
        let properties = properties(
            &json!(self.log_group),
            &json!(self.name),
            &json!(self.pattern),
            [json!(self.namespace), json!(self.metric)],
            &self.value,
        );
        (CLOUDFORMATION, properties)
    }

    fn terraform(&self, _: &dyn Fn(&str) -> String) -> (&'static str, Block) {
        let block = Block::default()
            .text("name", &self.name)
            .text("log_group_name", &self.log_group)
            .text("pattern", &self.pattern)
            .block(
                Block::new("metric_transformation", &[])
                    .text("namespace", &self.namespace)
                    .text("name", &self.metric)
                    .text("value", &self.value),
            );
        ("aws_cloudwatch_log_metric_filter", block)
    }

    fn script(&self) -> (Vec<String>, Command) {
        let name = literal(&self.name);
        // Counts the filters of that name, and those that are the same in everything.
        let query = format!(
            "[length(metricFilters[?filterName=={name}]), length(metricFilters[?filterName=={name} && filterPattern=={} && metricTransformations[0].metricNamespace=={} && metricTransformations[0].metricName=={} && metricTransformations[0].metricValue=={}])]",
            literal(&self.pattern),
            literal(&self.namespace),
            literal(&self.metric),
            literal(&self.value),
        );
        let words = ["metric_filter", &self.log_group, &self.name, &query];
        (
            words.map(str::to_owned).into(),
            self.advised().command(None),
        )
    }
}

impl fmt::Display for MetricFilter {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "metric filter `{}` on `{}` -> metric {}/{}",
            self.name, self.log_group, self.namespace, self.metric
        )
    }
}
