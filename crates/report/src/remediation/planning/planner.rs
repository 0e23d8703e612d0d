//! The search for the fewest changes: at each place where findings break, the cheapest repair that
//! helps most, found by trying.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use trailproof_core::account::AccountId;
use trailproof_core::arn::LogGroupAddress;
use trailproof_core::control::Control;
use trailproof_core::evaluate::Evaluator;
use trailproof_core::evidence::Request;
use trailproof_core::finding::{Finding, LinkName, Status};
use trailproof_core::policy::Policy;

use super::candidates::{self, Candidate};
use super::central::{self, Central, CentralDraft, TaskDraft};
use super::effect::Effect;
use super::organization_trails;
use super::planned_state::{People, Planned, PlannedState, list};
use super::refusal::Refusal;
use super::seen::Seen;
use super::sites::{Draft, NewTopics, site_of, take_topic};
use super::{Planning, PlanningError, excluded, warnings};
use crate::remediation::options::PlanOptions;
use crate::remediation::plan::{self, Plan, PlanRun, PlanSummary, Unrepairable};
use crate::shell;

/// A plan in the making.
pub(super) struct Planner<'a> {
    planning: &'a Planning<'a>,
    pub(super) seen: &'a Seen,
    pub(super) options: &'a PlanOptions,
    /// What judges by one control alone, as things are and with everybody confirmed.
    evaluators: [BTreeMap<String, Evaluator>; 2],
    pub(super) planned: Planned,
    drafts: BTreeMap<LogGroupAddress, Draft>,
    topics: NewTopics,
    /// The account whose topics all alarms notify, where the user names one.
    pub(super) central: Option<Central>,
    pub(super) central_topics: BTreeMap<String, CentralDraft>,
    /// What the owners of central topics would have to do.
    pub(super) tasks: BTreeMap<String, TaskDraft>,
    /// Accounts in which nothing may be changed, whomever it would help.
    pub(super) excluded: BTreeSet<AccountId>,
    /// Why nothing could be found for a finding.
    pub(super) refusals: BTreeMap<String, Refusal>,
    /// What was looked for on behalf of a site and nobody had asked.
    unasked: BTreeMap<LogGroupAddress, BTreeSet<Request>>,
}

/// Findings that break at the same place for the same reason: most often one repair for all.
pub(super) struct Group {
    pub(super) site: LogGroupAddress,
    pub(super) control: String,
    pub(super) members: Vec<Finding>,
}

/// Where a repair for a finding is looked for.
#[derive(Clone, Copy)]
pub(super) struct Attempt<'a> {
    pub(super) site: &'a LogGroupAddress,
    pub(super) finding: &'a Finding,
    pub(super) chain: Chain,
}

/// Whether the finding's chain runs through the site that is to be repaired.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Chain {
    Through,
    Elsewhere,
}

/// What was found for a finding at a site.
pub(super) struct Tried {
    /// The finding, with everything the plan does so far.
    pub(super) before: Finding,
    /// The cheapest repair that helps most.
    pub(super) best: Option<(Effect, Candidate)>,
    /// The best one that takes something that only the owner of a central topic may do, and why.
    pub(super) for_owner: Option<(Effect, Candidate, String)>,
    /// Why there is none.
    pub(super) refusal: Option<Refusal>,
    /// Whether it waits for a confirmation already, by what the plan does elsewhere.
    pub(super) waits: bool,
}

impl<'a> Planner<'a> {
    pub(super) fn new(planning: &'a Planning<'a>) -> Self {
        let evaluators = || {
            let controls = planning.policy.controls.iter();
            let alone = controls.map(|control| {
                let alone = Policy {
                    controls: vec![control.clone()],
                    ..planning.policy.clone()
                };
                (control.id.clone(), Evaluator::new(alone))
            });
            alone.collect()
        };
        Self {
            planning,
            seen: &planning.seen,
            options: &planning.options,
            evaluators: [evaluators(), evaluators()],
            planned: Planned::default(),
            drafts: BTreeMap::new(),
            topics: NewTopics::new(),
            central: Central::of(planning),
            central_topics: BTreeMap::new(),
            tasks: BTreeMap::new(),
            excluded: excluded(&planning.options.selection, &planning.findings),
            refusals: BTreeMap::new(),
            unasked: BTreeMap::new(),
        }
    }

    pub(super) fn evaluators(&self, people: People) -> &BTreeMap<String, Evaluator> {
        let [as_they_are, confirmed] = &self.evaluators;
        match people {
            People::AsTheyAre => as_they_are,
            People::Confirmed => confirmed,
        }
    }

    /// The plan, and what was looked for and nobody had asked.
    pub(super) fn plan(
        mut self,
        now: Timestamp,
    ) -> Result<(Plan, BTreeSet<Request>), PlanningError> {
        let findings = &self.planning.findings;
        let wanted = |finding: &Finding| {
            matches!(finding.status, Status::Fail | Status::Unknown)
                && self.options.selection.wants(
                    finding.account.id,
                    finding.account.ou_path.as_deref(),
                    &finding.control.id,
                )
        };
        let accounts = || findings.iter().map(|finding| &finding.account);
        let names: BTreeMap<AccountId, String> = accounts()
            .filter_map(|account| Some((account.id, account.name.clone()?)))
            .collect();
        let units: BTreeMap<AccountId, String> = accounts()
            .filter_map(|account| Some((account.id, account.unit_names()?)))
            .collect();
        let broken: Vec<Finding> = findings
            .iter()
            .filter(|finding| wanted(finding))
            .cloned()
            .collect();
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
        let (mut made, unasked) = self.finish(&broken, observed_at, now);
        let touched = made.named_accounts();
        let of_touched = |known: &BTreeMap<AccountId, String>| {
            let touched = touched.iter();
            touched
                .filter_map(|account| Some((account.to_string(), known.get(account)?.clone())))
                .collect()
        };
        made.account_names = of_touched(&names);
        made.account_units = of_touched(&units);
        made.sign();
        Ok((made.seal(), unasked))
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
            } else if let Some(for_owner) = tried.for_owner {
                self.hand_over(finding, for_owner);
            } else if !tried.waits {
                let refusal = tried.refusal.unwrap_or(Refusal::NotOurs);
                self.refusals.insert(finding.id.clone(), refusal);
            }
            self.forget(finding);
        }
        Ok(())
    }

    /// Forgets what is kept for the account of a finding that is done with.
    pub(super) fn forget(&self, finding: &Finding) {
        for people in [People::AsTheyAre, People::Confirmed] {
            if let Some(evaluator) = self.evaluators(people).get(&finding.control.id) {
                let mut evaluation = evaluator.reading(self.state().reader());
                evaluation.forget(finding.account.id);
            }
        }
    }

    /// Finds the cheapest repair that helps a finding; `None` when it needs none any more.
    pub(super) fn try_at(&mut self, attempt: Attempt<'_>) -> Result<Option<Tried>, PlanningError> {
        let Attempt {
            site,
            finding,
            chain,
        } = attempt;
        let account = finding.account.id;
        let Some(control) = self.control(&finding.control.id) else {
            return Ok(None);
        };
        let before = self.judge(None, account, control);
        let (before, effect) = before.map_or_else(
            || (finding.clone(), Effect::Nothing),
            |judged| (judged.finding, judged.effect),
        );
        if effect == Effect::Green {
            return Ok(None);
        }
        let waits = effect == Effect::Waits;
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
            benchmark: &self.planning.policy.benchmark,
            broken: &broken,
            central: self.central.as_ref(),
        });
        let mut best: Option<(Effect, Candidate)> = None;
        let mut refusal = offers.refusal;
        let mut candidates = offers.candidates;
        candidates.retain(|candidate| {
            if self.left_to_owner(candidate).is_some() {
                return true;
            }
            let mut accounts = candidate.steps.iter().map(|step| step.account);
            let closed = accounts.find(|account| self.excluded.contains(account));
            refusal = refusal.take().or(closed.map(Refusal::Excluded));
            closed.is_none()
        });
        // Everybody who is to be told was asked to confirm: what waits for the same people does not
        // help them.
        let waits_for_people = matches!(refusal, Some(Refusal::Pending(_)));
        let mut for_owner: Option<(Effect, Candidate, String)> = None;
        for candidate in candidates {
            // They come cheapest first: only a better effect can still win.
            match &best {
                Some((Effect::Green, _)) => break,
                Some(_) if candidate.always_waits() => continue,
                _ => {}
            }
            let after = self.judge(Some(&candidate), account, control);
            let effect = after.as_ref().map_or(Effect::Nothing, |after| after.effect);
            if effect != Effect::Nothing
                && let Some(why) = self.left_to_owner(&candidate)
            {
                if for_owner.as_ref().is_none_or(|(other, ..)| effect < *other) {
                    for_owner = Some((effect, candidate, why));
                }
                continue;
            }
            match (&best, effect) {
                (_, Effect::Nothing) => {
                    refusal = refusal.or_else(|| {
                        after.map(|after| Refusal::NoHelp {
                            message: after.finding.message.to_string(),
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
        self.note_unasked(site);
        Ok(Some(Tried {
            before,
            best,
            for_owner,
            refusal,
            waits,
        }))
    }

    /// What was looked for since the last time was looked for on behalf of this site.
    fn note_unasked(&mut self, site: &LogGroupAddress) {
        let unasked = self.unasked.entry(site.clone()).or_default();
        unasked.extend(self.seen.take_unasked());
    }

    pub(super) fn control(&self, id: &str) -> Option<&'a Control> {
        let mut controls = self.planning.policy.controls.iter();
        controls.find(|control| control.id == id)
    }

    pub(super) fn benchmark(&self) -> &'a str {
        &self.planning.policy.benchmark
    }

    /// What is there after everything that the plan does so far.
    pub(super) fn state(&self) -> PlannedState<'_> {
        PlannedState {
            seen: self.seen,
            planned: self.planned.of(People::AsTheyAre),
            tried: None,
        }
    }

    pub(super) fn take(
        &mut self,
        site: &LogGroupAddress,
        control: &str,
        before: &Finding,
        mut candidate: Candidate,
    ) {
        self.planned.put(&candidate, self.seen);
        self.note_unasked(site);
        self.take_central(&mut candidate);
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
        broken: &[Finding],
        observed_at: Option<Timestamp>,
        now: Timestamp,
    ) -> (Plan, BTreeSet<Request>) {
        let mut unrepairable = Vec::new();
        for finding in broken {
            let control = self.control(&finding.control.id);
            let after = control.and_then(|control| self.judge(None, finding.account.id, control));
            self.forget(finding);
            let (after, effect) = after.map_or((None, Effect::Nothing), |after| {
                (Some(after.finding), after.effect)
            });
            let draft = after
                .as_ref()
                .and_then(site_of)
                .and_then(|site| self.drafts.get_mut(&site))
                .filter(|draft| draft.repairs(&finding.control.id));
            match (after.as_ref().zip(draft), effect) {
                (Some((after, draft)), Effect::Green) => draft.turns_green(finding, after),
                (Some((after, draft)), Effect::Waits) => draft.waits(finding, after),
                _ => unrepairable.push(self.unrepairable(finding, after.as_ref())),
            }
        }

        let upstream = self.upstream(broken);
        let behind = self.seen.take_unasked();
        let mut topics = std::mem::take(&mut self.topics);
        let central_topics = std::mem::take(&mut self.central_topics);
        let sites: Vec<_> = std::mem::take(&mut self.drafts)
            .into_iter()
            .filter_map(|(site, draft)| {
                let unasked = self.unasked.get(&site);
                let unasked = unasked.into_iter().flatten();
                draft.finish(site, &mut topics, &central_topics, unasked)
            })
            .collect();
        let mut for_owners = central::tasks(std::mem::take(&mut self.tasks));
        for_owners.extend(upstream);
        let run = &self.planning.run;
        let plan = Plan {
            schema_version: plan::SCHEMA_VERSION,
            id: String::new(),
            digest: String::new(),
            tool_version: env!("CARGO_PKG_VERSION").to_owned(),
            created_at: now,
            run: PlanRun {
                directory: self.planning.directory.display().to_string(),
                observed_at,
                caller: run.scope.caller,
                organization: run.scope.organization.as_ref().map(|organization| {
                    let id = organization.id.clone();
                    id.unwrap_or_else(|| organization.management_account.to_string())
                }),
                role: run.scope.role.clone(),
                roles: run.scope.roles.clone(),
            },
            policy: run.policy.clone(),
            summary: PlanSummary::default(),
            topics: central::topics(central_topics, &sites),
            sites,
            unrepairable,
            for_owners,
            account_names: BTreeMap::new(),
            account_units: BTreeMap::new(),
            offline: self.planning.offline,
            warnings: warnings(run),
        };
        let unasked = self.unasked.into_values().flatten();
        (plan, unasked.chain(behind).collect())
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
        // Another has to do something first, by commands of another kind.
        let for_owner = matches!(
            self.refusals.get(&finding.id),
            Some(Refusal::ForOwner { .. })
        );
        let commands = remediation.filter(|_| !for_owner);
        Unrepairable {
            finding: finding.id.clone(),
            account: finding.account.id,
            control: finding.control.id.clone(),
            broken_link: finding.broken_link,
            status: Some(finding.status),
            reason: finding.reason.as_deref().map(str::to_owned),
            why,
            commands: commands
                .iter()
                .flat_map(|remediation| &remediation.commands)
                .map(shell::command)
                .collect(),
            run_in: commands
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

pub(super) fn above_metric_filter(link: LinkName) -> bool {
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
