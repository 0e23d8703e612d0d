//! `trailproof merge`: joins the runs of a scan that was spread over several processes.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use trailproof_core::evidence::Evidence;
use trailproof_report::run::{
    EvidenceError, PolicyRecord, Run, RunDirectory, RunKind, Scope, Statistics, add_evidence,
    copy_evidence,
};
use trailproof_scanner::Shard;

use crate::clock;
use crate::conclusion::{Reports, conclude, note_left_out};
use crate::error::CliError;
use crate::exit::Exit;
use crate::output::Output;
use crate::settings::{Destination, ReportSettings, recorded_policy};

/// Join the runs of all shards of a scan into one, equal to that of a scan that was not sharded.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The folders of the runs: all shards of one scan, each complete.
    #[arg(required = true, num_args = 1.., value_name = "DIR")]
    runs: Vec<PathBuf>,

    #[command(flatten)]
    report: ReportSettings,

    /// Replace the run that is in the folder of --out already.
    #[arg(long, help_heading = "Reports")]
    overwrite: bool,
}

pub(crate) fn run(arguments: Arguments, output: &Output) -> Result<Exit, CliError> {
    let Arguments {
        runs,
        report,
        overwrite,
    } = arguments;
    report.apart_from(&runs)?;
    let mut opened = Vec::new();
    for path in &runs {
        let (_, run) = RunDirectory::open(path)?;
        if !run.complete && run.problems.is_empty() {
            return Err(CliError::usage(format_args!(
                "the run in `{}` was interrupted",
                path.display()
            ))
            .hint("finish it with `trailproof scan --resume DIR`"));
        }
        opened.push((path.as_path(), run));
    }
    let mut joined = join(&opened)?;
    joined.mask_endpoints =
        report.mask_endpoints || opened.iter().all(|(_, run)| run.mask_endpoints);
    let policy = recorded_policy(&joined)?;

    let now = clock::now();
    joined.policy.evaluated_at = now;
    let mut evidence = Evidence::not_before(joined.policy.oldest())
        .masking_endpoints(joined.mask_endpoints)
        .at_rest();
    for path in &runs {
        let left_out = add_evidence(path, &mut evidence).map_err(unreadable)?;
        note_left_out(&left_out, output);
    }
    let reports = match report.destination()? {
        Destination::Stdout(format) => Reports::Stdout(format),
        Destination::Folder { path, formats } => {
            let path = path.ok_or_else(|| {
                CliError::usage("the joined run needs a folder")
                    .hint("name a new one with --out DIR")
            })?;
            let directory = RunDirectory::create(&path, &joined, overwrite)?;
            copy_evidence(&runs, &directory, joined.addresses())
                .map_err(|error| CliError::failed(&error).hint(error.remedy()))?;
            Reports::Folder(directory, formats)
        }
    };
    conclude(joined, &policy, &evidence, now, reports, output)
}

fn unreadable(error: EvidenceError) -> CliError {
    let remedy = error.remedy();
    CliError::usage(error).hint(remedy)
}

/// The run that these are the parts of.
fn join(runs: &[(&Path, Run)]) -> Result<Run, CliError> {
    let Some((first_path, first)) = runs.first() else {
        return Err(CliError::usage("there is no run to join"));
    };
    for (path, run) in runs {
        if common(run) != common(first) {
            return Err(CliError::usage(format_args!(
                "`{}` and `{}` are not parts of one scan: their scope or policy differs",
                first_path.display(),
                path.display()
            ))
            .hint("join runs that were started with the same flags, --shard aside"));
        }
    }
    same_listing(runs)?;
    let whole = every_part_is_there(runs)?;
    let filtered = !first.scope.account_filters.is_empty();
    let mut joined = first.clone().judged_by_this_version();
    joined.kind = RunKind::Merge;
    joined.finished_at = None;
    joined.complete = true;
    joined.started_at = runs
        .iter()
        .map(|(_, run)| run.started_at)
        .min()
        .unwrap_or(first.started_at);
    joined.scope.shard = None;
    joined.scope.accounts = if whole && !filtered {
        None
    } else {
        let accounts: BTreeSet<_> = runs
            .iter()
            .flat_map(|(_, run)| run.scope.accounts.iter().flatten().copied())
            .collect();
        Some(accounts.into_iter().collect())
    };
    for (_, run) in runs.iter().skip(1) {
        joined.access.add(run.access.clone());
    }
    joined.statistics = statistics(runs);
    Ok(joined)
}

/// Accounts that only one of two listings has would be in no part, or in two.
fn same_listing(runs: &[(&Path, Run)]) -> Result<(), CliError> {
    let told = |run: &Run| match &run.listing {
        Some(listing) => format!(
            "the listing of {} (sha256 {})",
            listing.listed_at, listing.sha256
        ),
        None => "a listing of its own".to_owned(),
    };
    let Some((first_path, first)) = runs.first() else {
        return Ok(());
    };
    for (path, run) in runs {
        let sums = [first, run].map(|run| run.listing.as_ref().map(|known| &known.sha256));
        if sums[0] != sums[1] {
            return Err(CliError::usage(format_args!(
                "`{}` and `{}` are parts of different listings of the accounts: {}, and {}",
                first_path.display(),
                path.display(),
                told(first),
                told(run)
            ))
            .hint("scan every part with the same --listing, or every part without one"));
        }
    }
    Ok(())
}

/// What all parts of a scan have in common.
fn common(run: &Run) -> (Scope, PolicyRecord) {
    let scope = Scope {
        accounts: None,
        shard: None,
        caller: None,
        ..run.scope.clone()
    };
    let mut policy = run.policy.clone();
    policy.evaluated_at = jiff::Timestamp::UNIX_EPOCH;
    (scope, policy)
}

/// Whether the runs are the parts of a whole; an error when some of the parts are missing.
fn every_part_is_there(runs: &[(&Path, Run)]) -> Result<bool, CliError> {
    let mut parts: BTreeSet<(u32, u32)> = BTreeSet::new();
    for (path, run) in runs {
        let Some(shard) = &run.scope.shard else {
            return Err(CliError::usage(format_args!(
                "`{}` is not a part of a scan: it was not made with --shard",
                path.display()
            ))
            .hint("a run that is whole needs no joining"));
        };
        let shard: Shard = shard.parse().map_err(CliError::usage)?;
        if !parts.insert((shard.count(), shard.index())) {
            return Err(CliError::usage(format_args!(
                "part {shard} is there twice, the second time in `{}`",
                path.display()
            )));
        }
    }
    let counts: BTreeSet<u32> = parts.iter().map(|(count, _)| *count).collect();
    let Some(count) = counts.first().filter(|_| counts.len() == 1) else {
        return Err(CliError::usage(
            "the runs are parts of scans that were split differently",
        ));
    };
    let missing: Vec<String> = (1..=*count)
        .filter(|index| !parts.contains(&(*count, *index)))
        .map(|index| format!("{index}/{count}"))
        .collect();
    if missing.is_empty() {
        Ok(true)
    } else {
        Err(
            CliError::usage(format_args!("parts are missing: {}", missing.join(", "))).hint(
                "a report without them would leave accounts out; name the folders of all parts",
            ),
        )
    }
}

fn statistics(runs: &[(&Path, Run)]) -> Statistics {
    const SLOWEST: usize = 10;
    let mut sum = Statistics::default();
    for (_, run) in runs {
        let part = &run.statistics;
        sum.accounts_found += part.accounts_found;
        sum.accounts_done += part.accounts_done;
        sum.regions_found += part.regions_found;
        sum.regions_done += part.regions_done;
        sum.calls += part.calls;
        for (operation, calls) in &part.calls_by_operation {
            *sum.calls_by_operation.entry(operation.clone()).or_default() += calls;
        }
        sum.throttles += part.throttles;
        sum.retries += part.retries;
        sum.errors += part.errors;
        sum.reused += part.reused;
        // The parts ran side by side.
        sum.elapsed_milliseconds = sum.elapsed_milliseconds.max(part.elapsed_milliseconds);
        sum.slowest.extend(part.slowest.iter().cloned());
        sum.denied.extend(part.denied.iter().copied());
    }
    sum.slowest
        .sort_by_key(|slow| (std::cmp::Reverse(slow.milliseconds), slow.account));
    sum.slowest.truncate(SLOWEST);
    sum.denied.sort_unstable();
    sum.denied.dedup();
    sum
}
