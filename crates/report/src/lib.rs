//! Writes what was found: the run directory, its files, and everything people and other tools
//! read from a run.
//!
//! This crate never calls AWS (`publish` and `remediation` aside) and never prints. What is judged
//! again for a writer is judged by core.

pub mod bundle;
pub mod comparison;
mod console;
pub mod contacts;
pub mod document;
pub mod findings;
pub mod findings_csv;
pub mod findings_json;
pub mod format;
pub mod formats;
#[cfg(any(feature = "publish", feature = "remediation"))]
pub mod journal_file;
pub mod listing;
pub mod past;
#[cfg(feature = "publish")]
pub mod publish;
pub mod recipients_csv;
#[cfg(feature = "remediation")]
pub mod remediation;
pub mod rests_on;
pub mod run;
pub mod shell;
pub mod spreadsheet;
pub mod trails_csv;
pub mod untrusted;
mod words;
