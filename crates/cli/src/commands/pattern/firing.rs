//! How often an alarm would have fired over the events that matched.

use std::collections::BTreeMap;

use jiff::Timestamp;

/// Matching events by period.
#[derive(Debug, Default, Clone)]
pub(super) struct Periods {
    seconds: i64,
    counts: BTreeMap<i64, u64>,
    /// Matching events that do not say when they happened.
    undated: u64,
}

/// What an alarm would have done.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Firing {
    /// How often it would have gone into ALARM.
    pub(super) times: u64,
    /// In how many periods the threshold was reached.
    pub(super) periods: u64,
    /// The start of the first and of the last of these periods.
    pub(super) between: Option<(Timestamp, Timestamp)>,
    /// Matching events that do not say when they happened.
    pub(super) undated: u64,
}

impl Periods {
    pub(super) fn new(seconds: u32) -> Self {
        Self {
            seconds: i64::from(seconds.max(1)),
            ..Self::default()
        }
    }

    pub(super) fn add(&mut self, time: Option<&str>) {
        let time = time.and_then(|time| time.parse::<Timestamp>().ok());
        match time {
            Some(time) => {
                let period = time.as_second().div_euclid(self.seconds.max(1));
                *self.counts.entry(period).or_default() += 1;
            }
            None => self.undated += 1,
        }
    }

    pub(super) fn merge(&mut self, other: Self) {
        self.undated += other.undated;
        for (period, count) in other.counts {
            *self.counts.entry(period).or_default() += count;
        }
    }

    /// An alarm on the sum, for one period, with missing data not breaching. It fires when a period
    /// reaches the threshold and the one before did not: actions run on a change of state.
    pub(super) fn firing(&self, threshold: u64) -> Firing {
        let mut firing = Firing {
            times: 0,
            periods: 0,
            between: None,
            undated: self.undated,
        };
        let mut last = None;
        for (period, _) in self.counts.iter().filter(|(_, count)| **count >= threshold) {
            firing.periods += 1;
            if last.is_none_or(|last| last + 1 != *period) {
                firing.times += 1;
            }
            last = Some(*period);
            if let Ok(start) = Timestamp::from_second(period * self.seconds) {
                let first = firing.between.map_or(start, |(first, _)| first);
                firing.between = Some((first, start));
            }
        }
        firing
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alarm_fires_when_it_changes_state() {
        let mut periods = Periods::new(300);
        for time in [
            "2026-01-01T00:00:10Z",
            "2026-01-01T00:04:59Z",
            "2026-01-01T00:05:00Z",
            "2026-01-01T01:00:00Z",
        ] {
            periods.add(Some(time));
        }
        periods.add(None);
        let firing = periods.firing(1);
        assert_eq!((firing.times, firing.periods, firing.undated), (2, 3, 1));
        assert_eq!(periods.firing(2).times, 1);
        assert_eq!(periods.firing(3).times, 0);
    }
}
