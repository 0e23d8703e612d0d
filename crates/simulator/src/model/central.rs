//! Rules that copy log groups of an organization or have telemetry delivered, and rules of
//! EventBridge.

use serde::{Deserialize, Serialize};
use trailproof_core::account::{AccountId, Region};

/// A rule of the organization that copies log groups to one account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CentralizationRule {
    /// Its name.
    pub name: String,
    /// `Healthy`, `Unhealthy` or `Provisioning`.
    pub health: String,
    /// From these regions.
    pub source_regions: Vec<Region>,
    /// A condition on accounts; empty for the whole organization.
    pub scope: String,
    /// A condition on log groups; empty for all of them.
    pub log_groups: String,
    /// The account that they are copied to.
    pub destination_account: Option<AccountId>,
    /// The region that they are copied to.
    pub destination_region: Option<Region>,
}

impl Default for CentralizationRule {
    fn default() -> Self {
        Self {
            name: "central-logs".to_owned(),
            health: "Healthy".to_owned(),
            source_regions: Vec::new(),
            scope: String::new(),
            log_groups: "*".to_owned(),
            destination_account: None,
            destination_region: None,
        }
    }
}

/// A rule that has telemetry of resources delivered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TelemetryRule {
    /// Its name.
    pub name: String,
    /// `ResourceType`.
    pub resource_type: String,
    /// `TelemetryType`.
    pub telemetry_type: String,
    /// Whether it is one of the organization rather than of the account.
    pub organization: bool,
    /// A condition on accounts; empty for all of them.
    pub scope: String,
}

impl Default for TelemetryRule {
    fn default() -> Self {
        Self {
            name: "cloudtrail".to_owned(),
            resource_type: "AWS::CloudTrail".to_owned(),
            telemetry_type: "Logs".to_owned(),
            organization: false,
            scope: String::new(),
        }
    }
}

/// A rule of the default event bus.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct EventRule {
    /// Its name.
    pub name: String,
    /// Which events it is for, as JSON; empty where it goes by a schedule.
    pub pattern: String,
    /// `ENABLED` or `DISABLED`.
    pub state: String,
}

impl Default for EventRule {
    fn default() -> Self {
        Self {
            name: "rule".to_owned(),
            pattern: String::new(),
            state: "ENABLED".to_owned(),
        }
    }
}
