//! The end of a run for people: who could not be entered, what was slow, what is open and why, how
//! many of what, and where to read on.

mod access;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use anstyle::{AnsiColor, Style};
use comfy_table::{CellAlignment, Table, presets};
use jiff::{SignedDuration, Timestamp};
use trailproof_core::account::AccountId;
use trailproof_core::finding::Status;
use trailproof_core::policy::Assurance;
use trailproof_report::findings::Outline;
use trailproof_report::format::{Format, Report};
use trailproof_report::listing::words;
use trailproof_report::run::RunKind;

use crate::output::Output;
use crate::progress::Clock;
use crate::untrusted::visible;

/// How many rows a list of accounts shows before it points to the report.
const LISTED: usize = 10;

/// How many causes are told: with the verdicts, they stay on one screen.
const CAUSES: usize = 6;

/// Where to read on.
#[derive(Clone, Copy)]
pub(crate) struct Written<'a> {
    /// The folder of the run.
    pub(crate) folder: &'a Path,
    /// What was written into it.
    pub(crate) formats: &'a [&'static dyn Format],
}

/// The summary of a run.
pub(crate) fn render(report: &Report<'_>, written: Option<Written<'_>>, output: &Output) -> String {
    let sections = [
        // What may be long stands first, so that the verdicts are in view in the end.
        access::who(report),
        observed(report),
        access::missing(report),
        access::not_entered(report),
        access::never_asked(report),
        access::units_unnamed(report),
        slowest(report),
        causes(report),
        verdicts(report),
        incomplete(report),
        reports(report, written),
    ];
    let text = sections
        .into_iter()
        .filter(|section| !section.is_empty())
        .collect::<Vec<_>>()
        .join("\n");
    let text = text.trim_end();
    if output.color() {
        text.to_owned()
    } else {
        anstream::adapter::strip_str(text).to_string()
    }
}

/// The worst verdict of each account, and all findings, by status.
fn verdicts(report: &Report<'_>) -> String {
    let accounts = by_account(report.findings.outlines());
    let mut table = table(&["status", "accounts", "findings", "by cis", "effective"]);
    for status in Status::ALL {
        let of_accounts = accounts.values().filter(|worst| **worst == status).count();
        let of_findings = report.summary().count(status);
        let kind = matches!(status, Status::Pass | Status::Fail | Status::Unknown);
        if kind || of_findings > 0 {
            table.add_row([
                status.to_string(),
                of_accounts.to_string(),
                of_findings.to_string(),
                report
                    .summary()
                    .count_by(Assurance::Cis, status)
                    .to_string(),
                report
                    .summary()
                    .count_by(Assurance::Effective, status)
                    .to_string(),
            ]);
        }
    }
    table.add_row([
        "all".to_owned(),
        accounts.len().to_string(),
        report.summary().findings.to_string(),
        report.summary().findings.to_string(),
        report.summary().findings.to_string(),
    ]);
    colored(&table.trim_fmt())
}

/// When AWS was asked, and how old the list of accounts was.
fn observed(report: &Report<'_>) -> String {
    let time = |time: Timestamp| time.strftime("%Y-%m-%d %H:%M UTC");
    let listing = report.run.listing.as_ref().map(|listing| {
        format!(
            "{} as listed at {}, {} before the scan{}\n",
            accounts(listing.accounts),
            time(listing.listed_at),
            words(SignedDuration::from_secs(listing.age_seconds)),
            if listing.confirmed {
                ", and listed again beside it"
            } else {
                ""
            }
        )
    });
    let mut text = listing.unwrap_or_default();
    let Some(observed) = report.run.observed else {
        return text;
    };
    let _ = writeln!(
        text,
        "Observed from {} to {}",
        time(observed.first),
        time(observed.last)
    );
    if observed.too_old > 0 {
        let _ = writeln!(
            text,
            "{} answers were too old to count (--max-evidence-age)",
            observed.too_old
        );
    }
    text
}

/// Colors the words of the verdicts; they say the same without.
fn colored(table: &str) -> String {
    let mut text = String::new();
    for line in table.lines() {
        let word = line.split_whitespace().next().unwrap_or_default();
        let style = match word {
            "PASS" => AnsiColor::Green.on_default().bold(),
            "FAIL" => AnsiColor::Red.on_default().bold(),
            "UNKNOWN" => AnsiColor::Yellow.on_default().bold(),
            _ => Style::new(),
        };
        let _ = writeln!(text, "{style}{line}{style:#}");
    }
    text
}

fn by_account(findings: &[Outline]) -> BTreeMap<AccountId, Status> {
    let rank = |status: Status| match status {
        Status::Fail => 0,
        Status::Unknown => 1,
        Status::Muted => 2,
        Status::Attested => 3,
        Status::Pass => 4,
        Status::NotApplicable => 5,
    };
    let mut accounts = BTreeMap::new();
    for finding in findings {
        let worst = accounts.entry(finding.account.id).or_insert(finding.status);
        if rank(finding.status) < rank(*worst) {
            *worst = finding.status;
        }
    }
    accounts
}

/// What fails and what is unknown, by reason: what concerns most accounts first. `show` has them
/// all, with whom each concerns.
fn causes(report: &Report<'_>) -> String {
    let mut causes: BTreeMap<(usize, &str), (BTreeSet<AccountId>, usize)> = BTreeMap::new();
    for finding in report.findings.outlines() {
        let rank = match finding.status {
            Status::Fail => 0,
            Status::Unknown => 1,
            Status::Pass | Status::Attested | Status::Muted | Status::NotApplicable => continue,
        };
        let reason = finding.reason.as_deref().unwrap_or_default();
        let (accounts, findings) = causes.entry((rank, reason)).or_default();
        accounts.insert(finding.account.id);
        *findings += 1;
    }
    if causes.is_empty() {
        return String::new();
    }
    let mut causes: Vec<_> = causes.into_iter().collect();
    causes.sort_by_key(|((rank, _), (accounts, _))| (*rank, std::cmp::Reverse(accounts.len())));
    let mut table = table(&["cause", "accounts", "findings"]);
    for ((rank, reason), (accounts, findings)) in causes.iter().take(CAUSES) {
        let status = if *rank == 0 {
            Status::Fail
        } else {
            Status::Unknown
        };
        table.add_row([
            format!("{:<7}  {}", status.as_str(), visible(reason)),
            accounts.len().to_string(),
            findings.to_string(),
        ]);
    }
    let mut text = colored(&table.trim_fmt());
    if causes.len() > CAUSES {
        let _ = writeln!(text, "and {} more", causes.len() - CAUSES);
    }
    text
}

fn slowest(report: &Report<'_>) -> String {
    const SHOWN: usize = 3;
    /// What takes less is not worth a line.
    const SLOW: Duration = Duration::from_secs(5);
    let names: BTreeMap<AccountId, &str> = report
        .findings
        .outlines()
        .iter()
        .filter_map(|finding| Some((finding.account.id, finding.account.name.as_deref()?)))
        .collect();
    let mut text = String::new();
    for slow in report.run.statistics.slowest.iter().take(SHOWN) {
        let elapsed = Duration::from_millis(slow.milliseconds);
        if elapsed < SLOW {
            continue;
        }
        if text.is_empty() {
            text.push_str("Slowest accounts\n");
        }
        let name = names.get(&slow.account).map(|name| visible(name));
        let _ = writeln!(
            text,
            "  {}{}  {}",
            slow.account,
            name.map(|name| format!(" {name}")).unwrap_or_default(),
            Clock(elapsed)
        );
    }
    text
}

fn incomplete(report: &Report<'_>) -> String {
    if report.run.complete {
        return String::new();
    }
    let problems = &report.run.problems;
    if problems.is_empty() {
        return "INCOMPLETE: the run was interrupted, and these are the findings so far\n"
            .to_owned();
    }
    let mut text = "INCOMPLETE: there may be accounts that nobody judged\n".to_owned();
    for problem in problems.iter().take(LISTED) {
        let _ = writeln!(text, "  {}", visible(problem));
    }
    if problems.len() > LISTED {
        let _ = writeln!(text, "  and {} more", problems.len() - LISTED);
    }
    text
}

/// What it took, where the reports are, and what to do next.
fn reports(report: &Report<'_>, written: Option<Written<'_>>) -> String {
    let mut text = String::new();
    let statistics = &report.run.statistics;
    if matches!(report.run.kind, RunKind::Scan | RunKind::Demo) {
        let _ = write!(
            text,
            "{} {} in {}",
            statistics.calls,
            if statistics.calls == 1 {
                "call"
            } else {
                "calls"
            },
            Clock(Duration::from_millis(statistics.elapsed_milliseconds))
        );
        if statistics.reused > 0 {
            let _ = write!(
                text,
                ", {} answers of the earlier run kept",
                statistics.reused
            );
        }
        if statistics.throttles > 0 {
            let _ = write!(text, ", throttled {} times", statistics.throttles);
        }
        text.push('\n');
    }
    let Some(Written { folder, formats }) = written else {
        return text;
    };
    let shown = folder.display().to_string();
    let shown = visible(&shown);
    let files: Vec<&str> = formats.iter().map(|format| format.file_name()).collect();
    let _ = writeln!(text, "Reports in {shown}: {}", files.join(", "));
    let worst = report
        .findings
        .outlines()
        .iter()
        .find(|finding| finding.status == Status::Fail)
        .or_else(|| {
            report
                .findings
                .outlines()
                .iter()
                .find(|finding| finding.status == Status::Unknown)
        });
    let interrupted = !report.run.complete && report.run.problems.is_empty();
    if interrupted && report.run.kind == RunKind::Scan {
        let _ = writeln!(text, "Next: trailproof scan --resume {shown}");
    } else if let Some(finding) = worst {
        let _ = writeln!(
            text,
            "Next: trailproof show {shown}, or trailproof explain {shown} {}",
            visible(&finding.id())
        );
    }
    text
}

fn accounts(count: usize) -> String {
    if count == 1 {
        "1 account".to_owned()
    } else {
        format!("{count} accounts")
    }
}

/// A table without borders whose first column is text and whose others are numbers.
fn table(header: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(header.to_vec());
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    if let Some(first) = table.column_mut(0) {
        first.set_padding((0, 1));
    }
    table
}
