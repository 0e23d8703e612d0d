//! A site while its plan is being made.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use trailproof_core::account::AccountId;
use trailproof_core::arn::{Arn, LogGroupAddress};
use trailproof_core::evidence::Request;
use trailproof_core::finding::{Finding, LinkName, LinkStatus};

use super::candidates::Candidate;
use super::central::CentralDraft;
use crate::remediation::plan::{ReliesOn, Repair, Reused, Site, Step};
use crate::remediation::resources::{Change, metric_filter};

/// The log group that a finding's chain runs through.
pub(super) fn site_of(finding: &Finding) -> Option<LogGroupAddress> {
    let link = finding
        .chain
        .iter()
        .find(|link| link.link == LinkName::LogGroup && link.status == LinkStatus::Pass)?;
    let resource = link.resource.as_deref()?;
    let named = LogGroupAddress::of(resource);
    let log_group = match resource.parse::<Arn>() {
        Ok(_) => named.as_ref()?.log_group.clone(),
        Err(_) => resource.to_owned(),
    };
    let named = named.as_ref();
    Some(LogGroupAddress {
        account: link.account.or(named.map(|named| named.account))?,
        region: link
            .region
            .clone()
            .or_else(|| named.map(|named| named.region.clone()))?,
        log_group,
    })
}

/// The topics that the plan creates, by ARN, each with its subscriptions. They belong to no site:
/// the first one that needs a topic creates it, and which that is shows when all are known.
pub(super) type NewTopics = BTreeMap<String, Vec<Step>>;

/// Takes the topic that a candidate creates out of it, with the subscriptions it comes with.
pub(super) fn take_topic(candidate: &mut Candidate, topics: &mut NewTopics) {
    let created = candidate
        .steps
        .iter()
        .find_map(|step| Some(step.change.created_topic()?.arn.clone()));
    let Some(arn) = created else {
        return;
    };
    let (steps, others) = std::mem::take(&mut candidate.steps)
        .into_iter()
        .partition(|step| match &step.change {
            Change::CreateTopic(topic) => topic.arn == arn,
            Change::Subscribe(subscription) => subscription.topic_arn == arn,
            Change::PutMetricFilter(_)
            | Change::PutMetricAlarm(_)
            | Change::AddTopicStatement(_) => false,
        });
    candidate.steps = others;
    topics.insert(arn, steps);
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
    pub(super) fn new(filters: &[Value]) -> Self {
        Self {
            relies_on: ReliesOn {
                metric_filters: filters.len(),
                metric_filter_digests: filters
                    .iter()
                    .filter_map(|filter| {
                        let name = filter.get("filterName")?.as_str()?;
                        Some((name.to_owned(), metric_filter::digest(filter)))
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

    /// The site makes a broken finding green: what it is afterwards has its chain here.
    pub(super) fn turns_green(&mut self, broken: &Finding, after: &Finding) {
        self.note(broken, after, |repair| &mut repair.turns_green);
    }

    /// The same, but for somebody's confirmation.
    pub(super) fn waits(&mut self, broken: &Finding, after: &Finding) {
        self.note(broken, after, |repair| &mut repair.waits);
    }

    fn note(
        &mut self,
        broken: &Finding,
        after: &Finding,
        list: impl Fn(&mut RepairDraft) -> &mut BTreeSet<AccountId>,
    ) {
        if let Some(repair) = self.repairs.get_mut(&broken.control.id) {
            list(repair).insert(broken.account.id);
            repair
                .reasons
                .extend(broken.reason.as_deref().map(str::to_owned));
        }
        self.trails.extend(
            after
                .chain
                .iter()
                .filter(|link| link.link == LinkName::Trail)
                .filter_map(|link| link.resource.as_deref().map(str::to_owned)),
        );
    }

    /// The site, with only the steps that help somebody, and the topics that no site before it
    /// creates; `None` when nothing is left.
    pub(super) fn finish<'a>(
        self,
        key: LogGroupAddress,
        topics: &mut NewTopics,
        central: &BTreeMap<String, CentralDraft>,
        unasked: impl Iterator<Item = &'a Request>,
    ) -> Option<Site> {
        let id = key.to_string();
        let helps =
            |repair: &RepairDraft| !repair.turns_green.is_empty() || !repair.waits.is_empty();
        let needed: BTreeSet<usize> = self
            .repairs
            .values()
            .filter(|repair| helps(repair))
            .flat_map(|repair| repair.steps.iter().copied())
            .collect();
        let mut steps: Vec<Step> = Vec::new();
        // The ids of what came of a step of the draft: itself, and the topic before it.
        let mut ids: BTreeMap<usize, Vec<String>> = BTreeMap::new();
        for (index, step) in self.steps.into_iter().enumerate() {
            if !needed.contains(&index) {
                continue;
            }
            let topic = step
                .change
                .needed_topic()
                .and_then(|arn| topics.remove(arn));
            for step in topic.into_iter().flatten().chain([step]) {
                let id = format!("{id}#{}", steps.len() + 1);
                ids.entry(index).or_default().push(id.clone());
                steps.push(Step { id, ..step });
            }
        }
        let repairs: Vec<Repair> = self
            .repairs
            .iter()
            .filter(|(_, repair)| helps(repair))
            .map(|(control, repair)| Repair {
                control: control.clone(),
                reasons: repair.reasons.iter().cloned().collect(),
                steps: repair
                    .steps
                    .iter()
                    .filter_map(|index| ids.get(index))
                    .flatten()
                    .cloned()
                    .collect(),
                turns_green: repair.turns_green.iter().copied().collect(),
                waits_for_confirmation: repair.waits.iter().copied().collect(),
                notes: repair.notes.iter().cloned().collect(),
            })
            .collect();
        // What the site's own steps create is not of others.
        let mut relies_on = self.relies_on;
        relies_on.reused.retain(|reused| match reused {
            Reused::Topic { arn, .. } => !steps.iter().any(
                |step| matches!(&step.change, Change::CreateTopic(topic) if topic.arn == *arn),
            ),
            Reused::MetricFilter { .. } | Reused::Alarm { .. } => true,
        });
        // All that is done for it may be done to a central topic.
        let served = central.keys().any(|arn| relies_on.names_topic(arn));
        (!steps.is_empty() || served && !repairs.is_empty()).then(|| Site {
            id,
            account: key.account,
            region: key.region,
            log_group: key.log_group,
            trails: self.trails.into_iter().collect(),
            repairs,
            steps,
            relies_on,
            not_looked_at: unasked
                .map(|request| request.call.operation().as_str().to_owned())
                .collect::<BTreeSet<_>>()
                .into_iter()
                .collect(),
        })
    }
}
