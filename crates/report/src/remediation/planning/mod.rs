//! From findings to the fewest changes: which sites, which repair at each, and the proof that it
//! helps.
//!
//! Nothing is believed here. Every repair is tried out: its effect is put into the evidence and
//! the evidence is judged again by the same rules as a scan. What a plan says it repairs is what
//! that judgement found to be repaired.

mod asking;
mod candidates;
mod central;
mod effect;
mod organization_trails;
mod orphans;
mod owner_commands;
mod planned_state;
mod planner;
mod refusal;
mod seen;
mod sites;
mod targets;
mod upstream;

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::path::Path;

use jiff::Timestamp;
use trailproof_core::account::AccountId;
use trailproof_core::control::{self, CatalogueError};
use trailproof_core::evidence::{Record, Request};
use trailproof_core::finding::Finding;
use trailproof_core::policy::Policy;
use trailproof_core::units::{AmbiguousUnit, Units};

use super::options::{InvalidOption, PatternText, PlanOptions, Selection};
use super::plan::Plan;
use crate::document::FindingsDocument;
use crate::rests_on::RecordedEvidence;
use crate::run::{EvidenceError, Run, RunDirectory, RunDirectoryError, file};
pub use asking::plan_asking;
use planner::Planner;
use seen::Seen;

/// Why no plan could be made.
#[derive(Debug, thiserror::Error)]
pub enum PlanningError {
    /// An option cannot be used.
    #[error(transparent)]
    Option(#[from] InvalidOption),
    /// The run directory cannot be used.
    #[error(transparent)]
    Run(#[from] RunDirectoryError),
    /// The evidence cannot be read.
    #[error(transparent)]
    Evidence(#[from] EvidenceError),
    /// `findings.json` is not what it should be.
    #[error("cannot read the findings `{path}`: {problem}")]
    Findings {
        /// The file.
        path: String,
        /// What is wrong.
        problem: String,
    },
    /// The run's controls do not exist here.
    #[error(transparent)]
    Controls(#[from] CatalogueError),
    /// One pattern for several controls.
    #[error(
        "a filter pattern of your own is for one control, and the plan is about {0}: choose one with --control"
    )]
    PatternForSeveral(usize),
    /// A control that the run did not judge.
    #[error("the run has no findings for control `{0}`")]
    UnknownControl(String),
    /// An account that the run did not judge.
    #[error("the run has no findings for account {0}")]
    UnknownAccount(AccountId),
    /// An organizational unit that none of the run's accounts is in.
    #[error("the run has no findings for accounts in organizational unit `{0}`")]
    UnknownUnit(String),
    /// An organizational unit by a name that several have.
    #[error(transparent)]
    AmbiguousUnit(#[from] AmbiguousUnit),
}

/// A run for which a plan is made, on what it saw and on what is asked in addition.
pub struct Planning<'a> {
    directory: &'a Path,
    run: Run,
    findings: Vec<Finding>,
    policy: Policy,
    options: PlanOptions,
    seen: Seen,
    /// Nothing is asked in addition.
    offline: bool,
    /// The accounts that may be asked: no others than those the run might enter.
    ours: BTreeSet<AccountId>,
    /// What was asked in addition: nothing is asked twice, whatever came of it.
    asked: BTreeSet<Request>,
    /// What the last plan looked for and nobody had asked.
    unasked: RefCell<BTreeSet<Request>>,
}

impl<'a> Planning<'a> {
    /// Reads a run, and checks the options against it.
    pub fn open(directory: &'a Path, options: &PlanOptions) -> Result<Self, PlanningError> {
        options.validate()?;
        let (folder, run) = RunDirectory::open(directory)?;
        let findings = read_findings(&folder)?;
        let mut options = options.clone();
        resolve_selection(&mut options.selection, &findings)?;
        let options = options;
        let policy = policy_of(&run, &options)?;
        let recorded = RecordedEvidence::open(&folder.file(file::EVIDENCE), run.policy.oldest())?;
        let seen = Seen::new(recorded, run.policy.evaluated_at);
        let listed = seen.evidence().reader().accounts().into_iter();
        let ours = listed
            .chain(run.scope.trusted_accounts.iter().copied())
            .chain(run.scope.caller)
            .collect();
        Ok(Self {
            directory,
            run,
            findings,
            policy,
            options,
            seen,
            offline: false,
            ours,
            asked: BTreeSet::new(),
            unasked: RefCell::default(),
        })
    }

    /// Asks nothing in addition, and lets the plan say so.
    #[must_use]
    pub fn offline(mut self) -> Self {
        self.offline = true;
        self
    }

    /// Whether nothing is asked in addition.
    pub fn is_offline(&self) -> bool {
        self.offline
    }

    /// Whether the last plan looked for something that nobody asked and that can be asked.
    pub fn wants_answers(&self) -> bool {
        let unasked = self.unasked.borrow();
        unasked.iter().any(|request| self.is_open(request))
    }

    fn is_open(&self, request: &Request) -> bool {
        self.ours.contains(&request.account) && !self.asked.contains(request)
    }

    /// Whether an account is one of the run's: one that it might enter, or that made it.
    pub fn may_ask_as(&self, account: AccountId) -> bool {
        self.ours.contains(&account)
    }

    /// Makes the plan on what is known.
    pub fn plan(&self, now: Timestamp) -> Result<Plan, PlanningError> {
        let _ = self.seen.take_unasked();
        self.seen.forget();
        let (plan, unasked) = Planner::new(self).plan(now)?;
        self.unasked.replace(unasked);
        Ok(plan)
    }

    /// What has to be asked before a better plan can be made. Empty when the last plan is the best.
    pub fn wanted(&mut self) -> Vec<Request> {
        let mut wanted = self.unasked.take();
        wanted.retain(|request| self.is_open(request));
        self.asked.extend(wanted.iter().cloned());
        wanted.into_iter().collect()
    }

    /// Adds an answer.
    pub fn add(&mut self, record: Record) {
        self.seen.add(record);
    }
}

fn read_findings(folder: &RunDirectory) -> Result<Vec<Finding>, PlanningError> {
    let path = folder.file(file::FINDINGS_JSON);
    let failed = |problem: String| PlanningError::Findings {
        path: path.display().to_string(),
        problem,
    };
    let text = std::fs::read(&path).map_err(|error| failed(error.to_string()))?;
    let document: FindingsDocument =
        serde_json::from_slice(&text).map_err(|error| failed(error.to_string()))?;
    Ok(document.findings.into_iter().map(Finding::from).collect())
}

/// Puts ids in place of the names of organizational units. What is misspelt selects nothing, and a
/// plan of nothing looks like a run without failures.
fn resolve_selection(selection: &mut Selection, findings: &[Finding]) -> Result<(), PlanningError> {
    let accounts: BTreeSet<AccountId> = findings.iter().map(|finding| finding.account.id).collect();
    if let Some(account) = selection.accounts.difference(&accounts).next() {
        return Err(PlanningError::UnknownAccount(*account));
    }
    let known = Units::of(findings.iter().map(|finding| &*finding.account));
    // One that is to be left out and is not there leaves nobody out, and everybody is changed.
    for units in [
        &mut selection.organizational_units,
        &mut selection.exclude_organizational_units,
    ] {
        let mut meant = BTreeSet::new();
        for unit in &*units {
            let found = known.find(unit)?;
            meant.insert(found.ok_or_else(|| PlanningError::UnknownUnit(unit.clone()))?);
        }
        *units = meant;
    }
    Ok(())
}

/// The accounts that the user wants left alone.
fn excluded(selection: &Selection, findings: &[Finding]) -> BTreeSet<AccountId> {
    findings
        .iter()
        .filter(|finding| selection.excludes_unit_of(finding.account.ou_path.as_deref()))
        .map(|finding| finding.account.id)
        .chain(selection.exclude_accounts.iter().copied())
        .collect()
}

fn policy_of(run: &Run, options: &PlanOptions) -> Result<Policy, PlanningError> {
    let catalogue = control::with_custom(run.policy.custom_controls.clone())?;
    let controls = control::select(&catalogue, &run.policy.controls)?;
    for id in &options.selection.controls {
        if !controls.iter().any(|control| control.id == *id) {
            return Err(PlanningError::UnknownControl(id.clone()));
        }
    }
    let chosen = controls
        .iter()
        .filter(|control| {
            options.selection.controls.is_empty()
                || options.selection.controls.contains(&control.id)
        })
        .count();
    if matches!(options.pattern, PatternText::Custom(_)) && chosen > 1 {
        return Err(PlanningError::PatternForSeveral(chosen));
    }
    Ok(run.policy.to_policy(controls, &run.scope))
}

/// Why a run may not have all accounts of its organization, in sentences.
fn warnings(run: &Run) -> Vec<String> {
    let mut warnings = Vec::new();
    if !run.complete {
        warnings.push(
            "the run was interrupted or is not complete: accounts that it did not judge are not in this plan".to_owned(),
        );
    }
    warnings.extend(run.problems.iter().cloned());
    let scope = &run.scope;
    if scope.accounts.is_some() || !scope.account_filters.is_empty() || scope.shard.is_some() {
        warnings.push(
            "the run looked at a part of the organization: the other accounts are not in this plan"
                .to_owned(),
        );
    }
    if !scope.regions.is_empty() || !scope.exclude_regions.is_empty() {
        warnings.push("the run looked at some regions only".to_owned());
    }
    warnings
}
