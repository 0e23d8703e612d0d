//! How many accounts are worked on at once: enough to keep the network busy, no more, so that
//! accounts are finished rather than begun.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::Instant;
use trailproof_core::account::AccountId;

use crate::plan::Sweep;

/// An account that was answered nothing for so long waits for a region or an endpoint that does not
/// answer: twice what the farthest region takes. Others are begun in its place.
const QUIET: Duration = Duration::from_millis(500);
/// How many accounts are under way at most, those that wait included: each holds some 10 kB.
const MOST: usize = 4096;
/// The processor keeps up when what was to be done now is done this soon; more calls at once are
/// then answered sooner. Where it is later than the second, fewer are answered just as soon.
const PROMPT: Duration = Duration::from_millis(20);
const LATE: Duration = Duration::from_millis(100);
/// The calls in flight that accounts are begun for before anything is known of the processor.
const FIRST_CALLS: usize = 256;

/// The accounts that are under way.
#[derive(Debug)]
pub(super) struct Admission {
    began: Instant,
    under_way: HashMap<AccountId, Arc<Pulse>>,
    /// Those under way that do not wait for something that does not answer.
    at_work: usize,
    /// How many may be at work, between the two that follow.
    allowed: usize,
    few: usize,
    most: usize,
}

/// When an account was last answered something.
#[derive(Debug)]
pub(super) struct Pulse {
    began: Instant,
    /// In milliseconds since then.
    last: AtomicU64,
}

impl Pulse {
    fn new(began: Instant) -> Self {
        let pulse = Self {
            began,
            last: AtomicU64::default(),
        };
        pulse.beat();
        pulse
    }

    /// Something was answered.
    pub(super) fn beat(&self) {
        self.beat_at(Instant::now());
    }

    fn beat_at(&self, now: Instant) {
        let since = now.duration_since(self.began).as_millis();
        let since = u64::try_from(since).unwrap_or(u64::MAX);
        self.last.store(since, Ordering::Relaxed);
    }

    fn is_quiet(&self, now: Instant) -> bool {
        let last = Duration::from_millis(self.last.load(Ordering::Relaxed));
        now.duration_since(self.began).saturating_sub(last) > QUIET
    }
}

impl Admission {
    /// For so many calls in flight. A full sweep keeps about three for each account, an adaptive
    /// one asks one region after the other.
    pub(super) fn new(calls: usize, sweep: Sweep) -> Self {
        let accounts = |calls: usize| match sweep {
            Sweep::Full => (calls / 3).max(8),
            Sweep::Adaptive => calls.max(8),
        };
        let most = accounts(calls);
        let few = accounts(FIRST_CALLS).min(most);
        Self {
            began: Instant::now(),
            under_way: HashMap::new(),
            at_work: 0,
            allowed: few,
            few,
            most,
        }
    }

    /// Whether another account is begun.
    pub(super) fn has_room(&self) -> bool {
        self.at_work < self.allowed && self.under_way.len() < MOST
    }

    /// An account is begun.
    pub(super) fn begin(&mut self, account: AccountId) -> Arc<Pulse> {
        let pulse = Arc::new(Pulse::new(self.began));
        self.under_way.insert(account, Arc::clone(&pulse));
        self.at_work += 1;
        pulse
    }

    /// An account is done.
    pub(super) fn end(&mut self, account: AccountId) {
        self.under_way.remove(&account);
        self.at_work = self.at_work.saturating_sub(1);
    }

    /// Looks at who is at work, several times a second. That was due at a time: how much later it is
    /// tells whether the processor keeps up; one that does not is given no more to do. Says whether
    /// it does.
    pub(super) fn look(&mut self, due: Instant, now: Instant) -> bool {
        let late_by = now.saturating_duration_since(due);
        let prompt = late_by <= PROMPT;
        if prompt && !self.has_room() {
            self.allowed = (self.allowed + self.allowed / 4 + 1).min(self.most);
        } else if late_by > LATE {
            self.allowed = (self.allowed - self.allowed / 4).max(self.few);
        }
        let quiet = |pulse: &&Arc<Pulse>| prompt && pulse.is_quiet(now);
        let waiting = self.under_way.values().filter(quiet).count();
        self.at_work = self.under_way.len() - waiting;
        late_by <= LATE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(number: usize) -> AccountId {
        format!("{number:012}").parse().unwrap()
    }

    /// Looks at a time, so late.
    fn look(admission: &mut Admission, now: Instant, milliseconds: u64) {
        let late_by = Duration::from_millis(milliseconds);
        let _ = admission.look(now, now + late_by);
    }

    /// Begins accounts while there is room, and says how many are under way.
    fn fill(admission: &mut Admission) -> usize {
        while admission.has_room() {
            let _ = admission.begin(account(admission.under_way.len()));
        }
        admission.under_way.len()
    }

    #[test]
    fn more_are_begun_while_the_processor_keeps_up() {
        let now = Instant::now();
        let mut admission = Admission::new(1200, Sweep::Full);
        assert_eq!(fill(&mut admission), 85);
        look(&mut admission, now, 50);
        assert_eq!(fill(&mut admission), 85);
        look(&mut admission, now, 0);
        assert_eq!(fill(&mut admission), 107);
        for _ in 0..20 {
            look(&mut admission, now, 0);
            fill(&mut admission);
        }
        assert_eq!(fill(&mut admission), 400);
        for _ in 0..20 {
            look(&mut admission, now, 200);
        }
        for number in 0..316 {
            admission.end(account(number));
        }
        assert!(admission.has_room());
        let _ = admission.begin(account(0));
        assert!(!admission.has_room());
        // Somebody who wants few calls gets few.
        assert_eq!(fill(&mut Admission::new(1, Sweep::Adaptive)), 8);
    }

    #[test]
    fn accounts_that_wait_for_nothing_but_silence_make_room() {
        let mut admission = Admission::new(30, Sweep::Full);
        assert_eq!(fill(&mut admission), 10);
        let busy = Arc::clone(&admission.under_way[&account(3)]);
        let now = Instant::now() + Duration::from_millis(600);
        busy.beat_at(now);
        // Where the processor is late, silence may be its own.
        look(&mut admission, now, 200);
        assert_eq!(fill(&mut admission), 10);
        look(&mut admission, now, 0);
        assert_eq!(fill(&mut admission), 19);
        for number in 0..19 {
            admission.end(account(number));
        }
        look(&mut admission, now, 0);
        assert_eq!(admission.at_work, 0);
    }
}
