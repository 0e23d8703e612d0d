//! The folder of the scan after a plan was carried out.
//!
//! It is claimed before anything is changed: who wants a record of the state afterwards has one,
//! or nothing was done. What is claimed and never written to is given up again.

use std::path::Path;

use trailproof_core::evidence::Evidence;
use trailproof_report::findings::Findings;
use trailproof_report::format::{Format, Report};
use trailproof_report::run::{Run, RunDirectory, file};
use trailproof_scanner::EvidenceFile;

use crate::conclusion::write_reports;
use crate::error::CliError;
use crate::output::Output;
use crate::settings::{Destination, ReportSettings};

/// A claimed run directory, and what goes into it.
pub(super) struct Record {
    directory: Option<RunDirectory>,
    formats: Vec<&'static dyn Format>,
}

impl Record {
    /// Claims the folder for a run, where one was named.
    pub(super) fn claim(
        settings: &ReportSettings,
        run: &Run,
        overwrite: bool,
    ) -> Result<Option<Self>, CliError> {
        let Some(path) = &settings.out else {
            return Ok(None);
        };
        // What was changed goes to stdout already.
        if path == Path::new("-") {
            return Err(CliError::usage("--out needs a folder").hint(
                "write one report to stdout afterwards with `trailproof export DIR --out -`",
            ));
        }
        let formats = match settings.destination()? {
            Destination::Folder { formats, .. } => formats,
            Destination::Stdout(format) => vec![format],
        };
        Ok(Some(Self {
            directory: Some(RunDirectory::create(path, run, overwrite)?),
            formats,
        }))
    }

    /// Where the scan records its evidence.
    pub(super) fn evidence(&self) -> Option<EvidenceFile> {
        let directory = self.directory.as_ref()?;
        Some(EvidenceFile {
            path: directory.file(file::EVIDENCE),
            resume: false,
        })
    }

    /// Writes the reports, and says where.
    pub(super) fn write(
        mut self,
        run: &Run,
        findings: &Findings<'_>,
        evidence: &Evidence,
        output: &Output,
    ) -> Result<(), CliError> {
        let Some(directory) = self.directory.take() else {
            return Ok(());
        };
        let report = Report {
            run,
            findings,
            evidence,
        };
        write_reports(&directory, &self.formats, &report, output)?;
        output.note(format_args!(
            "the scan is in {}",
            directory.path().display()
        ));
        Ok(())
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        if let Some(directory) = self.directory.take() {
            directory.abandon();
        }
    }
}
