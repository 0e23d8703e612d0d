//! Organizations, Security Token Service and Account Management.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::Value;

use super::lenient::{list, text};
use super::texts::Texts;
use crate::account::{AccountId, Region};

#[derive(Deserialize)]
pub(in crate::evidence) struct OrganizationResponse {
    #[serde(rename = "Organization")]
    pub(in crate::evidence) organization: Organization,
}

/// `organizations:DescribeOrganization`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", expecting = "an organization")]
pub struct Organization {
    /// Such as `o-exampleorgid`.
    #[serde(default)]
    pub id: Option<String>,
    /// The management account. AWS kept the former name of the member.
    #[serde(rename = "MasterAccountId", alias = "ManagementAccountId")]
    pub management_account: AccountId,
}

#[derive(Deserialize)]
pub(in crate::evidence) struct TagsResponse {
    #[serde(rename = "Tags", default, deserialize_with = "list")]
    pub(in crate::evidence) tags: Vec<Tag>,
}

/// A tag of an account.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", expecting = "a tag")]
pub(in crate::evidence) struct Tag {
    pub(in crate::evidence) key: String,
    pub(in crate::evidence) value: String,
}

/// An account as the organization lists it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", expecting = "an account")]
pub struct OrganizationAccount {
    /// Its number.
    pub id: AccountId,
    /// Its name. Untrusted text.
    #[serde(default, deserialize_with = "text")]
    pub name: Option<String>,
    /// The e-mail address of its root user, or a pseudonym. No verdict needs it. Untrusted text.
    #[serde(default, deserialize_with = "text")]
    pub email: Option<String>,
    /// `ACTIVE`, `SUSPENDED` or `PENDING_CLOSURE`; AWS retires it in favor of `State`.
    #[serde(default, deserialize_with = "text")]
    pub status: Option<Arc<str>>,
    /// `PENDING_ACTIVATION`, `ACTIVE`, `SUSPENDED`, `PENDING_CLOSURE` or `CLOSED`.
    #[serde(default, deserialize_with = "text")]
    pub state: Option<Arc<str>>,
    /// The account's places in the organization, such as `o-a/r-b/ou-c/`.
    #[serde(default, deserialize_with = "list")]
    pub paths: Vec<String>,
}

impl Texts for OrganizationAccount {
    fn texts(&mut self) -> impl Iterator<Item = &mut Arc<str>> {
        [&mut self.status, &mut self.state].into_iter().flatten()
    }
}

impl OrganizationAccount {
    /// The accounts on one page of `ListAccounts` or `ListAccountsForParent`, each as far as it can
    /// be read, else why it cannot.
    pub fn on_page(page: &Value) -> impl Iterator<Item = Result<Self, String>> {
        let listed = page.get("Accounts").and_then(Value::as_array);
        let listed = listed.into_iter().flatten();
        listed.map(|account| Self::deserialize(account).map_err(|error| error.to_string()))
    }

    /// The state, or the status where AWS did not tell the state.
    pub fn effective_state(&self) -> Option<&str> {
        self.state.as_deref().or(self.status.as_deref())
    }

    /// Whether nobody can use the account: no longer, or not yet (AWS Organizations User Guide,
    /// "Account states").
    pub fn is_unusable(&self) -> bool {
        matches!(
            self.effective_state(),
            Some("PENDING_ACTIVATION" | "SUSPENDED" | "PENDING_CLOSURE" | "CLOSED")
        )
    }

    /// The account's place in the organization, without the account itself.
    pub fn ou_path(&self) -> Option<String> {
        let path = self.paths.first()?.trim_matches('/');
        let id = self.id.to_string();
        let path = path.strip_suffix(&id).unwrap_or(path);
        Some(path.trim_matches('/').to_owned()).filter(|path| !path.is_empty())
    }

    /// The ids of the root and units on the account's path that have another unit of the path right
    /// below them: what they list names every unit of the path, with the fewest questions for all
    /// accounts together.
    pub fn unit_parents(&self) -> impl Iterator<Item = &str> {
        let path = self.paths.first().map(String::as_str).unwrap_or_default();
        let parts = path.split('/');
        let pairs = parts.clone().zip(parts.skip(1));
        pairs.filter_map(|(above, below)| {
            let holds_units = above.starts_with("r-") || above.starts_with("ou-");
            (holds_units && below.starts_with("ou-")).then_some(above)
        })
    }
}

#[derive(Deserialize)]
pub(in crate::evidence) struct UnitsResponse {
    /// Each as it came: one that cannot be read does not hide the others.
    #[serde(rename = "OrganizationalUnits", default)]
    pub(in crate::evidence) units: Value,
}

/// An organizational unit as a list or a description names it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", expecting = "an organizational unit")]
pub struct OrganizationalUnit {
    /// Such as `ou-ab12-11111111`.
    pub id: String,
    /// Its name. Untrusted text.
    #[serde(default, deserialize_with = "text")]
    pub name: Option<String>,
}

impl OrganizationalUnit {
    /// The units of a list that can be read.
    pub(in crate::evidence) fn listed(list: &Value) -> impl Iterator<Item = Self> {
        let units = list.as_array().into_iter().flatten();
        units.filter_map(|unit| Self::deserialize(unit).ok())
    }
}

#[derive(Deserialize)]
pub(in crate::evidence) struct AdministratorsResponse {
    #[serde(rename = "DelegatedAdministrators", default, deserialize_with = "list")]
    pub(in crate::evidence) administrators: Vec<DelegatedAdministrator>,
}

/// An account that may act for the organization in a service.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", expecting = "a delegated administrator")]
pub struct DelegatedAdministrator {
    /// Its number.
    pub id: AccountId,
}

/// `sts:GetCallerIdentity`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", expecting = "an identity")]
pub struct CallerIdentity {
    /// The account of the credentials.
    pub account: AccountId,
    /// The principal.
    #[serde(default, deserialize_with = "text")]
    pub arn: Option<String>,
}

#[derive(Deserialize)]
pub(in crate::evidence) struct RegionsResponse {
    #[serde(rename = "Regions", default, deserialize_with = "list")]
    pub(in crate::evidence) regions: Vec<RegionOption>,
}

/// A region and whether an account has it enabled.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "PascalCase", expecting = "a region")]
pub struct RegionOption {
    /// Its name.
    pub region_name: Region,
    /// `ENABLED`, `ENABLING`, `DISABLING`, `DISABLED` or `ENABLED_BY_DEFAULT`.
    #[serde(default, deserialize_with = "text")]
    pub region_opt_status: Option<String>,
}

impl RegionOption {
    /// Whether calls in the region can succeed. A region that is being disabled still answers.
    pub fn is_enabled(&self) -> bool {
        matches!(
            self.region_opt_status.as_deref(),
            Some("ENABLED" | "ENABLED_BY_DEFAULT" | "DISABLING")
        )
    }
}
