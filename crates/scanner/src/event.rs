//! What a scan tells while it runs.

use std::time::Duration;

use trailproof_core::account::{AccountId, Region};
use trailproof_core::finding::Status;

use crate::outcome::{Caller, Statistics};

/// Something that happened, told in order. The receiver answers `Break` to end the scan: calls in
/// flight are awaited and recorded, nothing new is started.
#[derive(Debug, Clone, PartialEq)]
pub enum ScanEvent {
    /// The credentials work, and these are theirs.
    Connected(Caller),
    /// The organization they belong to was asked for; `None` where it is not asked, or does not
    /// say.
    Organization(Option<Organization>),
    /// Records of an earlier run were loaded; what they cover is not asked again.
    Resumed {
        /// How many.
        records: usize,
    },
    /// More accounts are known.
    AccountsFound {
        /// Accounts to scan, so far.
        accounts: usize,
        /// Whether the list is complete, so that `accounts` is the total.
        complete: bool,
    },
    /// The regions of an account are known.
    RegionsFound {
        /// The account.
        account: AccountId,
        /// How many regions will be swept in it.
        regions: usize,
    },
    /// A region of an account has answered, or finally failed to.
    RegionDone {
        /// The account.
        account: AccountId,
        /// The region.
        region: Region,
    },
    /// Everything that the verdict of an account needs has been asked.
    AccountDone {
        /// The account.
        account: AccountId,
        /// Its name in the organization, where known.
        name: Option<String>,
        /// The verdict of each control of the policy, in the policy's order. Preliminary in one
        /// respect: the report evaluates again, at the run's end.
        statuses: Vec<Status>,
        /// From entering the account to here.
        elapsed: Duration,
        /// Accounts done so far, this one included.
        done: usize,
    },
    /// Something a reader should know that is not the failure of one call.
    Warning(Warning),
    /// Counters, several times a second while the scan runs: a tick for redrawing, and the chance
    /// to answer `Break` while nothing else happens.
    Progress(Statistics),
}

/// An organization, as an account of it sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Organization {
    /// Such as `o-a1b2c3d4e5`, where AWS told it.
    pub id: Option<String>,
    /// The account that owns it.
    pub management: AccountId,
}

/// Something a reader should know.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Warning {
    /// What it is, for machines.
    pub code: WarningCode,
    /// What it is, in a sentence.
    pub message: String,
}

/// The kinds of warnings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum WarningCode {
    /// The management account may not list regions for members; each member is asked instead.
    RegionsDenied,
    /// An account's regions could not be listed; the partition's default regions are swept.
    DefaultRegions,
    /// Not one role could be assumed: most likely its name is wrong.
    NoRoleAssumed,
    /// No account is left to scan.
    NoAccounts,
    /// An endpoint cannot be reached at the moment; its calls are tried again for a while.
    EndpointDown,
    /// Fewer connections may be open than the calls at once need.
    FewConnections,
    /// This computer's clock is far off, so that ages and times are wrong, and soon AWS refuses
    /// every signature.
    ClockSkew,
    /// A filter names something that was not found, such as an account that is not listed.
    FilterWithoutEffect,
    /// The accounts are not those of the listing that the scan began with.
    ListingOutdated,
}

impl WarningCode {
    /// The word for machines.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::RegionsDenied => "regions-denied",
            Self::DefaultRegions => "default-regions",
            Self::NoRoleAssumed => "no-role-assumed",
            Self::NoAccounts => "no-accounts",
            Self::EndpointDown => "endpoint-down",
            Self::FewConnections => "few-connections",
            Self::ClockSkew => "clock-skew",
            Self::FilterWithoutEffect => "filter-without-effect",
            Self::ListingOutdated => "listing-outdated",
        }
    }
}
