//! What a meeting looks at: how many accounts are safe, where chains break, and for whom. Plain
//! HTML and SVG, drawn here.

use std::collections::BTreeMap;
use std::io::{self, Write};

use trailproof_core::finding::{LinkName, Status};

use super::escape::escape;
use crate::format::Report;
use crate::formats::{control_ids, controls, statement, unit_names};

/// Findings by status, in the order of [`Status::ALL`].
type Counts = [usize; Status::ALL.len()];

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
    /// Findings that prove a link.
    proved: BTreeMap<LinkName, usize>,
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
            accounts: report.findings.accounts().count(),
            by_control: BTreeMap::new(),
            by_unit: BTreeMap::new(),
            by_link: statement::breaks(report.findings),
            proved: BTreeMap::new(),
            by_reason: BTreeMap::new(),
        };
        for finding in report.findings.outlines() {
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
            for link in LinkName::CHAIN
                .into_iter()
                .filter(|link| finding.proves(*link))
            {
                *overview.proved.entry(link).or_default() += 1;
            }
        }
        overview
    }

    pub(super) fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        self.header(out)?;
        writeln!(out, r#"<div class="grid">"#)?;
        self.totals(out)?;
        self.links(out)?;
        writeln!(out, r#"<div class="span-6 stack">"#)?;
        if !self.report.findings.is_empty() {
            self.yardsticks(out)?;
            self.controls(out)?;
        }
        self.notes(out)?;
        writeln!(out, "</div>")?;
        if !self.report.findings.is_empty() {
            self.units(out)?;
        }
        writeln!(out, "</div>")
    }

    fn header(&self, out: &mut dyn Write) -> io::Result<()> {
        let run = self.report.run;
        let (verdict, because) = statement::conclusion(self.report);
        writeln!(
            out,
            r#"<header class="top">
<div class="eyebrow"><svg viewBox="0 0 24 24" aria-hidden="true"><circle cx="5" cy="12" r="3"/><circle cx="19" cy="12" r="3"/><path d="M8 12h8"/><path d="M10.5 9.5 13 12l-2.5 2.5"/></svg>trailproof: {}</div>
<h1>{}</h1>
<p class="verdict"><b>{verdict}</b> {}</p>
<p class="verdict soft">{}</p>
<dl class="facts">"#,
            statement::question(self.report),
            escape(&statement::answer(self.report)),
            escape(&because),
            escape(statement::meaning(self.report)),
        )?;
        let organization = run.scope.organization.as_ref();
        let facts = [
            (
                "Organization",
                organization.map_or_else(
                    || "none".to_owned(),
                    |known| known.id.clone().unwrap_or_else(|| "unnamed".to_owned()),
                ),
            ),
            ("Accounts", self.accounts.to_string()),
            ("Judged as of", statement::time(run.policy.evaluated_at)),
            (
                "Benchmark",
                format!("CIS AWS Foundations {}", run.policy.benchmark),
            ),
            (
                "Yardstick",
                statement::yardstick(run.policy.assurance).to_owned(),
            ),
        ];
        for (term, value) in facts {
            writeln!(out, "<div><dt>{term}</dt><dd>{}</dd></div>", escape(&value))?;
        }
        writeln!(
            out,
            r##"</dl><p class="facts"><a href="#scope">Scope and method in full</a></p>"##
        )?;
        for warning in statement::warnings(self.report) {
            writeln!(out, r#"<p class="banner">{}</p>"#, escape(&warning))?;
        }
        writeln!(out, "</header>")
    }

    fn totals(&self, out: &mut dyn Write) -> io::Result<()> {
        let summary = self.report.summary();
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

    /// The chain itself, with the number of findings that break at each link. A link is ticked only
    /// when findings prove it: where nothing was looked at, nothing is fine.
    fn links(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(
            out,
            r#"<section class="card span-9"><h2>Where chains break</h2><p class="soft">The chain from event to person, and how many findings end at each link: <span class="key broken">broken</span> <span class="key unseen">not seen</span> <span class="key whole">✓ no break, and proved for some</span> <span class="key blank">– not looked at</span>. <span class="screen">Choose a link to list its findings.</span></p><ol class="links">"#
        )?;
        let account = self
            .by_link
            .contains_key(&LinkName::Account)
            .then_some(LinkName::Account);
        for link in account.into_iter().chain(LinkName::CHAIN) {
            let (failed, unseen) = self.by_link.get(&link).copied().unwrap_or_default();
            let proved = self.proved.get(&link).copied().unwrap_or_default();
            let total = failed + unseen;
            let (class, shown) = match (failed, unseen) {
                (0, 0) if proved == 0 => ("blank", "–".to_owned()),
                (0, 0) => ("whole", "✓".to_owned()),
                (0, _) => ("unseen", total.to_string()),
                _ => ("broken", total.to_string()),
            };
            let wide = if shown.chars().count() > 3 {
                " wide"
            } else {
                ""
            };
            let words = format!("{failed} broken, {unseen} not seen, {proved} proved");
            let promise = link.promise();
            // Nothing would be listed.
            let dead = if total == 0 { " data-dead" } else { "" };
            writeln!(
                out,
                r#"<li class="{class}{wide}"><button type="button" data-filter="link" data-value="{link}" title="{link}: {promise}. {words}." disabled{dead}><span class="node">{shown}</span> {link}<span class="hidden">: {words}</span></button></li>"#
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
            let none = if self.report.findings.is_empty() {
                "This run has no findings."
            } else {
                "No chain of this run is broken or unseen."
            };
            return writeln!(out, r#"<p class="soft">{none}</p>"#);
        }
        writeln!(
            out,
            r#"<h3>{}</h3><table class="bars"><tbody>"#,
            if reasons.len() > REASONS {
                format!("The {REASONS} most frequent of {} reasons", reasons.len())
            } else {
                "Reasons".to_owned()
            },
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
            r#"<section class="card"><h2>By control</h2><p class="soft">How many of the findings that apply pass.</p><table class="bars"><tbody>"#
        )?;
        let known = controls(self.report.run);
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

    /// The verdicts by each yardstick, whichever the status follows.
    fn yardsticks(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(
            out,
            r#"<section class="card"><h2>By yardstick</h2><p class="soft">The same findings by the benchmark's letter, and by what would happen. Mutes are left aside here.</p><table class="bars"><tbody>"#
        )?;
        for (label, counts) in statement::by_yardstick(self.report.findings) {
            write!(out, r#"<tr><th scope="row">{label}</th>"#)?;
            share(out, &counts, counts.iter().sum(), &pass_rate(&counts))?;
        }
        writeln!(out, "</tbody></table></section>")
    }

    /// Observations that change no verdict.
    fn notes(&self, out: &mut dyn Write) -> io::Result<()> {
        let notes = self.report.findings.observations();
        if notes.is_empty() {
            return Ok(());
        }
        writeln!(
            out,
            r#"<section class="card"><h2>Worth knowing</h2><p class="soft">Observations that change no verdict, also on findings that pass.</p><table class="bars plainbars"><tbody>"#
        )?;
        for (code, count, message) in notes {
            writeln!(
                out,
                r#"<tr><th scope="row"><button type="button" data-filter="query" data-value="{code}" title="For example: {}" disabled><bdi>{code}</bdi></button></th><td class="num">{}</td></tr>"#,
                escape(message),
                statement::counted(count, "finding"),
                code = escape(code),
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
            r#"<section class="card span-6"><h2>By organizational unit</h2><p class="soft">Those with the most broken chains first; how many of the findings that apply pass.{}</p><table class="bars"><tbody>"#,
            if hidden > 0 {
                format!(" {hidden} more are in the table below.")
            } else {
                String::new()
            },
        )?;
        let names = unit_names(self.report);
        for (path, counts) in units.into_iter().take(UNITS) {
            let name = match path.rsplit('/').next() {
                None | Some("") => "outside any unit",
                Some(unit) => names.get(unit).copied().unwrap_or(unit),
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
    write!(
        out,
        r#"<tr><th scope="row"><button type="button" data-filter="{filter}" data-value="{}" title="{}" disabled><bdi>{}</bdi></button></th>"#,
        escape(value),
        escape(value),
        escape(label),
    )?;
    share(out, counts, full, figure)
}

/// The cells of a bar: the bar itself and what stands behind it, which end the row.
fn share(out: &mut dyn Write, counts: &Counts, full: usize, figure: &str) -> io::Result<()> {
    let words: Vec<String> = counts
        .iter()
        .zip(Status::ALL)
        .filter(|(count, _)| **count > 0)
        .map(|(count, status)| format!("{count} {status}"))
        .collect();
    write!(
        out,
        r#"<td><svg viewBox="0 0 1000 14" preserveAspectRatio="none" role="img" aria-label="{}">"#,
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

/// How many findings passed, of those that apply.
fn pass_rate(counts: &Counts) -> String {
    let [failed, unseen, passed, attested, muted, _] = counts;
    match failed + unseen + passed + attested + muted {
        0 => "not applicable".to_owned(),
        applicable => format!(
            "{passed} of {applicable} · {}",
            percent(*passed, applicable)
        ),
    }
}

/// A share in per cent, rounded down: 100 % is said only when nothing is missing.
fn percent(part: usize, whole: usize) -> String {
    if whole == 0 {
        return "–".to_owned();
    }
    format!("{} %", part * 100 / whole)
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
