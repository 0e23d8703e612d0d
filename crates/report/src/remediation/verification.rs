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
