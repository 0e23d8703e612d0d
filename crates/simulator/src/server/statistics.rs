//! What was asked: every request by operation, account and region.

use std::collections::{BTreeMap, HashMap};

use serde::Serialize;
use trailproof_core::account::AccountId;

use crate::operation::Operation;

/// Requests and what became of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// All of them.
    pub requests: u64,
    /// Answered with a success.
    pub answered: u64,
    /// Refused by a quota or a throttling fault.
    pub throttled: u64,
    /// Spoilt by another fault.
    pub spoilt: u64,
    /// Answered with any other error.
    pub refused: u64,
}

impl Counts {
    fn add(&mut self, other: Self) {
        self.requests += other.requests;
        self.answered += other.answered;
        self.throttled += other.throttled;
        self.spoilt += other.spoilt;
        self.refused += other.refused;
    }
}

/// What became of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    Answered,
    Throttled,
    Spoilt,
    Refused,
}

/// What was asked so far.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Statistics {
    /// Everything.
    pub total: Counts,
    /// By operation, such as `cloudtrail:DescribeTrails`.
    pub by_operation: BTreeMap<String, Counts>,
    /// By region.
    pub by_region: BTreeMap<String, Counts>,
    /// By account.
    pub by_account: BTreeMap<AccountId, Counts>,
    /// The most requests that were open at once.
    pub most_at_once: u64,
    /// Connections.
    pub connections: Connections,
    /// Every distinct call that was answered and how often, when calls are tracked.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub calls: BTreeMap<String, u64>,
}

/// Connections, busy and idle. Those of the control paths count, too.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Connections {
    /// Made so far.
    pub made: u64,
    /// Open now.
    pub open: u64,
    /// The most that were open at once.
    pub most_open: u64,
    /// TLS handshakes that came to their end.
    pub handshakes: u64,
    /// Those among them that went on with a session from before.
    pub resumed: u64,
}

/// Counters, as small as they can be while they count.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    counts: HashMap<u64, [u32; 4]>,
    calls: BTreeMap<String, u64>,
    open: u64,
    most_at_once: u64,
    connections: Connections,
}

impl Counters {
    pub(crate) fn connected(&mut self) {
        let connections = &mut self.connections;
        connections.made += 1;
        connections.open += 1;
        connections.most_open = connections.most_open.max(connections.open);
    }

    pub(crate) fn greeted(&mut self, resumed: bool) {
        self.connections.handshakes += 1;
        self.connections.resumed += u64::from(resumed);
    }

    pub(crate) fn disconnected(&mut self) {
        self.connections.open = self.connections.open.saturating_sub(1);
    }

    pub(crate) fn enter(&mut self) {
        self.open += 1;
        self.most_at_once = self.most_at_once.max(self.open);
    }

    pub(crate) fn leave(&mut self) {
        self.open = self.open.saturating_sub(1);
    }

    pub(crate) fn count(&mut self, operation: Operation, account: usize, region: u8, fate: Fate) {
        let account = u64::try_from(account).unwrap_or(u64::MAX);
        let key = (account << 16) | (u64::from(region) << 8) | (operation as u64);
        let index = match fate {
            Fate::Answered => 0,
            Fate::Throttled => 1,
            Fate::Spoilt => 2,
            Fate::Refused => 3,
        };
        if let Some(count) = self.counts.entry(key).or_default().get_mut(index) {
            *count += 1;
        }
    }

    pub(crate) fn call(&mut self, call: String) {
        *self.calls.entry(call).or_default() += 1;
    }

    /// Forgets everything but the requests that are open.
    pub(crate) fn reset(&mut self) {
        self.counts = HashMap::new();
        self.calls = BTreeMap::new();
        self.most_at_once = self.open;
        self.connections = Connections {
            open: self.connections.open,
            most_open: self.connections.open,
            ..Connections::default()
        };
    }

    /// Adds up. `account` and `region` name what the indexes stand for.
    pub(crate) fn statistics(
        &self,
        account: impl Fn(usize) -> Option<AccountId>,
        region: impl Fn(u8) -> String,
    ) -> Statistics {
        let mut statistics = Statistics {
            most_at_once: self.most_at_once,
            connections: self.connections,
            calls: self.calls.clone(),
            ..Statistics::default()
        };
        for (key, counts) in &self.counts {
            let [answered, throttled, spoilt, refused] = counts.map(u64::from);
            let counts = Counts {
                requests: answered + throttled + spoilt + refused,
                answered,
                throttled,
                spoilt,
                refused,
            };
            let operation = Operation::ALL
                .get(usize::try_from(key & 0xff).unwrap_or(usize::MAX))
                .map_or_else(String::new, |operation| operation.action());
            let place = u8::try_from((key >> 8) & 0xff).unwrap_or(u8::MAX);
            let who = usize::try_from(key >> 16).ok().and_then(&account);
            statistics.total.add(counts);
            statistics
                .by_operation
                .entry(operation)
                .or_default()
                .add(counts);
            statistics
                .by_region
                .entry(region(place))
                .or_default()
                .add(counts);
            if let Some(who) = who {
                statistics.by_account.entry(who).or_default().add(counts);
            }
        }
        statistics
    }
}
