//! `report.md`: a summary and everything that needs a person, for issues, wikis and mails.

use std::collections::BTreeMap;
use std::io::{self, Write};

use trailproof_core::finding::{Finding, Status};

use super::{control_ids, statement};
use crate::format::{Format, Report};
use crate::untrusted::{shortened, visible};

/// The format `markdown`.
#[derive(Debug)]
pub struct Markdown;

impl Format for Markdown {
    fn name(&self) -> &'static str {
        "markdown"
    }

    fn file_name(&self) -> &'static str {
        "report.md"
    }

    fn description(&self) -> &'static str {
        "a summary and what needs a person, for issues and wikis"
    }

    fn write(&self, report: &Report<'_>, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "# trailproof: {}\n", statement::question(report))?;
        let (verdict, because) = statement::conclusion(report);
        writeln!(out, "**{verdict}** {}", escape(&because))?;
        for warning in statement::warnings(report) {
            writeln!(out, "\n> **{}**", escape(&warning))?;
        }
        writeln!(
            out,
            "\nJudged as of {} by {} {}, {}.",
            statement::time(report.run.policy.evaluated_at),
            escape(&report.run.tool.name),
            escape(&report.run.tool.version),
            escape(&format!(
                "CIS AWS Foundations Benchmark {}",
                report.run.policy.benchmark
            )),
        )?;
        totals(report, out)?;
        by_yardstick(report, out)?;
        by_control(report, out)?;
        by_link(report, out)?;
        for status in [Status::Fail, Status::Unknown, Status::Muted] {
            list(report, status, out)?;
        }
        observations(report, out)?;
        scope(report, out)
    }
}

fn totals(report: &Report<'_>, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "\n## Summary\n\n| Status | Findings |\n|---|---:|")?;
    for status in Status::ALL {
        writeln!(
            out,
            "| {} | {} |",
            escape(status.as_str()),
            report.summary().count(status)
        )?;
    }
    Ok(())
}

fn by_yardstick(report: &Report<'_>, out: &mut dyn Write) -> io::Result<()> {
    writeln!(
        out,
        "\n## By yardstick\n\nThe status of a finding says {}. Mutes are left aside here.\n\n| Yardstick | FAIL | UNKNOWN | PASS | NOT\\_APPLICABLE |\n|---|---:|---:|---:|---:|",
        escape(statement::yardstick(report.run.policy.assurance)),
    )?;
    for (label, [failed, unseen, passed, _, _, left_out]) in
        statement::by_yardstick(report.findings)
    {
        writeln!(
            out,
            "| {label} | {failed} | {unseen} | {passed} | {left_out} |"
        )?;
    }
    Ok(())
}

fn by_control(report: &Report<'_>, out: &mut dyn Write) -> io::Result<()> {
    let mut counts: BTreeMap<&str, [usize; Status::ALL.len()]> = BTreeMap::new();
    let mut titles: BTreeMap<&str, String> = BTreeMap::new();
    for finding in report.findings.outlines() {
        let row = counts.entry(&finding.control.id).or_default();
        for (count, status) in row.iter_mut().zip(Status::ALL) {
            *count += usize::from(finding.status == status);
        }
        titles.entry(&finding.control.id).or_insert_with(|| {
            let number = finding.control.number.as_deref().unwrap_or("");
            format!("{number} {}", finding.control.title)
                .trim()
                .to_owned()
        });
    }
    writeln!(out, "\n## By control\n")?;
    let names = Status::ALL
        .map(|status| escape(status.as_str()))
        .join(" | ");
    writeln!(
        out,
        "| Control | {names} |\n|---|---:|---:|---:|---:|---:|---:|"
    )?;
    for control in control_ids(report) {
        if let (Some(row), Some(title)) = (counts.get(control), titles.get(control)) {
            let cells = row.map(|count| count.to_string()).join(" | ");
            writeln!(out, "| {} | {cells} |", escape(title))?;
        }
    }
    Ok(())
}

fn by_link(report: &Report<'_>, out: &mut dyn Write) -> io::Result<()> {
    let breaks = statement::breaks(report.findings);
    if breaks.is_empty() {
        return Ok(());
    }
    writeln!(
        out,
        "\n## Where chains break\n\nThe links of a chain, in order; links that no chain breaks at are left out.\n\n| Link | What it promises | FAIL | UNKNOWN |\n|---|---|---:|---:|"
    )?;
    for (link, (failed, unseen)) in breaks {
        writeln!(out, "| {link} | {} | {failed} | {unseen} |", link.promise())?;
    }
    Ok(())
}

fn observations(report: &Report<'_>, out: &mut dyn Write) -> io::Result<()> {
    let observations = report.findings.observations();
    if observations.is_empty() {
        return Ok(());
    }
    writeln!(
        out,
        "\n## Worth knowing\n\nObservations that change no verdict, on findings of any status.\n\n| Observation | Findings | For example |\n|---|---:|---|"
    )?;
    for (code, count, message) in observations {
        writeln!(out, "| {} | {count} | {} |", escape(code), cell(message))?;
    }
    Ok(())
}

fn scope(report: &Report<'_>, out: &mut dyn Write) -> io::Result<()> {
    writeln!(
        out,
        "\n## Scope and method\n\n{} What could not be observed is UNKNOWN, and never counts as PASS or FAIL.\n\n| | |\n|---|---|",
        escape(statement::meaning(report)),
    )?;
    for (term, text) in statement::scope(report) {
        writeln!(out, "| {term} | {} |", escape(&text))?;
    }
    writeln!(
        out,
        "\nEvery finding, those that pass included, is in findings.csv and findings.json with its chain link by link. What AWS answered is in evidence.ndjson."
    )
}

fn list(report: &Report<'_>, status: Status, out: &mut dyn Write) -> io::Result<()> {
    let count = report.summary().count(status);
    if count == 0 {
        return Ok(());
    }
    writeln!(out, "\n## {} ({count})\n", escape(status.as_str()))?;
    let last = if status == Status::Muted {
        "Accepted because"
    } else {
        "What to do"
    };
    writeln!(
        out,
        "| Account | Control | Reason | What was found | {last} |\n|---|---|---|---|---|"
    )?;
    report.findings.try_each_of_status(status, |finding| {
        writeln!(
            out,
            "| {} | {} | {} | {} | {} |",
            account(finding),
            escape(&control(finding)),
            escape(finding.reason.as_deref().unwrap_or_default()),
            cell(&finding.message),
            last_cell(finding),
        )
    })
}

fn account(finding: &Finding) -> String {
    let mut text = finding.account.id.to_string();
    if let Some(name) = finding.account.name.as_deref() {
        text.push(' ');
        text.push_str(&cell(name));
    }
    if let Some(units) = finding.account.unit_names() {
        text.push_str(" (");
        text.push_str(&cell(&units));
        text.push(')');
    }
    text
}

/// The number that an auditor looks for, and the id that the tool takes.
fn control(finding: &Finding) -> String {
    match finding.control.number.as_deref() {
        Some(number) => format!("{number} {}", finding.control.id),
        None => finding.control.id.clone(),
    }
}

fn last_cell(finding: &Finding) -> String {
    match (&finding.muted, &finding.remediation) {
        (Some(muted), _) => cell(&format!(
            "{} ({}, until {})",
            muted.justification,
            muted.owner,
            muted.expires.strftime("%Y-%m-%d"),
        )),
        (None, Some(remediation)) => cell(&remediation.summary),
        (None, None) => String::new(),
    }
}

fn cell(text: &str) -> String {
    escape(&shortened(text, 400))
}

/// Text that shows as itself: no markup, no link, no mention, no line break, no terminal escape.
pub fn escape(text: &str) -> String {
    let text = visible(text);
    let mut escaped = String::with_capacity(text.len());
    for (index, character) in text.char_indices() {
        let rest = text.get(index..).unwrap_or_default();
        let before = text.get(..index).unwrap_or_default();
        let markup = match character {
            '<' => {
                escaped.push_str("&lt;");
                continue;
            }
            '&' => {
                escaped.push_str("&amp;");
                continue;
            }
            '\\' | '`' | '*' | '_' | '[' | ']' | '{' | '}' | '>' | '|' | '~' | '!' | '$' | '@' => {
                true
            }
            '#' | '-' | '+' | '=' => index == 0,
            // What a renderer would turn into a link by itself.
            ':' => rest.starts_with("://"),
            '.' => before.to_ascii_lowercase().ends_with("www"),
            _ => false,
        };
        if markup {
            escaped.push('\\');
        }
        escaped.push(character);
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::sample;

    #[test]
    fn the_report_reads_well() {
        insta::assert_snapshot!(sample::organization().render(&Markdown));
    }

    #[test]
    fn hostile_names_are_text() {
        let text = sample::hostile().render(&Markdown);
        assert!(!text.contains("<script") && !text.contains("<img"));
        assert!(!text.replace("\\]", "").contains("](") && !text.contains("https://evil"));
        assert!(
            !text
                .chars()
                .any(|character| character.is_control() && character != '\n')
        );
        assert!(!text.contains('\u{202e}') && !text.contains('\u{2028}'));
        // Every row of the list is one line with five cells.
        let rows: Vec<_> = text
            .lines()
            .filter(|line| line.starts_with("| 0"))
            .collect();
        assert_eq!(rows.len(), 13);
        for row in rows {
            assert_eq!(row.replace("\\|", "").matches('|').count(), 6, "{row}");
        }
    }
}
