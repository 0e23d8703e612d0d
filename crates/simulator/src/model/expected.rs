//! Verdicts that are known by construction.

use serde::{Deserialize, Serialize};
use trailproof_core::finding::{LinkName, Status};

/// The verdict of one account and control. What is `None` is not said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expected {
    /// The control.
    pub control: String,
    /// The verdict, by the worse of the two yardsticks.
    pub status: Status,
    /// The link that breaks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub broken_link: Option<LinkName>,
    /// The reason code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The verdict by the benchmark's letter.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cis: Option<Status>,
    /// Whether the message would arrive.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub effective: Option<Status>,
    /// Codes of observations that must be there.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub observations: Vec<String>,
    /// Codes of observations that must not be there.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub no_observations: Vec<String>,
}

impl Expected {
    /// The control that is meant where none is named.
    pub const DEFAULT_CONTROL: &'static str = "console-auth-failures";

    /// A verdict for the default control.
    pub fn new(status: Status) -> Self {
        Self {
            control: Self::DEFAULT_CONTROL.to_owned(),
            status,
            broken_link: None,
            reason: None,
            cis: None,
            effective: None,
            observations: Vec::new(),
            no_observations: Vec::new(),
        }
    }
}
