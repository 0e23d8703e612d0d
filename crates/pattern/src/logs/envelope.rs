//! The envelopes that events come in: what is around them, and how they are taken out.
//!
//! Only what holds an event of CloudTrail is opened; anything else is an event itself.

use std::borrow::Cow;
use std::io;
use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use encoding_rs::WINDOWS_1252;
use memchr::memmem::{self, Finder};
use serde::de::IgnoredAny;
use serde_json::Value;

use super::nesting::{Members, Nesting, elements, value};
use super::{Kind, LARGEST_DELIVERED, LogError, LogEvent, MAX_DEPTH, Sink, read_within};

/// What the elements of a list are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum List {
    /// Events, or envelopes of one event.
    Values,
    /// Log events with a message each.
    Messages,
    /// Rows of fields.
    Rows,
}

/// The beginning of an envelope around a list.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Opening {
    /// How many bytes lie before the first element.
    pub(super) length: usize,
    /// How many objects are open there.
    pub(super) objects: usize,
    /// What the list holds.
    pub(super) list: List,
}

/// What may stand before the list in an envelope: members of the answers of CloudWatch Logs,
/// CloudTrail and search engines, and of subscription and Firehose records.
const BEFORE: [&str; 27] = [
    "_shards",
    "NextToken",
    "QueryStatistics",
    "QueryStatus",
    "deliveryStreamArn",
    "encryptionKey",
    "invocationId",
    "logGroup",
    "logStream",
    "max_score",
    "messageType",
    "nextBackwardToken",
    "nextForwardToken",
    "nextToken",
    "owner",
    "queryLanguage",
    "region",
    "requestId",
    "searchedLogStreams",
    "sourceKinesisStreamArn",
    "statistics",
    "status",
    "subscriptionFilters",
    "timed_out",
    "timestamp",
    "took",
    "total",
];

/// The first members of the elements of lists of log events.
const IN_LOG_EVENT: [&str; 12] = [
    "AccessKeyId",
    "CloudTrailEvent",
    "EventId",
    "EventName",
    "ReadOnly",
    "eventId",
    "eventVersion",
    "id",
    "ingestionTime",
    "logStreamName",
    "message",
    "timestamp",
];

/// Members whose text is an event.
const TEXTS: [&str; 11] = [
    "@message",
    "CloudTrailEvent",
    "Data",
    "Message",
    "body",
    "data",
    "eventJson",
    "log",
    "message",
    "original",
    "event",
];

/// Members whose object is an event, or has it within.
const OBJECTS: [&str; 9] = [
    "Sns", "_source", "awslogs", "detail", "event", "hits", "kinesis", "message", "record",
];

/// Where the list of an envelope begins. `None` when that cannot be told from so few bytes.
#[allow(
    clippy::option_option,
    reason = "the outer one is whether there is an answer yet"
)]
pub(super) fn opening(seen: &[u8]) -> Option<Option<Opening>> {
    let mut rest = seen.trim_ascii_start().strip_prefix(b"{")?;
    let mut objects = 1;
    loop {
        rest = rest.trim_ascii_start();
        rest = rest.strip_prefix(b",").unwrap_or(rest).trim_ascii_start();
        if *rest.first()? != b'"' {
            return Some(None);
        }
        let inside = rest.get(1..)?;
        let (name, after) = inside.split_at_checked(memchr::memchr(b'"', inside)?)?;
        let after = after.get(1..)?.trim_ascii_start();
        let Some(text) = (*after.first()? == b':').then_some(after.get(1..)?) else {
            return Some(None);
        };
        let text = text.trim_ascii_start();
        let first = *text.first()?;
        let name = std::str::from_utf8(name).unwrap_or_default();
        if first == b'['
            && let Some(list) = list_of(name)
        {
            let inside = text.get(1..)?;
            let usual = name == "Records" || fits(list, name, inside)?;
            return Some(usual.then(|| Opening {
                length: seen.len() - inside.len(),
                objects,
                list,
            }));
        }
        if first == b'{' && name == "hits" {
            objects += 1;
            rest = text.get(1..)?;
        } else if BEFORE.contains(&name) {
            rest = text.get(Nesting::default().end(text)?..)?;
        } else {
            return Some(None);
        }
    }
}

/// What a list of this name holds in an envelope.
fn list_of(name: &str) -> Option<List> {
    Some(match name {
        "events" | "Events" | "logEvents" => List::Messages,
        "results" | "QueryResultRows" => List::Rows,
        "hits" => List::Values,
        records if records.eq_ignore_ascii_case("records") => List::Values,
        _ => return None,
    })
}

/// Whether the first element is one of such a list.
fn fits(list: List, name: &str, inside: &[u8]) -> Option<bool> {
    let inside = inside.trim_ascii_start();
    let first = *inside.first()?;
    Some(match list {
        _ if first == b']' => true,
        List::Values => first == b'{' && (name != "hits" || first_name(inside)?.starts_with(b"_")),
        List::Rows => first == b'[',
        List::Messages => {
            first == b'{'
                && std::str::from_utf8(first_name(inside)?)
                    .is_ok_and(|name| IN_LOG_EVENT.contains(&name))
        }
    })
}

fn first_name(object: &[u8]) -> Option<&[u8]> {
    let inside = object.get(1..)?.trim_ascii_start();
    if *inside.first()? != b'"' {
        return Some(b"");
    }
    let inside = inside.get(1..)?;
    inside.get(..memchr::memchr(b'"', inside)?)
}

/// An element of a list.
pub(super) fn element(
    list: List,
    raw: &[u8],
    depth: usize,
    found: Sink<'_>,
) -> Result<(), LogError> {
    match (list, raw.first()) {
        (List::Messages, Some(b'{')) => {
            let message = Members::of(raw)
                .filter(|(name, _)| matches!(*name, b"message" | b"CloudTrailEvent"))
                .find_map(|(_, text)| decoded(text));
            match message {
                Some(message) => line(message.trim().as_bytes(), depth + 1, found),
                None => object(raw, depth, found),
            }
        }
        (_, Some(b'[')) => match row(raw) {
            Some(message) => line(message.trim().as_bytes(), depth + 1, found),
            None => emit(raw, Kind::Other, found),
        },
        (List::Rows, _) => emit(raw, Kind::Other, found),
        (_, Some(b'{')) => object(raw, depth, found),
        _ => line(raw, depth, found),
    }
}

/// The event in a row of fields: Logs Insights names a field and its value, CloudTrail Lake has
/// an object for each column.
fn row(raw: &[u8]) -> Option<String> {
    elements(raw).into_iter().find_map(|cell| {
        let member = |wanted: &[u8]| {
            Members::of(cell).find_map(|(name, text)| (name == wanted).then(|| decoded(text))?)
        };
        match member(b"field") {
            Some(field) if field == "@message" => member(b"value"),
            Some(_) => None,
            None => member(b"eventJson").or_else(|| member(b"@message")),
        }
    })
}

/// A line of text, or a message.
pub(super) fn line(text: &[u8], depth: usize, found: Sink<'_>) -> Result<(), LogError> {
    match text.first() {
        Some(b'{') => return object(text, depth, found),
        Some(b'"') => {
            if let Some(inner) = decoded(text)
                && unwrapped(inner.trim().as_bytes(), depth + 1, found)?
            {
                return Ok(());
            }
        }
        _ => {
            // The prefixes of export tasks and of `logs tail`, and columns of text output.
            if let Some(start) = memmem::find(text, b"{\"eventVersion\"") {
                let event = value(text.get(start..).unwrap_or_default());
                if event.ends_with(b"}") {
                    return object(event, depth, found);
                }
            } else if dated(text)
                && let Some(start) = memmem::find(text, b" {")
            {
                let event = text.get(start + 1..).unwrap_or_default();
                if serde_json::from_slice::<IgnoredAny>(event).is_ok() {
                    return object(event, depth, found);
                }
            }
        }
    }
    emit(text, Kind::Other, found)
}

/// Whether a line begins with a time such as `2026-01-01T`.
fn dated(text: &[u8]) -> bool {
    const SHAPE: &[u8] = b"0000-00-00T";
    text.len() > SHAPE.len()
        && text.iter().zip(SHAPE).all(|(byte, shape)| match shape {
            b'0' => byte.is_ascii_digit(),
            _ => byte == shape,
        })
}

/// An object: an event, an envelope around some, or something else.
pub(super) fn object(raw: &[u8], depth: usize, found: Sink<'_>) -> Result<(), LogError> {
    if unwrapped(raw, depth, found)? {
        Ok(())
    } else {
        emit(raw, Kind::Other, found)
    }
}

/// Calls back for the events of CloudTrail in an object. False when there are none.
fn unwrapped(raw: &[u8], depth: usize, found: Sink<'_>) -> Result<bool, LogError> {
    if depth > MAX_DEPTH {
        return Err(LogError::TooDeep);
    }
    if let Some(kind) = kind(raw) {
        emit(raw, kind, found)?;
        return Ok(true);
    }
    if TRACES.iter().all(|trace| trace.find(raw).is_none()) {
        return Ok(false);
    }
    let bridge = Members::of(raw).any(|(name, _)| name == b"detail-type");
    let mut any = false;
    for (name, text) in Members::of(raw) {
        let name = std::str::from_utf8(name).unwrap_or_default();
        any |= match text.first() {
            Some(b'[') if list_of(name).is_some() => {
                let list = list_of(name).unwrap_or(List::Values);
                let mut within = false;
                for raw in elements(value(text)) {
                    if name == "Records" {
                        element(list, raw, depth + 1, found)?;
                        within = true;
                    } else if let Some(message) = row(raw) {
                        within |= unwrapped(message.trim().as_bytes(), depth + 1, found)?;
                    } else {
                        within |= unwrapped(raw, depth + 1, found)?;
                    }
                }
                within
            }
            Some(b'{') if OBJECTS.contains(&name) && (name != "detail" || bridge) => {
                unwrapped(value(text), depth + 1, found)?
            }
            Some(b'"') if TEXTS.contains(&name) => match decoded(text) {
                Some(inner) => within_text(inner.trim(), depth + 1, found)?,
                None => false,
            },
            _ => false,
        };
        if any {
            break;
        }
    }
    Ok(any)
}

/// The events in a text: an object, or base64 of one, compressed or not.
fn within_text(text: &str, depth: usize, found: Sink<'_>) -> Result<bool, LogError> {
    if text.starts_with('{') {
        return unwrapped(text.as_bytes(), depth, found);
    }
    // What gzip and an object's first member begin with in base64.
    if !(text.starts_with("H4sI") || text.starts_with("ey")) {
        return Ok(false);
    }
    let Ok(bytes) = STANDARD.decode(text) else {
        return Ok(false);
    };
    if bytes.starts_with(b"{") {
        return unwrapped(bytes.trim_ascii(), depth, found);
    }
    read_within(Box::new(io::Cursor::new(bytes)), found, depth)?;
    Ok(true)
}

/// Without one of these an object is no event of CloudTrail.
static IN_EVENTS: LazyLock<[Finder<'static>; 3]> = LazyLock::new(|| {
    [
        Finder::new("\"eventVersion\""),
        Finder::new("\"eventName\""),
        Finder::new("\"digestStartTime\""),
    ]
});

/// Without one of these an object is no envelope around such events: their members, perhaps
/// within a text, and what base64 of gzip and of an object begins with.
static TRACES: LazyLock<[Finder<'static>; 6]> = LazyLock::new(|| {
    [
        Finder::new("eventVersion"),
        Finder::new("eventName"),
        Finder::new("digestStartTime"),
        Finder::new("\"Records\""),
        Finder::new("\"H4sI"),
        Finder::new("\"ey"),
    ]
});

static INSIGHT: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("Insight"));

/// What CloudTrail would call an object; `None` when it is none of its.
fn kind(raw: &[u8]) -> Option<Kind> {
    let text = |wanted: &[u8]| {
        Members::of(raw)
            .find(|(name, _)| *name == wanted)
            .map(|(_, text)| value(text))
    };
    let begins = raw.starts_with(b"{\"eventVersion\"");
    if !begins && IN_EVENTS.iter().all(|trace| trace.find(raw).is_none()) {
        return None;
    }
    let known = begins
        || Members::of(raw).any(|(name, text)| {
            matches!(name, b"eventVersion" | b"eventName") && text.starts_with(b"\"")
        });
    if !known {
        let digest = text(b"digestStartTime").is_some() && text(b"logFiles").is_some();
        return digest.then_some(Kind::Digest);
    }
    if INSIGHT.find(raw).is_some()
        && (text(b"eventType") == Some(b"\"AwsCloudTrailInsight\"")
            || text(b"eventCategory") == Some(b"\"Insight\""))
    {
        return Some(Kind::Insight);
    }
    Some(
        if raw.len() > LARGEST_DELIVERED && compact_size(raw) > LARGEST_DELIVERED {
            Kind::Oversized
        } else {
            Kind::CloudTrail
        },
    )
}

/// The size of an event as CloudTrail would send it, on one line.
fn compact_size(raw: &[u8]) -> usize {
    if !raw.contains(&b'\n') {
        return raw.len();
    }
    serde_json::from_slice::<Value>(raw).map_or(raw.len(), |whole| whole.to_string().len())
}

/// The text of a JSON string that starts here.
fn decoded(text: &[u8]) -> Option<String> {
    if text.first() != Some(&b'"') {
        return None;
    }
    serde_json::from_slice(value(text)).ok()
}

/// Calls back for one event.
pub(super) fn emit(raw: &[u8], kind: Kind, found: Sink<'_>) -> Result<(), LogError> {
    // AWS writes UTF-8. Other bytes are from a tool that wrote Latin-1.
    let message = match std::str::from_utf8(raw) {
        Ok(message) => Cow::Borrowed(message),
        Err(_) => WINDOWS_1252.decode_without_bom_handling(raw).0,
    };
    // CloudTrail sends events on one line; what was laid out for reading is put back on one.
    let compact = message
        .contains('\n')
        .then(|| serde_json::from_str::<Value>(&message).ok())
        .flatten()
        .map(|whole| Cow::Owned(whole.to_string()));
    found(LogEvent {
        message: compact.unwrap_or(message),
        kind,
        columns: None,
    })?;
    Ok(())
}
