//! What a scan would meet: who is calling, what it may list, whether the roles let in, and which
//! calls are refused, found out by making them. Nothing is judged and nothing is recorded.

mod diagnosis;

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt as _;
use futures::stream;
use tokio::time::Instant;
use trailproof_core::account::{AccountId, Region};
use trailproof_core::evidence::{Call, CallError, Evidence, Operation, Permission, Request};

use crate::caller::Connected;
use crate::connection::ConnectOptions;
use crate::discovery::{Discovery, DiscoveryEnd, name_units};
use crate::engine::{End, Engine, Entry, KnownRoles, Recorder};
use crate::error::ScanError;
use crate::event::Organization;
use crate::outcome::{Caller, FoundAccount, Refused};
use crate::plan::{AccountFilter, Scope};
use crate::roles::RoleSettings;

pub use diagnosis::{
    DelegatedService, Delegation, Diagnosis, Expectation, Listing, RegionsSeen, Sampled,
    SampledAccount,
};

/// How many accounts are looked at together.
const ACCOUNTS_AT_ONCE: usize = 16;
/// What a page of accounts holds, and how many an organization allows each second.
const LISTED_PER_PAGE: usize = 20;
const PAGES_PER_SECOND: f64 = 8.0;
/// What following a chain takes beside finding the trails: about as much as an organization needs
/// in which half of the accounts have trails of their own.
const CALLS_PER_CHAIN: usize = 3;

/// What to look at.
#[derive(Debug, Clone)]
pub struct DoctorPlan {
    /// Credentials, region and endpoints of the caller.
    pub connection: ConnectOptions,
    /// How the accounts are found.
    pub scope: Scope,
    /// The roles by which accounts are entered.
    pub role: RoleSettings,
    /// How many accounts are entered, evenly from all; `None` for every account.
    pub sample: Option<usize>,
    /// How many calls a scan would make at once.
    pub concurrency: usize,
}

/// Looks, and says what was found. An error is what keeps a scan from starting at all.
pub async fn examine(plan: &DoctorPlan) -> Result<Diagnosis, ScanError> {
    plan.role.check()?;
    let concurrency = plan.connection.connections.calls_at_once(plan.concurrency);
    let connection = Connected::open(&plan.connection, &plan.role).await?;
    let caller = connection.caller.clone();
    let network = connection.network.clone();
    let clock_skew = connection.clock_skew();
    let recorder = Recorder::new(Evidence::default(), HashSet::new(), None);
    // Nobody is told of endpoints that are down: what fails says so itself.
    let (warn, _unheard) = tokio::sync::mpsc::unbounded_channel();
    let engine = Arc::new(connection.engine(
        &plan.role,
        KnownRoles::default(),
        recorder,
        concurrency,
        warn.clone(),
        BTreeSet::new(),
    ));
    let (found, mut arriving) = tokio::sync::mpsc::unbounded_channel();
    let (parents, unnamed) = tokio::sync::mpsc::unbounded_channel();
    let discovery = Discovery {
        engine: Arc::clone(&engine),
        caller: caller.clone(),
        scope: plan.scope.clone(),
        filter: AccountFilter::default(),
        shard: None,
        listing: None,
        found,
        parents,
        warnings: warn,
    };
    let management = discovery.organization().await.or_else(ended)?;
    let listing = match discovery.accounts(management).await {
        Ok(()) | Err(DiscoveryEnd::Stopped) => Ok(()),
        // A scan cannot start; everything else is still worth knowing.
        Err(DiscoveryEnd::Error(error)) => Err(error),
    };
    name_units(Arc::clone(&engine), caller.clone(), unnamed).await;
    let mut accounts: Vec<FoundAccount> = Vec::new();
    while let Ok(account) = arriving.try_recv() {
        accounts.push(account);
    }
    accounts.sort_by_key(|account| account.id);
    let examination = Examination {
        engine: &engine,
        caller: &caller,
    };
    let delegation = examination.delegation(plan, management).await;
    let (active, closing): (Vec<_>, Vec<_>) =
        accounts.into_iter().partition(|account| account.active);
    let chosen = sample(&active, plan.sample);
    let began = Instant::now();
    let sampled: Vec<SampledAccount> = stream::iter(&chosen)
        .map(|account| examination.account(account))
        .buffered(ACCOUNTS_AT_ONCE)
        .collect()
        .await;
    let calls: u64 = {
        let mut statistics = crate::outcome::Statistics::default();
        engine.transport.tally.fill(&mut statistics);
        statistics.calls
    };
    let regions = match sampled.iter().find(|account| account.entered.is_ok()) {
        Some(account) => Some(examination.regions(account.account).await),
        None => None,
    };
    let per_call = mean(began.elapsed(), calls, sampled.len().min(ACCOUNTS_AT_ONCE));
    let (organization, unit_lists, units_unnamed) = {
        let evidence = engine.transport.recorder.evidence();
        let reader = evidence.reader();
        let organization = reader.organization().map(|known| Organization {
            id: known.id.clone(),
            management: known.management_account,
        });
        let listed = reader.listed_accounts().values();
        let parents: BTreeSet<&str> = listed.flat_map(|account| account.unit_parents()).collect();
        let failure = reader.units_failure();
        (
            organization,
            parents.len(),
            failure.map(Arc::unwrap_or_clone),
        )
    };
    let expected = expectation(active.len(), regions.as_ref(), per_call, concurrency);
    let expectation = Expectation {
        calls: expected.calls + unit_lists,
        ..expected
    };
    Ok(Diagnosis {
        caller,
        hubs: plan.role.hubs.iter().map(|hub| hub.arn.clone()).collect(),
        network,
        clock_skew,
        organization,
        listing: match listing {
            Ok(()) => Listing::Listed {
                active: active.len(),
                closing: closing.len(),
                units_unnamed,
            },
            Err(error) => Listing::Refused(error),
        },
        delegation,
        sampled: Sampled {
            accounts: sampled,
            sessions: engine.transport.tally.sessions(),
        },
        regions,
        expectation,
    })
}

fn ended(end: DiscoveryEnd) -> Result<Option<AccountId>, ScanError> {
    match end {
        DiscoveryEnd::Error(error) => Err(error),
        DiscoveryEnd::Stopped => Ok(None),
    }
}

/// So many accounts, evenly from all: neighbours in a list are often of one kind.
fn sample(accounts: &[FoundAccount], size: Option<usize>) -> Vec<FoundAccount> {
    let size = size.unwrap_or(accounts.len()).min(accounts.len());
    (0..size)
        .filter_map(|number| accounts.get(number * accounts.len() / size))
        .cloned()
        .collect()
}

/// How long one call took, when so many accounts were asked at a time.
fn mean(elapsed: Duration, calls: u64, at_once: usize) -> Duration {
    let calls = u32::try_from(calls.max(1)).unwrap_or(u32::MAX);
    let at_once = u32::try_from(at_once.max(1)).unwrap_or(u32::MAX);
    (elapsed / calls) * at_once
}

/// What a scan of every region takes: about.
fn expectation(
    accounts: usize,
    regions: Option<&RegionsSeen>,
    per_call: Duration,
    concurrency: usize,
) -> Expectation {
    let regions = regions.map_or(1, |seen| seen.enabled.max(1));
    // The role, the list of regions, the trails of each, and what follows.
    let calls = accounts * (2 + regions + CALLS_PER_CHAIN) + accounts.div_ceil(LISTED_PER_PAGE);
    #[allow(
        clippy::cast_precision_loss,
        reason = "an estimate, of numbers far below the limit"
    )]
    let seconds = {
        let by_calls = calls as f64 * per_call.as_secs_f64() / concurrency.max(1) as f64;
        let by_listing = accounts.div_ceil(LISTED_PER_PAGE) as f64 / PAGES_PER_SECOND;
        by_calls.max(by_listing)
    };
    Expectation {
        calls,
        duration: Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX),
    }
}

struct Examination<'a> {
    engine: &'a Engine,
    caller: &'a Caller,
}

impl Examination<'_> {
    /// What the caller is to the organization.
    async fn delegation(&self, plan: &DoctorPlan, management: Option<AccountId>) -> Delegation {
        if plan.scope != Scope::Organization {
            return Delegation::NotAsked;
        }
        if management == Some(self.caller.account) {
            return Delegation::Management;
        }
        let mut services = Vec::new();
        for service in DelegatedService::ALL {
            match self.administers(service).await {
                Ok(true) => services.push(service),
                Ok(false) => {}
                Err(End::Failed(failure)) => return Delegation::Refused(failure.error),
                Err(End::Stopped | End::NeverAsked) => return Delegation::NotAsked,
            }
        }
        Delegation::Member(services)
    }

    /// Whether the caller is a delegated administrator of a service.
    async fn administers(&self, service: DelegatedService) -> Result<bool, End> {
        let request = Request {
            account: self.caller.account,
            region: self.caller.region.clone(),
            call: Call::ListDelegatedAdministrators {
                service_principal: service.principal().to_owned(),
            },
        };
        self.engine.fetch(&request, &mut |_| ()).await?;
        let evidence = self.engine.transport.recorder.evidence();
        match evidence
            .reader()
            .delegated_administrators(service.principal())
        {
            Some(Ok(accounts)) => Ok(accounts.contains(&self.caller.account)),
            Some(Err(_)) | None => Err(End::NeverAsked),
        }
    }

    /// Enters an account and tries every call that reads.
    async fn account(&self, account: &FoundAccount) -> SampledAccount {
        let id = account.id;
        let mut sampled = SampledAccount {
            account: id,
            name: account.name.clone(),
            entered: Ok(()),
            missing: Vec::new(),
            denied: Vec::new(),
        };
        match self.engine.enter(id).await {
            Ok(Entry::Open) => {}
            Ok(Entry::Refused(failure)) => {
                sampled.entered = Err(failure.error);
                return sampled;
            }
            Err(_) => return sampled,
        }
        let home = self.caller.partition.home_region();
        let reading = Operation::ALL
            .iter()
            .filter(|operation| operation.definition().permission == Permission::Read);
        for operation in reading {
            match self.probe(id, &home, *operation).await {
                None => {}
                Some((Refused::Operation(operation), error)) => {
                    sampled.missing.push((operation, error));
                }
                Some((Refused::Region(_), error)) => sampled.denied.push((*operation, error)),
            }
        }
        sampled
    }

    /// Which regions an account has, and which of them a policy closes.
    async fn regions(&self, account: AccountId) -> RegionsSeen {
        let request = Request {
            account,
            region: self.caller.region.clone(),
            call: Call::ListRegions { account: None },
        };
        let listed = self.engine.fetch(&request, &mut |_| ()).await.is_ok();
        let known = {
            let evidence = self.engine.transport.recorder.evidence();
            evidence.reader().regions(account).map(Arc::clone)
        };
        let (enabled, disabled): (Vec<Region>, usize) =
            if let Some(regions) = known.filter(|_| listed) {
                let enabled = regions.iter().filter(|region| region.is_enabled());
                let enabled: Vec<_> = enabled.map(|region| region.region_name.clone()).collect();
                let disabled = regions.len() - enabled.len();
                (enabled, disabled)
            } else {
                let names = self.caller.partition.default_regions();
                (names.iter().map(|name| Region::new(name)).collect(), 0)
            };
        let denied: Vec<Region> = stream::iter(&enabled)
            .map(|region| async move {
                let probed = self.probe(account, region, Operation::DescribeTrails).await;
                matches!(probed, Some((Refused::Region(_), _))).then(|| region.clone())
            })
            .buffered(ACCOUNTS_AT_ONCE)
            .filter_map(std::future::ready)
            .collect()
            .await;
        RegionsSeen {
            account,
            enabled: enabled.len(),
            disabled,
            listed,
            denied,
        }
    }

    /// Whether a call is refused: as a call, or because its region is closed. `None` when it is
    /// allowed, or failed for a reason that has nothing to do with permissions.
    async fn probe(
        &self,
        account: AccountId,
        region: &Region,
        operation: Operation,
    ) -> Option<(Refused, CallError)> {
        let request = Request {
            account,
            region: region.clone(),
            call: Call::probe(operation, account, region),
        };
        let End::Failed(failure) = self.engine.first_page(&request).await.err()? else {
            return None;
        };
        let what = match failure.refusal()? {
            crate::calls::Refusal::Implicit => Refused::Operation(operation),
            crate::calls::Refusal::Explicit => Refused::Region(region.clone()),
        };
        Some((what, failure.error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_are_spread() {
        let accounts: Vec<FoundAccount> = (0..100)
            .map(|number| FoundAccount {
                id: format!("{number:012}").parse().unwrap(),
                name: None,
                active: true,
            })
            .collect();
        let ids = |size| -> Vec<String> {
            let chosen = sample(&accounts, size);
            chosen
                .iter()
                .map(|account| account.id.to_string())
                .collect()
        };
        assert_eq!(
            ids(Some(4)),
            [
                "000000000000",
                "000000000025",
                "000000000050",
                "000000000075"
            ]
        );
        assert_eq!(ids(None).len(), 100);
        assert_eq!(ids(Some(500)).len(), 100);
        assert!(sample(&[], Some(4)).is_empty());
    }
}
