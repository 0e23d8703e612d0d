//! Telling states of the evidence apart, so that what was made from one can be used for as long as
//! nothing that it rests on has changed.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};

use super::{Evidence, Operation};
use crate::account::AccountId;

/// A state of what is known about something. Two that are equal are one state, in whatever store:
/// every change draws a number that no other change in the process has. Zero is knowing nothing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Mark(u64);

impl Mark {
    fn next() -> Self {
        static LAST: AtomicU64 = AtomicU64::new(0);
        Self(LAST.fetch_add(1, Ordering::Relaxed) + 1)
    }
}

/// What is known about an account, in two parts that change at different times.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Part {
    /// Its trails and the log groups that they deliver to.
    Trails,
    /// Everything that hangs on a log group: metric filters, alarms, topics.
    Alarms,
}

/// The state of everything that something may rest on.
#[derive(Debug, Clone, Default)]
pub(super) struct Marks {
    /// Of the organization, and of whatever belongs to no account.
    organization: Mark,
    accounts: HashMap<(AccountId, Part), Mark>,
}

impl Marks {
    /// Takes note of what a call told: about the account that made it, and about the account whose
    /// resource it asked for.
    pub(super) fn told(
        &mut self,
        operation: Operation,
        caller: AccountId,
        owner: Option<AccountId>,
    ) {
        let part = match operation {
            Operation::DescribeOrganization
            | Operation::ListAccounts
            | Operation::ListDelegatedAdministrators => return self.everything(),
            Operation::AssumeRole => {
                return match owner {
                    Some(entered) => self.entered(entered),
                    None => self.everything(),
                };
            }
            Operation::DescribeTrails
            | Operation::GetTrailStatus
            | Operation::GetEventSelectors
            | Operation::DescribeLogGroups => Part::Trails,
            Operation::DescribeMetricFilters
            | Operation::DescribeAlarms
            | Operation::ListAlarmMuteRules
            | Operation::GetTopicAttributes
            | Operation::ListSubscriptionsByTopic => Part::Alarms,
            // Read whenever they are needed.
            Operation::GetCallerIdentity
            | Operation::ListRegions
            | Operation::ListTagsForResource => return,
        };
        self.change(caller, part);
        match owner {
            Some(owner) if owner == caller => {}
            Some(owner) => self.change(owner, part),
            None => self.everything(),
        }
    }

    /// Takes note of how entering an account went.
    pub(super) fn entered(&mut self, account: AccountId) {
        self.change(account, Part::Trails);
        self.change(account, Part::Alarms);
    }

    /// Anything may have changed.
    pub(super) fn everything(&mut self) {
        self.organization = Mark::next();
    }

    fn change(&mut self, account: AccountId, part: Part) {
        self.accounts.insert((account, part), Mark::next());
    }

    fn of(&self, account: AccountId, part: Part) -> Mark {
        self.accounts
            .get(&(account, part))
            .copied()
            .unwrap_or_default()
    }
}

/// What something was made from: the organization, and a part of some accounts.
#[derive(Debug, Clone)]
pub(crate) struct Basis {
    part: Part,
    organization: Mark,
    accounts: Box<[(AccountId, Mark)]>,
}

impl Basis {
    /// The evidence as it is.
    pub(crate) fn of(
        evidence: &Evidence,
        part: Part,
        accounts: impl IntoIterator<Item = AccountId>,
    ) -> Self {
        let marks = &evidence.marks;
        Self {
            part,
            organization: marks.organization,
            accounts: accounts
                .into_iter()
                .map(|account| (account, marks.of(account, part)))
                .collect(),
        }
    }

    /// Whether the evidence still says the same.
    pub(crate) fn holds(&self, evidence: &Evidence) -> bool {
        let marks = &evidence.marks;
        self.organization == marks.organization
            && self
                .accounts
                .iter()
                .all(|(account, mark)| marks.of(*account, self.part) == *mark)
    }
}
