//! `report.md`: a summary and everything that needs a person, for issues, wikis and mails.

use std::collections::BTreeMap;
use std::io::{self, Write};

use trailproof_core::finding::{Finding, LinkName, Status};

use super::control_ids;
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
        let run = report.run;
        writeln!(out, "# trailproof: does a failed sign-in reach a person?\n")?;
        writeln!(
            out,
            "Judged on {} by {} {}, {}.",
            run.policy.evaluated_at.strftime("%Y-%m-%d %H:%M UTC"),
            escape(&run.tool.name),
            escape(&run.tool.version),
            escape(&format!(
                "CIS AWS Foundations Benchmark {}",
                run.policy.benchmark
            )),
        )?;
        if !run.complete {
            writeln!(
                out,
                "\n> **This run is not complete.** Accounts may be missing."
            )?;
        }
        totals(report, out)?;
        by_control(report, out)?;
        by_link(report, out)?;
        for status in [Status::Fail, Status::Unknown, Status::Muted] {
            list(report, status, out)?;
        }
        Ok(())
    }
}

fn totals(report: &Report<'_>, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "\n## Summary\n\n| Status | Findings |\n|---|---:|")?;
    for status in Status::ALL {
        writeln!(
            out,
            "| {} | {} |",
            escape(status.as_str()),
            report.summary.count(status)
        )?;
    }
    Ok(())
}

fn by_control(report: &Report<'_>, out: &mut dyn Write) -> io::Result<()> {
    let mut counts: BTreeMap<&str, [usize; 5]> = BTreeMap::new();
    let mut titles: BTreeMap<&str, String> = BTreeMap::new();
    for finding in report.findings {
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
    writeln!(out, "| Control | {names} |\n|---|---:|---:|---:|---:|---:|")?;
    for control in control_ids(report) {
        if let (Some(row), Some(title)) = (counts.get(control), titles.get(control)) {
            let cells = row.map(|count| count.to_string()).join(" | ");
            writeln!(out, "| {} | {cells} |", escape(title))?;
        }
    }
    Ok(())
}

fn by_link(report: &Report<'_>, out: &mut dyn Write) -> io::Result<()> {
    let counts = &report.summary.by_broken_link;
    if counts.is_empty() {
        return Ok(());
    }
    writeln!(
        out,
        "\n## Where chains break\n\n| Link | Findings |\n|---|---:|"
    )?;
    for link in [LinkName::Account].into_iter().chain(LinkName::CHAIN) {
        if let Some(count) = counts.get(link.as_str()) {
            writeln!(out, "| {link} | {count} |")?;
        }
    }
    Ok(())
}

fn list(report: &Report<'_>, status: Status, out: &mut dyn Write) -> io::Result<()> {
    let count = report.summary.count(status);
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
    for finding in report
        .findings
        .iter()
        .filter(|finding| finding.status == status)
    {
        writeln!(
            out,
            "| {} | {} | {} | {} | {} |",
            account(finding),
            escape(&finding.control.id),
            escape(finding.reason.as_deref().unwrap_or_default()),
            cell(&finding.message),
            last_cell(finding),
        )?;
    }
    Ok(())
}

fn account(finding: &Finding) -> String {
    match finding.account.name.as_deref() {
        Some(name) => format!("{} {}", finding.account.id, cell(name)),
        None => finding.account.id.to_string(),
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
fn escape(text: &str) -> String {
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
