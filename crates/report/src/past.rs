//! A finished run, read back: for every command that looks at what was found before.

use std::path::Path;

use trailproof_core::finding::Finding;

use crate::findings_json::{self, ReadError};
use crate::run::{Run, RunDirectory, RunDirectoryError, file};

/// A finished run and its findings.
#[derive(Debug)]
pub struct PastRun {
    /// What was asked, and how it went.
    pub run: Run,
    /// Ordered by account, then control.
    pub findings: Vec<Finding>,
}

/// Why a run cannot be read back.
#[derive(Debug, thiserror::Error)]
pub enum PastRunError {
    /// The folder is not that of a finished run.
    #[error(transparent)]
    Directory(#[from] RunDirectoryError),
    /// Its findings cannot be read.
    #[error(transparent)]
    Findings(#[from] ReadError),
}

impl PastRunError {
    /// What the user can do about it.
    pub fn remedy(&self) -> &'static str {
        match self {
            Self::Directory(error) => error.remedy(),
            Self::Findings(error) => error.remedy(),
        }
    }
}

impl PastRun {
    /// Reads the folder of a finished run, or a `findings.json` by itself.
    pub fn read(path: &Path) -> Result<Self, PastRunError> {
        let (run, findings) = if path.is_file() {
            findings_json::read(path)?
        } else {
            let (directory, _) = RunDirectory::open(path)?;
            findings_json::read(&directory.file(file::FINDINGS_JSON))?
        };
        Ok(Self { run, findings })
    }
}
