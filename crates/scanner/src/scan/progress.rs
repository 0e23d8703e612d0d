//! Counting what the run has done.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::Instant;
use trailproof_core::account::AccountId;
use trailproof_core::evidence::{CallError, Operation};
use trailproof_core::finding::Status;

use crate::engine::Tally;
use crate::event::{ScanEvent, Warning, WarningCode};
use crate::outcome::{DeniedAccount, FoundAccount, SlowAccount, Statistics};

/// How many slow accounts are remembered.
const SLOWEST: usize = 10;

/// What the run has done so far.
#[derive(Debug)]
pub(super) struct Progress {
    began: Instant,
    found: usize,
    done: usize,
    regions_found: usize,
    regions_done: usize,
    slowest: Vec<SlowAccount>,
    refused: BTreeMap<AccountId, CallError>,
}

impl Progress {
    pub(super) fn new() -> Self {
        Self {
            began: Instant::now(),
            found: 0,
            done: 0,
            regions_found: 0,
            regions_done: 0,
            slowest: Vec::new(),
            refused: BTreeMap::new(),
        }
    }

    pub(super) fn found(&mut self, accounts: usize) {
        self.found = accounts;
    }

    pub(super) fn see(&mut self, event: &ScanEvent) {
        match event {
            ScanEvent::RegionsFound { regions, .. } => self.regions_found += regions,
            ScanEvent::RegionDone { .. } => self.regions_done += 1,
            _ => {}
        }
    }

    pub(super) fn refused(&mut self, account: AccountId, error: Option<CallError>) {
        if let Some(error) = error {
            self.refused.insert(account, error);
        }
    }

    pub(super) fn done(
        &mut self,
        account: &FoundAccount,
        statuses: Vec<Status>,
        elapsed: Duration,
    ) -> ScanEvent {
        self.done += 1;
        let slow = SlowAccount {
            account: account.id,
            elapsed,
        };
        let place = self
            .slowest
            .partition_point(|slower| slower.elapsed >= elapsed);
        self.slowest.insert(place, slow);
        self.slowest.truncate(SLOWEST);
        ScanEvent::AccountDone {
            account: account.id,
            name: account.name.clone(),
            statuses,
            elapsed,
            done: self.done,
        }
    }

    /// The counters.
    pub(super) fn statistics(&self, tally: &Tally) -> Statistics {
        let mut statistics = Statistics {
            accounts_found: self.found,
            accounts_done: self.done,
            regions_found: self.regions_found,
            regions_done: self.regions_done,
            elapsed: self.began.elapsed(),
            ..Statistics::default()
        };
        tally.fill(&mut statistics);
        statistics
    }

    /// What is worth saying about the run as a whole.
    pub(super) fn warnings(
        &self,
        accounts: &[FoundAccount],
        caller: AccountId,
        complete: bool,
    ) -> Vec<Warning> {
        let mut warnings = Vec::new();
        if accounts.is_empty() && complete {
            warnings.push(Warning {
                code: WarningCode::NoAccounts,
                message: "no account is left to scan".to_owned(),
            });
        }
        let mut entered = accounts
            .iter()
            .filter(|account| account.active && account.id != caller)
            .peekable();
        if entered.peek().is_some()
            && entered.all(|account| self.refused.contains_key(&account.id))
            && let Some(error) = self.refused.values().next()
        {
            warnings.push(Warning {
                code: WarningCode::NoRoleAssumed,
                message: format!(
                    "the role could not be assumed in any account: {}: {}",
                    error.code, error.message
                ),
            });
        }
        warnings
    }

    /// The counters at the end.
    pub(super) fn finish(self, tally: &Tally) -> Statistics {
        let mut statistics = self.statistics(tally);
        statistics.slowest = self.slowest;
        statistics.denied = self
            .refused
            .into_iter()
            .map(|(account, error)| DeniedAccount {
                account,
                operation: Operation::AssumeRole,
                error,
            })
            .collect();
        statistics
    }
}
