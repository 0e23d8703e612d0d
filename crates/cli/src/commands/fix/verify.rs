//! After a plan was carried out: the accounts are scanned again, and what was said is compared
//! with what is.

use std::fmt::Write as _;
use std::ops::ControlFlow;
use std::path::Path;

use trailproof_core::finding::Status;
use trailproof_core::policy::Policy;
use trailproof_report::listing::Listing;
use trailproof_report::remediation::Plan;
use trailproof_report::remediation::verification::{self, Verification};
use trailproof_report::run::{Run, RunKind};
use trailproof_scanner::{ScanPlan, Sweep};

use super::connection::scan_plan;
use super::record::Record;
use crate::clock;
use crate::commands::changing::count;
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

/// The policy that the scan afterwards is judged by.
pub(super) fn policy(plan: &Plan) -> Result<Policy, CliError> {
    verification::policy(plan).map_err(|error| {
        CliError::usage(format_args!("the plan's controls cannot be used: {error}"))
    })
}

/// The scan of a plan's accounts, prepared before anything is changed.
pub(super) struct PreparedScan {
    scan: ScanPlan,
    run: Run,
    policy: Policy,
}

/// Prepares the scan.
pub(super) fn prepare(
    settings: &ConnectionSettings,
    plan: &Plan,
    policy: Policy,
) -> Result<PreparedScan, CliError> {
    let scope = ScopeSettings {
        accounts: plan.accounts().into_iter().collect(),
        ..ScopeSettings::default()
    };
    let mut scan = scan_plan(settings, policy.clone())?;
    scan.scope = scope.scope()?;
    let listing = listing(plan);
    scan.organization
        .extend(listing.iter().flat_map(|known| known.records().cloned()));
    // Those that are changed were confirmed, also where no organization lists them.
    scan.trusted.extend(plan.steps().map(|step| step.account));
    // The same verdicts with fewer calls.
    scan.sweep = Sweep::Adaptive;
    scan.mutes.clone_from(&plan.policy.mutes);
    scan.attestations.clone_from(&plan.policy.attestations);
    let mut run = new_run(RunKind::Scan, &scan, &scope, &policy);
    run.policy.mutes.clone_from(&plan.policy.mutes);
    run.policy
        .attestations
        .clone_from(&plan.policy.attestations);
    Ok(PreparedScan { scan, run, policy })
}

/// What the plan's run was told of the organization, where its folder is at hand: the accounts of
/// the scan are named by it, are below the same units, and mutes go by those.
fn listing(plan: &Plan) -> Option<Listing> {
    let listing = Listing::read(Path::new(&plan.run.directory)).ok()?;
    let id = &listing.description().organization.id;
    (id.is_some() && *id == plan.run.organization).then_some(listing)
}

impl PreparedScan {
    /// Whether its files have pseudonyms in place of people's addresses.
    pub(super) fn mask_endpoints(&mut self, mask: bool) {
        self.scan.mask_endpoints = mask;
        self.run.mask_endpoints = mask;
    }

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
        let mut progress = Progress::start(&scan.role.templates(), output);
        let outcome = Box::pin(trailproof_scanner::scan(scan, |event| {
            progress.on_event(&event);
            if interrupt.is_requested() {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        }))
        .await;
        progress.finish();
        let outcome = outcome?;
        record_outcome(&mut run, &outcome, true);
        let evidence = &outcome.evidence;
        // The plan's accounts alone were scanned, and each finding of theirs is compared.
        let keep = usize::MAX;
        let findings = judge(&mut run, &policy, evidence, clock::now(), keep, output);
        if let Some(record) = record {
            record.write(&run, &findings, evidence, output)?;
        }
        let findings = findings.into_full();
        let verification = Verification::of(plan, &findings);
        Ok(Verified {
            text: text(&verification),
            exit: if outcome.complete {
                Exit::of(&verification.summary, None)
            } else {
                Exit::Interrupted
            },
        })
    }
}

fn text(verification: &Verification<'_>) -> String {
    let mut text = String::new();
    for repair in &verification.repairs {
        let mut after: Vec<(String, usize)> = repair
            .after
            .iter()
            .map(|(became, number)| {
                let words = match became {
                    None => "not judged".to_owned(),
                    Some((status, None)) => status.to_string(),
                    Some((status, Some(reason))) => format!("{status} ({})", visible(reason)),
                };
                (words, *number)
            })
            .collect();
        after.sort();
        let after = after
            .into_iter()
            .map(|(words, number)| format!("{number} {words}"));
        // Writing to a String cannot fail.
        let _ = writeln!(
            text,
            "{}  {}: before {} FAIL, after {}",
            visible(repair.site),
            visible(repair.control),
            repair.before,
            after.collect::<Vec<_>>().join(", ")
        );
    }
    let count_of = |status| verification.summary.count(status);
    let _ = write!(
        text,
        "after: {} PASS, {} FAIL, {} UNKNOWN",
        count_of(Status::Pass),
        count_of(Status::Fail),
        count_of(Status::Unknown)
    );
    if verification.waiting > 0 {
        let _ = write!(
            text,
            "\n{} for a person: AWS has sent a message with a link to each new subscriber, and nothing arrives before it is followed; it is valid for two days",
            match verification.waiting {
                1 => "1 finding waits".to_owned(),
                several => format!("{} wait", count(several, "finding")),
            }
        );
    }
    text
}
