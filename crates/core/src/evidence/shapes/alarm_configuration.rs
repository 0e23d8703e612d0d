//! What somebody configured a CloudWatch alarm to do: the same in every account where a template is
//! deployed.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::lenient::{list, text};
use super::texts::Texts;
use crate::account::AccountId;

/// What a metric alarm evaluates, and how.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(rename_all = "PascalCase", expecting = "a metric alarm")]
pub struct AlarmConfiguration {
    /// Whether state changes run actions; absent is true.
    #[serde(default)]
    pub actions_enabled: Option<bool>,
    /// Which periods are evaluated; absent is the latest ones at any moment.
    #[serde(default)]
    pub evaluation_window: Option<EvaluationWindow>,
    /// How long it waits after it was created or changed.
    #[serde(default)]
    pub warm_up_configuration: Option<WarmUpConfiguration>,
    /// What it evaluates instead of a metric, such as a `PromQL` query.
    #[serde(default)]
    pub evaluation_criteria: Option<Box<Value>>,
    /// The metric; absent for metric math.
    #[serde(default, deserialize_with = "text")]
    pub metric_name: Option<Arc<str>>,
    /// The metric's namespace; absent for metric math.
    #[serde(default, deserialize_with = "text")]
    pub namespace: Option<Arc<str>>,
    /// `SampleCount`, `Average`, `Sum`, `Minimum` or `Maximum`.
    #[serde(default, deserialize_with = "text")]
    pub statistic: Option<Arc<str>>,
    /// Such as `p99`.
    #[serde(default, deserialize_with = "text")]
    pub extended_statistic: Option<Arc<str>>,
    /// The dimensions of the metric, all of them.
    #[serde(default, deserialize_with = "list")]
    pub dimensions: Vec<Dimension>,
    /// Seconds that make one data point.
    #[serde(default)]
    pub period: Option<u64>,
    /// The unit that data points have to have.
    #[serde(default, deserialize_with = "text")]
    pub unit: Option<Arc<str>>,
    /// How many of the latest periods count.
    #[serde(default)]
    pub evaluation_periods: Option<u64>,
    /// How many of them have to breach; absent means all.
    #[serde(default)]
    pub datapoints_to_alarm: Option<u64>,
    /// What data points are compared with.
    #[serde(default)]
    pub threshold: Option<f64>,
    /// How data points are compared.
    #[serde(default, deserialize_with = "text")]
    pub comparison_operator: Option<Arc<str>>,
    /// `breaching`, `notBreaching`, `ignore` or `missing`; absent is `missing`.
    #[serde(default, deserialize_with = "text")]
    pub treat_missing_data: Option<Arc<str>>,
    /// `ignore` where percentiles of few samples do not count.
    #[serde(default, deserialize_with = "text")]
    pub evaluate_low_sample_count_percentile: Option<Arc<str>>,
    /// The queries of metric math; empty for a plain alarm.
    #[serde(default, deserialize_with = "list")]
    pub metrics: Vec<MetricDataQuery>,
    /// The anomaly detection band, where the alarm has one instead of a threshold.
    #[serde(default, deserialize_with = "text")]
    pub threshold_metric_id: Option<Arc<str>>,
}

// Thresholds are numbers of JSON, which knows none that does not equal itself.
impl Eq for AlarmConfiguration {}

impl Hash for AlarmConfiguration {
    /// By what usually tells the alarms of a region apart.
    fn hash<H: Hasher>(&self, state: &mut H) {
        (&self.namespace, &self.metric_name, &self.statistic).hash(state);
        (&self.dimensions, self.period, &self.metrics).hash(state);
        // Both zeros are equal.
        self.threshold
            .map(|threshold| (threshold + 0.0).to_bits())
            .hash(state);
        self.promql().hash(state);
    }
}

impl Texts for AlarmConfiguration {
    fn texts(&mut self) -> impl Iterator<Item = &mut Arc<str>> {
        let words = [
            &mut self.metric_name,
            &mut self.namespace,
            &mut self.statistic,
            &mut self.comparison_operator,
            &mut self.treat_missing_data,
        ];
        words.into_iter().flatten()
    }
}

impl AlarmConfiguration {
    /// The accounts that its metrics are of, as far as it names them: without a name they are of
    /// its own.
    pub fn other_accounts(&self) -> impl Iterator<Item = AccountId> {
        let named = self
            .metrics
            .iter()
            .filter_map(|query| query.account_id.as_deref());
        named.filter_map(|account| account.parse().ok())
    }

    /// The `PromQL` query that the alarm watches instead of a metric.
    pub fn promql(&self) -> Option<&str> {
        self.evaluation_criteria
            .as_ref()?
            .pointer("/PromQLCriteria/Query")?
            .as_str()
    }
}

/// Which periods an alarm evaluates (CloudWatch API Reference, `EvaluationWindow`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EvaluationWindow {
    /// The latest periods at any moment.
    Sliding,
    /// Periods that begin and end by the clock, each once it has ended.
    WallClock,
    /// A kind that was not known when this was written.
    Other,
}

impl<'de> Deserialize<'de> for EvaluationWindow {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let window = Value::deserialize(deserializer)?;
        let has = |member| window.get(member).is_some_and(|value| !value.is_null());
        Ok(if has("WallClockWindow") {
            Self::WallClock
        } else if has("SlidingWindow") {
            Self::Sliding
        } else {
            Self::Other
        })
    }
}

/// How long an alarm stays in `INSUFFICIENT_DATA`, without actions, after it was created or
/// changed (CloudWatch API Reference, `WarmUpConfiguration`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "PascalCase", expecting = "a warm-up configuration")]
pub struct WarmUpConfiguration {
    /// Minutes.
    #[serde(default)]
    pub warm_up_period_duration_in_minutes: Option<u32>,
    /// Whether evaluation waits for the end; else it begins as soon as the window is full of data.
    #[serde(default)]
    pub only_start_evaluating_after_warm_up_period_ends: Option<bool>,
}

/// A dimension of a metric.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "PascalCase", expecting = "a dimension")]
pub struct Dimension {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: String,
}

/// One query of metric math: a metric or an expression over others.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Deserialize)]
#[serde(rename_all = "PascalCase", expecting = "a metric data query")]
pub struct MetricDataQuery {
    /// What expressions call it.
    pub id: String,
    /// The metric.
    #[serde(default)]
    pub metric_stat: Option<MetricStat>,
    /// The expression.
    #[serde(default, deserialize_with = "text")]
    pub expression: Option<String>,
    /// Whether the alarm watches this one; absent is true.
    #[serde(default)]
    pub return_data: Option<bool>,
    /// Seconds that make one data point of an expression.
    #[serde(default)]
    pub period: Option<u64>,
    /// The account that has the metric; absent is the alarm's own.
    #[serde(default, deserialize_with = "text")]
    pub account_id: Option<String>,
}

/// A metric and how it is condensed.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Deserialize)]
#[serde(rename_all = "PascalCase", expecting = "a metric statistic")]
pub struct MetricStat {
    /// The metric.
    pub metric: Metric,
    /// Seconds that make one data point.
    #[serde(default)]
    pub period: Option<u64>,
    /// The statistic.
    #[serde(default, deserialize_with = "text")]
    pub stat: Option<String>,
    /// The unit that data points have to have.
    #[serde(default, deserialize_with = "text")]
    pub unit: Option<String>,
}

/// The identity of a metric.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Deserialize)]
#[serde(rename_all = "PascalCase", expecting = "a metric")]
pub struct Metric {
    /// Its namespace.
    #[serde(default, deserialize_with = "text")]
    pub namespace: Option<String>,
    /// Its name.
    #[serde(default, deserialize_with = "text")]
    pub metric_name: Option<String>,
    /// Its dimensions, all of them.
    #[serde(default, deserialize_with = "list")]
    pub dimensions: Vec<Dimension>,
}
