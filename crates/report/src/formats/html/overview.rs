//! What a meeting looks at: how many accounts are safe, where chains break, and for whom. Plain
//! HTML and SVG, drawn here.

use std::collections::BTreeMap;
use std::io::{self, Write};

use trailproof_core::finding::{LinkName, Status};
use trailproof_core::policy::Assurance;

use super::escape::escape;
use crate::format::Report;
use crate::formats::{by_account, control_ids, controls};

/// Findings by status, in the order of [`Status::ALL`].
type Counts = [usize; 5];

/// The most organizational units that are drawn; the rest are in the table.
const UNITS: usize = 14;

/// The most reasons that are drawn.
const REASONS: usize = 5;

pub(super) struct Overview<'a> {
    report: &'a Report<'a>,
    accounts: usize,
    by_control: BTreeMap<&'a str, Counts>,
    by_unit: BTreeMap<&'a str, Counts>,
    /// FAIL and UNKNOWN findings by the link that broke.
    by_link: BTreeMap<LinkName, (usize, usize)>,
    /// FAIL and UNKNOWN findings by reason.
    by_reason: BTreeMap<&'a str, Counts>,
}

fn count(counts: &mut Counts, status: Status) {
    for (count, known) in counts.iter_mut().zip(Status::ALL) {
        *count += usize::from(known == status);
    }
}

fn class(status: Status) -> String {
    status.as_str().to_ascii_lowercase()
}

impl<'a> Overview<'a> {
    pub(super) fn of(report: &'a Report<'a>) -> Self {
        let mut overview = Self {
            report,
            accounts: by_account(report.findings).count(),
            by_control: BTreeMap::new(),
            by_unit: BTreeMap::new(),
            by_link: BTreeMap::new(),
            by_reason: BTreeMap::new(),
        };
        for finding in report.findings {
            count(
                overview.by_control.entry(&finding.control.id).or_default(),
                finding.status,
            );
            let unit = finding.account.ou_path.as_deref().unwrap_or_default();
            count(overview.by_unit.entry(unit).or_default(), finding.status);
            if let (Status::Fail | Status::Unknown, Some(reason)) =
                (finding.status, finding.reason.as_deref())
            {
                count(
                    overview.by_reason.entry(reason).or_default(),
                    finding.status,
                );
            }
            if let Some(link) = finding.broken_link {
                let (failed, unseen) = overview.by_link.entry(link).or_default();
                match finding.status {
                    Status::Fail => *failed += 1,
                    Status::Unknown => *unseen += 1,
                    _ => {}
                }
            }
        }
        overview
    }

    pub(super) fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        self.header(out)?;
        writeln!(out, r#"<div class="grid">"#)?;
        self.totals(out)?;
        self.links(out)?;
        self.controls(out)?;
        self.units(out)?;
        writeln!(out, "</div>")
    }

    fn header(&self, out: &mut dyn Write) -> io::Result<()> {
        let run = self.report.run;
        let passed = self.report.summary.count(Status::Pass);
        let open = self.report.summary.count(Status::Fail);
        let unseen = self.report.summary.count(Status::Unknown);
        let headline = match (open, unseen) {
            (0, 0) if self.report.findings.is_empty() => "No account was judged".to_owned(),
            (0, 0) => "Every judged chain is complete".to_owned(),
            (0, unseen) => format!(
                "{unseen} of {} chains could not be seen",
                self.report.findings.len()
            ),
            (open, _) => format!("{open} of {} chains are broken", self.report.findings.len()),
        };
        writeln!(
            out,
            r#"<header class="top">
<div class="eyebrow"><svg viewBox="0 0 24 24" aria-hidden="true"><circle cx="5" cy="12" r="3"/><circle cx="19" cy="12" r="3"/><path d="M8 12h8"/><path d="M10.5 9.5 13 12l-2.5 2.5"/></svg>trailproof</div>
<h1>{}</h1>
<p class="verdict">A chain leads from an event that CloudTrail records to a person who reads a message about it. Passed means: this exact chain exists, it belongs together, and it can fire. Of {} findings for {} accounts, {passed} passed.</p>
<dl class="facts">"#,
            escape(&headline),
            self.report.findings.len(),
            self.accounts,
        )?;
        let organization = run.scope.organization.as_ref();
        let facts = [
            (
                "Organization",
                match organization {
                    None => "none".to_owned(),
                    Some(known) => known.id.clone().unwrap_or_else(|| "unnamed".to_owned()),
                },
            ),
            (
                "Judged",
                run.policy
                    .evaluated_at
                    .strftime("%Y-%m-%d %H:%M UTC")
                    .to_string(),
            ),
            (
                "Benchmark",
                format!("CIS AWS Foundations {}", run.policy.benchmark),
            ),
            (
                "Yardstick",
                match run.policy.assurance {
                    Assurance::Cis => "the benchmark's audit steps",
                    Assurance::Effective => "whether the message would arrive",
                    Assurance::Both => "the benchmark's steps and whether the message would arrive",
                }
                .to_owned(),
            ),
            ("Calls to AWS", run.statistics.calls.to_string()),
        ];
        // A run that judged recorded evidence made no calls.
        let facts = facts.into_iter().filter(|(_, value)| value != "0");
        for (term, value) in facts {
            writeln!(out, "<div><dt>{term}</dt><dd>{}</dd></div>", escape(&value))?;
        }
        writeln!(out, "</dl>")?;
        if !run.complete {
            writeln!(
                out,
                r#"<p class="banner">This run is not complete: it was interrupted, and accounts may be missing.</p>"#
            )?;
        }
        writeln!(out, "</header>")
    }

    fn totals(&self, out: &mut dyn Write) -> io::Result<()> {
        let summary = self.report.summary;
        let total = summary.findings;
        let passed = summary.count(Status::Pass);
        let judged = total - summary.count(Status::NotApplicable);
        writeln!(
            out,
            r#"<section class="card span-3"><h2>Findings by status</h2><p class="soft">One finding per account and control.</p>
<div class="donut"><svg viewBox="0 0 120 120" role="img" aria-label="{passed} of {judged} findings passed"><circle class="ring bare" cx="60" cy="60" r="46"/>"#
        )?;
        let length = std::f64::consts::TAU * 46.0;
        let mut offset = 0.0;
        for status in Status::ALL {
            let share = fraction(summary.count(status), total) * length;
            if share > 0.0 {
                writeln!(
                    out,
                    r#"<circle class="ring s-{}" cx="60" cy="60" r="46" stroke-dasharray="{share:.3} {:.3}" stroke-dashoffset="{:.3}" transform="rotate(-90 60 60)"/>"#,
                    class(status),
                    length - share,
                    -offset,
                )?;
                offset += share;
            }
        }
        writeln!(
            out,
            r#"<text class="big" x="60" y="64" text-anchor="middle">{}</text><text class="small" x="60" y="80" text-anchor="middle">passed</text></svg><ul class="legend">"#,
            percent(passed, judged),
        )?;
        for status in Status::ALL {
            writeln!(
                out,
                r#"<li><span class="badge {status}">{}</span><span class="count">{}</span></li>"#,
                status.as_str().replace('_', " "),
                summary.count(status),
            )?;
        }
        writeln!(out, "</ul></div></section>")
    }

    /// The chain itself, with the number of findings that break at each link.
    fn links(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(
            out,
            r#"<section class="card span-9"><h2>Where chains break</h2><p class="soft">The chain from event to person. The number is how many findings end at that link: broken, or not to be seen (dashed on the findings). Choose one to list them.</p><ol class="links">"#
        )?;
        let account = self
            .by_link
            .contains_key(&LinkName::Account)
            .then_some(LinkName::Account);
        for link in account.into_iter().chain(LinkName::CHAIN) {
            let (failed, unseen) = self.by_link.get(&link).copied().unwrap_or_default();
            let total = failed + unseen;
            let (class, shown) = match (failed, unseen) {
                (0, 0) => ("whole", "✓".to_owned()),
                (0, _) => ("unseen", total.to_string()),
                _ => ("broken", total.to_string()),
            };
            let wide = if shown.chars().count() > 3 {
                " wide"
            } else {
                ""
            };
            writeln!(
                out,
                r#"<li class="{class}{wide}"><button type="button" data-filter="link" data-value="{link}" aria-label="{link}: {failed} broken, {unseen} not seen"><span class="node">{shown}</span>{link}</button></li>"#
            )?;
        }
        writeln!(out, "</ol>")?;
        self.reasons(out)?;
        writeln!(out, "</section>")
    }

    fn reasons(&self, out: &mut dyn Write) -> io::Result<()> {
        let mut reasons: Vec<_> = self.by_reason.iter().collect();
        reasons.sort_by_key(|(_, counts)| std::cmp::Reverse(counts.iter().sum::<usize>()));
        let most = reasons.first().map_or(0, |(_, counts)| counts.iter().sum());
        if reasons.is_empty() {
            return Ok(());
        }
        writeln!(
            out,
            r#"<h3>Most frequent reasons</h3><table class="bars"><tbody>"#
        )?;
        for (reason, counts) in reasons.into_iter().take(REASONS) {
            let total: usize = counts.iter().sum();
            bar(
                out,
                ("query", reason, reason),
                counts,
                most,
                &total.to_string(),
            )?;
        }
        writeln!(out, "</tbody></table>")
    }

    fn controls(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(
            out,
            r#"<section class="card span-6"><h2>By control</h2><p class="soft">Findings of each control, by status.</p><table class="bars"><tbody>"#
        )?;
        let known = controls(self.report);
        let version = self.report.run.policy.benchmark.as_str();
        for id in control_ids(self.report) {
            let Some(counts) = self.by_control.get(id) else {
                continue;
            };
            let number = known
                .get(id)
                .and_then(|control| control.entry(version))
                .map(|entry| format!("{} ", entry.number))
                .unwrap_or_default();
            let label = format!("{number}{id}");
            bar(
                out,
                ("control", id, &label),
                counts,
                counts.iter().sum(),
                &pass_rate(counts),
            )?;
        }
        writeln!(out, "</tbody></table></section>")
    }

    fn units(&self, out: &mut dyn Write) -> io::Result<()> {
        let mut units: Vec<_> = self.by_unit.iter().collect();
        // Those with the most work first; the sort is stable, so equals stay in order of name.
        units.sort_by_key(|(_, [failed, unseen, ..])| std::cmp::Reverse((*failed, *unseen)));
        let hidden = units.len().saturating_sub(UNITS);
        writeln!(
            out,
            r#"<section class="card span-6"><h2>By organizational unit</h2><p class="soft">Those with the most broken chains first.{}</p><table class="bars"><tbody>"#,
            if hidden > 0 {
                format!(" {hidden} more are in the table below.")
            } else {
                String::new()
            },
        )?;
        for (path, counts) in units.into_iter().take(UNITS) {
            let name = match path.rsplit('/').next() {
                None | Some("") => "outside any unit",
                Some(name) => name,
            };
            bar(
                out,
                ("ou", path, name),
                counts,
                counts.iter().sum(),
                &pass_rate(counts),
            )?;
        }
        writeln!(out, "</tbody></table></section>")
    }
}

/// A row with a bar: what a click filters by, the value and the label; the counts, how many would
/// fill the bar, and what stands behind it.
fn bar(
    out: &mut dyn Write,
    (filter, value, label): (&str, &str, &str),
    counts: &Counts,
    full: usize,
    figure: &str,
) -> io::Result<()> {
    let words: Vec<String> = counts
        .iter()
        .zip(Status::ALL)
        .filter(|(count, _)| **count > 0)
        .map(|(count, status)| format!("{count} {status}"))
        .collect();
    write!(
        out,
        r#"<tr><th scope="row"><button type="button" data-filter="{filter}" data-value="{}" title="{}"><bdi>{}</bdi></button></th><td><svg viewBox="0 0 1000 14" preserveAspectRatio="none" role="img" aria-label="{}">"#,
        escape(value),
        escape(value),
        escape(label),
        words.join(", "),
    )?;
    let mut left = 0.0;
    for (count, status) in counts.iter().zip(Status::ALL) {
        let width = fraction(*count, full) * 1000.0;
        if width > 0.0 {
            write!(
                out,
                r#"<rect class="f-{}" x="{left:.2}" y="0" width="{width:.2}" height="14"/>"#,
                class(status),
            )?;
            left += width;
        }
    }
    writeln!(
        out,
        r#"</svg></td><td class="num">{}</td></tr>"#,
        escape(figure)
    )
}

#[allow(
    clippy::cast_precision_loss,
    reason = "a share of a chart; no organization has 2^52 findings"
)]
fn fraction(part: usize, whole: usize) -> f64 {
    if whole == 0 {
        0.0
    } else {
        part as f64 / whole as f64
    }
}

/// The share of findings that passed, of those that apply.
fn pass_rate(counts: &Counts) -> String {
    let [failed, unseen, passed, muted, _] = counts;
    percent(*passed, failed + unseen + passed + muted)
}

/// A share in per cent, rounded down: 100 % is said only when nothing is missing.
fn percent(part: usize, whole: usize) -> String {
    if whole == 0 {
        return "–".to_owned();
    }
    format!("{} %", part * 100 / whole)
}

/// What an auditor looks up afterwards: each control with its numbers, pattern and mappings.
pub(super) fn appendix(report: &Report<'_>, out: &mut dyn Write) -> io::Result<()> {
    let known = controls(report);
    let version = report.run.policy.benchmark.as_str();
    writeln!(
        out,
        r#"<p class="screen soft">&nbsp;</p><details class="card"><summary>The controls, and what other frameworks call them</summary>
<table><thead><tr><th>Number</th><th>Control</th><th>What has to be covered</th><th>Mapped to</th></tr></thead><tbody>"#
    )?;
    for id in control_ids(report) {
        let Some(control) = known.get(id) else {
            continue;
        };
        let number = control
            .entry(version)
            .map_or("–", |entry| entry.number.as_str());
        writeln!(
            out,
            r#"<tr><td>{}</td><td><b>{}</b><br>{}<br><code>{}</code></td><td class="pattern"><code>{}</code></td><td>"#,
            escape(number),
            escape(control.title_for(version)),
            escape(&control.description),
            escape(id),
            escape(control.pattern_for(version)),
        )?;
        if let Some(hub) = &control.security_hub {
            writeln!(out, "AWS Security Hub {}<br>", escape(&hub.control))?;
        }
        for mapping in &control.mappings {
            writeln!(
                out,
                "{} {} <span class=\"soft\">({})</span><br>",
                escape(&mapping.framework),
                escape(&mapping.requirements.join(", ")),
                escape(&mapping.source),
            )?;
        }
        writeln!(out, "</td></tr>")?;
    }
    writeln!(
        out,
        r#"</tbody></table></details>
<details class="card"><summary>How to read this page</summary>
<table><tbody>
<tr><td><span class="badge PASS">PASS</span></td><td>At least one complete chain is proved.</td></tr>
<tr><td><span class="badge FAIL">FAIL</span></td><td>No chain can be complete, whatever the parts that were not seen are.</td></tr>
<tr><td><span class="badge UNKNOWN">UNKNOWN</span></td><td>A chain may be complete, but something on it could not be observed. The finding names what was asked of AWS and what it answered. Nothing that could not be seen is counted as passed or failed.</td></tr>
<tr><td><span class="badge MUTED">MUTED</span></td><td>Failed or unknown, and accepted: with a reason, an owner and an end.</td></tr>
<tr><td><span class="badge NOT_APPLICABLE">NOT APPLICABLE</span></td><td>The account is suspended or being closed.</td></tr>
<tr><td>CIS</td><td>The verdict by the benchmark's audit steps, to the letter.</td></tr>
<tr><td>Effective</td><td>The verdict by the question whether the message would arrive: delivery, metric, alarm arithmetic, topic policy and encryption included.</td></tr>
</tbody></table></details>"#
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hundred_per_cent_is_everything() {
        assert_eq!(percent(999, 1000), "99 %");
        assert_eq!(percent(1000, 1000), "100 %");
        assert_eq!(percent(0, 0), "–");
    }
}
