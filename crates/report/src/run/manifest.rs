//! The content of `run.json`, which is also the `run` member of `findings.json`.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use trailproof_core::RULES;
use trailproof_core::account::{AccountId, Partition, Region};
use trailproof_core::attestation::{self, Attestation};
use trailproof_core::control::Control;
use trailproof_core::evidence::Evidence;
use trailproof_core::finding::Finding;
use trailproof_core::forwarder::Forwarder;
use trailproof_core::mute::{self, Mute};
use trailproof_core::policy::{Assurance, Policy};

use super::Addresses;
use super::access::Access;
use super::exceptions::Exceptions;
use super::observed::Observed;
use crate::listing::UsedListing;
use crate::words::Words;

/// The version of the layout of run directories and of `findings.json`. Raised when a reader of
/// the old layout would misunderstand the new one.
pub const SCHEMA_VERSION: u32 = 1;

/// What was asked, when, and how it went.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Run {
    /// The version of this layout.
    pub schema_version: u32,
    /// What made the run.
    pub tool: Tool,
    /// The number of the rules that the findings were judged by: runs with the same number say the
    /// same of the same evidence. Runs of version 0.1.0 do not tell it; theirs are 1.
    #[serde(default = "first_rules")]
    pub rules: u32,
    /// Which command made the run.
    pub kind: RunKind,
    /// When it started.
    #[schemars(with = "String")]
    pub started_at: Timestamp,
    /// When the reports were written; absent while the run is going on, and for good when it was
    /// killed.
    #[schemars(with = "Option<String>")]
    pub finished_at: Option<Timestamp>,
    /// Whether everything that was asked for was looked at. An interrupted run is not complete, and
    /// neither is one with problems.
    pub complete: bool,
    /// Why there may be accounts that nobody judged, each in a sentence without its full stop.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<String>,
    /// What was looked at.
    pub scope: Scope,
    /// The listing of the organization that was made before and used; absent where the accounts
    /// were listed for the run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub listing: Option<UsedListing>,
    /// How AWS was reached and accounts were entered; empty when nothing was scanned.
    #[serde(default)]
    pub access: Access,
    /// How it was judged.
    pub policy: PolicyRecord,
    /// When the answers arrived that were judged; absent where there are none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed: Option<Observed>,
    /// How many regions were asked; absent when nothing was scanned.
    #[serde(default)]
    pub sweep: Option<Sweep>,
    /// Whether its files have pseudonyms in place of people's addresses.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub mask_endpoints: bool,
    /// What it took.
    #[serde(default)]
    pub statistics: Statistics,
}

impl Run {
    /// A run that starts now.
    pub fn start(kind: RunKind, scope: Scope, policy: PolicyRecord, now: Timestamp) -> Self {
        Self {
            schema_version: SCHEMA_VERSION,
            tool: Tool::this(),
            rules: RULES,
            kind,
            started_at: now,
            finished_at: None,
            complete: false,
            problems: Vec::new(),
            scope,
            listing: None,
            access: Access::default(),
            policy,
            observed: None,
            sweep: None,
            mask_endpoints: false,
            statistics: Statistics::default(),
        }
    }

    /// Why there may be accounts that nobody judged, by the run's evidence. Whoever names the
    /// accounts needs no list of them.
    pub fn problems_of(&self, evidence: &Evidence) -> Vec<String> {
        let named = self.kind == RunKind::Evaluate
            && self.scope.accounts.is_some()
            && self.scope.account_filters.is_empty()
            && self.scope.shard.is_none();
        if named {
            Vec::new()
        } else {
            evidence.reader().listing_problems()
        }
    }

    /// How its files tell addresses of people.
    pub fn addresses(&self) -> Addresses {
        if self.mask_endpoints {
            Addresses::Masked
        } else {
            Addresses::Full
        }
    }

    /// The same run, whose evidence this version judges, whatever version began it.
    #[must_use]
    pub fn judged_by_this_version(self) -> Self {
        Self {
            tool: Tool::this(),
            rules: RULES,
            ..self
        }
    }
}

/// The rules of the version that wrote no number yet.
fn first_rules() -> u32 {
    1
}

/// The program that made a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Tool {
    /// `trailproof`.
    pub name: String,
    /// Its version.
    pub version: String,
}

impl Tool {
    /// This program.
    pub fn this() -> Self {
        Self {
            name: "trailproof".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
        }
    }
}

/// The command that made a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RunKind {
    /// AWS was asked.
    Scan,
    /// Recorded evidence was judged again.
    Evaluate,
    /// Several runs were joined.
    Merge,
    /// A simulated organization was scanned.
    Demo,
}

/// The id of the organization that `trailproof demo` simulates. AWS's own are drawn at random, so
/// evidence that tells this one is that of a demo, whatever a run says of itself.
pub const DEMO_ORGANIZATION: &str = "o-traildemo00";

/// How many regions are asked for trails.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Sweep {
    /// Every account and every enabled region.
    #[default]
    Full,
    /// Further regions only while the verdict is open.
    Adaptive,
}

/// What a run looked at: the filters as they were given, and what they came to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Scope {
    /// The organization, where there is one.
    pub organization: Option<Organization>,
    /// The account whose credentials started the run.
    #[schemars(with = "Option<String>")]
    pub caller: Option<AccountId>,
    /// The partition.
    #[schemars(with = "Option<String>")]
    pub partition: Option<Partition>,
    /// The role that was assumed in the members: the first that was tried.
    pub role: Option<String>,
    /// Every role that was tried in each account, in this order, where there was more than one.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<String>,
    /// The accounts that were judged, where a filter, a list or a shard made them fewer than all.
    #[schemars(with = "Option<Vec<String>>")]
    pub accounts: Option<Vec<AccountId>>,
    /// The filters that chose the accounts, by flag name, as they were given.
    pub account_filters: BTreeMap<String, Vec<String>>,
    /// The only regions that were asked; empty for all that are enabled.
    #[schemars(with = "Vec<String>")]
    pub regions: Vec<Region>,
    /// Regions that were left out.
    #[schemars(with = "Vec<String>")]
    pub exclude_regions: Vec<Region>,
    /// Accounts outside the organization that may be entered where a chain leads there.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(with = "Vec<String>")]
    pub trusted_accounts: Vec<AccountId>,
    /// The part of the accounts that was looked at, such as `3/16`.
    pub shard: Option<String>,
}

/// An organization.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Organization {
    /// Such as `o-a1b2c3d4e5`, where AWS told it.
    pub id: Option<String>,
    /// The account that owns it.
    #[schemars(with = "String")]
    pub management_account: AccountId,
}

/// The policy of a run, with all it takes to judge the same evidence again in the same way.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PolicyRecord {
    /// The ids of the judged controls, in the order of findings.
    pub controls: Vec<String>,
    /// The judged controls that are not built in, in full.
    #[serde(default)]
    #[schemars(with = "Vec<serde_json::Value>")]
    pub custom_controls: Vec<Control>,
    /// The benchmark version.
    pub benchmark: String,
    /// The yardstick.
    #[schemars(with = "Words<Assurance>")]
    pub assurance: Assurance,
    /// How old the last delivery to CloudWatch Logs may be when it was observed, in seconds.
    pub max_delivery_age_seconds: i64,
    /// The longest time over which events may have to keep coming before an alarm fires, in seconds.
    #[serde(default = "default_max_window")]
    pub max_window_seconds: i64,
    /// How long an alarm may have been in ALARM when it was observed, in seconds.
    #[serde(default = "default_max_alarm_age")]
    pub max_alarm_age_seconds: i64,
    /// How old an answer may be at the time that is judged for, in seconds; absent where any age
    /// will do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_evidence_age_seconds: Option<i64>,
    /// Whether an organization trail is believed to cover members that cannot be entered.
    pub trust_organization_trail: bool,
    /// The machines that pass messages on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(with = "Vec<serde_json::Value>")]
    pub forwarders: Vec<Forwarder>,
    /// The accounts that were told to watch the metrics of others.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(with = "Vec<String>")]
    pub monitoring_accounts: Vec<AccountId>,
    /// The failures that were accepted, ended ones included.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(with = "Vec<serde_json::Value>")]
    pub mutes: Vec<Mute>,
    /// The other ways for events that were attested, ended ones included.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(with = "Vec<serde_json::Value>")]
    pub attestations: Vec<Attestation>,
    /// The yardstick that the exit code follows, where it is not that of the status.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Words<Assurance>>")]
    pub fail_on: Option<Assurance>,
    /// The time the judgement was made for.
    #[schemars(with = "String")]
    pub evaluated_at: Timestamp,
}

/// What runs were judged by that do not tell it.
fn default_max_window() -> i64 {
    Policy::DEFAULT_MAX_WINDOW.as_secs()
}

/// What runs were judged by that do not tell it.
fn default_max_alarm_age() -> i64 {
    Policy::DEFAULT_MAX_ALARM_AGE.as_secs()
}

impl PolicyRecord {
    /// What a policy says. `is_built_in` tells controls that need not be written in full.
    pub fn of(
        policy: &Policy,
        evaluated_at: Timestamp,
        is_built_in: impl Fn(&Control) -> bool,
    ) -> Self {
        Self {
            controls: policy
                .controls
                .iter()
                .map(|control| control.id.clone())
                .collect(),
            custom_controls: policy
                .controls
                .iter()
                .filter(|control| !is_built_in(control))
                .cloned()
                .collect(),
            benchmark: policy.benchmark.clone(),
            assurance: policy.assurance,
            max_delivery_age_seconds: policy.max_delivery_age.as_secs(),
            max_window_seconds: policy.max_window.as_secs(),
            max_alarm_age_seconds: policy.max_alarm_age.as_secs(),
            max_evidence_age_seconds: policy.max_evidence_age.map(|age| age.as_secs()),
            trust_organization_trail: policy.trust_organization_trail,
            forwarders: policy.forwarders.clone(),
            monitoring_accounts: policy.monitoring_accounts.iter().copied().collect(),
            mutes: Vec::new(),
            attestations: Vec::new(),
            fail_on: None,
            evaluated_at,
        }
    }

    /// The time from which on answers count; `None` where any age will do.
    pub fn oldest(&self) -> Option<Timestamp> {
        let age = SignedDuration::from_secs(self.max_evidence_age_seconds?);
        self.evaluated_at.checked_sub(age).ok()
    }

    /// Applies what people attested and accepted to findings: attestations before mutes.
    pub fn except(
        &self,
        findings: &mut [Finding],
        evidence: &Evidence,
        now: Timestamp,
    ) -> (attestation::Applied, mute::Applied) {
        let accounts = findings.iter().map(|finding| &*finding.account);
        let mut exceptions = Exceptions::of(self, accounts, evidence, now);
        exceptions.apply(findings);
        exceptions.end()
    }

    /// The policy again, given its controls and the accounts of the run's scope.
    pub fn to_policy(&self, controls: Vec<Control>, scope: &Scope) -> Policy {
        let mut policy = Policy::new(controls);
        policy.benchmark.clone_from(&self.benchmark);
        policy.assurance = self.assurance;
        policy.max_delivery_age = SignedDuration::from_secs(self.max_delivery_age_seconds);
        policy.max_window = SignedDuration::from_secs(self.max_window_seconds);
        policy.max_alarm_age = SignedDuration::from_secs(self.max_alarm_age_seconds);
        policy.max_evidence_age = self.max_evidence_age_seconds.map(SignedDuration::from_secs);
        policy.trust_organization_trail = self.trust_organization_trail;
        policy.forwarders.clone_from(&self.forwarders);
        policy.monitoring_accounts = self.monitoring_accounts.iter().copied().collect();
        policy.accounts = scope
            .accounts
            .as_ref()
            .map(|accounts| accounts.iter().copied().collect());
        policy
    }
}

/// What a run took. Calls count HTTP requests: every page and every retry is one.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Statistics {
    /// Accounts to look at.
    pub accounts_found: usize,
    /// Accounts that were looked at to the end.
    pub accounts_done: usize,
    /// Regions to ask.
    pub regions_found: usize,
    /// Regions that were asked.
    pub regions_done: usize,
    /// API requests sent.
    pub calls: u64,
    /// API requests sent, by operation.
    pub calls_by_operation: BTreeMap<String, u64>,
    /// Requests that AWS refused because of the rate.
    pub throttles: u64,
    /// Requests that were sent again, for whatever reason.
    pub retries: u64,
    /// Calls that ended in a recorded error.
    pub errors: u64,
    /// Calls that an earlier, interrupted run had completed.
    pub reused: u64,
    /// The time it took, in milliseconds.
    pub elapsed_milliseconds: u64,
    /// The accounts that took longest, slowest first.
    pub slowest: Vec<SlowAccount>,
    /// The accounts that could not be entered.
    #[schemars(with = "Vec<String>")]
    pub denied: Vec<AccountId>,
}

/// An account that took long.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SlowAccount {
    /// The account.
    #[schemars(with = "String")]
    pub account: AccountId,
    /// From entering it to its verdict, in milliseconds.
    pub milliseconds: u64,
}

#[cfg(test)]
mod tests {
    use trailproof_core::policy::Policy;

    use super::*;

    #[test]
    fn runs_tell_by_which_rules_they_were_judged() {
        let policy = PolicyRecord::of(&Policy::new(Vec::new()), Timestamp::UNIX_EPOCH, |_| true);
        let run = Run::start(
            RunKind::Scan,
            Scope::default(),
            policy,
            Timestamp::UNIX_EPOCH,
        );
        let mut written = serde_json::to_value(&run).unwrap();
        assert_eq!(written["rules"], RULES);
        // Version 0.1.0 wrote no number.
        written.as_object_mut().unwrap().remove("rules");
        written["tool"]["version"] = "0.1.0".into();
        let old: Run = serde_json::from_value(written).unwrap();
        assert_eq!((old.rules, old.tool.version.as_str()), (1, "0.1.0"));
        assert_eq!(old.judged_by_this_version(), run);
    }
}
