//! Sending findings to AWS Security Hub, each as the account that it is about: with the default
//! product, Security Hub takes findings from nobody else, administrators included (Security Hub API
//! Reference, `BatchImportFindings`).
//!
//! What Security Hub has of ours is asked first, so a second time updates and never doubles: a
//! finding keeps its id, and its time is that of the run's judgement. Nothing else is changed: no
//! finding of anybody else, and no setting. Without the cargo feature `publish` none of this is
//! compiled.

mod decide;
mod hub;
mod journal;
mod members;

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::{Mutex, PoisonError};

use futures::StreamExt as _;
use jiff::Timestamp;
use trailproof_core::account::{AccountId, Region};
use trailproof_core::evidence::CallError;
use trailproof_core::finding::{Finding, Status};
use trailproof_scanner::Access;

use crate::findings::by_account;
use crate::formats::asff::{self, Writer};
use crate::past::PastRun;
use decide::{Decision, Kind, decide};
pub use hub::ACTIONS;
use hub::Hub;
use journal::Entry;
pub use journal::{Journal, PublishJournalError, Refusal, digest};
pub use members::Members;

/// How findings are sent.
#[derive(Debug, Clone, Copy)]
pub struct PublishOptions {
    /// How many accounts are worked on at once.
    pub concurrency: usize,
    /// Ask and decide, but send and write nothing.
    pub dry_run: bool,
    /// Whether findings that were published before and are not in the report are put away.
    pub archive: bool,
    /// The time of journal entries.
    pub clock: fn() -> Timestamp,
}

/// What came of the findings of an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountOutcome {
    /// The account.
    pub account: AccountId,
    /// Its name. Untrusted text.
    pub name: Option<String>,
    /// Findings that Security Hub did not have.
    pub new: usize,
    /// Findings that it had, and has anew.
    pub updated: usize,
    /// Findings that were put away, because they are not in the report or not about the account.
    pub archived: usize,
    /// Findings that it has just so.
    pub unchanged: usize,
    /// Findings of which it has a later judgement, which is left alone.
    pub later: usize,
    /// Findings that it did not take.
    pub refused: Vec<Refusal>,
    /// Why nothing was sent, or nothing more.
    pub left: Option<Left>,
}

/// Why nothing was sent for an account, or nothing more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Left {
    /// It cannot be entered, or is not ours, or no finding is about it: why. Untrusted text.
    Skipped(String),
    /// An earlier attempt, which was interrupted, had sent everything.
    SentBefore,
    /// A call failed.
    Failed {
        /// The action, as policies name it.
        action: &'static str,
        /// Why.
        error: CallError,
    },
    /// The user stopped it.
    Interrupted,
}

impl AccountOutcome {
    fn of(finding: &Finding) -> Self {
        Self {
            account: finding.account.id,
            name: finding.account.name.clone(),
            new: 0,
            updated: 0,
            archived: 0,
            unchanged: 0,
            later: 0,
            refused: Vec::new(),
            left: None,
        }
    }

    /// How many findings were sent and taken; in a dry run, how many would be sent.
    pub fn sent(&self) -> usize {
        self.new + self.updated + self.archived
    }

    /// Whether everything that should be is in Security Hub.
    pub fn is_whole(&self) -> bool {
        let left = matches!(self.left, Some(Left::Failed { .. } | Left::Interrupted));
        self.refused.is_empty() && !left
    }
}

/// Sends the findings of a run to the Security Hub of a region. Accounts are independent of each
/// other. Each outcome is told as it is there, and all are given in the end, by account. An error
/// means that the journal could not be written: then nothing more was sent.
pub async fn publish(
    access: &Access,
    PastRun { run, findings }: &PastRun,
    region: &Region,
    members: &Members,
    journal: &mut Journal,
    options: PublishOptions,
    on_outcome: impl FnMut(&AccountOutcome) -> ControlFlow<()> + Send,
) -> Result<BTreeMap<AccountId, AccountOutcome>, PublishJournalError> {
    let writer = Writer::new(run, Some(region.clone()));
    let work = Work {
        hub: Hub::new(access, &writer),
        writer: &writer,
        members,
        options,
        // Of a run that is not complete nobody knows what it would have found.
        archive: options.archive && run.complete,
        shared: Mutex::new(Shared {
            journal,
            on_outcome: Box::new(on_outcome),
            outcomes: BTreeMap::new(),
            interrupted: false,
            failed: None,
        }),
    };
    futures::stream::iter(by_account(findings))
        .for_each_concurrent(options.concurrency.max(1), |findings| {
            work.account(findings)
        })
        .await;
    let finished = work.finish();
    let Shared {
        outcomes, failed, ..
    } = work
        .shared
        .into_inner()
        .unwrap_or_else(PoisonError::into_inner);
    match failed {
        Some(error) => Err(error),
        None => finished.map(|()| outcomes),
    }
}

/// Who is told of each outcome, and may stop everything.
type Tell<'a> = Box<dyn FnMut(&AccountOutcome) -> ControlFlow<()> + Send + 'a>;

/// What the work on every account needs.
struct Work<'a> {
    hub: Hub<'a>,
    writer: &'a Writer<'a>,
    members: &'a Members,
    options: PublishOptions,
    archive: bool,
    shared: Mutex<Shared<'a>>,
}

struct Shared<'a> {
    journal: &'a mut Journal,
    on_outcome: Tell<'a>,
    outcomes: BTreeMap<AccountId, AccountOutcome>,
    interrupted: bool,
    failed: Option<PublishJournalError>,
}

impl Work<'_> {
    fn shared<T>(&self, act: impl FnOnce(&mut Shared<'_>) -> T) -> T {
        act(&mut self.shared.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Whether to stop: the user wants to, or the journal cannot be written.
    fn is_over(&self) -> bool {
        self.shared(|shared| shared.interrupted || shared.failed.is_some())
    }

    /// Writes through to the disk, or stops everything.
    fn write_down(&self, entry: Entry) {
        if self.options.dry_run {
            return;
        }
        self.shared(|shared| {
            if shared.failed.is_none() {
                let written = shared.journal.append((self.options.clock)(), entry);
                shared.failed = written.err();
            }
        });
    }

    /// The findings of one account.
    async fn account(&self, findings: &[Finding]) {
        let Some(first) = findings.first() else {
            return;
        };
        let mut outcome = AccountOutcome::of(first);
        outcome.left = self.send(findings, first, &mut outcome).await;
        if outcome.is_whole() && !self.is_over() {
            self.write_down(Entry::Done {
                account: outcome.account,
            });
        }
        self.shared(|shared| {
            if (shared.on_outcome)(&outcome).is_break() {
                shared.interrupted = true;
            }
            shared.outcomes.insert(outcome.account, outcome);
        });
    }

    async fn send(
        &self,
        findings: &[Finding],
        first: &Finding,
        outcome: &mut AccountOutcome,
    ) -> Option<Left> {
        let account = outcome.account;
        // Nobody can enter an account that is suspended or closed.
        if findings
            .iter()
            .all(|finding| finding.status == Status::NotApplicable)
        {
            return Some(Left::Skipped(first.message.to_string()));
        }
        if let Some(why) = self.members.why_not(account) {
            return Some(Left::Skipped(why));
        }
        if self.is_over() {
            return Some(Left::Interrupted);
        }
        if self.shared(|shared| shared.journal.is_done(account)) {
            return Some(Left::SentBefore);
        }
        let stored = match self.hub.stored(account).await {
            Ok(stored) => stored,
            Err(error) => return Some(Left::failed(hub::GET, error)),
        };
        let Decision {
            sending,
            unchanged,
            later,
        } = decide(self.writer, findings, &stored, self.archive);
        outcome.unchanged = unchanged;
        outcome.later = later;
        let kinds: BTreeMap<String, Kind> = sending
            .iter()
            .map(|(kind, finding)| (decide::id(finding).to_owned(), *kind))
            .collect();
        let (fitting, large): (Vec<_>, Vec<_>) = sending
            .into_iter()
            .map(|(_, finding)| finding)
            .partition(|finding| finding.to_string().len() <= asff::FINDING_BYTES);
        outcome.refused.extend(
            large
                .iter()
                .map(|finding| Refusal::too_large(decide::id(finding))),
        );
        for request in asff::requests(fitting) {
            if self.is_over() {
                return Some(Left::Interrupted);
            }
            let ids: Vec<String> = request
                .iter()
                .map(|finding| decide::id(finding).to_owned())
                .collect();
            let refused = if self.options.dry_run {
                Vec::new()
            } else {
                self.write_down(Entry::Sending {
                    account,
                    ids: ids.clone(),
                });
                if self.is_over() {
                    return Some(Left::Interrupted);
                }
                match self.hub.import(account, request).await {
                    Ok(refused) => refused,
                    Err(error) => return Some(Left::failed(hub::IMPORT, error)),
                }
            };
            for id in &ids {
                if refused.iter().any(|refusal| refusal.id == *id) {
                    continue;
                }
                match kinds.get(id) {
                    Some(Kind::New) => outcome.new += 1,
                    Some(Kind::Update) => outcome.updated += 1,
                    Some(Kind::Archive) => outcome.archived += 1,
                    None => {}
                }
            }
            self.write_down(Entry::Sent {
                account,
                taken: ids.len().saturating_sub(refused.len()),
                refused: refused.clone(),
            });
            outcome.refused.extend(refused);
        }
        None
    }

    /// The end of an attempt that was not interrupted: the next one asks everybody again.
    fn finish(&self) -> Result<(), PublishJournalError> {
        if self.is_over() || self.options.dry_run {
            return Ok(());
        }
        let now = (self.options.clock)();
        self.shared(|shared| shared.journal.append(now, Entry::Finished))
    }
}

impl Left {
    fn failed(action: &'static str, error: CallError) -> Self {
        Self::Failed { action, error }
    }
}
