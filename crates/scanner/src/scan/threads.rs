//! The threads that accounts are examined on.
//!
//! Handing work from one thread to another takes processor time, a sixth of what a scan takes in all
//! where both are idle half of the time. So a scan keeps to the thread that it was begun on, and takes
//! another only as long as that one does not keep up: where the processor is slow, or the accounts
//! are known beforehand and nothing waits for their list.

use std::convert::Infallible;
use std::num::NonZero;
use std::time::Duration;

use tokio::runtime::{Builder, Handle, RuntimeFlavor};
use tokio::sync::oneshot;
use tokio::time::Instant;

/// More than this many do not help: whatever is asked is recorded and judged one after the other.
const MOST: usize = 4;

/// How long threads are watched before one is added or left out.
const WATCHED: Duration = Duration::from_millis(500);

/// A thread that is at work for so much of the time does not keep up. It never gets to all of it:
/// looking for what has arrived does not count.
const BUSY: f64 = 0.95;

/// How much of all work the connections are, which the scan's own thread has.
const CONNECTIONS: f64 = 0.2;

/// With so many accounts waiting, they do not keep up with the list either: it begins with twelve pages
/// of twenty at once.
const BEHIND: usize = 256;

/// The threads that accounts are examined on.
#[derive(Debug)]
pub(super) struct Threads {
    /// The one that the scan runs on.
    own: Handle,
    /// Those that were begun.
    further: Vec<Further>,
    /// How many of all are given accounts, at least one.
    used: usize,
    /// How many there may be.
    most: usize,
    /// Which one was given an account last.
    last: usize,
    /// When they were looked at last, and how long each of them had worked until then.
    since: (Instant, Vec<Duration>),
}

/// A thread that does what it is given until this is dropped.
#[derive(Debug)]
struct Further {
    handle: Handle,
    _end: oneshot::Sender<Infallible>,
}

impl Threads {
    /// The thread that this is called on, which has to be one of a Tokio runtime. One that has several
    /// threads shares work out by itself, and is left to it.
    pub(super) fn new() -> Self {
        let own = Handle::current();
        let alone = own.runtime_flavor() == RuntimeFlavor::CurrentThread;
        let processors = std::thread::available_parallelism().map_or(1, NonZero::get);
        let worked = worked(&own);
        Self {
            own,
            further: Vec::new(),
            used: 1,
            most: if alone { processors.min(MOST) } else { 1 },
            last: 0,
            since: (Instant::now(), vec![worked]),
        }
    }

    /// Where the next account is examined: each of them in turn. Where there are several others, the
    /// scan's own thread has enough to do with the connections.
    pub(super) fn next(&mut self) -> &Handle {
        self.last += 1;
        if self.last >= self.used {
            self.last = usize::from(self.used > 2);
        }
        let further = self.last.checked_sub(1).and_then(|at| self.further.get(at));
        further.map_or(&self.own, |further| &further.handle)
    }

    /// Looks, several times a second, whether they keep up; so many accounts wait to be examined.
    pub(super) fn look(&mut self, waiting: usize, now: Instant) {
        let further = self.further.iter().map(|further| &further.handle);
        let worked = std::iter::once(&self.own).chain(further).map(worked);
        self.look_at(waiting, now, worked.collect());
    }

    /// Looks at how long each of them has worked until now.
    fn look_at(&mut self, waiting: usize, now: Instant, worked: Vec<Duration>) {
        let (then, before) = &self.since;
        let watched = now.saturating_duration_since(*then);
        if watched < WATCHED {
            return;
        }
        // One that was begun since then had not worked before.
        let before = before.iter().chain(std::iter::repeat(&Duration::ZERO));
        let since = worked.iter().zip(before);
        let busy: Vec<f64> = since
            .map(|(now, then)| now.saturating_sub(*then).as_secs_f64() / watched.as_secs_f64())
            .collect();
        self.use_as_many(wanted(self.used, &busy, waiting).min(self.most));
        self.since = (now, worked);
    }

    fn use_as_many(&mut self, wanted: usize) {
        while self.further.len() + 1 < wanted {
            // Where there cannot be another, those that are there do it.
            let Some(further) = Further::begin() else {
                return;
            };
            self.further.push(further);
        }
        self.used = wanted;
    }
}

/// How long the thread of a runtime has worked.
fn worked(handle: &Handle) -> Duration {
    handle.metrics().worker_total_busy_duration(0)
}

/// How many threads are wanted where so many are used and each is busy so much.
fn wanted(used: usize, busy: &[f64], waiting: usize) -> usize {
    let busiest = busy.iter().copied().fold(0.0, f64::max);
    // What several have to do is less on fewer.
    let on_fewer = busy.iter().sum::<f64>() * share(used - 1);
    if used > 1 && on_fewer <= BUSY {
        used - 1
    } else if waiting > BEHIND && busiest > BUSY {
        used + 1
    } else {
        used
    }
}

/// How much of all work the busiest of some threads has.
fn share(threads: usize) -> f64 {
    let accounts = 1.0 - CONNECTIONS;
    match threads {
        0 | 1 => 1.0,
        2 => CONNECTIONS + accounts / 2.0,
        #[allow(clippy::cast_precision_loss, reason = "a handful")]
        more => accounts / (more - 1) as f64,
    }
}

impl Further {
    /// Begins a thread; `None` where the system has none to give.
    fn begin() -> Option<Self> {
        let (end, ended) = oneshot::channel();
        let (tell, told) = std::sync::mpsc::sync_channel(1);
        std::thread::Builder::new()
            .name("accounts".to_owned())
            .spawn(move || {
                let Ok(runtime) = Builder::new_current_thread().enable_all().build() else {
                    return;
                };
                if tell.send(runtime.handle().clone()).is_ok() {
                    // Nothing is ever sent: the sender is dropped.
                    let _ = runtime.block_on(ended);
                }
            })
            .ok()?;
        let handle = told.recv().ok()?;
        Some(Self { handle, _end: end })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name() -> Option<String> {
        std::thread::current().name().map(str::to_owned)
    }

    /// The name of the thread that the next account would be examined on.
    async fn next(threads: &mut Threads) -> Option<String> {
        threads.next().spawn(async { name() }).await.unwrap()
    }

    #[test]
    fn as_many_are_wanted_as_keep_up() {
        assert_eq!(wanted(1, &[0.93], 1000), 1);
        assert_eq!(wanted(1, &[0.97], 1000), 2);
        assert_eq!(wanted(1, &[0.97], 240), 1);
        // The one that has the connections does not keep up, the other does.
        assert_eq!(wanted(2, &[0.97, 0.65], 1000), 3);
        assert_eq!(wanted(3, &[0.5, 0.97, 0.97], 1000), 4);
        // Enough for two, and too much for one.
        assert_eq!(wanted(2, &[0.6, 0.4], 1000), 2);
        assert_eq!(wanted(2, &[0.5, 0.4], 1000), 1);
        assert_eq!(wanted(3, &[0.3, 0.6, 0.6], 0), 2);
        assert_eq!(wanted(3, &[0.4, 0.7, 0.7], 0), 3);
        assert_eq!(wanted(4, &[0.4, 0.6, 0.6, 0.6], 0), 3);
        assert_eq!(wanted(1, &[0.0], 0), 1);
    }

    #[tokio::test]
    async fn accounts_are_shared_out_to_as_many_threads_as_keep_up() {
        let mut threads = Threads::new();
        threads.most = 2;
        let own = name();
        let further = Some("accounts".to_owned());
        assert_ne!(own, further);
        let (mut now, mut worked) = threads.since.clone();
        let mut look = |threads: &mut Threads, busy: &[f64]| {
            now += WATCHED;
            worked.resize(busy.len(), Duration::ZERO);
            for (worked, busy) in worked.iter_mut().zip(busy) {
                *worked += WATCHED.mul_f64(*busy);
            }
            threads.look_at(1000, now, worked.clone());
            // Too soon to say anything.
            threads.look_at(1000, now + WATCHED / 2, worked.clone());
        };
        assert_eq!(next(&mut threads).await, own);
        look(&mut threads, &[1.0]);
        for expected in [&further, &own, &further, &own] {
            assert_eq!(next(&mut threads).await, *expected);
        }
        // No more than there may be.
        look(&mut threads, &[1.0, 1.0]);
        assert_eq!((threads.used, threads.further.len()), (2, 1));
        threads.most = 3;
        look(&mut threads, &[1.0, 1.0]);
        for _ in 0..4 {
            assert_eq!(next(&mut threads).await, further);
        }
        look(&mut threads, &[0.2, 0.5, 0.5]);
        look(&mut threads, &[0.4, 0.4, 0.0]);
        for _ in 0..2 {
            assert_eq!(next(&mut threads).await, own);
        }
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_runtime_with_several_threads_is_given_no_more() {
        let mut threads = Threads::new();
        let now = threads.since.0 + WATCHED;
        threads.look_at(1000, now, vec![Duration::MAX]);
        assert_eq!((threads.used, threads.further.len()), (1, 0));
    }

    #[tokio::test]
    async fn a_thread_ends_with_the_scan() {
        let further = Further::begin().unwrap();
        let task = further.handle.spawn(std::future::pending::<()>());
        drop(further);
        assert!(task.await.unwrap_err().is_cancelled());
    }
}
