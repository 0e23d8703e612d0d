//! How few requests would have given the same verdicts: what evaluation wants, asked in-process and
//! each question once, every page counted. A yardstick for scanners.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use serde::Serialize;
use serde_json::Value;
use trailproof_core::account::Region;
use trailproof_core::evidence::{Operation, Outcome, UnreadableRecord};
use trailproof_core::policy::Policy;

use crate::in_process::{Host, Scan, Sweep};
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
        Ok(Minimum::of(&self.scan(policy, sweep)?))
    }

    /// The least time in which a scan that made these calls could end, whatever it makes at once:
    /// two questions before the accounts are listed, the pages of the list, of which each needs the
    /// one before and all the documented quota, and from the page of an account on one step of its
    /// questions after the other. `latency` says how long a region takes to answer; `greetings`, how
    /// many more of these times pass before a host that nobody asked before can be asked anything.
    pub(crate) fn critical_path(
        &self,
        scan: &Scan,
        latency: impl Fn(&Region) -> Duration,
        greetings: u32,
    ) -> Duration {
        /// Each time the hosts are asked no sooner than they were found to be, so that every end is
        /// a bound, and the last the best; there is hardly any difference after the third.
        const TIMES: usize = 4;
        let mut path = Path {
            ready: HashMap::new(),
            asked: HashMap::new(),
            latency: &latency,
        };
        let mut end = self.walk(scan, &mut path);
        for _ in 0..if greetings > 0 { TIMES } else { 0 } {
            let asked = std::mem::take(&mut path.asked).into_iter();
            path.ready = asked
                .map(|(host, at)| {
                    let greeted = latency(&host.region) * greetings;
                    (host, at + greeted)
                })
                .collect();
            end = self.walk(scan, &mut path);
        }
        end
    }

    /// When the last account is done.
    fn walk<L: Fn(&Region) -> Duration>(&self, scan: &Scan, path: &mut Path<'_, L>) -> Duration {
        /// The documented quota of `organizations:ListAccounts`, and the accounts on a page.
        const BURST: usize = 12;
        const PER_SECOND: f64 = 8.0;
        const PAGE: usize = 20;
        let home = self.partition().home_region();
        let before = [
            Operation::GetCallerIdentity,
            Operation::DescribeOrganization,
            Operation::ListAccounts,
        ]
        .into_iter()
        .fold(Duration::ZERO, |at, operation| {
            path.answer(at, &Host::of(operation, home.clone()))
        });
        let next_page = (path.latency)(&home);
        let mut ends = before;
        for (place, account) in self.accounts().iter().enumerate() {
            let page = place / PAGE;
            let beyond = u32::try_from((page + 1).saturating_sub(BURST)).unwrap_or(u32::MAX);
            let by_quota = Duration::from_secs_f64(f64::from(beyond) / PER_SECOND);
            let by_latency = next_page * u32::try_from(page).unwrap_or(u32::MAX);
            let mut end = before + by_quota.max(by_latency);
            for step in scan.steps.get(&account.id).into_iter().flatten() {
                let ways = step.iter().map(|hosts| {
                    let mut hosts = hosts.iter();
                    hosts.try_fold(end, |at, host| Some(path.answer(at, host)))
                });
                end = ways.flatten().max().unwrap_or(end);
            }
            ends = ends.max(end);
        }
        ends
    }
}

/// When hosts are asked and answer.
struct Path<'l, L> {
    /// From when on a host can be asked.
    ready: HashMap<Host, Duration>,
    /// When somebody wants to ask a host first.
    asked: HashMap<Host, Duration>,
    latency: &'l L,
}

impl<L: Fn(&Region) -> Duration> Path<'_, L> {
    /// When a host answers somebody who wants to ask it at a time.
    fn answer(&mut self, at: Duration, host: &Host) -> Duration {
        if let Some(first) = self.asked.get_mut(host) {
            *first = at.min(*first);
        } else {
            self.asked.insert(host.clone(), at);
        }
        let ready = self.ready.get(host).copied().unwrap_or_default();
        at.max(ready) + (self.latency)(&host.region)
    }
}

impl Minimum {
    /// What a scan asked.
    pub(crate) fn of(scan: &Scan) -> Self {
        let mut minimum = Self::default();
        for record in &scan.records {
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
        minimum
    }
}

/// How many pages a merged answer takes at the largest size a page may have.
fn pages(operation: Operation, response: &Value) -> u64 {
    let (size, lists): (usize, &[&str]) = match operation {
        Operation::ListAccounts => (20, &["Accounts"]),
        Operation::ListOrganizationalUnitsForParent => (20, &["OrganizationalUnits"]),
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
        // The units below the root, and below each unit that has others.
        assert!(full.by_operation["organizations:ListOrganizationalUnitsForParent"] >= 1);
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

    /// The critical path of a full sweep of so many accounts in milliseconds, by how far sa-east-1 is,
    /// where all other regions answer after one, and by the greetings.
    fn paths(accounts: usize) -> impl Fn(u64, u32) -> u128 {
        let organization = Generator {
            accounts,
            regions: 17,
            seed: 7,
            mix: Mix::Covered,
            denied: None,
        }
        .organization()
        .unwrap();
        let ids = ["console-auth-failures".to_owned()];
        let policy = Policy::new(control::select(control::builtin(), &ids).unwrap());
        let scan = organization.scan(&policy, Sweep::Full).unwrap();
        move |far, greetings| {
            let latency = |region: &Region| {
                Duration::from_millis(if region.as_str() == "sa-east-1" {
                    far
                } else {
                    1
                })
            };
            let path = organization.critical_path(&scan, latency, greetings);
            path.as_millis()
        }
    }

    #[test]
    fn the_critical_path_knows_quotas_and_distances() {
        let path = paths(400);
        // Three calls, eight pages of which come one each eighth of a second, then the role, the
        // regions, and the trails, for which the farthest region is waited for.
        assert_eq!(path(1, 0), 3 + 1000 + 3);
        assert_eq!(path(200, 0), 3 + 1000 + 2 + 200);
        // Two hosts are greeted before the first page. All others the first account greets, while
        // the last ones are not listed yet.
        assert_eq!(path(200, 2), 3 + 2 * 2 + 1000 + 2 + 200);
    }

    /// Accounts that are listed at once ask every host for the first time, all of them.
    #[test]
    fn nobody_is_answered_by_a_host_before_it_was_greeted() {
        let path = paths(15);
        assert_eq!(path(200, 0), path(1, 0) + 199);
        assert_eq!(path(200, 2), path(1, 2) + 3 * 199);
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
