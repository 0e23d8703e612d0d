//! What was read of the evidence: the one answer to what a verdict rests on, and to how long
//! something that was worked out still stands.

use std::collections::BTreeSet;

use super::mark::{Mark, Subject};
use super::reader::{LAYERS, Reader};
use super::store::RecordId;

/// What was looked up, answered or not.
#[derive(Debug, Clone, Default)]
pub(crate) struct Note {
    subjects: BTreeSet<Subject>,
    records: BTreeSet<RecordId>,
}

impl Note {
    pub(super) fn subject(&mut self, subject: Subject) {
        self.subjects.insert(subject);
    }

    pub(super) fn record(&mut self, record: RecordId) {
        self.records.insert(record);
    }

    pub(crate) fn extend(&mut self, other: &Self) {
        self.subjects.extend(&other.subjects);
        self.records.extend(&other.records);
    }

    /// The records that answered, in the order in which they were recorded.
    pub(crate) fn records(&self) -> impl Iterator<Item = RecordId> + '_ {
        self.records.iter().copied()
    }
}

/// What something was made from, and in which state that was.
#[derive(Debug, Clone)]
pub(crate) struct Basis {
    states: Box<[(Subject, [Mark; LAYERS])]>,
    records: Box<[RecordId]>,
}

impl Basis {
    /// The evidence as it is now.
    pub(super) fn of(note: &Note, reader: &Reader<'_>) -> Self {
        let state = |subject: &Subject| (*subject, reader.marks(*subject));
        Self {
            states: note.subjects.iter().map(state).collect(),
            records: note.records.iter().copied().collect(),
        }
    }

    /// Whether the evidence still says the same.
    pub(crate) fn holds(&self, reader: &Reader<'_>) -> bool {
        let mut states = self.states.iter();
        states.all(|(subject, marks)| reader.marks(*subject) == *marks)
    }

    pub(super) fn subjects(&self) -> impl Iterator<Item = Subject> {
        self.states.iter().map(|(subject, _)| *subject)
    }

    pub(super) fn records(&self) -> impl Iterator<Item = RecordId> + '_ {
        self.records.iter().copied()
    }
}
