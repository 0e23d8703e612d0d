//! What an auditor looks up: what the run rests on, each control with its numbers in every version
//! of the benchmark, its pattern and its mappings, and how to read the page.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{self, Write};

use trailproof_core::control::Control;

use super::escape::escape;
use crate::format::Report;
use crate::formats::{control_ids, controls, statement};

pub(super) fn write(report: &Report<'_>, out: &mut dyn Write) -> io::Result<()> {
    scope(report, out)?;
    about_controls(report, out)?;
    legend(out)
}

fn scope(report: &Report<'_>, out: &mut dyn Write) -> io::Result<()> {
    writeln!(
        out,
        r#"<details class="card first" id="scope" open><summary>Scope and method</summary><table><tbody>"#
    )?;
    for (term, text) in statement::scope(report) {
        writeln!(
            out,
            r#"<tr><th scope="row">{term}</th><td><bdi>{}</bdi></td></tr>"#,
            escape(&text)
        )?;
    }
    writeln!(
        out,
        r#"<tr><th scope="row">Evidence</th><td>What AWS answered, and when, is in evidence.ndjson of the run directory; every finding with its chain is also in findings.csv and findings.json.</td></tr>
</tbody></table></details>"#
    )
}

fn about_controls(report: &Report<'_>, out: &mut dyn Write) -> io::Result<()> {
    let known = controls(report.run);
    let version = report.run.policy.benchmark.as_str();
    writeln!(
        out,
        r#"<details class="card"><summary>The controls, their numbers, and what other frameworks call them</summary>
<table><thead><tr><th scope="col" class="number">Number</th><th scope="col">Control</th><th scope="col">What has to be covered</th><th scope="col">Mapped to</th></tr></thead><tbody>"#
    )?;
    for id in control_ids(report) {
        let Some(control) = known.get(id) else {
            continue;
        };
        write!(out, "<tr><td>{}</td>", numbers(control, version))?;
        writeln!(
            out,
            r#"<td><b>{}</b><br>{}<br><code>{}</code></td><td class="pattern"><code>{}</code></td><td>{}</td></tr>"#,
            escape(control.title_for(version)),
            escape(&control.description),
            escape(id),
            escape(control.pattern_for(version)),
            mappings(control),
        )?;
    }
    writeln!(out, "</tbody></table></details>")
}

/// The number in the version that was judged by, and below it those in the others.
fn numbers(control: &Control, version: &str) -> String {
    let mut text = match control.entry(version) {
        Some(entry) => format!("<b>{}</b> in {}", escape(&entry.number), escape(version)),
        None => "–".to_owned(),
    };
    for entry in control.benchmarks.iter().rev() {
        let others: Vec<&str> = entry
            .versions
            .iter()
            .map(String::as_str)
            .filter(|other| *other != version)
            .collect();
        if !others.is_empty() {
            let _ = write!(
                text,
                r#"<br><span class="soft">{} in {}</span>"#,
                escape(&entry.number),
                escape(&others.join(", "))
            );
        }
    }
    text
}

/// The requirements by framework, each with whoever mapped it.
fn mappings(control: &Control) -> String {
    let mut frameworks: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for mapping in &control.mappings {
        frameworks
            .entry(&mapping.framework)
            .or_default()
            .push(format!(
                r#"{} <span class="soft">({})</span>"#,
                escape(&mapping.requirements.join(", ")),
                escape(&mapping.source),
            ));
    }
    let hub = control
        .security_hub
        .iter()
        .map(|hub| format!("<li>AWS Security Hub {}</li>", escape(&hub.control)));
    let items: Vec<String> = hub
        .chain(frameworks.into_iter().map(|(framework, requirements)| {
            format!(
                "<li><b>{}</b> {}</li>",
                escape(framework),
                requirements.join("; ")
            )
        }))
        .collect();
    if items.is_empty() {
        return "–".to_owned();
    }
    format!(r#"<ul class="plainlist">{}</ul>"#, items.concat())
}

fn legend(out: &mut dyn Write) -> io::Result<()> {
    writeln!(
        out,
        r#"<details class="card"><summary>How to read this page</summary>
<table><tbody>
<tr><td><span class="badge PASS">PASS</span></td><td>At least one complete chain is proved, by the yardstick of this report.</td></tr>
<tr><td><span class="badge FAIL">FAIL</span></td><td>No chain can be complete, whatever the parts that were not seen are.</td></tr>
<tr><td><span class="badge UNKNOWN">UNKNOWN</span></td><td>A chain may be complete, but something on it could not be observed. The finding names what was asked of AWS and what it answered. Nothing that could not be seen is counted as passed or failed.</td></tr>
<tr><td><span class="badge ATTESTED">ATTESTED</span></td><td>Failed or unknown from the log group on, and somebody attests that another system watches the events.</td></tr>
<tr><td><span class="badge MUTED">MUTED</span></td><td>Failed or unknown, and accepted: with a reason, an owner and an end.</td></tr>
<tr><td><span class="badge NOT_APPLICABLE">NOT APPLICABLE</span></td><td>The account is suspended, being closed or not yet active, or the control is not about it. It is left out of every percentage.</td></tr>
<tr><td>CIS</td><td>The verdict by the benchmark's audit steps, to the letter.</td></tr>
<tr><td>Effective</td><td>The verdict by the question whether the message would arrive: delivery, metric, alarm arithmetic, topic policy and encryption included.</td></tr>
</tbody></table></details>"#
    )
}
