//! `findings.csv`: the findings for spreadsheets, one row per finding (RFC 4180).

use std::io::{self, Write};

use trailproof_core::finding::{ChainLink, Finding, LinkName, LinkStatus};

use crate::format::{Format, Report};
use crate::run::file;
use crate::spreadsheet::harmless;

/// The format `csv`.
#[derive(Debug)]
pub struct FindingsCsv;

impl Format for FindingsCsv {
    fn name(&self) -> &'static str {
        "csv"
    }

    fn file_name(&self) -> &'static str {
        file::FINDINGS_CSV
    }

    fn description(&self) -> &'static str {
        "one row per finding, for spreadsheets"
    }

    fn write(&self, report: &Report<'_>, out: &mut dyn Write) -> io::Result<()> {
        let mut table = csv::WriterBuilder::new()
            .terminator(csv::Terminator::CRLF)
            .from_writer(out);
        table.write_record(header())?;
        for finding in report.findings {
            let cells = row(finding);
            table.write_record(cells.iter().map(|cell| harmless(cell).into_owned()))?;
        }
        table.flush()
    }
}

const LEADING: [&str; 18] = [
    "id",
    "account_id",
    "account_name",
    "ou_path",
    "control_id",
    "control_title",
    "benchmark",
    "number",
    "status",
    "cis",
    "effective",
    "broken_link",
    "reason",
    "message",
    "remediation",
    "fix_automatic",
    "observed_at",
    "chain",
];

const TRAILING: [&str; 5] = [
    "observations",
    "witness",
    "muted_status",
    "muted_until",
    "muted_because",
];

fn header() -> Vec<String> {
    let mut columns: Vec<String> = LEADING.map(str::to_owned).into();
    for link in LinkName::CHAIN {
        let name = link.as_str().replace('-', "_");
        columns.push(format!("{name}_status"));
        columns.push(format!("{name}_resource"));
        columns.push(format!("{name}_detail"));
    }
    columns.extend(TRAILING.map(str::to_owned));
    columns
}

fn row(finding: &Finding) -> Vec<String> {
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    let remediation = finding.remediation.as_ref();
    let mut cells = vec![
        finding.id.clone(),
        finding.account.id.to_string(),
        text(&finding.account.name),
        text(&finding.account.ou_path),
        finding.control.id.clone(),
        finding.control.title.clone(),
        finding.control.benchmark.clone(),
        text(&finding.control.number),
        finding.status.to_string(),
        finding.assurance.cis.to_string(),
        finding.assurance.effective.to_string(),
        finding
            .broken_link
            .map(|link| link.to_string())
            .unwrap_or_default(),
        text(&finding.reason),
        finding.message.clone(),
        remediation
            .map(|remediation| remediation.summary.clone())
            .unwrap_or_default(),
        remediation
            .map(|remediation| if remediation.automatic { "yes" } else { "no" }.to_owned())
            .unwrap_or_default(),
        finding
            .observed_at
            .map(|time| time.to_string())
            .unwrap_or_default(),
        chain(&finding.chain),
    ];
    for name in LinkName::CHAIN {
        let link = finding.chain.iter().find(|link| link.link == name);
        cells.push(
            link.map(|link| status_word(link.status).to_owned())
                .unwrap_or_default(),
        );
        cells.push(
            link.and_then(|link| link.resource.clone())
                .unwrap_or_default(),
        );
        cells.push(link.map(|link| link.detail.clone()).unwrap_or_default());
    }
    let observations: Vec<String> = finding
        .observations
        .iter()
        .map(|observation| format!("{}: {}", observation.code, observation.message))
        .collect();
    cells.push(observations.join("; "));
    cells.push(
        finding
            .witness
            .as_ref()
            .map(ToString::to_string)
            .unwrap_or_default(),
    );
    let muted = finding.muted.as_ref();
    cells.push(
        muted
            .map(|muted| muted.status.to_string())
            .unwrap_or_default(),
    );
    cells.push(
        muted
            .map(|muted| muted.expires.to_string())
            .unwrap_or_default(),
    );
    cells.push(
        muted
            .map(|muted| format!("{} ({})", muted.justification, muted.owner))
            .unwrap_or_default(),
    );
    cells
}

/// The chain as far as it was followed, in one readable cell.
fn chain(links: &[ChainLink]) -> String {
    links
        .iter()
        .filter(|link| link.status != LinkStatus::NotEvaluated)
        .map(|link| match &link.resource {
            Some(resource) => format!("{} {} ({resource})", link.link, status_word(link.status)),
            None => format!("{} {}", link.link, status_word(link.status)),
        })
        .collect::<Vec<_>>()
        .join(" > ")
}

fn status_word(status: LinkStatus) -> &'static str {
    match status {
        LinkStatus::Pass => "PASS",
        LinkStatus::Fail => "FAIL",
        LinkStatus::Unknown => "UNKNOWN",
        LinkStatus::NotEvaluated => "NOT_EVALUATED",
    }
}
