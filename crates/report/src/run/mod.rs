//! A run: what was asked, when, with which outcome (`run.json`), and the private directory that
//! holds it together with its evidence and reports.

mod access;
mod credentials;
mod directory;
mod evidence;
mod exceptions;
mod manifest;
mod observed;

pub use access::{Access, NetworkSetting, NeverAsked, OwnAccount, SessionUse};
pub use directory::{RunDirectory, RunDirectoryError};
pub(crate) use evidence::copy_lines;
pub use evidence::{Addresses, EvidenceError, LeftOut, add_evidence, copy_evidence, read_evidence};
pub use exceptions::Exceptions;
pub use manifest::{
    DEMO_ORGANIZATION, Organization, PolicyRecord, Run, RunKind, SCHEMA_VERSION, Scope,
    SlowAccount, Statistics, Sweep, Tool,
};
pub use observed::Observed;

/// The names of the files in a run directory.
pub mod file {
    /// The run itself.
    pub const RUN: &str = "run.json";
    /// One record per completed AWS call.
    pub const EVIDENCE: &str = "evidence.ndjson";
    /// The findings, for programs.
    pub const FINDINGS_JSON: &str = "findings.json";
    /// The findings, for spreadsheets.
    pub const FINDINGS_CSV: &str = "findings.csv";
    /// Every trail and its log group.
    pub const TRAILS_CSV: &str = "trails.csv";
    /// Who hears of what.
    pub const RECIPIENTS_CSV: &str = "recipients.csv";
    /// Everything for people, as a workbook.
    pub const WORKBOOK: &str = "findings.xlsx";
}
