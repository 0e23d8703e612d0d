//! CloudWatch Logs.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Deserializer};

use super::lenient::{list, null_is_default, text};
use super::texts::Texts;

#[derive(Deserialize)]
pub(in crate::evidence) struct LogGroupsResponse {
    #[serde(rename = "logGroups", default, deserialize_with = "list")]
    pub(in crate::evidence) log_groups: Vec<LogGroup>,
}

/// What a filter pattern matched; what it took out of the messages is not read.
#[derive(Deserialize)]
pub(in crate::evidence) struct TestMetricFilterResponse {
    #[serde(default, deserialize_with = "list")]
    pub(in crate::evidence) matches: Vec<serde::de::IgnoredAny>,
}

/// A log group.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", expecting = "a log group")]
pub struct LogGroup {
    /// Its name.
    pub log_group_name: Arc<str>,
    /// `STANDARD`, `INFREQUENT_ACCESS` or `DELIVERY`; absent where the class is the standard one.
    #[serde(default, deserialize_with = "text")]
    pub log_group_class: Option<Arc<str>>,
    /// Its ARN, which ends with `:*`; not kept in evidence.
    #[serde(default, deserialize_with = "text")]
    pub(in crate::evidence) arn: Option<String>,
}

impl Texts for LogGroup {
    fn texts(&mut self) -> impl Iterator<Item = &mut Arc<str>> {
        std::iter::once(&mut self.log_group_name).chain(&mut self.log_group_class)
    }
}

#[derive(Deserialize)]
pub(in crate::evidence) struct MetricFiltersResponse {
    #[serde(rename = "metricFilters", default, deserialize_with = "list")]
    pub(in crate::evidence) filters: Vec<MetricFilter>,
}

/// A metric filter.
#[derive(Debug, Clone, PartialEq)]
pub struct MetricFilter {
    /// Its name.
    pub filter_name: Arc<str>,
    /// Which events it counts; the empty pattern counts every one.
    pub filter_pattern: Arc<str>,
    /// The log group it is on; absent means the one that was asked for.
    pub log_group_name: Option<Arc<str>>,
    /// Which metric it writes; always one.
    pub metric_transformations: Vec<MetricTransformation>,
    /// Whether the pattern sees events after the log group's transformer changed them.
    pub apply_on_transformed_logs: bool,
    /// A condition on the account and region that events come from.
    pub field_selection_criteria: Option<String>,
    /// System fields that become dimensions of the metric, such as `@aws.account`.
    pub emit_system_field_dimensions: Vec<String>,
    /// The member that AWS always sends and that was not there: then what the filter does is not
    /// known.
    pub lacks: Option<&'static str>,
}

/// A metric filter as it is listed.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", expecting = "a metric filter")]
struct ListedFilter {
    filter_name: Arc<str>,
    #[serde(default)]
    filter_pattern: Option<Arc<str>>,
    #[serde(default, deserialize_with = "text")]
    log_group_name: Option<Arc<str>>,
    #[serde(default)]
    metric_transformations: Option<Vec<MetricTransformation>>,
    #[serde(default, deserialize_with = "null_is_default")]
    apply_on_transformed_logs: bool,
    #[serde(default, deserialize_with = "text")]
    field_selection_criteria: Option<String>,
    #[serde(default, deserialize_with = "null_is_default")]
    emit_system_field_dimensions: Vec<String>,
}

impl Texts for MetricFilter {
    fn texts(&mut self) -> impl Iterator<Item = &mut Arc<str>> {
        let written = self.metric_transformations.iter_mut();
        let written = written.flat_map(|one| {
            [
                &mut one.metric_name,
                &mut one.metric_namespace,
                &mut one.metric_value,
            ]
        });
        [&mut self.filter_name, &mut self.filter_pattern]
            .into_iter()
            .chain(&mut self.log_group_name)
            .chain(written)
    }
}

impl<'de> Deserialize<'de> for MetricFilter {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        ListedFilter::deserialize(deserializer).map(Self::from)
    }
}

impl From<ListedFilter> for MetricFilter {
    fn from(listed: ListedFilter) -> Self {
        let written = listed.metric_transformations.iter().flatten();
        let lacks = if listed.filter_pattern.is_none() {
            Some("filterPattern")
        } else if listed.metric_transformations.is_none() {
            Some("metricTransformations")
        } else if written
            .map(|one| &one.metric_value)
            .any(|value| value.is_empty())
        {
            Some("metricValue")
        } else {
            None
        };
        Self {
            filter_name: listed.filter_name,
            filter_pattern: listed.filter_pattern.unwrap_or_default(),
            log_group_name: listed.log_group_name,
            metric_transformations: listed.metric_transformations.unwrap_or_default(),
            apply_on_transformed_logs: listed.apply_on_transformed_logs,
            field_selection_criteria: listed.field_selection_criteria,
            emit_system_field_dimensions: listed.emit_system_field_dimensions,
            lacks,
        }
    }
}

/// What a metric filter writes.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", expecting = "a metric transformation")]
pub struct MetricTransformation {
    /// The metric's name.
    pub metric_name: Arc<str>,
    /// The metric's namespace.
    pub metric_namespace: Arc<str>,
    /// A number, or a selector of one.
    #[serde(default, deserialize_with = "null_is_default")]
    pub metric_value: Arc<str>,
    /// What is written where logs arrive and none matches: for each minute or for each event.
    #[serde(default)]
    pub default_value: Option<f64>,
    /// Dimensions by name; the values are selectors.
    #[serde(default, deserialize_with = "null_is_default")]
    pub dimensions: BTreeMap<String, String>,
    /// The metric's unit; absent is `None`.
    #[serde(default, deserialize_with = "text")]
    pub unit: Option<String>,
}
