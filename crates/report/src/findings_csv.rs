//! `findings.csv`: the findings for spreadsheets, one row per finding (RFC 4180).

use std::borrow::Cow;
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;

use trailproof_core::finding::{AttestedBy, ChainLink, Finding, LinkName, LinkStatus};

use crate::format::{Format, Report};
use crate::run::file;
use crate::spreadsheet::{harmless, table};

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
        let mut table = table(out);
        table.write_record(header())?;
        report.findings.try_each(|finding| {
            for cell in row(finding) {
                table.write_field(&*harmless(&cell))?;
            }
            table.write_record(None::<&[u8]>)
        })?;
        table.flush()
    }
}

/// The statuses that a `findings.csv` tells, by the ids of the findings and in its order, whatever
/// other columns the version that wrote it had.
pub fn read_statuses(path: &Path) -> io::Result<Vec<(String, String)>> {
    let mut table = csv::Reader::from_path(path)?;
    let headers = table.headers()?.clone();
    let column = |name: &str| {
        headers
            .iter()
            .position(|known| known == name)
            .ok_or_else(|| io::Error::other(format!("it has no column `{name}`")))
    };
    let (id, status) = (column("id")?, column("status")?);
    let mut statuses = Vec::new();
    for row in table.records() {
        let row = row?;
        let cell = |place: usize| row.get(place).unwrap_or_default().to_owned();
        statuses.push((cell(id), cell(status)));
    }
    Ok(statuses)
}

/// What people look at stands first. Programs find columns by name: none is ever renamed.
const LEADING: [&str; 20] = [
    "status",
    "account_id",
    "account_name",
    "ou",
    "control",
    "number",
    "reason",
    "message",
    "id",
    "ou_path",
    "control_id",
    "control_title",
    "benchmark",
    "cis",
    "effective",
    "broken_link",
    "remediation",
    "fix_automatic",
    "observed_at",
    "chain",
];

const TRAILING: [&str; 9] = [
    "observations",
    "witness",
    "muted_status",
    "muted_until",
    "muted_because",
    "attested_status",
    "attested_until",
    "attested_because",
    "ou_names",
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

fn row(finding: &Finding) -> Vec<Cow<'_, str>> {
    fn text(value: Option<&str>) -> Cow<'_, str> {
        value.unwrap_or_default().into()
    }
    let account = &finding.account;
    let control = &finding.control;
    let remediation = finding.remediation.as_ref();
    let observed_at = finding.observed_at.map(|time| time.to_string());
    let mut cells: Vec<Cow<'_, str>> = vec![
        finding.status.as_str().into(),
        account.id.to_string().into(),
        text(account.name.as_deref()),
        text(unit(account.ou_path.as_deref())),
        control.id.as_str().into(),
        number(control.number.as_deref()),
        text(finding.reason.as_deref()),
        finding.message.as_ref().into(),
        finding.id.as_str().into(),
        text(account.ou_path.as_deref()),
        control.id.as_str().into(),
        control.title.as_str().into(),
        control.benchmark.as_str().into(),
        finding.assurance.cis.as_str().into(),
        finding.assurance.effective.as_str().into(),
        text(finding.broken_link.map(LinkName::as_str)),
        text(remediation.map(|remediation| remediation.summary.as_str())),
        text(remediation.map(|remediation| if remediation.automatic { "yes" } else { "no" })),
        observed_at.unwrap_or_default().into(),
        chain(&finding.chain).into(),
    ];
    for name in LinkName::CHAIN {
        let link = finding.chain.iter().find(|link| link.link == name);
        cells.push(text(link.map(|link| link.status.as_str())));
        cells.push(text(link.and_then(|link| link.resource.as_deref())));
        cells.push(text(link.map(|link| link.detail.as_ref())));
    }
    let observations: Vec<String> = finding
        .observations
        .iter()
        .map(|observation| format!("{}: {}", observation.code, observation.message))
        .collect();
    cells.push(observations.join("; ").into());
    let witness = finding.witness.as_ref().map(ToString::to_string);
    cells.push(witness.unwrap_or_default().into());
    match &finding.muted {
        Some(muted) => cells.extend([
            muted.status.as_str().into(),
            muted.expires.to_string().into(),
            format!("{} ({})", muted.justification, muted.owner).into(),
        ]),
        None => cells.extend([const { Cow::Borrowed("") }; 3]),
    }
    match &finding.attested {
        Some(attested) => cells.extend([
            attested.status.as_str().into(),
            attested.expires.to_string().into(),
            because(attested).into(),
        ]),
        None => cells.extend([const { Cow::Borrowed("") }; 3]),
    }
    cells.push(account.unit_names().unwrap_or_default().into());
    cells
}

/// The organizational unit, or the root, that an account is in: the end of its path.
fn unit(path: Option<&str>) -> Option<&str> {
    path?.trim_end_matches('/').rsplit('/').next()
}

/// A recommendation's number, as text: a spreadsheet would make 5.1 of a bare 5.10.
pub(crate) fn number(number: Option<&str>) -> Cow<'static, str> {
    number.map_or(Cow::Borrowed(""), |number| format!("CIS {number}").into())
}

/// What is attested, by whom, and where it is written down.
pub(crate) fn because(attested: &AttestedBy) -> String {
    let reference = attested.reference.as_deref();
    let reference = reference.map_or_else(String::new, |text| format!("; {text}"));
    format!(
        "{}: {} ({}{reference})",
        attested.system, attested.statement, attested.owner
    )
}

/// The chain as far as it was followed, in one readable cell.
fn chain(links: &[Arc<ChainLink>]) -> String {
    links
        .iter()
        .filter(|link| link.status != LinkStatus::NotEvaluated)
        .map(|link| match &link.resource {
            Some(resource) => format!("{} {} ({resource})", link.link, link.status.as_str()),
            None => format!("{} {}", link.link, link.status.as_str()),
        })
        .collect::<Vec<_>>()
        .join(" > ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::sample;

    #[test]
    fn what_people_look_at_stands_first_and_numbers_are_text() {
        let text = sample::organization().render(&FindingsCsv);
        let mut table = csv::Reader::from_reader(text.as_bytes());
        let headers = table.headers().unwrap().clone();
        assert_eq!(
            headers.iter().take(8).collect::<Vec<_>>(),
            [
                "status",
                "account_id",
                "account_name",
                "ou",
                "control",
                "number",
                "reason",
                "message"
            ]
        );
        let place = |name: &str| headers.iter().position(|known| known == name).unwrap();
        let mut numbered = 0;
        for row in table.records().map(Result::unwrap) {
            let cell = |name: &str| row.get(place(name)).unwrap().to_owned();
            assert_eq!(cell("control"), cell("control_id"));
            assert_eq!(
                cell("id"),
                format!("{}/{}", cell("account_id"), cell("control"))
            );
            assert!(cell("ou_path").trim_end_matches('/').ends_with(&cell("ou")));
            assert!(!cell("ou").contains('/'));
            assert_eq!(cell("ou_names"), "Workloads");
            numbered += usize::from(cell("number").starts_with("CIS "));
        }
        assert!(numbered > 0);
        assert_eq!(number(Some("5.10")), "CIS 5.10");
        assert_eq!(number(None), "");
        assert_eq!(unit(Some("o-a/r-b/ou-c/")), Some("ou-c"));
        assert_eq!(unit(None), None);
    }
}
