//! EventBridge.

use serde::Deserialize;

use super::lenient::{list, text};

#[derive(Deserialize)]
pub(in crate::evidence) struct EventRulesResponse {
    #[serde(rename = "Rules", default, deserialize_with = "list")]
    pub(in crate::evidence) rules: Vec<EventRule>,
}

/// A rule of an event bus.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", expecting = "an EventBridge rule")]
pub struct EventRule {
    /// Its name. Untrusted text.
    pub name: String,
    /// Its ARN.
    #[serde(default, deserialize_with = "text")]
    pub arn: Option<String>,
    /// Which events it is for, as JSON text; absent where it goes by a schedule alone.
    #[serde(default, deserialize_with = "text")]
    pub event_pattern: Option<String>,
    /// `DISABLED`, or one of two ways of being enabled.
    #[serde(default, deserialize_with = "text")]
    pub state: Option<String>,
}
