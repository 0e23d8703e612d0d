//! Evidence by what it is about: typed, interned, and small however many accounts repeat the same
//! answer.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::hash::Hash;
use std::sync::{Arc, OnceLock};

use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::few::Few;
use super::mark::Marks;
use super::selection::{
    AlarmSelection, FilterSelection, LogGroupSelection, MuteSelection, Parameters, TrailSelection,
};
use super::shapes::{
    AccountsResponse, AdministratorsResponse, AlarmsResponse, CallerIdentity, CompositeAlarm,
    DelegatedAdministrator, EventSelectors, LogGroup, LogGroupsResponse, MetricAlarm, MetricFilter,
    MetricFiltersResponse, MuteRule, MuteRulesResponse, Organization, OrganizationAccount,
    OrganizationResponse, RegionOption, RegionsResponse, Subscription, SubscriptionsResponse,
    TagsResponse, TopicAttributes, TopicAttributesResponse, Trail, TrailStatus, TrailsResponse,
};
use super::{CallError, Operation, Outcome, Record};
use crate::account::{AccountId, Region};
use crate::arn::Arn;

/// Whose credentials asked, and where.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Site {
    /// Whose credentials.
    pub account: AccountId,
    /// Where.
    pub region: Region,
}

/// What AWS answered, and when.
#[derive(Debug)]
pub struct Answer<T: ?Sized> {
    /// When the answer arrived.
    pub observed_at: Timestamp,
    /// The answer, or why there is none.
    pub outcome: Result<Arc<T>, Arc<CallError>>,
}

impl<T: ?Sized> Clone for Answer<T> {
    fn clone(&self) -> Self {
        Self {
            observed_at: self.observed_at,
            outcome: self.outcome.clone(),
        }
    }
}

/// A list as AWS gave it, which may be one page of several.
#[derive(Debug, Clone, PartialEq)]
pub struct Listing<T> {
    /// What was listed.
    pub items: Vec<T>,
    /// Whether nothing was left out: no token for a further page remained.
    pub complete: bool,
}

/// Alarms of an account in a region.
#[derive(Debug, Clone, PartialEq)]
pub struct Alarms {
    /// Alarms on metrics and metric math.
    pub metric: Vec<Arc<MetricAlarm>>,
    /// Alarms on other alarms.
    pub composite: Vec<Arc<CompositeAlarm>>,
    /// Whether no token for a further page remained.
    pub complete: bool,
}

/// A record that cannot be used: what AWS answered is not what its API documents.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{operation} as account {account} in {region}: `{member}` cannot be read: {reason}")]
pub struct UnreadableRecord {
    /// The operation.
    pub operation: Operation,
    /// Whose credentials made the call.
    pub account: AccountId,
    /// Where.
    pub region: Region,
    /// Which member of the record, as a path.
    pub member: String,
    /// What is wrong with it.
    pub reason: String,
}

/// A member that cannot be read.
pub(super) struct Unreadable {
    pub(super) member: String,
    pub(super) reason: String,
}

/// Organization trails by ARN, each with the site whose answer counts.
pub(super) type OrganizationTrails = BTreeMap<Arc<str>, (Site, Arc<Trail>)>;
/// Answers about one subject, by who asked where.
type BySite<T> = Few<Site, Answer<T>>;
/// Answers by the ARN that they are about.
type ByArn<T> = HashMap<Arc<str>, BySite<T>>;
/// Attempts to enter an account, by who tried and with which role.
type Attempts = Few<(Site, Arc<str>), Answer<()>>;
/// Answers by who asked where, and by what was asked for.
type Selected<K, T> = BTreeMap<Site, Vec<(K, Answer<T>)>>;

/// Everything that was seen, indexed by the meaning of each call. When a call repeats, the later
/// record stands.
#[derive(Debug, Clone, Default)]
pub struct Evidence {
    pub(super) organization: BySite<Organization>,
    pub(super) accounts: BySite<Listing<OrganizationAccount>>,
    pub(super) administrators: BTreeMap<String, BySite<Listing<DelegatedAdministrator>>>,
    /// By the account whose tags they are.
    pub(super) tags: BTreeMap<AccountId, BySite<BTreeMap<String, String>>>,
    pub(super) identities: BySite<CallerIdentity>,
    /// By the account that was to be entered, then by who assumed which role.
    pub(super) roles: BTreeMap<AccountId, Attempts>,
    /// By the account whose regions they are.
    pub(super) regions: BTreeMap<AccountId, BySite<[RegionOption]>>,
    pub(super) trails: Selected<TrailSelection, [Arc<Trail>]>,
    /// Organization trails by ARN, as the first site that lists each does. Made when it is asked
    /// for, and kept up to date from then on.
    pub(super) organization_trails: OnceLock<OrganizationTrails>,
    pub(super) statuses: ByArn<TrailStatus>,
    pub(super) selectors: ByArn<EventSelectors>,
    pub(super) log_groups: Selected<LogGroupSelection, Listing<LogGroup>>,
    pub(super) filters: Selected<FilterSelection, Listing<Arc<MetricFilter>>>,
    pub(super) alarms: Selected<AlarmSelection, Alarms>,
    pub(super) mute_rules: Selected<MuteSelection, Listing<MuteRule>>,
    pub(super) topics: ByArn<TopicAttributes>,
    pub(super) subscriptions: ByArn<Listing<Subscription>>,
    /// Accounts whose credentials made a call: those that were entered.
    pub(super) callers: BTreeSet<AccountId>,
    /// The accounts of every successful list.
    pub(super) directory: BTreeMap<AccountId, Arc<OrganizationAccount>>,
    pub(super) marks: Marks,
    pool: Pool,
}

/// One copy of everything that repeats.
#[derive(Debug, Clone, Default)]
struct Pool {
    texts: HashSet<Arc<str>>,
    regions: HashSet<Region>,
    errors: HashSet<Arc<CallError>>,
    trails: HashSet<Arc<Trail>>,
    trail_lists: HashSet<Arc<[Arc<Trail>]>>,
    region_lists: HashSet<Arc<[RegionOption]>>,
}

fn share<T: Eq + Hash + Clone>(pool: &mut HashSet<T>, value: T) -> T {
    if let Some(known) = pool.get(&value) {
        return known.clone();
    }
    pool.insert(value.clone());
    value
}

impl Pool {
    fn text(&mut self, text: &str) -> Arc<str> {
        if let Some(known) = self.texts.get(text) {
            return Arc::clone(known);
        }
        share(&mut self.texts, text.into())
    }

    fn trail(&mut self, mut trail: Trail) -> Arc<Trail> {
        trail.trail_arn = self.text(&trail.trail_arn);
        trail.name = trail.name.map(|name| self.text(&name));
        trail.home_region = trail
            .home_region
            .map(|region| share(&mut self.regions, region));
        trail.cloud_watch_logs_log_group_arn = trail
            .cloud_watch_logs_log_group_arn
            .map(|arn| self.text(&arn));
        share(&mut self.trails, Arc::new(trail))
    }
}

impl Evidence {
    /// Adds what was seen.
    pub fn insert(&mut self, record: Record) -> Result<(), UnreadableRecord> {
        let Record {
            operation,
            account,
            region,
            parameters,
            observed_at,
            request_id: _,
            outcome,
        } = record;
        let region = share(&mut self.pool.regions, region);
        let site = Site { account, region };
        let parameters = Parameters {
            operation,
            map: &parameters,
        };
        let owner = parameters.owner(account);
        let outcome = match outcome {
            Outcome::Response(response) => Ok(response),
            Outcome::Error(error) => Err(share(&mut self.pool.errors, Arc::new(error))),
        };
        self.file(&site, &parameters, observed_at, outcome)
            .map_err(|unreadable| UnreadableRecord {
                operation,
                account,
                region: site.region.clone(),
                member: unreadable.member,
                reason: unreadable.reason,
            })?;
        if operation != Operation::AssumeRole && self.callers.insert(account) {
            self.marks.entered(account);
        }
        self.marks.told(operation, account, owner);
        Ok(())
    }

    fn file(
        &mut self,
        site: &Site,
        parameters: &Parameters<'_>,
        observed_at: Timestamp,
        outcome: Result<Value, Arc<CallError>>,
    ) -> Result<(), Unreadable> {
        let site = site.clone();
        match parameters.operation {
            Operation::DescribeOrganization => {
                let answer = typed(observed_at, outcome, |response: OrganizationResponse| {
                    Arc::new(response.organization)
                })?;
                self.organization.insert(site, answer);
            }
            Operation::ListAccounts => {
                let answer = listing(
                    parameters,
                    observed_at,
                    outcome,
                    "Accounts",
                    |it: AccountsResponse| it.accounts,
                )?;
                self.accounts.insert(site, answer);
                self.index_accounts();
            }
            Operation::ListDelegatedAdministrators => {
                let principal = parameters.text("ServicePrincipal")?.unwrap_or_default();
                let answer = listing(
                    parameters,
                    observed_at,
                    outcome,
                    "DelegatedAdministrators",
                    |it: AdministratorsResponse| it.administrators,
                )?;
                self.administrators
                    .entry(principal)
                    .or_default()
                    .insert(site, answer);
            }
            Operation::ListTagsForResource => {
                // Units, roots and policies have tags, too, and nothing goes by them.
                let Ok(subject) = parameters.required("ResourceId")?.parse() else {
                    return Ok(());
                };
                let outcome = match outcome {
                    Ok(response) => {
                        let response: TagsResponse = read(main_list(response, "Tags")?)?;
                        let pairs = response.tags.into_iter();
                        Ok(Arc::new(pairs.map(|tag| (tag.key, tag.value)).collect()))
                    }
                    Err(error) => Err(error),
                };
                let answer = Answer {
                    observed_at,
                    outcome,
                };
                self.tags.entry(subject).or_default().insert(site, answer);
            }
            Operation::GetCallerIdentity => {
                let answer = typed(observed_at, outcome, |it: CallerIdentity| Arc::new(it))?;
                self.identities.insert(site, answer);
            }
            Operation::AssumeRole => {
                let text = parameters.required("RoleArn")?;
                let target = text
                    .parse::<Arn>()
                    .map_err(|error| Parameters::unreadable("RoleArn", &error.to_string()))?
                    .account()
                    .ok_or_else(|| {
                        Parameters::unreadable("RoleArn", &format!("`{text}` names no account"))
                    })?;
                let role = self.pool.text(&text);
                let answer = Answer {
                    observed_at,
                    outcome: outcome.map(|_| Arc::new(())),
                };
                self.roles
                    .entry(target)
                    .or_default()
                    .insert((site, role), answer);
            }
            Operation::ListRegions => {
                let subject = match parameters.text("AccountId")? {
                    None => site.account,
                    Some(text) => {
                        text.parse()
                            .map_err(|error: crate::account::InvalidAccountId| {
                                Parameters::unreadable("AccountId", &error.to_string())
                            })?
                    }
                };
                if parameters.rest(&["AccountId"]).is_some() {
                    return Ok(());
                }
                let mut answer = typed(observed_at, outcome, |it: RegionsResponse| {
                    Arc::<[RegionOption]>::from(it.regions)
                })?;
                answer.outcome = answer
                    .outcome
                    .map(|list| share(&mut self.pool.region_lists, list));
                self.regions
                    .entry(subject)
                    .or_default()
                    .insert(site, answer);
            }
            Operation::DescribeTrails => {
                let selection = TrailSelection::of(parameters)?;
                let outcome = match outcome {
                    Err(error) => Err(error),
                    Ok(response) => {
                        let response: TrailsResponse = read(main_list(response, "trailList")?)?;
                        let mut list = Vec::with_capacity(response.trails.len());
                        for trail in response.trails {
                            if trail.trail_arn.parse::<Arn>().is_err() {
                                return Err(Unreadable {
                                    member: "response.trailList[].TrailARN".to_owned(),
                                    reason: crate::arn::InvalidArn(trail.trail_arn.to_string())
                                        .to_string(),
                                });
                            }
                            list.push(self.pool.trail(trail));
                        }
                        Ok(share(&mut self.pool.trail_lists, list.into()))
                    }
                };
                let answer = Answer {
                    observed_at,
                    outcome,
                };
                self.index_organization_trails(&site, &answer);
                let row = self.trails.entry(site).or_default();
                if put(row, selection, answer).is_some_and(|former| former.outcome.is_ok()) {
                    self.organization_trails.take();
                }
            }
            Operation::GetTrailStatus => {
                let trail = self.trail_arn(&site, &parameters.required("Name")?);
                let answer = typed(observed_at, outcome, |it: TrailStatus| Arc::new(it))?;
                self.statuses.entry(trail).or_default().insert(site, answer);
            }
            Operation::GetEventSelectors => {
                let trail = self.trail_arn(&site, &parameters.required("TrailName")?);
                let answer = typed(observed_at, outcome, |it: EventSelectors| Arc::new(it))?;
                self.selectors
                    .entry(trail)
                    .or_default()
                    .insert(site, answer);
            }
            Operation::DescribeLogGroups => {
                let selection = LogGroupSelection::of(parameters)?;
                let answer = listing(
                    parameters,
                    observed_at,
                    outcome,
                    "logGroups",
                    |it: LogGroupsResponse| it.log_groups,
                )?;
                put(self.log_groups.entry(site).or_default(), selection, answer);
            }
            Operation::DescribeMetricFilters => {
                let selection = FilterSelection::of(parameters)?;
                let answer = listing(
                    parameters,
                    observed_at,
                    outcome,
                    "metricFilters",
                    |it: MetricFiltersResponse| it.filters.into_iter().map(Arc::new).collect(),
                )?;
                put(self.filters.entry(site).or_default(), selection, answer);
            }
            Operation::DescribeAlarms => {
                let mut selection = AlarmSelection::of(parameters)?;
                let outcome = match outcome {
                    Err(error) => Err(error),
                    Ok(response) => {
                        let complete = is_last_page(&response);
                        let response = main_list(response, "MetricAlarms")?;
                        let response: AlarmsResponse =
                            read(main_list(response, "CompositeAlarms")?)?;
                        // Composite alarms in the answer prove that they were asked for.
                        selection.composite |= !response.composite_alarms.is_empty();
                        Ok(Arc::new(Alarms {
                            metric: response.metric_alarms.into_iter().map(Arc::new).collect(),
                            composite: response
                                .composite_alarms
                                .into_iter()
                                .map(Arc::new)
                                .collect(),
                            complete,
                        }))
                    }
                };
                let answer = Answer {
                    observed_at,
                    outcome,
                };
                put(self.alarms.entry(site).or_default(), selection, answer);
            }
            Operation::ListAlarmMuteRules => {
                let selection = MuteSelection::of(parameters)?;
                let answer = listing(
                    parameters,
                    observed_at,
                    outcome,
                    "AlarmMuteRuleSummaries",
                    |it: MuteRulesResponse| it.rules,
                )?;
                put(self.mute_rules.entry(site).or_default(), selection, answer);
            }
            Operation::GetTopicAttributes => {
                let topic = self.topic_arn(parameters)?;
                let answer = typed(observed_at, outcome, |it: TopicAttributesResponse| {
                    Arc::new(it.attributes)
                })?;
                self.topics.entry(topic).or_default().insert(site, answer);
            }
            Operation::ListSubscriptionsByTopic => {
                let topic = self.topic_arn(parameters)?;
                let answer = listing(
                    parameters,
                    observed_at,
                    outcome,
                    "Subscriptions",
                    |it: SubscriptionsResponse| it.subscriptions,
                )?;
                self.subscriptions
                    .entry(topic)
                    .or_default()
                    .insert(site, answer);
            }
        }
        Ok(())
    }

    fn topic_arn(&mut self, parameters: &Parameters<'_>) -> Result<Arc<str>, Unreadable> {
        let text = parameters.required("TopicArn")?;
        text.parse::<Arn>()
            .map_err(|error| Parameters::unreadable("TopicArn", &error.to_string()))?;
        Ok(self.pool.text(&text))
    }

    /// A trail's ARN, also where a call named the trail by its name: CloudTrail accepts that only
    /// in the trail's home region and account.
    fn trail_arn(&mut self, site: &Site, name: &str) -> Arc<str> {
        if name.starts_with("arn:") {
            return self.pool.text(name);
        }
        let Site { account, region } = site;
        self.pool.text(&format!(
            "arn:{}:cloudtrail:{region}:{account}:trail/{name}",
            region.partition()
        ))
    }

    /// Adds what another store has seen. Where both know an answer, the other's stands.
    pub fn merge(&mut self, other: Self) {
        self.organization.extend(other.organization);
        self.accounts.extend(other.accounts);
        extend(&mut self.administrators, other.administrators);
        extend(&mut self.tags, other.tags);
        self.identities.extend(other.identities);
        for (target, answers) in other.roles {
            self.roles.entry(target).or_default().extend(answers);
        }
        extend(&mut self.regions, other.regions);
        replace(&mut self.trails, other.trails);
        self.organization_trails.take();
        extend_by_arn(&mut self.statuses, other.statuses);
        extend_by_arn(&mut self.selectors, other.selectors);
        replace(&mut self.log_groups, other.log_groups);
        replace(&mut self.filters, other.filters);
        replace(&mut self.alarms, other.alarms);
        replace(&mut self.mute_rules, other.mute_rules);
        extend_by_arn(&mut self.topics, other.topics);
        extend_by_arn(&mut self.subscriptions, other.subscriptions);
        self.callers.extend(other.callers);
        self.index_accounts();
        self.marks.everything();
    }

    fn index_organization_trails(&mut self, site: &Site, answer: &Answer<[Arc<Trail>]>) {
        if let (Some(known), Ok(list)) = (self.organization_trails.get_mut(), &answer.outcome) {
            add_organization_trails(known, site, list);
        }
    }

    fn index_accounts(&mut self) {
        let mut listings: Vec<_> = self.accounts.values().collect();
        listings.sort_by_key(|answer| answer.observed_at);
        self.directory = listings
            .into_iter()
            .filter_map(|answer| answer.outcome.as_ref().ok())
            .flat_map(|listing| &listing.items)
            .map(|account| (account.id, Arc::new(account.clone())))
            .collect();
    }
}

/// Adds the organization trails of a list. Of several sites that list one, the first by account
/// and region counts, so that the order of records does not.
pub(super) fn add_organization_trails(
    known: &mut OrganizationTrails,
    site: &Site,
    list: &[Arc<Trail>],
) {
    for trail in list {
        if trail.is_organization_trail != Some(true) {
            continue;
        }
        match known.get_mut(&trail.trail_arn) {
            Some((first, _)) if *first <= *site => {}
            Some(stored) => *stored = (site.clone(), Arc::clone(trail)),
            None => {
                let arn = Arc::clone(&trail.trail_arn);
                known.insert(arn, (site.clone(), Arc::clone(trail)));
            }
        }
    }
}

fn extend<K: Ord, T: ?Sized>(table: &mut BTreeMap<K, BySite<T>>, other: BTreeMap<K, BySite<T>>) {
    for (key, answers) in other {
        table.entry(key).or_default().extend(answers);
    }
}

fn extend_by_arn<T: ?Sized>(table: &mut ByArn<T>, other: ByArn<T>) {
    for (arn, answers) in other {
        table.entry(arn).or_default().extend(answers);
    }
}

fn replace<K: PartialEq, T: ?Sized>(table: &mut Selected<K, T>, other: Selected<K, T>) {
    for (site, answers) in other {
        let row = table.entry(site).or_default();
        for (selection, answer) in answers {
            put(row, selection, answer);
        }
    }
}

/// Files an answer, and returns the one that it takes the place of.
fn put<K: PartialEq, T: ?Sized>(
    row: &mut Vec<(K, Answer<T>)>,
    selection: K,
    answer: Answer<T>,
) -> Option<Answer<T>> {
    if let Some((_, stored)) = row.iter_mut().find(|(known, _)| *known == selection) {
        return Some(std::mem::replace(stored, answer));
    }
    // Nearly every row has one entry; a vector that grows by itself would reserve four.
    row.reserve_exact(1);
    row.push((selection, answer));
    None
}

fn read<T: DeserializeOwned>(response: Value) -> Result<T, Unreadable> {
    // Keeping track of where it reads costs as much as reading, and only errors need it.
    if let Ok(read) = T::deserialize(&response) {
        return Ok(read);
    }
    serde_path_to_error::deserialize(response).map_err(|error| {
        let path = error.path().to_string();
        Unreadable {
            member: if path == "." {
                "response".to_owned()
            } else {
                format!("response.{path}")
            },
            reason: error.into_inner().to_string(),
        }
    })
}

fn typed<R: DeserializeOwned, T: ?Sized>(
    observed_at: Timestamp,
    outcome: Result<Value, Arc<CallError>>,
    take: impl FnOnce(R) -> Arc<T>,
) -> Result<Answer<T>, Unreadable> {
    let outcome = match outcome {
        Ok(response) => Ok(take(read(response)?)),
        Err(error) => Err(error),
    };
    Ok(Answer {
        observed_at,
        outcome,
    })
}

fn listing<R: DeserializeOwned, T>(
    parameters: &Parameters<'_>,
    observed_at: Timestamp,
    outcome: Result<Value, Arc<CallError>>,
    member: &str,
    take: impl FnOnce(R) -> Vec<T>,
) -> Result<Answer<Listing<T>>, Unreadable> {
    let outcome = match outcome {
        Ok(response) => {
            let complete = is_last_page(&response) && !parameters.continues();
            let items = take(read(main_list(response, member)?)?);
            Ok(Arc::new(Listing { items, complete }))
        }
        Err(error) => Err(error),
    };
    Ok(Answer {
        observed_at,
        outcome,
    })
}

/// Whether the answer has no token for a further page. The AWS CLI prints one when it was told to
/// stop early.
fn is_last_page(response: &Value) -> bool {
    ["NextToken", "nextToken", "NextMarker"]
        .iter()
        .all(|token| response.get(token).is_none_or(Value::is_null))
}

/// The response, after making sure that its list is where it should be: a misspelled member would
/// otherwise read as an empty list, and an empty list is a proof.
fn main_list(response: Value, member: &str) -> Result<Value, Unreadable> {
    if let Some(object) = response.as_object()
        && !object.contains_key(member)
        && let Some(similar) = object.keys().find(|name| name.eq_ignore_ascii_case(member))
    {
        return Err(Unreadable {
            member: format!("response.{similar}"),
            reason: format!("AWS calls this member `{member}`"),
        });
    }
    Ok(response)
}
