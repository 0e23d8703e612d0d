//! The places of calls in flight. How many are taken follows from what the network needs, which is
//! how often calls are made times how long they take; the places are only where that ends, because
//! no more connections may be open or memory is used up.
//!
//! One endpoint, which is a service in a region, has as many of them as keep up with what it is asked:
//! more would only make connections that are used once, at a millisecond of processor time and some
//! 100 KiB each, and fewer would let calls wait. That is how often it is asked, and how many wait
//! already, times how long it takes to answer; before it has answered, its silence says how far away
//! it is at least. It never has more than connections may be open to it, nor more than half of all:
//! one that does not answer keeps its calls in flight for a long time, and must not keep those of
//! others waiting.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, SemaphorePermit};
use tokio::time::Instant;
use trailproof_core::account::Region;

/// With fewer places no endpoint has a limit of its own: somebody wants few calls.
const FEW: usize = 32;

/// The places of an endpoint when it is asked first, and when it answers at once.
const FIRST: usize = 16;

/// The places of an endpoint that has never answered, at most: it may be out of reach.
const UNHEARD: usize = 64;

/// How many times there and back an answer takes over a new connection: to the proxy or the host,
/// for the handshake, and for the call itself.
const TRIPS: u32 = 3;

/// How many places there are for each call that would be in flight on average.
const HEADROOM: f64 = 1.5;

/// How soon calls that wait are to be under way, in seconds, where the answers themselves do not
/// take half as long. In less time, connections would be made that are used once.
const SOON: f64 = 0.2;

/// How long endpoints are not looked at again.
const APART: Duration = Duration::from_millis(90);

/// How much of what is known of the past a look at the present replaces. Where looks are a tenth of a
/// second apart, some two seconds count, and a hundred accounts that come at once are no rate.
const NEWS: f64 = 0.05;

/// The places of calls in flight, and how far away endpoints are.
#[derive(Debug)]
pub(crate) struct Places {
    all: Semaphore,
    /// The place that is kept for listing accounts, which all accounts wait for: behind a thousand
    /// other calls, each page would come late. `None` when there is only one place.
    listing: Option<Semaphore>,
    /// How many of all one endpoint may have.
    share: usize,
    /// Whether somebody wants few calls.
    few: bool,
    /// Whether the processor keeps up with what there is to do.
    prompt: AtomicBool,
    endpoints: Mutex<Endpoints>,
}

#[derive(Debug)]
struct Endpoints {
    by_service: HashMap<&'static str, HashMap<Region, Endpoint>>,
    looked: Option<Instant>,
}

/// A service in a region.
#[derive(Debug)]
struct Endpoint {
    door: Arc<Door>,
    /// How many places there are.
    count: usize,
    /// How often it is asked each second.
    rate: f64,
    first_asked: Instant,
    /// How many answers come over connections that had to be made: as many as calls were under way
    /// when the first came.
    fresh: Option<usize>,
    /// How often it answered.
    answers: usize,
    /// The shortest time in which it answered over a connection that was there; before any did, an
    /// estimate.
    quickest: Option<Duration>,
}

/// Where calls to an endpoint wait.
#[derive(Debug)]
struct Door {
    places: Arc<Semaphore>,
    /// Those that wait for a place.
    waiting: AtomicUsize,
    /// Those that came since somebody looked.
    came: AtomicU32,
}

/// Somebody who waits, until it is dropped.
struct Waiting<'a>(&'a Door);

impl<'a> Waiting<'a> {
    fn at(door: &'a Door) -> Self {
        door.came.fetch_add(1, Ordering::Relaxed);
        door.waiting.fetch_add(1, Ordering::Relaxed);
        Self(door)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::Relaxed);
    }
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
            few: others <= FEW,
            prompt: AtomicBool::new(true),
            endpoints: Mutex::new(Endpoints {
                by_service: HashMap::new(),
                looked: None,
            }),
        }
    }

    /// Waits for a place at an endpoint, and then for one of all, so that nobody who waits for an
    /// endpoint keeps another one waiting.
    pub(crate) async fn take(&self, service: &'static str, region: &Region) -> Place<'_> {
        let door = Arc::clone(&self.endpoints().at(service, region, self.share).door);
        let waiting = Waiting::at(&door);
        // The semaphores are never closed.
        let of_endpoint = Arc::clone(&door.places).acquire_owned().await.ok();
        drop(waiting);
        Place {
            _of_all: self.all.acquire().await.ok(),
            _of_endpoint: of_endpoint,
        }
    }

    /// Whether so few calls are wanted that no connections are opened beside theirs.
    pub(crate) fn are_few(&self) -> bool {
        self.few
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
        let mut endpoints = self.endpoints();
        endpoints.at(service, region, self.share).answered(took);
        // Whoever scans looks by the clock; others have no clock.
        self.give(&mut endpoints, Instant::now());
    }

    /// Looks at all endpoints, several times a second, also at those that are silent. Where the
    /// processor does not keep up, which `prompt` says, answers seem to come from far away and
    /// everybody waits: then none is given more places.
    pub(crate) fn look(&self, prompt: bool, now: Instant) {
        self.prompt.store(prompt, Ordering::Relaxed);
        self.give(&mut self.endpoints(), now);
    }

    /// Gives every endpoint the places that it needs, unless that was done a moment ago.
    fn give(&self, endpoints: &mut Endpoints, now: Instant) {
        let prompt = self.prompt.load(Ordering::Relaxed);
        let before = *endpoints.looked.get_or_insert(now);
        let since = now.saturating_duration_since(before);
        if since < APART {
            return;
        }
        endpoints.looked = Some(now);
        let of_services = endpoints.by_service.values_mut();
        for endpoint in of_services.flat_map(HashMap::values_mut) {
            endpoint.look(prompt, now, since, self.share);
        }
    }

    /// Puts the regions first in which a service takes longest to answer, so that they are under way
    /// while the others are asked. Where it has not answered yet comes last: it may never do.
    pub(crate) fn farthest_first(&self, service: &str, regions: &mut [Region]) {
        let endpoints = self.endpoints();
        let Some(known) = endpoints.by_service.get(service) else {
            return;
        };
        let quickest = |region: &Region| known.get(region).and_then(|endpoint| endpoint.quickest);
        regions.sort_by_key(|region| std::cmp::Reverse(quickest(region).unwrap_or_default()));
    }

    fn endpoints(&self) -> MutexGuard<'_, Endpoints> {
        self.endpoints
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl Endpoints {
    /// An endpoint, of which there may be so many places at most.
    fn at(&mut self, service: &'static str, region: &Region, most: usize) -> &mut Endpoint {
        let of_service = self.by_service.entry(service).or_default();
        of_service
            .entry(region.clone())
            .or_insert_with(|| Endpoint::new(FIRST.min(most)))
    }
}

impl Endpoint {
    fn new(count: usize) -> Self {
        let door = Door {
            places: Arc::new(Semaphore::new(count)),
            waiting: AtomicUsize::new(0),
            came: AtomicU32::new(0),
        };
        Self {
            door: Arc::new(door),
            count,
            rate: 0.0,
            first_asked: Instant::now(),
            fresh: None,
            answers: 0,
            quickest: None,
        }
    }

    fn answered(&mut self, took: Duration) {
        let under_way = self
            .count
            .saturating_sub(self.door.places.available_permits());
        let fresh = *self.fresh.get_or_insert(under_way.max(1));
        self.answers += 1;
        let took = if self.answers <= fresh {
            took / TRIPS
        } else {
            took
        };
        // The first over a connection that was there takes the place of the estimate.
        let known = self.quickest.filter(|_| self.answers != fresh + 1);
        self.quickest = Some(known.map_or(took, |quickest| quickest.min(took)));
    }

    /// Adds or takes away places, by what the endpoint was asked since the last look.
    fn look(&mut self, prompt: bool, now: Instant, since: Duration, most: usize) {
        let came = f64::from(self.door.came.swap(0, Ordering::Relaxed));
        self.rate += (came / since.as_secs_f64() - self.rate) * NEWS;
        let (distance, most) = if let Some(quickest) = self.quickest {
            (quickest, most)
        } else {
            let silence = now.saturating_duration_since(self.first_asked);
            (silence / TRIPS, most.min(UNHEARD))
        };
        let needed = self.needed(distance).clamp(FIRST.min(most), most);
        if needed < self.count {
            // Those that are taken stay, for now.
            self.count -= self.door.places.forget_permits(self.count - needed);
        } else if prompt {
            self.door.places.add_permits(needed - self.count);
            self.count = needed;
        }
    }

    /// The places that keep up with what is asked and with those who wait.
    fn needed(&self, distance: Duration) -> usize {
        let distance = distance.as_secs_f64();
        let waiting = self.door.waiting.load(Ordering::Relaxed);
        let waiting = f64::from(u32::try_from(waiting).unwrap_or(u32::MAX));
        let needed = (HEADROOM * self.rate + waiting / SOON.max(2.0 * distance)) * distance;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "nothing of it is negative, and too large a number becomes the largest"
        )]
        let needed = needed.ceil() as usize;
        needed
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;
    use futures::future::BoxFuture;

    use super::*;

    fn region(name: &str) -> Region {
        Region::new(name)
    }

    const SERVICE: &str = "cloudtrail";
    const MANY: usize = 1000;
    const TICK: Duration = Duration::from_millis(100);

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

    /// Lets so many wait for an endpoint.
    fn wait<'a>(places: &'a Places, name: &str, number: usize) -> Vec<BoxFuture<'a, Place<'a>>> {
        let mut all = Vec::new();
        for _ in 0..number {
            let region = region(name);
            let mut waiting = async move { places.take(SERVICE, &region).await }.boxed();
            assert!((&mut waiting).now_or_never().is_none(), "a place is free");
            all.push(waiting);
        }
        all
    }

    /// So many come each tenth of a second, for so many of them, take a place and give it back.
    fn ask(places: &Places, name: &str, each: usize, ticks: u32) {
        let region = region(name);
        let start = Instant::now();
        places.look(true, start);
        for tick in 1..=ticks {
            for _ in 0..each {
                assert!(places.take(SERVICE, &region).now_or_never().is_some());
            }
            places.look(true, start + TICK * tick);
        }
    }

    fn count(places: &Places, name: &str) -> usize {
        places.endpoints().at(SERVICE, &region(name), MANY).count
    }

    #[test]
    fn one_endpoint_leaves_half_of_the_places() {
        let places = Places::new(201, MANY);
        let (mut taken, mut waiting) = (Vec::new(), Vec::new());
        for name in ["stalled", "other", "third"] {
            answer(&places, name, 200, 5000);
            taken.extend(free(&places, name));
            waiting.extend(wait(&places, name, 500));
        }
        places.look(true, Instant::now() + TICK);
        drop((taken, waiting));
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
    fn places_follow_the_distance_and_the_demand() {
        for (milliseconds, each, expected) in [
            (0, 48, FIRST),
            (6, 16, FIRST),
            (6, 480, 44),
            (30, 16, FIRST),
            (30, 48, 22),
            (250, 16, 60),
            (250, 1, FIRST),
        ] {
            let places = Places::new(1000, MANY);
            answer(&places, "one", 100, milliseconds);
            ask(&places, "one", each, 200);
            let found = count(&places, "one");
            assert_eq!(
                found, expected,
                "{each} each 100 ms, {milliseconds} ms away"
            );
        }
    }

    #[test]
    fn those_who_wait_are_soon_under_way() {
        for (milliseconds, waiting, expected) in
            [(6, 92, FIRST), (30, 200, 30), (250, 92, 46), (250, 900, 64)]
        {
            let places = Places::new(1000, 64);
            answer(&places, "one", 100, milliseconds);
            let taken = free(&places, "one");
            let queue = wait(&places, "one", waiting);
            let now = Instant::now();
            // What came so far is not what comes each second.
            places.look(true, now);
            let door = Arc::clone(&places.endpoints().at(SERVICE, &region("one"), MANY).door);
            door.came.store(0, Ordering::Relaxed);
            places.look(true, now + TICK);
            assert_eq!(count(&places, "one"), expected, "{milliseconds} ms away");
            drop((taken, queue));
            // Nobody waits any more, and nobody comes.
            for tick in 2..30 {
                places.look(true, now + TICK * tick);
            }
            assert_eq!(free(&places, "one").len(), FIRST);
        }
    }

    #[test]
    fn silence_is_distance() {
        let places = Places::new(1000, MANY);
        let taken = free(&places, "silent");
        assert_eq!(taken.len(), FIRST);
        let waiting = wait(&places, "silent", 92);
        let now = Instant::now();
        places.look(true, now);
        let mut before = FIRST;
        for ticks in [1..7, 7..10, 10..13] {
            for tick in ticks.clone() {
                places.look(true, now + TICK * tick);
            }
            let found = count(&places, "silent");
            assert!(found > before, "{found} after {ticks:?}");
            before = found;
        }
        // It may be out of reach.
        for tick in 13..200 {
            places.look(true, now + TICK * tick);
        }
        assert_eq!(count(&places, "silent"), UNHEARD);
        drop(waiting);
    }

    /// Answers over connections that had to be made took three times as long as the distance, and
    /// are only believed until others come.
    #[test]
    fn new_connections_are_no_distance() {
        let places = Places::new(1000, MANY);
        let distance = || {
            places
                .endpoints()
                .at(SERVICE, &region("one"), MANY)
                .quickest
        };
        let under_way = free(&places, "one");
        answer(&places, "one", FIRST, 90);
        drop(under_way);
        assert_eq!(distance(), Some(Duration::from_millis(30)));
        answer(&places, "one", 1, 40);
        assert_eq!(distance(), Some(Duration::from_millis(40)));
        answer(&places, "one", 1, 35);
        assert_eq!(distance(), Some(Duration::from_millis(35)));
        answer(&places, "one", 1, 400);
        assert_eq!(distance(), Some(Duration::from_millis(35)));
    }

    #[test]
    fn a_busy_processor_gives_no_places() {
        let places = Places::new(1000, MANY);
        answer(&places, "one", 100, 250);
        let taken = free(&places, "one");
        let waiting = wait(&places, "one", 92);
        let now = Instant::now();
        places.look(true, now);
        places.look(false, now + TICK);
        assert_eq!(count(&places, "one"), FIRST);
        places.look(true, now + TICK * 2);
        assert!(count(&places, "one") > FIRST);
        drop((taken, waiting));
    }

    #[test]
    fn few_places_are_anybodys() {
        for (count, all) in [(1, 1), (2, 1), (6, 5)] {
            let places = Places::new(count, MANY);
            assert_eq!(free(&places, "one").len(), all);
        }
        assert_eq!(free(&Places::new(20, 6), "one").len(), 6);
        assert!(Places::new(FEW + 1, MANY).are_few());
        assert!(!Places::new(FEW + 2, MANY).are_few());
    }

    #[test]
    fn far_regions_come_first() {
        let places = Places::new(100, MANY);
        let mut under_way = Vec::new();
        for (name, milliseconds) in [("far", 200), ("near", 5), ("middle", 90), ("near", 50)] {
            under_way.extend(free(&places, name));
            places.answered(SERVICE, &region(name), Duration::from_millis(milliseconds));
        }
        let mut regions = ["near", "middle", "unknown", "far"].map(region);
        places.farthest_first(SERVICE, &mut regions);
        assert_eq!(regions, ["far", "middle", "near", "unknown"].map(region));
    }
}
