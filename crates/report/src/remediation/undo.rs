//! Taking back what a plan created: in reverse, only what the journal says this plan created, and
//! only if it is still as it was created and nobody else has come to rely on it.

mod topics;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use std::sync::{Mutex, PoisonError};

use futures::StreamExt as _;
use jiff::{SignedDuration, Timestamp};
use trailproof_core::account::{AccountId, Region};
use trailproof_core::evidence::ErrorClass;
use trailproof_scanner::CallFailure;

use super::cloud::{Cloud, Mutation};
use super::journal::{Entry, Journal, JournalError, StepRecord, StepState};
use super::plan::{Plan, Step};
use super::present::Unreadable;
use super::resources::{Alarm, Change, MetricFilter, alarm, metric_filter};

/// How to take a plan back.
#[derive(Debug, Clone, Copy)]
pub struct UndoOptions {
    /// How many accounts are worked on at once.
    pub concurrency: usize,
    /// The time of journal entries.
    pub clock: fn() -> Timestamp,
    /// Whether subscriptions to topics that the plan did not create, and statements that it added
    /// to their policies, are taken back, too.
    pub shared_topics: bool,
}

/// What came of taking one step back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UndoOutcome {
    /// Deleted now.
    Removed,
    /// It was gone already, or had never come about.
    Gone,
    /// Left as it is, and why.
    Left(String),
}

/// A step was taken back, or not.
#[derive(Debug, Clone, PartialEq)]
pub struct UndoEvent {
    /// The step.
    pub step: Step,
    /// What came of it.
    pub outcome: UndoOutcome,
}

/// What came of an undo.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UndoSummary {
    /// Things deleted now.
    pub removed: usize,
    /// Things that were gone already.
    pub gone: usize,
    /// Steps that were left, and why.
    pub left: BTreeMap<String, String>,
    /// Whether the user stopped it.
    pub interrupted: bool,
}

/// The steps that an undo would take back, latest first.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Undoable {
    /// Those on things of the plan, and things of its own.
    pub own: Vec<Step>,
    /// Subscriptions to topics that the plan did not create, and statements in their policies.
    pub on_shared_topics: Vec<Step>,
}

impl Undoable {
    /// What a journal says.
    pub fn of(journal: &Journal) -> Self {
        let ours = Ours::of(journal);
        let steps = standing(journal).into_iter().map(|record| record.step);
        let (on_shared_topics, own) = steps.partition(|step| match &step.change {
            Change::Subscribe(subscription) => !ours.topics.contains(&subscription.topic_arn),
            // A topic of the plan has its policy from the beginning.
            Change::AddTopicStatement(_) => true,
            Change::PutMetricFilter(_) | Change::CreateTopic(_) | Change::PutMetricAlarm(_) => {
                false
            }
        });
        Self {
            own,
            on_shared_topics,
        }
    }

    /// All of them.
    pub fn steps(&self) -> impl Iterator<Item = &Step> {
        self.own.iter().chain(&self.on_shared_topics)
    }
}

fn standing(journal: &Journal) -> Vec<StepRecord> {
    let mut records: Vec<_> = journal
        .steps()
        .into_iter()
        .filter(|record| matches!(record.state, StepState::Created(_) | StepState::Uncertain))
        .cloned()
        .collect();
    records.reverse();
    records
}

/// Takes back what a journal says was created.
pub async fn undo(
    cloud: &impl Cloud,
    journal: &mut Journal,
    options: UndoOptions,
    on_event: impl FnMut(UndoEvent) -> ControlFlow<()> + Send,
) -> Result<UndoSummary, JournalError> {
    let records = standing(journal);
    let ours = Ours::of(journal);
    let mut places: BTreeMap<(AccountId, Region), Vec<StepRecord>> = BTreeMap::new();
    for record in records {
        places
            .entry((record.step.account, record.step.region.clone()))
            .or_default()
            .push(record);
    }
    let work = Work {
        cloud,
        options,
        ours,
        shared: Mutex::new(Shared {
            journal,
            on_event: Box::new(on_event),
            summary: UndoSummary::default(),
            topics_of_left: BTreeSet::new(),
            left_alarms: BTreeMap::new(),
            failed: None,
        }),
    };
    // Alarms first, everywhere: what an alarm that is left depends on is left as well, be it in
    // another account.
    let (alarms, others) = apart(places);
    work.take_all_back(alarms).await;
    work.take_all_back(others).await;
    let shared = work
        .shared
        .into_inner()
        .unwrap_or_else(PoisonError::into_inner);
    match shared.failed {
        Some(error) => Err(error),
        None => Ok(shared.summary),
    }
}

/// What this plan created: others may not rely on these, but these may rely on each other.
#[derive(Default)]
struct Ours {
    /// The plan's id.
    plan: String,
    alarms: BTreeSet<AlarmKey>,
    topics: BTreeSet<String>,
    subscriptions: BTreeSet<(String, String, String)>,
    /// The accounts whose alarms it made, by the topic that these notify.
    accounts_of: BTreeMap<String, BTreeSet<AccountId>>,
}

impl Ours {
    /// Everything that the whole journal made, also what was taken back: AWS may keep an
    /// unconfirmed subscription until its topic is gone.
    fn of(journal: &Journal) -> Self {
        let mut ours = Self {
            plan: journal.header().plan.clone(),
            ..Self::default()
        };
        for record in journal.steps() {
            if record.state != StepState::NotCreated {
                ours.add(&record.step);
            }
        }
        ours
    }

    fn add(&mut self, step: &Step) {
        match &step.change {
            Change::PutMetricAlarm(alarm) => {
                self.alarms
                    .insert((step.account, step.region.clone(), alarm.name.clone()));
                let accounts = self.accounts_of.entry(alarm.topic_arn.clone()).or_default();
                accounts.insert(step.account);
            }
            Change::CreateTopic(topic) => {
                self.topics.insert(topic.arn.clone());
            }
            Change::Subscribe(subscription) => {
                self.subscriptions.insert((
                    subscription.topic_arn.clone(),
                    subscription.protocol.as_str().to_owned(),
                    subscription.endpoint.clone(),
                ));
            }
            Change::PutMetricFilter(_) | Change::AddTopicStatement(_) => {}
        }
    }
}

struct Work<'a, C> {
    cloud: &'a C,
    options: UndoOptions,
    ours: Ours,
    shared: Mutex<Shared<'a>>,
}

struct Shared<'a> {
    journal: &'a mut Journal,
    on_event: Box<dyn FnMut(UndoEvent) -> ControlFlow<()> + Send + 'a>,
    summary: UndoSummary,
    /// The topics of subscriptions that were left.
    topics_of_left: BTreeSet<String>,
    /// The alarms that were left, and the topics they notify.
    left_alarms: BTreeMap<AlarmKey, BTreeSet<String>>,
    failed: Option<JournalError>,
}

/// Which alarm.
type AlarmKey = (AccountId, Region, String);

/// Records by where they are.
type Places = Vec<Vec<StepRecord>>;

/// What is to be done about a step.
enum Verdict {
    Remove(Mutation),
    /// Goes away with its topic.
    WithTopic,
    Gone,
    Left(String),
}

/// How far the clock of AWS and the one that wrote the journal may be apart. AWS refuses requests
/// whose time is off by more than five minutes; trailproof corrects its own.
const CLOCK_SKEW: SignedDuration = SignedDuration::from_mins(15);

/// Why something cannot be what a step made: it was there before.
fn older(created_at: Option<Timestamp>, record: &StepRecord) -> Option<String> {
    let created_at = created_at?;
    let earliest = record.intended_at.checked_sub(CLOCK_SKEW).ok()?;
    (created_at < earliest).then(|| {
        format!(
            "it has been there since {}, before the plan was applied, so trailproof did not make it",
            created_at.strftime("%Y-%m-%d %H:%M UTC")
        )
    })
}

/// The alarms of each place, and the rest.
fn apart(places: BTreeMap<(AccountId, Region), Vec<StepRecord>>) -> (Places, Places) {
    places
        .into_values()
        .map(|records| {
            records.into_iter().partition::<Vec<_>, _>(|record| {
                matches!(record.step.change, Change::PutMetricAlarm(_))
            })
        })
        .unzip()
}

impl<C: Cloud> Work<'_, C> {
    fn shared<T>(&self, act: impl FnOnce(&mut Shared<'_>) -> T) -> T {
        act(&mut self.shared.lock().unwrap_or_else(PoisonError::into_inner))
    }

    async fn take_all_back(&self, places: Places) {
        futures::stream::iter(places)
            .for_each_concurrent(self.options.concurrency.max(1), |records| async move {
                for record in records {
                    if self.is_over() {
                        return;
                    }
                    self.take_back(record).await;
                }
            })
            .await;
    }

    fn is_over(&self) -> bool {
        self.shared(|shared| shared.summary.interrupted || shared.failed.is_some())
    }

    fn write_down(&self, entry: Entry) -> bool {
        self.shared(|shared| {
            if shared.failed.is_some() {
                return false;
            }
            match shared.journal.append((self.options.clock)(), entry) {
                Ok(()) => true,
                Err(error) => {
                    shared.failed = Some(error);
                    false
                }
            }
        })
    }

    fn tell(&self, step: Step, outcome: UndoOutcome) {
        self.shared(|shared| {
            match &outcome {
                UndoOutcome::Removed => shared.summary.removed += 1,
                UndoOutcome::Gone => shared.summary.gone += 1,
                UndoOutcome::Left(reason) => {
                    shared.summary.left.insert(step.id.clone(), reason.clone());
                    match &step.change {
                        Change::Subscribe(subscription) => {
                            let topic = subscription.topic_arn.clone();
                            shared.topics_of_left.insert(topic);
                        }
                        // Where nobody saw what it notifies now, it is what it was created with.
                        Change::PutMetricAlarm(alarm) => {
                            let key = (step.account, step.region.clone(), alarm.name.clone());
                            let topic = alarm.topic_arn.clone();
                            let topics = || BTreeSet::from([topic]);
                            shared.left_alarms.entry(key).or_insert_with(topics);
                        }
                        Change::PutMetricFilter(_)
                        | Change::CreateTopic(_)
                        | Change::AddTopicStatement(_) => {}
                    }
                }
            }
            if (shared.on_event)(UndoEvent { step, outcome }).is_break() {
                shared.summary.interrupted = true;
            }
        });
    }

    async fn take_back(&self, record: StepRecord) {
        let verdict = match self.look(&record).await {
            Ok(verdict) => verdict,
            Err(unreadable) => Verdict::Left(unreadable.to_string()),
        };
        let step = record.step;
        let done = || Entry::Undone {
            step: step.id.clone(),
        };
        let outcome = match verdict {
            Verdict::Left(reason) => UndoOutcome::Left(reason),
            Verdict::Gone => {
                if !self.write_down(done()) {
                    return;
                }
                UndoOutcome::Gone
            }
            Verdict::WithTopic => {
                if !self.write_down(done()) {
                    return;
                }
                UndoOutcome::Removed
            }
            Verdict::Remove(mutation) => {
                let intent = Entry::UndoIntent {
                    step: step.id.clone(),
                };
                if !self.write_down(intent) {
                    return;
                }
                let action = mutation.action();
                match self
                    .cloud
                    .change(step.account, &step.region, mutation)
                    .await
                {
                    Ok(_) => {
                        if !self.write_down(done()) {
                            return;
                        }
                        UndoOutcome::Removed
                    }
                    // Somebody was faster, or the answer to an earlier attempt was lost.
                    Err(CallFailure { error, uncertain })
                        if error.class == ErrorClass::NotFound =>
                    {
                        if !self.write_down(done()) {
                            return;
                        }
                        if uncertain {
                            UndoOutcome::Removed
                        } else {
                            UndoOutcome::Gone
                        }
                    }
                    Err(CallFailure { error, .. }) => UndoOutcome::Left(format!(
                        "{action} failed: {}: {}",
                        error.code, error.message
                    )),
                }
            }
        };
        self.tell(step, outcome);
    }

    async fn look(&self, record: &StepRecord) -> Result<Verdict, Unreadable> {
        let step = &record.step;
        match &step.change {
            Change::PutMetricFilter(filter) => self.look_at_filter(record, filter).await,
            Change::CreateTopic(topic) => self.look_at_topic(step, topic, &record.state).await,
            Change::Subscribe(subscription) => {
                self.look_at_subscription(record, subscription).await
            }
            Change::PutMetricAlarm(alarm) => self.look_at_alarm(step, alarm).await,
            Change::AddTopicStatement(statement) => self.look_at_statement(step, statement).await,
        }
    }

    async fn look_at_filter(
        &self,
        record: &StepRecord,
        filter: &MetricFilter,
    ) -> Result<Verdict, Unreadable> {
        let (account, region) = (record.step.account, &record.step.region);
        let filters =
            metric_filter::present(self.cloud, account, region, &filter.log_group).await?;
        let Some(there) = filters.get(&filter.name) else {
            return Ok(Verdict::Gone);
        };
        if !filter.is(&there.filter) {
            return Ok(Verdict::Left(
                "it was changed after trailproof created it".to_owned(),
            ));
        }
        if let Some(reason) = older(there.created_at, record) {
            return Ok(Verdict::Left(reason));
        }
        let alarms = alarm::present(self.cloud, account, region).await?;
        let mut watchers = alarms.iter().filter(|(_, alarm)| alarm.watches(filter));
        let watcher = watchers.find_map(|(name, _)| {
            let key = (account, region.clone(), name.clone());
            if self.is_left(&key) {
                Some(format!("alarm `{name}`, which is left, watches its metric"))
            } else if self.ours.alarms.contains(&key) || record.watched_by.contains(name) {
                None
            } else {
                Some(format!(
                    "alarm `{name}`, which came later and is not trailproof's, watches its metric"
                ))
            }
        });
        Ok(match watcher {
            Some(reason) => Verdict::Left(reason),
            None => Verdict::Remove(Mutation::DeleteMetricFilter {
                log_group: filter.log_group.clone(),
                name: filter.name.clone(),
            }),
        })
    }

    async fn look_at_alarm(&self, step: &Step, alarm: &Alarm) -> Result<Verdict, Unreadable> {
        let alarms = alarm::present(self.cloud, step.account, &step.region).await?;
        let Some(there) = alarms.get(&alarm.name) else {
            return Ok(Verdict::Gone);
        };
        let verdict = if alarm.description.contains(&Plan::marker(&self.ours.plan)) {
            Self::about_alarm(alarm, there, &alarms)
        } else {
            Verdict::Left(
                "its description does not name this plan, so it may not be trailproof's".to_owned(),
            )
        };
        if matches!(verdict, Verdict::Left(_)) {
            let key = (step.account, step.region.clone(), alarm.name.clone());
            let topics = there.notified().map(str::to_owned).collect();
            self.shared(|shared| shared.left_alarms.insert(key, topics));
        }
        Ok(verdict)
    }

    fn about_alarm(
        alarm: &Alarm,
        there: &alarm::Present,
        alarms: &BTreeMap<String, alarm::Present>,
    ) -> Verdict {
        if !alarm.is(there) {
            return Verdict::Left("it was changed after trailproof created it".to_owned());
        }
        match alarms.iter().find(|(_, other)| other.names(there)) {
            Some((name, _)) => Verdict::Left(format!("the composite alarm `{name}` names it")),
            None => Verdict::Remove(Mutation::DeleteAlarm {
                name: alarm.name.clone(),
            }),
        }
    }

    fn is_left(&self, alarm: &AlarmKey) -> bool {
        self.shared(|shared| shared.left_alarms.contains_key(alarm))
    }

    /// An alarm that is left and notifies a topic.
    fn left_alarm_of(&self, topic: &str) -> Option<String> {
        self.shared(|shared| {
            let mut left = shared.left_alarms.iter();
            left.find(|(_, topics)| topics.contains(topic))
                .map(|((_, _, name), _)| name.clone())
        })
    }
}
