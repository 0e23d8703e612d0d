//! `trailproof verify`: whether a bundle is whole, and whether its findings follow from its
//! evidence.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use trailproof_core::RULES;
use trailproof_core::evaluate::Evaluator;
use trailproof_core::finding::{Finding, Status, Summary};
use trailproof_report::bundle::{self, Bundle};
use trailproof_report::findings_json;
use trailproof_report::rests_on::RecordedEvidence;
use trailproof_report::run::{Run, Tool, file};

use super::controls::PrintFormat;
use crate::error::CliError;
use crate::exit::Exit;
use crate::output::Output;
use crate::untrusted::visible;

/// Check a bundle: its sums, and that its findings follow from its evidence.
///
/// The evidence is judged again, by the policy and the patterns in the bundle and for the time it
/// was judged for, and the result is compared with the bundle's findings. The exit code is 1 when
/// anything was changed or does not follow. By other rules than those of this version, the sums, the
/// counts and the files among themselves are checked, what is judged differently is listed, and the
/// exit code is 3.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The bundle that `trailproof bundle` wrote.
    bundle: PathBuf,

    /// How to print. As JSON, the records that each finding rests on are listed.
    #[arg(long, value_enum, default_value_t)]
    format: PrintFormat,
}

pub(crate) fn run(arguments: Arguments, output: &Output) -> Result<Exit, CliError> {
    let Arguments {
        bundle: path,
        format,
    } = arguments;
    let folder = Scratch::new()?;
    let bundle = match bundle::unpack(&path, &folder.path) {
        Ok(bundle) => bundle,
        Err(error) if error.is_tampering() => {
            return refused(format, &error.to_string(), output);
        }
        Err(error) => {
            return Err(
                CliError::usage(&error).hint("name the archive that `trailproof bundle` wrote")
            );
        }
    };
    let (run, recorded) = findings_json::read(&folder.path.join(file::FINDINGS_JSON))
        .map_err(|error| CliError::usage(&error).hint(error.remedy()))?;
    if let Some(reason) = contradiction(&folder.path, &run, &recorded)? {
        return refused(format, &reason, output);
    }
    let judged = judge(&folder.path, &bundle, &run)?;
    let wrong = differences(&recorded, &judged.findings);
    let same_rules = run.rules == RULES;
    if !same_rules {
        output.warn(format_args!(
            "the bundle was judged by rules {}, and this version judges by rules {RULES}: {} {} can \
             tell a change from a difference between rules",
            run.rules, run.tool.name, run.tool.version
        ));
    }
    if format == PrintFormat::Json {
        print_json(&bundle, &run, &recorded, &wrong, &judged, output)?;
    } else {
        print_text(&bundle, &run, &recorded, &wrong, &judged, output)?;
    }
    Ok(match (same_rules, wrong.is_empty()) {
        (false, _) => Exit::Unknown,
        (true, true) => Exit::Success,
        (true, false) => Exit::Fail,
    })
}

/// Where the files of a bundle do not agree among themselves, whatever the rules are.
fn contradiction(
    folder: &Path,
    run: &Run,
    recorded: &[Finding],
) -> Result<Option<String>, CliError> {
    let path = folder.join(file::FINDINGS_JSON);
    let (_, summary) = findings_json::read_summary(&path)
        .map_err(|error| CliError::usage(&error).hint(error.remedy()))?;
    let counted = Summary::of(recorded);
    let counts = |status: Status| {
        let said = summary.by_status.get(status.as_str()).copied();
        said.unwrap_or_default() == counted.count(status)
    };
    if summary.findings != counted.findings || !Status::ALL.into_iter().all(counts) {
        return Ok(Some(
            "the counts of findings.json are not those of its findings".to_owned(),
        ));
    }
    let text = std::fs::read(folder.join(file::RUN)).unwrap_or_default();
    let beside: Option<Run> = serde_json::from_slice(&text).ok();
    if beside.is_some_and(|beside| beside != *run) {
        return Ok(Some(
            "run.json and findings.json tell of different runs".to_owned(),
        ));
    }
    Ok(None)
}

/// Says that a bundle is not what it was.
fn refused(format: PrintFormat, reason: &str, output: &Output) -> Result<Exit, CliError> {
    if format == PrintFormat::Json {
        let document = json!({ "verified": false, "reason": reason });
        output.data(|out| writeln!(out, "{document}"))?;
    } else {
        output.data(|out| writeln!(out, "NOT VERIFIED: {}", visible(reason)))?;
    }
    Ok(Exit::Fail)
}

/// What follows from a bundle's evidence.
struct Judged {
    /// How many records there are.
    records: usize,
    findings: Vec<Finding>,
    /// The lines that each finding rests on, by its id.
    lines: HashMap<String, Vec<usize>>,
}

impl Judged {
    fn lines_of(&self, finding: &Finding) -> &[usize] {
        self.lines.get(&finding.id).map_or(&[], Vec::as_slice)
    }
}

fn judge(folder: &Path, bundle: &Bundle, run: &Run) -> Result<Judged, CliError> {
    let recorded = RecordedEvidence::open(&folder.join(file::EVIDENCE), run.policy.oldest())
        .map_err(|error| CliError::usage(&error).hint(error.remedy()))?;
    let replay = recorded.replay();
    let policy = run.policy.to_policy(bundle.controls.clone(), &run.scope);
    let mut findings = Vec::new();
    let mut lines = HashMap::new();
    replay.for_each(&Evaluator::new(policy), |finding, places| {
        let places = places.iter().map(|place| place.line).collect();
        lines.insert(finding.id.clone(), places);
        findings.push(finding);
    });
    let at = run.policy.evaluated_at;
    run.policy.except(&mut findings, replay.evidence(), at);
    Ok(Judged {
        records: replay.records(),
        findings,
        lines,
    })
}

/// What is wrong with the bundle's findings, one sentence each.
fn differences(recorded: &[Finding], judged: &[Finding]) -> Vec<String> {
    let mut wrong = Vec::new();
    let find = |findings: &'_ [Finding], id: &str| findings.iter().position(|known| known.id == id);
    for (place, finding) in recorded.iter().enumerate() {
        // Both are in the same order, so the place is nearly always the same.
        let same_place = judged.get(place).filter(|other| other.id == finding.id);
        let other =
            same_place.or_else(|| find(judged, &finding.id).and_then(|place| judged.get(place)));
        match other {
            None => wrong.push(format!(
                "`{}` does not follow from the evidence",
                finding.id
            )),
            Some(other) if other.status != finding.status => wrong.push(format!(
                "`{}` is {} in the bundle, and {} by its evidence",
                finding.id, finding.status, other.status
            )),
            Some(other) if other != finding => wrong.push(format!(
                "`{}` has the same status by its evidence, but not the same content",
                finding.id
            )),
            Some(_) => {}
        }
    }
    let present: HashSet<&str> = recorded.iter().map(|known| known.id.as_str()).collect();
    for finding in judged {
        if !present.contains(finding.id.as_str()) {
            wrong.push(format!(
                "`{}` follows from the evidence, and is missing",
                finding.id
            ));
        }
    }
    wrong
}

fn print_json(
    bundle: &Bundle,
    run: &Run,
    recorded: &[Finding],
    wrong: &[String],
    judged: &Judged,
    output: &Output,
) -> Result<(), CliError> {
    output.data(|out| {
        let head = json!({
            // By other rules nobody can say.
            "verified": (run.rules == RULES).then_some(wrong.is_empty()),
            "rules": { "judged_by": run.rules, "verified_by": RULES },
            "sha256": bundle.sha256,
            "files": bundle.manifest.files,
            "differences": wrong,
            "records": judged.records,
            "made_by": run.tool,
            "verified_by": Tool::this(),
        });
        let head = head.to_string();
        // Findings are written one by one: there may be many, with many records each.
        write!(
            out,
            "{},\"findings\":[",
            head.strip_suffix('}').unwrap_or(&head)
        )?;
        for (place, finding) in recorded.iter().enumerate() {
            let lines = judged.lines_of(finding);
            let separator = if place > 0 { "," } else { "" };
            let value: Value = json!({
                "id": finding.id, "status": finding.status, "evidence_lines": lines,
            });
            write!(out, "{separator}\n{value}")?;
        }
        writeln!(out, "]}}")
    })
}

fn print_text(
    bundle: &Bundle,
    run: &Run,
    recorded: &[Finding],
    wrong: &[String],
    judged: &Judged,
    output: &Output,
) -> Result<(), CliError> {
    const SHOWN: usize = 50;
    output.data(|out| {
        if run.rules != RULES {
            writeln!(
                out,
                "OTHER RULES: {} files are unchanged and agree; by rules {RULES} instead of {}, {} \
                 of {} findings differ",
                bundle.manifest.files.len(),
                run.rules,
                wrong.len(),
                recorded.len()
            )?;
            for sentence in wrong.iter().take(SHOWN) {
                writeln!(out, "  {}", visible(sentence))?;
            }
            if wrong.len() > SHOWN {
                writeln!(out, "  and {} more", wrong.len() - SHOWN)?;
            }
        } else if wrong.is_empty() {
            writeln!(
                out,
                "VERIFIED: {} files are unchanged, and all {} findings follow from {} records",
                bundle.manifest.files.len(),
                recorded.len(),
                judged.records
            )?;
        } else {
            writeln!(
                out,
                "NOT VERIFIED: the findings are not those of the evidence"
            )?;
            for sentence in wrong.iter().take(SHOWN) {
                writeln!(out, "  {}", visible(sentence))?;
            }
            if wrong.len() > SHOWN {
                writeln!(out, "  and {} more", wrong.len() - SHOWN)?;
            }
        }
        writeln!(out, "bundle  sha256 {}", bundle.sha256)?;
        for entry in &bundle.manifest.files {
            writeln!(
                out,
                "  {}  {} ({} bytes)",
                entry.sha256,
                visible(&entry.name),
                entry.size
            )?;
        }
        writeln!(
            out,
            "\nWhat each finding rests on (lines of {}):",
            file::EVIDENCE
        )?;
        for finding in recorded {
            let lines = judged.lines_of(finding);
            writeln!(
                out,
                "  {} {}  {}",
                visible(&finding.id),
                finding.status,
                ranges(lines)
            )?;
        }
        Ok(())
    })
}

/// Numbers as people write them: `1-4, 9`.
pub(crate) fn ranges(numbers: &[usize]) -> String {
    let runs = numbers.chunk_by(|one, next| one + 1 == *next);
    let texts: Vec<String> = runs
        .filter_map(|run| match (run.first(), run.last()) {
            (Some(first), Some(last)) if first == last => Some(first.to_string()),
            (Some(first), Some(last)) => Some(format!("{first}-{last}")),
            _ => None,
        })
        .collect();
    if texts.is_empty() {
        "no records".to_owned()
    } else {
        texts.join(", ")
    }
}

/// A private folder that is gone when the command ends.
struct Scratch {
    path: PathBuf,
}

impl Scratch {
    fn new() -> Result<Self, CliError> {
        /// Folders that a killed process of the same number may have left.
        const ATTEMPTS: usize = 100;
        let parent = std::env::temp_dir();
        for attempt in 0..ATTEMPTS {
            let path = parent.join(format!(
                "trailproof-verify-{}-{attempt}",
                std::process::id()
            ));
            // A folder that is there already belongs to somebody else.
            match trailproof_files::create_new_folder(&path) {
                Ok(()) => return Ok(Self { path }),
                Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
                Err(error) => {
                    return Err(CliError::failed(format_args!(
                        "cannot create `{}`: {error}",
                        path.display()
                    )));
                }
            }
        }
        Err(CliError::failed(format_args!(
            "no free name for a folder in `{}`",
            parent.display()
        )))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // A folder that cannot be removed is left to the system's own cleaning.
        let _ = std::fs::remove_dir_all(&self.path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_of_numbers_are_joined() {
        assert_eq!(ranges(&[1, 2, 3, 7, 9, 10]), "1-3, 7, 9-10");
        assert_eq!(ranges(&[]), "no records");
    }
}
