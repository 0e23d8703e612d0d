//! `report.html`: one page for meetings and auditors.
//!
//! The file is self-contained: no network, no external script, and a content security policy that
//! allows nothing but the page's own style and script, by their hashes. The overview is written
//! here and needs no script; the table of findings is drawn by the script from data in the page,
//! a screenful at a time.

mod appendix;
mod data;
mod escape;
mod overview;
mod recipients;

use std::io::{self, Write};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};
use trailproof_core::finding::Status;

use self::escape::escape;
use self::overview::Overview;
use super::statement;
use crate::format::{Format, Report};

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// The format `html`.
#[derive(Debug)]
pub struct Html;

impl Format for Html {
    fn name(&self) -> &'static str {
        "html"
    }

    fn file_name(&self) -> &'static str {
        "report.html"
    }

    fn description(&self) -> &'static str {
        "one page for meetings and auditors, without network"
    }

    fn reads_evidence(&self) -> bool {
        true
    }

    fn write(&self, report: &Report<'_>, out: &mut dyn Write) -> io::Result<()> {
        head(report, out)?;
        Overview::of(report).write(out)?;
        table(report, out)?;
        recipients::write(report, out)?;
        appendix::write(report, out)?;
        writeln!(
            out,
            "</main>\n<footer class=\"wrap\">Written by {} {}. Nothing on this page is loaded from anywhere, and nothing is sent anywhere.</footer>",
            escape(&report.run.tool.name),
            escape(&report.run.tool.version),
        )?;
        writeln!(
            out,
            r#"<dialog id="finding" aria-labelledby="finding-title"></dialog>"#
        )?;
        data::write(report, out)?;
        writeln!(out, "<script>{SCRIPT}</script>\n</body>\n</html>")
    }
}

/// The title tells two reports in two tabs, or two printed files, apart.
fn title(report: &Report<'_>) -> String {
    let organization = report.run.scope.organization.as_ref();
    let organization = organization.and_then(|known| known.id.as_deref());
    let mut parts = vec!["trailproof".to_owned()];
    parts.extend(organization.map(str::to_owned));
    parts.push(
        report
            .run
            .policy
            .evaluated_at
            .strftime("%Y-%m-%d")
            .to_string(),
    );
    format!("{}: {}", parts.join(" "), statement::question(report))
}

fn head(report: &Report<'_>, out: &mut dyn Write) -> io::Result<()> {
    writeln!(
        out,
        r##"<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src '{style}'; script-src '{script}'; base-uri 'none'; form-action 'none'">
<meta name="referrer" content="no-referrer">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{title}</title>
<style>{STYLE}</style>
</head>
<body>
<a class="skip" href="#findings">Skip to the findings</a>
<main class="wrap">"##,
        title = escape(&title(report)),
        style = source_hash(STYLE),
        script = source_hash(SCRIPT),
    )
}

/// The hash by which a content security policy names an inline style or script.
fn source_hash(text: &str) -> String {
    format!(
        "sha256-{}",
        STANDARD.encode(Sha256::digest(text.as_bytes()))
    )
}

/// The frame of the table, which the script fills.
fn table(report: &Report<'_>, out: &mut dyn Write) -> io::Result<()> {
    write!(
        out,
        r#"<section id="findings" aria-labelledby="findings-title">
<h2 id="findings-title">Findings</h2>
<noscript><p class="banner">The table needs the script of this page, and so does whatever can be chosen above. The same findings are in findings.csv.</p></noscript>
<div class="controls">
<div class="field grow"><label for="query">Search accounts, units, findings</label><input id="query" type="search" autocomplete="off" spellcheck="false"></div>
<div class="field" role="group" aria-labelledby="status-label"><span id="status-label">Status</span><div class="chips">"#
    )?;
    for status in Status::ALL {
        let count = report.summary().count(status);
        if count > 0 {
            write!(
                out,
                r#"<button type="button" data-status="{status}" aria-pressed="false">{} <span class="mono">{count}</span></button>"#,
                status.as_str().replace('_', " "),
            )?;
        }
    }
    writeln!(
        out,
        r#"</div></div>
<div class="field"><label for="control">Control</label><select id="control"><option value="">all</option></select></div>
<div class="field"><label for="link">Broken link</label><select id="link"><option value="">any</option></select></div>
<div class="field"><label for="ou">Organizational unit</label><select id="ou"><option value="">all</option></select></div>
<button type="button" class="plain" id="reset">Clear filters</button>
<p class="soft hint" id="hint">Choose a row for its chain, the remedy and the evidence. Arrow keys move, Enter opens.</p>
<div class="tally" id="tally" role="status" aria-live="polite"></div>
</div>
<div id="chosen" hidden></div>
<div class="table" id="table" role="grid" aria-label="Findings" aria-describedby="hint" aria-readonly="true" aria-colcount="6">
<div role="rowgroup">
<div class="row head" role="row" aria-rowindex="1">
<div role="columnheader" aria-sort="ascending"><button type="button" data-sort="status">Status</button></div>
<div role="columnheader"><button type="button" data-sort="account">Account</button></div>
<div role="columnheader"><button type="button" data-sort="control">Control</button></div>
<div role="columnheader"><button type="button" data-sort="link">Broken link</button></div>
<div role="columnheader"><button type="button" data-sort="message">What was found</button></div>
<div role="columnheader"><button type="button" data-sort="assurance">CIS / effective</button></div>
</div>
</div>
<div class="view" id="view" role="presentation">
<p class="empty" id="loading">Reading the findings …</p>
<p class="empty" id="empty" hidden>{empty}</p>
<div class="body" id="body" role="rowgroup"></div>
</div>
</div>
<p id="printed"></p>
<table id="print"><thead><tr><th>Status</th><th>Account</th><th>Control</th><th>Reason</th><th>What was found</th></tr></thead><tbody id="paper"></tbody></table>
</section>"#,
        empty = if report.findings.is_empty() {
            "This run has no findings."
        } else {
            "Nothing matches these filters."
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::sample;

    #[test]
    fn nothing_is_loaded_from_anywhere() {
        let page = sample::organization().render(&Html);
        for forbidden in ["http://", "https://", "src=", "@import", "url(", "style=\""] {
            assert!(!page.contains(forbidden), "{forbidden}");
        }
        assert_eq!(page.matches("<script").count(), 2);
        assert!(page.contains("default-src 'none'"));
    }

    #[test]
    fn hostile_names_are_text() {
        let page = sample::hostile().render(&Html);
        assert_eq!(page.matches("<script").count(), 2);
        assert_eq!(page.matches("</script").count(), 2);
        assert!(!page.contains("<img"));
        assert!(!page.contains("<!--"));
        assert!(!page.chars().any(|character| {
            (character.is_control() && character != '\n') || character == '\u{202e}'
        }));
    }

    #[test]
    fn a_page_of_nothing_is_a_page() {
        let mut sample = sample::organization();
        sample.findings.clear();
        assert!(sample.render(&Html).ends_with("</html>\n"));
    }
}
