//! KMS.

use serde::Deserialize;

use super::lenient::{null_is_default, text};

#[derive(Deserialize)]
pub(in crate::evidence) struct KeyResponse {
    #[serde(rename = "KeyMetadata", default, deserialize_with = "null_is_default")]
    pub(in crate::evidence) metadata: KeyMetadata,
}

/// `kms:DescribeKey`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "PascalCase", expecting = "what KMS tells of a key")]
pub struct KeyMetadata {
    /// The key's id, also where it was asked for by an alias.
    #[serde(default, deserialize_with = "text")]
    pub key_id: Option<String>,
    /// `Enabled` for a key that can be used.
    #[serde(default, deserialize_with = "text")]
    pub key_state: Option<String>,
    /// `AWS` or `CUSTOMER`.
    #[serde(default, deserialize_with = "text")]
    pub key_manager: Option<String>,
}

/// `kms:GetKeyPolicy`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "PascalCase", expecting = "the policy of a key")]
pub struct KeyPolicy {
    /// The policy, as JSON text.
    #[serde(default, deserialize_with = "text")]
    pub policy: Option<String>,
}
