//! The records of a run that findings rest on, by their lines in `evidence.ndjson`. Which these are
//! is what evaluation noted while it judged, and not a second search.

use std::fs::File;
use std::io::{self, BufReader, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value};
use trailproof_core::account::{AccountId, Region};
use trailproof_core::evaluate::Evaluator;
use trailproof_core::evaluate::replay::{Place, Replay};
use trailproof_core::evidence::{CallError, Operation, Outcome, Record};
use trailproof_core::finding::Finding;

use crate::run::EvidenceError;

/// A record, without its answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Source {
    /// Its line in `evidence.ndjson`, counting from one.
    pub line: usize,
    /// What was asked.
    pub operation: Operation,
    /// With whose credentials.
    pub account: AccountId,
    /// Where.
    pub region: Region,
    /// About what, with the member names of the AWS API.
    pub parameters: Map<String, Value>,
    /// When the answer arrived.
    pub observed_at: Timestamp,
    /// Why there is no answer; absent when there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<CallError>,
}

impl Source {
    fn of(line: usize, record: Record) -> Self {
        Self {
            line,
            operation: record.operation,
            account: record.account,
            region: record.region,
            parameters: record.parameters,
            observed_at: record.observed_at,
            error: match record.outcome {
                Outcome::Response(_) => None,
                Outcome::Error(error) => Some(error),
            },
        }
    }

    /// What was asked about, in the words of the parameters; empty for nothing in particular.
    pub fn subject(&self) -> String {
        let texts: Vec<&str> = self.parameters.values().filter_map(Value::as_str).collect();
        texts.join(" ")
    }
}

/// An evidence file that stays open, judged again on demand.
#[derive(Debug)]
pub struct RecordedEvidence {
    replay: Replay,
    file: File,
    path: PathBuf,
    /// How long the file is.
    length: u64,
    /// What was added since, as if it stood behind the file.
    added: Vec<u8>,
}

impl RecordedEvidence {
    /// Reads a file. Answers about resources that came before `oldest` do not count.
    pub fn open(path: &Path, oldest: Option<Timestamp>) -> Result<Self, EvidenceError> {
        let io_error = |source| EvidenceError::Io {
            path: path.to_owned(),
            source,
        };
        let file = File::open(path).map_err(io_error)?;
        let length = file.metadata().map_err(io_error)?.len();
        let input = BufReader::with_capacity(1 << 18, file.try_clone().map_err(io_error)?);
        let replay = Replay::read(input, oldest).map_err(|source| EvidenceError::Line {
            path: path.to_owned(),
            source,
        })?;
        Ok(Self {
            replay,
            file,
            path: path.to_owned(),
            length,
            added: Vec::new(),
        })
    }

    /// Adds an answer that came after those of the file, which stays as it is. One that is not what
    /// AWS documents counts as none.
    pub fn add(&mut self, mut record: Record) {
        for _ in 0..2 {
            let Ok(text) = serde_json::to_vec(&record) else {
                return;
            };
            let last = self.replay.all_places().last();
            let place = Place {
                line: last.map_or(0, |last| last.line) + 1,
                offset: self.length + self.added.len() as u64,
                length: text.len(),
            };
            match self.replay.add(record.clone(), place) {
                Ok(()) => {
                    self.added.extend(text);
                    return;
                }
                Err(unreadable) => record.outcome = Outcome::Error(unreadable.into()),
            }
        }
    }

    /// The evidence, with the places of its records.
    pub fn replay(&self) -> &Replay {
        &self.replay
    }

    /// The findings of an account, each with the records that it rests on.
    pub fn findings(
        &self,
        evaluator: &Evaluator,
        account: AccountId,
    ) -> Result<Vec<(Finding, Vec<Source>)>, EvidenceError> {
        let findings = self.replay.findings(evaluator, account);
        findings
            .into_iter()
            .map(|(finding, places)| {
                let records = self.records(&places)?.into_iter();
                let sources = places.iter().zip(records);
                let sources = sources.map(|(place, record)| Source::of(place.line, record));
                Ok((finding, sources.collect()))
            })
            .collect()
    }

    /// Reads records once more, whole.
    pub fn records(&self, places: &[Place]) -> Result<Vec<Record>, EvidenceError> {
        let read = || -> io::Result<Vec<Record>> {
            let mut file = &self.file;
            let mut records = Vec::with_capacity(places.len());
            for place in places {
                let mut text = vec![0; place.length];
                if let Some(offset) = place.offset.checked_sub(self.length) {
                    let added = usize::try_from(offset).ok();
                    let mut added = added
                        .and_then(|at| self.added.get(at..))
                        .unwrap_or_default();
                    added.read_exact(&mut text)?;
                } else {
                    file.seek(SeekFrom::Start(place.offset))?;
                    file.read_exact(&mut text)?;
                }
                // What was read once is read again, unless the file has changed in the meantime.
                records.push(serde_json::from_slice(&text)?);
            }
            Ok(records)
        };
        read().map_err(|source| EvidenceError::Io {
            path: self.path.clone(),
            source,
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn records_are_found_again_by_their_place() {
        let record = |account: &str| {
            json!({
                "operation": "cloudtrail:GetTrailStatus", "account": account,
                "region": "us-east-1", "observed_at": "2026-11-22T22:00:00Z",
                "parameters": {"Name": "arn:aws:cloudtrail:us-east-1:999999999999:trail/org"},
                "response": {"IsLogging": true},
            })
        };
        let (one, other) = (record("111111111111"), record("222222222222"));
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("evidence.ndjson");
        std::fs::write(&path, format!("\u{feff}{one}\n\n  {other}\r\n{{\"oper")).unwrap();
        let recorded = RecordedEvidence::open(&path, None).unwrap();
        let replay = recorded.replay();
        assert_eq!((replay.records(), replay.torn_line()), (2, Some(4)));
        let places = replay.all_places().to_vec();
        assert_eq!([places[0].line, places[1].line], [1, 3]);
        let records = recorded.records(&places).unwrap();
        assert_eq!(records[1].account.to_string(), "222222222222");
        let source = Source::of(3, records[1].clone());
        assert!(source.subject().ends_with(":trail/org"));
    }
}
