//! Security Hub of an account in a region.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Security Hub, enabled.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SecurityHub {
    /// The findings, as they were imported, by product and id.
    pub findings: BTreeMap<String, Value>,
}

impl SecurityHub {
    /// How a finding is known: ids are a product's own.
    pub fn key(product: &str, id: &str) -> String {
        format!("{product} {id}")
    }
}
