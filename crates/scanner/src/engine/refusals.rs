//! What is not asked again, because it was refused wherever it was asked: each refusal is an event
//! that the alarm for unauthorized calls counts, which the audit is about.
//!
//! A call that was refused to the same role in [`ENOUGH`] accounts and allowed in none is not made
//! again, nor any call in a region that an explicit deny refused in as many accounts and that
//! answered in none. Until one or the other is known, no more accounts than that ask at the same
//! time, and each only one thing; a first answer lets everybody in. Who is answered nothing at all
//! for a second no longer counts among them, so that a region that does not answer is not waited for
//! elsewhere.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use trailproof_core::account::{AccountId, Region};
use trailproof_core::evidence::{ErrorClass, Operation};

use crate::calls::{Failure, Refusal};
use crate::outcome::{NeverAsked, Refused};

/// In how many accounts something has to be refused.
const ENOUGH: usize = 5;

/// How long an answer may take before others try: regions are at most a quarter of it away.
/// Waited for in parts: a process that gets no processor for a while has not seen the answers that
/// came meanwhile, and loses one part only.
const SILENCE: [Duration; 4] = [Duration::from_millis(250); 4];

/// What was refused so far, and what was allowed.
#[derive(Debug, Default)]
pub(crate) struct Refusals {
    /// Regions that the user named: they are asked whatever they say.
    named: BTreeSet<Region>,
    state: Mutex<State>,
    /// Told whenever an answer or a refusal changes who may go on.
    changed: Notify,
}

#[derive(Debug, Default)]
struct State {
    doors: HashMap<Subject, Door>,
    /// The questions that wait, in the order they came.
    waiting: BTreeMap<u64, (AccountId, [Subject; 2])>,
    /// How many have waited so far.
    waited: u64,
}

/// A call, or a region, by the role that is to be asked with.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Subject {
    role: Arc<str>,
    what: Refused,
}

/// Whether something may be asked.
#[derive(Debug)]
enum Door {
    /// Nobody knows yet.
    Undecided(Undecided),
    /// It was allowed somewhere.
    Open,
    /// It was refused in enough accounts.
    Closed(NeverAsked),
}

impl Default for Door {
    fn default() -> Self {
        Self::Undecided(Undecided::default())
    }
}

/// Who tries, and who was refused.
#[derive(Debug, Default)]
struct Undecided {
    trying: BTreeSet<AccountId>,
    refused: BTreeSet<AccountId>,
}

impl State {
    /// Whether a question of an account may pass a door that nobody knows of yet.
    fn admits(&self, subject: &Subject, door: &Undecided, account: AccountId) -> bool {
        if door.refused.contains(&account) {
            // Another account's answer says more than a second one of this account.
            return door.trying.is_empty() && !self.somebody_new_waits(subject);
        }
        !door.trying.contains(&account) && door.trying.len() + door.refused.len() < ENOUGH
    }

    /// Whether an account that was not refused yet waits at a door, and at no other where it was.
    fn somebody_new_waits(&self, subject: &Subject) -> bool {
        self.waiting.values().any(|(account, subjects)| {
            subjects.contains(subject)
                && subjects.iter().all(|subject| {
                    !matches!(
                        self.doors.get(subject),
                        Some(Door::Undecided(door)) if door.refused.contains(account)
                    )
                })
        })
    }
}

/// Leave to ask a question. Dropping it without an answer says nothing about the question.
#[derive(Debug)]
pub(crate) struct Leave<'a> {
    refusals: &'a Refusals,
    account: AccountId,
    /// Whether the region is asked whatever it says.
    named: bool,
    /// The doors that were undecided.
    subjects: Vec<Subject>,
    /// Whether others try in its place.
    aside: bool,
}

/// A question's place among those that wait.
struct Waiting<'a> {
    refusals: &'a Refusals,
    number: u64,
    /// Whether it may ask now. Its answer changes who may go on, its leaving does not: hundreds
    /// that are let in at once would each wake all the others.
    admitted: bool,
}

enum Admission {
    Granted(Vec<Subject>),
    Refused,
    Later,
}

impl Refusals {
    /// Regions that are named are asked whatever they say.
    pub(crate) fn except_in(named: BTreeSet<Region>) -> Self {
        Self {
            named,
            ..Self::default()
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for leave to ask; `None` when the question is not to be asked.
    pub(crate) async fn leave(
        &self,
        role: &Arc<str>,
        account: AccountId,
        operation: Operation,
        region: &Region,
    ) -> Option<Leave<'_>> {
        let subject = |what| Subject {
            role: Arc::clone(role),
            what,
        };
        let subjects = [
            subject(Refused::Operation(operation)),
            subject(Refused::Region(region.clone())),
        ];
        let grant = |subjects| Leave {
            refusals: self,
            account,
            named: self.named.contains(region),
            subjects,
            aside: false,
        };
        // Nearly always: no need to listen for changes.
        match self.admit(&subjects, account) {
            Admission::Granted(subjects) => return Some(grant(subjects)),
            Admission::Refused => return None,
            Admission::Later => {}
        }
        let mut waiting = Waiting::enlist(self, account, subjects.clone());
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            // Listening before looking, so that no change in between is missed.
            changed.as_mut().enable();
            match self.admit(&subjects, account) {
                Admission::Granted(subjects) => {
                    waiting.admitted = true;
                    return Some(grant(subjects));
                }
                Admission::Refused => return None,
                Admission::Later => changed.await,
            }
        }
    }

    fn admit(&self, subjects: &[Subject; 2], account: AccountId) -> Admission {
        let mut state = self.state();
        let mut undecided = Vec::new();
        for subject in subjects {
            if matches!(&subject.what, Refused::Region(region) if self.named.contains(region)) {
                continue;
            }
            match state.doors.get_mut(subject) {
                Some(Door::Open) => {}
                Some(Door::Closed(never)) => {
                    never.questions += 1;
                    return Admission::Refused;
                }
                Some(Door::Undecided(_)) => undecided.push(subject),
                None => {
                    state.doors.insert(subject.clone(), Door::default());
                    undecided.push(subject);
                }
            }
        }
        let admitted = undecided
            .iter()
            .all(|subject| match state.doors.get(*subject) {
                Some(Door::Undecided(door)) => state.admits(subject, door, account),
                _ => true,
            });
        if !admitted {
            return Admission::Later;
        }
        for subject in &undecided {
            if let Some(Door::Undecided(door)) = state.doors.get_mut(*subject) {
                door.trying.insert(account);
            }
        }
        Admission::Granted(undecided.into_iter().cloned().collect())
    }

    /// What was not asked any more, by role, calls first.
    pub(crate) fn never_asked(&self) -> Vec<NeverAsked> {
        let state = self.state();
        let mut never: Vec<NeverAsked> = state
            .doors
            .values()
            .filter_map(|door| match door {
                Door::Closed(never) => Some(never.clone()),
                Door::Open | Door::Undecided(_) => None,
            })
            .collect();
        never.sort_by(|one, other| (&one.role, &one.what).cmp(&(&other.role, &other.what)));
        never
    }
}

impl Leave<'_> {
    /// Waits for the answer. Silence is no refusal: who gets none for a while makes room for others
    /// to try, who may ask elsewhere.
    pub(crate) async fn until<T>(&mut self, answer: impl Future<Output = T>) -> T {
        if self.subjects.is_empty() {
            return answer.await;
        }
        tokio::pin!(answer);
        for part in SILENCE {
            if let Ok(answered) = tokio::time::timeout(part, &mut answer).await {
                return answered;
            }
        }
        self.step_aside();
        answer.await
    }

    fn step_aside(&mut self) {
        if self.subjects.is_empty() || std::mem::replace(&mut self.aside, true) {
            return;
        }
        let mut state = self.refusals.state();
        for subject in &self.subjects {
            if let Some(Door::Undecided(door)) = state.doors.get_mut(subject) {
                door.trying.remove(&self.account);
            }
        }
        drop(state);
        self.refusals.changed.notify_waiters();
    }

    /// Takes note of how it went.
    pub(crate) fn settle(self, answer: Result<(), &Failure>) {
        // Dropping it wakes those that wait.
        let mut state = self.refusals.state();
        let failure = match answer {
            Ok(()) => None,
            // Who may not ask is not told that something is not there.
            Err(failure)
                if matches!(
                    failure.error.class,
                    ErrorClass::NotFound | ErrorClass::Invalid
                ) =>
            {
                None
            }
            Err(failure) => Some(failure),
        };
        let Some(failure) = failure else {
            for subject in &self.subjects {
                state.doors.insert(subject.clone(), Door::Open);
            }
            return;
        };
        // Any other failure says nothing about permissions.
        let Some(refusal) = failure.refusal() else {
            return;
        };
        let explicit = refusal == Refusal::Explicit;
        if explicit && self.named {
            return;
        }
        // What a region refuses altogether says nothing about the call elsewhere.
        let is_region = |subject: &Subject| matches!(subject.what, Refused::Region(_));
        let of_region = explicit && self.subjects.iter().any(is_region);
        for subject in &self.subjects {
            if is_region(subject) != of_region {
                continue;
            }
            let Some(door) = state.doors.get_mut(subject) else {
                continue;
            };
            let Door::Undecided(undecided) = door else {
                continue;
            };
            undecided.refused.insert(self.account);
            if undecided.refused.len() >= ENOUGH {
                *door = Door::Closed(NeverAsked {
                    role: subject.role.to_string(),
                    what: subject.what.clone(),
                    refused_in: undecided.refused.iter().copied().collect(),
                    error: failure.error.clone(),
                    questions: 0,
                });
            }
        }
    }
}

impl Drop for Leave<'_> {
    fn drop(&mut self) {
        self.step_aside();
        // An answer after that changes who may go on, too.
        if !self.subjects.is_empty() {
            self.refusals.changed.notify_waiters();
        }
    }
}

impl<'a> Waiting<'a> {
    fn enlist(refusals: &'a Refusals, account: AccountId, subjects: [Subject; 2]) -> Self {
        let mut state = refusals.state();
        state.waited += 1;
        let number = state.waited;
        state.waiting.insert(number, (account, subjects));
        Self {
            refusals,
            number,
            admitted: false,
        }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.refusals.state().waiting.remove(&self.number);
        if !self.admitted {
            self.refusals.changed.notify_waiters();
        }
    }
}

#[cfg(test)]
mod tests;
