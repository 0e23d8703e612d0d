//! Asking a question once while many wait for the answer.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use tokio::sync::watch;

use super::key::Key;

/// The questions being asked right now.
#[derive(Debug, Default)]
pub(crate) struct InFlight(Mutex<HashMap<Key, watch::Receiver<()>>>);

/// Who asks and who waits.
#[derive(Debug)]
pub(crate) enum Asking<'a> {
    /// The question is not being asked: ask it, and drop this when the answer is recorded.
    Leader(Leader<'a>),
    /// Someone asks already: wait with [`Follower::wait`].
    Follower(Follower),
}

/// Held while asking. Dropping it, for whatever reason, lets the followers go.
#[derive(Debug)]
pub(crate) struct Leader<'a> {
    in_flight: &'a InFlight,
    key: Key,
    _answered: watch::Sender<()>,
}

/// Waits for another's answer.
#[derive(Debug)]
pub(crate) struct Follower(watch::Receiver<()>);

impl InFlight {
    pub(crate) fn join(&self, key: Key) -> Asking<'_> {
        let mut in_flight = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(answered) = in_flight.get(&key) {
            return Asking::Follower(Follower(answered.clone()));
        }
        let (answered, followers) = watch::channel(());
        in_flight.insert(key, followers);
        Asking::Leader(Leader {
            in_flight: self,
            key,
            _answered: answered,
        })
    }
}

impl Follower {
    pub(crate) async fn wait(mut self) {
        // Nothing is ever sent: the leader's end is the signal.
        while self.0.changed().await.is_ok() {}
    }
}

impl Drop for Leader<'_> {
    fn drop(&mut self) {
        let mut in_flight = self
            .in_flight
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        in_flight.remove(&self.key);
    }
}

#[cfg(test)]
mod tests {
    use trailproof_core::account::Region;
    use trailproof_core::evidence::{Call, Request};

    use super::*;

    fn key(region: &str) -> Key {
        Key::of_request(&Request {
            account: "111111111111".parse().unwrap(),
            region: Region::new(region),
            call: Call::DescribeAlarms,
        })
    }

    #[tokio::test]
    async fn the_second_waits_for_the_first() {
        let in_flight = InFlight::default();
        let Asking::Leader(leader) = in_flight.join(key("a")) else {
            panic!("nobody asks yet");
        };
        let Asking::Follower(follower) = in_flight.join(key("a")) else {
            panic!("someone asks");
        };
        assert!(matches!(in_flight.join(key("b")), Asking::Leader(_)));
        let mut answered = Box::pin(follower.wait());
        assert!(futures::poll!(&mut answered).is_pending());
        drop(leader);
        answered.await;
        assert!(matches!(in_flight.join(key("a")), Asking::Leader(_)));
    }
}
