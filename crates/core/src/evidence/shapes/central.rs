//! CloudWatch Observability Admin: rules that copy log groups of an organization to one account,
//! and rules that have telemetry of resources delivered, CloudTrail's events among it.

use serde::Deserialize;

use super::lenient::{list, null_is_default, text};
use crate::account::Region;

#[derive(Deserialize)]
pub(in crate::evidence) struct CentralizationRulesResponse {
    #[serde(
        rename = "CentralizationRuleSummaries",
        default,
        deserialize_with = "list"
    )]
    pub(in crate::evidence) rules: Vec<CentralizationRuleSummary>,
}

/// A centralization rule in a list.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "PascalCase", expecting = "a centralization rule")]
pub struct CentralizationRuleSummary {
    /// Its name. Untrusted text.
    #[serde(default, deserialize_with = "text")]
    pub rule_name: Option<String>,
    /// Its ARN.
    #[serde(default, deserialize_with = "text")]
    pub rule_arn: Option<String>,
    /// Where it was created, and can be read.
    #[serde(default)]
    pub created_region: Option<Region>,
    /// `Healthy`, `Unhealthy` or `Provisioning`.
    #[serde(default, deserialize_with = "text")]
    pub rule_health: Option<String>,
    /// The account that the log groups are copied to.
    #[serde(default, deserialize_with = "text")]
    pub destination_account_id: Option<String>,
    /// The region that they are copied to.
    #[serde(default, deserialize_with = "text")]
    pub destination_region: Option<String>,
}

/// All of a centralization rule.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "PascalCase", expecting = "a centralization rule")]
pub struct CentralizationRuleDetails {
    /// What it copies.
    #[serde(default, deserialize_with = "null_is_default")]
    pub centralization_rule: CentralizationRule,
}

/// What a centralization rule does.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(
    rename_all = "PascalCase",
    expecting = "what a centralization rule does"
)]
pub struct CentralizationRule {
    /// What is copied.
    #[serde(default, deserialize_with = "null_is_default")]
    pub source: CentralizationSource,
}

/// What a centralization rule copies.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(
    rename_all = "PascalCase",
    expecting = "the source of a centralization rule"
)]
pub struct CentralizationSource {
    /// From these regions; `None` where the answer does not say.
    #[serde(default)]
    pub regions: Option<Vec<String>>,
    /// A condition on accounts, organization or units; absent for the whole organization.
    #[serde(default, deserialize_with = "text")]
    pub scope: Option<String>,
    /// Which log groups.
    #[serde(default, deserialize_with = "null_is_default")]
    pub source_logs_configuration: SourceLogsConfiguration,
}

/// Which log groups a centralization rule copies.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(
    rename_all = "PascalCase",
    expecting = "the log groups of a centralization rule"
)]
pub struct SourceLogsConfiguration {
    /// A condition on log groups; absent for all of them.
    #[serde(default, deserialize_with = "text")]
    pub log_group_selection_criteria: Option<String>,
}

#[derive(Deserialize)]
pub(in crate::evidence) struct TelemetryRulesResponse {
    #[serde(rename = "TelemetryRuleSummaries", default, deserialize_with = "list")]
    pub(in crate::evidence) rules: Vec<TelemetryRuleSummary>,
}

/// A telemetry rule in a list.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "PascalCase", expecting = "a telemetry rule")]
pub struct TelemetryRuleSummary {
    /// Its name. Untrusted text.
    #[serde(default, deserialize_with = "text")]
    pub rule_name: Option<String>,
    /// Its ARN.
    #[serde(default, deserialize_with = "text")]
    pub rule_arn: Option<String>,
    /// The resources that it is for, such as `AWS::CloudTrail`.
    #[serde(default, deserialize_with = "text")]
    pub resource_type: Option<String>,
    /// `Logs`, `Metrics` or `Traces`.
    #[serde(default, deserialize_with = "text")]
    pub telemetry_type: Option<String>,
}

impl TelemetryRuleSummary {
    /// Whether it may have events of CloudTrail delivered.
    pub fn may_deliver_events(&self) -> bool {
        let may_be =
            |said: &Option<String>, wanted: &str| said.as_deref().is_none_or(|said| said == wanted);
        may_be(&self.resource_type, "AWS::CloudTrail") && may_be(&self.telemetry_type, "Logs")
    }
}

/// All of a telemetry rule.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "PascalCase", expecting = "a telemetry rule")]
pub struct TelemetryRuleDetails {
    /// What it has delivered.
    #[serde(default, deserialize_with = "null_is_default")]
    pub telemetry_rule: TelemetryRule,
}

/// What a telemetry rule has delivered.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "PascalCase", expecting = "what a telemetry rule does")]
pub struct TelemetryRule {
    /// A condition on accounts or units; absent for the whole organization.
    #[serde(default, deserialize_with = "text")]
    pub scope: Option<String>,
}
