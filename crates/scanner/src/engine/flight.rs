//! Asking a question once while many wait for the answer.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use tokio::sync::watch;

use super::key::Key;

/// The questions being asked right now.
#[derive(Debug, Default)]
pub(crate) struct Flights(Mutex<HashMap<Key, watch::Receiver<()>>>);

/// A place in a flight.
#[derive(Debug)]
pub(crate) enum Place<'a> {
    /// The question is not being asked: ask it, and drop the seat when the answer is recorded.
    Pilot(Seat<'a>),
    /// Someone asks already: wait with [`Passenger::land`].
    Passenger(Passenger),
}

/// Held while asking. Dropping it, for whatever reason, lets the passengers go.
#[derive(Debug)]
pub(crate) struct Seat<'a> {
    flights: &'a Flights,
    key: Key,
    _landing: watch::Sender<()>,
}

/// Waits for another's answer.
#[derive(Debug)]
pub(crate) struct Passenger(watch::Receiver<()>);

impl Flights {
    pub(crate) fn board(&self, key: Key) -> Place<'_> {
        let mut flights = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(landing) = flights.get(&key) {
            return Place::Passenger(Passenger(landing.clone()));
        }
        let (landing, passengers) = watch::channel(());
        flights.insert(key, passengers);
        Place::Pilot(Seat {
            flights: self,
            key,
            _landing: landing,
        })
    }
}

impl Passenger {
    pub(crate) async fn land(mut self) {
        // Nothing is ever sent: the pilot's leaving is the signal.
        while self.0.changed().await.is_ok() {}
    }
}

impl Drop for Seat<'_> {
    fn drop(&mut self) {
        let mut flights = self
            .flights
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        flights.remove(&self.key);
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
        let flights = Flights::default();
        let Place::Pilot(seat) = flights.board(key("a")) else {
            panic!("nobody asks yet");
        };
        let Place::Passenger(passenger) = flights.board(key("a")) else {
            panic!("someone asks");
        };
        assert!(matches!(flights.board(key("b")), Place::Pilot(_)));
        let mut landing = Box::pin(passenger.land());
        assert!(futures::poll!(&mut landing).is_pending());
        drop(seat);
        landing.await;
        assert!(matches!(flights.board(key("a")), Place::Pilot(_)));
    }
}
