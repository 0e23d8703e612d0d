//! What was found.

use std::time::Duration;

use jiff::SignedDuration;
use trailproof_core::account::{AccountId, Region};
use trailproof_core::evidence::{CallError, Operation};

use crate::connection::NetworkSetting;
use crate::error::ScanError;
use crate::event::Organization;
use crate::outcome::{Caller, SessionUse};

/// What a scan would meet.
#[derive(Debug)]
pub struct Diagnosis {
    /// Whose credentials these are: the last hub role's, where there is one.
    pub caller: Caller,
    /// The ARNs of the roles that are assumed first.
    pub hubs: Vec<String>,
    /// What is set about the network, and where each setting came from.
    pub network: Vec<NetworkSetting>,
    /// How far this computer's clock is ahead of AWS's, where an answer said the time.
    pub clock_skew: Option<SignedDuration>,
    /// The organization, where the caller may see it.
    pub organization: Option<Organization>,
    /// Whether the accounts could be listed.
    pub listing: Listing,
    /// What the caller is to the organization.
    pub delegation: Delegation,
    /// What became of the accounts that were entered.
    pub sampled: Sampled,
    /// The regions of the first account that could be entered.
    pub regions: Option<RegionsSeen>,
    /// What a scan of every region will take.
    pub expectation: Expectation,
}

/// Whether the accounts could be listed.
#[derive(Debug)]
pub enum Listing {
    /// So many.
    Listed {
        /// In use.
        active: usize,
        /// Suspended, closing or not activated yet: not entered.
        closing: usize,
        /// Why the organizational units that they are in cannot be named, where they cannot: reports
        /// then have their ids, and nothing else is different.
        units_unnamed: Option<CallError>,
    },
    /// What a scan would end with.
    Refused(ScanError),
}

/// What the caller is to the organization.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delegation {
    /// Its management account.
    Management,
    /// A member, and the services among [`DelegatedService::ALL`] of which it is a delegated
    /// administrator.
    Member(Vec<DelegatedService>),
    /// It may not know.
    Refused(CallError),
    /// Nobody asked.
    NotAsked,
}

/// A service whose delegated administrators can do more for an audit than other members.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DelegatedService {
    /// CloudTrail: organization trails are read as their owner.
    CloudTrail,
    /// CloudWatch's telemetry configuration: rules of the whole organization are read.
    Telemetry,
    /// Stack sets: the role of the members can be deployed.
    StackSets,
}

impl DelegatedService {
    /// All of them, the one that decides most first.
    pub const ALL: [Self; 3] = [Self::CloudTrail, Self::Telemetry, Self::StackSets];

    /// The service principal (AWS Organizations User Guide, services that work with it).
    pub fn principal(self) -> &'static str {
        match self {
            Self::CloudTrail => "cloudtrail.amazonaws.com",
            Self::Telemetry => "observabilityadmin.amazonaws.com",
            Self::StackSets => "member.org.stacksets.cloudformation.amazonaws.com",
        }
    }
}

/// What became of the accounts that were entered.
#[derive(Debug)]
pub struct Sampled {
    /// Each of them, ordered by id.
    pub accounts: Vec<SampledAccount>,
    /// The roles that let in, and what limited their sessions.
    pub sessions: Vec<SessionUse>,
}

/// An account that was to be entered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SampledAccount {
    /// The account.
    pub account: AccountId,
    /// Its name, where Organizations gave one.
    pub name: Option<String>,
    /// Why it could not be entered.
    pub entered: Result<(), CallError>,
    /// The calls that its role may not make.
    pub missing: Vec<(Operation, CallError)>,
    /// The calls that an explicit deny refuses in the partition's home region.
    pub denied: Vec<(Operation, CallError)>,
}

/// The regions of an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegionsSeen {
    /// The account.
    pub account: AccountId,
    /// How many are enabled.
    pub enabled: usize,
    /// How many are not.
    pub disabled: usize,
    /// Whether the account could list them; else those that every account has are taken.
    pub listed: bool,
    /// The enabled ones in which an explicit deny refuses the list of trails.
    pub denied: Vec<Region>,
}

/// What a scan will take: about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expectation {
    /// Calls.
    pub calls: usize,
    /// Time.
    pub duration: Duration,
}
