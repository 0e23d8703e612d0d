//! `cloudtrail:DescribeTrails`: the trails that record in a region of an account. With replications
//! included, one region's answer shows every multi-region and organization trail of the account.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{CallDefinition, Changes, Operation, Parameters, Permission, Quota, Reader, Subject};
use crate::account::{AccountId, Partition, Region};
use crate::arn::{Arn, InvalidArn};
use crate::evidence::CallError;
use crate::evidence::shapes::{Trail, TrailsResponse};
use crate::evidence::store::{CallSite, Filing, Pool, RecordId, Unreadable};
use crate::evidence::table::{Answer, BySelection};
use crate::finding::LinkName;

/// CloudTrail's reading operations share one quota (CloudTrail User Guide, "Quotas").
pub(super) const QUOTA: Quota = Quota::shared("cloudtrail-read", 10.0);

pub(super) const DEFINITION: CallDefinition = CallDefinition {
    name: "cloudtrail:DescribeTrails",
    permission: Permission::Read,
    link: LinkName::Trail,
    pages: None,
    members: &["trailList"],
    quota: QUOTA,
};

/// Which trails were asked for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::evidence) struct Selection {
    /// Whether replications were asked for.
    shadows: bool,
    /// Only these.
    only: Option<Box<str>>,
}

impl Selection {
    fn of(parameters: &Parameters<'_>) -> Result<Self, Unreadable> {
        Ok(Self {
            shadows: parameters.flag("includeShadowTrails")?.unwrap_or(true),
            only: parameters
                .rest(&["includeShadowTrails"])
                .map(String::into_boxed_str),
        })
    }

    /// Whether every multi-region and organization trail of the account has to be in the answer.
    fn shows_all(&self) -> bool {
        self.shadows && self.only.is_none()
    }
}

/// Organization trails by ARN, each as the first site that lists it does, and the record that says
/// so.
type OrganizationTrails = BTreeMap<Arc<str>, (CallSite, Arc<Trail>, RecordId)>;

/// The answers, by who asked where.
#[derive(Debug, Clone, Default)]
pub(in crate::evidence) struct Answers {
    by_site: BySelection<Selection, [Arc<Trail>]>,
    /// Made when it is asked for, and kept up to date from then on.
    organization_trails: OnceLock<OrganizationTrails>,
}

impl Answers {
    /// The accounts whose trails were asked for.
    pub(in crate::evidence) fn accounts(&self) -> impl Iterator<Item = AccountId> {
        self.by_site.sites().map(|site| site.account)
    }

    fn organization_trails(&self) -> &OrganizationTrails {
        self.organization_trails.get_or_init(|| {
            let mut trails = BTreeMap::new();
            for (site, row) in self.by_site.rows() {
                for (_, answer) in row {
                    add_organization_trails(&mut trails, site, answer);
                }
            }
            trails
        })
    }
}

/// Adds the organization trails of a list. Of several sites that list one, the first by account
/// and region counts, so that the order of records does not.
fn add_organization_trails(
    known: &mut OrganizationTrails,
    site: &CallSite,
    answer: &Answer<[Arc<Trail>]>,
) {
    let Ok(list) = &answer.outcome else { return };
    for trail in list.iter() {
        if trail.is_organization_trail != Some(true) {
            continue;
        }
        match known.get_mut(&trail.trail_arn) {
            Some((first, ..)) if *first <= *site => {}
            Some(stored) => *stored = (site.clone(), Arc::clone(trail), answer.record),
            None => {
                let arn = Arc::clone(&trail.trail_arn);
                known.insert(arn, (site.clone(), Arc::clone(trail), answer.record));
            }
        }
    }
}

pub(super) fn parameters(include_shadow_trails: &bool) -> Value {
    json!({ "includeShadowTrails": include_shadow_trails })
}

pub(super) fn file(
    answers: &mut Answers,
    filing: Filing<'_>,
    pool: &mut Pool,
) -> Result<Changes, Unreadable> {
    let mut selection = Selection::of(&filing.parameters)?;
    let site = filing.site.clone();
    let answer = filing.page(&DEFINITION, |response: TrailsResponse, complete| {
        if !complete {
            selection.only = Some("a page of several".into());
        }
        let mut list = Vec::with_capacity(response.trails.len());
        for trail in response.trails {
            if trail.trail_arn.parse::<Arn>().is_err() {
                return Err(Unreadable {
                    member: "response.trailList[].TrailARN".to_owned(),
                    reason: InvalidArn(trail.trail_arn.to_string()).to_string(),
                });
            }
            list.push(pool.trail(trail));
        }
        Ok(pool.trail_list(list.into()))
    })?;
    let mut changes = Changes::from(Subject::account(Operation::DescribeTrails, site.account));
    changes.and(Subject::all(Operation::DescribeTrails));
    if let Some(known) = answers.organization_trails.get_mut() {
        add_organization_trails(known, &site, &answer);
    }
    if answers.by_site.file(site, selection, answer) {
        answers.organization_trails.take();
    }
    Ok(changes)
}

pub(super) fn is_answered(
    reader: &Reader<'_>,
    site: &CallSite,
    include_shadow_trails: &bool,
) -> bool {
    reader.looks_up(|| Subject::account(Operation::DescribeTrails, site.account));
    let mut answers = reader.selected(|tables| &tables.describe_trails.by_site, site);
    let answer = answers.find(|(selection, _)| {
        selection.only.is_none() && selection.shadows == *include_shadow_trails
    });
    answer.map(|(_, answer)| reader.uses(answer)).is_some()
}

/// The trails that an account was seen to have.
#[derive(Debug, Clone, Default)]
pub struct TrailsView {
    /// Each trail once, by ARN: as its home region told it where that was asked, else as the
    /// latest answer did.
    pub trails: Vec<Arc<Trail>>,
    /// Whether every multi-region and organization trail of the account is among them: one
    /// region's complete answer, replications included, proves that.
    pub complete: bool,
    /// The regions that did not answer, and why.
    pub failures: Vec<(Region, Arc<CallError>)>,
    /// The regions that answered.
    pub answered: BTreeSet<Region>,
    /// The latest answer.
    pub observed_at: Option<Timestamp>,
}

/// One answer to the question for an account's trails.
type TrailAnswer<'e> = (&'e CallSite, &'e Selection, &'e Answer<[Arc<Trail>]>);

/// Whether a trail's home region, which has to list it, does so no longer: it was deleted between
/// two answers.
fn is_gone(account: AccountId, answers: &[TrailAnswer<'_>], trail: &Trail) -> bool {
    let mut listed: Option<Timestamp> = None;
    let mut left_out: Option<Timestamp> = None;
    for (site, selection, answer) in answers {
        let Ok(list) = &answer.outcome else { continue };
        if list.iter().any(|other| other.trail_arn == trail.trail_arn) {
            listed = listed.max(Some(answer.observed_at));
        } else if selection.only.is_none()
            && (selection.shadows || trail.owner() == Some(account))
            && trail.is_of(&site.region)
        {
            left_out = left_out.max(Some(answer.observed_at));
        }
    }
    left_out > listed
}

impl<'e> Reader<'e> {
    /// The trails of an account.
    pub fn trails(&self, account: AccountId) -> TrailsView {
        self.looks_up(|| Subject::account(Operation::DescribeTrails, account));
        let mut view = TrailsView::default();
        let mut seen: BTreeMap<Arc<str>, (bool, Timestamp, Arc<Trail>)> = BTreeMap::new();
        // Nearly every region repeats the list of the one before it.
        let mut before: Option<(Arc<[Arc<Trail>]>, Timestamp)> = None;
        let mut lists = Vec::new();
        for (site, selection, answer) in self.trail_answers(account) {
            let list = match &self.uses(answer).outcome {
                Ok(list) => list,
                Err(error) => {
                    view.failures.push((site.region.clone(), Arc::clone(error)));
                    continue;
                }
            };
            lists.push((site, selection, answer));
            view.answered.insert(site.region.clone());
            view.observed_at = view.observed_at.max(Some(answer.observed_at));
            view.complete |= selection.shows_all();
            let repeated = before.as_ref().is_some_and(|(last, at)| {
                Arc::ptr_eq(last, list)
                    && *at >= answer.observed_at
                    && list.iter().all(|trail| !trail.is_of(&site.region))
            });
            if repeated {
                continue;
            }
            before = Some((Arc::clone(list), answer.observed_at));
            for trail in list.iter() {
                let at_home = trail.is_of(&site.region);
                let candidate = (at_home, answer.observed_at, Arc::clone(trail));
                match seen.get(&trail.trail_arn) {
                    Some((home, at, _)) if (*home, *at) >= (at_home, answer.observed_at) => {}
                    _ => {
                        seen.insert(Arc::clone(&trail.trail_arn), candidate);
                    }
                }
            }
        }
        view.trails = seen
            .into_values()
            .map(|(_, _, trail)| trail)
            .filter(|trail| !is_gone(account, &lists, trail))
            .collect();
        view
    }

    /// A trail as one account told it.
    pub fn trail_as(&self, account: AccountId, trail_arn: &str) -> Option<(Arc<Trail>, Timestamp)> {
        self.looks_up(|| Subject::account(Operation::DescribeTrails, account));
        let answers: Vec<TrailAnswer<'e>> = self.trail_answers(account).collect();
        let told = answers.iter().filter_map(|(site, _, answer)| {
            let list = answer.outcome.as_ref().ok()?;
            let trail = list.iter().find(|trail| *trail.trail_arn == *trail_arn)?;
            Some((
                (trail.is_of(&site.region), answer.observed_at),
                answer,
                trail,
            ))
        });
        // Of equals, the first by region.
        let (_, answer, trail) =
            told.reduce(|best, other| if other.0 > best.0 { other } else { best })?;
        if is_gone(account, &answers, trail) {
            for (_, _, answer) in &answers {
                self.uses(answer);
            }
            return None;
        }
        Some((Arc::clone(trail), self.uses(answer).observed_at))
    }

    /// Every organization trail that anybody's list of trails shows, by ARN.
    pub fn organization_trails(&self) -> Vec<&'e Arc<Trail>> {
        self.looks_up(|| Subject::all(Operation::DescribeTrails));
        let layers = self
            .layers()
            .map(|layer| layer.tables.describe_trails.organization_trails());
        let mut trails: BTreeMap<&Arc<str>, &(CallSite, Arc<Trail>, RecordId)> = BTreeMap::new();
        for (arn, told) in layers.flatten() {
            trails.entry(arn).or_insert(told);
        }
        let told = trails.into_values().map(|(_, trail, record)| {
            self.rests_on(*record);
            trail
        });
        told.collect()
    }

    /// Every answer to the question which trails record in a region of an account.
    pub fn trail_listings(
        &self,
    ) -> impl Iterator<Item = (&'e CallSite, &'e Answer<[Arc<Trail>]>)> + use<'e> {
        let rows = self.evidence().tables.describe_trails.by_site.rows();
        rows.flat_map(|(site, row)| row.iter().map(move |(_, answer)| (site, answer)))
    }

    /// The partition of an account: that of the regions where its trails were asked for, else that
    /// of the organization, else that of whoever tried to enter it.
    pub fn partition(&self, account: AccountId) -> Partition {
        self.looks_up(|| Subject::account(Operation::DescribeTrails, account));
        if let Some((site, _, answer)) = self.trail_answers(account).next() {
            self.uses(answer);
            return site.region.partition();
        }
        self.organization_reader()
            .or_else(|| self.entered_from(account))
            .map_or(Partition::Aws, |site| site.region.partition())
    }

    fn trail_answers(&self, account: AccountId) -> impl Iterator<Item = TrailAnswer<'e>> {
        let rows = self
            .layers()
            .flat_map(move |layer| layer.tables.describe_trails.by_site.of_account(account));
        rows.flat_map(|(site, row)| {
            row.iter()
                .map(move |(selection, answer)| (site, selection, answer))
        })
    }
}
