//! Telling states of the evidence apart, so that what was made from one can be used for as long as
//! nothing that it rests on has changed.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::atomic::{AtomicU64, Ordering};

use super::Operation;
use super::store::CallSite;
use crate::account::{AccountId, Region};
use crate::arn::Arn;

/// What is looked up together and changes together: the answers to one operation about the
/// resources of one account in one region, or about one of them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Subject {
    operation: Operation,
    /// Whose resources; `None` for those of the organization, and of ARNs without an account.
    account: Option<AccountId>,
    /// Where; `None` where the look-up goes over all regions.
    region: Option<Region>,
    /// A digest of the resource's name, where the answers are about one resource: an account that
    /// watches for thousands has thousands of them. Two of one digest only change together.
    resource: Option<u64>,
}

impl Subject {
    /// The answers to an operation, whoever asked about whatever.
    pub(super) fn all(operation: Operation) -> Self {
        Self {
            operation,
            account: None,
            region: None,
            resource: None,
        }
    }

    /// The answers about an account, in all regions.
    pub(super) fn account(operation: Operation, account: AccountId) -> Self {
        Self {
            operation,
            account: Some(account),
            region: None,
            resource: None,
        }
    }

    /// The answers about an account's resources in one region.
    pub(super) fn site(operation: Operation, site: &CallSite) -> Self {
        Self {
            operation,
            account: Some(site.account),
            region: Some(site.region.clone()),
            resource: None,
        }
    }

    /// The answers about one of the resources of an account in a region, by its name.
    pub(super) fn named(operation: Operation, site: &CallSite, name: &str) -> Self {
        Self {
            resource: Some(digest(name)),
            ..Self::site(operation, site)
        }
    }

    /// The answers about a resource, by its ARN.
    pub(super) fn arn(operation: Operation, arn: &str) -> Self {
        let resource = Some(digest(arn));
        let arn = arn.parse::<Arn>().ok();
        Self {
            operation,
            account: arn.as_ref().and_then(Arn::account),
            region: arn.as_ref().and_then(Arn::region),
            resource,
        }
    }
}

fn digest(name: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    name.hash(&mut hasher);
    hasher.finish()
}

/// What an answer changes: what it is about and, where it tells of others, too, these.
#[derive(Debug)]
pub(super) struct Changes {
    first: Subject,
    further: Vec<Subject>,
}

impl From<Subject> for Changes {
    fn from(first: Subject) -> Self {
        Self {
            first,
            further: Vec::new(),
        }
    }
}

impl Changes {
    /// Something else that changes.
    pub(super) fn and(&mut self, subject: Subject) {
        self.further.push(subject);
    }

    pub(super) fn subjects(self) -> impl Iterator<Item = Subject> {
        std::iter::once(self.first).chain(self.further)
    }
}

/// A state of what is known about something. Two that are equal are one state, in whatever store:
/// every change draws a number that no other change in the process has. Zero is knowing nothing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Mark(u64);

impl Mark {
    fn next() -> Self {
        static LAST: AtomicU64 = AtomicU64::new(0);
        Self(LAST.fetch_add(1, Ordering::Relaxed) + 1)
    }
}

/// The state of everything that something may rest on.
#[derive(Debug, Clone, Default)]
pub(super) struct Marks(HashMap<Subject, Mark>);

impl Marks {
    /// Something new is known.
    pub(super) fn change(&mut self, subject: Subject) {
        self.0.insert(subject, Mark::next());
    }

    pub(super) fn of(&self, subject: &Subject) -> Mark {
        self.0.get(subject).copied().unwrap_or_default()
    }
}
