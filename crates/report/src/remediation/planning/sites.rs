//! A site while its plan is being made.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use trailproof_core::account::{AccountId, Region};
use trailproof_core::arn::Arn;
use trailproof_core::finding::{Finding, LinkName, LinkStatus};

use super::candidates::Candidate;
use crate::remediation::plan::{ReliesOn, Repair, Reused, Site, Step};
use crate::remediation::state;

/// Which log group.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct SiteKey {
    pub(super) account: AccountId,
    pub(super) region: Region,
    pub(super) log_group: String,
}

impl SiteKey {
    fn id(&self) -> String {
        format!("{}/{}/{}", self.account, self.region, self.log_group)
    }
}

/// The log group that a finding's chain runs through.
pub(super) fn site_of(finding: &Finding) -> Option<SiteKey> {
    let link = finding
        .chain
        .iter()
        .find(|link| link.link == LinkName::LogGroup && link.status == LinkStatus::Pass)?;
    let resource = link.resource.as_deref()?;
    let arn: Option<Arn> = resource.parse().ok();
    Some(SiteKey {
        account: link.account.or_else(|| arn.as_ref()?.account())?,
        region: link.region.clone().or_else(|| arn.as_ref()?.region())?,
        log_group: match &arn {
            Some(arn) => arn.log_group_name()?.to_owned(),
            None => resource.to_owned(),
        },
    })
}

/// What is to be done at a site, so far.
#[derive(Debug, Default)]
pub(super) struct Draft {
    relies_on: ReliesOn,
    trails: BTreeSet<String>,
    steps: Vec<Step>,
    repairs: BTreeMap<String, RepairDraft>,
}

#[derive(Debug, Default)]
struct RepairDraft {
    reasons: BTreeSet<String>,
    steps: Vec<usize>,
    turns_green: BTreeSet<AccountId>,
    waits: BTreeSet<AccountId>,
    notes: BTreeSet<String>,
}

impl Draft {
    /// A site with the metric filters it has.
    pub(super) fn new(filters: &[&Value]) -> Self {
        Self {
            relies_on: ReliesOn {
                metric_filters: filters.len(),
                metric_filter_digests: filters
                    .iter()
                    .filter_map(|filter| {
                        let name = filter.get("filterName")?.as_str()?;
                        Some((name.to_owned(), state::metric_filter(filter)))
                    })
                    .collect(),
                reused: Vec::new(),
            },
            ..Self::default()
        }
    }

    pub(super) fn add(&mut self, control: &str, broken: &Finding, candidate: Candidate) {
        let repair = self.repairs.entry(control.to_owned()).or_default();
        repair
            .reasons
            .extend(broken.reason.as_deref().map(str::to_owned));
        repair.notes.extend(candidate.notes);
        repair
            .steps
            .extend(self.steps.len()..self.steps.len() + candidate.steps.len());
        self.steps.extend(candidate.steps);
        for reused in candidate.reused {
            if !self.relies_on.reused.contains(&reused) {
                self.relies_on.reused.push(reused);
            }
        }
    }

    pub(super) fn repairs(&self, control: &str) -> bool {
        self.repairs.contains_key(control)
    }

    pub(super) fn turns_green(&mut self, finding: &Finding) {
        self.note(finding, |repair| &mut repair.turns_green);
    }

    pub(super) fn waits(&mut self, finding: &Finding) {
        self.note(finding, |repair| &mut repair.waits);
    }

    fn note(
        &mut self,
        finding: &Finding,
        list: impl Fn(&mut RepairDraft) -> &mut BTreeSet<AccountId>,
    ) {
        if let Some(repair) = self.repairs.get_mut(&finding.control.id) {
            list(repair).insert(finding.account.id);
            repair
                .reasons
                .extend(finding.reason.as_deref().map(str::to_owned));
        }
        self.trails.extend(
            finding
                .chain
                .iter()
                .filter(|link| link.link == LinkName::Trail)
                .filter_map(|link| link.resource.as_deref().map(str::to_owned)),
        );
    }

    /// The site, with only the steps that help somebody; `None` when nothing is left.
    pub(super) fn finish(self, key: SiteKey) -> Option<Site> {
        let id = key.id();
        let helps =
            |repair: &RepairDraft| !repair.turns_green.is_empty() || !repair.waits.is_empty();
        let needed: BTreeSet<usize> = self
            .repairs
            .values()
            .filter(|repair| helps(repair))
            .flat_map(|repair| repair.steps.iter().copied())
            .collect();
        let step_id = |index: &usize| {
            let number = needed.iter().take_while(|needed| *needed <= index).count();
            format!("{id}#{number}")
        };
        let repairs = self
            .repairs
            .iter()
            .filter(|(_, repair)| helps(repair))
            .map(|(control, repair)| Repair {
                control: control.clone(),
                reasons: repair.reasons.iter().cloned().collect(),
                steps: repair.steps.iter().map(step_id).collect(),
                turns_green: repair.turns_green.iter().copied().collect(),
                waits_for_confirmation: repair.waits.iter().copied().collect(),
                notes: repair.notes.iter().cloned().collect(),
            })
            .collect();
        let steps: Vec<Step> = self
            .steps
            .into_iter()
            .enumerate()
            .filter(|(index, _)| needed.contains(index))
            .map(|(index, step)| Step {
                id: step_id(&index),
                ..step
            })
            .collect();
        // What the site's own steps create is not of others.
        let mut relies_on = self.relies_on;
        relies_on.reused.retain(|reused| match reused {
            Reused::Topic { arn, .. } => !steps.iter().any(
                |step| matches!(&step.change, crate::remediation::plan::Change::CreateTopic(topic) if topic.arn == *arn),
            ),
            Reused::MetricFilter { .. } | Reused::Alarm { .. } => true,
        });
        (!steps.is_empty()).then(|| Site {
            id,
            account: key.account,
            region: key.region,
            log_group: key.log_group,
            trails: self.trails.into_iter().collect(),
            repairs,
            steps,
            relies_on,
        })
    }
}
