//! The end of every command that judges: evidence in, findings out, reports written, exit code.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use trailproof_core::account::AccountId;
use trailproof_core::attestation;
use trailproof_core::evidence::Evidence;
use trailproof_core::mute::{Applied, Mute};
use trailproof_core::policy::Policy;
use trailproof_core::units::AmbiguousUnit;
use trailproof_report::findings::{Findings, KEPT};
use trailproof_report::format::{self, Format, Report};
use trailproof_report::run::{LeftOut, Observed, PolicyRecord, Run, RunDirectory, RunKind};

use crate::error::CliError;
use crate::exit::Exit;
use crate::output::Output;
use crate::summary;
use crate::untrusted::visible;

/// Where the reports of a conclusion go.
pub(crate) enum Reports {
    /// Into the folder of the run, in these formats.
    Folder(RunDirectory, Vec<&'static dyn Format>),
    /// One report to stdout.
    Stdout(&'static dyn Format),
    /// Nowhere: the summary is all.
    None,
}

/// Judges evidence, writes every report, and shows the summary. `run` is as it will be recorded,
/// but for its end. Returns how the command ends.
pub(crate) fn conclude(
    mut run: Run,
    policy: &Policy,
    evidence: &Evidence,
    now: Timestamp,
    reports: Reports,
    output: &Output,
) -> Result<Exit, CliError> {
    let interrupted = !run.complete && matches!(run.kind, RunKind::Scan | RunKind::Demo);
    // Who interrupts a scan before it found an account knows that there are more.
    if !interrupted {
        require_accounts(&run, policy, evidence)?;
    }
    let findings = judge(&mut run, policy, evidence, now, KEPT, output);
    let report = Report {
        run: &run,
        findings: &findings,
        evidence,
    };
    let exit = if interrupted {
        Exit::Interrupted
    } else {
        match Exit::of(report.summary(), run.policy.fail_on) {
            Exit::Success if !run.problems.is_empty() => Exit::Unknown,
            exit => exit,
        }
    };
    match reports {
        Reports::Stdout(format) => {
            output.data(|out| format.write(&report, out))?;
            if !output.is_quiet() {
                output.note(summary::render(&report, None, output));
            }
        }
        Reports::None => {
            let text = summary::render(&report, None, output);
            output.data(|out| writeln!(out, "{text}"))?;
        }
        Reports::Folder(directory, formats) => {
            write_reports(&directory, &formats, &report, output)?;
            let written = summary::Written {
                folder: directory.path(),
                formats: &formats,
            };
            let text = summary::render(&report, Some(written), output);
            output.data(|out| writeln!(out, "{text}"))?;
        }
    }
    Ok(exit)
}

/// Says what of evidence files was left out.
pub(crate) fn note_left_out(left_out: &LeftOut, output: &Output) {
    for (path, line) in &left_out.torn {
        output.warn(format_args!(
            "line {line} of {} is torn, as a killed scan leaves it, and was ignored",
            visible(&path.display().to_string())
        ));
    }
    match left_out.with_credentials {
        0 => {}
        1 => {
            output
                .warn("credentials in 1 record of the evidence were removed: they are never kept");
        }
        many => output.warn(format_args!(
            "credentials in {many} records of the evidence were removed: they are never kept"
        )),
    }
}

/// Says how old the evidence is, where that matters.
fn note_age(run: &mut Run, evidence: &Evidence, now: Timestamp, output: &Output) {
    run.observed = Observed::of(evidence);
    for warning in run.observed.iter().flat_map(|seen| seen.warnings(now)) {
        output.warn(format_args!(
            "{warning}; scan again, or let --max-evidence-age leave out what is too old"
        ));
    }
}

/// Says what of the evidence nobody could use: accounts that may exist and were not listed, and
/// records of later versions.
fn note_unread(run: &mut Run, evidence: &Evidence, output: &Output) {
    for (operation, count) in evidence.unknown_operations() {
        let records = match count {
            1 => format!("1 record of {operation} is"),
            many => format!("{many} records of {operation} are"),
        };
        output.warn(format_args!(
            "{records} kept and not read: this version does not know the operation"
        ));
    }
    run.problems = run.problems_of(evidence);
    for problem in &run.problems {
        run.complete = false;
        output.warn(format_args!(
            "there may be accounts that nobody judged: {problem}"
        ));
    }
}

/// No finding at all must not look like no failure at all. A part of the accounts may well be
/// empty: it is the whole that has to have some.
pub(crate) fn require_accounts(
    run: &Run,
    policy: &Policy,
    evidence: &Evidence,
) -> Result<(), CliError> {
    let nobody = match &policy.accounts {
        Some(accounts) => accounts.is_empty(),
        None => evidence.reader().accounts().is_empty(),
    };
    if nobody && run.scope.shard.is_none() {
        return Err(
            CliError::usage("there is no account to judge: the evidence speaks of none").hint(
                "name the folder of a run, or the evidence.ndjson of a scan that saw something",
            ),
        );
    }
    Ok(())
}

/// The findings, mutes applied, of which at most `keep` are kept in full. Says how old the evidence
/// is and what of it nobody could use, and records in the run that it ended, and when it was judged.
pub(crate) fn judge<'e>(
    run: &mut Run,
    policy: &Policy,
    evidence: &'e Evidence,
    now: Timestamp,
    keep: usize,
    output: &Output,
) -> Findings<'e> {
    note_unread(run, evidence, output);
    note_age(run, evidence, now, output);
    run.policy.evaluated_at = now;
    let (findings, attested, muted) = Findings::judged(policy, &run.policy, evidence, keep);
    if !findings.is_empty() {
        warn_of_attestations(&run.policy, &attested, evidence, output);
        warn_of_mutes(&run.policy.mutes, &muted, evidence, output);
    }
    run.finished_at = Some(crate::clock::now());
    findings
}

/// Writes the reports of a run into its folder, and `run.json` last: readers take `finished_at`
/// as the promise that every report that was asked for is there.
pub(crate) fn write_reports(
    directory: &RunDirectory,
    formats: &[&'static dyn Format],
    report: &Report<'_>,
    output: &Output,
) -> Result<(), CliError> {
    let mut failed = None;
    for written in format::write_all(formats, report, directory) {
        if let Err(error) = written.result {
            output.warn(format_args!(
                "the {} report is missing: {error}",
                written.format
            ));
            failed.get_or_insert(error);
        }
    }
    if let Some(error) = failed {
        return Err(CliError::from(error).hint(
            "the evidence is kept: write the reports again with `trailproof evaluate \
             --evidence DIR --out NEW`",
        ));
    }
    directory.write_run(report.run)?;
    Ok(())
}

/// What is attested is never silent: how much rests on each attestation, and what does not.
fn warn_of_attestations(
    policy: &PolicyRecord,
    applied: &attestation::Applied,
    evidence: &Evidence,
    output: &Output,
) {
    for (place, one) in policy.attestations.iter().enumerate() {
        let of = |counts: &BTreeMap<usize, usize>| counts.get(&place).copied();
        let what = one.describe();
        if let Some(count) = of(&applied.attested) {
            output.note(format_args!("{count} findings are attested: {what}"));
        }
        if let Some(count) = of(&applied.expired) {
            output.warn(format_args!(
                "an attestation ended on {} and stands for nothing any more, though {count} open \
                 findings match it: {what}",
                one.expires
            ));
        }
        if let Some(count) = of(&applied.not_reached) {
            output.warn(format_args!(
                "an attestation does not stand for {count} findings it matches, because no trail is \
                 proved to record their events: {what}"
            ));
        }
        if let Some(count) = of(&applied.not_admitted) {
            output.warn(format_args!(
                "an attestation has no effect on {count} findings it matches: version {} of the \
                 benchmark admits no external system: {what}",
                policy.benchmark
            ));
        }
        if let Some(names) = applied.ambiguous.get(&place) {
            warn_of_unclear_units("an attestation", names, &what, output);
        }
        if let Some(accounts) = applied.without_tags.get(&place) {
            warn_of_unknown_tags(
                "an attestation by tag attests nothing",
                &what,
                accounts,
                evidence,
                output,
            );
        } else if applied.unused.contains(&place) {
            output.note(format_args!(
                "an attestation matches no open finding: {what}"
            ));
        }
    }
}

/// Ended mutes shout: what they accepted is open again, and somebody believes it is not.
fn warn_of_mutes(mutes: &[Mute], applied: &Applied, evidence: &Evidence, output: &Output) {
    for (place, mute) in mutes.iter().enumerate() {
        if let Some(count) = applied.expired.get(&place) {
            output.warn(format_args!(
                "a mute ended on {} and hides nothing any more, though {count} open findings match \
                 it: {}",
                mute.expires,
                mute.describe()
            ));
        }
        if let Some(names) = applied.ambiguous.get(&place) {
            warn_of_unclear_units("a mute", names, &mute.describe(), output);
        }
        if let Some(accounts) = applied.without_tags.get(&place) {
            let what = mute.describe();
            warn_of_unknown_tags(
                "a mute by tag hides nothing",
                &what,
                accounts,
                evidence,
                output,
            );
        } else if applied.unused.contains(&place) {
            output.note(format_args!(
                "a mute matches no open finding: {}",
                mute.describe()
            ));
        }
    }
}

/// What is accepted below a unit is accepted below the one that is meant, or below none.
fn warn_of_unclear_units(who: &str, names: &[AmbiguousUnit], what: &str, output: &Output) {
    for name in names {
        output.warn(format_args!("{who} is for none of these: {name}: {what}"));
        output.hint("name it from the root down, as it stands there, or by its id");
    }
}

/// What is accepted by tag is not accepted where nobody could read the tags.
fn warn_of_unknown_tags(
    does: &str,
    what: &str,
    accounts: &BTreeSet<AccountId>,
    evidence: &Evidence,
    output: &Output,
) {
    let number = match accounts.len() {
        1 => "1 account".to_owned(),
        number => format!("{number} accounts"),
    };
    let failure = accounts
        .iter()
        .find_map(|account| evidence.reader().account_tags_failure(*account));
    let (why, hint) = match failure {
        Some(error) => (
            format!("could not be read (`{}`: {})", error.code, error.message),
            "let the credentials that start the scan call organizations:ListTagsForResource, as the \
             management account or a delegated administrator",
        ),
        None => (
            "are not part of the evidence".to_owned(),
            "a scan with this mute in its configuration asks for them",
        ),
    };
    output.warn(format_args!("{does} in {number} whose tags {why}: {what}"));
    output.hint(hint);
}
