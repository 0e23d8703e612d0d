//! After a plan was carried out: the accounts are scanned again, and what was said is compared
//! with what is.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::ops::ControlFlow;

use trailproof_core::account::AccountId;
use trailproof_core::finding::{Finding, Status, Summary};
use trailproof_core::policy::Policy;
use trailproof_report::remediation::Plan;
use trailproof_report::run::{Run, RunKind, Scope as RecordedScope};
use trailproof_scanner::{ScanPlan, Sweep};

use super::apply::controls;
use super::connection::scan_plan;
use super::display::count;
use super::record::Record;
use crate::clock;
use crate::commands::scan::{new_run, record as record_outcome};
use crate::conclusion::judge;
use crate::error::CliError;
use crate::exit::Exit;
use crate::interrupt::Interrupt;
use crate::output::Output;
use crate::progress::Progress;
use crate::settings::{ConnectionSettings, ScopeSettings};
use crate::untrusted::visible;

/// What the accounts are now.
pub(super) struct Verified {
    /// Before and after, in words.
    pub(super) text: String,
    /// As for a scan of these findings.
    pub(super) exit: Exit,
}

/// The policy the plan's run was judged by, for the accounts and controls of the plan.
pub(super) fn policy(plan: &Plan) -> Result<Policy, CliError> {
    let mut policy = plan
        .policy
        .to_policy(controls(plan)?, &RecordedScope::default());
    let repaired: BTreeSet<&str> = plan
        .sites
        .iter()
        .flat_map(|site| &site.repairs)
        .map(|repair| repair.control.as_str())
        .collect();
    policy
        .controls
        .retain(|control| repaired.contains(control.id.as_str()));
    policy.accounts = Some(plan.accounts());
    Ok(policy)
}

/// The scan of a plan's accounts, prepared before anything is changed.
pub(super) struct Verification {
    scan: ScanPlan,
    run: Run,
    policy: Policy,
}

/// Prepares the scan.
pub(super) fn prepare(
    settings: &ConnectionSettings,
    plan: &Plan,
    policy: Policy,
) -> Result<Verification, CliError> {
    let scope = ScopeSettings {
        accounts: plan.accounts().into_iter().collect(),
        ..ScopeSettings::default()
    };
    let mut scan = scan_plan(settings, policy.clone())?;
    scan.scope = scope.scope()?;
    // The same verdicts with fewer calls.
    scan.sweep = Sweep::Adaptive;
    scan.mutes.clone_from(&plan.policy.mutes);
    let mut run = new_run(RunKind::Scan, &scan, &scope, &policy);
    run.policy.mutes.clone_from(&plan.policy.mutes);
    Ok(Verification { scan, run, policy })
}

impl Verification {
    /// The run, as far as it is known before it begins.
    pub(super) fn run(&self) -> &Run {
        &self.run
    }

    /// Scans, says what became of the plan's findings, and writes the run where it is recorded.
    pub(super) async fn scan(
        self,
        plan: &Plan,
        record: Option<Record>,
        interrupt: &Interrupt,
        output: &Output,
    ) -> Result<Verified, CliError> {
        let Self {
            mut scan,
            mut run,
            policy,
        } = self;
        scan.evidence = record.as_ref().and_then(Record::evidence);
        run.started_at = clock::now();
        let mut progress = Progress::start(output);
        let outcome = trailproof_scanner::scan(scan, |event| {
            progress.on_event(&event);
            if interrupt.is_requested() {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        })
        .await;
        progress.finish();
        let outcome = outcome?;
        record_outcome(&mut run, &outcome, true);
        let mut findings = judge(&mut run, &policy, &outcome.evidence, clock::now(), output);
        if let Some(record) = record {
            record.write(&run, &findings, &outcome.evidence, output)?;
        }
        // The run has every control of every account; the plan is about some of them.
        let wanted = wanted(plan);
        findings
            .retain(|finding| wanted.contains(&(finding.account.id, finding.control.id.as_str())));
        Ok(Verified {
            text: text(plan, &findings),
            exit: if outcome.complete {
                Exit::of(&Summary::of(&findings))
            } else {
                Exit::Interrupted
            },
        })
    }
}

/// The findings that the plan is about.
fn wanted(plan: &Plan) -> BTreeSet<(AccountId, &str)> {
    plan.sites
        .iter()
        .flat_map(|site| &site.repairs)
        .flat_map(|repair| {
            repair
                .turns_green
                .iter()
                .chain(&repair.waits_for_confirmation)
                .map(|account| (*account, repair.control.as_str()))
        })
        .collect()
}

fn text(plan: &Plan, findings: &[Finding]) -> String {
    let by_id: BTreeMap<(AccountId, &str), &Finding> = findings
        .iter()
        .map(|finding| ((finding.account.id, finding.control.id.as_str()), finding))
        .collect();
    let mut text = String::new();
    let mut waiting = 0;
    for site in &plan.sites {
        for repair in &site.repairs {
            let accounts: Vec<_> = repair
                .turns_green
                .iter()
                .chain(&repair.waits_for_confirmation)
                .collect();
            let mut after: BTreeMap<String, usize> = BTreeMap::new();
            for account in &accounts {
                let finding = by_id.get(&(**account, repair.control.as_str()));
                let words = match finding {
                    None => "not judged".to_owned(),
                    Some(finding) if finding.status == Status::Pass => "PASS".to_owned(),
                    Some(finding) => {
                        let reason = finding.reason.as_deref().unwrap_or_default();
                        waiting += usize::from(reason == "subscription.pending");
                        format!("{} ({})", finding.status, visible(reason))
                    }
                };
                *after.entry(words).or_default() += 1;
            }
            let after: Vec<String> = after
                .into_iter()
                .map(|(words, number)| format!("{number} {words}"))
                .collect();
            // Writing to a String cannot fail.
            let _ = writeln!(
                text,
                "{}  {}: before {} FAIL, after {}",
                visible(&site.id),
                visible(&repair.control),
                accounts.len(),
                after.join(", ")
            );
        }
    }
    let summary = Summary::of(findings);
    let _ = write!(
        text,
        "after: {} PASS, {} FAIL, {} UNKNOWN",
        summary.count(Status::Pass),
        summary.count(Status::Fail),
        summary.count(Status::Unknown)
    );
    if waiting > 0 {
        let _ = write!(
            text,
            "\n{} for a person: AWS has sent a message with a link to each new subscriber, and nothing arrives before it is followed; it is valid for two days",
            if waiting == 1 {
                "1 finding waits".to_owned()
            } else {
                format!("{} wait", count(waiting, "finding"))
            }
        );
    }
    text
}
