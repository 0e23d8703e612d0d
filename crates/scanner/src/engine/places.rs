//! The places of calls in flight. How many are taken follows from what the network needs, which is
//! how often calls are made times how long they take; the places are only where that ends, because
//! no more connections may be open or memory is used up.
//!
//! One endpoint, which is a service in a region, takes at most half of them: one that does not answer
//! keeps its calls in flight for a long time, and must not keep those of others waiting. It begins
//! with few and takes more while calls wait longer than a new connection would take: three round
//! trips until its first answer, two more than an open one, and a good part of a millisecond of
//! processor time at both ends. So a burst shares the connections that there are. When answers come
//! much later than the endpoint is far, more calls would not be answered sooner: what they wait for
//! is a processor, here or there.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, SemaphorePermit};
use tokio::time::Instant;
use trailproof_core::account::Region;

/// With fewer places no endpoint has a limit of its own: somebody wants few calls.
const FEW: usize = 32;

/// How many an endpoint begins with: enough for 160 calls a second, at which an organization lists
/// its accounts, where a round trip takes 100 ms.
const FIRST: usize = 16;

/// What a new connection takes longer than an open one, in round trips.
const GREETING: u32 = 2;

/// How long a call may wait for an open connection in any case: nobody notices less.
const PATIENCE: Duration = Duration::from_millis(100);

/// The places of calls in flight, and how far away endpoints are.
#[derive(Debug)]
pub(crate) struct Places {
    all: Semaphore,
    /// The place that is kept for listing accounts, which all accounts wait for: behind a thousand
    /// other calls, each page would come late. `None` when there is only one place.
    listing: Option<Semaphore>,
    /// How many of all one endpoint may have.
    share: usize,
    /// How many of them it begins with.
    first: usize,
    endpoints: Mutex<HashMap<&'static str, HashMap<Region, Endpoint>>>,
}

/// A service in a region.
#[derive(Debug)]
struct Endpoint {
    places: Arc<Semaphore>,
    /// How many places it has, taken or free.
    count: usize,
    /// The shortest time in which it answered.
    quickest: Option<Duration>,
    /// How long it takes at the moment: the mean of its latest answers.
    recent: Option<Duration>,
}

impl Endpoint {
    /// It answered after a time.
    fn answered(&mut self, took: Duration) {
        self.quickest = Some(self.quickest.map_or(took, |quickest| quickest.min(took)));
        self.recent = Some(self.recent.map_or(took, |recent| (recent * 7 + took) / 8));
    }

    /// Whether a call that waited so long should have had a connection of its own.
    fn needs_more(&self, waited: Duration) -> bool {
        let far = self.quickest.unwrap_or_default();
        let recent = self.recent.unwrap_or_default();
        waited > PATIENCE.max(far * GREETING) && recent <= far * (1 + GREETING) + PATIENCE / 2
    }
}

/// A place that is taken, until it is dropped.
#[derive(Debug)]
pub(crate) struct Place<'a> {
    _of_all: Option<SemaphorePermit<'a>>,
    _of_endpoint: Option<OwnedSemaphorePermit>,
}

impl Place<'_> {
    /// Gives it to the next call once the connection is back among the free ones, which tasks of the
    /// HTTP client see to: before that, the next call would open a connection of its own.
    pub(crate) async fn free(self) {
        const TASKS: usize = 2;
        for _ in 0..TASKS {
            tokio::task::yield_now().await;
        }
    }
}

impl Places {
    /// So many, at least one.
    pub(crate) fn new(count: usize) -> Self {
        let kept = usize::from(count > 1);
        let others = count.saturating_sub(kept).max(1);
        let share = (others / 2).max(FEW);
        Self {
            all: Semaphore::new(others),
            listing: (kept > 0).then(|| Semaphore::new(kept)),
            share,
            first: if share > FEW { FIRST } else { share },
            endpoints: Mutex::default(),
        }
    }

    /// Waits for a place at an endpoint, and then for one of all, so that nobody who waits for an
    /// endpoint keeps another one waiting.
    pub(crate) async fn take(&self, service: &'static str, region: &Region) -> Place<'_> {
        let places = self.with(service, region, |endpoint| Arc::clone(&endpoint.places));
        let of_endpoint = if let Ok(place) = Arc::clone(&places).try_acquire_owned() {
            Some(place)
        } else {
            let waiting = Instant::now();
            // The semaphores are never closed.
            let place = places.acquire_owned().await.ok();
            self.waited(service, region, waiting.elapsed());
            place
        };
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

    /// A call waited so long for a place at an endpoint: too long, and the next ones have one more.
    fn waited(&self, service: &'static str, region: &Region, time: Duration) {
        self.with(service, region, |endpoint| {
            if endpoint.needs_more(time) && endpoint.count < self.share {
                endpoint.count += 1;
                endpoint.places.add_permits(1);
            }
        });
    }

    /// An endpoint answered after a time.
    pub(crate) fn answered(&self, service: &'static str, region: &Region, took: Duration) {
        self.with(service, region, |endpoint| endpoint.answered(took));
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
                places: Arc::new(Semaphore::new(self.first)),
                count: self.first,
                quickest: None,
                recent: None,
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
    fn an_endpoint_begins_with_few_places() {
        let places = Places::new(201);
        let stalled = free(&places, "stalled");
        assert_eq!(stalled.len(), FIRST);
        assert_eq!(free(&places, "other").len(), FIRST);
        assert!(places.take_for_listing().now_or_never().is_some());
    }

    #[test]
    fn an_endpoint_takes_more_while_calls_wait_too_long_for_it() {
        let places = Places::new(401);
        let far = region("far");
        let milliseconds = Duration::from_millis;
        let waited = |time| places.waited(SERVICE, &far, milliseconds(time));
        // How far away it is nobody knows yet, but that it is slow is known.
        waited(100);
        assert_eq!(free(&places, "far").len(), FIRST);
        waited(101);
        assert_eq!(free(&places, "far").len(), FIRST + 1);
        places.answered(SERVICE, &far, milliseconds(200));
        // With a connection of its own it would have waited as long.
        waited(400);
        assert_eq!(free(&places, "far").len(), FIRST + 1);
        for _ in 0..1000 {
            waited(401);
        }
        // One endpoint leaves half of all.
        assert_eq!(free(&places, "far").len(), 200);
        assert_eq!(free(&places, "other").len(), FIRST);
    }

    #[test]
    fn more_calls_do_not_help_where_a_processor_is_waited_for() {
        let places = Places::new(401);
        let near = region("near");
        let milliseconds = Duration::from_millis;
        places.answered(SERVICE, &near, milliseconds(6));
        for _ in 0..20 {
            places.answered(SERVICE, &near, milliseconds(300));
        }
        places.waited(SERVICE, &near, milliseconds(500));
        assert_eq!(free(&places, "near").len(), FIRST);
        for _ in 0..20 {
            places.answered(SERVICE, &near, milliseconds(20));
        }
        places.waited(SERVICE, &near, milliseconds(500));
        assert_eq!(free(&places, "near").len(), FIRST + 1);
    }

    #[tokio::test]
    async fn who_waits_gets_the_place_of_another() {
        let places = Places::new(201);
        let taken = free(&places, "one");
        let region = region("one");
        let mut waiting = std::pin::pin!(places.take(SERVICE, &region));
        assert!(waiting.as_mut().now_or_never().is_none());
        drop(taken);
        assert!(waiting.now_or_never().is_some());
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
