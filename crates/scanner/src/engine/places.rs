//! The places of calls in flight. How many are taken follows from what the network needs, which is
//! how often calls are made times how long they take; the places are only where that ends, because
//! no more connections may be open or memory is used up.
//!
//! One endpoint, which is a service in a region, takes at most half of them: one that does not answer
//! keeps its calls in flight for a long time, and must not keep those of others waiting.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, SemaphorePermit};
use tokio::time::Instant;
use trailproof_core::account::Region;

/// With fewer places no endpoint has a limit of its own: somebody wants few calls.
const FEW: usize = 32;

/// The places of calls in flight, and how far away endpoints are.
#[derive(Debug)]
pub(crate) struct Places {
    all: Semaphore,
    /// The place that is kept for listing accounts, which all accounts wait for: behind a thousand
    /// other calls, each page would come late. `None` when there is only one place.
    listing: Option<Semaphore>,
    /// How many of all one endpoint may have.
    share: usize,
    endpoints: Mutex<HashMap<&'static str, HashMap<Region, Endpoint>>>,
}

/// A service in a region.
#[derive(Debug)]
struct Endpoint {
    places: Arc<Semaphore>,
    /// The shortest time in which it answered.
    quickest: Option<Duration>,
}

/// A place that is taken, until it is dropped.
#[derive(Debug)]
pub(crate) struct Place<'a> {
    since: Instant,
    _of_all: Option<SemaphorePermit<'a>>,
    _of_endpoint: Option<OwnedSemaphorePermit>,
}

impl Place<'_> {
    /// How long it has been taken.
    pub(crate) fn taken_for(&self) -> Duration {
        self.since.elapsed()
    }
}

impl Places {
    /// So many, at least one.
    pub(crate) fn new(count: usize) -> Self {
        let kept = usize::from(count > 1);
        let others = count.saturating_sub(kept).max(1);
        Self {
            all: Semaphore::new(others),
            listing: (kept > 0).then(|| Semaphore::new(kept)),
            share: (others / 2).max(FEW),
            endpoints: Mutex::default(),
        }
    }

    /// Waits for a place at an endpoint, and then for one of all, so that nobody who waits for an
    /// endpoint keeps another one waiting.
    pub(crate) async fn take(&self, service: &'static str, region: &Region) -> Place<'_> {
        let places = self.with(service, region, |endpoint| Arc::clone(&endpoint.places));
        // The semaphores are never closed.
        let of_endpoint = places.acquire_owned().await.ok();
        Place {
            _of_all: self.all.acquire().await.ok(),
            _of_endpoint: of_endpoint,
            since: Instant::now(),
        }
    }

    /// Waits for a place for listing accounts.
    pub(crate) async fn take_for_listing(&self) -> Place<'_> {
        Place {
            _of_all: self
                .listing
                .as_ref()
                .unwrap_or(&self.all)
                .acquire()
                .await
                .ok(),
            _of_endpoint: None,
            since: Instant::now(),
        }
    }

    /// An endpoint answered after a time.
    pub(crate) fn answered(&self, service: &'static str, region: &Region, took: Duration) {
        self.with(service, region, |endpoint| {
            let quickest = endpoint
                .quickest
                .map_or(took, |quickest| quickest.min(took));
            endpoint.quickest = Some(quickest);
        });
    }

    /// Puts the regions first in which a service takes longest to answer, so that they are under way
    /// while the others are asked. Where it has not answered yet comes last: it may never do.
    pub(crate) fn farthest_first(&self, service: &str, regions: &mut [Region]) {
        let endpoints = self
            .endpoints
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let Some(known) = endpoints.get(service) else {
            return;
        };
        let quickest = |region: &Region| known.get(region).and_then(|endpoint| endpoint.quickest);
        regions.sort_by_key(|region| std::cmp::Reverse(quickest(region).unwrap_or_default()));
    }

    fn with<T>(
        &self,
        service: &'static str,
        region: &Region,
        act: impl FnOnce(&mut Endpoint) -> T,
    ) -> T {
        let mut endpoints = self
            .endpoints
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let of_service = endpoints.entry(service).or_default();
        if let Some(endpoint) = of_service.get_mut(region) {
            return act(endpoint);
        }
        act(of_service
            .entry(region.clone())
            .or_insert_with(|| Endpoint {
                places: Arc::new(Semaphore::new(self.share)),
                quickest: None,
            }))
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;

    use super::*;

    fn region(name: &str) -> Region {
        Region::new(name)
    }

    const SERVICE: &str = "cloudtrail";

    /// How many places are free for a service in a region right now.
    fn free<'a>(places: &'a Places, name: &str) -> Vec<Place<'a>> {
        let region = region(name);
        std::iter::from_fn(|| places.take(SERVICE, &region).now_or_never()).collect()
    }

    #[test]
    fn one_endpoint_leaves_half_of_the_places() {
        let places = Places::new(201);
        let stalled = free(&places, "stalled");
        assert_eq!(stalled.len(), 100);
        let others = free(&places, "other");
        assert_eq!(others.len(), 100);
        assert!(free(&places, "third").is_empty());
        drop(stalled);
        assert_eq!(free(&places, "third").len(), 100);
        assert!(places.take_for_listing().now_or_never().is_some());
    }

    #[test]
    fn few_places_are_anybodys() {
        for (count, all) in [(1, 1), (2, 1), (20, 19)] {
            let places = Places::new(count);
            assert_eq!(free(&places, "one").len(), all);
        }
    }

    #[test]
    fn far_regions_come_first() {
        let places = Places::new(100);
        for (name, milliseconds) in [("far", 200), ("near", 5), ("middle", 90), ("near", 50)] {
            places.answered(SERVICE, &region(name), Duration::from_millis(milliseconds));
        }
        let mut regions = ["near", "middle", "unknown", "far"].map(region);
        places.farthest_first(SERVICE, &mut regions);
        assert_eq!(regions, ["far", "middle", "near", "unknown"].map(region));
    }
}
