//! Rules that mute the actions of alarms.

use serde::Deserialize;

use super::lenient::{list, text};

#[derive(Deserialize)]
pub(in crate::evidence) struct MuteRulesResponse {
    #[serde(rename = "AlarmMuteRuleSummaries", default, deserialize_with = "list")]
    pub(in crate::evidence) rules: Vec<MuteRule>,
}

/// A rule that mutes alarm actions. AWS's list does not tell which alarms a rule targets.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", expecting = "an alarm mute rule")]
pub struct MuteRule {
    /// Its ARN.
    #[serde(default, deserialize_with = "text")]
    pub alarm_mute_rule_arn: Option<String>,
    /// `SCHEDULED`, `ACTIVE` or `EXPIRED`.
    #[serde(default, deserialize_with = "text")]
    pub status: Option<String>,
    /// The alarms it mutes, where the evidence tells them.
    #[serde(default)]
    pub mute_targets: Option<MuteTargets>,
}

/// The alarms that a rule mutes.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(
    rename_all = "PascalCase",
    expecting = "the targets of an alarm mute rule"
)]
pub struct MuteTargets {
    /// Their names.
    #[serde(default, deserialize_with = "list")]
    pub alarm_names: Vec<String>,
}

/// `cloudwatch:GetAlarmMuteRule`, as far as it is read: what the list does not tell.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", expecting = "an alarm mute rule")]
pub struct MuteRuleDetails {
    /// The alarms it mutes.
    #[serde(default)]
    pub mute_targets: Option<MuteTargets>,
    /// When it does.
    #[serde(default)]
    pub rule: Option<MuteTimes>,
}

/// When a rule mutes.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(
    rename_all = "PascalCase",
    expecting = "the times of an alarm mute rule"
)]
pub struct MuteTimes {
    /// Its schedule.
    #[serde(default)]
    pub schedule: Option<MuteSchedule>,
}

/// The schedule of a rule that mutes.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(
    rename_all = "PascalCase",
    expecting = "the schedule of an alarm mute rule"
)]
pub struct MuteSchedule {
    /// When an occurrence begins: `cron(...)` or `at(...)`.
    #[serde(default, deserialize_with = "text")]
    pub expression: Option<String>,
    /// How long it lasts, as ISO 8601 writes durations.
    #[serde(default, deserialize_with = "text")]
    pub duration: Option<String>,
    /// The time zone of the expression.
    #[serde(default, deserialize_with = "text")]
    pub timezone: Option<String>,
}
