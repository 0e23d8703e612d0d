//! The formats a run can be written in: one type per format, listed once in [`ALL`].
//!
//! A format only writes. Where the bytes go, and what happens when one of several formats fails,
//! is decided here, so that one failing format never stops the others.

use std::io::{self, Write};
use std::path::PathBuf;

use trailproof_core::evidence::Evidence;
use trailproof_core::finding::Summary;

use crate::findings::Findings;
use crate::run::{Run, RunDirectory, RunDirectoryError};
use crate::{findings_csv, findings_json, formats, recipients_csv, trails_csv};

/// Everything there is to report about a run.
#[derive(Debug, Clone, Copy)]
pub struct Report<'a> {
    /// What was asked, and how it went.
    pub run: &'a Run,
    /// The findings.
    pub findings: &'a Findings<'a>,
    /// What the findings rest on.
    pub evidence: &'a Evidence,
}

impl<'a> Report<'a> {
    /// How many findings there are of each kind.
    pub fn summary(&self) -> &'a Summary {
        self.findings.summary()
    }
}

/// A way to write a report.
pub trait Format: Sync {
    /// The word for `--format`, such as `csv`.
    fn name(&self) -> &'static str;

    /// The name of its file in the run directory, such as `findings.csv`.
    fn file_name(&self) -> &'static str;

    /// Who it is for, in a few words.
    fn description(&self) -> &'static str;

    /// Whether it tells what stands in evidence alone. Others are written without reading any.
    fn reads_evidence(&self) -> bool {
        false
    }

    /// Writes the whole report. Implementations stream: they hold one finding at a time.
    fn write(&self, report: &Report<'_>, out: &mut dyn Write) -> io::Result<()>;
}

/// Every format, in the order of the documentation. A new format is a new file and a line here.
pub static ALL: &[&dyn Format] = &[
    &findings_json::FindingsJson,
    &findings_csv::FindingsCsv,
    &trails_csv::TrailsCsv,
    &recipients_csv::RecipientsCsv,
    &formats::Ndjson,
    &formats::Xlsx,
    &formats::Html,
    &formats::Markdown,
    &formats::SummaryText,
    &formats::Junit,
    &formats::Asff::HOME,
    &formats::Ocsf,
    &formats::Pivot,
];

/// The formats that every run directory has.
pub const DEFAULT: &[&str] = &["json", "csv", "trails", "recipients"];

/// The format of a name.
pub fn by_name(name: &str) -> Option<&'static dyn Format> {
    ALL.iter().copied().find(|format| format.name() == name)
}

/// What became of one format.
#[derive(Debug)]
pub struct Written {
    /// The format's name.
    pub format: &'static str,
    /// The file, or why there is none.
    pub result: Result<PathBuf, RunDirectoryError>,
}

/// Writes a report into its run directory in some formats. Each is tried, whatever became of the
/// others.
pub fn write_all(
    formats: &[&dyn Format],
    report: &Report<'_>,
    directory: &RunDirectory,
) -> Vec<Written> {
    formats
        .iter()
        .map(|format| Written {
            format: format.name(),
            result: directory
                .write(format.file_name(), |out| format.write(report, out))
                .map(|()| directory.file(format.file_name())),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn names_and_files_are_unique() {
        let names: BTreeSet<_> = ALL.iter().map(|format| format.name()).collect();
        let files: BTreeSet<_> = ALL.iter().map(|format| format.file_name()).collect();
        assert_eq!(names.len(), ALL.len());
        assert_eq!(files.len(), ALL.len());
        assert!(DEFAULT.iter().all(|name| by_name(name).is_some()));
    }
}
