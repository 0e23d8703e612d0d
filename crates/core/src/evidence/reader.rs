//! Evidence as evaluation reads it. Every look-up is noted where it is made, answered or not, so
//! that what a verdict rests on is never a second list.
//!
//! The look-ups themselves stand with the calls that they look up ([`super::calls`]), and say what
//! was seen and whether something may be missing. What to make of it is the evaluation's business.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;

use super::calls::Tables;
use super::mark::{Mark, Subject};
use super::note::{Basis, Note};
use super::store::{CallSite, Evidence, RecordId};
use super::table::{Answer, BySelection, BySite};
use crate::account::AccountId;

/// Reads evidence, and notes what it reads.
#[derive(Debug)]
pub struct Reader<'e> {
    evidence: &'e Evidence,
    /// What is laid over it, the last first: answers that stand before those of the evidence.
    over: [Option<&'e Evidence>; 2],
    /// Whether the records that answer are noted, or only what was looked up.
    records: bool,
    /// How many notes are being taken, one inside the other.
    depth: Cell<usize>,
    note: RefCell<Note>,
}

/// How many answers to one question can lie over one another.
pub(super) const LAYERS: usize = 3;

/// The note that another one interrupts.
#[derive(Debug)]
pub(crate) struct OuterNote(Note);

impl<'e> Reader<'e> {
    /// Reads evidence.
    pub fn new(evidence: &'e Evidence) -> Self {
        Self {
            evidence,
            over: [None; 2],
            records: false,
            depth: Cell::new(0),
            note: RefCell::default(),
        }
    }

    /// Reads evidence with other evidence laid over it: changes that are planned, and over these
    /// such as are only tried. Where several answer a question, the one laid last stands.
    #[must_use]
    pub fn under(mut self, planned: &'e Evidence, tried: Option<&'e Evidence>) -> Self {
        self.over = [tried, Some(planned)];
        self
    }

    /// Notes the records that answer, too. Costs time, so scans do without.
    #[must_use]
    pub fn noting_records(mut self) -> Self {
        self.records = true;
        self
    }

    /// Begins a note of what is read from now on.
    pub(crate) fn begin(&self) -> OuterNote {
        self.depth.set(self.depth.get() + 1);
        OuterNote(self.note.take())
    }

    /// Ends a note. Whoever began one before reads what it has, too.
    pub(crate) fn end(&self, outer: OuterNote) -> Note {
        self.depth.set(self.depth.get() - 1);
        let note = self.note.replace(outer.0);
        if self.is_noting() {
            self.note.borrow_mut().extend(&note);
        }
        note
    }

    /// Begins a note where records are noted; elsewhere nobody asks for it, and a scan judges too
    /// many accounts to make it all the same.
    pub(crate) fn begin_records(&self) -> Option<OuterNote> {
        self.records.then(|| self.begin())
    }

    /// Ends a note that was begun where records are noted.
    pub(crate) fn end_records(&self, outer: Option<OuterNote>) -> Note {
        outer.map_or_else(Note::default, |outer| self.end(outer))
    }

    /// Looks something up, and says which records answered, in the order of recording. The reader
    /// has to note records.
    pub fn looked_up<T>(&self, look: impl FnOnce(&Self) -> T) -> (T, Vec<RecordId>) {
        let outer = self.begin();
        let value = look(self);
        let records = self.end(outer).records().collect();
        (value, records)
    }

    /// Works something out that is to be kept for as long as what it was made from stays the same.
    pub(crate) fn with_basis<T>(&self, work: impl FnOnce() -> T) -> (T, Basis) {
        let outer = self.begin();
        let value = work();
        let note = self.end(outer);
        let basis = Basis::of(&note, self);
        (value, basis)
    }

    /// Uses what was kept: whoever rests on it rests on what it was made from.
    pub(crate) fn reuse(&self, basis: &Basis) {
        if self.is_noting() {
            let mut note = self.note.borrow_mut();
            for subject in basis.subjects() {
                note.subject(subject);
            }
            for record in basis.records() {
                note.record(record);
            }
        }
    }

    fn is_noting(&self) -> bool {
        self.depth.get() > 0
    }

    /// Notes that something is looked up.
    pub(super) fn looks_up(&self, subject: impl FnOnce() -> Subject) {
        if self.is_noting() {
            self.note.borrow_mut().subject(subject());
        }
    }

    /// Notes that an answer was used.
    pub(super) fn uses<'a, T: ?Sized>(&self, answer: &'a Answer<T>) -> &'a Answer<T> {
        self.rests_on(answer.record);
        answer
    }

    /// Notes that a record was used.
    pub(super) fn rests_on(&self, record: RecordId) {
        if self.records && self.is_noting() {
            self.note.borrow_mut().record(record);
        }
    }

    pub(super) fn marks(&self, subject: Subject) -> [Mark; LAYERS] {
        let [tried, planned] = self.over;
        [tried, planned, Some(self.evidence)]
            .map(|layer| layer.map_or_else(Mark::default, |layer| layer.marks.of(subject)))
    }

    /// The evidence alone, for what nothing is ever laid over.
    pub(super) fn evidence(&self) -> &'e Evidence {
        self.evidence
    }

    /// The evidence, what is laid over it first.
    pub(super) fn layers(&self) -> impl Iterator<Item = &'e Evidence> + use<'e> {
        let over = self.over.into_iter().flatten();
        over.chain(std::iter::once(self.evidence))
    }

    /// The answer that one site was given.
    pub(super) fn answer_at<T: ?Sized + 'e>(
        &self,
        table: impl Fn(&'e Tables) -> Option<&'e BySite<T>>,
        site: &CallSite,
    ) -> Option<&'e Answer<T>> {
        let answer = self
            .layers()
            .find_map(|layer| table(&layer.tables)?.get(site))?;
        self.rests_on(answer.record);
        Some(answer)
    }

    /// The answers about one subject, in the order of sites; none of them is noted yet.
    pub(super) fn answers<T: ?Sized + 'e>(
        &self,
        table: impl Fn(&'e Tables) -> Option<&'e BySite<T>>,
    ) -> Vec<(&'e CallSite, &'e Answer<T>)> {
        let mut layers = self
            .layers()
            .filter_map(|layer| table(&layer.tables))
            .map(BySite::iter);
        let mut found: Vec<_> = layers.next().into_iter().flatten().collect();
        for (site, answer) in layers.flatten() {
            if found.iter().all(|(known, _)| *known != site) {
                found.push((site, answer));
            }
        }
        found.sort_by_key(|(site, _)| *site);
        found
    }

    /// The answers about one subject, in the order of sites, where all of them count.
    pub(super) fn all_answers<T: ?Sized + 'e>(
        &self,
        table: impl Fn(&'e Tables) -> Option<&'e BySite<T>>,
    ) -> Vec<(&'e CallSite, &'e Answer<T>)> {
        let answers = self.answers(table);
        for (_, answer) in &answers {
            self.uses(answer);
        }
        answers
    }

    /// The answers that one site was given, in the order of what was asked for; none is noted yet.
    pub(super) fn selected<S: Ord + 'e, T: ?Sized + 'e>(
        &self,
        table: impl Fn(&'e Tables) -> &'e BySelection<S, T>,
        site: &CallSite,
    ) -> impl Iterator<Item = &'e (S, Answer<T>)> {
        let at = |layer: &'e Evidence| table(&layer.tables).at(site);
        let [tried, planned] = self.over.map(|layer| layer.map_or(&[][..], at));
        let lacks =
            |row: &[(S, Answer<T>)], selection: &S| row.iter().all(|(other, _)| other != selection);
        let under = at(self.evidence)
            .iter()
            .filter(move |(selection, _)| lacks(planned, selection) && lacks(tried, selection));
        let planned = planned
            .iter()
            .filter(move |(selection, _)| lacks(tried, selection));
        under.chain(planned).chain(tried)
    }

    /// The answer that one site was given to the question that leaves nothing out.
    pub(super) fn unfiltered<T: ?Sized + 'e>(
        &self,
        table: impl Fn(&'e Tables) -> &'e BySelection<Option<String>, T>,
        site: &CallSite,
    ) -> Option<&'e Answer<T>> {
        let mut answers = self.selected(table, site);
        let (_, answer) = answers.find(|(rest, _)| rest.is_none())?;
        self.rests_on(answer.record);
        Some(answer)
    }

    /// Every account that the evidence speaks of as one to be judged: those that the organization
    /// lists and those whose trails were asked for; without a list, also those that were to be
    /// entered and the caller's own, and without any of these whoever made a call.
    pub fn accounts(&self) -> BTreeSet<AccountId> {
        let mut accounts: BTreeSet<_> = self.listed_accounts().keys().copied().collect();
        let listed = !accounts.is_empty();
        let tables = &self.evidence.tables;
        accounts.extend(tables.describe_trails.accounts());
        if !listed {
            accounts.extend(tables.assume_role.accounts());
            accounts.extend(tables.get_caller_identity.accounts());
        }
        if accounts.is_empty() {
            // Nothing says whose evidence this is but the calls themselves.
            accounts.extend(self.evidence.callers.keys());
        }
        accounts
    }
}
