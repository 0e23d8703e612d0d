//! Questions to the evidence. Answers say what was seen and whether something may be missing;
//! what to make of it is the evaluation's business.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;

use super::few::Few;
use super::shapes::{
    CompositeAlarm, EventSelectors, LogGroup, MetricAlarm, MetricFilter, MuteRule, Organization,
    OrganizationAccount, RegionOption, Subscription, TopicAttributes, Trail, TrailStatus,
};
use super::store::{Answer, Evidence, Listing, Site, add_organization_trails};
use super::{Call, CallError, Request};
use crate::account::{AccountId, Partition, Region};
use crate::arn::Arn;

/// What is known of a list that several calls may have shown in part.
#[derive(Debug, Clone)]
pub struct View<T> {
    /// What was seen, each thing once, in a stable order.
    pub items: Vec<Arc<T>>,
    /// Whether nothing can be missing.
    pub complete: bool,
    /// Why the list is not complete, where a call failed.
    pub failure: Option<Arc<CallError>>,
    /// The latest observation.
    pub observed_at: Option<Timestamp>,
    /// The latest answer from which nothing can be missing.
    whole_at: Option<Timestamp>,
}

impl<T> Default for View<T> {
    fn default() -> Self {
        Self {
            items: Vec::new(),
            complete: false,
            failure: None,
            observed_at: None,
            whole_at: None,
        }
    }
}

impl<T> View<T> {
    fn whole(&mut self, at: Timestamp) {
        self.complete = true;
        self.whole_at = self.whole_at.max(Some(at));
    }

    /// Takes what was seen. What a later, complete answer does not have is gone.
    fn keep(mut self, seen: BTreeMap<&str, (Timestamp, &Arc<T>)>) -> Self {
        self.items = seen
            .into_values()
            .filter(|(at, _)| Some(*at) >= self.whole_at)
            .map(|(_, item)| Arc::clone(item))
            .collect();
        self
    }

    fn saw(&mut self, at: Timestamp) {
        self.observed_at = self.observed_at.max(Some(at));
    }

    fn failed(&mut self, error: &Arc<CallError>) {
        if self.failure.is_none() {
            self.failure = Some(Arc::clone(error));
        }
    }
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

/// Whether an account can be looked into.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// Its credentials made at least one call.
    Entered,
    /// Nobody tried.
    NotTried,
    /// Every attempt failed; the role of the latest one, and why.
    Failed {
        /// The role that could not be assumed.
        role_arn: Arc<str>,
        /// Whose credentials tried.
        by: AccountId,
        /// Why.
        error: Arc<CallError>,
        /// When.
        observed_at: Timestamp,
    },
}

/// What is known of one log group.
#[derive(Debug, Clone)]
pub enum LogGroupAnswer {
    /// It exists.
    Exists(LogGroup, Timestamp),
    /// A complete answer does not have it.
    Missing(Timestamp),
    /// Nobody could say.
    Failed(Arc<CallError>, Timestamp),
    /// Nobody asked.
    NotAsked,
}

impl Evidence {
    /// The organization, from whoever could describe it.
    pub fn organization(&self) -> Option<&Arc<Organization>> {
        self.organization
            .values()
            .find_map(|answer| answer.outcome.as_ref().ok())
    }

    /// The management account.
    pub fn management_account(&self) -> Option<AccountId> {
        self.organization()
            .map(|organization| organization.management_account)
    }

    /// Every organization trail that anybody's list of trails shows, by ARN.
    pub fn organization_trails(&self) -> impl Iterator<Item = &Arc<Trail>> + '_ {
        let trails = self.organization_trails.get_or_init(|| {
            let mut trails = BTreeMap::new();
            for (site, answer) in self.trail_listings() {
                if let Ok(list) = &answer.outcome {
                    add_organization_trails(&mut trails, site, list);
                }
            }
            trails
        });
        trails.values().map(|(_, trail)| trail)
    }

    /// The tags of an account, as the latest answer has them; `None` where nobody could say.
    pub fn account_tags(&self, account: AccountId) -> Option<&Arc<BTreeMap<String, String>>> {
        let answers = self.tags.get(&account)?.values();
        answers
            .filter_map(|answer| Some((answer.observed_at, answer.outcome.as_ref().ok()?)))
            .max_by_key(|(observed_at, _)| *observed_at)
            .map(|(_, tags)| tags)
    }

    /// Why the tags of an account could not be read.
    pub fn account_tags_failure(&self, account: AccountId) -> Option<&Arc<CallError>> {
        let answers = self.tags.get(&account)?.values();
        answers
            .filter_map(|answer| Some((answer.observed_at, answer.outcome.as_ref().err()?)))
            .max_by_key(|(observed_at, _)| *observed_at)
            .map(|(_, error)| error)
    }

    /// The accounts that the organization lists, with what it says about them, by number.
    pub fn listed_accounts(&self) -> &BTreeMap<AccountId, Arc<OrganizationAccount>> {
        &self.directory
    }

    /// Every account that the evidence speaks of as one to be judged: those that the organization
    /// lists and those whose trails were asked for; without a list, also those that were to be
    /// entered and the caller's own, and without any of these whoever made a call.
    pub fn accounts(&self) -> BTreeSet<AccountId> {
        let mut accounts: BTreeSet<_> = self.directory.keys().copied().collect();
        let listed = !accounts.is_empty();
        accounts.extend(self.trails.keys().map(|site| site.account));
        if !listed {
            accounts.extend(self.roles.keys());
            accounts.extend(
                self.identities
                    .values()
                    .filter_map(|answer| answer.outcome.as_ref().ok())
                    .map(|identity| identity.account),
            );
        }
        if accounts.is_empty() {
            // Nothing says whose evidence this is but the calls themselves.
            accounts.extend(&self.callers);
        }
        accounts
    }

    /// The credentials that may ask about the organization: those that could already.
    pub fn organization_reader(&self) -> Option<Site> {
        let listed = self
            .accounts
            .iter()
            .find(|(_, answer)| answer.outcome.is_ok())
            .map(|(site, _)| site);
        let described = self
            .organization
            .iter()
            .find(|(_, answer)| answer.outcome.is_ok())
            .map(|(site, _)| site);
        listed.or(described).cloned()
    }

    /// The accounts that may act for the organization in a service; `None` when nobody could say.
    pub fn delegated_administrators(
        &self,
        service_principal: &str,
    ) -> Option<Result<Vec<AccountId>, Arc<CallError>>> {
        let of = |principal: &str| {
            let answers = self.administrators.get(principal)?;
            let listed = answers
                .values()
                .find_map(|answer| answer.outcome.as_ref().ok());
            match listed {
                Some(listing) => Some(Ok(listing.items.iter().map(|item| item.id).collect())),
                None => answers
                    .values()
                    .find_map(|answer| answer.outcome.as_ref().err())
                    .map(|error| Err(Arc::clone(error))),
            }
        };
        match (of(service_principal), of("")) {
            (Some(Ok(of_service)), _) => Some(Ok(of_service)),
            // A list for every service names accounts that may be administrators of this one.
            (_, Some(Ok(of_any))) => Some(Ok(of_any)),
            (failed, other) => failed.or(other),
        }
    }

    /// Whether an account was entered.
    pub fn entry(&self, account: AccountId) -> Entry {
        if self.callers.contains(&account) {
            return Entry::Entered;
        }
        let Some(attempts) = self.roles.get(&account) else {
            return Entry::NotTried;
        };
        if attempts.values().any(|answer| answer.outcome.is_ok()) {
            return Entry::Entered;
        }
        attempts
            .iter()
            .filter_map(|((site, role), answer)| {
                let error = answer.outcome.as_ref().err()?;
                Some((answer.observed_at, site, role, error))
            })
            .max_by_key(|(observed_at, ..)| *observed_at)
            .map_or(Entry::NotTried, |(observed_at, site, role, error)| {
                Entry::Failed {
                    role_arn: Arc::clone(role),
                    by: site.account,
                    error: Arc::clone(error),
                    observed_at,
                }
            })
    }

    /// The partition that the evidence is from.
    pub fn partition(&self) -> Partition {
        self.organization
            .keys()
            .chain(self.accounts.keys())
            .chain(self.identities.keys())
            .chain(self.trails.keys())
            .chain(
                self.roles
                    .values()
                    .flat_map(|attempts| attempts.keys().map(|(site, _)| site)),
            )
            .next()
            .map_or(Partition::Aws, |site| site.region.partition())
    }

    /// The regions that an account has enabled, where somebody could say.
    pub fn enabled_regions(&self, account: AccountId) -> Option<Vec<Region>> {
        let answers = self.regions.get(&account)?;
        let list: &Arc<[RegionOption]> = answers
            .values()
            .find_map(|answer| answer.outcome.as_ref().ok())?;
        Some(
            list.iter()
                .filter(|region| region.is_enabled())
                .map(|region| region.region_name.clone())
                .collect(),
        )
    }

    /// The trails of an account.
    pub fn trails(&self, account: AccountId) -> TrailsView {
        let mut view = TrailsView::default();
        let mut seen: BTreeMap<Arc<str>, (bool, Timestamp, Arc<Trail>)> = BTreeMap::new();
        // Nearly every region repeats the list of the one before it.
        let mut before: Option<(Arc<[Arc<Trail>]>, Timestamp)> = None;
        for (site, row) in rows(&self.trails, account) {
            for (selection, answer) in row {
                let list = match &answer.outcome {
                    Ok(list) => list,
                    Err(error) => {
                        view.failures.push((site.region.clone(), Arc::clone(error)));
                        continue;
                    }
                };
                view.answered.insert(site.region.clone());
                view.observed_at = view.observed_at.max(Some(answer.observed_at));
                view.complete |= selection.shadows && selection.only.is_none();
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
        }
        view.trails = seen.into_values().map(|(_, _, trail)| trail).collect();
        view
    }

    /// Every answer to the question which trails record in a region of an account.
    pub fn trail_listings(&self) -> impl Iterator<Item = (&Site, &Answer<[Arc<Trail>]>)> + '_ {
        self.trails
            .iter()
            .flat_map(|(site, row)| row.iter().map(move |(_, answer)| (site, answer)))
    }

    /// A trail as one account told it.
    pub fn trail_as(&self, account: AccountId, trail_arn: &str) -> Option<(Arc<Trail>, Timestamp)> {
        let mut best: Option<(bool, Timestamp, &Arc<Trail>)> = None;
        for (site, row) in rows(&self.trails, account) {
            for (_, answer) in row {
                let Ok(list) = &answer.outcome else { continue };
                let Some(trail) = list.iter().find(|trail| *trail.trail_arn == *trail_arn) else {
                    continue;
                };
                let at_home = trail.is_of(&site.region);
                if best.is_none_or(|(home, at, _)| (home, at) < (at_home, answer.observed_at)) {
                    best = Some((at_home, answer.observed_at, trail));
                }
            }
        }
        best.map(|(_, at, trail)| (Arc::clone(trail), at))
    }

    /// A trail's status as an account was told it in a region.
    pub fn trail_status(&self, trail_arn: &str, site: &Site) -> Option<&Answer<TrailStatus>> {
        self.statuses.get(trail_arn)?.get(site)
    }

    /// Every account and region that a trail's status was asked from.
    pub fn trail_statuses(
        &self,
        trail_arn: &str,
    ) -> impl Iterator<Item = (&Site, &Answer<TrailStatus>)> + '_ {
        self.statuses.get(trail_arn).into_iter().flat_map(Few::iter)
    }

    /// A trail's selectors as an account was told them in a region.
    pub fn event_selectors(&self, trail_arn: &str, site: &Site) -> Option<&Answer<EventSelectors>> {
        self.selectors.get(trail_arn)?.get(site)
    }

    /// One log group. A found one stands before a missing one stands before a failed call.
    pub fn log_group(&self, site: &Site, name: &str) -> LogGroupAnswer {
        let mut found: Option<(&LogGroup, Timestamp, bool)> = None;
        let mut missing: Option<Timestamp> = None;
        let mut failed: Option<(&Arc<CallError>, Timestamp)> = None;
        for (selection, answer) in self.log_groups.get(site).into_iter().flatten() {
            match &answer.outcome {
                Ok(listing) => {
                    let group = listing.items.iter().find(|group| {
                        group.log_group_name == name && belongs(group.arn.as_deref(), site)
                    });
                    let covers = selection.covers(name);
                    if let Some(group) = group {
                        if found.is_none_or(|(_, at, _)| at <= answer.observed_at) {
                            found = Some((group, answer.observed_at, covers));
                        }
                    } else if covers && listing.complete {
                        missing = missing.max(Some(answer.observed_at));
                    }
                }
                Err(error) if selection.covers(name) => {
                    failed = Some((error, answer.observed_at));
                }
                Err(_) => {}
            }
        }
        match (found, missing, failed) {
            // Deleted between two answers: the later one stands.
            (Some((_, at, _)), Some(gone), _) if gone > at => LogGroupAnswer::Missing(gone),
            (Some((group, at, _)), ..) => LogGroupAnswer::Exists(group.clone(), at),
            (None, Some(at), _) => LogGroupAnswer::Missing(at),
            (None, None, Some((error, at))) => LogGroupAnswer::Failed(Arc::clone(error), at),
            (None, None, None) => LogGroupAnswer::NotAsked,
        }
    }

    /// The metric filters of a log group.
    pub fn metric_filters(&self, site: &Site, log_group: &str) -> View<MetricFilter> {
        let mut view = View::default();
        let mut seen: BTreeMap<&str, (Timestamp, &Arc<MetricFilter>)> = BTreeMap::new();
        for (selection, answer) in self.filters.get(site).into_iter().flatten() {
            if selection
                .log_group
                .as_deref()
                .is_some_and(|asked| asked != log_group)
            {
                continue;
            }
            match &answer.outcome {
                Err(error) => view.failed(error),
                Ok(listing) => {
                    view.saw(answer.observed_at);
                    if selection.rest.is_none() && listing.complete {
                        view.whole(answer.observed_at);
                    }
                    for filter in &listing.items {
                        let on = filter
                            .log_group_name
                            .as_deref()
                            .or(selection.log_group.as_deref());
                        if on == Some(log_group) {
                            newest(&mut seen, &filter.filter_name, answer.observed_at, filter);
                        }
                    }
                }
            }
        }
        view.keep(seen)
    }

    /// The metric alarms of an account in a region.
    pub fn metric_alarms(&self, site: &Site) -> View<MetricAlarm> {
        let mut view = View::default();
        let mut seen: BTreeMap<&str, (Timestamp, &Arc<MetricAlarm>)> = BTreeMap::new();
        for (selection, answer) in self.alarms.get(site).into_iter().flatten() {
            match &answer.outcome {
                Err(error) if selection.metric => view.failed(error),
                Err(_) => {}
                Ok(alarms) => {
                    view.saw(answer.observed_at);
                    if selection.metric && selection.rest.is_none() && alarms.complete {
                        view.whole(answer.observed_at);
                    }
                    for alarm in &alarms.metric {
                        newest(&mut seen, &alarm.alarm_name, answer.observed_at, alarm);
                    }
                }
            }
        }
        view.keep(seen)
    }

    /// The composite alarms of an account in a region.
    pub fn composite_alarms(&self, site: &Site) -> View<CompositeAlarm> {
        let mut view = View::default();
        let mut seen: BTreeMap<&str, (Timestamp, &Arc<CompositeAlarm>)> = BTreeMap::new();
        for (selection, answer) in self.alarms.get(site).into_iter().flatten() {
            match &answer.outcome {
                Err(error) if selection.composite => view.failed(error),
                Err(_) => {}
                Ok(alarms) => {
                    view.saw(answer.observed_at);
                    if selection.composite && selection.rest.is_none() && alarms.complete {
                        view.whole(answer.observed_at);
                    }
                    for alarm in &alarms.composite {
                        newest(&mut seen, &alarm.alarm_name, answer.observed_at, alarm);
                    }
                }
            }
        }
        view.keep(seen)
    }

    /// The active mute rules that may target an alarm, and whether each is known to.
    pub fn active_mute_rules(&self, site: &Site, alarm: &str) -> View<(MuteRule, bool)> {
        let mut view = View::default();
        let mut found: Vec<(MuteRule, bool)> = Vec::new();
        let mut named = false;
        for (selection, answer) in self.mute_rules.get(site).into_iter().flatten() {
            let targets = selection.alarm.as_deref();
            if targets.is_some_and(|target| target != alarm) {
                continue;
            }
            match &answer.outcome {
                Err(error) => view.failed(error),
                Ok(listing) => {
                    view.saw(answer.observed_at);
                    let whole = selection.shows_active() && listing.complete;
                    view.complete |= whole;
                    named |= whole && targets.is_some();
                    for rule in &listing.items {
                        if rule.status.as_deref() != Some("ACTIVE") {
                            continue;
                        }
                        match &rule.mute_targets {
                            Some(list) if !list.alarm_names.iter().any(|name| name == alarm) => {}
                            Some(_) => found.push((rule.clone(), true)),
                            None => found.push((rule.clone(), targets.is_some())),
                        }
                    }
                }
            }
        }
        // Once somebody asked for this alarm's rules, rules of unknown targets are other alarms'.
        found.retain(|(_, certain)| *certain || !named);
        found.sort_by(|left, right| {
            (&left.0.alarm_mute_rule_arn, !left.1).cmp(&(&right.0.alarm_mute_rule_arn, !right.1))
        });
        found.dedup_by(|left, right| left.0.alarm_mute_rule_arn == right.0.alarm_mute_rule_arn);
        view.items = found.into_iter().map(Arc::new).collect();
        view
    }

    /// A topic's attributes by who asked.
    pub fn topic_attributes(
        &self,
        topic_arn: &str,
    ) -> impl Iterator<Item = (&Site, &Answer<TopicAttributes>)> + '_ {
        self.topics.get(topic_arn).into_iter().flat_map(Few::iter)
    }

    /// A topic's subscriptions by who asked.
    pub fn subscriptions(
        &self,
        topic_arn: &str,
    ) -> impl Iterator<Item = (&Site, &Answer<Listing<Subscription>>)> + '_ {
        self.subscriptions
            .get(topic_arn)
            .into_iter()
            .flat_map(Few::iter)
    }

    /// Whether a request was answered, with a response or with an error.
    pub fn has(&self, request: &Request) -> bool {
        let site = Site {
            account: request.account,
            region: request.region.clone(),
        };
        match &request.call {
            Call::DescribeOrganization => self.organization.contains_key(&site),
            Call::ListAccounts => self.accounts.contains_key(&site),
            Call::ListDelegatedAdministrators { service_principal } => self
                .administrators
                .get(service_principal)
                .is_some_and(|answers| answers.contains_key(&site)),
            Call::ListTagsForResource { account } => self
                .tags
                .get(account)
                .is_some_and(|answers| answers.contains_key(&site)),
            Call::GetCallerIdentity => self.identities.contains_key(&site),
            Call::AssumeRole { role_arn } => role_arn
                .parse::<Arn>()
                .ok()
                .and_then(|arn| self.roles.get(&arn.account()?))
                .is_some_and(|attempts| {
                    attempts
                        .keys()
                        .any(|(by, role)| *by == site && **role == **role_arn)
                }),
            Call::ListRegions { account } => self
                .regions
                .get(&account.unwrap_or(request.account))
                .is_some_and(|answers| answers.contains_key(&site)),
            Call::DescribeTrails {
                include_shadow_trails,
            } => self
                .trails
                .get(&site)
                .into_iter()
                .flatten()
                .any(|(selection, _)| {
                    selection.only.is_none() && selection.shadows == *include_shadow_trails
                }),
            Call::GetTrailStatus { trail_arn } => self.trail_status(trail_arn, &site).is_some(),
            Call::GetEventSelectors { trail_arn } => {
                self.event_selectors(trail_arn, &site).is_some()
            }
            Call::DescribeLogGroups { log_group_name } => !matches!(
                self.log_group(&site, log_group_name),
                LogGroupAnswer::NotAsked
            ),
            Call::DescribeMetricFilters { log_group_name } => {
                let view = self.metric_filters(&site, log_group_name);
                view.complete || view.failure.is_some()
            }
            Call::DescribeAlarms => {
                self.alarms
                    .get(&site)
                    .into_iter()
                    .flatten()
                    .any(|(selection, _)| {
                        selection.metric && selection.composite && selection.rest.is_none()
                    })
            }
            Call::ListAlarmMuteRules { alarm_name } => self
                .mute_rules
                .get(&site)
                .into_iter()
                .flatten()
                .any(|(selection, _)| selection.shows_active() && selection.alarm == *alarm_name),
            Call::GetTopicAttributes { topic_arn } => self
                .topics
                .get(topic_arn.as_str())
                .is_some_and(|answers| answers.contains_key(&site)),
            Call::ListSubscriptionsByTopic { topic_arn } => self
                .subscriptions
                .get(topic_arn.as_str())
                .is_some_and(|answers| answers.contains_key(&site)),
        }
    }
}

/// The rows of one account, in the order of regions.
fn rows<T>(table: &BTreeMap<Site, T>, account: AccountId) -> impl Iterator<Item = (&Site, &T)> {
    let first = Site {
        account,
        region: Region::new(""),
    };
    table
        .range(first..)
        .take_while(move |(site, _)| site.account == account)
}

/// Whether a listed log group is of the account and region that were asked: lists may include
/// linked accounts.
fn belongs(arn: Option<&str>, site: &Site) -> bool {
    let Some(arn) = arn.and_then(|text| text.parse::<Arn>().ok()) else {
        return true;
    };
    arn.account().is_none_or(|account| account == site.account)
        && arn.region().is_none_or(|region| region == site.region)
}

fn newest<'a, T>(
    seen: &mut BTreeMap<&'a str, (Timestamp, &'a Arc<T>)>,
    name: &'a str,
    at: Timestamp,
    item: &'a Arc<T>,
) {
    match seen.get(name) {
        Some((known, _)) if *known > at => {}
        _ => {
            seen.insert(name, (at, item));
        }
    }
}
