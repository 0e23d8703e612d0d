//! Evidence by what it is about: typed, interned, and small however many accounts repeat the same
//! answer.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::hash::Hash;
use std::sync::Arc;

use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::age::{self, Span};
use super::calls::list_regions::Regions;
use super::calls::{CallDefinition, Parameters, Tables, assume_role};
use super::key_name::KeyName;
use super::mark::Marks;
use super::reader::Reader;
use super::shapes::{AlarmConfiguration, EventSelectors, MetricAlarm, Texts, Trail};
use super::table::{Answer, Listing};
use super::unit_names::UnitNames;
use super::{CallError, ErrorClass, Operation, Outcome, Record, Response, mask_endpoints};
use crate::account::{AccountId, Region};
use crate::arn::Arn;

/// Whose credentials asked, and where.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CallSite {
    /// Whose credentials.
    pub account: AccountId,
    /// Where.
    pub region: Region,
}

/// A record of some evidence, counted from zero in the order in which records were added.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordId(u32);

impl RecordId {
    /// Its place among the records.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

impl From<UnreadableRecord> for CallError {
    /// An answer that says nothing anyone can use is as good as none.
    fn from(unreadable: UnreadableRecord) -> Self {
        Self {
            code: "UnreadableAnswer".to_owned(),
            message: format!("`{}` {}", unreadable.member, unreadable.reason),
            class: ErrorClass::Other,
        }
    }
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

/// Everything that was seen. When a call repeats, the later answer stands. Read with
/// [`Evidence::reader`].
#[derive(Debug, Clone, Default)]
pub struct Evidence {
    pub(super) tables: Tables,
    /// Accounts whose credentials made a call, and their first one: those that were entered.
    pub(super) callers: HashMap<AccountId, RecordId>,
    pub(super) marks: Marks,
    pool: Pool,
    records: u32,
    /// Operations that this version does not know, and how many records of each there are.
    pub(super) unknown: BTreeMap<String, usize>,
    pub(super) unit_names: UnitNames,
    /// Answers about resources that came before do not count.
    oldest: Option<Timestamp>,
    too_old: usize,
    observed: Option<Span>,
    masks_endpoints: bool,
}

impl Evidence {
    /// Evidence in which answers about resources count that came at a time or later.
    pub fn not_before(oldest: Option<Timestamp>) -> Self {
        Self {
            oldest,
            ..Self::default()
        }
    }

    /// The same evidence, which keeps pseudonyms in place of people's addresses.
    #[must_use]
    pub fn masking_endpoints(mut self, mask: bool) -> Self {
        self.masks_endpoints = mask;
        self
    }

    /// The same evidence, for who judges it when everything is there: it takes less memory. What is
    /// added later still counts, and lets nothing stand that was worked out before.
    #[must_use]
    pub fn at_rest(mut self) -> Self {
        self.marks.together();
        self
    }

    /// When its answers arrived; `None` where there are none.
    pub fn observed(&self) -> Option<Span> {
        self.observed
    }

    /// Whether a record is an answer that would not count here, because it came too early.
    pub fn is_too_old(&self, record: &Record) -> bool {
        self.oldest
            .is_some_and(|oldest| age::is_too_old(record, oldest))
    }

    /// How many answers do not count because they came too early.
    pub fn too_old(&self) -> usize {
        self.too_old
    }

    /// Reads it.
    pub fn reader(&self) -> Reader<'_> {
        Reader::new(self)
    }

    /// The operations of records that this version does not read, and how many there are of each:
    /// a later version may have recorded them.
    pub fn unknown_operations(&self) -> &BTreeMap<String, usize> {
        &self.unknown
    }

    /// Adds what was seen.
    pub fn insert<R>(&mut self, record: Record<R>) -> Result<RecordId, UnreadableRecord>
    where
        Response: From<R>,
    {
        self.file(record.held_as())
    }

    fn file(&mut self, mut record: Record<Response>) -> Result<RecordId, UnreadableRecord> {
        if self.masks_endpoints {
            mask_endpoints(&mut record);
        }
        self.observed = Some(Span::with(self.observed, record.observed_at));
        if let Some(oldest) = self.oldest
            && age::is_too_old(&record, oldest)
        {
            self.too_old += 1;
            record.outcome = age::too_old(record.observed_at, oldest);
        }
        let Record {
            operation,
            account,
            region,
            parameters,
            observed_at,
            request_id: _,
            outcome,
        } = record;
        let id = RecordId(self.records);
        let region = share(&mut self.pool.regions, region);
        let filing = Filing {
            site: CallSite { account, region },
            parameters: Parameters(&parameters),
            record: id,
            observed_at,
            outcome: match outcome {
                Outcome::Response(response) => Ok(response),
                Outcome::Error(error) => Err(share(&mut self.pool.errors, Arc::new(error))),
            },
        };
        let region = filing.site.region.clone();
        let changes = self
            .tables
            .file(operation, filing, &mut self.pool)
            .map_err(|unreadable| UnreadableRecord {
                operation,
                account,
                region,
                member: unreadable.member,
                reason: unreadable.reason,
            })?;
        self.records = self.records.saturating_add(1);
        for subject in changes.subjects() {
            self.marks.change(subject);
        }
        if operation != Operation::AssumeRole && !self.callers.contains_key(&account) {
            self.callers.insert(account, id);
            self.marks.change(assume_role::subject(account));
        }
        Ok(id)
    }
}

/// An answer on its way into its table.
pub(super) struct Filing<'a> {
    pub(super) site: CallSite,
    pub(super) parameters: Parameters<'a>,
    record: RecordId,
    observed_at: Timestamp,
    outcome: Result<Response, Arc<CallError>>,
}

impl Filing<'_> {
    /// Reads an answer.
    pub(super) fn typed<R: DeserializeOwned, T: ?Sized>(
        self,
        definition: &CallDefinition,
        take: impl FnOnce(R) -> Arc<T>,
    ) -> Result<Answer<T>, Unreadable> {
        self.page(definition, |response, _complete| Ok(take(response)))
    }

    /// Reads a list.
    pub(super) fn listing<R: DeserializeOwned, T>(
        self,
        definition: &CallDefinition,
        take: impl FnOnce(R) -> Vec<T>,
    ) -> Result<Answer<Listing<T>>, Unreadable> {
        self.page(definition, |response, complete| {
            Ok(Arc::new(Listing {
                items: take(response),
                complete,
            }))
        })
    }

    /// Reads an answer that holds lists, and tells whether nothing was left out of them.
    pub(super) fn page<R: DeserializeOwned, T: ?Sized>(
        self,
        definition: &CallDefinition,
        take: impl FnOnce(R, bool) -> Result<Arc<T>, Unreadable>,
    ) -> Result<Answer<T>, Unreadable> {
        self.whole(definition, |response, complete| {
            take(read(response.into_value())?, complete)
        })
    }

    /// Gives an answer away as it came, for who takes it apart, and tells whether nothing was left
    /// out of its lists.
    pub(super) fn whole<T: ?Sized>(
        self,
        definition: &CallDefinition,
        take: impl FnOnce(Response, bool) -> Result<Arc<T>, Unreadable>,
    ) -> Result<Answer<T>, Unreadable> {
        let outcome = match self.outcome {
            Ok(response) => {
                let outline = response.outline();
                check_spelling(&outline, definition.members)?;
                let complete = !self.parameters.continues() && is_last_page(&outline);
                // An answer without the member that AWS always sends shows nothing: neither that
                // something is there nor that nothing is.
                match definition.absence(&outline) {
                    Some(error) => Err(Arc::new(error)),
                    None => Ok(take(response, complete)?),
                }
            }
            Err(error) => Err(error),
        };
        Ok(Answer {
            observed_at: self.observed_at,
            outcome,
            record: self.record,
        })
    }

    /// The key or alias that was asked for.
    pub(super) fn key_arn(&self, pool: &mut Pool) -> Result<Arc<str>, Unreadable> {
        let text = self.parameters.required("KeyId")?;
        let name = KeyName::read(&text, &self.site)
            .ok_or_else(|| Parameters::unreadable("KeyId", "it is no name of a key"))?;
        Ok(pool.text(&name.to_string()))
    }

    /// The topic that was asked for.
    pub(super) fn topic_arn(&self, pool: &mut Pool) -> Result<Arc<str>, Unreadable> {
        let text = self.parameters.required("TopicArn")?;
        text.parse::<Arn>()
            .map_err(|error| Parameters::unreadable("TopicArn", &error.to_string()))?;
        Ok(pool.text(&text))
    }
}

/// One copy of everything that repeats.
#[derive(Debug, Clone, Default)]
pub(super) struct Pool {
    texts: HashSet<Arc<str>>,
    regions: HashSet<Region>,
    errors: HashSet<Arc<CallError>>,
    trails: HashSet<Arc<Trail>>,
    trail_lists: HashSet<Arc<[Arc<Trail>]>>,
    region_lists: HashSet<Arc<Regions>>,
    selectors: HashSet<Arc<EventSelectors>>,
    alarm_configurations: HashSet<Arc<AlarmConfiguration>>,
}

fn share<T: Eq + Hash + Clone>(pool: &mut HashSet<T>, value: T) -> T {
    if let Some(known) = pool.get(&value) {
        return known.clone();
    }
    pool.insert(value.clone());
    value
}

impl Pool {
    pub(super) fn text(&mut self, text: &str) -> Arc<str> {
        if let Some(known) = self.texts.get(text) {
            return Arc::clone(known);
        }
        share(&mut self.texts, text.into())
    }

    /// Keeps something for good, with one copy of what others have, too.
    pub(super) fn keep<T: Texts>(&mut self, mut item: T) -> Arc<T> {
        self.share_texts(&mut item);
        Arc::new(item)
    }

    /// Keeps a list for good.
    pub(super) fn keep_all<T: Texts>(&mut self, items: Vec<T>) -> Vec<Arc<T>> {
        // To collect in place would hold on to the room that the items themselves took.
        let mut kept = Vec::with_capacity(items.len());
        kept.extend(items.into_iter().map(|item| self.keep(item)));
        kept
    }

    /// Leaves one copy of what others have, too.
    pub(super) fn share_texts(&mut self, item: &mut impl Texts) {
        for text in item.texts() {
            *text = share(&mut self.texts, Arc::clone(text));
        }
    }

    pub(super) fn selectors(&mut self, selectors: EventSelectors) -> Arc<EventSelectors> {
        share(&mut self.selectors, Arc::new(selectors))
    }

    /// Leaves one copy of what alarms are configured with.
    pub(super) fn share_configuration(&mut self, alarm: &mut MetricAlarm) {
        let configuration = &mut alarm.configuration;
        if let Some(known) = self.alarm_configurations.get(configuration) {
            *configuration = Arc::clone(known);
            return;
        }
        self.share_texts(Arc::make_mut(configuration));
        self.alarm_configurations.insert(Arc::clone(configuration));
    }

    pub(super) fn trail(&mut self, mut trail: Trail) -> Arc<Trail> {
        self.share_texts(&mut trail);
        trail.home_region = trail
            .home_region
            .map(|region| share(&mut self.regions, region));
        share(&mut self.trails, Arc::new(trail))
    }

    pub(super) fn trail_list(&mut self, list: Arc<[Arc<Trail>]>) -> Arc<[Arc<Trail>]> {
        share(&mut self.trail_lists, list)
    }

    pub(super) fn region_list(&mut self, list: Regions) -> Arc<Regions> {
        share(&mut self.region_lists, Arc::new(list))
    }

    /// A trail's ARN, also where a call named the trail by its name: CloudTrail accepts that only
    /// in the trail's home region and account.
    pub(super) fn trail_arn(&mut self, site: &CallSite, name: &str) -> Arc<str> {
        if name.starts_with("arn:") {
            return self.text(name);
        }
        let CallSite { account, region } = site;
        self.text(&format!(
            "arn:{}:cloudtrail:{region}:{account}:trail/{name}",
            region.partition()
        ))
    }
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

/// Whether the answer has no token for a further page. The AWS CLI prints one when it was told to
/// stop early.
fn is_last_page(response: &Value) -> bool {
    ["NextToken", "nextToken", "NextMarker"]
        .iter()
        .all(|token| response.get(token).is_none_or(Value::is_null))
}

/// Makes sure that the lists are where they should be: a misspelled member would otherwise read as
/// an empty list, and an empty list is a proof.
fn check_spelling(response: &Value, members: &[&str]) -> Result<(), Unreadable> {
    let Some(object) = response.as_object() else {
        return Ok(());
    };
    for member in members {
        if !object.contains_key(*member)
            && let Some(similar) = object.keys().find(|name| name.eq_ignore_ascii_case(member))
        {
            return Err(Unreadable {
                member: format!("response.{similar}"),
                reason: format!("AWS calls this member `{member}`"),
            });
        }
    }
    Ok(())
}
