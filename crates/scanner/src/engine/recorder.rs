//! Remembering answers: in memory for the verdicts, in the file for everyone else.

use std::collections::HashSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use trailproof_core::evidence::{Evidence, Outcome, Record, Request, Response, mask_endpoints};

use super::key::Key;
use crate::calls::{Answer, Failure};
use crate::clock;
use crate::error::ScanError;
use crate::log::EvidenceLog;

/// What was seen so far.
#[derive(Debug)]
pub(crate) struct Recorder {
    evidence: Mutex<Evidence>,
    known: Mutex<HashSet<Key>>,
    log: Option<EvidenceLog>,
    mask_endpoints: bool,
}

impl Recorder {
    /// Goes on from what an earlier run saw.
    pub(crate) fn new(evidence: Evidence, known: HashSet<Key>, log: Option<EvidenceLog>) -> Self {
        Self {
            evidence: evidence.into(),
            known: known.into(),
            log,
            mask_endpoints: false,
        }
    }

    /// Keeps pseudonyms in place of people's addresses.
    #[must_use]
    pub(crate) fn masking_endpoints(mut self, mask: bool) -> Self {
        self.mask_endpoints = mask;
        self
    }

    /// Whether a question has its final answer.
    pub(crate) fn knows(&self, key: Key) -> bool {
        self.known
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .contains(&key)
    }

    /// The evidence so far.
    pub(crate) fn evidence(&self) -> MutexGuard<'_, Evidence> {
        self.evidence.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn answered<B>(&self, request: &Request, answer: Answer<B>)
    where
        Response: From<B>,
    {
        let response = Response::from(answer.body);
        self.record(request, answer.request_id, Outcome::Response(response));
    }

    pub(crate) fn failed(&self, request: &Request, failure: Failure) {
        self.record(request, failure.request_id, Outcome::Error(failure.error));
    }

    /// Keeps an answer that was recorded before, as it was recorded.
    pub(crate) fn copied(&self, record: Record) {
        let mut record = record.held_as();
        if self.mask_endpoints {
            mask_endpoints(&mut record);
        }
        let key = Key::of_record(&record);
        let line = self.log.is_some().then(|| to_line(&record)).flatten();
        match self.evidence().insert(record) {
            Ok(_) => self.kept(key, line),
            Err(unreadable) => tracing::warn!(%unreadable, "a recorded answer cannot be read"),
        }
    }

    fn record(&self, request: &Request, request_id: Option<String>, outcome: Outcome<Response>) {
        let mut record = record_of(request, request_id, outcome);
        if self.mask_endpoints {
            mask_endpoints(&mut record);
        }
        let key = Key::of_record(&record);
        let mut line = self.log.is_some().then(|| to_line(&record)).flatten();
        let inserted = self.evidence().insert(record);
        if let Err(unreadable) = inserted {
            // An answer that says nothing anyone can use is as good as none, and a file with it
            // could not be read back.
            tracing::warn!(%unreadable, "an answer is not what its API documents");
            let record = record_of(request, None, Outcome::Error(unreadable.into()));
            line = self.log.is_some().then(|| to_line(&record)).flatten();
            // An error has no answer that could be unreadable.
            let _ = self.evidence().insert(record);
        }
        self.kept(key, line);
    }

    /// A record is in memory: its line goes to the file, and its question has its answer.
    fn kept(&self, key: Key, line: Option<Vec<u8>>) {
        if let (Some(log), Some(line)) = (&self.log, line) {
            log.append(line);
        }
        self.known
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(key);
    }

    /// Whether the file can no longer be written.
    pub(crate) fn broken(&self) -> bool {
        self.log.as_ref().is_some_and(EvidenceLog::failed)
    }

    /// Closes the file and gives the evidence away.
    pub(crate) fn close(self) -> Result<Evidence, ScanError> {
        if let Some(log) = self.log {
            log.close()?;
        }
        let evidence = self.evidence.into_inner();
        Ok(evidence.unwrap_or_else(PoisonError::into_inner).at_rest())
    }
}

/// What a question was answered just now.
pub(crate) fn record_of<R>(
    request: &Request,
    request_id: Option<String>,
    outcome: Outcome<R>,
) -> Record<R> {
    Record {
        operation: request.call.operation(),
        account: request.account,
        region: request.region.clone(),
        parameters: request.call.parameters(),
        observed_at: clock::now(),
        request_id,
        outcome,
    }
}

/// A record as it stands in the file. Writing what was parsed from JSON cannot fail.
fn to_line(record: &Record<Response>) -> Option<Vec<u8>> {
    const REST: usize = 512;
    let joined = match &record.outcome {
        Outcome::Response(response) => response.joined_bytes(),
        Outcome::Error(_) => 0,
    };
    let mut line = Vec::with_capacity(joined + REST);
    serde_json::to_writer(&mut line, record).ok()?;
    line.push(b'\n');
    Some(line)
}
