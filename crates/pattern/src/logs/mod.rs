//! Log files taken apart into events, without ever holding a whole file.
//!
//! [`read`] takes bytes from anywhere: one event per line, JSON arrays, CloudTrail log files, the
//! answers of `filter-log-events`, `get-log-events`, `logs tail`, Logs Insights, `lookup-events`
//! and CloudTrail Lake, export tasks, subscription and Firehose records, `EventBridge` events, hits
//! of a search engine, Docker's log lines, and CSV; compressed with gzip or not; in UTF-8, UTF-16
//! or Latin-1. [`Search`] asks of every event which patterns match it.

mod decode;
mod envelope;
mod error;
mod nesting;
mod reader;
mod search;
mod table;

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::io::{self, BufRead};

pub use error::LogError;
pub use search::{Search, Seen, Tally};

/// The largest event that CloudTrail sends to CloudWatch Logs, in bytes (AWS CloudTrail User
/// Guide, "Sending events to CloudWatch Logs": events over 256 KB are not sent).
pub const LARGEST_DELIVERED: usize = 256 * 1024;

/// The largest event that is still read as one, in bytes.
const MAX_EVENT: usize = 16 * 1024 * 1024;

/// How many envelopes within each other are opened.
const MAX_DEPTH: usize = 12;

/// What an event is, as far as CloudTrail is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// An event of CloudTrail.
    CloudTrail,
    /// An event of CloudTrail that is too large for CloudWatch Logs: no metric filter sees it.
    Oversized,
    /// An event of CloudTrail Insights.
    Insight,
    /// A digest file, which holds checksums of log files and no event.
    Digest,
    /// Anything else.
    Other,
}

/// One event of a log file.
#[derive(Debug)]
pub struct LogEvent<'a> {
    /// Its message, as CloudWatch Logs would have it.
    pub message: Cow<'a, str>,
    /// What it is.
    pub kind: Kind,
    /// Of a row of a table: the members the table has columns for. Nothing is known of others.
    pub columns: Option<&'a BTreeSet<String>>,
}

type Sink<'a> = &'a mut dyn FnMut(LogEvent<'_>) -> io::Result<()>;

/// Calls back for every event, in order, until an error is returned.
///
/// # Errors
///
/// When the input is no log, is cut off or damaged, or when the callback fails. What came before
/// was called back for.
pub fn read(
    input: impl BufRead,
    mut found: impl FnMut(LogEvent<'_>) -> io::Result<()>,
) -> Result<(), LogError> {
    read_within(Box::new(input), &mut found, 0)
}

fn read_within(
    input: Box<dyn BufRead + '_>,
    found: Sink<'_>,
    depth: usize,
) -> Result<(), LogError> {
    if depth > MAX_DEPTH {
        return Err(LogError::TooDeep);
    }
    let mut input = decode::decoded(input)?;
    if let Some(header) = table::header(&mut input)? {
        return table::rows(input, &header, found, depth);
    }
    reader::Reader::new(input, depth).run(found)
}
