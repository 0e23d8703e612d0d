//! Reading `evidence.ndjson`: one record per line.

use std::io::BufRead;

use super::store::UnreadableRecord;
use super::{Evidence, Record};

/// Evidence as read, and what was left of it.
#[derive(Debug)]
pub struct Reading {
    /// The evidence.
    pub evidence: Evidence,
    /// How many records were read.
    pub records: usize,
    /// The number of the last line when it was torn, as a killed scan leaves it. It was ignored.
    pub torn_line: Option<usize>,
}

/// Why evidence cannot be read. Lines count from one.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The input failed.
    #[error("line {line}: cannot be read: {source}")]
    Input {
        /// The line.
        line: usize,
        /// Why.
        source: std::io::Error,
    },
    /// The line is not a record.
    #[error(
        "line {line}: not a record of evidence: {reason}; remove the line or record the call again"
    )]
    NotARecord {
        /// The line.
        line: usize,
        /// Why.
        reason: String,
    },
    /// The record's answer is not what AWS documents.
    #[error("line {line}: {source}; remove the line or record the call again")]
    Unreadable {
        /// The line.
        line: usize,
        /// Which member of which call.
        source: UnreadableRecord,
    },
}

impl ReadError {
    /// The line, counting from one.
    pub fn line(&self) -> usize {
        match self {
            Self::Input { line, .. }
            | Self::NotARecord { line, .. }
            | Self::Unreadable { line, .. } => *line,
        }
    }
}

impl Evidence {
    /// Reads records, one per line. Empty lines are skipped. A last line without a line break that
    /// does not parse was torn by a killed scan and is ignored.
    pub fn read(input: impl BufRead) -> Result<Reading, ReadError> {
        let mut reading = Reading {
            evidence: Self::default(),
            records: 0,
            torn_line: None,
        };
        let evidence = &mut reading.evidence;
        let records = &mut reading.records;
        reading.torn_line = read_records(input, |line, record| {
            *records += 1;
            evidence
                .insert(record)
                .map_err(|source| ReadError::Unreadable { line, source })
        })?;
        Ok(reading)
    }
}

/// Hands over every record with the number of its line; returns the number of a torn last line.
pub fn read_records(
    mut input: impl BufRead,
    mut take: impl FnMut(usize, Record) -> Result<(), ReadError>,
) -> Result<Option<usize>, ReadError> {
    let mut buffer = Vec::new();
    for line in 1.. {
        buffer.clear();
        let length = input
            .read_until(b'\n', &mut buffer)
            .map_err(|source| ReadError::Input { line, source })?;
        if length == 0 {
            break;
        }
        let ended = buffer.last() == Some(&b'\n');
        let mut text = buffer.as_slice();
        if line == 1 {
            text = text.strip_prefix("\u{feff}".as_bytes()).unwrap_or(text);
        }
        if text.trim_ascii().is_empty() {
            continue;
        }
        match serde_json::from_slice::<Record>(text) {
            Ok(record) => take(line, record)?,
            Err(error) if !ended && (error.is_eof() || std::str::from_utf8(text).is_err()) => {
                return Ok(Some(line));
            }
            Err(error) => {
                return Err(ReadError::NotARecord {
                    line,
                    reason: reason(&error),
                });
            }
        }
    }
    Ok(None)
}

/// The parser's words without its own idea of the place: it only ever sees one line.
fn reason(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match text.rsplit_once(" at line ") {
        Some((reason, place)) => match place.split_once(" column ") {
            Some((_, "0")) | None => reason.to_owned(),
            Some((_, column)) => format!("{reason} (column {column})"),
        },
        None => text,
    }
}
