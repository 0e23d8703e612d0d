//! How often and how long one request is tried.

use std::time::Duration;

use tokio::time::Instant;

use crate::calls::{Failure, RetryAdvice};

/// Enough to outlast a storm of half a minute.
const MAX_THROTTLES: u32 = 12;
const MAX_FAILURES: u32 = 8;
/// Credentials that expire on their way are renewed this often for one request.
pub(super) const MAX_RENEWALS: u32 = 4;
/// This long after its first failure, a request that keeps failing or stalling is given up.
const MAX_FAILING: Duration = Duration::from_secs(90);
/// An endpoint that refuses connections is waited for this long: long enough for a restart or a
/// network that changes.
const MAX_DISCONNECTED: Duration = Duration::from_secs(45);
/// However long it takes, a request is tried this often before time ends it: each attempt waits for
/// its turn, which in a large scan may take longer than a failure may last.
const MIN_ATTEMPTS: u32 = 3;

/// What is left of a request's attempts.
#[derive(Debug, Default)]
pub(super) struct Budget {
    /// How often a request that fails is tried, where somebody set that. Being slowed down is no
    /// failure: the scan keeps within the quotas of every account by it.
    max_attempts: Option<u32>,
    /// When it first failed: time spent waiting for its turn before that is nobody's failure.
    failing_since: Option<Instant>,
    throttles: u32,
    failures: u32,
    disconnections: u32,
    renewals: u32,
}

impl Budget {
    /// The attempts of one request.
    pub(super) fn new(max_attempts: Option<u32>) -> Self {
        Self {
            max_attempts,
            ..Self::default()
        }
    }

    /// How long to wait before asking again after a failure; `None` when that is no use any more.
    pub(super) fn pause(&mut self, failure: &Failure, now: Instant) -> Option<Duration> {
        match failure.advice {
            RetryAdvice::None => None,
            RetryAdvice::Renew | RetryAdvice::RenewOnce => {
                self.renewals += 1;
                let enough = match failure.advice {
                    RetryAdvice::RenewOnce => 1,
                    _ => MAX_RENEWALS,
                };
                (self.renewals <= enough).then_some(Duration::ZERO)
            }
            RetryAdvice::SlowDown => {
                self.throttles += 1;
                (self.throttles < MAX_THROTTLES).then(|| backoff(self.throttles))
            }
            RetryAdvice::Again => {
                self.failures += 1;
                let in_time = self.in_time(self.failures, now, MAX_FAILING);
                let most = self.max_attempts.unwrap_or(MAX_FAILURES);
                (self.failures < most && in_time).then(|| backoff(self.failures))
            }
            RetryAdvice::Reconnect => {
                self.disconnections += 1;
                let in_time = self.in_time(self.disconnections, now, MAX_DISCONNECTED);
                let most = self.max_attempts.unwrap_or(u32::MAX);
                (self.disconnections < most && in_time).then(|| backoff(self.disconnections))
            }
        }
    }

    fn in_time(&mut self, attempts: u32, now: Instant, longest: Duration) -> bool {
        let since = *self.failing_since.get_or_insert(now);
        attempts < MIN_ATTEMPTS || now.duration_since(since) < longest
    }
}

/// Doubling from a tenth of a second to five seconds, of which a random half is taken off so that
/// what failed together does not come back together.
fn backoff(attempt: u32) -> Duration {
    let doubled = Duration::from_millis(100) * 2_u32.pow(attempt.saturating_sub(1).min(6));
    doubled
        .min(Duration::from_secs(5))
        .mul_f64(0.5 + fastrand::f64() / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How often a request is tried that fails so many seconds apart.
    fn attempts(advice: RetryAdvice, apart: u64, max_attempts: Option<u32>) -> u32 {
        let failure = Failure {
            advice,
            ..Failure::endless()
        };
        let mut budget = Budget::new(max_attempts);
        let mut attempts = 1;
        // Long after it was made: it waited for its turn.
        let mut now = Instant::now() + Duration::from_mins(10);
        while budget.pause(&failure, now).is_some() {
            attempts += 1;
            now += Duration::from_secs(apart);
        }
        attempts
    }

    #[test]
    fn time_counts_from_the_first_failure() {
        for (advice, apart, expected) in [
            (RetryAdvice::None, 1, 1),
            (RetryAdvice::RenewOnce, 1, 2),
            (RetryAdvice::Renew, 1, 5),
            (RetryAdvice::SlowDown, 60, 12),
            (RetryAdvice::Again, 1, 8),
            (RetryAdvice::Again, 20, 6),
            (RetryAdvice::Again, 600, 3),
            (RetryAdvice::Reconnect, 5, 10),
            (RetryAdvice::Reconnect, 600, 3),
        ] {
            assert_eq!(
                attempts(advice, apart, None),
                expected,
                "{advice:?} {apart}"
            );
        }
    }

    #[test]
    fn attempts_that_somebody_set_bound_failures_alone() {
        for (advice, most, expected) in [
            (RetryAdvice::Again, 1, 1),
            (RetryAdvice::Again, 3, 3),
            (RetryAdvice::Again, 20, 20),
            (RetryAdvice::Reconnect, 2, 2),
            (RetryAdvice::SlowDown, 1, 12),
            (RetryAdvice::Renew, 1, 5),
        ] {
            assert_eq!(
                attempts(advice, 1, Some(most)),
                expected,
                "{advice:?} {most}"
            );
        }
    }
}
