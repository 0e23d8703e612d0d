//! Reading `evidence.ndjson`: one record per line. This is the only reader of evidence files:
//! whoever judges, resumes, copies or plans reads lines as it does.

use std::io::BufRead;

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;

use super::store::{RecordId, UnreadableRecord};
use super::{Evidence, Operation, Record};

/// Files made by some editors begin with it; a run written from several files may have it in the
/// middle.
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

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
    /// The line is a record of an operation that this version does not read, and a later one may.
    #[error("line {line}: {operation} is not an operation that this version reads")]
    UnknownOperation {
        /// The line.
        line: usize,
        /// Its name.
        operation: String,
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
            | Self::UnknownOperation { line, .. }
            | Self::Unreadable { line, .. } => *line,
        }
    }
}

impl ReadError {
    /// What is wrong, without the line.
    pub fn reason(&self) -> String {
        match self {
            Self::Input { source, .. } => source.to_string(),
            Self::NotARecord { reason, .. } => format!("not a record of evidence: {reason}"),
            Self::UnknownOperation { operation, .. } => {
                format!("{operation} is not an operation that this version reads")
            }
            Self::Unreadable { source, .. } => source.to_string(),
        }
    }
}

/// A line that is neither empty nor torn.
#[derive(Debug, Clone, Copy)]
pub struct Line<'a> {
    /// Its number, counting from one.
    pub number: usize,
    /// Where the text begins, in bytes from the beginning of the file.
    pub offset: u64,
    /// The record's text, without what stands around it.
    pub text: &'a [u8],
}

impl Line<'_> {
    /// The record. Whoever reads a file leaves out those of operations that this version does not
    /// know, and keeps their lines.
    pub fn record(&self) -> Result<Record, ReadError> {
        serde_json::from_slice(self.text).map_err(|error| match self.unknown_operation() {
            Some(operation) => ReadError::UnknownOperation {
                line: self.number,
                operation,
            },
            None => ReadError::NotARecord {
                line: self.number,
                reason: reason(&error),
            },
        })
    }

    /// The operation of a record that is one but for it.
    fn unknown_operation(&self) -> Option<String> {
        let mut line: Value = serde_json::from_slice(self.text).ok()?;
        let operation = line.get_mut("operation")?;
        let name = operation.as_str()?.to_owned();
        let (service, action) = name.split_once(':')?;
        let is_name = |text: &str, other: &[u8]| {
            let mut bytes = text.bytes();
            (1..=64).contains(&text.len())
                && bytes.all(|byte| byte.is_ascii_alphanumeric() || other.contains(&byte))
        };
        if name.parse::<Operation>().is_ok()
            || !is_name(service, b"-")
            || !is_name(action, b"")
            || !action.starts_with(|first: char| first.is_ascii_uppercase())
        {
            return None;
        }
        *operation = Operation::GetCallerIdentity.as_str().into();
        Record::deserialize(line).ok().map(|_| name)
    }
}

/// The lines of one file, one after the other.
#[derive(Debug)]
pub struct Lines<R> {
    input: R,
    buffer: Vec<u8>,
    number: usize,
    /// Where the next line begins.
    offset: u64,
    /// Whether the last whole line has a line break.
    ended: bool,
    torn: Option<usize>,
}

impl<R: BufRead> Lines<R> {
    /// Reads a file from its beginning.
    pub fn new(input: R) -> Self {
        Self {
            input,
            buffer: Vec::new(),
            number: 0,
            offset: 0,
            ended: true,
            torn: None,
        }
    }

    /// The next line; `None` at the end. Empty lines are skipped. A last line without a line break
    /// whose JSON has no end was torn by a killed scan: it is not handed over.
    pub fn next_line(&mut self) -> Result<Option<Line<'_>>, ReadError> {
        loop {
            let offset = self.offset;
            self.buffer.clear();
            let length = self
                .input
                .read_until(b'\n', &mut self.buffer)
                .map_err(|source| ReadError::Input {
                    line: self.number + 1,
                    source,
                })?;
            if length == 0 {
                return Ok(None);
            }
            self.number += 1;
            let ended = self.buffer.last() == Some(&b'\n');
            let (_, text) = content(&self.buffer);
            if !ended && is_torn(text) {
                self.torn = Some(self.number);
                return Ok(None);
            }
            self.offset += length as u64;
            self.ended = ended;
            if !text.is_empty() {
                break Ok(Some(self.line(offset)));
            }
        }
    }

    fn line(&self, begin: u64) -> Line<'_> {
        let (before, text) = content(&self.buffer);
        Line {
            number: self.number,
            offset: begin + before as u64,
            text,
        }
    }

    /// The number of the last line when it was torn, once the end was reached.
    pub fn torn_line(&self) -> Option<usize> {
        self.torn
    }

    /// How many bytes are whole lines, once the end was reached: what comes after them is torn.
    pub fn whole_bytes(&self) -> u64 {
        self.offset
    }

    /// Whether the last whole line has a line break.
    pub fn is_ended(&self) -> bool {
        self.ended
    }
}

/// What a line holds, without byte order mark and white space around it, and where that begins.
fn content(line: &[u8]) -> (usize, &[u8]) {
    let text = line.strip_prefix(BYTE_ORDER_MARK).unwrap_or(line);
    let text = text.trim_ascii_start();
    (line.len() - text.len(), text.trim_ascii_end())
}

/// Whether a last line that has no line break ends before its JSON does.
fn is_torn(text: &[u8]) -> bool {
    match serde_json::from_slice::<IgnoredAny>(text) {
        Ok(_) => false,
        Err(error) => !text.is_empty() && (error.is_eof() || std::str::from_utf8(text).is_err()),
    }
}

impl Evidence {
    /// Reads the records of one file.
    ///
    /// ```
    /// use trailproof_core::evidence::Evidence;
    ///
    /// # fn main() -> Result<(), trailproof_core::evidence::ReadError> {
    /// // A scan was killed while it wrote the second record: the first one counts.
    /// let file = concat!(
    ///     r#"{"operation":"sts:GetCallerIdentity","account":"111111111111","region":"us-east-1","#,
    ///     r#""parameters":{},"observed_at":"2026-11-22T22:00:00Z","response":{"Account":"111111111111"}}"#,
    ///     "\n",
    ///     r#"{"operation":"cloudtrail:Desc"#,
    /// );
    /// let reading = Evidence::read(file.as_bytes())?;
    /// assert_eq!(reading.records, 1);
    /// assert_eq!(reading.torn_line, Some(2));
    /// # Ok(())
    /// # }
    /// ```
    pub fn read(input: impl BufRead) -> Result<Reading, ReadError> {
        let mut evidence = Self::default().at_rest();
        let mut records = 0;
        let torn_line = evidence.add(input, |_, _| records += 1)?;
        Ok(Reading {
            evidence,
            records,
            torn_line,
        })
    }

    /// Adds the records of a file, and says for each where it stands and which record it became.
    /// Returns the number of the last line when it was torn.
    pub fn add(
        &mut self,
        input: impl BufRead,
        mut added: impl FnMut(Line<'_>, RecordId),
    ) -> Result<Option<usize>, ReadError> {
        let mut lines = Lines::new(input);
        while let Some(line) = lines.next_line()? {
            let record = match line.record() {
                Ok(record) => record,
                Err(ReadError::UnknownOperation { operation, .. }) => {
                    if !self.unit_names.file(&operation, line.text) {
                        *self.unknown.entry(operation).or_default() += 1;
                    }
                    continue;
                }
                Err(error) => return Err(error),
            };
            let id = self
                .insert(record)
                .map_err(|source| ReadError::Unreadable {
                    line: line.number,
                    source,
                })?;
            added(line, id);
        }
        Ok(lines.torn_line())
    }
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
