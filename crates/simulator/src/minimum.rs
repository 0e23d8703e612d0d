//! How few requests would have given the same verdicts: what evaluation wants, asked in-process and
//! each question once, every page counted. A yardstick for scanners.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;
use trailproof_core::evidence::{Operation, Outcome, UnreadableRecord};
use trailproof_core::policy::Policy;

use crate::in_process::Sweep;
use crate::model::Organization;

/// The fewest requests.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Minimum {
    /// All of them, pages counted.
    pub calls: u64,
    /// By operation, such as `cloudtrail:DescribeTrails`.
    pub by_operation: BTreeMap<String, u64>,
}

impl Organization {
    /// The fewest requests that give the verdicts of a policy.
    ///
    /// # Errors
    ///
    /// Where an answer is not what the API of its call documents.
    pub fn minimum(&self, policy: &Policy, sweep: Sweep) -> Result<Minimum, UnreadableRecord> {
        let mut minimum = Minimum::default();
        for record in self.scan(policy, sweep)?.records {
            let pages = match &record.outcome {
                Outcome::Response(response) => pages(record.operation, response),
                Outcome::Error(_) => 1,
            };
            minimum.calls += pages;
            let by_operation = &mut minimum.by_operation;
            *by_operation
                .entry(record.operation.to_string())
                .or_default() += pages;
        }
        Ok(minimum)
    }
}

/// How many pages a merged answer takes at the largest size a page may have.
fn pages(operation: Operation, response: &Value) -> u64 {
    let (size, lists): (usize, &[&str]) = match operation {
        Operation::ListAccounts => (20, &["Accounts"]),
        Operation::ListDelegatedAdministrators => (20, &["DelegatedAdministrators"]),
        Operation::ListRegions => (50, &["Regions"]),
        Operation::DescribeLogGroups => (50, &["logGroups"]),
        Operation::DescribeMetricFilters => (50, &["metricFilters"]),
        Operation::DescribeAlarms => (100, &["MetricAlarms", "CompositeAlarms", "LogAlarms"]),
        Operation::ListAlarmMuteRules => (100, &["AlarmMuteRuleSummaries"]),
        Operation::ListSubscriptionsByTopic => (100, &["Subscriptions"]),
        Operation::ListLinks => (5, &["Items"]),
        Operation::ListAttachedLinks => (1_000, &["Items"]),
        Operation::ListCentralizationRulesForOrganization => {
            (100, &["CentralizationRuleSummaries"])
        }
        Operation::ListTelemetryRulesForOrganization | Operation::ListTelemetryRules => {
            (100, &["TelemetryRuleSummaries"])
        }
        Operation::ListRules => (100, &["Rules"]),
        _ => return 1,
    };
    let items: usize = lists
        .iter()
        .filter_map(|list| response.get(list)?.as_array())
        .map(Vec::len)
        .sum();
    u64::try_from(items.div_ceil(size).max(1)).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use trailproof_core::control;

    use super::*;
    use crate::generator::{Generator, Mix};

    fn minimum(mix: Mix, sweep: Sweep) -> Minimum {
        let organization = Generator {
            accounts: 45,
            regions: 17,
            seed: 7,
            mix,
            denied: None,
        }
        .organization()
        .unwrap();
        let ids = ["console-auth-failures".to_owned()];
        let policy = Policy::new(control::select(control::builtin(), &ids).unwrap());
        organization.minimum(&policy, sweep).unwrap()
    }

    #[test]
    fn a_full_sweep_asks_every_region_and_lists_accounts_in_pages() {
        let full = minimum(Mix::Healthy, Sweep::Full);
        assert_eq!(full.by_operation["organizations:ListAccounts"], 3);
        assert_eq!(full.by_operation["sts:AssumeRole"], 44);
        assert_eq!(full.by_operation["account:ListRegions"], 45);
        assert_eq!(full.by_operation["cloudtrail:DescribeTrails"], 45 * 17);
        assert_eq!(full.calls, full.by_operation.values().sum::<u64>());
    }

    #[test]
    fn an_adaptive_sweep_asks_one() {
        let adaptive = minimum(Mix::Healthy, Sweep::Adaptive);
        assert_eq!(adaptive.by_operation["cloudtrail:DescribeTrails"], 45);
        assert!(!adaptive.by_operation.contains_key("account:ListRegions"));
    }

    #[test]
    fn pages_are_counted_at_their_largest() {
        let alarms = |metric: usize, composite: usize| {
            let list = |count| Value::Array(vec![Value::Null; count]);
            let answer = serde_json::json!({
                "MetricAlarms": list(metric), "CompositeAlarms": list(composite),
            });
            pages(Operation::DescribeAlarms, &answer)
        };
        assert_eq!([alarms(0, 0), alarms(99, 1), alarms(100, 1)], [1, 1, 2]);
    }
}
