//! How few requests would have given the same verdicts: what evaluation wants, asked in-process and
//! each question once, every page counted. A yardstick for scanners; nothing is judged here.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::Value;
use trailproof_core::account::{AccountId, Region};
use trailproof_core::evaluate::wanted;
use trailproof_core::evidence::{Call, Evidence, Operation, Outcome, Request};
use trailproof_core::policy::Policy;

use crate::model::{AccountState, Organization};

/// How the trails of an account are looked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Sweep {
    /// In every enabled region.
    #[default]
    Full,
    /// In one region after the other until one answers.
    Adaptive,
}

/// The fewest requests.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Minimum {
    /// All of them, pages counted.
    pub calls: u64,
    /// By operation, such as `cloudtrail:DescribeTrails`.
    pub by_operation: BTreeMap<String, u64>,
}

struct Count<'a> {
    organization: &'a Organization,
    evidence: Evidence,
    asked: BTreeSet<Request>,
    /// The accounts that were tried, and whether they could be entered.
    entered: BTreeMap<AccountId, bool>,
    minimum: Minimum,
}

impl Organization {
    /// The fewest requests that give the verdicts of a policy.
    pub fn minimum(&self, policy: &Policy, sweep: Sweep) -> Minimum {
        let mut count = Count {
            organization: self,
            evidence: Evidence::default(),
            asked: BTreeSet::new(),
            entered: BTreeMap::from([(self.caller, true)]),
            minimum: Minimum::default(),
        };
        count.discover();
        let members = || {
            self.accounts()
                .iter()
                .filter(|account| account.state == AccountState::Active)
                .filter(|account| self.exists || account.id == self.caller)
                .map(|account| account.id)
        };
        for account in members() {
            if count.enter(account) {
                count.sweep(account, sweep);
            }
        }
        for account in members() {
            count.follow_up(policy, account);
        }
        count.minimum
    }
}

impl Count<'_> {
    fn home(&self) -> Region {
        self.organization.partition().home_region()
    }

    fn discover(&mut self) {
        for call in [
            Call::GetCallerIdentity,
            Call::DescribeOrganization,
            Call::ListAccounts,
        ] {
            self.ask(Request {
                account: self.organization.caller,
                region: self.home(),
                call,
            });
        }
    }

    fn enter(&mut self, account: AccountId) -> bool {
        if let Some(entered) = self.entered.get(&account) {
            return *entered;
        }
        let partition = self.organization.partition();
        let role = crate::model::Role::ORGANIZATION_ACCESS;
        let entered = self.ask(Request {
            account: self.organization.caller,
            region: self.home(),
            call: Call::AssumeRole {
                role_arn: format!("arn:{partition}:iam::{account}:role/{role}"),
            },
        });
        self.entered.insert(account, entered);
        entered
    }

    fn sweep(&mut self, account: AccountId, sweep: Sweep) {
        let trails = |region| Request {
            account,
            region,
            call: Call::DescribeTrails {
                include_shadow_trails: true,
            },
        };
        let regions = self.enabled(account);
        match sweep {
            Sweep::Full => {
                let caller = self.organization.caller;
                self.ask(Request {
                    account: caller,
                    region: self.home(),
                    call: Call::ListRegions {
                        account: (account != caller).then_some(account),
                    },
                });
                for region in regions {
                    self.ask(trails(region));
                }
            }
            Sweep::Adaptive => {
                for region in regions {
                    if self.ask(trails(region)) {
                        break;
                    }
                }
            }
        }
    }

    /// The enabled regions, the home region first.
    fn enabled(&self, id: AccountId) -> Vec<Region> {
        let home = self.home();
        let organization = self.organization;
        let mut regions: Vec<Region> = organization
            .account(id)
            .into_iter()
            .flat_map(|account| {
                organization
                    .regions
                    .iter()
                    .chain(&organization.opt_in_regions)
                    .filter(|region| organization.is_enabled(account, region))
            })
            .cloned()
            .collect();
        regions.sort_by_key(|region| *region != home);
        regions
    }

    fn follow_up(&mut self, policy: &Policy, account: AccountId) {
        loop {
            let requests: Vec<Request> = wanted(&self.evidence, policy, account)
                .into_iter()
                .filter(|request| !self.asked.contains(request))
                .collect();
            let mut progress = false;
            for request in requests {
                let known = self.entered.contains_key(&request.account);
                if self.enter(request.account) {
                    self.ask(request);
                    progress = true;
                } else {
                    // That an account is closed is news once.
                    progress |= !known;
                }
            }
            if !progress {
                return;
            }
        }
    }

    /// Asks, remembers and counts. Whether there was an answer.
    fn ask(&mut self, request: Request) -> bool {
        let record = self.organization.record(&request);
        let pages = match &record.outcome {
            Outcome::Response(response) => pages(record.operation, response),
            Outcome::Error(_) => 1,
        };
        self.minimum.calls += pages;
        *self
            .minimum
            .by_operation
            .entry(record.operation.to_string())
            .or_default() += pages;
        let answered = matches!(record.outcome, Outcome::Response(_));
        // Every answer of this crate can be read; one that cannot would only be asked for again.
        let _ = self.evidence.insert(record);
        self.asked.insert(request);
        answered
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
        Operation::DescribeAlarms => (100, &["MetricAlarms", "CompositeAlarms"]),
        Operation::ListAlarmMuteRules => (100, &["AlarmMuteRuleSummaries"]),
        Operation::ListSubscriptionsByTopic => (100, &["Subscriptions"]),
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
        organization.minimum(&policy, sweep)
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
