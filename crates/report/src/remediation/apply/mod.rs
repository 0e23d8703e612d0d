//! Carrying a plan out.
//!
//! Sites are independent of each other: one that cannot be repaired never stops another. Within an
//! account and region they are worked on one after the other, because they share quotas and may
//! share a topic. Everything is looked at before anything is changed, and written down before and
//! after.

mod central;
mod check;
mod current;
mod decide;
mod feeding;
mod site;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use std::sync::{Mutex, PoisonError};

use futures::StreamExt as _;
use jiff::Timestamp;
use trailproof_core::account::{AccountId, Region};
use trailproof_core::control::Control;

use super::cloud::Cloud;
use super::journal::{Entry, Journal, JournalError, StepRecord};
use super::plan::{Plan, Site, Step};
use super::resources::{Change, topic};

/// How to carry a plan out.
#[derive(Debug, Clone, Copy)]
pub struct ApplyOptions {
    /// How many accounts are worked on at once.
    pub concurrency: usize,
    /// Look and decide, but change nothing and write nothing.
    pub dry_run: bool,
    /// The time of journal entries.
    pub clock: fn() -> Timestamp,
}

/// What happens while a plan is carried out.
#[derive(Debug, Clone, PartialEq)]
pub enum ApplyEvent {
    /// A step came to an end.
    Step {
        /// The step, with the names it was given in the end.
        step: Box<Step>,
        /// What came of it.
        outcome: StepOutcome,
    },
    /// Nothing is changed at a site, or nothing more.
    SiteLeft {
        /// The site.
        site: String,
        /// Why.
        reason: String,
        /// Whether steps of the site were carried out before.
        halfway: bool,
    },
    /// Everything a site needs is there.
    SiteDone {
        /// The site.
        site: String,
    },
    /// Something worth knowing that stops nothing.
    Note {
        /// The site.
        site: String,
        /// What.
        message: String,
    },
}

/// What came of a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StepOutcome {
    /// Created now.
    Created,
    /// Would be created, were this not a dry run.
    WouldCreate,
    /// Created by this plan before.
    Ours,
    /// It is there, and somebody else made it.
    AlreadyThere,
    /// Not created.
    Failed(String),
}

/// What came of a plan.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ApplyOutcome {
    /// Steps carried out now; in a dry run, steps that would be.
    pub created: usize,
    /// Steps whose result was there already.
    pub there: usize,
    /// Sites at which everything is there now.
    pub done: BTreeSet<String>,
    /// Sites that were left, and why.
    pub left: BTreeMap<String, String>,
    /// Whether the user stopped it.
    pub interrupted: bool,
}

/// Carries a plan out. An error means that the journal could not be written: then nothing more
/// was changed.
pub async fn apply(
    cloud: &impl Cloud,
    plan: &Plan,
    controls: &[Control],
    journal: &mut Journal,
    options: ApplyOptions,
    on_event: impl FnMut(ApplyEvent) -> ControlFlow<()> + Send,
) -> Result<ApplyOutcome, JournalError> {
    let mut places: BTreeMap<(AccountId, &Region), Vec<&Site>> = BTreeMap::new();
    for site in &plan.sites {
        places
            .entry((site.account, &site.region))
            .or_default()
            .push(site);
    }
    let work = Work {
        cloud,
        plan,
        controls,
        options,
        created_topics: plan
            .steps()
            .filter_map(|step| Some(step.change.created_topic()?.arn.as_str()))
            .chain(plan.topics.iter().map(|topic| topic.arn.as_str()))
            .collect(),
        central: Mutex::default(),
        shared: Mutex::new(Shared {
            journal,
            on_event: Box::new(on_event),
            outcome: ApplyOutcome::default(),
            failed: None,
        }),
    };
    let work_ref = &work;
    let concurrency = options.concurrency.max(1);
    let central = futures::stream::iter(&plan.topics).map(|topic| async move {
        let actual = central::prepare(work_ref, topic).await?;
        Some((topic.arn.clone(), actual))
    });
    let central: Vec<_> = central.buffer_unordered(concurrency).collect().await;
    let central: BTreeMap<String, String> = central.into_iter().flatten().collect();
    let central = &central;
    futures::stream::iter(places.into_values())
        .for_each_concurrent(concurrency, |sites| async move {
            let mut topics = central.clone();
            for site in sites {
                if work_ref.is_over() {
                    return;
                }
                site::repair(work_ref, site, &mut topics).await;
            }
        })
        .await;
    let shared = work
        .shared
        .into_inner()
        .unwrap_or_else(PoisonError::into_inner);
    match shared.failed {
        Some(error) => Err(error),
        None => Ok(shared.outcome),
    }
}

/// What every site's work needs.
struct Work<'a, C> {
    cloud: &'a C,
    plan: &'a Plan,
    controls: &'a [Control],
    options: ApplyOptions,
    /// The ARNs, as planned, of the topics that the plan creates and of central ones.
    created_topics: BTreeSet<&'a str>,
    /// Central topics as they are since they were brought about, by their real ARNs.
    central: Mutex<BTreeMap<String, topic::Present>>,
    shared: Mutex<Shared<'a>>,
}

struct Shared<'a> {
    journal: &'a mut Journal,
    on_event: Box<dyn FnMut(ApplyEvent) -> ControlFlow<()> + Send + 'a>,
    outcome: ApplyOutcome,
    failed: Option<JournalError>,
}

/// The journal cannot be written: nothing may be changed any more.
struct JournalLost;

impl<C: Cloud> Work<'_, C> {
    fn shared<T>(&self, act: impl FnOnce(&mut Shared<'_>) -> T) -> T {
        act(&mut self.shared.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Whether to stop: the user wants to, or the journal cannot be written.
    fn is_over(&self) -> bool {
        self.shared(|shared| shared.outcome.interrupted || shared.failed.is_some())
    }

    fn tell(&self, event: ApplyEvent) {
        self.shared(|shared| {
            match &event {
                ApplyEvent::Step { outcome, .. } => match outcome {
                    StepOutcome::Created | StepOutcome::WouldCreate => shared.outcome.created += 1,
                    StepOutcome::Ours | StepOutcome::AlreadyThere => shared.outcome.there += 1,
                    StepOutcome::Failed(_) => {}
                },
                ApplyEvent::SiteLeft { site, reason, .. } => {
                    shared.outcome.left.insert(site.clone(), reason.clone());
                }
                ApplyEvent::SiteDone { site } => {
                    shared.outcome.done.insert(site.clone());
                }
                ApplyEvent::Note { .. } => {}
            }
            if (shared.on_event)(event).is_break() {
                shared.outcome.interrupted = true;
            }
        });
    }

    /// Writes through to the disk, or stops everything.
    fn write_down(&self, entry: Entry) -> Result<(), JournalLost> {
        self.shared(|shared| {
            if shared.failed.is_some() {
                return Err(JournalLost);
            }
            shared
                .journal
                .append((self.options.clock)(), entry)
                .map_err(|error| {
                    shared.failed = Some(error);
                    JournalLost
                })
        })
    }

    fn keep_topic(&self, arn: &str, there: topic::Present) {
        let mut central = self.central.lock().unwrap_or_else(PoisonError::into_inner);
        central.insert(arn.to_owned(), there);
    }

    fn kept_topic(&self, arn: &str) -> Option<topic::Present> {
        let central = self.central.lock().unwrap_or_else(PoisonError::into_inner);
        central.get(arn).cloned()
    }

    /// Why a topic that a site needs is not there.
    fn why_missing(&self, topic: &str) -> String {
        let left = self.shared(|shared| shared.outcome.left.get(topic).cloned());
        left.map_or_else(
            || format!("the topic `{topic}` that it needs was not created"),
            |reason| format!("the topic `{topic}` that it needs was left: {reason}"),
        )
    }

    /// Whether a dry run would add to the policy of a topic.
    fn would_change_policy(&self, topic: &str) -> bool {
        self.options.dry_run
            && self.plan.topics.iter().flat_map(|topic| &topic.steps).any(|step| {
                matches!(&step.change, Change::AddTopicStatement(added) if added.topic_arn == topic)
            })
    }

    fn record(&self, step: &str) -> Option<StepRecord> {
        self.shared(|shared| shared.journal.step(step).cloned())
    }
}
