//! CloudWatch alarms, metric and composite, and the rules that mute them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// An alarm. With a `rule` it is a composite alarm, with a `query` a log alarm; with `metrics` it watches an expression; else
/// it watches one metric. Empty texts and `None` are members that are not set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Alarm {
    /// Its name.
    pub name: String,
    /// A description for people.
    pub description: String,
    /// `AlarmRule` of a composite alarm.
    pub rule: String,
    /// `QueryString` of a log alarm.
    pub query: String,
    /// `LogGroupIdentifiers` of a log alarm.
    pub log_groups: Vec<String>,
    /// `MetricName`.
    pub metric_name: String,
    /// `Namespace`.
    pub namespace: String,
    /// `Dimensions`: name to value.
    pub dimensions: BTreeMap<String, String>,
    /// `Statistic`.
    pub statistic: String,
    /// `ExtendedStatistic`, such as `p99`.
    pub extended_statistic: String,
    /// `Period`, in seconds.
    pub period: Option<i64>,
    /// `EvaluationPeriods`.
    pub evaluation_periods: Option<i64>,
    /// `DatapointsToAlarm`.
    pub datapoints_to_alarm: Option<i64>,
    /// `Threshold`.
    pub threshold: Option<f64>,
    /// `ThresholdMetricId` of an anomaly detection alarm.
    pub threshold_metric_id: String,
    /// `ComparisonOperator`.
    pub comparison_operator: String,
    /// `TreatMissingData`.
    pub treat_missing_data: String,
    /// `EvaluateLowSampleCountPercentile`.
    pub evaluate_low_sample_count_percentile: String,
    /// `Unit`.
    pub unit: String,
    /// `Metrics` of an alarm on an expression.
    pub metrics: Vec<MetricQuery>,
    /// `ActionsEnabled`.
    pub actions_enabled: bool,
    /// `AlarmActions`: ARNs, or the name of a topic of the same account and region.
    pub alarm_actions: Vec<String>,
    /// `OKActions`, in the same way.
    pub ok_actions: Vec<String>,
    /// `InsufficientDataActions`, in the same way.
    pub insufficient_data_actions: Vec<String>,
    /// `StateValue`.
    pub state: String,
    /// For how many minutes it has been in its state; for years where nobody says.
    pub state_minutes: Option<i64>,
    /// How many minutes ago it was configured; years ago where nobody says.
    pub configured_minutes: Option<i64>,
    /// `EvaluationState`.
    pub evaluation_state: String,
    /// `WarmUpPeriodDurationInMinutes`.
    pub warm_up_minutes: Option<i64>,
    /// `OnlyStartEvaluatingAfterWarmUpPeriodEnds`.
    pub evaluated_after_warm_up: bool,
    /// The time zone of a wall-clock window; empty for a sliding one.
    pub wall_clock: String,
    /// What suppresses the actions of a composite alarm.
    pub suppressor: Option<Suppressor>,
    /// Tags.
    pub tags: BTreeMap<String, String>,
}

impl Alarm {
    /// Whether it is a log alarm.
    pub fn is_on_logs(&self) -> bool {
        !self.query.is_empty()
    }

    /// Whether it is a composite alarm.
    pub fn is_composite(&self) -> bool {
        !self.rule.is_empty()
    }
}

impl Default for Alarm {
    fn default() -> Self {
        Self {
            name: String::new(),
            description: String::new(),
            rule: String::new(),
            query: String::new(),
            log_groups: Vec::new(),
            metric_name: String::new(),
            namespace: String::new(),
            dimensions: BTreeMap::new(),
            statistic: String::new(),
            extended_statistic: String::new(),
            period: None,
            evaluation_periods: None,
            datapoints_to_alarm: None,
            threshold: None,
            threshold_metric_id: String::new(),
            comparison_operator: String::new(),
            treat_missing_data: String::new(),
            evaluate_low_sample_count_percentile: String::new(),
            unit: String::new(),
            metrics: Vec::new(),
            actions_enabled: true,
            alarm_actions: Vec::new(),
            ok_actions: Vec::new(),
            insufficient_data_actions: Vec::new(),
            state: "INSUFFICIENT_DATA".to_owned(),
            state_minutes: None,
            configured_minutes: None,
            evaluation_state: String::new(),
            warm_up_minutes: None,
            evaluated_after_warm_up: false,
            wall_clock: String::new(),
            suppressor: None,
            tags: BTreeMap::new(),
        }
    }
}

/// One entry of `Metrics`: a metric or an expression over the others.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MetricQuery {
    /// `Id`.
    pub id: String,
    /// `Expression`; empty when the entry is a metric.
    pub expression: String,
    /// `MetricStat`; absent when the entry is an expression.
    pub metric: Option<MetricStatistic>,
    /// `Label`.
    pub label: String,
    /// `ReturnData`; AWS takes it for true when absent.
    pub return_data: Option<bool>,
    /// `Period` of an expression, in seconds.
    pub period: Option<i64>,
    /// `AccountId`: the account that contains the metric.
    pub account_id: String,
}

/// A metric and how its data points are made.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MetricStatistic {
    /// `Namespace`.
    pub namespace: String,
    /// `MetricName`.
    pub metric_name: String,
    /// `Dimensions`: name to value.
    pub dimensions: BTreeMap<String, String>,
    /// `Period`, in seconds.
    pub period: i64,
    /// `Stat`.
    pub statistic: String,
    /// `Unit`.
    pub unit: String,
}

/// The alarm that suppresses a composite alarm's actions.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Suppressor {
    /// Its name or ARN.
    pub alarm: String,
    /// `ActionsSuppressorWaitPeriod`, in seconds.
    pub wait_period: i64,
    /// `ActionsSuppressorExtensionPeriod`, in seconds.
    pub extension_period: i64,
    /// Whether actions are suppressed now: `Alarm`, `WaitPeriod` or `ExtensionPeriod`, else empty.
    pub suppressed_by: String,
}

/// A rule that mutes the actions of alarms for a time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MuteRule {
    /// Its name.
    pub name: String,
    /// The names of the muted alarms.
    pub alarms: Vec<String>,
    /// `ACTIVE`, `SCHEDULED` or `EXPIRED`.
    pub status: String,
    /// `ONE_TIME` or `RECURRING`.
    pub mute_type: String,
    /// The schedule: a cron or `at` expression.
    pub expression: String,
    /// How long an occurrence lasts, ISO 8601.
    pub duration: String,
}

impl Default for MuteRule {
    fn default() -> Self {
        Self {
            name: String::new(),
            alarms: Vec::new(),
            status: "ACTIVE".to_owned(),
            mute_type: "RECURRING".to_owned(),
            expression: "cron(0 2 * * *)".to_owned(),
            duration: "PT4H".to_owned(),
        }
    }
}
