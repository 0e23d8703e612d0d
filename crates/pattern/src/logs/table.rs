//! Events in tables: CSV of Event history, Athena, CloudTrail Lake and Logs Insights.

use std::borrow::Cow;
use std::cell::Cell;
use std::collections::BTreeSet;
use std::io::{self, BufRead, Cursor, Read};
use std::rc::Rc;

use serde_json::{Map, Value};

use super::{Kind, LogError, LogEvent, MAX_EVENT, Sink, envelope};

/// Members of an event that a column can hold as a whole (AWS CloudTrail User Guide, "CloudTrail
/// record contents"). `userIdentity` and `resources` are left out: tables have parts of them, or
/// write them in notations that cannot be read back.
const MEMBERS: [&str; 23] = [
    "additionalEventData",
    "apiVersion",
    "awsRegion",
    "errorCode",
    "errorMessage",
    "eventCategory",
    "eventID",
    "eventName",
    "eventSource",
    "eventTime",
    "eventType",
    "eventVersion",
    "managementEvent",
    "readOnly",
    "recipientAccountId",
    "requestID",
    "requestParameters",
    "responseElements",
    "serviceEventDetails",
    "sessionCredentialFromConsole",
    "sharedEventID",
    "sourceIPAddress",
    "userAgent",
];

/// Columns that hold whole events.
const WHOLE: [&str; 4] = ["@message", "cloudtrailevent", "eventjson", "message"];

/// How long the first line of a table may be, in bytes.
const LONGEST_HEADER: usize = 8192;

/// What the columns of a table hold.
pub(super) struct Header {
    /// The column of whole events.
    whole: Option<usize>,
    /// The member of each column.
    members: Vec<Option<&'static str>>,
    columns: BTreeSet<String>,
}

/// Takes the first line of a table. Anything else stays as it is.
pub(super) fn header(input: &mut Box<dyn BufRead + '_>) -> Result<Option<Header>, LogError> {
    let bytes = input.fill_buf().map_err(LogError::of_reading)?;
    if bytes
        .first()
        .is_none_or(|byte| b"{[ \t\r\n\0".contains(byte))
    {
        return Ok(None);
    }
    let mut line = Vec::new();
    input
        .by_ref()
        .take(LONGEST_HEADER as u64)
        .read_until(b'\n', &mut line)
        .map_err(LogError::of_reading)?;
    let header = Header::of(&line);
    if header.is_none() {
        let rest = std::mem::replace(input, Box::new(io::empty()));
        *input = Box::new(Cursor::new(line).chain(rest));
    }
    Ok(header)
}

impl Header {
    fn of(line: &[u8]) -> Option<Self> {
        let mut record = csv::ByteRecord::new();
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .from_reader(line);
        if !reader.read_byte_record(&mut record).ok()? {
            return None;
        }
        let names: Vec<String> = record
            .iter()
            .map(|name| {
                let name = String::from_utf8_lossy(name).to_ascii_lowercase();
                name.replace([' ', '_'], "")
            })
            .collect();
        let members: Vec<Option<&'static str>> = names
            .iter()
            .map(|name| {
                MEMBERS
                    .into_iter()
                    .find(|member| member.eq_ignore_ascii_case(name))
            })
            .collect();
        let whole = names.iter().position(|name| WHOLE.contains(&name.as_str()));
        let alone = names.len() == 1 && !line.starts_with(b"\"");
        let known = match whole {
            Some(at) => !alone || names.get(at).is_some_and(|name| name != "message"),
            None => !alone && members.contains(&Some("eventName")),
        };
        known.then(|| Self {
            whole,
            columns: members
                .iter()
                .flatten()
                .map(|name| (*name).to_owned())
                .collect(),
            members,
        })
    }
}

/// Calls back for every row.
pub(super) fn rows(
    input: Box<dyn BufRead + '_>,
    header: &Header,
    found: Sink<'_>,
    depth: usize,
) -> Result<(), LogError> {
    let left = Rc::new(Cell::new(0));
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .from_reader(Bounded {
            input,
            left: Rc::clone(&left),
        });
    let mut record = csv::ByteRecord::new();
    loop {
        left.set(MAX_EVENT);
        match reader.read_byte_record(&mut record) {
            Ok(true) => {}
            Ok(false) => return Ok(()),
            Err(error) => {
                return Err(match error.into_kind() {
                    csv::ErrorKind::Io(error) if error.kind() == io::ErrorKind::QuotaExceeded => {
                        LogError::TooLarge
                    }
                    csv::ErrorKind::Io(error) => LogError::of_reading(error),
                    other => LogError::Table(format!("{other:?}")),
                });
            }
        }
        match header.whole {
            Some(at) => {
                let cell = record.get(at).unwrap_or_default().trim_ascii();
                envelope::line(cell, depth + 1, found)?;
            }
            None => row(&record, header, found)?,
        }
    }
}

fn row(record: &csv::ByteRecord, header: &Header, found: Sink<'_>) -> Result<(), LogError> {
    let mut event = Map::new();
    for (member, cell) in header.members.iter().zip(record) {
        let cell = String::from_utf8_lossy(cell);
        // A table tells an absent member and an empty text not apart.
        if let Some(member) = member
            && !matches!(cell.as_ref(), "" | "-" | "null")
        {
            let structured =
                cell.starts_with(['{', '[']) || matches!(cell.as_ref(), "true" | "false");
            let value = structured
                .then(|| serde_json::from_str(&cell).ok())
                .flatten()
                .unwrap_or_else(|| Value::String(cell.into_owned()));
            event.insert((*member).to_owned(), value);
        }
    }
    let kind = if event.contains_key("eventName") {
        Kind::CloudTrail
    } else {
        Kind::Other
    };
    found(LogEvent {
        message: Cow::Owned(Value::Object(event).to_string()),
        kind,
        columns: Some(&header.columns),
    })?;
    Ok(())
}

/// Ends a record whose quotation mark is never closed before it fills the memory.
struct Bounded<R> {
    input: R,
    left: Rc<Cell<usize>>,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.left.get() == 0 {
            return Err(io::ErrorKind::QuotaExceeded.into());
        }
        let read = self.input.read(buffer)?;
        self.left.set(self.left.get().saturating_sub(read));
        Ok(read)
    }
}
