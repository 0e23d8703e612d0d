//! Staying below the quotas of calls that change something. They are counted per account, region
//! and operation.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use trailproof_core::account::{AccountId, Region};

/// When the next call of each kind may be made.
#[derive(Debug, Default)]
pub(super) struct Pace(Mutex<HashMap<(AccountId, Region, &'static str), Instant>>);

/// The time between two calls: a little longer than the quota asks for (CloudWatch and CloudWatch
/// Logs quotas: 3 alarms, 5 metric filters per second). For topics none is documented; theirs is
/// that of the scarcest neighbour.
fn interval(action: &str) -> Duration {
    Duration::from_millis(match action {
        "cloudwatch:PutMetricAlarm" | "cloudwatch:DeleteAlarms" | "cloudwatch:SetAlarmState" => 370,
        "sns:Subscribe" | "sns:Unsubscribe" => 20,
        // Metric filters, and what has no documented quota.
        _ => 220,
    })
}

impl Pace {
    /// Waits for the turn of a call.
    pub(super) async fn wait(&self, account: AccountId, region: &Region, action: &'static str) {
        tokio::time::sleep_until(self.turn(account, region, action, Instant::now())).await;
    }

    fn turn(
        &self,
        account: AccountId,
        region: &Region,
        action: &'static str,
        now: Instant,
    ) -> Instant {
        let mut next = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let at = next.entry((account, region.clone(), action)).or_insert(now);
        let turn = (*at).max(now);
        *at = turn + interval(action);
        turn
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_alarms_a_second_in_each_place() {
        let pace = Pace::default();
        let account = "111111111111".parse().unwrap();
        let (here, there) = (Region::new("a"), Region::new("b"));
        let now = Instant::now();
        let turn = |region: &Region| pace.turn(account, region, "cloudwatch:PutMetricAlarm", now);
        assert_eq!(turn(&here), now);
        assert_eq!(turn(&there), now);
        let turns: Vec<Duration> = (0..9).map(|_| turn(&here) - now).collect();
        assert!(turns.iter().filter(|turn| turn.as_secs() == 1).count() <= 3);
        assert!(turns.is_sorted());
    }
}
