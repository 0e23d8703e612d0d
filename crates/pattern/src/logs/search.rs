//! Which patterns match the events of a log.

use std::collections::BTreeSet;
use std::io::{self, BufRead};

use serde_json::Value;

use super::{Kind, LogError, LogEvent, read};
use crate::{Event, Form, Match, Pattern, Projection, matches};

/// The member that says when an event happened.
const TIME: &str = "eventTime";

/// A search for the events that patterns match.
#[derive(Debug)]
pub struct Search {
    patterns: Vec<Pattern>,
    /// What is kept of an event.
    kept: Projection,
    /// What a table needs columns for; `None` where it would have to hold the whole event.
    needed: Option<BTreeSet<String>>,
}

/// An event, and what was found.
#[derive(Debug)]
pub struct Seen<'a> {
    /// Its number in the log, from 0.
    pub index: u64,
    /// Its message.
    pub message: &'a str,
    /// What it is.
    pub kind: Kind,
    /// The outcome for each pattern, in their order. Nothing matches an oversized event, because
    /// no metric filter sees it.
    pub outcomes: &'a [Match],
    /// Its `eventTime`.
    pub time: Option<&'a str>,
}

/// What was seen in a log.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    /// Events that were held against the patterns.
    pub read: u64,
    /// Events of CloudTrail among them.
    pub cloudtrail: u64,
    /// Events of CloudTrail Insights among them.
    pub insights: u64,
    /// Events among them that are not JSON.
    pub unreadable: u64,
    /// Events that are too large for CloudWatch Logs; not among those read.
    pub oversized: u64,
    /// Digest files; not among those read.
    pub digests: u64,
    /// Events that match, for each pattern.
    pub matched: Vec<u64>,
    /// Events for which AWS documents no answer, for each pattern.
    pub undocumented: Vec<u64>,
}

impl Tally {
    /// Nothing seen yet, of so many patterns.
    pub fn new(patterns: usize) -> Self {
        Self {
            matched: vec![0; patterns],
            undocumented: vec![0; patterns],
            ..Self::default()
        }
    }

    /// Adds what was seen elsewhere.
    pub fn merge(&mut self, other: &Self) {
        self.read += other.read;
        self.cloudtrail += other.cloudtrail;
        self.insights += other.insights;
        self.unreadable += other.unreadable;
        self.oversized += other.oversized;
        self.digests += other.digests;
        for (mine, theirs) in self.matched.iter_mut().zip(&other.matched) {
            *mine += theirs;
        }
        for (mine, theirs) in self.undocumented.iter_mut().zip(&other.undocumented) {
            *mine += theirs;
        }
    }

    /// Whether anything is from CloudTrail.
    pub fn knows_cloudtrail(&self) -> bool {
        self.cloudtrail + self.insights + self.oversized + self.digests > 0
    }
}

impl Search {
    /// A search for what any of these patterns matches.
    pub fn new(patterns: Vec<Pattern>) -> Self {
        let kept = Projection::of(&patterns);
        let json = patterns
            .iter()
            .all(|pattern| matches!(pattern.form(), Form::Json(_)));
        Self {
            needed: kept.members().filter(|_| json).cloned(),
            kept: kept.with(TIME),
            patterns,
        }
    }

    /// The patterns, in their order.
    pub fn patterns(&self) -> &[Pattern] {
        &self.patterns
    }

    /// Reads a log to its end and calls back for every event. Says what was seen, also when the
    /// log could not be read to its end.
    pub fn run(
        &self,
        input: impl BufRead,
        mut seen: impl FnMut(&Seen<'_>) -> io::Result<()>,
    ) -> (Tally, Option<LogError>) {
        let mut tally = Tally::new(self.patterns.len());
        let mut outcomes = Vec::with_capacity(self.patterns.len());
        let mut index = 0;
        let result = read(input, |event| {
            if event.kind == Kind::Digest {
                tally.digests += 1;
                return Ok(());
            }
            self.has_columns(&event)?;
            let value = self.kept.read(&event.message);
            self.judge(&event, value.as_ref(), &mut tally, &mut outcomes);
            let time = value.as_ref().and_then(|value| value.get(TIME));
            seen(&Seen {
                index,
                message: &event.message,
                kind: event.kind,
                outcomes: &outcomes,
                time: time.and_then(Value::as_str),
            })?;
            index += 1;
            Ok(())
        });
        (tally, result.err())
    }

    fn judge(
        &self,
        event: &LogEvent<'_>,
        value: Option<&Value>,
        tally: &mut Tally,
        outcomes: &mut Vec<Match>,
    ) {
        outcomes.clear();
        if event.kind == Kind::Oversized {
            tally.oversized += 1;
            outcomes.resize(self.patterns.len(), Match::No);
            return;
        }
        tally.read += 1;
        tally.unreadable += u64::from(value.is_none());
        tally.cloudtrail += u64::from(event.kind == Kind::CloudTrail);
        tally.insights += u64::from(event.kind == Kind::Insight);
        let event = Event::from_parts(value, event.message.as_ref().into());
        for (number, pattern) in self.patterns.iter().enumerate() {
            let outcome = matches(pattern, &event);
            let count = match outcome {
                Match::Yes => tally.matched.get_mut(number),
                Match::Undocumented => tally.undocumented.get_mut(number),
                Match::No => None,
            };
            if let Some(count) = count {
                *count += 1;
            }
            outcomes.push(outcome);
        }
    }

    /// What a table has no column for is not absent from the event: nothing follows from it.
    fn has_columns(&self, event: &LogEvent<'_>) -> io::Result<()> {
        let Some(columns) = event.columns else {
            return Ok(());
        };
        let missing = match &self.needed {
            None => "the whole event".to_owned(),
            Some(needed) => {
                let missing: Vec<&str> = needed.difference(columns).map(String::as_str).collect();
                if missing.is_empty() {
                    return Ok(());
                }
                missing.join(", ")
            }
        };
        Err(io::Error::new(
            io::ErrorKind::Unsupported,
            format!(
                "this table has no column for {missing}, which the pattern looks at: get the events as JSON"
            ),
        ))
    }
}
