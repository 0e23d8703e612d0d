//! From findings to the fewest changes: which sites, which repair at each, and the proof that it
//! helps.
//!
//! Nothing is believed here. Every repair is tried out: its effect is put into the evidence and
//! the evidence is judged again by the same rules as a scan. What a plan says it repairs is what
//! that judgement found to be repaired.

mod candidates;
mod organization_trails;
mod orphans;
mod planned_state;
mod refusal;
mod seen;
mod sites;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use jiff::Timestamp;
use trailproof_core::account::AccountId;
use trailproof_core::arn::LogGroupAddress;
use trailproof_core::control::{self, CatalogueError, Control};
use trailproof_core::evaluate::Evaluator;
use trailproof_core::finding::{Finding, LinkName, Status};
use trailproof_core::policy::Policy;

use super::options::{InvalidOption, PatternText, PlanOptions, Selection};
use super::plan::{self, Plan, PlanRun, PlanSummary, Unrepairable};
use crate::document::FindingsDocument;
use crate::rests_on::RecordedEvidence;
use crate::run::{EvidenceError, Run, RunDirectory, RunDirectoryError, file};
use crate::shell;
use candidates::Candidate;
use planned_state::{Changes, Changing, PlannedState, list};
use refusal::Refusal;
use seen::Seen;
use sites::{Draft, NewTopics, site_of, take_topic};

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
}

/// Makes the plan for a run.
pub fn plan(
    directory: &Path,
    options: &PlanOptions,
    now: Timestamp,
) -> Result<Plan, PlanningError> {
    options.validate()?;
    let (folder, run) = RunDirectory::open(directory)?;
    let findings = read_findings(&folder)?;
    check_selection(&options.selection, &findings)?;
    let policy = policy_of(&run, options)?;
    let recorded = RecordedEvidence::open(&folder.file(file::EVIDENCE), run.policy.oldest())?;
    let evaluators = policy.controls.iter().map(|control| {
        let alone = Policy {
            controls: vec![control.clone()],
            ..policy.clone()
        };
        (control.id.clone(), Evaluator::new(alone))
    });
    let planner = Planner {
        seen: Seen::new(recorded, run.policy.evaluated_at),
        evaluators: evaluators.collect(),
        policy,
        options,
        planned: Changes::default(),
        drafts: BTreeMap::new(),
        topics: NewTopics::new(),
        excluded: excluded(&options.selection, &findings),
        refusals: BTreeMap::new(),
    };
    planner.plan(directory, run, findings, now)
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

/// What is misspelt selects nothing, and a plan of nothing looks like a run without failures.
fn check_selection(selection: &Selection, findings: &[Finding]) -> Result<(), PlanningError> {
    let accounts: BTreeSet<AccountId> = findings.iter().map(|finding| finding.account.id).collect();
    if let Some(account) = selection.accounts.difference(&accounts).next() {
        return Err(PlanningError::UnknownAccount(*account));
    }
    let units: BTreeSet<&str> = findings
        .iter()
        .filter_map(|finding| finding.account.ou_path.as_deref())
        .flat_map(|path| path.split('/'))
        .collect();
    // One that is to be left out and is not there leaves nobody out, and everybody is changed.
    let mut wanted = selection
        .organizational_units
        .union(&selection.exclude_organizational_units);
    match wanted.find(|unit| !units.contains(unit.as_str())) {
        Some(unit) => Err(PlanningError::UnknownUnit(unit.clone())),
        None => Ok(()),
    }
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

struct Planner<'a> {
    seen: Seen,
    /// What judges by one control alone.
    evaluators: BTreeMap<String, Evaluator>,
    policy: Policy,
    options: &'a PlanOptions,
    planned: Changes,
    drafts: BTreeMap<LogGroupAddress, Draft>,
    topics: NewTopics,
    /// Accounts in which nothing may be changed, whomever it would help.
    excluded: BTreeSet<AccountId>,
    /// Why nothing could be found for a finding.
    refusals: BTreeMap<String, Refusal>,
}

/// Findings that break at the same place for the same reason: most often one repair for all.
struct Group {
    site: LogGroupAddress,
    control: String,
    members: Vec<Finding>,
}

/// Where a repair for a finding is looked for.
#[derive(Clone, Copy)]
struct Attempt<'a> {
    site: &'a LogGroupAddress,
    finding: &'a Finding,
    chain: Chain,
}

/// Whether the finding's chain runs through the site that is to be repaired.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Chain {
    Through,
    Elsewhere,
}

/// What was found for a finding at a site.
struct Tried {
    /// The finding, with everything the plan does so far.
    before: Finding,
    /// The cheapest repair that helps most.
    best: Option<(Effect, Candidate)>,
    /// Why there is none.
    refusal: Option<Refusal>,
    /// Whether it waits for a confirmation already, by what the plan does elsewhere.
    waits: bool,
}

/// What a repair came to when it was tried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Effect {
    Green,
    Waits,
    Nothing,
}

impl Effect {
    fn of(finding: &Finding) -> Self {
        match finding.status {
            Status::Pass => Self::Green,
            Status::Fail if finding.reason.as_deref() == Some("subscription.pending") => {
                Self::Waits
            }
            // A machine that the user asked for: what it does is for the user to say.
            Status::Unknown if finding.reason.as_deref() == Some("subscription.machines-only") => {
                Self::Waits
            }
            _ => Self::Nothing,
        }
    }
}

impl Planner<'_> {
    fn plan(
        mut self,
        directory: &Path,
        run: Run,
        findings: Vec<Finding>,
        now: Timestamp,
    ) -> Result<Plan, PlanningError> {
        let wanted = |finding: &Finding| {
            matches!(finding.status, Status::Fail | Status::Unknown)
                && self.options.selection.wants(
                    finding.account.id,
                    finding.account.ou_path.as_deref(),
                    &finding.control.id,
                )
        };
        let names: BTreeMap<AccountId, String> = findings
            .iter()
            .filter_map(|finding| Some((finding.account.id, finding.account.name.clone()?)))
            .collect();
        let broken: Vec<Finding> = findings.into_iter().filter(wanted).collect();
        let observed_at = broken
            .iter()
            .filter_map(|finding| finding.observed_at)
            .max();

        let mut groups = group(&broken);
        let shared = organization_trails::sites(self.seen.evidence());
        // A site that serves many first: it may make the repairs at others needless. Numbers of
        // accounts come last: what is done is not to depend on them.
        groups.sort_by_cached_key(|group| {
            let site = &group.site;
            (
                Reverse((shared.contains(site), group.members.len())),
                (site.region.clone(), site.log_group.clone()),
                group.control.clone(),
                site.account,
            )
        });
        for site in &shared {
            self.repair_shared(site, &groups)?;
        }
        for group in &groups {
            self.repair(group)?;
        }
        let mut made = self.finish(directory, run, &broken, observed_at, now);
        let touched = made.named_accounts().into_iter();
        made.account_names = touched
            .filter_map(|account| Some((account.to_string(), names.get(&account)?.clone())))
            .collect();
        made.sign();
        Ok(made.seal())
    }

    /// Takes the cheapest repair that helps, for each member of a group that no repair helped so
    /// far. Nearly always the first one's is the last.
    fn repair(&mut self, group: &Group) -> Result<(), PlanningError> {
        self.seen.forget();
        for finding in &group.members {
            let attempt = Attempt {
                site: &group.site,
                finding,
                chain: Chain::Through,
            };
            let Some(tried) = self.try_at(attempt)? else {
                continue;
            };
            if let Some((_, candidate)) = tried.best {
                self.take(&group.site, &group.control, &tried.before, candidate);
            } else if !tried.waits {
                let refusal = tried.refusal.unwrap_or(Refusal::NotOurs);
                self.refusals.insert(finding.id.clone(), refusal);
            }
            self.forget(finding);
        }
        Ok(())
    }

    /// Forgets what is kept for the account of a finding that is done with.
    fn forget(&self, finding: &Finding) {
        if let Some(evaluator) = self.evaluators.get(&finding.control.id) {
            let mut evaluation = evaluator.reading(self.state().reader());
            evaluation.forget(finding.account.id);
        }
    }

    /// Finds the cheapest repair that helps a finding; `None` when it needs none any more.
    fn try_at(&self, attempt: Attempt<'_>) -> Result<Option<Tried>, PlanningError> {
        let Attempt {
            site,
            finding,
            chain,
        } = attempt;
        let account = finding.account.id;
        let Some(control) = self.control(&finding.control.id) else {
            return Ok(None);
        };
        let before = self.judge(self.state(), account, control);
        if before
            .as_ref()
            .is_none_or(|finding| Effect::of(finding) == Effect::Green)
        {
            return Ok(None);
        }
        let before = before.unwrap_or_else(|| finding.clone());
        let waits = Effect::of(&before) == Effect::Waits;
        if waits && self.drafts.contains_key(site) {
            return Ok(None);
        }
        // It waits for what the plan does at another site: only a message that arrives at once
        // would be more.
        let waits = waits
            && site_of(&before)
                .and_then(|site| self.drafts.get(&site))
                .is_some_and(|draft| draft.repairs(&control.id));

        let broken = match chain {
            Chain::Through => before.clone(),
            // What is at the site is all there is to build on.
            Chain::Elsewhere => Finding {
                broken_link: Some(LinkName::Alarm),
                chain: Vec::new(),
                ..before.clone()
            },
        };
        let offers = candidates::offer(&candidates::Setting {
            state: self.state(),
            options: self.options,
            site,
            control,
            benchmark: &self.policy.benchmark,
            broken: &broken,
        });
        let mut best: Option<(Effect, Candidate)> = None;
        let mut refusal = offers.refusal;
        let mut candidates = offers.candidates;
        candidates.retain(|candidate| {
            let mut accounts = candidate.steps.iter().map(|step| step.account);
            let closed = accounts.find(|account| self.excluded.contains(account));
            refusal = refusal.take().or(closed.map(Refusal::Excluded));
            closed.is_none()
        });
        // Everybody who is to be told was asked to confirm: what waits for the same people does not
        // help them.
        let waits_for_people = matches!(refusal, Some(Refusal::Pending(_)));
        for candidate in candidates {
            // They come cheapest first: only a better effect can still win.
            match &best {
                Some((Effect::Green, _)) => break,
                Some(_) if candidate.always_waits() => continue,
                _ => {}
            }
            let after = self.try_out(&candidate, account, control);
            let effect = after.as_ref().map_or(Effect::Nothing, Effect::of);
            match (&best, effect) {
                (_, Effect::Nothing) => {
                    refusal = refusal.or_else(|| {
                        after.map(|finding| Refusal::NoHelp {
                            message: finding.message.to_string(),
                        })
                    });
                }
                (None, Effect::Waits) if waits || waits_for_people => {}
                (None, _) | (Some((Effect::Waits, _)), Effect::Green) => {
                    best = Some((effect, candidate));
                }
                _ => {}
            }
        }
        self.seen.check()?;
        Ok(Some(Tried {
            before,
            best,
            refusal,
            waits,
        }))
    }

    fn control(&self, id: &str) -> Option<&Control> {
        let mut controls = self.policy.controls.iter();
        controls.find(|control| control.id == id)
    }

    /// What is there after everything that the plan does so far.
    fn state(&self) -> PlannedState<'_> {
        PlannedState {
            seen: &self.seen,
            planned: &self.planned,
            tried: None,
        }
    }

    /// Judges one account by one control, as if a state were there.
    fn judge(
        &self,
        state: PlannedState<'_>,
        account: AccountId,
        control: &Control,
    ) -> Option<Finding> {
        let evaluator = self.evaluators.get(&control.id)?;
        let mut evaluation = evaluator.reading(state.reader());
        evaluation.findings(account).into_iter().next()
    }

    /// Judges one account by one control, as if a repair had been made.
    fn try_out(
        &self,
        candidate: &Candidate,
        account: AccountId,
        control: &Control,
    ) -> Option<Finding> {
        let mut tried = Changes::default();
        candidate.put_into(Changing {
            changes: &mut tried,
            seen: &self.seen,
            planned: Some(&self.planned),
        });
        let state = PlannedState {
            tried: Some(&tried),
            ..self.state()
        };
        self.judge(state, account, control)
    }

    fn take(
        &mut self,
        site: &LogGroupAddress,
        control: &str,
        before: &Finding,
        mut candidate: Candidate,
    ) {
        candidate.put_into(Changing {
            changes: &mut self.planned,
            seen: &self.seen,
            planned: None,
        });
        take_topic(&mut candidate, &mut self.topics);
        let filters = self
            .state()
            .seen_metric_filters(site.account, &site.region, &site.log_group);
        self.drafts
            .entry(site.clone())
            .or_insert_with(|| Draft::new(list(filters.as_ref(), "metricFilters")))
            .add(control, before, candidate);
    }

    /// Judges everything once more with all changes in, and says who is helped by what.
    fn finish(
        mut self,
        directory: &Path,
        run: Run,
        broken: &[Finding],
        observed_at: Option<Timestamp>,
        now: Timestamp,
    ) -> Plan {
        let mut policy = self.policy.clone();
        policy.accounts = Some(broken.iter().map(|finding| finding.account.id).collect());
        let evaluator = Evaluator::new(policy);
        let mut after: BTreeMap<String, Finding> = BTreeMap::new();
        evaluator
            .reading(self.state().reader())
            .for_each(|finding| {
                after.insert(finding.id.clone(), finding);
            });

        let mut unrepairable = Vec::new();
        for finding in broken {
            let after = after.get(&finding.id);
            let effect = after.map_or(Effect::Nothing, Effect::of);
            let draft = after
                .and_then(site_of)
                .and_then(|site| self.drafts.get_mut(&site))
                .filter(|draft| draft.repairs(&finding.control.id));
            match (after.zip(draft), effect) {
                (Some((after, draft)), Effect::Green) => draft.turns_green(finding, after),
                (Some((after, draft)), Effect::Waits) => draft.waits(finding, after),
                _ => unrepairable.push(self.unrepairable(finding, after)),
            }
        }

        let mut topics = std::mem::take(&mut self.topics);
        let sites = std::mem::take(&mut self.drafts)
            .into_iter()
            .filter_map(|(site, draft)| draft.finish(site, &mut topics))
            .collect();
        let warnings = warnings(&run);
        Plan {
            schema_version: plan::SCHEMA_VERSION,
            id: String::new(),
            digest: String::new(),
            tool_version: env!("CARGO_PKG_VERSION").to_owned(),
            created_at: now,
            run: PlanRun {
                directory: directory.display().to_string(),
                observed_at,
                caller: run.scope.caller,
                organization: run.scope.organization.map(|organization| {
                    let management = organization.management_account;
                    organization.id.unwrap_or_else(|| management.to_string())
                }),
                role: run.scope.role,
                roles: run.scope.roles,
            },
            policy: run.policy,
            summary: PlanSummary::default(),
            sites,
            unrepairable,
            account_names: BTreeMap::new(),
            warnings,
        }
    }

    fn unrepairable(&self, finding: &Finding, after: Option<&Finding>) -> Unrepairable {
        let remediation = finding.remediation.as_ref();
        let why = match (finding.status, finding.broken_link) {
            (Status::Unknown, _) => {
                "what the finding rests on could not be observed: make it visible, scan again, and plan again".to_owned()
            }
            (_, Some(link)) if above_metric_filter(link) => format!(
                "trailproof does not change trails and log groups: the {link} link is for a person to repair"
            ),
            _ => match (self.refusals.get(&finding.id), after) {
                (Some(refusal), _) => refusal.to_string(),
                (None, Some(after)) if after.status == Status::Pass => {
                    "a repair elsewhere in this plan makes it PASS".to_owned()
                }
                (None, Some(after)) => after.message.to_string(),
                (None, None) => "the run's evidence gives no verdict for it".to_owned(),
            },
        };
        Unrepairable {
            finding: finding.id.clone(),
            account: finding.account.id,
            control: finding.control.id.clone(),
            broken_link: finding.broken_link,
            reason: finding.reason.as_deref().map(str::to_owned),
            why,
            commands: remediation
                .iter()
                .flat_map(|remediation| &remediation.commands)
                .map(shell::command)
                .collect(),
            run_in: remediation
                .filter(|remediation| !remediation.commands.is_empty())
                .map(|_| {
                    let mut links = finding.chain.iter();
                    let broken = links.find(|link| Some(link.link) == finding.broken_link);
                    broken
                        .and_then(|link| link.account)
                        .unwrap_or(finding.account.id)
                }),
        }
    }
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

fn above_metric_filter(link: LinkName) -> bool {
    link < LinkName::MetricFilter
}

/// Findings by the place and the way in which they break.
fn group(broken: &[Finding]) -> Vec<Group> {
    let mut groups: BTreeMap<(LogGroupAddress, String, Option<String>, Option<String>), Group> =
        BTreeMap::new();
    for finding in broken {
        if finding.status != Status::Fail || finding.broken_link.is_none_or(above_metric_filter) {
            continue;
        }
        let Some(site) = site_of(finding) else {
            continue;
        };
        let filter = finding
            .chain
            .iter()
            .find(|link| link.link == LinkName::MetricFilter)
            .and_then(|link| link.resource.as_deref())
            .map(str::to_owned);
        groups
            .entry((
                site.clone(),
                finding.control.id.clone(),
                finding.reason.as_deref().map(str::to_owned),
                filter,
            ))
            .or_insert_with(|| Group {
                site,
                control: finding.control.id.clone(),
                members: Vec::new(),
            })
            .members
            .push(finding.clone());
    }
    groups.into_values().collect()
}
