//! What a report says before its details, in plain text: the conclusion, what limits it, and what
//! it rests on. An auditor files these sentences; the formats only quote them.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use jiff::Timestamp;
use trailproof_core::finding::{LinkName, Status};
use trailproof_core::policy::Assurance;

use super::control_ids;
use crate::findings::{Findings, Outline};
use crate::format::Report;
use crate::run::{RunKind, Sweep};

/// How many accounts are named in a sentence.
const NAMED: usize = 10;

/// The question that a report answers.
pub(super) fn question(report: &Report<'_>) -> &'static str {
    match control_ids(report)[..] {
        ["console-auth-failures"] => "does a failed console sign-in reach a person?",
        _ => "do the watched events reach a person?",
    }
}

/// The answer in a few words, for a headline.
pub(super) fn answer(report: &Report<'_>) -> String {
    let summary = report.summary();
    let [failed, unseen, muted] =
        [Status::Fail, Status::Unknown, Status::Muted].map(|status| summary.count(status));
    let judged = summary.findings - summary.count(Status::NotApplicable);
    match (failed, unseen, muted) {
        _ if judged == 0 => "No account was judged".to_owned(),
        (0, 0, 0) if report.run.policy.assurance == Assurance::Cis => {
            format!("{} by the audit steps", passes(judged))
        }
        (0, 0, 0) => match judged {
            1 => "The chain is complete".to_owned(),
            _ => format!("All {judged} chains are complete"),
        },
        (0, 0, muted) => format!("{muted} of {} accepted as incomplete", chains(judged)),
        (0, unseen, _) => format!("{unseen} of {} could not be seen", chains(judged)),
        (failed, 0, _) => format!("{failed} of {} {} broken", chains(judged), are(failed)),
        (failed, unseen, _) => format!(
            "{failed} of {} {} broken, {unseen} could not be seen",
            chains(judged),
            are(failed)
        ),
    }
}

fn passes(count: usize) -> String {
    match count {
        1 => "The chain passes".to_owned(),
        _ => format!("All {count} chains pass"),
    }
}

fn chains(count: usize) -> String {
    counted(count, "chain")
}

fn are(count: usize) -> &'static str {
    if count == 1 { "is" } else { "are" }
}

/// A number and its noun.
pub(super) fn counted(count: usize, noun: &str) -> String {
    if count == 1 {
        format!("1 {noun}")
    } else {
        format!("{count} {noun}s")
    }
}

/// The conclusion: whether the controls are met, and how many accounts or findings say what.
pub(super) fn conclusion(report: &Report<'_>) -> (&'static str, String) {
    let summary = report.summary();
    let count = |status| summary.count(status);
    let left_out = count(Status::NotApplicable);
    let judged = summary.findings - left_out;
    let controls = control_ids(report).len();
    let noun = if controls == 1 { "account" } else { "finding" };
    if judged == 0 {
        let because = match left_out {
            0 => "No account is in scope.".to_owned(),
            _ => format!(
                "Every account in scope is out of use, or the controls are not about it ({left_out} NOT_APPLICABLE)."
            ),
        };
        return ("Nothing was judged.", because);
    }
    let verdict = match (count(Status::Fail), count(Status::Unknown)) {
        (0, 0) if !report.run.complete => "Not proved, as the run is not complete.",
        (0, 0) if count(Status::Muted) + count(Status::Attested) > 0 => {
            "Met, with accepted exceptions."
        }
        (0, 0) => "Met.",
        (0, _) => "Not proved.",
        _ => "Not met.",
    };
    let (failed, passed) = match report.run.policy.assurance {
        Assurance::Cis => (
            "no chain follows every audit step of the benchmark",
            "every audit step of the benchmark is met",
        ),
        Assurance::Effective | Assurance::Both => (
            "no chain from the event to a person can be complete",
            "a complete chain is proved",
        ),
    };
    let parts: Vec<String> = [
        (Status::Fail, failed),
        (
            Status::Unknown,
            "whether a chain is complete could not be seen",
        ),
        (Status::Attested, "attested to be watched by another system"),
        (Status::Muted, "accepted with a reason, an owner and an end"),
        (Status::Pass, passed),
    ]
    .into_iter()
    .filter(|(status, _)| count(*status) > 0)
    .map(|(status, meaning)| format!("{} {status} ({meaning})", count(status)))
    .collect();
    let mut text = format!("Of {} judged: {}.", counted(judged, noun), parts.join(", "));
    if left_out > 0 {
        let _ = write!(
            text,
            " {left_out} more {} NOT_APPLICABLE (the account is out of use, or the control is not about it).",
            are(left_out)
        );
    }
    if controls > 1 {
        let accounts = || {
            report.findings.accounts().filter(|findings| {
                findings
                    .iter()
                    .any(|finding| finding.status != Status::NotApplicable)
            })
        };
        let passing = accounts()
            .filter(|findings| {
                findings
                    .iter()
                    .all(|finding| matches!(finding.status, Status::Pass | Status::NotApplicable))
            })
            .count();
        let _ = write!(
            text,
            " {passing} of {} {} every one of the {controls} controls.",
            counted(accounts().count(), "account"),
            if passing == 1 { "passes" } else { "pass" },
        );
    }
    if report.run.policy.assurance == Assurance::Cis {
        let silent = report
            .findings
            .outlines()
            .iter()
            .filter(|finding| {
                finding.status == Status::Pass && finding.assurance.effective != Status::Pass
            })
            .count();
        if silent > 0 {
            let _ = write!(
                text,
                " The audit steps do not ask whether the message would arrive: for {silent} of the PASS it is not proved."
            );
        }
    }
    (verdict, text)
}

/// What PASS means in this report.
pub(super) fn meaning(report: &Report<'_>) -> &'static str {
    match report.run.policy.assurance {
        Assurance::Cis => {
            "A chain leads from an event that CloudTrail records to a person who confirmed a subscription. PASS means: the chain follows the benchmark's audit steps, to the letter. Whether the message would arrive is the other yardstick."
        }
        Assurance::Effective | Assurance::Both => {
            "A chain leads from an event that CloudTrail records to a person who confirmed a subscription. PASS means: this exact chain exists, it belongs together, and it can fire."
        }
    }
}

/// The verdicts by each yardstick, whichever of them the status follows, in the order of
/// [`Status::ALL`].
pub(super) fn by_yardstick(
    findings: &Findings<'_>,
) -> [(&'static str, [usize; Status::ALL.len()]); 2] {
    let counts = |of: fn(&Outline) -> Status| {
        Status::ALL.map(|status| {
            findings
                .outlines()
                .iter()
                .filter(|finding| of(finding) == status)
                .count()
        })
    };
    [
        (
            "the benchmark's audit steps",
            counts(|finding| finding.assurance.cis),
        ),
        (
            "whether the message would arrive",
            counts(|finding| finding.assurance.effective),
        ),
    ]
}

/// What a reader must know before believing the conclusion; nothing for most runs.
pub(super) fn warnings(report: &Report<'_>) -> Vec<String> {
    let run = report.run;
    let mut warnings = Vec::new();
    if run.kind == RunKind::Demo {
        warnings.push(
            "This is a demonstration: the organization is simulated, and no account of it exists."
                .to_owned(),
        );
    }
    if !run.complete {
        let statistics = &run.statistics;
        warnings.push(if let Some(problem) = run.problems.first() {
            let more = match run.problems.len() - 1 {
                0 => String::new(),
                more => format!(" and {more} more"),
            };
            format!(
                "This run is not complete: there may be accounts that nobody judged, because {problem}{more}."
            )
        } else if statistics.accounts_done < statistics.accounts_found {
            format!(
                "This run is not complete: {} of {} were looked at to the end, and further accounts may be missing.",
                statistics.accounts_done,
                counted(statistics.accounts_found, "account"),
            )
        } else {
            "This run is not complete: it was interrupted, and accounts may be missing.".to_owned()
        });
    }
    let observed = run.observed.iter();
    let aged = observed.flat_map(|seen| seen.warnings(run.policy.evaluated_at));
    warnings.extend(aged.map(|warning| format!("Take note of the time: {warning}.")));
    warnings
}

/// What was looked at, by whom, when and how: terms and what is said of them.
pub(super) fn scope(report: &Report<'_>) -> Vec<(&'static str, String)> {
    let run = report.run;
    let scope = &run.scope;
    let statistics = &run.statistics;
    let mut rows = vec![(
        "Organization",
        match &scope.organization {
            Some(known) => format!(
                "{}, management account {}",
                known.id.as_deref().unwrap_or("its id is not known"),
                known.management_account
            ),
            None => "none: Organizations was not asked".to_owned(),
        },
    )];
    rows.push(("Accounts", accounts(report)));
    rows.push(("Selection", selection(report)));
    let denied = &statistics.denied;
    if !denied.is_empty() {
        rows.push((
            "Not entered",
            named(denied.iter().map(ToString::to_string).collect()),
        ));
    }
    rows.push(("Regions", regions(report)));
    rows.push(("Controls", controls(report)));
    rows.push((
        "Benchmark",
        format!("CIS AWS Foundations Benchmark {}", run.policy.benchmark),
    ));
    rows.push(("Yardstick", yardstick(run.policy.assurance).to_owned()));
    rows.push(("Policy", policy(report)));
    match run.kind {
        RunKind::Scan | RunKind::Demo => {
            rows.push(("Scanned", span(run.started_at, run.finished_at)));
        }
        RunKind::Evaluate => rows.push((
            "Scanned",
            "not in this run: recorded evidence was judged again".to_owned(),
        )),
        RunKind::Merge => rows.push((
            "Scanned",
            "in several runs, which were joined into this one".to_owned(),
        )),
    }
    if let Some(observed) = run.observed {
        rows.push(("Observed", span(observed.first, Some(observed.last))));
    }
    rows.push(("Judged as of", time(run.policy.evaluated_at)));
    if let Some(caller) = scope.caller {
        rows.push((
            "Credentials",
            match &scope.role {
                Some(_) if !scope.roles.is_empty() => format!(
                    "account {caller}, which assumed the first that let in of {}",
                    scope.roles.join(", ")
                ),
                Some(role) => format!("account {caller}, which assumed {role}"),
                None => format!("account {caller}"),
            },
        ));
    }
    if statistics.calls > 0 {
        rows.push((
            "Calls to AWS",
            format!(
                "{}: {} throttled, {} sent again, {} ended in an error that is part of the evidence",
                statistics.calls, statistics.throttles, statistics.retries, statistics.errors
            ),
        ));
    }
    rows.push((
        "Complete",
        if run.complete { "yes" } else { "no" }.to_owned(),
    ));
    rows.push(("Made by", format!("{} {}", run.tool.name, run.tool.version)));
    rows
}

fn accounts(report: &Report<'_>) -> String {
    let statistics = &report.run.statistics;
    let judged = report.findings.accounts().count();
    if statistics.accounts_found == 0 {
        return format!("{judged} in the findings");
    }
    format!(
        "{} found, {} looked at to the end, {judged} in the findings",
        statistics.accounts_found, statistics.accounts_done
    )
}

fn selection(report: &Report<'_>) -> String {
    let scope = &report.run.scope;
    let mut parts: Vec<String> = scope
        .account_filters
        .iter()
        .map(|(flag, values)| {
            let flag = flag.trim_start_matches('-');
            if values.is_empty() {
                format!("--{flag}")
            } else {
                format!("--{flag} {}", named(values.clone()))
            }
        })
        .collect();
    if let Some(shard) = &scope.shard {
        parts.push(format!("part {shard} of the accounts"));
    }
    match (&scope.accounts, parts.is_empty()) {
        (_, false) => parts.join("; "),
        (Some(accounts), true) => format!("{} by number", counted(accounts.len(), "account")),
        (None, true) if scope.organization.is_some() => {
            "every account of the organization".to_owned()
        }
        (None, true) => "every account of the evidence".to_owned(),
    }
}

fn regions(report: &Report<'_>) -> String {
    let run = report.run;
    let mut text = if run.scope.regions.is_empty() && run.sweep.is_none() {
        "those of the evidence".to_owned()
    } else if run.scope.regions.is_empty() {
        "every enabled region".to_owned()
    } else {
        format!(
            "only {}",
            named(run.scope.regions.iter().map(ToString::to_string).collect())
        )
    };
    if !run.scope.exclude_regions.is_empty() {
        let left_out = run.scope.exclude_regions.iter().map(ToString::to_string);
        let _ = write!(text, " but {}", named(left_out.collect()));
    }
    if run.sweep == Some(Sweep::Adaptive) {
        text.push_str(", as long as the verdict was open");
    }
    if run.statistics.regions_done > 0 {
        let _ = write!(
            text,
            ": {} of {} were asked",
            run.statistics.regions_done,
            counted(run.statistics.regions_found, "pair") + " of account and region",
        );
    }
    text
}

fn controls(report: &Report<'_>) -> String {
    let known = super::controls(report.run);
    let version = report.run.policy.benchmark.as_str();
    control_ids(report)
        .into_iter()
        .map(
            |id| match known.get(id).and_then(|control| control.entry(version)) {
                Some(entry) => format!("{} {id}", entry.number),
                None => id.to_owned(),
            },
        )
        .collect::<Vec<_>>()
        .join(", ")
}

/// What a finding's status says.
pub(super) fn yardstick(assurance: Assurance) -> &'static str {
    match assurance {
        Assurance::Cis => "the benchmark's audit steps, to the letter",
        Assurance::Effective => "whether the message would arrive",
        Assurance::Both => {
            "the worse of two: the benchmark's audit steps, and whether the message would arrive"
        }
    }
}

fn policy(report: &Report<'_>) -> String {
    let policy = &report.run.policy;
    let mut text = format!(
        "the last delivery to a log group may be {} hours old, events may have to keep coming for \
         {} minutes before an alarm fires, and an alarm may have been in ALARM for {} hours",
        policy.max_delivery_age_seconds / 3600,
        policy.max_window_seconds / 60,
        policy.max_alarm_age_seconds / 3600
    );
    if let Some(seconds) = policy.max_evidence_age_seconds {
        let _ = write!(
            text,
            "; answers older than {} hours do not count",
            seconds / 3600
        );
    }
    if policy.trust_organization_trail {
        text.push_str(
            "; the organization trail is trusted to cover members that cannot be entered",
        );
    }
    if !policy.mutes.is_empty() {
        let _ = write!(text, "; {}", counted(policy.mutes.len(), "mute"));
    }
    text
}

/// A list in a sentence, which does not grow with the organization.
fn named(mut items: Vec<String>) -> String {
    let more = items.len().saturating_sub(NAMED);
    items.truncate(NAMED);
    let mut text = items.join(", ");
    if more > 0 {
        let _ = write!(text, " and {more} more");
    }
    text
}

/// A time for people.
pub(super) fn time(time: Timestamp) -> String {
    time.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}

fn span(from: Timestamp, to: Option<Timestamp>) -> String {
    match to {
        Some(to) => format!("{} to {}", time(from), time(to)),
        None => format!("from {}", time(from)),
    }
}

/// FAIL and UNKNOWN findings by the link that broke.
pub(super) fn breaks(findings: &Findings<'_>) -> BTreeMap<LinkName, (usize, usize)> {
    let mut breaks: BTreeMap<LinkName, (usize, usize)> = BTreeMap::new();
    for finding in findings.outlines() {
        let Some(link) = finding.broken_link else {
            continue;
        };
        match finding.status {
            Status::Fail => breaks.entry(link).or_default().0 += 1,
            Status::Unknown => breaks.entry(link).or_default().1 += 1,
            _ => {}
        }
    }
    breaks
}

#[cfg(test)]
mod tests {
    use trailproof_core::evidence::Evidence;

    use super::*;
    use crate::formats::sample::{self, Sample};

    fn concluded(sample: &Sample) -> (String, String) {
        let report = Report {
            run: &sample.run,
            findings: &Findings::kept(&sample.findings),
            evidence: &Evidence::default(),
        };
        let (verdict, because) = conclusion(&report);
        (answer(&report), format!("{verdict} {because}"))
    }

    fn of(statuses: &[Status]) -> Sample {
        let mut sample = sample::organization();
        sample.run.policy.controls = vec!["root-usage".to_owned()];
        sample.findings = statuses
            .iter()
            .enumerate()
            .map(|(place, status)| sample::finding(&format!("{place:012}"), "root-usage", *status))
            .collect();
        sample
    }

    #[test]
    fn a_conclusion_never_says_more_than_was_proved() {
        use Status::{Fail, Muted, NotApplicable, Pass, Unknown};
        let verdict = |statuses: &[Status]| concluded(&of(statuses)).1;
        assert_eq!(
            verdict(&[Pass, Pass, NotApplicable]),
            "Met. Of 2 accounts judged: 2 PASS (a complete chain is proved). 1 more is \
             NOT_APPLICABLE (the account is out of use, or the control is not about it)."
        );
        assert!(verdict(&[Pass, Muted]).starts_with("Met, with accepted exceptions. "));
        assert!(verdict(&[Pass, Unknown, Muted]).starts_with("Not proved. "));
        assert!(verdict(&[Pass, Unknown, Fail]).starts_with("Not met. "));
        assert!(verdict(&[]).starts_with("Nothing was judged"));
        assert!(verdict(&[NotApplicable]).starts_with("Nothing was judged"));
        let mut interrupted = of(&[Pass]);
        interrupted.run.complete = false;
        assert!(concluded(&interrupted).1.starts_with("Not proved, "));
        assert!(
            concluded(&sample::organization())
                .1
                .contains("0 of 3 accounts pass every one of the 2 controls.")
        );
    }

    #[test]
    fn the_letter_of_the_benchmark_is_not_called_proof() {
        let mut sample = of(&[Status::Pass, Status::Pass]);
        sample.run.policy.assurance = Assurance::Cis;
        sample.findings[0].assurance.effective = Status::Fail;
        let (answer, conclusion) = concluded(&sample);
        assert_eq!(answer, "All 2 chains pass by the audit steps");
        assert_eq!(
            conclusion,
            "Met. Of 2 accounts judged: 2 PASS (every audit step of the benchmark is met). The \
             audit steps do not ask whether the message would arrive: for 1 of the PASS it is not \
             proved."
        );
        assert_eq!(
            by_yardstick(&Findings::kept(&sample.findings)).map(|(_, counts)| counts),
            [[0, 0, 2, 0, 0, 0], [1, 0, 1, 0, 0, 0]]
        );
    }

    #[test]
    fn a_headline_counts_only_what_was_judged() {
        use Status::{Fail, Muted, NotApplicable, Pass, Unknown};
        for (statuses, expected) in [
            (&[][..], "No account was judged"),
            (&[NotApplicable], "No account was judged"),
            (&[Pass], "The chain is complete"),
            (&[Pass, Pass], "All 2 chains are complete"),
            (&[Fail, NotApplicable], "1 of 1 chain is broken"),
            (
                &[Fail, Fail, Unknown, Pass],
                "2 of 4 chains are broken, 1 could not be seen",
            ),
            (&[Unknown, Pass], "1 of 2 chains could not be seen"),
            (&[Muted, Pass], "1 of 2 chains accepted as incomplete"),
        ] {
            assert_eq!(concluded(&of(statuses)).0, expected);
        }
    }
}
