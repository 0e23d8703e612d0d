//! Chains that break before the metric filter: trails, what they record, and whether it arrives.
//! trailproof never changes these. Their owners get the commands, once for each trail, and what
//! they would do is tried out like every repair.

use std::collections::{BTreeMap, BTreeSet};

use trailproof_core::account::AccountId;
use trailproof_core::arn::Arn;
use trailproof_core::finding::{Finding, LinkName, Remediation};
use trailproof_core::remedy::Command;

use super::candidates::{self, Assumption, Candidate};
use super::effect::Effect;
use super::owner_commands::OwnerCommands;
use super::planner::{Planner, above_metric_filter};
use super::sites::site_of;
use crate::remediation::export::upstream;
use crate::remediation::plan::OwnerTask;
use crate::shell;

/// What the owner of a trail would have to do.
#[derive(Default)]
struct Draft {
    reasons: BTreeSet<String>,
    summary: BTreeSet<String>,
    commands: Vec<Command>,
    findings: BTreeSet<String>,
    turns_green: BTreeSet<String>,
    waits: BTreeSet<String>,
    /// Whether the effect could be tried out.
    tried: bool,
}

/// What was tried for a finding.
struct Tried {
    effect: Effect,
    /// What is advised beside what the finding itself advises.
    advised: Vec<Remediation>,
}

impl Planner<'_> {
    /// The tasks of the owners of trails, for findings that break before the metric filter.
    pub(super) fn upstream(&self, broken: &[Finding]) -> Vec<OwnerTask> {
        let mut drafts: BTreeMap<(AccountId, String), Draft> = BTreeMap::new();
        for finding in broken {
            let Some(remediation) = finding.remediation.as_ref() else {
                continue;
            };
            let Some(link) = finding
                .broken_link
                .filter(|link| above_metric_filter(*link))
            else {
                continue;
            };
            if remediation.commands.is_empty() {
                continue;
            }
            let trail = trail_of(finding);
            let account = run_in(finding, link, trail.as_ref());
            let resource = trail
                .as_ref()
                .map_or_else(|| "a new trail".to_owned(), ToString::to_string);
            let tried = trail
                .or_else(|| self.new_trail(account, &remediation.commands))
                .and_then(|trail| self.after(finding, remediation, account, trail));
            let draft = drafts.entry((account, resource)).or_default();
            let reason = finding.reason.as_deref().map(str::to_owned);
            draft.reasons.extend(reason);
            let advised = tried.as_ref().map_or(&[][..], |tried| &tried.advised);
            for remediation in std::iter::once(&**remediation).chain(advised) {
                draft.summary.insert(remediation.summary.clone());
                for command in &remediation.commands {
                    if !draft.commands.contains(command) {
                        draft.commands.push(command.clone());
                    }
                }
            }
            draft.findings.insert(finding.id.clone());
            draft.tried |= tried.is_some();
            match tried.map(|tried| tried.effect) {
                Some(Effect::Green) => draft.turns_green.insert(finding.id.clone()),
                Some(Effect::Waits) => draft.waits.insert(finding.id.clone()),
                Some(Effect::Nothing) | None => false,
            };
            self.forget(finding);
        }
        drafts.into_iter().map(task).collect()
    }

    /// The trail that commands create.
    fn new_trail(&self, account: AccountId, commands: &[Command]) -> Option<Arn> {
        let name = commands
            .iter()
            .find(|command| command.operation() == "cloudtrail create-trail")?
            .value("--name")?;
        let partition = self.state().reader().partition(account);
        let home = partition.home_region();
        let arn = format!("arn:{partition}:cloudtrail:{home}:{account}:trail/{name}");
        arn.parse().ok()
    }

    /// What a finding becomes once somebody did what it advises, and then what the finding advises
    /// that is left, together with what a plan could then do; `None` where nobody can
    /// tell.
    fn after(
        &self,
        finding: &Finding,
        remediation: &Remediation,
        run_in: AccountId,
        trail: Arn,
    ) -> Option<Tried> {
        let control = self.control(&finding.control.id)?;
        let account = finding.account.id;
        let mut advised: Vec<Remediation> = Vec::new();
        let commands = remediation.commands.clone();
        let mut done = OwnerCommands::new(trail, run_in, account, commands)?;
        let (judged, assumption) = loop {
            let assumption = Assumption::OwnerActs(done.clone());
            let candidate = Candidate {
                assumed: vec![assumption.clone()],
                ..Candidate::default()
            };
            let judged = self.judge(Some(&candidate), account, control)?;
            let Some(next) = next_of_owner(&judged.finding, &done) else {
                break (judged, assumption);
            };
            done.commands.extend(next.commands.iter().cloned());
            advised.push(next.clone());
        };
        let tried = |effect| Some(Tried { effect, advised });
        if judged.effect == Effect::Green {
            return tried(Effect::Green);
        }
        let Some(site) = site_of(&judged.finding) else {
            return tried(judged.effect);
        };
        let offers = candidates::offer(&candidates::Setting {
            state: self.state(),
            options: self.options,
            site: &site,
            control,
            benchmark: self.benchmark(),
            broken: &judged.finding,
            central: self.central.as_ref(),
        });
        let mut best = judged.effect;
        for mut candidate in offers.candidates {
            if best == Effect::Green {
                break;
            }
            candidate.assumed.push(assumption.clone());
            let after = self.judge(Some(&candidate), account, control);
            best = best.min(after.map_or(Effect::Nothing, |after| after.effect));
        }
        tried(best)
    }
}

/// What a finding advises the same account for the same trail that was not done yet. Every round does something new,
/// and there are only so many links.
fn next_of_owner<'a>(finding: &'a Finding, done: &OwnerCommands) -> Option<&'a Remediation> {
    let link = finding
        .broken_link
        .filter(|link| above_metric_filter(*link))?;
    let trail = trail_of(finding)?;
    let is_same = trail == done.trail && run_in(finding, link, Some(&trail)) == done.run_in;
    let remediation = finding.remediation.as_ref().filter(|_| is_same)?;
    let mut commands = remediation.commands.iter();
    commands
        .any(|command| !done.commands.contains(command))
        .then_some(remediation)
}

/// The account in which somebody does what a finding advises for a link: the log group of a trail
/// may be another account's.
fn run_in(finding: &Finding, link: LinkName, trail: Option<&Arn>) -> AccountId {
    let of_link = finding.chain.iter().find(|of| of.link == link);
    let account = of_link.and_then(|of| of.account);
    let owner = || trail.and_then(Arn::account);
    account.or_else(owner).unwrap_or(finding.account.id)
}

/// The trail of a finding's chain.
fn trail_of(finding: &Finding) -> Option<Arn> {
    let mut links = finding.chain.iter();
    let trail = links.find(|link| link.link == LinkName::Trail)?;
    let arn: Arn = trail.resource.as_deref()?.parse().ok()?;
    (arn.service() == "cloudtrail").then_some(arn)
}

fn task(((account, resource), draft): ((AccountId, String), Draft)) -> OwnerTask {
    OwnerTask {
        account,
        terraform: upstream::terraform(&draft.commands),
        resource,
        reasons: draft.reasons.into_iter().collect(),
        summary: draft.summary.into_iter().collect(),
        commands: draft.commands.iter().map(shell::command).collect(),
        findings: draft.findings.into_iter().collect(),
        turns_green: draft.turns_green.into_iter().collect(),
        waits_for_confirmation: draft.waits.into_iter().collect(),
        not_tried: !draft.tried,
    }
}
