//! Log groups and their metric filters.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// A log group.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LogGroup {
    /// Its name.
    pub name: String,
    /// Its class.
    pub class: LogGroupClass,
    /// Its metric filters, in the order they were made.
    pub filters: Vec<MetricFilter>,
}

/// What a log group can do. It never changes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum LogGroupClass {
    /// Everything, metric filters included.
    #[default]
    Standard,
    /// Cheap, without metric filters.
    InfrequentAccess,
    /// A way station for Amazon's own services.
    Delivery,
}

impl LogGroupClass {
    /// The word of the AWS API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Standard => "STANDARD",
            Self::InfrequentAccess => "INFREQUENT_ACCESS",
            Self::Delivery => "DELIVERY",
        }
    }

    /// The class by the word of the AWS API.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Standard, Self::InfrequentAccess, Self::Delivery]
            .into_iter()
            .find(|class| class.as_str() == name)
    }
}

/// A metric filter with its one transformation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MetricFilter {
    /// Its name.
    pub name: String,
    /// The filter pattern.
    pub pattern: String,
    /// The metric it writes.
    pub metric_name: String,
    /// The metric's namespace.
    pub namespace: String,
    /// What it writes for each match: a number or a selector.
    pub value: String,
    /// What it writes when logs arrived but nothing matched.
    pub default_value: Option<f64>,
    /// Dimensions of the metric: name to selector.
    pub dimensions: BTreeMap<String, String>,
    /// The metric's unit; empty when not given.
    pub unit: String,
    /// Whether the pattern sees what a transformer made of the event.
    pub apply_on_transformed_logs: bool,
    /// Which accounts and regions it looks at; empty for all.
    pub field_selection_criteria: String,
    /// System fields that become dimensions.
    pub emit_system_field_dimensions: Vec<FieldDimensions>,
    /// When a call made it, in milliseconds since 1970; those that were there from the start tell an
    /// old time.
    #[serde(skip_serializing)]
    pub created_at: Option<i64>,
}

/// A system field that a metric filter emits as a dimension.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum FieldDimensions {
    /// The account of the event.
    #[serde(rename = "@aws.account")]
    Account,
    /// The region of the event.
    #[serde(rename = "@aws.region")]
    Region,
}

impl FieldDimensions {
    /// The word of the AWS API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Account => "@aws.account",
            Self::Region => "@aws.region",
        }
    }

    /// The field by the word of the AWS API.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Account, Self::Region]
            .into_iter()
            .find(|field| field.as_str() == name)
    }
}

impl Default for MetricFilter {
    fn default() -> Self {
        Self {
            name: String::new(),
            pattern: String::new(),
            metric_name: String::new(),
            namespace: String::new(),
            value: "1".to_owned(),
            default_value: None,
            dimensions: BTreeMap::new(),
            unit: String::new(),
            apply_on_transformed_logs: false,
            field_selection_criteria: String::new(),
            emit_system_field_dimensions: Vec::new(),
            created_at: None,
        }
    }
}
