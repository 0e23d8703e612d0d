//! The formats beside the standard ones of every run: one file each.
//!
//! All of them stream: they hold one finding at a time, whatever the size of the organization.

pub mod asff;
mod html;
mod junit;
mod markdown;
mod ndjson;
mod ocsf;
mod pivot;
#[cfg(test)]
pub(crate) mod sample;
mod statement;
mod summary;
mod workbook;

pub use asff::Asff;
pub use html::Html;
pub use junit::Junit;
pub use markdown::{Markdown, escape as markdown_text};
pub use ndjson::Ndjson;
pub use ocsf::Ocsf;
pub use pivot::Pivot;
pub use summary::SummaryText;
pub use workbook::Xlsx;

use std::collections::BTreeMap;
use std::io;

use serde::ser::SerializeSeq;
use serde::{Serialize, Serializer};
use trailproof_core::control::{Control, builtin};
use trailproof_core::finding::Finding;

use crate::format::Report;

/// The controls that findings of a run can be about, by id: built-in ones and the run's own.
fn controls<'a>(report: &Report<'a>) -> BTreeMap<&'a str, &'a Control> {
    builtin()
        .iter()
        .chain(&report.run.policy.custom_controls)
        .map(|control| (control.id.as_str(), control))
        .collect()
}

/// The ids of the controls of a run's findings, in the order of the policy.
fn control_ids<'a>(report: &Report<'a>) -> Vec<&'a str> {
    let mut ids: Vec<&str> = report
        .run
        .policy
        .controls
        .iter()
        .map(String::as_str)
        .collect();
    for finding in report.findings {
        if !ids.contains(&finding.control.id.as_str()) {
            ids.push(&finding.control.id);
        }
    }
    ids
}

/// The names of the organizational units that findings know, by their ids.
fn unit_names<'a>(report: &Report<'a>) -> BTreeMap<&'a str, &'a str> {
    by_account(report.findings)
        .filter_map(<[Finding]>::first)
        .flat_map(|finding| {
            let path = finding.account.ou_path.as_deref().unwrap_or_default();
            let units = path.split('/').filter(|part| part.starts_with("ou-"));
            units.zip(finding.account.ou_names.iter().map(String::as_str))
        })
        .filter(|(unit, name)| unit != name)
        .collect()
}

/// Findings one account at a time. They are ordered by account.
pub(crate) fn by_account(findings: &[Finding]) -> impl Iterator<Item = &[Finding]> {
    findings.chunk_by(|one, next| one.account.id == next.account.id)
}

/// Writes a JSON array without building it.
fn json_array<T: Serialize>(
    out: &mut dyn io::Write,
    items: impl Iterator<Item = T>,
) -> io::Result<()> {
    let mut serializer = serde_json::Serializer::new(&mut *out);
    let mut sequence = serializer.serialize_seq(None)?;
    for item in items {
        sequence.serialize_element(&item)?;
    }
    SerializeSeq::end(sequence)?;
    out.write_all(b"\n")
}
