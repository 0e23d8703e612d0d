//! `junit.xml`: one test suite per control, one test case per account, for continuous integration.
//!
//! FAIL is a failure, UNKNOWN an error, MUTED and `NOT_APPLICABLE` are skipped.

use std::fmt::Write as _;
use std::io::{self, Write};

use trailproof_core::finding::{Finding, LinkStatus, Status};

use super::control_ids;
use crate::findings::Outline;
use crate::format::{Format, Report};
use crate::untrusted::{visible, visible_lines};

/// The format `junit`.
#[derive(Debug)]
pub struct Junit;

impl Format for Junit {
    fn name(&self) -> &'static str {
        "junit"
    }

    fn file_name(&self) -> &'static str {
        "junit.xml"
    }

    fn description(&self) -> &'static str {
        "a test case per finding, for continuous integration"
    }

    fn write(&self, report: &Report<'_>, out: &mut dyn Write) -> io::Result<()> {
        let count = |status| report.summary().count(status);
        writeln!(out, r#"<?xml version="1.0" encoding="UTF-8"?>"#)?;
        writeln!(
            out,
            r#"<testsuites name="trailproof" tests="{}" failures="{}" errors="{}" skipped="{}" time="0">"#,
            report.summary().findings,
            count(Status::Fail),
            count(Status::Unknown),
            count(Status::Attested) + count(Status::Muted) + count(Status::NotApplicable),
        )?;
        for control in control_ids(report) {
            suite(report, control, out)?;
        }
        writeln!(out, "</testsuites>")
    }
}

fn suite(report: &Report<'_>, control: &str, out: &mut dyn Write) -> io::Result<()> {
    let outlines = || {
        report
            .findings
            .outlines()
            .iter()
            .filter(|finding| finding.control.id == control)
    };
    let count = |statuses: &[Status]| {
        outlines()
            .filter(|finding| statuses.contains(&finding.status))
            .count()
    };
    writeln!(
        out,
        r#"  <testsuite name="{}" timestamp="{}" tests="{}" failures="{}" errors="{}" skipped="{}" time="0">"#,
        attribute(control),
        report.run.policy.evaluated_at.strftime("%Y-%m-%dT%H:%M:%S"),
        outlines().count(),
        count(&[Status::Fail]),
        count(&[Status::Unknown]),
        count(&[Status::Attested, Status::Muted, Status::NotApplicable]),
    )?;
    properties(report, outlines().next(), out)?;
    report
        .findings
        .try_each_of_control(control, |finding| case(finding, out))?;
    writeln!(out, "  </testsuite>")
}

/// What the outcomes mean: a run that is not complete may lack cases that would fail.
fn properties(report: &Report<'_>, first: Option<&Outline>, out: &mut dyn Write) -> io::Result<()> {
    let run = report.run;
    let tool = format!("{} {}", run.tool.name, run.tool.version);
    let complete = if run.complete { "yes" } else { "no" };
    let evaluated_at = run.policy.evaluated_at.to_string();
    let mut properties = vec![
        ("tool", tool.as_str()),
        ("complete", complete),
        ("evaluated_at", &evaluated_at),
    ];
    if let Some(finding) = first {
        properties.push(("benchmark", &finding.control.benchmark));
        properties.extend(finding.control.number.as_deref().map(|it| ("number", it)));
        properties.push(("title", &finding.control.title));
    }
    writeln!(out, "    <properties>")?;
    for (name, value) in properties {
        writeln!(
            out,
            r#"      <property name="{name}" value="{}"/>"#,
            attribute(value)
        )?;
    }
    writeln!(out, "    </properties>")
}

fn case(finding: &Finding, out: &mut dyn Write) -> io::Result<()> {
    let name = match &finding.account.name {
        Some(name) => format!("{} {name}", finding.account.id),
        None => finding.account.id.to_string(),
    };
    write!(
        out,
        r#"    <testcase classname="{}" name="{}" time="0""#,
        attribute(&finding.control.id),
        attribute(&name),
    )?;
    let kind = attribute(finding.reason.as_deref().unwrap_or_default());
    let message = attribute(&finding.message);
    match finding.status {
        Status::Pass => writeln!(out, "/>"),
        Status::Fail | Status::Unknown => {
            let element = if finding.status == Status::Fail {
                "failure"
            } else {
                "error"
            };
            writeln!(out, ">")?;
            writeln!(
                out,
                r#"      <{element} type="{kind}" message="{message}">{}</{element}>"#,
                text(&details(finding)),
            )?;
            writeln!(out, "    </testcase>")
        }
        Status::Muted => {
            let reason = finding.muted.as_ref().map_or_else(String::new, |muted| {
                format!(
                    "muted until {} by {}: {}",
                    muted.expires, muted.owner, muted.justification
                )
            });
            writeln!(
                out,
                r#"><skipped message="{}"/></testcase>"#,
                attribute(&reason)
            )
        }
        Status::Attested => {
            let reason = finding.attested.as_ref().map_or_else(String::new, |by| {
                format!(
                    "attested until {} by {}: {}, {}",
                    by.expires, by.owner, by.system, by.statement
                )
            });
            writeln!(
                out,
                r#"><skipped message="{}"/></testcase>"#,
                attribute(&reason)
            )
        }
        Status::NotApplicable => {
            writeln!(out, r#"><skipped message="{message}"/></testcase>"#)
        }
    }
}

/// The chain and the way out, as plain text.
fn details(finding: &Finding) -> String {
    let mut details = format!("{}\n", finding.message);
    for link in &finding.chain {
        if link.status == LinkStatus::NotEvaluated {
            continue;
        }
        let mark = link.status.as_str();
        let resource = link.resource.as_deref().unwrap_or_default();
        // Writing to a String cannot fail.
        let _ = writeln!(details, "{mark} {}: {} {resource}", link.link, link.detail);
    }
    if let Some(remediation) = &finding.remediation {
        let _ = writeln!(details, "What to do: {}", remediation.summary);
    }
    if let Some(units) = finding.account.unit_names() {
        let _ = writeln!(details, "Organizational units: {units}");
    }
    details
}

/// Text of an element. Characters that XML 1.0 cannot hold, or that steer a terminal, are spelled.
fn text(raw: &str) -> String {
    escape(&visible_lines(raw))
}

/// The value of an attribute, on one line.
fn attribute(raw: &str) -> String {
    escape(&visible(raw))
}

fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&apos;"),
            // No characters at all, and forbidden in XML 1.0.
            '\u{fffe}' | '\u{ffff}' => escaped.push('\u{fffd}'),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::sample;

    #[test]
    fn counts_and_outcomes() {
        let text = sample::organization().render(&Junit);
        assert!(text.contains(
            r#"<testsuites name="trailproof" tests="8" failures="1" errors="1" skipped="3" time="0">"#
        ));
        assert!(text.contains(r#"<testsuite name="root-usage" timestamp="2026-11-22T22:00:00" tests="4" failures="1" errors="1" skipped="1""#));
        assert_eq!(text.matches("<testcase ").count(), 8);
        // Of the two that fail or are unknown; the names of cases stay when units are renamed.
        assert_eq!(text.matches("Organizational units: Workloads").count(), 2);
        assert!(text.contains(r#"<property name="complete" value="yes"/>"#));
        assert!(text.contains(r#"<property name="number" value="5.3"/>"#));
        assert!(text.contains(
            r#"<skipped message="muted until 2026-12-31T00:00:00Z by security@example.com: decommissioned in December"/>"#
        ));
    }

    #[test]
    fn hostile_names_are_text() {
        let text = sample::hostile().render(&Junit);
        assert!(!text.contains("<script>") && !text.contains("<img"));
        assert!(!text.chars().any(|character| {
            (character.is_control() && character != '\n') || character == '\u{fffe}'
        }));
        assert!(!text.contains('\u{202e}'));
    }
}
