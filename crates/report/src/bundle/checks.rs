//! What has to agree in a bundle that nobody changed.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use trailproof_core::RULES;
use trailproof_core::control::{Control, builtin};
use trailproof_core::evaluate::Evaluator;
use trailproof_core::finding::{Finding, Status, Summary};

use super::{Bundle, FOR_PEOPLE, first_difference};
use crate::findings::Findings;
use crate::findings_csv;
use crate::findings_json::{self, ReadError};
use crate::format::{self, Report};
use crate::rests_on::RecordedEvidence;
use crate::run::{DEMO_ORGANIZATION, Observed, Run, RunKind, Tool, file};

/// What follows from a bundle's evidence.
#[derive(Debug)]
pub struct Judged {
    /// How many records there are.
    pub records: usize,
    /// The findings, with what people accept and attest.
    pub findings: Vec<Finding>,
    /// The lines that each finding rests on, by its id.
    lines: HashMap<String, Vec<usize>>,
}

impl Judged {
    /// Judges a bundle's evidence by the policy and the controls in it, for the time that its run
    /// was judged for.
    pub fn again(evidence: &RecordedEvidence, bundle: &Bundle, run: &Run) -> Self {
        let replay = evidence.replay();
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
        Self {
            records: replay.records(),
            findings,
            lines,
        }
    }

    /// The lines of the evidence that a finding rests on.
    pub fn lines_of(&self, finding: &Finding) -> &[usize] {
        self.lines.get(&finding.id).map_or(&[], Vec::as_slice)
    }
}

/// What came of comparing a bundle with its own evidence, in sentences without a full stop.
#[derive(Debug, Default)]
pub struct Checks {
    /// What was changed or does not follow.
    pub wrong: Vec<String>,
    /// What another version may have written differently without anything being wrong.
    pub undecided: Vec<String>,
    /// Where the bundle's controls are not those of this version.
    pub controls: Vec<String>,
    /// The files that were made again, byte by byte the same.
    pub made_again: Vec<&'static str>,
}

/// What came of a bundle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Something was changed, does not follow, or is not as expected.
    NotVerified,
    /// Nobody can say with this version.
    OtherVersion,
    /// Everything agrees, and nothing from outside was compared.
    Consistent,
    /// Everything agrees, with what was expected, too.
    Verified,
}

impl Verdict {
    /// The verdict on a bundle whose run was judged by these rules. `expected` says for each thing
    /// that was compared from outside whether it is as expected.
    pub fn of(checks: &Checks, rules: u32, expected: &[bool]) -> Self {
        if expected.contains(&false) {
            Self::NotVerified
        } else if rules != RULES {
            Self::OtherVersion
        } else if !checks.wrong.is_empty() {
            Self::NotVerified
        } else if !checks.undecided.is_empty() {
            Self::OtherVersion
        } else if expected.is_empty() {
            Self::Consistent
        } else {
            Self::Verified
        }
    }

    /// The word for programs.
    pub fn word(self) -> &'static str {
        match self {
            Self::NotVerified => "not-verified",
            Self::OtherVersion => "other-version",
            Self::Consistent => "consistent",
            Self::Verified => "verified",
        }
    }
}

impl Checks {
    /// Compares the files in a bundle's folder with what follows from the evidence among them. By
    /// other rules only what was judged differently is wrong, as nothing else of it can be made
    /// again.
    pub fn make(
        folder: &Path,
        bundle: &Bundle,
        run: &Run,
        recorded: &[Finding],
        judged: &Judged,
        evidence: &RecordedEvidence,
    ) -> Self {
        let mut checks = Self {
            wrong: differences(recorded, &judged.findings),
            controls: controls(bundle, run),
            ..Self::default()
        };
        checks.wrong.extend(table_against(folder, recorded));
        if run.rules != RULES {
            return checks;
        }
        checks.wrong.extend(checks.controls.iter().cloned());
        checks.wrong.extend(of_evidence(run, evidence));
        checks.files(folder, bundle, run, judged, evidence);
        checks
    }

    /// Makes every file again. Where the findings already differ, their files have to.
    fn files(
        &mut self,
        folder: &Path,
        bundle: &Bundle,
        run: &Run,
        judged: &Judged,
        evidence: &RecordedEvidence,
    ) {
        let findings = Findings::kept(&judged.findings);
        let report = Report {
            run,
            findings: &findings,
            evidence: evidence.replay().evidence(),
        };
        let of_run = format::DEFAULT.iter().copied().filter_map(format::by_name);
        let of_run = of_run.map(|format| (format, run.tool == Tool::this()));
        // They were made when the bundle was, whatever version judged the run.
        let packed_here = bundle.manifest.tool == Tool::this();
        let for_people = FOR_PEOPLE.into_iter().map(|format| (format, packed_here));
        for (format, by_this_version) in of_run.chain(for_people) {
            let name = format.file_name();
            let path = folder.join(name);
            if !path.is_file() {
                continue;
            }
            let sentence = match first_difference(format, &report, &path) {
                Ok(None) => {
                    self.made_again.push(name);
                    continue;
                }
                // A workbook has no lines.
                Ok(Some(_)) if name == file::WORKBOOK => {
                    format!("`{name}` is not what its evidence gives")
                }
                Ok(Some(line)) => {
                    format!("`{name}` is not what its evidence gives, from line {line} on")
                }
                Err(error) => format!("`{name}` cannot be made again: {error}"),
            };
            // The layout of a table is the business of the version that wrote it.
            if by_this_version {
                self.wrong.push(sentence);
            } else {
                self.undecided.push(sentence);
            }
        }
    }
}

/// Where the files of a bundle do not agree among themselves, whatever the rules are; an error where
/// findings.json cannot be read.
pub fn contradiction(
    folder: &Path,
    run: &Run,
    recorded: &[Finding],
) -> Result<Option<String>, ReadError> {
    let path = folder.join(file::FINDINGS_JSON);
    let (_, summary) = findings_json::read_summary(&path)?;
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
    match serde_json::from_slice::<Run>(&text) {
        Err(error) => return Ok(Some(format!("run.json tells of no run: {error}"))),
        Ok(beside) if beside != *run => {
            return Ok(Some(
                "run.json and findings.json tell of different runs".to_owned(),
            ));
        }
        Ok(_) => {}
    }
    if run.finished_at.is_none() {
        return Ok(Some("run.json tells of a run that never ended".to_owned()));
    }
    Ok(None)
}

/// Where the table of findings tells other statuses than findings.json.
fn table_against(folder: &Path, recorded: &[Finding]) -> Option<String> {
    let path = folder.join(file::FINDINGS_CSV);
    if !path.is_file() {
        return None;
    }
    let told = match findings_csv::read_statuses(&path) {
        Ok(told) => told,
        Err(error) => return Some(format!("findings.csv is no table of findings: {error}")),
    };
    if told.len() != recorded.len() {
        return Some(format!(
            "findings.csv has {} findings, and findings.json {}",
            told.len(),
            recorded.len()
        ));
    }
    let mut pairs = told.iter().zip(recorded);
    let ((id, status), finding) = pairs
        .find(|((id, status), finding)| *id != finding.id || status != finding.status.as_str())?;
    Some(format!(
        "findings.csv tells `{id}` {status} where findings.json tells `{}` {}",
        finding.id, finding.status
    ))
}

/// What run.json says and the evidence does not.
fn of_evidence(run: &Run, evidence: &RecordedEvidence) -> Vec<String> {
    let evidence = evidence.replay().evidence();
    let mut wrong = Vec::new();
    let organization = evidence.reader().organization();
    let id = organization.and_then(|organization| organization.id.as_deref());
    match run.kind {
        RunKind::Scan if id == Some(DEMO_ORGANIZATION) => wrong.push(format!(
            "run.json tells of a scan, and the evidence is that of a demo: its organization is \
             {DEMO_ORGANIZATION}"
        )),
        RunKind::Demo if id.is_some_and(|id| id != DEMO_ORGANIZATION) => wrong.push(format!(
            "run.json tells of a demo, and the evidence is of the organization {}",
            id.unwrap_or_default()
        )),
        RunKind::Scan | RunKind::Demo | RunKind::Evaluate | RunKind::Merge => {}
    }
    if let Some(claimed) = &run.scope.organization {
        let same = organization.is_some_and(|told| {
            told.id == claimed.id && told.management_account == claimed.management_account
        });
        if !same {
            wrong.push(format!(
                "run.json names the organization {} of {}, and the evidence {}",
                claimed.id.as_deref().unwrap_or("without an id"),
                claimed.management_account,
                id.unwrap_or("none")
            ));
        }
    }
    // Other runs take it from a run that they are made of, where there was one.
    let by_itself = matches!(run.kind, RunKind::Scan | RunKind::Demo);
    if let (true, None, Some(id)) = (by_itself, &run.scope.organization, id) {
        wrong.push(format!(
            "run.json names no organization, and the evidence {id}"
        ));
    }
    // Which answers are too old was decided when they were read, for a time that went on since.
    let any_age = run.policy.max_evidence_age_seconds.is_none();
    if any_age && run.observed != Observed::of(evidence) {
        wrong.push("run.json tells other times of its answers than the evidence".to_owned());
    }
    let problems = run.problems_of(evidence);
    if run.problems != problems {
        wrong.push(format!(
            "run.json tells {} reasons why there may be accounts that nobody judged, and the \
             evidence {}",
            run.problems.len(),
            problems.len()
        ));
    }
    if run.complete && !problems.is_empty() {
        wrong.push("run.json calls a run complete that cannot be".to_owned());
    }
    wrong
}

/// Where the controls of a bundle are neither the built-in ones nor those that its run defines.
fn controls(bundle: &Bundle, run: &Run) -> Vec<String> {
    let mut differing = Vec::new();
    let ids = bundle.controls.iter().map(|control| &control.id);
    if !ids.eq(&run.policy.controls) {
        differing.push("controls.json has other controls than the policy of run.json".to_owned());
    }
    let own = &run.policy.custom_controls;
    for control in own {
        if builtin().iter().any(|known| known.id == control.id) {
            differing.push(format!(
                "run.json gives the id of the built-in control `{}` to one of its own",
                control.id
            ));
        }
    }
    for control in &bundle.controls {
        let known = builtin()
            .iter()
            .chain(own)
            .find(|known| known.id == control.id);
        match known {
            None => differing.push(format!(
                "the control `{}` is neither built in nor defined by the run",
                control.id
            )),
            Some(known) if known == control => {}
            Some(known) => differing.push(difference(control, known, &run.policy.benchmark)),
        }
    }
    differing
}

/// How a control differs from the one it should be, for one version of the benchmark.
fn difference(control: &Control, known: &Control, benchmark: &str) -> String {
    let (found, expected) = (control.pattern_for(benchmark), known.pattern_for(benchmark));
    if found == expected {
        format!(
            "the control `{}` is not the one of this version, though its pattern is",
            control.id
        )
    } else {
        format!(
            "the control `{}` has the pattern {found} where CIS {benchmark} has {expected}",
            control.id
        )
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_expected_comes_before_rules_and_rules_before_contents() {
        let fine = Checks::default();
        let wrong = Checks {
            wrong: vec!["one".to_owned()],
            ..Checks::default()
        };
        let undecided = Checks {
            undecided: vec!["one".to_owned()],
            ..Checks::default()
        };
        for (checks, rules, expected, verdict) in [
            (&fine, RULES, &[][..], Verdict::Consistent),
            (&fine, RULES, &[true], Verdict::Verified),
            (&fine, RULES, &[true, false], Verdict::NotVerified),
            (&fine, RULES - 1, &[true], Verdict::OtherVersion),
            (&fine, RULES - 1, &[false], Verdict::NotVerified),
            (&wrong, RULES, &[true], Verdict::NotVerified),
            (&wrong, RULES - 1, &[], Verdict::OtherVersion),
            (&undecided, RULES, &[true], Verdict::OtherVersion),
        ] {
            assert_eq!(Verdict::of(checks, rules, expected), verdict);
        }
    }
}
