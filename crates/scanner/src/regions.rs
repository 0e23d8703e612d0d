//! Which regions of an account are swept.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use tokio::sync::mpsc::UnboundedSender;
use trailproof_core::account::{AccountId, Partition, Region};
use trailproof_core::evidence::{Call, ErrorClass, RegionOption, Request};

use crate::calls::Ask;
use crate::discovery::DiscoveryEnd;
use crate::engine::{End, Engine, Stopped};
use crate::error::ScanError;
use crate::event::{Warning, WarningCode};
use crate::outcome::Caller;
use crate::plan::RegionFilter;

/// The regions of every account of a run.
#[derive(Debug)]
pub(crate) struct Regions {
    engine: Arc<Engine>,
    caller: Caller,
    filter: RegionFilter,
    /// Whether the caller is the management account, which may ask for its members.
    management: OnceLock<bool>,
    members: Mutex<Members>,
    warnings: UnboundedSender<Warning>,
    warned: std::sync::atomic::AtomicBool,
}

/// Whether asking for members works: it needs trusted access for account management.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Members {
    Untried,
    Trying,
    Allowed,
    Denied,
}

impl Regions {
    pub(crate) fn new(
        engine: Arc<Engine>,
        caller: Caller,
        filter: RegionFilter,
        warnings: UnboundedSender<Warning>,
    ) -> Self {
        Self {
            engine,
            caller,
            filter,
            management: OnceLock::new(),
            members: Members::Untried.into(),
            warnings,
            warned: false.into(),
        }
    }

    /// Tells which account is the organization's management account, once that is known.
    pub(crate) fn set_management(&self, management: Option<AccountId>) {
        // It is told once.
        let _ = self.management.set(management == Some(self.caller.account));
    }

    fn partition(&self) -> Partition {
        self.caller.partition
    }

    /// Whether the filter can be applied without knowing which regions an account has enabled:
    /// the default regions cannot be disabled.
    fn only_default_regions(&self) -> bool {
        let defaults = self.partition().default_regions();
        !self.filter.include.is_empty()
            && self
                .filter
                .include
                .iter()
                .all(|region| defaults.contains(&region.as_str()))
    }

    fn admits(&self, region: &Region) -> bool {
        (self.filter.include.is_empty() || self.filter.include.contains(region))
            && !self.filter.exclude.contains(region)
    }

    /// The regions every account has, in the order in which to look for one that answers: where
    /// global services live first.
    pub(crate) fn everywhere(&self) -> Vec<Region> {
        let home = self.partition().home_region();
        let others = self.partition().default_regions().iter();
        std::iter::once(home.clone())
            .chain(
                others
                    .map(|region| Region::new(region))
                    .filter(|region| *region != home),
            )
            .filter(|region| self.admits(region))
            .collect()
    }

    /// The enabled regions of an account that the filter admits, the partition's home region
    /// first.
    pub(crate) async fn of(&self, account: AccountId) -> Result<Vec<Region>, Stopped> {
        if self.only_default_regions() {
            return Ok(self.everywhere());
        }
        let enabled = match self.known(account) {
            Some(regions) => Some(enabled(&regions)),
            None => self.enabled(account).await?,
        };
        let Some(mut regions) = enabled else {
            if !self.warned.swap(true, std::sync::atomic::Ordering::Relaxed) {
                self.warn(
                    WarningCode::DefaultRegions,
                    format!(
                        "the regions of account {account} cannot be listed: the default regions \
                         are swept, here and wherever that is so"
                    ),
                );
            }
            return Ok(self.everywhere());
        };
        let home = self.partition().home_region();
        regions.retain(|region| self.admits(region));
        regions.sort_by_key(|region| (*region != home, region.clone()));
        regions.dedup();
        Ok(regions)
    }

    /// The enabled regions of an account; `None` when nobody may know.
    async fn enabled(&self, account: AccountId) -> Result<Option<Vec<Region>>, Stopped> {
        let itself = self.request(account, None);
        if account == self.caller.account {
            return self.list(&itself).await.map(Result::ok);
        }
        if self.management.get() == Some(&true) {
            let for_member = self.request(self.caller.account, Some(account));
            let ask = Ask::Evidence(for_member.call.clone());
            let pacer = &self.engine.sessions.caller().pacer;
            if self.may_ask_for_members() && pacer.is_free(&for_member.region, &ask) {
                match self.list(&for_member).await? {
                    Ok(regions) => {
                        self.set_members(Members::Allowed);
                        return Ok(Some(regions));
                    }
                    Err(ErrorClass::Denied | ErrorClass::Invalid | ErrorClass::Other) => {
                        if self.set_members(Members::Denied) != Members::Denied {
                            self.warn(
                                WarningCode::RegionsDenied,
                                "the management account may not list regions for members: each \
                                 member is asked itself"
                                    .to_owned(),
                            );
                        }
                    }
                    Err(_) => {
                        self.set_members(Members::Untried);
                    }
                }
            }
        }
        self.list(&itself).await.map(Result::ok)
    }

    /// While the first answer is awaited, nobody else tries, so that a denial happens once.
    fn may_ask_for_members(&self) -> bool {
        let mut members = self.members.lock().unwrap_or_else(PoisonError::into_inner);
        match *members {
            Members::Untried => {
                *members = Members::Trying;
                true
            }
            Members::Allowed => true,
            Members::Trying | Members::Denied => false,
        }
    }

    fn set_members(&self, new: Members) -> Members {
        let mut members = self.members.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut *members, new)
    }

    fn request(&self, account: AccountId, member: Option<AccountId>) -> Request {
        Request {
            account,
            region: self.caller.region.clone(),
            call: Call::ListRegions { account: member },
        }
    }

    /// What evidence says of an account's regions.
    fn known(&self, account: AccountId) -> Option<Arc<[RegionOption]>> {
        let evidence = self.engine.transport.recorder.evidence();
        evidence.reader().regions(account).map(Arc::clone)
    }

    async fn list(&self, request: &Request) -> Result<Result<Vec<Region>, ErrorClass>, Stopped> {
        // A resumed run knows that this failed.
        if self.engine.knows(request) {
            return Ok(Err(ErrorClass::Denied));
        }
        match self.engine.fetch(request, &mut |_| ()).await {
            Ok(()) => {
                let account = match request.call {
                    Call::ListRegions { account } => account.unwrap_or(request.account),
                    _ => request.account,
                };
                // Recorded as an answer that is not what its API documents.
                let known = self.known(account).ok_or(ErrorClass::Other);
                Ok(known.map(|regions| enabled(&regions)))
            }
            Err(End::Failed(failure)) => Ok(Err(failure.error.class)),
            // It was refused wherever it was asked.
            Err(End::NeverAsked) => Ok(Err(ErrorClass::Denied)),
            Err(End::Stopped) => Err(Stopped),
        }
    }

    fn warn(&self, code: WarningCode, message: String) {
        // The receiver lives as long as the run.
        let _ = self.warnings.send(Warning { code, message });
    }

    /// Checks that the regions of the filter exist, by the caller's own list where the filter
    /// names more than the default regions.
    pub(crate) async fn check_filter(&self) -> Result<(), DiscoveryEnd> {
        let defaults = self.partition().default_regions();
        let unusual: BTreeSet<&Region> = self
            .filter
            .include
            .union(&self.filter.exclude)
            .filter(|region| !defaults.contains(&region.as_str()))
            .collect();
        if unusual.is_empty() {
            return Ok(());
        }
        let request = self.request(self.caller.account, None);
        if self.known(self.caller.account).is_some() || self.engine.knows(&request) {
            // The first run has checked the same filter.
            return Ok(());
        }
        let mut existing = BTreeSet::new();
        match self.engine.fetch(&request, &mut |_| ()).await {
            Ok(()) => {
                let regions = self.known(self.caller.account);
                let regions = regions.iter().flat_map(|regions| regions.iter());
                existing.extend(regions.map(|region| region.region_name.clone()));
            }
            Err(End::Stopped) => return Err(DiscoveryEnd::Stopped),
            // Without the list, a name of the right form has the benefit of the doubt.
            Err(End::Failed(_) | End::NeverAsked) => {
                existing.extend(
                    unusual
                        .iter()
                        .filter(|region| plausible(region))
                        .map(|r| (*r).clone()),
                );
            }
        }
        match unusual
            .into_iter()
            .find(|region| !existing.contains(region))
        {
            None => Ok(()),
            Some(unknown) => Err(ScanError::UnknownRegion {
                region: unknown.to_string(),
                partition: self.partition().to_string(),
            }
            .into()),
        }
    }
}

/// The regions in which calls can succeed.
fn enabled(regions: &[RegionOption]) -> Vec<Region> {
    let enabled = regions.iter().filter(|region| region.is_enabled());
    enabled.map(|region| region.region_name.clone()).collect()
}

/// Whether a text has the form of a region name: `xx-direction-1`, `us-gov-direction-1`.
fn plausible(region: &Region) -> bool {
    let parts: Vec<&str> = region.as_str().split('-').collect();
    match parts.split_last() {
        Some((number, [first, rest @ ..])) if !rest.is_empty() => {
            number.parse::<u8>().is_ok()
                && (2..=4).contains(&first.len())
                && std::iter::once(first)
                    .chain(rest)
                    .all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase()))
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn region_names_have_a_form() {
        for name in [
            "eu-central-2",
            "ap-southeast-7",
            "us-gov-west-1",
            "mx-central-1",
        ] {
            assert!(plausible(&Region::new(name)), "{name}");
        }
        for name in [
            "",
            "eu",
            "eu-central",
            "nowhere",
            "EU-CENTRAL-1",
            "eu-central-x",
            "1-2-3",
        ] {
            assert!(!plausible(&Region::new(name)), "{name}");
        }
    }
}
