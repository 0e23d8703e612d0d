//! Request quotas: a token bucket per account, region and API family, as AWS documents them.
//! Buckets exist only while they are not full.

use std::collections::HashMap;

use crate::operation::{Operation, Service};

/// How many requests a family of operations may have.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Quota {
    /// Operations of one family share a bucket.
    family: u8,
    /// Requests per second.
    rate: f32,
    /// Requests at once.
    burst: f32,
    /// Whether all regions share a bucket.
    pub(crate) global: bool,
}

impl Quota {
    /// The quota of an operation. Numbers are those of the service quotas pages; where AWS gives
    /// no burst it is one second's worth, and where it gives nothing (`CreateTopic`,
    /// `GetTopicAttributes`) that of a like operation.
    pub(crate) fn of(operation: Operation) -> Self {
        use Operation as O;
        let quota = |family, rate, burst| Self {
            family,
            rate,
            burst,
            global: operation.service() == Service::Organizations,
        };
        match operation {
            O::ListAccounts => quota(0, 8.0, 12.0),
            O::DescribeOrganization => quota(1, 1.0, 2.0),
            O::ListDelegatedAdministrators => quota(2, 5.0, 8.0),
            O::DescribeAccount => quota(3, 20.0, 30.0),
            O::ListRoots => quota(4, 1.0, 2.0),
            O::ListOrganizationalUnitsForParent | O::ListAccountsForParent | O::ListParents => {
                quota(5, 5.0, 8.0)
            }
            O::OrganizationsListTagsForResource => quota(28, 5.0, 8.0),
            // Shared over the common operations.
            O::GetCallerIdentity | O::AssumeRole => quota(6, 600.0, 600.0),
            O::ListRegions => quota(7, 5.0, 5.0),
            O::DescribeTrails
            | O::GetTrail
            | O::ListTrails
            | O::GetTrailStatus
            | O::GetEventSelectors => quota(8, 10.0, 10.0),
            O::StartLogging | O::StopLogging => quota(9, 1.0, 1.0),
            O::DescribeLogGroups => quota(10, 10.0, 10.0),
            O::DescribeMetricFilters => quota(11, 5.0, 5.0),
            O::PutMetricFilter => quota(12, 5.0, 5.0),
            O::DeleteMetricFilter => quota(13, 5.0, 5.0),
            O::TestMetricFilter => quota(14, 5.0, 5.0),
            O::CreateLogGroup | O::DeleteLogGroup => quota(15, 10.0, 10.0),
            O::DescribeAlarms => quota(16, 9.0, 9.0),
            O::DescribeAlarmsForMetric => quota(17, 9.0, 9.0),
            O::ListAlarmMuteRules | O::GetAlarmMuteRule => quota(18, 50.0, 50.0),
            O::PutMetricAlarm => quota(19, 3.0, 3.0),
            O::PutCompositeAlarm => quota(20, 3.0, 3.0),
            O::DeleteAlarms | O::SetAlarmState | O::EnableAlarmActions | O::DisableAlarmActions => {
                quota(21, 3.0, 3.0)
            }
            O::ListTagsForResource | O::TagResource | O::UntagResource => quota(22, 20.0, 20.0),
            O::ListSubscriptionsByTopic | O::ListTopics => quota(23, 30.0, 30.0),
            O::GetTopicAttributes | O::GetSubscriptionAttributes => quota(24, 30.0, 30.0),
            O::CreateTopic | O::DeleteTopic | O::SetTopicAttributes => quota(25, 30.0, 30.0),
            O::Subscribe
            | O::Unsubscribe
            | O::ConfirmSubscription
            | O::SetSubscriptionAttributes => quota(26, 100.0, 100.0),
            O::DescribeKey => quota(29, 2000.0, 2000.0),
            O::GetKeyPolicy => quota(30, 1000.0, 1000.0),
            // Not documented.
            O::ListLinks => quota(40, 10.0, 10.0),
            O::GetLink => quota(41, 10.0, 10.0),
            O::ListAttachedLinks => quota(42, 10.0, 10.0),
            // Not documented.
            O::ListCentralizationRulesForOrganization => quota(50, 5.0, 5.0),
            O::GetCentralizationRuleForOrganization => quota(51, 5.0, 5.0),
            O::ListTelemetryRulesForOrganization => quota(52, 5.0, 5.0),
            O::GetTelemetryRuleForOrganization => quota(53, 5.0, 5.0),
            O::ListTelemetryRules => quota(54, 5.0, 5.0),
            O::ListRules => quota(55, 50.0, 50.0),
            O::GetAlternateContact => quota(58, 10.0, 15.0),
            O::GetFindings => quota(56, 3.0, 6.0),
            O::BatchImportFindings => quota(57, 10.0, 30.0),
            O::SnsListTagsForResource | O::SnsTagResource | O::SnsUntagResource => {
                quota(27, 10.0, 10.0)
            }
        }
    }
}

/// What is left of a quota.
#[derive(Debug, Clone, Copy)]
struct Bucket {
    tokens: f32,
    /// Milliseconds since the start.
    at: u32,
}

/// The buckets that are not full.
#[derive(Debug, Default)]
pub(crate) struct Quotas {
    buckets: HashMap<u64, Bucket>,
    /// How many there may be before full ones are looked for.
    room: usize,
}

impl Quotas {
    /// Takes a request out of a bucket, when it has one left.
    pub(crate) fn take(&mut self, quota: Quota, account: usize, region: u8, now: u32) -> bool {
        if self.buckets.len() > self.room {
            self.forget_full(now);
        }
        let region = if quota.global { u8::MAX } else { region };
        let account = u64::try_from(account).unwrap_or(u64::MAX);
        let key = (account << 16) | (u64::from(region) << 8) | u64::from(quota.family);
        let bucket = self.buckets.entry(key).or_insert(Bucket {
            tokens: quota.burst,
            at: now,
        });
        let elapsed = now.saturating_sub(bucket.at);
        #[allow(
            clippy::cast_precision_loss,
            reason = "a bucket is full long before milliseconds lose precision"
        )]
        let gained = elapsed as f32 / 1000.0 * quota.rate;
        bucket.tokens = (bucket.tokens + gained).min(quota.burst);
        bucket.at = now;
        if bucket.tokens < 1.0 {
            return false;
        }
        bucket.tokens -= 1.0;
        true
    }

    /// Every bucket is full after three seconds of rest: no quota has a burst of more than three
    /// seconds' worth.
    fn forget_full(&mut self, now: u32) {
        self.buckets
            .retain(|_, bucket| now.saturating_sub(bucket.at) < 3000);
        self.room = (self.buckets.len() * 2).max(65_536);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_then_the_rate() {
        let mut quotas = Quotas::default();
        let quota = Quota::of(Operation::ListAccounts);
        let taken = |quotas: &mut Quotas, now, tries| {
            (0..tries).filter(|_| quotas.take(quota, 0, 0, now)).count()
        };
        assert_eq!(taken(&mut quotas, 0, 20), 12);
        assert_eq!(taken(&mut quotas, 1000, 20), 8);
        assert_eq!(taken(&mut quotas, 60_000, 20), 12);
    }

    #[test]
    fn buckets_are_apart() {
        let mut quotas = Quotas::default();
        let trails = Quota::of(Operation::DescribeTrails);
        for (account, region) in [(0, 0), (0, 1), (1, 0)] {
            let taken = (0..20).filter(|_| quotas.take(trails, account, region, 0));
            assert_eq!(taken.count(), 10);
        }
        let status = Quota::of(Operation::GetTrailStatus);
        assert!(!quotas.take(status, 0, 0, 0), "one family, one bucket");
        let organizations = Quota::of(Operation::ListAccounts);
        assert_eq!(
            (0..20)
                .filter(|n| quotas.take(organizations, 0, *n, 0))
                .count(),
            12
        );
    }

    #[test]
    fn no_burst_outlasts_the_rest_after_which_buckets_are_forgotten() {
        for operation in Operation::ALL {
            let quota = Quota::of(*operation);
            assert!(quota.burst <= quota.rate * 3.0, "{operation:?}");
        }
    }
}
