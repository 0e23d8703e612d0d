//! What goes wrong, by chance or by plan, and always in the same way for the same seed.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use super::hash::Hash;
use super::lie::Lie;
use crate::model::Denial;

/// What goes wrong. Shares are of all requests, from 0 to 1.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Faults {
    /// Answered with status 500 or 503.
    pub errors: f64,
    /// Refused as if a quota were used up.
    pub throttles: f64,
    /// The connection is reset instead of an answer.
    pub resets: f64,
    /// Nothing is answered for `stall_seconds`, then the connection is reset.
    pub stalls: f64,
    /// The body ends before the length that was announced.
    pub truncations: f64,
    /// The body comes in pieces, `drip_milliseconds` apart.
    pub drips: f64,
    /// How long a stall lasts.
    pub stall_seconds: f64,
    /// The time between two pieces of a dripping body.
    pub drip_milliseconds: u64,
    /// The operations that are concerned, such as `cloudtrail:*`; all when empty.
    pub operations: Vec<String>,
    /// The share of accounts that are concerned.
    pub accounts: f64,
    /// The most faults that one call meets, however often it is tried; 0 for no limit.
    pub limit: u32,
    /// Times when nothing works.
    pub outages: Vec<Outage>,
    /// What every account refuses.
    pub denials: Vec<Denial>,
    /// What is answered in place of the truth.
    pub lies: Vec<Lie>,
}

impl Default for Faults {
    fn default() -> Self {
        Self {
            errors: 0.0,
            throttles: 0.0,
            resets: 0.0,
            stalls: 0.0,
            truncations: 0.0,
            drips: 0.0,
            stall_seconds: 30.0,
            drip_milliseconds: 20,
            operations: Vec::new(),
            accounts: 1.0,
            limit: 0,
            outages: Vec::new(),
            denials: Vec::new(),
            lies: Vec::new(),
        }
    }
}

/// A time when nothing works, counted from when the faults were set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outage {
    /// When it starts.
    pub after_seconds: f64,
    /// How long it lasts.
    pub lasting_seconds: f64,
    /// From one start to the next, when it comes again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub every_seconds: Option<f64>,
    /// What it looks like.
    #[serde(default)]
    pub kind: OutageKind,
}

/// What an outage looks like.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OutageKind {
    /// Connections are reset.
    #[default]
    Reset,
    /// Status 503.
    Error,
    /// Throttling.
    Throttle,
}

impl Outage {
    fn covers(&self, seconds: f64) -> bool {
        let since = seconds - self.after_seconds;
        let since = match self.every_seconds {
            Some(every) if every > 0.0 && since >= 0.0 => since % every,
            _ => since,
        };
        (0.0..self.lasting_seconds).contains(&since)
    }
}

/// What happens to one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    Error,
    Throttle,
    Reset,
    Stall,
    Truncate,
    Drip,
    Endless,
}

/// The faults that are set, and how often each call met one.
#[derive(Debug, Default)]
pub(crate) struct FaultState {
    pub(crate) faults: Faults,
    /// Milliseconds since the start when they were set.
    since: u32,
    attempts: HashMap<u64, Attempts>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Attempts {
    made: u32,
    failed: u32,
}

impl FaultState {
    pub(crate) fn new(faults: Faults, now: u32) -> Self {
        Self {
            faults,
            since: now,
            attempts: HashMap::new(),
        }
    }

    /// Draws what happens to a call. `call` hashes what makes it the same call when it is tried
    /// again, `account` hashes the account.
    pub(crate) fn draw(
        &mut self,
        action: &str,
        account: Hash,
        call: Hash,
        now: u32,
    ) -> Option<Fault> {
        let faults = &self.faults;
        let seconds = f64::from(now.saturating_sub(self.since)) / 1000.0;
        if let Some(outage) = faults.outages.iter().find(|outage| outage.covers(seconds)) {
            return Some(match outage.kind {
                OutageKind::Reset => Fault::Reset,
                OutageKind::Error => Fault::Error,
                OutageKind::Throttle => Fault::Throttle,
            });
        }
        let shares = [
            (faults.errors, Fault::Error),
            (faults.throttles, Fault::Throttle),
            (faults.resets, Fault::Reset),
            (faults.stalls, Fault::Stall),
            (faults.truncations, Fault::Truncate),
            (faults.drips, Fault::Drip),
        ];
        if shares.iter().all(|(share, _)| *share <= 0.0) {
            return None;
        }
        let named = |pattern: &String| {
            pattern
                .strip_suffix('*')
                .map_or(pattern == action, |prefix| action.starts_with(prefix))
        };
        if !faults.operations.is_empty() && !faults.operations.iter().any(named) {
            return None;
        }
        if faults.accounts < 1.0 && account.fraction() >= faults.accounts {
            return None;
        }
        let attempts = self.attempts.entry(call.finish()).or_default();
        attempts.made += 1;
        if faults.limit > 0 && attempts.failed >= faults.limit {
            return None;
        }
        let drawn = call.number(u64::from(attempts.made)).fraction();
        let mut reached = 0.0;
        for (share, fault) in shares {
            reached += share;
            if drawn < reached {
                attempts.failed += 1;
                return Some(fault);
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draws(faults: &Faults, seed: u64) -> Vec<Option<Fault>> {
        let mut state = FaultState::new(faults.clone(), 0);
        (0..2000)
            .map(|call| {
                let call = Hash::new(seed).number(call);
                state.draw("sns:GetTopicAttributes", Hash::new(0), call, 0)
            })
            .collect()
    }

    #[test]
    fn shares_are_kept_and_repeat() {
        let faults = Faults {
            errors: 0.05,
            resets: 0.1,
            ..Faults::default()
        };
        let drawn = draws(&faults, 1);
        let count = |fault| drawn.iter().filter(|drawn| **drawn == Some(fault)).count();
        assert!(
            (60..140).contains(&count(Fault::Error)),
            "{}",
            count(Fault::Error)
        );
        assert!((150..250).contains(&count(Fault::Reset)));
        assert_eq!(drawn, draws(&faults, 1));
        assert_ne!(drawn, draws(&faults, 2));
    }

    #[test]
    fn a_call_meets_no_more_than_the_limit() {
        let faults = Faults {
            errors: 1.0,
            limit: 2,
            ..Faults::default()
        };
        let mut state = FaultState::new(faults, 0);
        let mut draw = || state.draw("x", Hash::new(0), Hash::new(1), 0);
        assert_eq!(
            [draw(), draw(), draw(), draw()],
            [Some(Fault::Error), Some(Fault::Error), None, None]
        );
    }

    #[test]
    fn operations_and_outages_are_chosen() {
        let faults = Faults {
            throttles: 1.0,
            operations: vec!["logs:*".to_owned()],
            outages: vec![Outage {
                after_seconds: 10.0,
                lasting_seconds: 2.0,
                every_seconds: Some(5.0),
                kind: OutageKind::Reset,
            }],
            ..Faults::default()
        };
        let mut state = FaultState::new(faults, 0);
        let mut draw = |action, now| state.draw(action, Hash::new(0), Hash::new(1), now);
        assert_eq!(draw("logs:DescribeLogGroups", 0), Some(Fault::Throttle));
        assert_eq!(draw("sns:Publish", 0), None);
        assert_eq!(draw("sns:Publish", 11_000), Some(Fault::Reset));
        assert_eq!(draw("sns:Publish", 12_500), None);
        assert_eq!(draw("sns:Publish", 16_000), Some(Fault::Reset));
    }
}
