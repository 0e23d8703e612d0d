//! An account: who it is, who may enter it, what is refused there, and what is in its regions.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use trailproof_core::account::{AccountId, Region};

use super::{
    Alarm, CentralizationRule, EventRule, Expected, Key, Link, LogGroup, MuteRule, SecurityHub,
    TelemetryRule, Topic, Trail,
};

/// An account.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Account {
    /// Its number.
    pub id: AccountId,
    /// Its name.
    pub name: String,
    /// The address of its root user.
    pub email: String,
    /// Whom it names for security.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub security_contact: Option<Contact>,
    /// Where it is in its life.
    pub state: AccountState,
    /// The names of the units it is in, from the root down, joined by `/`; empty for the root.
    pub unit: String,
    /// Tags.
    pub tags: BTreeMap<String, String>,
    /// The regions it opted into.
    pub opted_in: BTreeSet<Region>,
    /// The roles that may be assumed.
    pub roles: Vec<Role>,
    /// What is refused, whatever the role may do.
    pub denials: Vec<Denial>,
    /// What is in its regions.
    pub sites: BTreeMap<Region, Box<Site>>,
    /// The verdicts that are known by construction.
    pub expected: Vec<Expected>,
}

/// A person to write to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Contact {
    /// The person's name.
    pub name: String,
    /// The person's title.
    pub title: String,
    /// The e-mail address.
    pub email: String,
    /// The phone number.
    pub phone: String,
}

impl Account {
    /// An active account with nothing in it.
    pub fn new(id: AccountId) -> Self {
        Self {
            id,
            name: format!("account {id}"),
            email: format!("aws+{id}@example.com"),
            security_contact: None,
            state: AccountState::Active,
            unit: String::new(),
            tags: BTreeMap::new(),
            opted_in: BTreeSet::new(),
            roles: Vec::new(),
            denials: Vec::new(),
            sites: BTreeMap::new(),
            expected: Vec::new(),
        }
    }

    /// What is in a region.
    pub fn site(&self, region: &Region) -> Option<&Site> {
        self.sites.get(region).map(Box::as_ref)
    }

    /// What is in a region, to be changed.
    pub fn site_mut(&mut self, region: &Region) -> &mut Site {
        self.sites.entry(region.clone()).or_default()
    }
}

/// Where an account is in its life.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum AccountState {
    /// In use.
    #[default]
    Active,
    /// Being made.
    PendingActivation,
    /// Suspended by AWS or closed by its owner less than 90 days ago.
    Suspended,
    /// Being closed.
    PendingClosure,
    /// Closed.
    Closed,
}

impl AccountState {
    /// The word of the `State` member.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "ACTIVE",
            Self::PendingActivation => "PENDING_ACTIVATION",
            Self::Suspended => "SUSPENDED",
            Self::PendingClosure => "PENDING_CLOSURE",
            Self::Closed => "CLOSED",
        }
    }

    /// The word of the older `Status` member, which knows only three.
    pub fn status(self) -> &'static str {
        match self {
            Self::Active | Self::PendingActivation => "ACTIVE",
            Self::Suspended | Self::Closed => "SUSPENDED",
            Self::PendingClosure => "PENDING_CLOSURE",
        }
    }
}

/// A role that may be assumed. One that is not there answers as one that does not trust the caller.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Role {
    /// Its name.
    pub name: String,
    /// Its path.
    pub path: String,
    /// The external id its trust policy asks for; empty for none.
    pub external_id: String,
    /// The accounts it trusts; empty for the management account alone.
    pub trusted: Vec<AccountId>,
    /// What its policies do not allow.
    pub denials: Vec<Denial>,
    /// Whether it refuses sessions that no session policy limits.
    pub requires_session_policy: bool,
    /// The most characters that session policies and the ARNs of managed ones may have, where tags
    /// that sessions inherit leave no more room.
    pub packed_policy_limit: Option<usize>,
}

impl Role {
    /// The role that AWS Organizations makes in the accounts it creates.
    pub const ORGANIZATION_ACCESS: &'static str = "OrganizationAccountAccessRole";

    /// The name with the path before it, without the leading slash.
    pub fn path_and_name(&self) -> String {
        format!("{}{}", self.path.trim_start_matches('/'), self.name)
    }
}

impl Default for Role {
    fn default() -> Self {
        Self {
            name: Self::ORGANIZATION_ACCESS.to_owned(),
            path: "/".to_owned(),
            external_id: String::new(),
            trusted: Vec::new(),
            denials: Vec::new(),
            requires_session_policy: false,
            packed_policy_limit: None,
        }
    }
}

/// Operations that are refused.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Denial {
    /// Such as `logs:DescribeMetricFilters`, `sns:*` or `*`.
    pub operations: Vec<String>,
    /// Where; everywhere when empty.
    pub regions: BTreeSet<Region>,
    /// Whether a service control policy refuses, as the message then says.
    pub service_control_policy: bool,
}

impl Denial {
    /// Whether it refuses an action, such as `sns:Publish`, in a region.
    pub fn refuses(&self, action: &str, region: &Region) -> bool {
        let here = self.regions.is_empty() || self.regions.contains(region);
        here && self.operations.iter().any(|pattern| {
            pattern
                .strip_suffix('*')
                .map_or(pattern == action, |prefix| action.starts_with(prefix))
        })
    }
}

/// What is in one region of one account.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Site {
    /// The trails whose home it is.
    pub trails: Vec<Trail>,
    /// Log groups.
    pub log_groups: Vec<LogGroup>,
    /// Alarms, metric and composite.
    pub alarms: Vec<Alarm>,
    /// Rules that mute alarms.
    pub mute_rules: Vec<MuteRule>,
    /// Topics.
    pub topics: Vec<Topic>,
    /// Keys.
    pub keys: Vec<Key>,
    /// What is shared with monitoring accounts.
    pub links: Vec<Link>,
    /// Rules of the organization that copy log groups: the management account's.
    pub centralization_rules: Vec<CentralizationRule>,
    /// Rules that have telemetry delivered.
    pub telemetry_rules: Vec<TelemetryRule>,
    /// Rules of the default event bus.
    pub event_rules: Vec<EventRule>,
    /// Security Hub, where it is enabled.
    pub security_hub: Option<SecurityHub>,
}
