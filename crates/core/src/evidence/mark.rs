//! Telling states of the evidence apart, so that what was made from one can be used for as long as
//! nothing that it rests on has changed.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::atomic::{AtomicU64, Ordering};

use super::Operation;
use super::store::CallSite;
use crate::account::{AccountId, Region};

/// What is looked up together and changes together: the answers to one operation about the
/// resources of one account in one region, or about one of them. Kept as a digest, because there are
/// thousands where an account watches for thousands: two of one digest only change together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Subject(u64);

impl Subject {
    /// Whose resources (`None` for those of the organization), where (`None` where the look-up goes
    /// over all regions), and which one by its name.
    fn of(
        operation: Operation,
        account: Option<AccountId>,
        region: Option<&Region>,
        resource: Option<&str>,
    ) -> Self {
        let mut hasher = DefaultHasher::new();
        (operation, account, region, resource).hash(&mut hasher);
        Self(hasher.finish())
    }

    /// The answers to an operation, whoever asked about whatever.
    pub(super) fn all(operation: Operation) -> Self {
        Self::of(operation, None, None, None)
    }

    /// The answers about an account, in all regions.
    pub(super) fn account(operation: Operation, account: AccountId) -> Self {
        Self::of(operation, Some(account), None, None)
    }

    /// The answers about an account's resources in one region.
    pub(super) fn site(operation: Operation, site: &CallSite) -> Self {
        Self::of(operation, Some(site.account), Some(&site.region), None)
    }

    /// The answers about one of the resources of an account in a region, by its name.
    pub(super) fn named(operation: Operation, site: &CallSite, name: &str) -> Self {
        Self::of(
            operation,
            Some(site.account),
            Some(&site.region),
            Some(name),
        )
    }

    /// The answers about a resource, by its ARN.
    pub(super) fn arn(operation: Operation, arn: &str) -> Self {
        Self::of(operation, None, None, Some(arn))
    }
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
#[derive(Debug, Clone)]
pub(super) enum Marks {
    /// Subject by subject: while answers come in, most of what was worked out still stands.
    Apart(HashMap<Subject, Mark>),
    /// All as one: a tenth of the memory of evidence is not worth it where everything is there
    /// before anything is judged.
    Together(Mark),
}

impl Default for Marks {
    fn default() -> Self {
        Self::Apart(HashMap::new())
    }
}

impl Marks {
    /// Something new is known.
    pub(super) fn change(&mut self, subject: Subject) {
        match self {
            Self::Apart(marks) => {
                marks.insert(subject, Mark::next());
            }
            Self::Together(mark) => *mark = Mark::next(),
        }
    }

    pub(super) fn of(&self, subject: Subject) -> Mark {
        match self {
            Self::Apart(marks) => marks.get(&subject).copied().unwrap_or_default(),
            Self::Together(mark) => *mark,
        }
    }

    /// The same state, told apart as a whole from now on.
    pub(super) fn together(&mut self) {
        if let Self::Apart(marks) = self {
            let known = !marks.is_empty();
            *self = Self::Together(if known { Mark::next() } else { Mark::default() });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subjects() -> [Subject; 2] {
        ["111111111111", "222222222222"]
            .map(|account| Subject::account(Operation::DescribeTrails, account.parse().unwrap()))
    }

    #[test]
    fn a_change_is_of_its_subject_alone() {
        let [one, other] = subjects();
        let mut marks = Marks::default();
        marks.change(one);
        let before = marks.of(one);
        marks.change(other);
        assert_eq!(marks.of(one), before);
        assert_ne!(marks.of(other), Mark::default());
    }

    #[test]
    fn what_is_told_apart_as_a_whole_changes_as_a_whole() {
        let [one, other] = subjects();
        let mut marks = Marks::default();
        marks.together();
        assert_eq!(marks.of(one), Mark::default());
        marks.change(one);
        let before = marks.of(one);
        assert_ne!(before, Mark::default());
        marks.change(other);
        assert_ne!(marks.of(one), before);

        // What was known before is not nothing afterwards.
        let mut marks = Marks::default();
        marks.change(one);
        marks.together();
        assert_ne!(marks.of(one), Mark::default());
    }
}
