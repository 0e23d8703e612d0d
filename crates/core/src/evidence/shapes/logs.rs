//! CloudWatch Logs.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::lenient::{null_is_default, text};

#[derive(Deserialize)]
pub(in crate::evidence) struct LogGroupsResponse {
    #[serde(rename = "logGroups", default, deserialize_with = "null_is_default")]
    pub(in crate::evidence) log_groups: Vec<LogGroup>,
}

/// A log group.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", expecting = "a log group")]
pub struct LogGroup {
    /// Its name.
    pub log_group_name: String,
    /// `STANDARD`, `INFREQUENT_ACCESS` or `DELIVERY`; absent where the class is the standard one.
    #[serde(default, deserialize_with = "text")]
    pub log_group_class: Option<String>,
    /// Its ARN, which ends with `:*`.
    #[serde(default, deserialize_with = "text")]
    pub arn: Option<String>,
}

#[derive(Deserialize)]
pub(in crate::evidence) struct MetricFiltersResponse {
    #[serde(
        rename = "metricFilters",
        default,
        deserialize_with = "null_is_default"
    )]
    pub(in crate::evidence) filters: Vec<MetricFilter>,
}

/// A metric filter.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", expecting = "a metric filter")]
pub struct MetricFilter {
    /// Its name.
    pub filter_name: String,
    /// Which events it counts; the empty pattern counts every one.
    #[serde(default, deserialize_with = "null_is_default")]
    pub filter_pattern: String,
    /// The log group it is on; absent means the one that was asked for.
    #[serde(default, deserialize_with = "text")]
    pub log_group_name: Option<String>,
    /// Which metric it writes; always one.
    #[serde(default, deserialize_with = "null_is_default")]
    pub metric_transformations: Vec<MetricTransformation>,
    /// Whether the pattern sees events after the log group's transformer changed them.
    #[serde(default, deserialize_with = "null_is_default")]
    pub apply_on_transformed_logs: bool,
    /// A condition on the account and region that events come from.
    #[serde(default, deserialize_with = "text")]
    pub field_selection_criteria: Option<String>,
    /// System fields that become dimensions of the metric, such as `@aws.account`.
    #[serde(default, deserialize_with = "null_is_default")]
    pub emit_system_field_dimensions: Vec<String>,
}

/// What a metric filter writes.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", expecting = "a metric transformation")]
pub struct MetricTransformation {
    /// The metric's name.
    pub metric_name: String,
    /// The metric's namespace.
    pub metric_namespace: String,
    /// A number, or a selector of one.
    #[serde(default, deserialize_with = "null_is_default")]
    pub metric_value: String,
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
