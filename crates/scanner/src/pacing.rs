//! Staying below the quotas of one account, and slowing down when AWS says so.
//!
//! Quotas are counted per account, region and family of operations, by the account whose
//! credentials call. Every account has a [`Pacer`] of its own, so that no account waits for
//! another's quota; what bounds the whole scan is how fast an organization lists its accounts and
//! lets them be entered.

use std::collections::HashMap;
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use trailproof_core::account::Region;
use trailproof_core::evidence::{Operation, Quota};

use crate::calls::Ask;
use crate::shard::Shard;

/// Operations that share a quota, by a name.
type Family = &'static str;

/// The part of a documented quota that is used: others call AWS, too, and arrival times jitter.
const SHARE: f64 = 0.95;

/// The documented quota of a question. Undocumented ones are set below what siblings allow.
fn quota(ask: &Ask) -> (Family, Quota) {
    let own = |rate, burst| Quota {
        family: None,
        rate,
        burst,
    };
    let quota = match ask {
        Ask::Evidence(call) => call.operation().definition().quota,
        Ask::AccountsForParent(_) => own(5.0, 8.0),
        // Organizations User Guide, "Quotas", `DescribeAccount`.
        Ask::DescribeAccount(_) => own(20.0, 30.0),
        // Whoever changes something is in no hurry: one after the other.
        Ask::Foreign(call) => own(call.per_second, 1.0),
    };
    (quota.family.unwrap_or_else(|| ask.name()), quota)
}

/// The slowest a throttled family gets, as a multiple of its regular interval.
const SLOWEST: f64 = 16.0;
/// How much of a slow-down a success takes back.
const RECOVERY: f64 = 0.7;

/// Whether parts of a scan take turns with a question. Not with the list of the accounts: parts are
/// given one, and whoever lists them in a part of its own is in no hurry.
fn is_shared(ask: &Ask) -> bool {
    match ask {
        Ask::Evidence(call) => !matches!(
            call.operation(),
            Operation::ListAccounts | Operation::ListOrganizationalUnitsForParent
        ),
        Ask::AccountsForParent(_) | Ask::DescribeAccount(_) | Ask::Foreign(_) => false,
    }
}

/// The pace of one account.
#[derive(Debug, Default)]
pub(crate) struct Pacer {
    meters: Mutex<HashMap<(Region, Family), Meter>>,
    /// Which of several processes this is that ask for accounts with these credentials.
    part: OnceLock<Shard>,
}

/// A token bucket, kept as the time at which it would be full again.
#[derive(Debug, Clone, Copy)]
struct Meter {
    full_at: Instant,
    /// The regular time between requests, in seconds.
    interval: f64,
    burst: f64,
    /// How many times slower than regular, at least 1.
    slowdown: f64,
    /// When it was slowed down last.
    slowed_at: Option<Instant>,
}

impl Meter {
    fn new(quota: Quota, now: Instant) -> Self {
        Self::of_part(quota, 1, 0, now)
    }

    /// The bucket of one of several processes that take from the same quota. Those that begin
    /// together take their turns one after the other.
    fn of_part(quota: Quota, processes: u32, before: u32, now: Instant) -> Self {
        let share = SHARE / f64::from(processes);
        let turn = f64::from(before) / (quota.rate * SHARE);
        Self {
            full_at: now + Duration::from_secs_f64(turn),
            interval: 1.0 / (quota.rate * share),
            burst: (quota.burst * share).floor().max(1.0),
            slowdown: 1.0,
            slowed_at: None,
        }
    }

    fn interval(&self) -> Duration {
        Duration::from_secs_f64(self.interval * self.slowdown)
    }

    /// How long a request made now would have to wait.
    fn wait(&self, now: Instant) -> Duration {
        let room = self.interval().mul_f64(self.burst - 1.0);
        self.full_at
            .saturating_duration_since(now)
            .saturating_sub(room)
    }

    /// Several requests that were under way at the same time are refused for the same reason, which
    /// counts once.
    fn throttled(&mut self, sent: Instant, now: Instant) {
        if self.slowed_at.is_none_or(|slowed_at| sent > slowed_at) {
            self.slowdown = (self.slowdown * 2.0).min(SLOWEST);
            self.slowed_at = Some(now);
        }
        let empty = now + self.interval().mul_f64(self.burst);
        self.full_at = self.full_at.max(empty);
    }

    fn succeeded(&mut self) {
        self.slowdown = (self.slowdown * RECOVERY).max(1.0);
    }

    fn reserve(&mut self, now: Instant) -> Instant {
        let at = now + self.wait(now);
        self.full_at = self.full_at.max(now) + self.interval();
        at
    }
}

impl Pacer {
    /// The parts of a scan run at the same time, each with its own accounts and all with the
    /// credentials of one: what they ask with these takes from quotas that they share.
    pub(crate) fn share_as(&self, part: Shard) {
        // A process is one part from its beginning on.
        let _ = self.part.set(part);
    }

    fn with<T>(&self, region: &Region, ask: &Ask, use_meter: impl FnOnce(&mut Meter) -> T) -> T {
        let (family, quota) = quota(ask);
        let mut meters = self.meters.lock().unwrap_or_else(PoisonError::into_inner);
        let meter =
            meters
                .entry((region.clone(), family))
                .or_insert_with(|| match self.part.get() {
                    Some(part) if is_shared(ask) => {
                        Meter::of_part(quota, part.count(), part.index() - 1, Instant::now())
                    }
                    _ => Meter::new(quota, Instant::now()),
                });
        use_meter(meter)
    }

    /// Takes a place in the queue of the family and says when its turn is.
    pub(crate) fn reserve(&self, region: &Region, ask: &Ask) -> Instant {
        self.with(region, ask, |meter| meter.reserve(Instant::now()))
    }

    /// Whether a request could be made now without waiting.
    pub(crate) fn is_free(&self, region: &Region, ask: &Ask) -> bool {
        self.with(region, ask, |meter| meter.wait(Instant::now()).is_zero())
    }

    /// AWS refused a request because of the rate: the bucket is empty, and fills more slowly from now
    /// on. `sent` is when the request was.
    pub(crate) fn throttled(&self, region: &Region, ask: &Ask, sent: Instant) {
        self.with(region, ask, |meter| meter.throttled(sent, Instant::now()));
    }

    /// AWS answered.
    pub(crate) fn succeeded(&self, region: &Region, ask: &Ask) {
        self.with(region, ask, Meter::succeeded);
    }

    /// Forgets every bucket: the account is done.
    pub(crate) fn clear(&self) {
        let mut meters = self.meters.lock().unwrap_or_else(PoisonError::into_inner);
        *meters = HashMap::new();
    }
}

#[cfg(test)]
mod tests {
    use trailproof_core::evidence::Call;

    use super::*;
    use crate::calls::ServiceCall;

    fn list_accounts() -> Ask {
        Ask::Evidence(Call::ListAccounts)
    }

    fn region() -> Region {
        Region::new("us-east-1")
    }

    /// The times of requests made as fast as the meter lets them, from `start` for `span`.
    fn run(meter: &mut Meter, start: Instant, span: Duration) -> Vec<Duration> {
        let mut now = start;
        let mut sent = Vec::new();
        loop {
            now = meter.reserve(now);
            let at = now.duration_since(start);
            if at > span {
                return sent;
            }
            sent.push(at);
        }
    }

    #[test]
    fn stays_below_rate_and_burst() {
        let start = Instant::now();
        let mut meter = Meter::new(quota(&list_accounts()).1, start);
        let sent = run(&mut meter, start, Duration::from_secs(10));
        // The documented bucket: 12 at once, 8 a second.
        let mut tokens: f64 = 12.0;
        let mut last = 0.0;
        for at in &sent {
            let at = at.as_secs_f64();
            tokens = (tokens + (at - last) * 8.0).min(12.0) - 1.0;
            last = at;
            assert!(tokens >= 0.0, "over the quota at {at}");
        }
        // And not far below it: 12 + 80 would be the most.
        assert!((78..=92).contains(&sent.len()), "{}", sent.len());
    }

    #[test]
    fn throttles_slow_down_and_successes_recover() {
        let start = Instant::now();
        let mut meter = Meter::new(quota(&list_accounts()).1, start);
        meter.throttled(start, start);
        assert!(!meter.wait(start).is_zero());
        let slow = run(&mut meter, start, Duration::from_secs(10)).len();
        assert!(slow < 50, "{slow}");
        for _ in 0..100 {
            meter.succeeded();
        }
        let later = start + Duration::from_mins(1);
        let recovered = run(&mut meter, later, Duration::from_secs(10)).len();
        assert!(recovered >= 78, "{recovered}");
    }

    #[test]
    fn refusals_of_requests_that_were_sent_together_count_once() {
        let start = Instant::now();
        let second = Duration::from_secs(1);
        let mut meter = Meter::new(quota(&list_accounts()).1, start);
        for _ in 0..8 {
            meter.throttled(start, start + second);
        }
        assert!(meter.slowdown < 2.1, "{}", meter.slowdown);
        meter.throttled(start + 2 * second, start + 3 * second);
        assert!(meter.slowdown > 3.9, "{}", meter.slowdown);
    }

    #[test]
    fn three_alarms_a_second_in_each_place() {
        let start = Instant::now();
        let put = Ask::Foreign(ServiceCall {
            action: "cloudwatch:PutMetricAlarm",
            per_second: 3.0,
        });
        let sent = run(
            &mut Meter::new(quota(&put).1, start),
            start,
            Duration::from_secs(3),
        );
        assert_eq!(sent.first(), Some(&Duration::ZERO));
        for second in 0..3 {
            let count = sent.iter().filter(|at| at.as_secs() == second).count();
            assert!((2..=3).contains(&count), "{sent:?}");
        }
    }

    #[test]
    fn regions_and_families_do_not_wait_for_each_other() {
        let pacer = Pacer::default();
        while pacer.is_free(&region(), &list_accounts()) {
            pacer.reserve(&region(), &list_accounts());
        }
        assert!(pacer.is_free(&Region::new("eu-west-1"), &list_accounts()));
        assert!(pacer.is_free(&region(), &Ask::Evidence(Call::DescribeAlarms)));
    }

    #[test]
    fn parts_share_the_quotas_of_the_caller() {
        let free = |pacer: &Pacer, ask: &Ask| {
            let mut count = 0;
            while pacer.is_free(&region(), ask) && count < 1_000 {
                pacer.reserve(&region(), ask);
                count += 1;
            }
            count
        };
        let enter = Ask::Evidence(Call::AssumeRole {
            role_arn: "arn:aws:iam::222222222222:role/audit".to_owned(),
        });
        let (whole, part) = (Pacer::default(), Pacer::default());
        part.share_as(Shard::new(1, 4).unwrap());
        let (all, quarter) = (free(&whole, &enter), free(&part, &enter));
        assert!(
            (all / 5..=all / 4 + 1).contains(&quarter),
            "{all} {quarter}"
        );
        // Parts that begin together do not ask together.
        let last = Pacer::default();
        last.share_as(Shard::new(4, 4).unwrap());
        for call in [
            Call::ListRegions { account: None },
            Call::DescribeOrganization,
        ] {
            let ask = Ask::Evidence(call);
            assert!(part.is_free(&region(), &ask) && !last.is_free(&region(), &ask));
        }
        // Whoever lists the accounts in a part does so at the whole pace.
        assert_eq!(
            free(&whole, &list_accounts()),
            free(&part, &list_accounts())
        );
    }

    #[test]
    fn cloudtrail_reads_share_one_quota() {
        let pacer = Pacer::default();
        let status = Ask::Evidence(Call::GetTrailStatus {
            trail_arn: "t".to_owned(),
        });
        let trails = Ask::Evidence(Call::DescribeTrails {
            include_shadow_trails: true,
        });
        while pacer.is_free(&region(), &status) {
            pacer.reserve(&region(), &status);
        }
        assert!(!pacer.is_free(&region(), &trails));
    }
}
