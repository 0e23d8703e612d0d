//! The organization as a whole, and how its parts are found.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use trailproof_core::account::{AccountId, Partition, Region};

use super::{Account, Trail};

/// An organization with all its accounts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Organization {
    /// Its id.
    pub id: String,
    /// Whether there is one; without, every account stands alone.
    pub exists: bool,
    /// The management account.
    pub management: AccountId,
    /// The account whose credentials are used where none are chosen.
    pub caller: AccountId,
    /// The accounts that may act for the organization in a service.
    pub delegations: Vec<Delegation>,
    /// The regions that every account has.
    pub regions: Vec<Region>,
    /// The regions an account may opt into.
    pub opt_in_regions: Vec<Region>,
    /// Whether members see the log group and the log delivery of an organization trail. AWS
    /// does not say whether they do.
    pub members_see_log_delivery: bool,
    /// The filter patterns with which the service matches a message where AWS does not document
    /// whether it does; every other one does not match then.
    pub matched_tries: BTreeSet<String>,
    /// The units: names from the root down, joined by `/`, to their ids.
    pub units: BTreeMap<String, String>,
    /// The time at which ages count where no clock is given.
    pub now: Timestamp,
    /// The accounts, ordered by number.
    accounts: Vec<Account>,
}

/// An account that may act for the organization in a service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Delegation {
    /// The account.
    pub account: AccountId,
    /// The service.
    #[serde(default = "Delegation::cloudtrail")]
    pub service: String,
}

impl Delegation {
    /// The service principal of CloudTrail.
    pub const CLOUDTRAIL: &'static str = "cloudtrail.amazonaws.com";

    fn cloudtrail() -> String {
        Self::CLOUDTRAIL.to_owned()
    }
}

impl Organization {
    /// An organization of one empty account, with the regions of a partition.
    pub fn new(management: AccountId, partition: Partition) -> Self {
        let opt_in: &[&str] = match partition {
            Partition::Aws => &OPT_IN_REGIONS,
            Partition::China | Partition::GovCloud | Partition::EuropeanSovereignCloud => &[],
        };
        Self {
            id: "o-trailproof1".to_owned(),
            exists: true,
            management,
            caller: management,
            delegations: Vec::new(),
            regions: names(partition.default_regions()),
            opt_in_regions: names(opt_in),
            members_see_log_delivery: true,
            matched_tries: BTreeSet::new(),
            units: BTreeMap::new(),
            now: Timestamp::UNIX_EPOCH,
            accounts: vec![Account::new(management)],
        }
    }

    /// The partition all of it lives in.
    pub fn partition(&self) -> Partition {
        self.regions
            .first()
            .map_or(Partition::Aws, Region::partition)
    }

    /// The accounts, ordered by number.
    pub fn accounts(&self) -> &[Account] {
        &self.accounts
    }

    /// Everything but the accounts.
    pub(super) fn without_accounts(&self) -> Self {
        Self {
            id: self.id.clone(),
            exists: self.exists,
            management: self.management,
            caller: self.caller,
            delegations: self.delegations.clone(),
            regions: self.regions.clone(),
            opt_in_regions: self.opt_in_regions.clone(),
            members_see_log_delivery: self.members_see_log_delivery,
            matched_tries: self.matched_tries.clone(),
            units: self.units.clone(),
            now: self.now,
            accounts: Vec::new(),
        }
    }

    /// The accounts, to be changed. Their numbers must stay.
    pub(super) fn accounts_mut(&mut self) -> &mut [Account] {
        &mut self.accounts
    }

    /// The account with a number.
    pub fn account(&self, id: AccountId) -> Option<&Account> {
        let index = self.account_index(id)?;
        self.accounts.get(index)
    }

    /// The account with a number, to be changed.
    pub fn account_mut(&mut self, id: AccountId) -> Option<&mut Account> {
        let index = self.account_index(id)?;
        self.accounts.get_mut(index)
    }

    /// The place of an account in [`Self::accounts`].
    pub fn account_index(&self, id: AccountId) -> Option<usize> {
        self.accounts
            .binary_search_by_key(&id, |account| account.id)
            .ok()
    }

    /// Adds an account, or replaces the one with its number.
    pub fn insert(&mut self, account: Account) {
        match self
            .accounts
            .binary_search_by_key(&account.id, |existing| existing.id)
        {
            Ok(index) => {
                if let Some(existing) = self.accounts.get_mut(index) {
                    *existing = account;
                }
            }
            Err(index) => self.accounts.insert(index, account),
        }
    }

    /// Whether an account may act for the organization in a service.
    pub fn is_delegated(&self, account: AccountId, service: &str) -> bool {
        self.delegations
            .iter()
            .any(|delegation| delegation.account == account && delegation.service == service)
    }

    /// Whether a region is enabled for an account.
    pub fn is_enabled(&self, account: &Account, region: &Region) -> bool {
        self.regions.contains(region) || account.opted_in.contains(region)
    }

    /// The organization trails: who made each, in which region. AWS lets only the management
    /// account and delegated administrators make one.
    pub fn organization_trails(&self) -> impl Iterator<Item = (&Account, &Region, &Trail)> {
        let owners = std::iter::once(self.management).chain(
            self.delegations
                .iter()
                .filter(|delegation| delegation.service == Delegation::CLOUDTRAIL)
                .map(|delegation| delegation.account)
                .filter(|account| *account != self.management),
        );
        owners
            .filter(|_| self.exists)
            .filter_map(|owner| self.account(owner))
            .flat_map(|account| {
                account.sites.iter().flat_map(move |(region, site)| {
                    site.trails
                        .iter()
                        .filter(|trail| trail.organization)
                        .map(move |trail| (account, region, trail))
                })
            })
    }
}

fn names(regions: &[&str]) -> Vec<Region> {
    regions.iter().map(|name| Region::new(name)).collect()
}

/// The commercial regions that are off until an account opts in (AWS Account Management
/// Reference, "Enable or disable AWS Regions").
const OPT_IN_REGIONS: [&str; 17] = [
    "af-south-1",
    "ap-east-1",
    "ap-east-2",
    "ap-south-2",
    "ap-southeast-3",
    "ap-southeast-4",
    "ap-southeast-5",
    "ap-southeast-6",
    "ap-southeast-7",
    "ca-west-1",
    "eu-central-2",
    "eu-south-1",
    "eu-south-2",
    "il-central-1",
    "me-central-1",
    "me-south-1",
    "mx-central-1",
];
