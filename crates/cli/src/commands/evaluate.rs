//! `trailproof evaluate`: judges recorded evidence again, without AWS.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use trailproof_core::account::AccountId;
use trailproof_core::policy::Policy;
use trailproof_report::run::{
    PolicyRecord, Run, RunDirectory, RunDirectoryError, RunKind, Scope, copy_evidence,
    read_evidence,
};

use crate::clock;
use crate::conclusion::{Reports, conclude, note_left_out, require_accounts};
use crate::error::CliError;
use crate::exit::Exit;
use crate::output::Output;
use crate::settings::{ConfigurationArguments, PolicySettings, ReportSettings, recorded_policy};

/// Judge recorded evidence again, offline: by another policy, or for a later date.
///
/// The folder of a run brings its own scope and policy, and flags change what they name. Without
/// --out, one --format is written to stdout, or else just the summary.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The folder of a run, or a file with one record of evidence per line.
    #[arg(long, value_name = "FILE_OR_DIR")]
    evidence: PathBuf,

    /// The time to judge for, such as 2026-11-22T22:00:00Z [default: now].
    #[arg(long, value_name = "TIME", value_parser = time)]
    now: Option<Timestamp>,

    /// Only these accounts.
    #[arg(long, value_name = "ID", value_delimiter = ',', num_args = 1..)]
    accounts: Vec<AccountId>,

    #[command(flatten)]
    policy: PolicySettings,
    #[command(flatten)]
    report: ReportSettings,

    /// Replace the run that is in the folder of --out already.
    #[arg(long, help_heading = "Reports")]
    overwrite: bool,

    #[command(flatten)]
    configuration: ConfigurationArguments,
}

fn time(text: &str) -> Result<Timestamp, String> {
    let read = text.parse();
    read.map_err(|_| "expected a date and a time, such as 2026-11-22T22:00:00Z".to_owned())
}

pub(crate) fn run(arguments: Arguments, output: &Output) -> Result<Exit, CliError> {
    let file = arguments.configuration.load(output)?;
    let catalogue = file.catalogue()?;
    arguments
        .report
        .apart_from(std::slice::from_ref(&arguments.evidence))?;
    let recorded = recorded(&arguments.evidence)?;
    let now = arguments.now.unwrap_or_else(clock::now);

    // A run's own policy comes before a configuration file that happens to lie in the current
    // folder, but not before one that was named.
    let file_counts = recorded.is_none() || arguments.configuration.config.is_some();
    let mutes = match &recorded {
        Some(run) if !file_counts => run.policy.mutes.clone(),
        _ => file.mutes(&catalogue)?,
    };
    let forwarders = match &recorded {
        Some(run) if !file_counts => run.policy.forwarders.clone(),
        _ => file.forwarders()?,
    };
    let monitoring = match &recorded {
        Some(run) if !file_counts => run.policy.monitoring_accounts.iter().copied().collect(),
        _ => file.monitoring.clone(),
    };
    let attestations = match &recorded {
        Some(run) if !file_counts => run.policy.attestations.clone(),
        _ => file.attestations(&catalogue)?,
    };
    let fail_on = recorded.as_ref().and_then(|run| run.policy.fail_on);
    let settings = if file_counts {
        arguments.policy.or(file.policy)
    } else {
        arguments.policy
    };
    let (base, mut scope, complete) = match &recorded {
        Some(run) => (
            recorded_policy(run)?,
            run.scope.clone(),
            run.complete || !run.problems.is_empty(),
        ),
        None => (settings.policy(&catalogue)?, Scope::default(), true),
    };
    let mut policy: Policy = settings.over(base, &catalogue)?;
    policy.forwarders = forwarders;
    policy.monitoring_accounts = monitoring;
    let mut report = arguments.report;
    if file_counts {
        report.mask_endpoints |= file.report.mask_endpoints;
    }
    // The file's folder is that of scans, and the files for people are not what stdout is for.
    if file_counts && report.format.is_empty() && report.is_folder() {
        report.format = file.report.format;
    }
    if !arguments.accounts.is_empty() {
        let mut accounts = arguments.accounts.clone();
        accounts.sort_unstable();
        accounts.dedup();
        policy.accounts = Some(accounts.iter().copied().collect());
        scope.accounts = Some(accounts);
    }

    let builtin = trailproof_core::control::builtin();
    let record = PolicyRecord::of(&policy, now, |control| builtin.contains(control));
    let mut run = Run::start(RunKind::Evaluate, scope, record, clock::now());
    run.policy.mutes = mutes;
    run.policy.attestations = attestations;
    run.policy.fail_on = settings.fail_on.map(Into::into).or(fail_on);
    run.complete = complete;
    run.sweep = recorded.as_ref().and_then(|run| run.sweep);
    // What was masked stays so.
    run.mask_endpoints =
        report.mask_endpoints || recorded.as_ref().is_some_and(|run| run.mask_endpoints);

    let (evidence, left_out) =
        read_evidence(&arguments.evidence, run.policy.oldest(), run.addresses())
            .map_err(|error| CliError::usage(&error).hint(error.remedy()))?;
    note_left_out(&left_out, output);
    // Before a folder is made for it.
    require_accounts(&run, &policy, &evidence)?;
    refuse_to_replace(&arguments.evidence, report.out.as_deref())?;
    let reports = reports(&report, &run, arguments.overwrite)?;
    if let Reports::Folder(directory, _) = &reports {
        let sources = std::slice::from_ref(&arguments.evidence);
        copy_evidence(sources, directory, run.addresses())
            .map_err(|error| CliError::failed(&error).hint(error.remedy()))?;
    }
    if !complete {
        output.warn("the evidence is of a scan that was never completed");
    }
    conclude(run, &policy, &evidence, now, reports, output)
}

/// Replacing a run removes its evidence, which must not be the evidence that is judged.
fn refuse_to_replace(evidence: &Path, out: Option<&Path>) -> Result<(), CliError> {
    let place = |path: &Path| std::fs::canonicalize(path).ok();
    let folder = if evidence.is_dir() {
        Some(evidence)
    } else {
        evidence.parent()
    };
    match (folder.and_then(place), out.and_then(place)) {
        (Some(from), Some(to)) if from == to && RunDirectory::is_run(&to) => Err(CliError::usage(
            "a run cannot be replaced by a judgement of its own evidence",
        )
        .hint("choose another folder with --out")),
        _ => Ok(()),
    }
}

/// The run whose evidence it is, where it is a run's.
fn recorded(path: &Path) -> Result<Option<Run>, CliError> {
    if !path.is_dir() {
        return Ok(None);
    }
    match RunDirectory::open_unfinished(path) {
        Ok((_, run)) => Ok(Some(run)),
        Err(RunDirectoryError::NoRun { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn reports(settings: &ReportSettings, run: &Run, overwrite: bool) -> Result<Reports, CliError> {
    use crate::settings::Destination;
    if settings.out.is_none() {
        return match settings.formats()?.as_slice() {
            [] => Ok(Reports::None),
            [format] => Ok(Reports::Stdout(*format)),
            _ => Err(CliError::usage("several formats do not fit on stdout")
                .hint("name a folder for them with --out DIR")),
        };
    }
    match settings.destination()? {
        Destination::Stdout(format) => Ok(Reports::Stdout(format)),
        Destination::Folder { path, formats } => {
            let path = path.unwrap_or_default();
            let directory = RunDirectory::create(&path, run, overwrite)?;
            Ok(Reports::Folder(directory, formats))
        }
    }
}
