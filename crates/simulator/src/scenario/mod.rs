//! Scenario files: an organization in TOML, with the expected verdicts beside the resources.
//!
//! An account is a healthy chain (`chain = true`), or a healthy chain with one thing changed
//! (`chain.alarm.threshold = 5.0`), or whatever else is listed. Nothing is judged here.
//!
//! ```toml
//! title = "Alarms that cannot fire"
//! now = "2026-11-22T22:00:00Z"          # the default
//!
//! [organization]                        # all of it optional; here are the defaults
//! exists = true                         # false: every account stands alone
//! id = "o-trailproof1"
//! management = "111111111111"           # there even when `accounts` does not list it
//! caller = "111111111111"               # whose credentials the scan has
//! partition = "aws"
//! delegations = []                      # [{ account = "...", service = "cloudtrail.amazonaws.com" }]
//! members_see_log_delivery = true       # the log group and log delivery of organization trails
//! matched_tries = []                    # patterns that match where AWS documents nothing
//! # regions = [...], opt_in_regions = [...]: those of the partition
//!
//! [policy]                              # all optional
//! trust_organization_trail = false
//! assurance = "both"
//! # benchmark = "6.0.0", controls = ["..."], arguments = ["--flag"]
//! # monitoring_accounts = ["..."], forwarders = [{ topic = "...", endpoint = "...", target = "..." }]
//!
//! [chain]                               # optional: changes of the healthy chain in every account
//! region = "eu-west-1"
//!
//! [[accounts]]
//! id = "222222222222"
//! name = "threshold too high"           # optional, like everything but the id
//! chain.alarm.threshold = 5.0           # the healthy chain (healthy.toml) with this changed
//! expect = { status = "FAIL", reason = "alarm.cannot-fire", cis = "PASS", effective = "FAIL" }
//!
//! [[accounts]]
//! id = "333333333333"
//! chain = { topic = false }             # a part left out; what names it stays as it is
//! expect = "FAIL"                       # or just the status
//! ```
//!
//! The parts of a chain are `trail`, `log_group`, `filter`, `alarm`, `topic`, `subscription`: a
//! table of changes, or `false`. `more_filters`, `more_alarms` and `more_subscriptions` are lists
//! of further ones, each merged over the part. `region` moves the whole chain, `name` prefixes all
//! its names; `chains = [...]` has several. Members are those of [`crate::model`]: `Trail`,
//! `LogGroup`, `MetricFilter`, `Alarm`, `Topic`, `Subscription`, `MuteRule`, `Key`, `Link`.
//!
//! Beside or instead of a chain an account may list `trails`, `log_groups` (with `filters`),
//! `alarms`, `mute_rules`, `topics` (with `subscriptions`), `keys` and `links`, each with a `region` (default: the
//! partition's home region) and without the chain's defaults. Further keys: `email`,
//! `security_contact` (`{ name, title, email, phone }`), `state`, `unit` (`"Workloads/Production"`),
//! `tags`,
//! `opted_in` (regions), `roles` (`{ name, path, external_id, trusted, denials,
//! requires_session_policy, packed_policy_limit }`; default: `OrganizationAccountAccessRole`, trusting the management
//! account; none in the management account), `denials` (`"sns:*"`, or `{ operations, regions,
//! service_control_policy }`), `denied_regions`, `security_hub` (regions in which it is enabled),
//! `expect_controls` (by control id). A `reason` of
//! `expect` also says the `broken_link`.

mod chain;
mod entry;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::Deserialize;
use toml::Table;
use trailproof_core::account::{AccountId, Partition, Region};
use trailproof_core::forwarder::Forwarder;
use trailproof_core::policy::{Assurance, Policy};

use crate::model::{Account, Delegation, Organization, Site};
use entry::AccountEntry;

/// An organization and what a scan of it must find.
#[derive(Debug, Clone, PartialEq)]
pub struct Scenario {
    /// What it is about, in a sentence.
    pub title: String,
    /// What differs from the default policy and flags.
    pub policy: PolicyChanges,
    /// The organization. The expected verdicts are in its accounts.
    pub organization: Organization,
}

/// How a scenario wants to be judged.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PolicyChanges {
    /// `--trust-organization-trail`.
    pub trust_organization_trail: bool,
    /// `--assurance`.
    pub assurance: Assurance,
    /// `--benchmark`, when not the default.
    pub benchmark: Option<String>,
    /// `--control`; the default control when empty.
    pub controls: Vec<String>,
    /// Further arguments of the command line.
    pub arguments: Vec<String>,
    /// `[[forwarder]]` tables.
    pub forwarders: Vec<Forwarder>,
    /// The accounts of `[[monitoring-account]]` tables.
    pub monitoring_accounts: BTreeSet<AccountId>,
}

impl PolicyChanges {
    /// Changes a policy, its controls aside.
    pub fn change(&self, policy: &mut Policy) {
        policy.trust_organization_trail = self.trust_organization_trail;
        policy.assurance = self.assurance;
        if let Some(benchmark) = &self.benchmark {
            policy.benchmark.clone_from(benchmark);
        }
        policy.forwarders.clone_from(&self.forwarders);
        policy
            .monitoring_accounts
            .clone_from(&self.monitoring_accounts);
    }
}

/// A scenario file that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScenarioError {
    /// The file as a whole.
    #[error("the scenario is not valid: {0}")]
    File(String),
    /// Something of one account.
    #[error("account {account}, `{place}`: {message}")]
    Account {
        /// Whose entry.
        account: AccountId,
        /// The key in it.
        place: String,
        /// What is wrong.
        message: String,
    },
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    title: String,
    now: Option<Timestamp>,
    #[serde(default)]
    organization: OrganizationEntry,
    #[serde(default)]
    policy: PolicyChanges,
    /// Changes of the healthy chain for every account of the file.
    #[serde(default)]
    chain: Table,
    #[serde(default)]
    accounts: Vec<AccountEntry>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct OrganizationEntry {
    exists: bool,
    id: Option<String>,
    management: AccountId,
    caller: Option<AccountId>,
    partition: Partition,
    delegations: Vec<Delegation>,
    regions: Option<Vec<Region>>,
    opt_in_regions: Option<Vec<Region>>,
    members_see_log_delivery: bool,
    matched_tries: BTreeSet<String>,
}

impl Default for OrganizationEntry {
    fn default() -> Self {
        Self {
            exists: true,
            id: None,
            management: default_management(),
            caller: None,
            partition: Partition::Aws,
            delegations: Vec::new(),
            regions: None,
            opt_in_regions: None,
            members_see_log_delivery: true,
            matched_tries: BTreeSet::new(),
        }
    }
}

/// 111111111111.
#[allow(clippy::expect_used, reason = "the literal has twelve digits")]
fn default_management() -> AccountId {
    "111111111111".parse().expect("twelve digits")
}

/// The time of scenarios that name none.
pub(crate) const DEFAULT_NOW: Timestamp = Timestamp::constant(1_795_384_800, 0);

impl Scenario {
    /// Reads a scenario file.
    pub fn parse(text: &str) -> Result<Self, ScenarioError> {
        let file: File =
            toml::from_str(text).map_err(|error| ScenarioError::File(error.to_string()))?;
        let entry = file.organization;
        let mut organization = Organization::new(entry.management, entry.partition);
        organization.exists = entry.exists;
        organization.now = file.now.unwrap_or(DEFAULT_NOW);
        organization.caller = entry.caller.unwrap_or(entry.management);
        organization.delegations = entry.delegations;
        organization.members_see_log_delivery = entry.members_see_log_delivery;
        organization.matched_tries = entry.matched_tries;
        if let Some(id) = entry.id {
            organization.id = id;
        }
        if let Some(regions) = entry.regions {
            organization.regions = regions;
        }
        if let Some(regions) = entry.opt_in_regions {
            organization.opt_in_regions = regions;
        }
        let home = organization.partition().home_region();
        let mut seen = std::collections::BTreeSet::new();
        for account in file.accounts {
            if !seen.insert(account.id) {
                return Err(ScenarioError::Account {
                    account: account.id,
                    place: "id".to_owned(),
                    message: "the account is there twice".to_owned(),
                });
            }
            let management = account.id == organization.management;
            let account = account.build(&file.chain, &home, management)?;
            let may_own = management
                || organization.is_delegated(account.id, Delegation::CLOUDTRAIL)
                || !organization.exists;
            let owns = account
                .sites
                .values()
                .any(|site| site.trails.iter().any(|trail| trail.organization));
            if owns && !may_own {
                return Err(ScenarioError::Account {
                    account: account.id,
                    place: "trail.organization".to_owned(),
                    message: "only the management account and delegated administrators for \
                              CloudTrail can make an organization trail"
                        .to_owned(),
                });
            }
            organization.insert(account);
        }
        organization.units = units(&organization);
        Ok(Self {
            title: file.title,
            policy: file.policy,
            organization,
        })
    }
}

/// A complete chain.
pub(crate) fn healthy_site() -> Result<Site, ScenarioError> {
    let region = Partition::Aws.home_region();
    let mut account = Account::new(default_management());
    chain::add(&mut account, &region, &Table::new(), &Table::new())?;
    Ok(std::mem::take(account.site_mut(&region)))
}

/// Every unit that an account is in, with an id.
pub(crate) fn units(organization: &Organization) -> BTreeMap<String, String> {
    let mut units = BTreeMap::new();
    for account in organization.accounts() {
        let ends = account
            .unit
            .match_indices('/')
            .map(|(offset, _)| offset)
            .chain(Some(account.unit.len()));
        for end in ends {
            if let Some(path) = account.unit.get(..end).filter(|path| !path.is_empty()) {
                let id = unit_id(organization, path);
                units.insert(path.to_owned(), id);
            }
        }
    }
    units
}

/// An id that depends on the names alone, so that files and tests can rely on it.
fn unit_id(organization: &Organization, path: &str) -> String {
    let root: String = organization.id.chars().skip(2).take(4).collect();
    let hash = path.bytes().fold(0xcbf2_9ce4_u32, |hash, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    });
    format!("ou-{root}-{hash:08x}")
}

#[cfg(test)]
mod tests;
