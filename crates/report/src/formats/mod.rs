//! The formats beside the standard ones of every run: one file each.
//!
//! All of them stream: they hold one finding at a time in full, whatever the size of the
//! organization.

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

use serde::Serializer;
use serde::ser::SerializeSeq;
use serde_json::Value;
use trailproof_core::control::{Control, builtin};

use crate::findings::Outline;
use crate::format::Report;
use crate::run::Run;

/// The controls that findings of a run can be about, by id: built-in ones and the run's own.
fn controls(run: &Run) -> BTreeMap<&str, &Control> {
    builtin()
        .iter()
        .chain(&run.policy.custom_controls)
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
    for finding in report.findings.outlines() {
        if !ids.contains(&finding.control.id.as_str()) {
            ids.push(&finding.control.id);
        }
    }
    ids
}

/// The names of the organizational units that findings know, by their ids.
fn unit_names<'a>(report: &Report<'a>) -> BTreeMap<&'a str, &'a str> {
    report
        .findings
        .accounts()
        .filter_map(<[Outline]>::first)
        .flat_map(|finding| {
            let path = finding.account.ou_path.as_deref().unwrap_or_default();
            let units = path.split('/').filter(|part| part.starts_with("ou-"));
            units.zip(finding.account.ou_names.iter().map(String::as_str))
        })
        .filter(|(unit, name)| unit != name)
        .collect()
}

/// Writes a JSON array without building it: `write` is given what writes one element of it.
fn json_array(
    out: &mut dyn io::Write,
    write: impl FnOnce(&mut dyn FnMut(Value) -> serde_json::Result<()>) -> serde_json::Result<()>,
) -> io::Result<()> {
    let mut serializer = serde_json::Serializer::new(&mut *out);
    let mut sequence = serializer.serialize_seq(None)?;
    write(&mut |element| sequence.serialize_element(&element))?;
    SerializeSeq::end(sequence)?;
    out.write_all(b"\n")
}
