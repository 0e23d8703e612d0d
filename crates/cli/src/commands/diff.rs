//! `trailproof diff`: what changed between two runs.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::{Value, json};
use trailproof_core::RULES;
use trailproof_core::evaluate::Evaluator;
use trailproof_core::finding::{LinkName, LinkStatus, Status};
use trailproof_report::comparison::{Change, ChangedLink, Difference, Side, compare};
use trailproof_report::formats::markdown_text;
use trailproof_report::past::PastRun;
use trailproof_report::run::{Addresses, read_evidence};

use super::past_run;
use crate::error::CliError;
use crate::exit::Exit;
use crate::output::Output;
use crate::settings::recorded_policy;
use crate::untrusted::visible;

/// Show what changed between two runs: new failures, fixed, newly unknown, another chain.
///
/// The exit code is 1 when something fails that did not fail before, and 0 otherwise. Where the runs
/// were judged by different rules, the evidence of the earlier one is judged again first; what is
/// UNKNOWN then only because a call was never made is not comparable.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The folder of the earlier run.
    old: PathBuf,

    /// The folder of the later run.
    new: PathBuf,

    /// How to print.
    #[arg(long, value_enum, default_value_t)]
    format: DiffFormat,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
enum DiffFormat {
    /// For people.
    #[default]
    Text,
    /// For a ticket or a pull request.
    Markdown,
    /// For programs.
    Json,
}

pub(crate) fn run(arguments: Arguments, output: &Output) -> Result<Exit, CliError> {
    let Arguments { old, new, format } = arguments;
    let folder = old;
    let mut old = past_run(&folder)?;
    let new = past_run(&new)?;
    warn_of_apples_and_oranges(&old, &new, output);
    let mut unasked = BTreeSet::new();
    if old.run.rules != new.run.rules {
        unasked = judge_again(&folder, &mut old, &new, output)?;
    }
    let differences = compare(&old.findings, &new.findings, &unasked);
    match format {
        DiffFormat::Json => {
            let document = document(&old, &new, &differences);
            output.data(|out| {
                serde_json::to_writer_pretty(&mut *out, &document)?;
                writeln!(out)
            })?;
        }
        DiffFormat::Markdown => {
            let text = markdown(&old, &new, &differences);
            output.data(|out| write!(out, "{text}"))?;
        }
        DiffFormat::Text => output.data(|out| write!(out, "{}", text(&differences)))?,
    }
    let failures = differences
        .iter()
        .any(|found| found.change == Change::NewFailure);
    Ok(if failures { Exit::Fail } else { Exit::Success })
}

/// Judges the evidence of the earlier run by the rules of this version, which the later run has to
/// have. Returns the findings that are unknown only because a call was never made.
fn judge_again(
    folder: &Path,
    old: &mut PastRun,
    new: &PastRun,
    output: &Output,
) -> Result<BTreeSet<String>, CliError> {
    let (before, after) = (old.run.rules, new.run.rules);
    if after != RULES || !folder.is_dir() {
        output.warn(format_args!(
            "the runs were judged by different rules, {before} and {after}, and the evidence of the \
             earlier one cannot be judged by those of the later one: what differs may be the rules"
        ));
        return Ok(BTreeSet::new());
    }
    output.note(format_args!(
        "the earlier run was judged by rules {before}: its evidence is judged again by rules {RULES}"
    ));
    let (evidence, _) = read_evidence(folder, old.run.policy.oldest(), Addresses::Full)
        .map_err(|error| CliError::usage(&error).hint(error.remedy()))?;
    let evaluator = Evaluator::new(recorded_policy(&old.run)?);
    let mut findings = Vec::new();
    let mut unasked = BTreeSet::new();
    let mut evaluation = evaluator.on(&evidence);
    for account in evaluation.accounts() {
        let open = !evaluation.wanted(account).is_empty();
        for finding in evaluation.findings(account) {
            if open && finding.status == Status::Unknown {
                unasked.insert(finding.id.clone());
            }
            findings.push(finding);
        }
    }
    drop(evaluation);
    let at = old.run.policy.evaluated_at;
    old.run.policy.except(&mut findings, &evidence, at);
    old.findings = findings;
    Ok(unasked)
}

/// Two runs that asked different questions have different answers for no reason in AWS.
fn warn_of_apples_and_oranges(old: &PastRun, new: &PastRun, output: &Output) {
    let (before, after) = (&old.run.policy, &new.run.policy);
    if before.benchmark != after.benchmark {
        output.warn(format_args!(
            "the runs were judged by different benchmark versions, {} and {}",
            before.benchmark, after.benchmark
        ));
    }
    if before.assurance != after.assurance {
        output.warn("the runs were judged by different yardsticks (--assurance)");
    }
    if before.evaluated_at > after.evaluated_at {
        output.warn("the first run is the later one: give the earlier run first");
    }
    if old.run.scope.accounts != new.run.scope.accounts {
        output.warn(
            "the runs did not look at the same accounts: what only one of them looked at counts \
             as added or removed",
        );
    }
    if !old.run.complete || !new.run.complete {
        output.warn("one of the runs is not complete, so accounts may be missing from it");
    }
}

/// The differences by what changed, also where nothing did.
fn by_change(differences: &[Difference]) -> impl Iterator<Item = (Change, Vec<&Difference>)> {
    Change::ALL.into_iter().map(move |change| {
        let list = differences.iter();
        (
            change,
            list.filter(|found| found.change == change).collect(),
        )
    })
}

fn document(old: &PastRun, new: &PastRun, differences: &[Difference]) -> Value {
    let mut value = json!({
        "schema_version": 1,
        "old": { "evaluated_at": old.run.policy.evaluated_at, "findings": old.findings.len() },
        "new": { "evaluated_at": new.run.policy.evaluated_at, "findings": new.findings.len() },
    });
    let mut counts = serde_json::Map::new();
    if let Some(members) = value.as_object_mut() {
        for (change, list) in by_change(differences) {
            counts.insert(change.as_str().to_owned(), json!(list.len()));
            members.insert(change.as_str().to_owned(), json!(list));
        }
        members.insert("summary".to_owned(), Value::Object(counts));
    }
    value
}

fn text(differences: &[Difference]) -> String {
    let mut text = String::new();
    for (change, list) in by_change(differences) {
        if list.is_empty() {
            continue;
        }
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{} ({})", heading(change), list.len());
        for found in list {
            let _ = writeln!(text, "  {}", line(found));
            if change == Change::ChangedChain {
                for link in &found.links {
                    let _ = writeln!(text, "    {}", changed(link));
                }
            }
        }
    }
    if text.is_empty() {
        text.push_str("Nothing changed\n");
    }
    text
}

/// For a ticket: a table for each kind of change.
fn markdown(old: &PastRun, new: &PastRun, differences: &[Difference]) -> String {
    let judged = |run: &PastRun| run.run.policy.evaluated_at.strftime("%Y-%m-%d %H:%M UTC");
    let mut text = format!("# trailproof: from {} to {}\n", judged(old), judged(new));
    for (change, list) in by_change(differences) {
        if list.is_empty() {
            continue;
        }
        // Writing to a String cannot fail.
        let _ = write!(
            text,
            "\n## {} ({})\n\n| Account | Control | Before | Now | Why |\n|---|---|---|---|---|\n",
            heading(change),
            list.len()
        );
        for found in list {
            let status = |side: &Option<Side>| {
                let status = side.as_ref().map_or("-", |side| side.status.as_str());
                markdown_text(status)
            };
            let name = found.account_name.as_deref().unwrap_or_default();
            let why = match &found.new {
                _ if change == Change::ChangedChain => {
                    let links: Vec<String> = found.links.iter().map(changed).collect();
                    links.join("; ")
                }
                Some(side) if side.status != Status::Pass => side.message.to_string(),
                _ => String::new(),
            };
            let account = format!("{} {}", found.account, markdown_text(name));
            let _ = writeln!(
                text,
                "| {} | {} | {} | {} | {} |",
                account.trim(),
                markdown_text(&found.control),
                status(&found.old),
                status(&found.new),
                markdown_text(&why)
            );
        }
    }
    if differences.is_empty() {
        text.push_str("\nNothing changed.\n");
    }
    text
}

/// What became of a link: its outcome, and its resource where that changed.
fn changed(link: &ChangedLink) -> String {
    let outcome = |status: Option<LinkStatus>| match status {
        Some(LinkStatus::NotEvaluated) => "not looked at",
        Some(status) => status.as_str(),
        None => "absent",
    };
    let resource = |name: &Option<Arc<str>>| visible(name.as_deref().unwrap_or("none"));
    let mut text = link.link.to_string();
    if link.old_status != link.new_status {
        let (old, new) = (outcome(link.old_status), outcome(link.new_status));
        let _ = write!(text, " {old} -> {new}");
    }
    if link.old_resource != link.new_resource {
        let (old, new) = (resource(&link.old_resource), resource(&link.new_resource));
        let _ = write!(text, " {old} -> {new}");
    }
    text
}

fn heading(change: Change) -> &'static str {
    match change {
        Change::NewFailure => "New failures",
        Change::NewlyUnknown => "Newly unknown",
        Change::Fixed => "Fixed",
        Change::NewlyMuted => "Newly muted",
        Change::ChangedChain => "Changed chain",
        Change::Added => "New",
        Change::Removed => "Gone",
        Change::NotComparable => "Not comparable: a call was never made for the earlier run",
        Change::Other => "Other changes",
    }
}

fn line(found: &Difference) -> String {
    let name = found
        .account_name
        .as_deref()
        .map(visible)
        .unwrap_or_default();
    let status = |side: &Option<Side>| side.as_ref().map_or("-", |side| side.status.as_str());
    let mut line = format!("{} {name}", visible(&found.id));
    let _ = write!(line, "  {} -> {}", status(&found.old), status(&found.new));
    if let Some(side) = &found.new
        && side.status != Status::Pass
    {
        let broken = side.broken_link.map_or("", LinkName::as_str);
        let _ = write!(line, "  {broken}: {}", visible(&side.message));
    }
    line
}
