//! Counting requests.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::outcome::{SessionUse, Statistics};
use crate::permissions::SessionForm;

/// Counters that every task adds to.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    calls: Mutex<BTreeMap<&'static str, u64>>,
    throttles: AtomicU64,
    retries: AtomicU64,
    errors: AtomicU64,
    reused: AtomicU64,
    /// By role, as the user wrote it, and by what limited its sessions.
    entered: Mutex<BTreeMap<(Arc<str>, SessionForm), usize>>,
}

impl Tally {
    pub(crate) fn sent(&self, operation: &'static str) {
        let mut calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        *calls.entry(operation).or_default() += 1;
    }

    pub(crate) fn throttled(&self) {
        self.throttles.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn retried(&self) {
        self.retries.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn failed(&self) {
        self.errors.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn reused(&self) {
        self.reused.fetch_add(1, Ordering::Relaxed);
    }

    /// An account was entered for the first time.
    pub(crate) fn entered(&self, role: &Arc<str>, form: SessionForm) {
        let mut entered = self.entered.lock().unwrap_or_else(PoisonError::into_inner);
        *entered.entry((Arc::clone(role), form)).or_default() += 1;
    }

    /// The roles that let in.
    pub(crate) fn sessions(&self) -> Vec<SessionUse> {
        let entered = self.entered.lock().unwrap_or_else(PoisonError::into_inner);
        entered
            .iter()
            .map(|((role, session_policy), accounts)| SessionUse {
                role: role.to_string(),
                session_policy: *session_policy,
                accounts: *accounts,
            })
            .collect()
    }

    /// Writes the counters down.
    pub(crate) fn fill(&self, statistics: &mut Statistics) {
        let calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        statistics.calls = calls.values().sum();
        statistics.calls_by_operation = calls
            .iter()
            .map(|(operation, count)| ((*operation).to_owned(), *count))
            .collect();
        statistics.throttles = self.throttles.load(Ordering::Relaxed);
        statistics.retries = self.retries.load(Ordering::Relaxed);
        statistics.errors = self.errors.load(Ordering::Relaxed);
        statistics.reused = self.reused.load(Ordering::Relaxed);
    }
}
