//! Which findings of a run somebody wants to see.

use std::collections::BTreeSet;
use std::path::Path;

use clap::builder::PossibleValuesParser;
use trailproof_core::account::AccountId;
use trailproof_core::control::{Control, builtin};
use trailproof_core::finding::{Finding, LinkName};
use trailproof_core::units::{Meant, Units};
use trailproof_report::run::{Run, read_evidence};

use crate::error::CliError;
use crate::links;
use crate::output::Output;
use crate::settings::Tag;

/// The words of `--status`.
const STATUSES: [&str; 6] = [
    "PASS",
    "FAIL",
    "UNKNOWN",
    "ATTESTED",
    "MUTED",
    "NOT_APPLICABLE",
];

/// What findings have to be like. Several flags have to match together, several values of one flag
/// are alternatives.
#[derive(Debug, clap::Args)]
pub(super) struct SelectionArguments {
    /// Only findings with these statuses, such as fail,unknown.
    #[arg(
        long,
        value_name = "STATUS",
        value_delimiter = ',',
        num_args = 1..,
        ignore_case = true,
        value_parser = PossibleValuesParser::new(STATUSES)
    )]
    pub(super) status: Vec<String>,

    /// Only findings whose chain breaks at these links, such as subscription.
    #[arg(
        long,
        value_name = "LINK",
        value_delimiter = ',',
        num_args = 1..,
        value_parser = PossibleValuesParser::new(
            std::iter::once(LinkName::Account).chain(LinkName::CHAIN).map(LinkName::as_str)
        )
    )]
    link: Vec<String>,

    /// Only findings with these reasons, such as subscription.pending.
    #[arg(long, value_name = "REASON", value_delimiter = ',', num_args = 1..)]
    reason: Vec<String>,

    /// Only accounts below these organizational units: by id, by a path of ids, by name, or by the
    /// names from the root down (Workloads/Prod).
    #[arg(long, value_name = "UNIT", value_delimiter = ',', num_args = 1..)]
    ou: Vec<String>,

    /// Only these controls: by id, by number (5.6), or by the id that Security Hub has for it
    /// (CloudWatch.6).
    #[arg(long, value_name = "CONTROL", value_delimiter = ',', num_args = 1..)]
    control: Vec<String>,

    /// Only accounts with all of these tags, which the evidence of the run has to tell.
    #[arg(long, value_name = "KEY=VALUE", value_delimiter = ',', num_args = 1..)]
    tag: Vec<Tag>,
}

/// What is left of a run's findings.
pub(super) struct Selected {
    pub(super) findings: Vec<Finding>,
    /// Whether tags were asked for that are not known of every account.
    pub(super) tags_unknown: bool,
}

impl SelectionArguments {
    /// The findings that match, of a run in a folder. A part of the organization, a control or a reason
    /// that is none of the run's is an error: an empty list must not look like good news.
    pub(super) fn select(
        &self,
        folder: &Path,
        run: &Run,
        mut findings: Vec<Finding>,
        output: &Output,
    ) -> Result<Selected, CliError> {
        if !self.control.is_empty() {
            let wanted = controls(&self.control, run)?;
            findings.retain(|finding| wanted.contains(finding.control.id.as_str()));
        }
        if !self.ou.is_empty() {
            let known = Units::of(findings.iter().map(|finding| &*finding.account));
            let meant = units_meant(&known, &self.ou)?;
            findings.retain(|finding| meant.contain(finding.account.ou_path.as_deref()));
        }
        let mut tags_unknown = false;
        if !self.tag.is_empty() {
            tags_unknown = retain_tagged(&self.tag, folder, run, &mut findings, output)?;
        }
        for reason in &self.reason {
            let known = links::reason(reason).is_some()
                || findings
                    .iter()
                    .any(|finding| finding.reason.as_deref() == Some(reason));
            if !known {
                return Err(
                    CliError::usage(format_args!("there is no reason `{reason}`"))
                        .hint("`trailproof explain LINK` lists the reasons of a link"),
                );
            }
        }
        findings.retain(|finding| {
            let link = finding.broken_link.map(LinkName::as_str);
            matches(&self.status, Some(finding.status.as_str()))
                && matches(&self.link, link)
                && matches(&self.reason, finding.reason.as_deref())
        });
        Ok(Selected {
            findings,
            tags_unknown,
        })
    }
}

/// The organizational units that are asked for.
fn units_meant(known: &Units, units: &[String]) -> Result<Meant, CliError> {
    let units = units.iter().map(|unit| match known.find(unit) {
        Ok(Some(found)) => Ok(found),
        Ok(None) => Err(
            CliError::usage(format_args!("no account of the run is below `{unit}`")).hint(
                "name an organizational unit by its id, a path from the root on, its name, or the \
             names from the root down, such as Workloads/Prod",
            ),
        ),
        Err(several) => Err(CliError::usage(&several)
            .hint("name it from the root down, as it stands there, or by its id")),
    });
    units.collect()
}

/// Whether nothing was asked for, or what is there is among it.
fn matches(wanted: &[String], found: Option<&str>) -> bool {
    let same = |word: &String| found.is_some_and(|found| word.eq_ignore_ascii_case(found));
    wanted.is_empty() || wanted.iter().any(same)
}

/// The ids of controls that were named in one way or another, each judged by the run.
fn controls<'a>(names: &[String], run: &'a Run) -> Result<BTreeSet<&'a str>, CliError> {
    let known: Vec<&Control> = builtin()
        .iter()
        .chain(&run.policy.custom_controls)
        .collect();
    let mut wanted = BTreeSet::new();
    for name in names {
        let found = known
            .iter()
            .find(|control| is_called(control, name, &run.policy.benchmark))
            .ok_or_else(|| {
                CliError::usage(format_args!("there is no control `{name}`")).hint(
                    "`trailproof controls list` shows ids, numbers, and what Security Hub calls \
                     them",
                )
            })?;
        let judged = run.policy.controls.iter().find(|id| **id == found.id);
        let judged = judged.ok_or_else(|| {
            CliError::usage(format_args!("the run did not judge `{}`", found.id))
                .hint(format_args!("it judged {}", run.policy.controls.join(", ")))
        })?;
        wanted.insert(judged.as_str());
    }
    Ok(wanted)
}

fn is_called(control: &Control, name: &str, benchmark: &str) -> bool {
    let name = name.trim();
    let number = match name.get(..4) {
        Some(prefix) if prefix.eq_ignore_ascii_case("CIS ") => name.get(4..).unwrap_or_default(),
        _ => name,
    };
    let hub = control.security_hub.as_ref();
    control.id.eq_ignore_ascii_case(name)
        || control
            .entry(benchmark)
            .is_some_and(|entry| entry.number == number)
        || hub.is_some_and(|hub| hub.control.eq_ignore_ascii_case(name))
}

/// Keeps the findings of accounts with every tag, and of those whose tags nobody could read.
/// Returns whether there are such.
fn retain_tagged(
    tags: &[Tag],
    folder: &Path,
    run: &Run,
    findings: &mut Vec<Finding>,
    output: &Output,
) -> Result<bool, CliError> {
    let (evidence, _) = read_evidence(folder, run.policy.oldest(), run.addresses())
        .map_err(|error| CliError::usage(&error).hint(error.remedy()))?;
    let reader = evidence.reader();
    let mut unknown: BTreeSet<AccountId> = BTreeSet::new();
    findings.retain(|finding| {
        let account = finding.account.id;
        let Some(has) = reader.account_tags(account) else {
            unknown.insert(account);
            return true;
        };
        tags.iter()
            .all(|tag| has.get(&tag.key).is_some_and(|value| *value == tag.value))
    });
    if unknown.is_empty() {
        return Ok(false);
    }
    output.warn(format_args!(
        "the tags of {} accounts are not part of the evidence, and their findings are shown, too",
        unknown.len()
    ));
    output.hint("a scan with --tag, or with a mute or an attestation by tag, asks for them");
    Ok(true)
}

#[cfg(test)]
mod tests {
    use trailproof_core::finding::Status;

    use super::*;

    #[test]
    fn every_status_can_be_asked_for() {
        let all: BTreeSet<&str> = Status::ALL.map(Status::as_str).into();
        assert_eq!(all, STATUSES.into());
    }

    #[test]
    fn controls_have_several_names() {
        let control = builtin()
            .iter()
            .find(|control| control.id == "console-auth-failures")
            .unwrap();
        for name in [
            "console-auth-failures",
            "5.6",
            "CIS 5.6",
            "CloudWatch.6",
            "cloudwatch.6",
        ] {
            assert!(is_called(control, name, "7.0.0"), "{name}");
        }
        for name in ["5.7", "CloudWatch.5", "console", "CIS"] {
            assert!(!is_called(control, name, "7.0.0"), "{name}");
        }
    }
}
