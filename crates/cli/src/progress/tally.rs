//! The counts that progress shows, from the events of a scan. Draws nothing.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use trailproof_core::finding::Status;
use trailproof_scanner::ScanEvent;

/// How far a scan has come.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) accounts: usize,
    pub(super) accounts_known: bool,
    pub(super) accounts_done: usize,
    pub(super) regions: usize,
    pub(super) regions_done: usize,
    pub(super) calls: u64,
    pub(super) throttles: u64,
    pub(super) elapsed: Duration,
    pub(super) statuses: BTreeMap<Status, usize>,
}

impl Tally {
    /// Counts an event.
    pub(super) fn add(&mut self, event: &ScanEvent) {
        match event {
            ScanEvent::AccountsFound { accounts, complete } => {
                self.accounts = *accounts;
                self.accounts_known = *complete;
            }
            ScanEvent::RegionsFound { regions, .. } => self.regions += regions,
            ScanEvent::RegionDone { .. } => self.regions_done += 1,
            ScanEvent::AccountDone { statuses, done, .. } => {
                self.accounts_done = *done;
                for status in statuses {
                    *self.statuses.entry(*status).or_default() += 1;
                }
            }
            ScanEvent::Progress(statistics) => {
                self.calls = statistics.calls;
                self.throttles = statistics.throttles;
                self.elapsed = statistics.elapsed;
            }
            ScanEvent::Connected(_)
            | ScanEvent::Organization(_)
            | ScanEvent::Resumed { .. }
            | ScanEvent::Warning(_) => {}
        }
    }

    /// How many findings have a status so far.
    pub(super) fn count(&self, status: Status) -> usize {
        self.statuses.get(&status).copied().unwrap_or_default()
    }

    /// How long the rest will take if it goes on as it did; `None` while that is a guess.
    pub(super) fn time_left(&self) -> Option<Duration> {
        const TOO_EARLY: Duration = Duration::from_secs(2);
        if !self.accounts_known || self.elapsed < TOO_EARLY {
            return None;
        }
        // Regions of accounts that were not entered yet are unknown, so accounts are the measure.
        let done = u32::try_from(self.accounts_done).ok()?;
        let left = u32::try_from(self.accounts.saturating_sub(self.accounts_done)).ok()?;
        (done > 0).then(|| (self.elapsed / done).saturating_mul(left))
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let more = if self.accounts_known { "" } else { "+" };
        write!(
            formatter,
            "accounts {}/{}{more}, regions {}/{}, PASS {} FAIL {} UNKNOWN {}",
            self.accounts_done,
            self.accounts,
            self.regions_done,
            self.regions,
            self.count(Status::Pass),
            self.count(Status::Fail),
            self.count(Status::Unknown),
        )?;
        if self.throttles > 0 {
            write!(formatter, ", throttled {} times", self.throttles)?;
        }
        if let Some(left) = self.time_left() {
            write!(formatter, ", {} left", Clock(left))?;
        }
        Ok(())
    }
}

/// A duration as people read it: `4s`, `2m10s`, `1h05m`.
pub(crate) struct Clock(pub(crate) Duration);

impl fmt::Display for Clock {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.as_secs();
        match (seconds / 3_600, seconds / 60 % 60, seconds % 60) {
            (0, 0, _) if seconds < 10 => write!(formatter, "{:.1}s", self.0.as_secs_f64()),
            (0, 0, seconds) => write!(formatter, "{seconds}s"),
            (0, minutes, seconds) => write!(formatter, "{minutes}m{seconds:02}s"),
            (hours, minutes, _) => write!(formatter, "{hours}h{minutes:02}m"),
        }
    }
}

#[cfg(test)]
mod tests {
    use trailproof_scanner::Statistics;

    use super::*;

    #[test]
    fn counts_and_estimates() {
        let mut tally = Tally::default();
        let account = "111111111111".parse().unwrap();
        tally.add(&ScanEvent::AccountsFound {
            accounts: 4,
            complete: true,
        });
        tally.add(&ScanEvent::RegionsFound {
            account,
            regions: 17,
        });
        tally.add(&ScanEvent::AccountDone {
            account,
            name: None,
            statuses: vec![Status::Pass, Status::Unknown],
            elapsed: Duration::from_secs(1),
            done: 1,
        });
        tally.add(&ScanEvent::Progress(Statistics {
            throttles: 2,
            elapsed: Duration::from_secs(30),
            ..Statistics::default()
        }));
        assert_eq!(
            tally.to_string(),
            "accounts 1/4, regions 0/17, PASS 1 FAIL 0 UNKNOWN 1, throttled 2 times, 1m30s left"
        );
    }

    #[test]
    fn no_estimate_without_a_basis() {
        assert_eq!(Tally::default().time_left(), None);
    }

    #[test]
    fn durations_read_well() {
        for (milliseconds, text) in [
            (340, "0.3s"),
            (42_000, "42s"),
            (130_000, "2m10s"),
            (3_900_000, "1h05m"),
        ] {
            let duration = Duration::from_millis(milliseconds);
            assert_eq!(Clock(duration).to_string(), text);
        }
    }
}
