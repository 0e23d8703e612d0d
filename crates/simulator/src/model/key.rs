//! KMS keys.

use serde::{Deserialize, Serialize};

/// A symmetric key that encrypts and decrypts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Key {
    /// Its id.
    pub id: String,
    /// Its aliases, with the `alias/` before each.
    pub aliases: Vec<String>,
    /// `KeyState`.
    pub state: String,
    /// `KeyManager`: `CUSTOMER` or `AWS`.
    pub manager: String,
    /// The policy as JSON; empty for the one KMS gives a key that is made without any.
    pub policy: String,
}

impl Default for Key {
    fn default() -> Self {
        Self {
            id: String::new(),
            aliases: Vec::new(),
            state: "Enabled".to_owned(),
            manager: "CUSTOMER".to_owned(),
            policy: String::new(),
        }
    }
}
