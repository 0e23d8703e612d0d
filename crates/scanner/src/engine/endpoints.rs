//! Which endpoints cannot be reached, so that a region behind a firewall does not cost every
//! account the patience that an outage deserves.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use trailproof_core::account::Region;

/// How long an endpoint is waited for, counted from its first failure since it last answered.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);

/// The endpoints that did not answer when last asked.
#[derive(Debug, Default)]
pub(crate) struct Endpoints {
    down: Mutex<HashMap<(&'static str, Region), Instant>>,
    /// How many entries there are: nearly always none, and then no lock is taken.
    count: AtomicUsize,
}

/// What a failed connection tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Outage {
    /// Whether this is the first failure since the endpoint last answered.
    pub(crate) new: bool,
    /// Whether the endpoint has been waited for long enough.
    pub(crate) hopeless: bool,
}

impl Endpoints {
    pub(crate) fn failed(&self, service: &'static str, region: &Region, now: Instant) -> Outage {
        let mut down = self.down.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (service, region.clone());
        let new = !down.contains_key(&key);
        let since = *down.entry(key).or_insert(now);
        self.count.store(down.len(), Ordering::Relaxed);
        Outage {
            new,
            hopeless: now.saturating_duration_since(since) > PATIENCE,
        }
    }

    pub(crate) fn answered(&self, service: &'static str, region: &Region) {
        if self.count.load(Ordering::Relaxed) == 0 {
            return;
        }
        let mut down = self.down.lock().unwrap_or_else(PoisonError::into_inner);
        down.remove(&(service, region.clone()));
        self.count.store(down.len(), Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patience_ends_and_an_answer_renews_it() {
        let endpoints = Endpoints::default();
        let region = Region::new("us-east-1");
        let start = Instant::now();
        let first = endpoints.failed("logs", &region, start);
        assert!(first.new && !first.hopeless);
        let late = start + PATIENCE + Duration::from_secs(1);
        let later = endpoints.failed("logs", &region, late);
        assert!(!later.new && later.hopeless);
        assert!(!endpoints.failed("sns", &region, late).hopeless);
        endpoints.answered("logs", &region);
        assert!(!endpoints.failed("logs", &region, late).hopeless);
    }
}
