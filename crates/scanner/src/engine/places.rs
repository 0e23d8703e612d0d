//! The places of calls in flight. How many are taken follows from what the network needs, which is
//! how often calls are made times how long they take; the places are only where that ends, because
//! no more connections may be open or memory is used up.
//!
//! One endpoint, which is a service in a region, has as many of them as calls are in flight to it when
//! [`RATE`] are made each second, by how long it takes to answer: more would only make connections that
//! are used once, at a millisecond of processor time and some 100 KiB each. It never has more than
//! connections may be open to it, nor more than half of all: one that does not answer keeps its
//! calls in flight for a long time, and must not keep those of others waiting.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, SemaphorePermit};
use trailproof_core::account::Region;

/// With fewer places no endpoint has a limit of its own: somebody wants few calls.
const FEW: usize = 32;

/// The places of an endpoint before it has answered, and when it answers at once.
const FIRST: usize = 16;

/// How many calls a second can be made to one endpoint: half as many again as accounts are listed.
const RATE: f64 = 240.0;

/// How many places an answer adds at most.
const STEP: usize = 2;

/// The places of calls in flight, and how far away endpoints are.
#[derive(Debug)]
pub(crate) struct Places {
    all: Semaphore,
    /// The place that is kept for listing accounts, which all accounts wait for: behind a thousand
    /// other calls, each page would come late. `None` when there is only one place.
    listing: Option<Semaphore>,
    /// How many of all one endpoint may have.
    share: usize,
    /// Whether answers are seen as soon as they come. Else they seem to come from far away, and
    /// endpoints would be given more places the less there is time for more calls.
    prompt: AtomicBool,
    endpoints: Mutex<HashMap<&'static str, HashMap<Region, Endpoint>>>,
}

/// A service in a region.
#[derive(Debug)]
struct Endpoint {
    places: Arc<Semaphore>,
    /// How many there are.
    count: usize,
    /// How often it answered.
    answers: usize,
    /// The shortest time in which it answered.
    quickest: Option<Duration>,
}

/// A place that is taken, until it is dropped.
#[derive(Debug)]
pub(crate) struct Place<'a> {
    _of_all: Option<SemaphorePermit<'a>>,
    _of_endpoint: Option<OwnedSemaphorePermit>,
}

impl Places {
    /// So many, at least one, of which an endpoint has no more than its connections.
    pub(crate) fn new(count: usize, connections: usize) -> Self {
        let kept = usize::from(count > 1);
        let others = count.saturating_sub(kept).max(1);
        Self {
            all: Semaphore::new(others),
            listing: (kept > 0).then(|| Semaphore::new(kept)),
            share: (others / 2).max(FEW).min(connections),
            prompt: AtomicBool::new(true),
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
        }
    }

    /// An endpoint answered after a time.
    pub(crate) fn answered(&self, service: &'static str, region: &Region, took: Duration) {
        let prompt = self.prompt.load(Ordering::Relaxed);
        self.with(service, region, |endpoint| {
            endpoint.answered(took, prompt, self.share);
        });
    }

    /// Says whether the processor keeps up with what there is to do.
    pub(crate) fn processor_keeps_up(&self, prompt: bool) {
        self.prompt.store(prompt, Ordering::Relaxed);
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
            .or_insert_with(|| Endpoint::new(FIRST.min(self.share))))
    }
}

impl Endpoint {
    fn new(count: usize) -> Self {
        Self {
            places: Arc::new(Semaphore::new(count)),
            count,
            answers: 0,
            quickest: None,
        }
    }

    /// Adds or takes away places, by the time that an answer took.
    fn answered(&mut self, took: Duration, prompt: bool, most: usize) {
        let quickest = self.quickest.map_or(took, |quickest| quickest.min(took));
        self.quickest = Some(quickest);
        self.answers += 1;
        // The first came over connections that had to be made, which tells nothing of the distance.
        if self.answers <= FIRST {
            return;
        }
        let needed = (RATE * quickest.as_secs_f64()).ceil();
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a time is positive, and too large a number becomes the largest"
        )]
        let needed = (needed as usize).max(FIRST).min(most);
        if let Some(more) = needed.checked_sub(self.count) {
            let more = if prompt { more.min(STEP) } else { 0 };
            self.places.add_permits(more);
            self.count += more;
        } else {
            // Those that are taken stay, for now.
            self.count -= self.places.forget_permits(self.count - needed);
        }
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
    const MANY: usize = 1000;

    /// How many places are free for a service in a region right now.
    fn free<'a>(places: &'a Places, name: &str) -> Vec<Place<'a>> {
        let region = region(name);
        std::iter::from_fn(|| places.take(SERVICE, &region).now_or_never()).collect()
    }

    /// Lets an endpoint answer so often, each time after so long.
    fn answer(places: &Places, name: &str, times: usize, milliseconds: u64) {
        for _ in 0..times {
            places.answered(SERVICE, &region(name), Duration::from_millis(milliseconds));
        }
    }

    #[test]
    fn one_endpoint_leaves_half_of_the_places() {
        let places = Places::new(201, MANY);
        for name in ["stalled", "other", "third"] {
            answer(&places, name, 200, 5000);
        }
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
    fn the_farther_the_more_places() {
        let places = Places::new(1000, MANY);
        for (milliseconds, count) in [(0, FIRST), (30, FIRST), (100, 24), (250, 60)] {
            let name = milliseconds.to_string();
            answer(&places, &name, 100, milliseconds);
            assert_eq!(free(&places, &name).len(), count, "{milliseconds} ms");
        }
    }

    #[test]
    fn places_follow_the_distance() {
        let places = Places::new(1000, MANY);
        assert_eq!(free(&places, "one").len(), FIRST);
        answer(&places, "one", FIRST, 750);
        assert_eq!(free(&places, "one").len(), FIRST);
        answer(&places, "one", 1, 750);
        assert_eq!(free(&places, "one").len(), FIRST + STEP);
        answer(&places, "one", 200, 750);
        assert_eq!(free(&places, "one").len(), 180);
        places.processor_keeps_up(false);
        answer(&places, "two", 200, 750);
        assert_eq!(free(&places, "two").len(), FIRST);
        // One that came sooner says how far away it is.
        answer(&places, "one", 1, 250);
        assert_eq!(free(&places, "one").len(), 60);
    }

    #[test]
    fn no_call_waits_for_a_connection() {
        let places = Places::new(1000, 64);
        answer(&places, "one", 100, 1000);
        assert_eq!(free(&places, "one").len(), 64);
        assert_eq!(free(&Places::new(20, 6), "one").len(), 6);
    }

    #[test]
    fn few_places_are_anybodys() {
        for (count, all) in [(1, 1), (2, 1), (12, 11)] {
            let places = Places::new(count, MANY);
            assert_eq!(free(&places, "one").len(), all);
        }
    }

    #[test]
    fn far_regions_come_first() {
        let places = Places::new(100, MANY);
        for (name, milliseconds) in [("far", 200), ("near", 5), ("middle", 90), ("near", 50)] {
            places.answered(SERVICE, &region(name), Duration::from_millis(milliseconds));
        }
        let mut regions = ["near", "middle", "unknown", "far"].map(region);
        places.farthest_first(SERVICE, &mut regions);
        assert_eq!(regions, ["far", "middle", "near", "unknown"].map(region));
    }
}
