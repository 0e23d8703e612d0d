//! `summary.md`: at most ten lines, for a chat, a pull request, or the summary of a job of GitHub
//! Actions.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

use trailproof_core::account::AccountId;
use trailproof_core::evaluate::reasons;
use trailproof_core::finding::Status;

use super::markdown::escape;
use super::statement;
use crate::format::{Format, Report};
use crate::untrusted::shortened;

/// The format `summary`.
#[derive(Debug)]
pub struct SummaryText;

/// How many causes are told, so that everything fits into ten lines.
const CAUSES: usize = 5;

/// The most characters of a sentence, so that ten lines stay a screen.
const SENTENCE: usize = 400;

impl Format for SummaryText {
    fn name(&self) -> &'static str {
        "summary"
    }

    fn file_name(&self) -> &'static str {
        "summary.md"
    }

    fn description(&self) -> &'static str {
        "ten lines for a chat, a pull request or a job summary"
    }

    fn write(&self, report: &Report<'_>, out: &mut dyn Write) -> io::Result<()> {
        let run = report.run;
        let (verdict, because) = statement::conclusion(report);
        writeln!(
            out,
            "**trailproof: {}.** {verdict} {}",
            escape(&statement::answer(report)),
            sentence(&because)
        )?;
        let counts: Vec<String> = Status::ALL
            .into_iter()
            .map(|status| (status, report.summary().count(status)))
            .filter(|(_, count)| *count > 0)
            .map(|(status, count)| format!("{} {count}", escape(status.as_str())))
            .collect();
        writeln!(
            out,
            "- {} in {}: {}",
            statement::counted(report.summary().findings, "finding"),
            statement::counted(report.findings.accounts().count(), "account"),
            counts.join(", ")
        )?;
        causes(report, out)?;
        let warnings = statement::warnings(report);
        if let Some(first) = warnings.first() {
            let more = match warnings.len() - 1 {
                0 => String::new(),
                more => format!(" (and {more} more)"),
            };
            writeln!(out, "- {}{more}", sentence(first))?;
        }
        let organization = run.scope.organization.as_ref();
        let organization = organization.and_then(|known| known.id.as_deref());
        let organization = organization.map_or_else(String::new, |id| format!("{}, ", escape(id)));
        writeln!(
            out,
            "- {organization}judged as of {} by CIS AWS Foundations Benchmark {}, {} {}",
            statement::time(run.policy.evaluated_at),
            escape(&run.policy.benchmark),
            escape(&run.tool.name),
            escape(&run.tool.version),
        )
    }
}

/// What fails and what is unknown, by reason: what concerns most accounts first.
fn causes(report: &Report<'_>, out: &mut dyn Write) -> io::Result<()> {
    let mut causes: BTreeMap<(usize, &str), BTreeSet<AccountId>> = BTreeMap::new();
    for finding in report.findings.outlines() {
        let rank = match finding.status {
            Status::Fail => 0,
            Status::Unknown => 1,
            _ => continue,
        };
        let reason = finding.reason.as_deref().unwrap_or_default();
        causes
            .entry((rank, reason))
            .or_default()
            .insert(finding.account.id);
    }
    let mut causes: Vec<_> = causes.into_iter().collect();
    causes.sort_by_key(|((rank, _), accounts)| (*rank, std::cmp::Reverse(accounts.len())));
    for ((rank, code), accounts) in causes.iter().take(CAUSES) {
        let status = if *rank == 0 {
            Status::Fail
        } else {
            Status::Unknown
        };
        let meaning = reasons().find(|reason| reason.code == *code);
        let meaning = meaning.map_or("", |reason| reason.meaning);
        writeln!(
            out,
            "- **{status}** {}, {}: {}",
            escape(code),
            statement::counted(accounts.len(), "account"),
            sentence(meaning)
        )?;
    }
    match causes.len().saturating_sub(CAUSES) {
        0 => Ok(()),
        more => writeln!(out, "- and {}", statement::counted(more, "more cause")),
    }
}

/// A sentence of a length that fits, as text that shows as itself.
fn sentence(text: &str) -> String {
    escape(&shortened(text, SENTENCE))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::sample;

    #[test]
    fn ten_lines_are_the_most() {
        let mut sample = sample::hostile();
        sample.run.complete = false;
        let reasons: Vec<_> = trailproof_core::evaluate::reasons().take(9).collect();
        for (finding, reason) in sample.findings.iter_mut().zip(reasons) {
            finding.reason = Some(reason.code.into());
        }
        let text = sample.render(&SummaryText);
        assert!(text.lines().count() <= 10, "{text}");
        assert!(text.contains("more causes"), "{text}");
        assert!(
            text.lines()
                .all(|line| line.starts_with("**") || line.starts_with("- "))
        );
        // Nothing of it is markup of others, nor the beginning of a command of GitHub Actions.
        assert!(
            !text.contains("<script") && !text.contains("\n::"),
            "{text}"
        );
    }

    #[test]
    fn good_news_are_three_lines() {
        let mut sample = sample::organization();
        sample
            .findings
            .retain(|finding| finding.status == Status::Pass);
        let text = sample.render(&SummaryText);
        assert_eq!(text.lines().count(), 3, "{text}");
        assert!(
            text.starts_with("**trailproof: All 3 chains are complete.** Met."),
            "{text}"
        );
        assert!(
            text.contains("\n- 3 findings in 3 accounts: PASS 3\n"),
            "{text}"
        );
    }
}
