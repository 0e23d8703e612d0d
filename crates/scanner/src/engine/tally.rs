//! Counting requests.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::outcome::Statistics;

/// Counters that every task adds to.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    calls: Mutex<BTreeMap<&'static str, u64>>,
    throttles: AtomicU64,
    retries: AtomicU64,
    errors: AtomicU64,
    reused: AtomicU64,
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
