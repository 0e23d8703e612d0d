//! Takes a stream apart into events, with no more than one of them in memory.

use std::io::{self, BufRead, Read};
use std::sync::LazyLock;

use memchr::memmem::Finder;

use super::decode::BYTE_ORDER_MARK;
use super::envelope::{self, List};
use super::nesting::Nesting;
use super::{LogError, MAX_DEPTH, MAX_EVENT, Sink};

/// How far ahead is looked for the list in an envelope, in bytes.
const LOOKAHEAD: usize = 1 << 16;

/// How CloudTrail begins each event.
const EVENT: &[u8] = b"{\"eventVersion\"";

/// Where one object follows another on a line.
static SEAMS: LazyLock<[Finder<'static>; 3]> =
    LazyLock::new(|| [Finder::new("}{"), Finder::new("} {"), Finder::new("}\t{")]);

pub(super) struct Reader<R> {
    input: R,
    /// What was looked at and put back.
    ahead: Vec<u8>,
    /// How many envelopes are around.
    depth: usize,
}

impl<R: BufRead> Reader<R> {
    pub(super) fn new(input: R, depth: usize) -> Self {
        Self {
            input,
            ahead: Vec::new(),
            depth,
        }
    }

    /// Calls back for every event of the stream.
    pub(super) fn run(mut self, found: Sink<'_>) -> Result<(), LogError> {
        let mut event = Vec::new();
        loop {
            self.skip_blanks()?;
            let Some(first) = self.peek()? else {
                return Ok(());
            };
            match first {
                b'[' if self.opens_array()? => {
                    self.take(1)?;
                    self.elements(List::Values, self.depth, &mut event, found)?;
                }
                b'{' => match self.opens_list()? {
                    Some(opening) => self.list(&opening, self.depth, &mut event, found)?,
                    None => self.object(&mut event, found)?,
                },
                // The comma after an object on a line of its own.
                b',' => self.take(1)?,
                _ => {
                    event.clear();
                    self.line(&mut event)?;
                    envelope::line(event.trim_ascii(), self.depth, found)?;
                }
            }
        }
    }

    fn peek(&mut self) -> Result<Option<u8>, LogError> {
        Ok(self.buffered()?.first().copied())
    }

    /// Zero bytes pad files, and byte order marks stay behind where files were joined.
    fn skip_blanks(&mut self) -> Result<(), LogError> {
        loop {
            let bytes = self.buffered()?;
            let blanks = bytes
                .iter()
                .take_while(|byte| byte.is_ascii_whitespace() || matches!(byte, 0x1e | 0))
                .count();
            if blanks > 0 {
                self.consume(blanks);
            } else if bytes.first() == BYTE_ORDER_MARK.first()
                && self
                    .look(BYTE_ORDER_MARK.len())?
                    .starts_with(&BYTE_ORDER_MARK)
            {
                self.take(BYTE_ORDER_MARK.len())?;
            } else {
                return Ok(());
            }
        }
    }

    /// At least so many of the next bytes, unless the input ends before, without taking them.
    fn look(&mut self, wanted: usize) -> Result<&[u8], LogError> {
        if self.ahead.is_empty() && self.buffered()?.len() >= wanted {
            return self.buffered();
        }
        while self.ahead.len() < wanted {
            let bytes = self.input.fill_buf().map_err(LogError::of_reading)?;
            let taken = bytes.len().min(wanted - self.ahead.len());
            if taken == 0 {
                break;
            }
            self.ahead
                .extend_from_slice(bytes.get(..taken).unwrap_or_default());
            self.input.consume(taken);
        }
        Ok(&self.ahead)
    }

    /// Asks about the next bytes, with more of them as long as there is no answer.
    fn ask<T>(&mut self, question: impl Fn(&[u8]) -> Option<T>) -> Result<Option<T>, LogError> {
        let mut wanted = 64;
        loop {
            // A line that is cut off must not keep a damaged file's events before it from view.
            let seen = self.look(wanted)?;
            let answer = question(seen);
            let ended = seen.len() < wanted;
            if answer.is_some() || ended || wanted >= LOOKAHEAD {
                return Ok(answer);
            }
            wanted = (wanted * 8).min(LOOKAHEAD);
        }
    }

    /// Whether a JSON array follows, rather than a line of text that starts with a bracket.
    fn opens_array(&mut self) -> Result<bool, LogError> {
        let answer = self.ask(|seen| {
            let next = seen.get(1..)?.trim_ascii_start();
            match next.first()? {
                b'{' | b']' => Some(true),
                b'[' => Some(matches!(
                    next.get(1..)?.trim_ascii_start().first()?,
                    b'{' | b'['
                )),
                b'"' => {
                    let text = next.get(1..)?.trim_ascii_start();
                    Some(text.first()? == &b'{')
                }
                _ => Some(false),
            }
        })?;
        Ok(answer.unwrap_or(false))
    }

    /// Whether an object follows that is an envelope around a list of events.
    fn opens_list(&mut self) -> Result<Option<envelope::Opening>, LogError> {
        if self.look(EVENT.len())?.starts_with(EVENT) {
            return Ok(None);
        }
        Ok(self.ask(envelope::opening)?.flatten())
    }

    /// A list in an envelope, and what follows it there.
    fn list(
        &mut self,
        opening: &envelope::Opening,
        depth: usize,
        event: &mut Vec<u8>,
        found: Sink<'_>,
    ) -> Result<(), LogError> {
        self.take(opening.length)?;
        self.elements(opening.list, depth, event, found)?;
        let mut nesting = Nesting::within(opening.objects);
        loop {
            let bytes = self.buffered()?;
            let size = bytes.len();
            // The members that follow are no events. A comma between them ends nothing here.
            let end = nesting.end(bytes);
            self.consume(end.unwrap_or(size));
            match end {
                Some(_) => return Ok(()),
                None if size == 0 => return Err(LogError::CutOff("the records are never closed")),
                None => {}
            }
        }
    }

    /// The elements of an array whose bracket is read already.
    fn elements(
        &mut self,
        list: List,
        depth: usize,
        event: &mut Vec<u8>,
        found: Sink<'_>,
    ) -> Result<(), LogError> {
        if depth > MAX_DEPTH {
            return Err(LogError::TooDeep);
        }
        loop {
            self.skip_blanks()?;
            match self.peek()? {
                None => return Err(LogError::CutOff("the list of events is never closed")),
                Some(b']') => {
                    self.take(1)?;
                    return Ok(());
                }
                // Also after the last element: no event is in doubt for it.
                Some(b',') => self.take(1)?,
                Some(b'}' | b':') => {
                    return Err(LogError::CutOff("an object ends within the list of events"));
                }
                Some(first) => {
                    if first == b'{'
                        && let Some(opening) = self.opens_list()?
                    {
                        self.list(&opening, depth + 1, event, found)?;
                        continue;
                    }
                    event.clear();
                    self.value(event)?;
                    envelope::element(list, event.trim_ascii(), depth, found)?;
                }
            }
        }
    }

    /// One JSON value, up to the comma or bracket after it.
    fn value(&mut self, event: &mut Vec<u8>) -> Result<(), LogError> {
        let mut nesting = Nesting::default();
        loop {
            let bytes = self.buffered()?;
            if bytes.is_empty() {
                return Err(LogError::CutOff("the last event of the list is not whole"));
            }
            let end = nesting.end(bytes);
            let taken = end.unwrap_or(bytes.len());
            event.extend_from_slice(bytes.get(..taken).unwrap_or_default());
            self.consume(taken);
            if end.is_some() {
                return Ok(());
            }
            if event.len() > MAX_EVENT {
                return Err(LogError::TooLarge);
            }
        }
    }

    /// What comes next, as much as is at hand; nothing at the end.
    fn buffered(&mut self) -> Result<&[u8], LogError> {
        if self.ahead.is_empty() {
            self.input.fill_buf().map_err(LogError::of_reading)
        } else {
            Ok(&self.ahead)
        }
    }

    fn consume(&mut self, count: usize) {
        if self.ahead.is_empty() {
            self.input.consume(count);
        } else {
            self.ahead.drain(..count.min(self.ahead.len()));
        }
    }

    /// Takes so many bytes that were looked at before.
    fn take(&mut self, mut count: usize) -> Result<(), LogError> {
        while count > 0 {
            let taken = self.buffered()?.len().min(count);
            if taken == 0 {
                break;
            }
            self.consume(taken);
            count -= taken;
        }
        Ok(())
    }

    /// An object that stands by itself: usually one line. Where lines are missing from it or it is
    /// broken, the next line that starts with a brace is the next event.
    fn object(&mut self, event: &mut Vec<u8>, found: Sink<'_>) -> Result<(), LogError> {
        event.clear();
        let mut nesting = Nesting::default();
        let mut followed = 0;
        if self.value_without_line(event)? {
            return envelope::object(event.trim_ascii(), self.depth, found);
        }
        loop {
            let read = self.line(event)?;
            // The next line first: it is the cheaper look, and nearly always a new event.
            if read == 0 || self.peek()? == Some(b'{') {
                break;
            }
            if nesting
                .end(event.get(followed..).unwrap_or_default())
                .is_some()
            {
                break;
            }
            followed = event.len();
            if event.len() > MAX_EVENT {
                return Err(LogError::TooLarge);
            }
        }
        let text = event.trim_ascii_end();
        let text = text.strip_suffix(b",").unwrap_or(text).trim_ascii();
        if SEAMS.iter().all(|seam| seam.find(text).is_none()) {
            return envelope::object(text, self.depth, found);
        }
        let mut rest = text;
        while !rest.is_empty() {
            let end = Nesting::default().end(rest).filter(|end| *end > 0);
            let (object, after) = rest.split_at(end.unwrap_or(rest.len()));
            // What follows an object on its line belongs to it, unless it is another object.
            let after = after.trim_ascii_start();
            let (object, after) = if after.starts_with(b"{") {
                (object, after)
            } else {
                (rest, &b""[..])
            };
            envelope::object(object, self.depth, found)?;
            rest = after;
        }
        Ok(())
    }

    /// Reads an object of a line that is longer than what is at hand, as deliveries join objects
    /// without line breaks. False when the line has to be read on; what was read is in `event`.
    fn value_without_line(&mut self, event: &mut Vec<u8>) -> Result<bool, LogError> {
        let mut nesting = Nesting::default();
        loop {
            let bytes = self.buffered()?;
            let bytes = bytes.get(..LOOKAHEAD).unwrap_or(bytes);
            if bytes.is_empty() || memchr::memchr(b'\n', bytes).is_some() {
                return Ok(false);
            }
            let end = nesting.end(bytes);
            let taken = end.unwrap_or(bytes.len());
            event.extend_from_slice(bytes.get(..taken).unwrap_or_default());
            self.consume(taken);
            if end.is_some() {
                let next = self.look(2)?.trim_ascii_start().first().copied();
                return Ok(matches!(next, None | Some(b'{' | b',')));
            }
            if event.len() > MAX_EVENT {
                return Err(LogError::TooLarge);
            }
        }
    }

    fn line(&mut self, line: &mut Vec<u8>) -> Result<usize, LogError> {
        let before = line.len();
        if !self.ahead.is_empty() {
            let end = memchr::memchr(b'\n', &self.ahead).map(|end| end + 1);
            line.extend(self.ahead.drain(..end.unwrap_or(self.ahead.len())));
            if end.is_some() {
                return Ok(line.len() - before);
            }
        }
        let limit = (MAX_EVENT + 1) as u64;
        self.input
            .by_ref()
            .take(limit)
            .read_until(b'\n', line)
            .map_err(LogError::of_reading)?;
        Ok(line.len() - before)
    }
}

impl From<LogError> for io::Error {
    fn from(error: LogError) -> Self {
        match error {
            LogError::Io(error) => error,
            other => Self::new(io::ErrorKind::InvalidData, other.to_string()),
        }
    }
}
