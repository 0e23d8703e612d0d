//! A recorded file judged again, with the lines that each verdict rests on.

use std::io::BufRead;

use jiff::Timestamp;

use super::evaluator::{Evaluation, Evaluator};
use crate::account::AccountId;
use crate::evidence::{Evidence, ReadError, Reader, Record, RecordId, UnreadableRecord};
use crate::finding::Finding;

/// Evidence together with where each of its records stands in its file.
#[derive(Debug, Default)]
pub struct Replay {
    evidence: Evidence,
    places: Vec<Place>,
    torn_line: Option<usize>,
}

/// Where a record stands in its file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The line, counting from one.
    pub line: usize,
    /// Where the record's text begins, in bytes.
    pub offset: u64,
    /// How long the text is, in bytes.
    pub length: usize,
}

impl Replay {
    /// Reads a file. Answers about resources that came before `oldest` do not count.
    pub fn read(input: impl BufRead, oldest: Option<Timestamp>) -> Result<Self, ReadError> {
        let mut replay = Self {
            evidence: Evidence::not_before(oldest).at_rest(),
            ..Self::default()
        };
        let places = &mut replay.places;
        replay.torn_line = replay.evidence.add(input, |line, _| {
            places.push(Place {
                line: line.number,
                offset: line.offset,
                length: line.text.len(),
            });
        })?;
        Ok(replay)
    }

    /// Adds a record that is not of the file. Whoever adds it keeps its text, at this place.
    pub fn add(&mut self, record: Record, place: Place) -> Result<(), UnreadableRecord> {
        self.evidence.insert(record)?;
        self.places.push(place);
        Ok(())
    }

    /// The evidence.
    pub fn evidence(&self) -> &Evidence {
        &self.evidence
    }

    /// Where every record stands.
    pub fn all_places(&self) -> &[Place] {
        &self.places
    }

    /// How many records there are.
    pub fn records(&self) -> usize {
        self.places.len()
    }

    /// The number of the last line when it was torn.
    pub fn torn_line(&self) -> Option<usize> {
        self.torn_line
    }

    /// Where records stand.
    pub fn places(&self, records: impl IntoIterator<Item = RecordId>) -> Vec<Place> {
        let places = records.into_iter();
        places
            .filter_map(|record| self.places.get(record.index()).copied())
            .collect()
    }

    /// Judges, with a note of what is read.
    pub fn judge<'e>(&'e self, evaluator: &'e Evaluator) -> Evaluation<'e> {
        evaluator.reading(Reader::new(&self.evidence).noting_records())
    }

    /// Every finding, one account after the other, each with where the records stand that it rests
    /// on.
    pub fn for_each(&self, evaluator: &Evaluator, mut take: impl FnMut(Finding, Vec<Place>)) {
        // One evaluation for all: it looks once for what only shows in all accounts together.
        let mut evaluation = self.judge(evaluator);
        for account in evaluation.accounts() {
            for (finding, places) in self.placed(&mut evaluation, account) {
                take(finding, places);
            }
            evaluation.forget(account);
        }
    }

    /// The findings of an account, each with where the records stand that it rests on. On nothing
    /// but these it is the same.
    pub fn findings(
        &self,
        evaluator: &Evaluator,
        account: AccountId,
    ) -> Vec<(Finding, Vec<Place>)> {
        self.placed(&mut self.judge(evaluator), account)
    }

    fn placed(
        &self,
        evaluation: &mut Evaluation<'_>,
        account: AccountId,
    ) -> Vec<(Finding, Vec<Place>)> {
        let findings = evaluation.findings_with_records(account).into_iter();
        findings
            .map(|(finding, records)| (finding, self.places(records)))
            .collect()
    }
}
