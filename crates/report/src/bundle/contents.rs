//! The files of a bundle: those of the run, and those that are made for it.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};

use super::write::{WriteError, io_error};
use super::{FOR_PEOPLE, OF_RUN, REQUIRED};
use crate::findings::Findings;
use crate::findings_json::FindingsJson;
use crate::format::{Format, Report};
use crate::past::PastRun;
use crate::recipients_csv::RecipientsCsv;
use crate::run::{Addresses, Run, RunDirectory, copy_lines, file, read_evidence};

/// What is packed, and where it lies until then. What was made for the bundle lies beside it, and
/// is removed in the end.
pub(super) struct Contents {
    pub(super) run: Run,
    files: Vec<(&'static str, PathBuf)>,
    _made: Made,
}

impl Contents {
    /// Looks for the files of a run, and makes the others. With masked addresses, everything that
    /// could tell an address, and everything that says whether addresses are masked, is written
    /// anew; findings tell none.
    pub(super) fn of(
        directory: &RunDirectory,
        bundle: &Path,
        addresses: Addresses,
    ) -> Result<Self, WriteError> {
        let missing = OF_RUN.into_iter().find(|name| {
            let required = REQUIRED.contains(name);
            required && !directory.file(name).is_file()
        });
        if let Some(name) = missing {
            let path = directory.file(name);
            return Err(WriteError::Missing { path });
        }
        let reading = |error: &dyn std::fmt::Display| {
            io_error("read", directory.path())(io::Error::other(error.to_string()))
        };
        let PastRun { mut run, findings } =
            PastRun::read(directory.path()).map_err(|error| reading(&error))?;
        run.mask_endpoints |= addresses == Addresses::Masked;
        let (evidence, _) = read_evidence(
            &directory.file(file::EVIDENCE),
            run.policy.oldest(),
            run.addresses(),
        )
        .map_err(|error| reading(&error))?;
        let findings = Findings::kept(findings);
        let report = Report {
            run: &run,
            findings: &findings,
            evidence: &evidence,
        };
        let mut made = Made {
            bundle: bundle.to_owned(),
            files: Vec::new(),
        };
        if addresses == Addresses::Masked {
            made.write(file::RUN, |out| {
                serde_json::to_writer_pretty(&mut *out, &run)?;
                out.write_all(b"\n")
            })?;
            let source = directory.file(file::EVIDENCE);
            let input = File::open(&source).map_err(io_error("read", &source))?;
            made.write(file::EVIDENCE, |out| {
                let input = BufReader::with_capacity(1 << 18, input);
                copy_lines(input, out, Addresses::Masked)
            })?;
            made.write(file::FINDINGS_JSON, |out| FindingsJson.write(&report, out))?;
            if directory.file(file::RECIPIENTS_CSV).is_file() {
                made.write(file::RECIPIENTS_CSV, |out| {
                    RecipientsCsv.write(&report, out)
                })?;
            }
        }
        for format in FOR_PEOPLE {
            made.write(format.file_name(), |out| format.write(&report, out))?;
        }
        let people = FOR_PEOPLE.iter().map(|format| format.file_name());
        let files = people
            .chain(OF_RUN)
            .filter_map(|name| {
                let path = made.file(name).unwrap_or_else(|| directory.file(name));
                path.is_file().then_some((name, path))
            })
            .collect();
        Ok(Self {
            run,
            files,
            _made: made,
        })
    }

    /// The files in their order, and where they lie.
    pub(super) fn files(&self) -> &[(&'static str, PathBuf)] {
        &self.files
    }

    /// Where a file lies.
    pub(super) fn file(&self, name: &str) -> Option<&Path> {
        let mut files = self.files.iter();
        files
            .find(|(known, _)| *known == name)
            .map(|(_, path)| path.as_path())
    }
}

/// Files that were made, for as long as the bundle is written.
struct Made {
    /// The bundle, which they lie beside.
    bundle: PathBuf,
    files: Vec<(&'static str, PathBuf)>,
}

impl Made {
    fn write(
        &mut self,
        name: &'static str,
        write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> Result<(), WriteError> {
        let path = self.bundle.with_extension(format!("partial-{name}"));
        self.files.push((name, path.clone()));
        let written = || -> io::Result<()> {
            let out = trailproof_files::create_anew(&path)?;
            let mut out = BufWriter::with_capacity(1 << 16, out);
            write(&mut out)?;
            out.flush()
        };
        written().map_err(io_error("write", &path))
    }

    fn file(&self, name: &str) -> Option<PathBuf> {
        let mut files = self.files.iter();
        files
            .find(|(known, _)| *known == name)
            .map(|(_, path)| path.clone())
    }
}

impl Drop for Made {
    fn drop(&mut self) {
        for (_, path) in &self.files {
            // They are of no use to anybody.
            let _ = std::fs::remove_file(path);
        }
    }
}
