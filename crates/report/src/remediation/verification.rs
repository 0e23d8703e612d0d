//! After a plan was carried out: what it said is compared with what a new scan found.

use std::collections::{BTreeMap, BTreeSet};

use trailproof_core::account::AccountId;
use trailproof_core::control::{self, CatalogueError, Control};
use trailproof_core::finding::{Finding, Status, Summary};
use trailproof_core::policy::Policy;

use super::plan::{Plan, Repair};
use crate::run::Scope;

/// The controls of a plan, as its run judged them.
pub fn controls(plan: &Plan) -> Result<Vec<Control>, CatalogueError> {
    let catalogue = control::with_custom(plan.policy.custom_controls.clone())?;
    control::select(&catalogue, &plan.policy.controls)
}

/// The policy that the plan's run was judged by, for the accounts and controls of the plan.
pub fn policy(plan: &Plan) -> Result<Policy, CatalogueError> {
    let mut policy = plan.policy.to_policy(controls(plan)?, &Scope::default());
    let repaired: BTreeSet<&str> = repairs(plan)
        .map(|(_, repair)| repair.control.as_str())
        .collect();
    policy
        .controls
        .retain(|control| repaired.contains(control.id.as_str()));
    policy.accounts = Some(plan.accounts());
    Ok(policy)
}

/// What became of the findings that a plan is about.
#[derive(Debug, Clone, PartialEq)]
pub struct Verification<'a> {
    /// Repair by repair.
    pub repairs: Vec<VerifiedRepair<'a>>,
    /// The counts of all of them.
    pub summary: Summary,
    /// How many wait for somebody to confirm a subscription.
    pub waiting: usize,
}

/// What became of the findings of one repair.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedRepair<'a> {
    /// The site.
    pub site: &'a str,
    /// The control.
    pub control: &'a str,
    /// How many were FAIL when the plan was made.
    pub before: usize,
    /// How many are what now: status and reason, `None` for those that were not judged.
    pub after: BTreeMap<Option<(Status, Option<&'a str>)>, usize>,
}

impl<'a> Verification<'a> {
    /// Compares a plan with the findings of a scan of its accounts. Other findings are left out:
    /// the scan has every control of every account, the plan is about some of them.
    pub fn of(plan: &'a Plan, findings: &'a [Finding]) -> Self {
        let by_id: BTreeMap<(AccountId, &str), &Finding> = findings
            .iter()
            .map(|finding| ((finding.account.id, finding.control.id.as_str()), finding))
            .collect();
        let mut concerned = BTreeMap::new();
        let repairs = repairs(plan)
            .map(|(site, repair)| {
                let mut after = BTreeMap::new();
                for account in accounts(repair) {
                    let id = (account, repair.control.as_str());
                    let finding = by_id.get(&id).copied();
                    concerned.extend(finding.map(|finding| (id, finding)));
                    let became = finding.map(|finding| (finding.status, reason(finding)));
                    *after.entry(became).or_default() += 1;
                }
                VerifiedRepair {
                    site,
                    control: &repair.control,
                    before: accounts(repair).count(),
                    after,
                }
            })
            .collect();
        Self {
            repairs,
            summary: Summary::of(concerned.values().copied()),
            waiting: concerned
                .values()
                .filter(|finding| reason(finding) == Some("subscription.pending"))
                .count(),
        }
    }
}

fn reason(finding: &Finding) -> Option<&str> {
    finding
        .reason
        .as_deref()
        .filter(|_| finding.status != Status::Pass)
}

fn repairs(plan: &Plan) -> impl Iterator<Item = (&str, &Repair)> {
    plan.sites.iter().flat_map(|site| {
        let repairs = site.repairs.iter();
        repairs.map(|repair| (site.id.as_str(), repair))
    })
}

/// The accounts whose findings a repair changes.
fn accounts(repair: &Repair) -> impl Iterator<Item = AccountId> {
    let waiting = &repair.waits_for_confirmation;
    repair.turns_green.iter().chain(waiting).copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::sample::finding;
    use crate::remediation::export::tests::plan as exported;

    const ONE: &str = "111111111111";
    const OTHER: &str = "222222222222";
    const THIRD: &str = "333333333333";

    fn repair(control: &str, turns_green: &[&str], waits: &[&str]) -> Repair {
        let accounts = |texts: &[&str]| texts.iter().map(|text| text.parse().unwrap()).collect();
        Repair {
            control: control.to_owned(),
            reasons: vec!["metric-filter.none".to_owned()],
            steps: Vec::new(),
            turns_green: accounts(turns_green),
            waits_for_confirmation: accounts(waits),
            notes: Vec::new(),
        }
    }

    /// A plan with these repairs at its first site, and none at the others.
    fn plan(repairs: Vec<Repair>) -> Plan {
        let mut plan = exported();
        for site in &mut plan.sites {
            site.repairs.clear();
        }
        plan.sites[0].repairs = repairs;
        plan
    }

    #[test]
    fn findings_are_counted_by_what_became_of_them() {
        let plan = plan(vec![
            repair("console-auth-failures", &[ONE, OTHER], &[THIRD]),
            repair("root-usage", &[ONE], &[]),
        ]);
        let findings = [
            finding(ONE, "console-auth-failures", Status::Pass),
            finding(OTHER, "console-auth-failures", Status::Fail),
            finding(THIRD, "console-auth-failures", Status::Fail),
            // The plan is not about it.
            finding(OTHER, "root-usage", Status::Unknown),
        ];
        let found = Verification::of(&plan, &findings);
        let pending = Some("subscription.pending");
        let site = plan.sites[0].id.as_str();
        assert_eq!(
            found.repairs,
            [
                VerifiedRepair {
                    site,
                    control: "console-auth-failures",
                    before: 3,
                    after: BTreeMap::from([
                        (Some((Status::Pass, None)), 1),
                        (Some((Status::Fail, pending)), 2),
                    ]),
                },
                VerifiedRepair {
                    site,
                    control: "root-usage",
                    before: 1,
                    after: BTreeMap::from([(None, 1)]),
                },
            ]
        );
        assert_eq!(found.summary, Summary::of(&findings[..3]));
        assert_eq!(found.waiting, 2);
    }

    /// Two log groups of one account may each be repaired for the same control.
    #[test]
    fn a_finding_that_two_repairs_are_about_counts_once() {
        let mut plan = plan(vec![repair("console-auth-failures", &[ONE], &[])]);
        let mut second = plan.sites[0].clone();
        second.id = "111111111111/us-east-1/other".to_owned();
        plan.sites.push(second);
        let findings = [finding(ONE, "console-auth-failures", Status::Fail)];
        let found = Verification::of(&plan, &findings);
        assert_eq!(found.repairs.len(), 2);
        assert_eq!((found.summary.findings, found.waiting), (1, 1));
    }

    /// A reason is what is wrong: what passes has none, whatever an observation says of it.
    #[test]
    fn what_passes_has_no_reason() {
        let plan = plan(vec![repair("console-auth-failures", &[ONE], &[])]);
        let mut passed = finding(ONE, "console-auth-failures", Status::Pass);
        passed.reason = Some("subscription.pending".into());
        let findings = [passed];
        let found = Verification::of(&plan, &findings);
        let became: Vec<_> = found.repairs[0].after.keys().copied().collect();
        assert_eq!(became, [Some((Status::Pass, None))]);
        assert_eq!(found.waiting, 0);
    }

    #[test]
    fn the_policy_is_that_of_the_run_for_what_the_plan_repairs() {
        let mut plan = plan(vec![repair("root-usage", &[ONE], &[OTHER])]);
        let ids = ["console-auth-failures", "root-usage", "iam-policy-changes"];
        plan.policy.controls = ids.map(str::to_owned).to_vec();
        plan.policy.max_window_seconds = 1234;

        let controls = controls(&plan).unwrap();
        assert_eq!(controls.len(), 3);
        let policy = policy(&plan).unwrap();
        assert_eq!(policy.controls.len(), 1);
        assert_eq!(policy.controls[0].id, "root-usage");
        assert_eq!(policy.max_window.as_secs(), 1234);
        assert_eq!(policy.accounts, Some(plan.accounts()));

        plan.policy.controls = vec!["nonsense".to_owned()];
        assert!(super::policy(&plan).is_err());
    }
}
