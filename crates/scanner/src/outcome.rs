//! What a scan leaves behind.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;
use trailproof_core::account::{AccountId, Partition, Region};
use trailproof_core::evidence::{CallError, Evidence, Operation};

use crate::connection::NetworkSetting;
use crate::permissions::SessionForm;

/// The result of a scan that could start.
#[derive(Debug)]
pub struct ScanOutcome {
    /// Everything that was seen, records of an earlier run included.
    pub evidence: Evidence,
    /// Whose credentials the scan used.
    pub caller: Caller,
    /// The accounts in scope after all filters and the shard, ordered by id, suspended ones
    /// included. Judge these.
    pub accounts: Vec<FoundAccount>,
    /// Whether every account in scope was scanned to the end; `false` after an interruption.
    pub complete: bool,
    /// When the scan began.
    pub started_at: Timestamp,
    /// When it ended.
    pub finished_at: Timestamp,
    /// Counters.
    pub statistics: Statistics,
    /// What is set about the network, and where each setting came from.
    pub network: Vec<NetworkSetting>,
    /// The roles that let in, in this part of the run.
    pub sessions: Vec<SessionUse>,
    /// How the caller's own account was read.
    pub own_account: Option<OwnAccount>,
    /// What was not asked any more, because it was refused wherever it was asked.
    pub never_asked: Vec<NeverAsked>,
}

/// A role that let in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SessionUse {
    /// The role as the user wrote it, as an ARN with `{partition}` and `{account}` in it.
    pub role: String,
    /// What limited its sessions.
    pub session_policy: SessionForm,
    /// How many accounts were entered so.
    pub accounts: usize,
}

/// How the caller's own account was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OwnAccount {
    /// By a role, with its session limited like any other's.
    Role,
    /// With the credentials of the scan itself.
    OwnCredentials,
}

/// Something that was refused to a role in several accounts and allowed in none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NeverAsked {
    /// The role as the user wrote it.
    pub role: String,
    /// What.
    pub what: Refused,
    /// The accounts that refused it.
    pub refused_in: Vec<AccountId>,
    /// What the last of them said.
    pub error: CallError,
    /// How many questions were not asked for that reason.
    pub questions: u64,
}

/// What can be refused everywhere.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Refused {
    /// A call, in any region.
    Operation(Operation),
    /// A region, by an explicit deny, whatever the call.
    Region(Region),
}

/// Whose credentials a scan uses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Caller {
    /// The account.
    pub account: AccountId,
    /// The user or role session.
    pub arn: String,
    /// The partition.
    pub partition: Partition,
    /// Where global questions are asked.
    pub region: Region,
}

/// An account in scope.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FoundAccount {
    /// Its number.
    pub id: AccountId,
    /// Its name, where Organizations gave one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Whether it is active: a suspended or closing account is in scope but not entered.
    pub active: bool,
}

/// Counters of a scan. Calls count HTTP requests: every page and every retry is one.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Statistics {
    /// Accounts to scan, so far.
    pub accounts_found: usize,
    /// Accounts scanned to the end.
    pub accounts_done: usize,
    /// Regions to sweep, so far.
    pub regions_found: usize,
    /// Regions swept.
    pub regions_done: usize,
    /// API requests sent.
    pub calls: u64,
    /// API requests sent, by operation, the ones that are not evidence included.
    pub calls_by_operation: BTreeMap<String, u64>,
    /// Requests that AWS refused because of the rate.
    pub throttles: u64,
    /// Requests that were sent again, for whatever reason.
    pub retries: u64,
    /// Calls that ended in a recorded error.
    pub errors: u64,
    /// Calls that an earlier run had completed.
    pub reused: u64,
    /// Time since the start.
    pub elapsed: Duration,
    /// The accounts that took longest, slowest first; only in the outcome.
    pub slowest: Vec<SlowAccount>,
    /// The accounts that could not be entered, ordered by id; only in the outcome.
    pub denied: Vec<DeniedAccount>,
}

/// An account and how long it took.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SlowAccount {
    /// The account.
    pub account: AccountId,
    /// From entering it to its verdict.
    pub elapsed: Duration,
}

/// An account that could not be entered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DeniedAccount {
    /// The account.
    pub account: AccountId,
    /// The operation that failed, usually `sts:AssumeRole`.
    pub operation: Operation,
    /// Why.
    pub error: CallError,
}
