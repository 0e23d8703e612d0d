//! `pivot.csv`: accounts down, controls across, a status in every cell. For people who think in
//! spreadsheets; the reasons are in `findings.csv`.

use std::io::{self, Write};

use trailproof_core::finding::Status;

use super::control_ids;
use crate::findings::Outline;
use crate::format::{Format, Report};
use crate::spreadsheet::{harmless, table};

/// The format `pivot.csv`.
#[derive(Debug)]
pub struct Pivot;

impl Format for Pivot {
    fn name(&self) -> &'static str {
        "pivot.csv"
    }

    fn file_name(&self) -> &'static str {
        "pivot.csv"
    }

    fn description(&self) -> &'static str {
        "accounts down, controls across"
    }

    fn write(&self, report: &Report<'_>, out: &mut dyn Write) -> io::Result<()> {
        let controls = control_ids(report);
        let mut table = table(out);
        let leading = ["account_id", "account_name", "ou_path", "ou_names", "worst"];
        table.write_record(leading.iter().chain(&controls))?;
        for findings in report.findings.accounts() {
            let Some(first) = findings.first() else {
                continue;
            };
            table.write_field(first.account.id.to_string())?;
            table.write_field(&*harmless(
                first.account.name.as_deref().unwrap_or_default(),
            ))?;
            table.write_field(&*harmless(
                first.account.ou_path.as_deref().unwrap_or_default(),
            ))?;
            let units = first.account.unit_names().unwrap_or_default();
            table.write_field(&*harmless(&units))?;
            table.write_field(worst(findings).as_str())?;
            for control in &controls {
                let status = findings
                    .iter()
                    .find(|finding| finding.control.id == *control)
                    .map_or("", |finding| finding.status.as_str());
                table.write_field(status)?;
            }
            table.write_record(None::<&[u8]>)?;
        }
        table.flush()
    }
}

/// The status that needs a person most: FAIL, then UNKNOWN, MUTED, ATTESTED, PASS, `NOT_APPLICABLE`.
pub(super) fn worst(findings: &[Outline]) -> Status {
    [
        Status::Fail,
        Status::Unknown,
        Status::Muted,
        Status::Attested,
        Status::Pass,
    ]
    .into_iter()
    .find(|status| findings.iter().any(|finding| finding.status == *status))
    .unwrap_or(Status::NotApplicable)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::sample;

    #[test]
    fn one_row_per_account_and_one_column_per_control() {
        let sample = sample::organization();
        let text = sample.render(&Pivot);
        let mut table = csv::Reader::from_reader(text.as_bytes());
        assert_eq!(
            table.headers().unwrap(),
            vec![
                "account_id",
                "account_name",
                "ou_path",
                "ou_names",
                "worst",
                "console-auth-failures",
                "root-usage"
            ]
        );
        let rows: Vec<_> = table.records().map(Result::unwrap).collect();
        assert_eq!(&rows[0][3], "Workloads");
        let statuses: Vec<_> = rows
            .iter()
            .map(|row| (&row[0], &row[4], &row[5], &row[6]))
            .collect();
        assert_eq!(
            statuses,
            [
                ("111111111111", "FAIL", "PASS", "FAIL"),
                ("222222222222", "UNKNOWN", "PASS", "UNKNOWN"),
                ("333333333333", "MUTED", "MUTED", "PASS"),
                (
                    "444444444444",
                    "NOT_APPLICABLE",
                    "NOT_APPLICABLE",
                    "NOT_APPLICABLE"
                ),
            ]
        );
    }

    #[test]
    fn hostile_names_are_text() {
        let text = sample::hostile().render(&Pivot);
        for row in csv::Reader::from_reader(text.as_bytes()).records() {
            let row = row.unwrap();
            for cell in [&row[1], &row[3]] {
                assert!(
                    !cell.starts_with(['=', '+', '-', '@', '\t', '\r']),
                    "{cell:?}"
                );
            }
        }
    }
}
