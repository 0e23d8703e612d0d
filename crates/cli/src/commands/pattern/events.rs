//! Takes log files apart into events, without ever holding a whole file: one event per line, a JSON
//! array, or CloudTrail's `{"Records": [...]}`, compressed or not.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use flate2::bufread::MultiGzDecoder;
use memchr::{memchr2, memmem};

/// The largest event that is still read as one. CloudTrail sends none above 256 KB to CloudWatch
/// Logs.
const MAX_EVENT: usize = 16 * 1024 * 1024;

/// The log files in a folder, in order of their names; a file stands for itself.
pub(super) fn files(path: &Path) -> io::Result<Vec<PathBuf>> {
    if !fs::metadata(path)?.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut files = Vec::new();
    let mut folders = vec![path.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder)? {
            let entry = entry?;
            if entry.file_name().as_encoded_bytes().starts_with(b".") {
                continue;
            }
            // Links to folders are not followed: they may lead around in circles.
            let kind = entry.file_type()?;
            if kind.is_dir() {
                folders.push(entry.path());
            } else if kind.is_file() || fs::metadata(entry.path()).is_ok_and(|file| file.is_file())
            {
                files.push(entry.path());
            }
        }
    }
    files.sort();
    Ok(files)
}

/// Opens a file.
pub(super) fn open(path: &Path) -> io::Result<Box<dyn BufRead>> {
    uncompressed(BufReader::with_capacity(1 << 16, File::open(path)?))
}

/// Looks through compression.
pub(super) fn uncompressed(mut input: impl BufRead + 'static) -> io::Result<Box<dyn BufRead>> {
    Ok(if input.fill_buf()?.starts_with(&[0x1f, 0x8b]) {
        Box::new(BufReader::with_capacity(
            1 << 16,
            MultiGzDecoder::new(input),
        ))
    } else {
        Box::new(input)
    })
}

/// Calls back for the raw text of every event, until told to stop.
pub(super) fn for_each(
    input: impl BufRead,
    mut found: impl FnMut(&[u8]) -> io::Result<()>,
) -> io::Result<()> {
    let mut reader = Reader {
        input,
        ahead: Vec::new(),
    };
    let mut event = Vec::new();
    loop {
        reader.skip_blanks()?;
        let Some(first) = reader.peek()? else {
            return Ok(());
        };
        match first {
            b'[' if reader.opens_array()? => {
                reader.take_through(b'[')?;
                reader.elements(&mut event, &mut found)?;
            }
            b'{' if reader.opens_records()? => {
                reader.take_through(b'[')?;
                reader.elements(&mut event, &mut found)?;
                reader.close_records()?;
            }
            b'{' => reader.object(&mut event, &mut found)?,
            _ => {
                event.clear();
                reader.line(&mut event)?;
                found(event.trim_ascii())?;
            }
        }
    }
}

struct Reader<R> {
    input: R,
    /// What was looked at and put back.
    ahead: Vec<u8>,
}

impl<R: BufRead> Reader<R> {
    fn byte(&mut self) -> io::Result<Option<u8>> {
        if !self.ahead.is_empty() {
            return Ok(Some(self.ahead.remove(0)));
        }
        let byte = self.input.fill_buf()?.first().copied();
        self.input.consume(usize::from(byte.is_some()));
        Ok(byte)
    }

    fn peek(&mut self) -> io::Result<Option<u8>> {
        if let Some(byte) = self.ahead.first() {
            return Ok(Some(*byte));
        }
        Ok(self.input.fill_buf()?.first().copied())
    }

    fn skip_blanks(&mut self) -> io::Result<()> {
        while self
            .peek()?
            .is_some_and(|byte| byte.is_ascii_whitespace() || byte == 0x1e)
        {
            self.byte()?;
        }
        Ok(())
    }

    /// Looks ahead as far as `wanted` says, and puts everything back.
    fn look(&mut self, mut wanted: impl FnMut(&[u8]) -> Option<bool>) -> io::Result<bool> {
        let mut seen = std::mem::take(&mut self.ahead);
        let mut answer = wanted(&seen);
        while answer.is_none() && seen.len() < 4096 {
            let Some(byte) = self.byte()? else {
                break;
            };
            seen.push(byte);
            answer = wanted(&seen);
        }
        self.ahead = seen;
        Ok(answer.unwrap_or(false))
    }

    /// Whether a JSON array follows, rather than a line of text that starts with a bracket.
    fn opens_array(&mut self) -> io::Result<bool> {
        self.look(|seen| {
            let next = seen.get(1..)?.trim_ascii_start().first()?;
            Some(matches!(next, b'{' | b']'))
        })
    }

    /// Whether `{"Records": [` follows.
    fn opens_records(&mut self) -> io::Result<bool> {
        const START: [&[u8]; 4] = [b"{", b"\"Records\"", b":", b"["];
        self.look(|seen| {
            let mut rest = seen;
            for part in START {
                rest = rest.trim_ascii_start();
                if rest.len() < part.len() {
                    return if part.starts_with(rest) {
                        None
                    } else {
                        Some(false)
                    };
                }
                rest = match rest.strip_prefix(part) {
                    Some(rest) => rest,
                    None => return Some(false),
                };
            }
            Some(true)
        })
    }

    fn take_through(&mut self, last: u8) -> io::Result<()> {
        while let Some(byte) = self.byte()? {
            if byte == last {
                break;
            }
        }
        Ok(())
    }

    /// The elements of an array whose bracket is read already.
    fn elements(
        &mut self,
        event: &mut Vec<u8>,
        found: &mut impl FnMut(&[u8]) -> io::Result<()>,
    ) -> io::Result<()> {
        loop {
            self.skip_blanks()?;
            match self.peek()? {
                None => return Err(cut_off("the array is never closed")),
                Some(b']') => {
                    self.byte()?;
                    return Ok(());
                }
                Some(b',') => {
                    self.byte()?;
                }
                Some(_) => {
                    event.clear();
                    if !self.value(event)? {
                        return Err(cut_off("the last event of the array is cut off"));
                    }
                    found(event.trim_ascii())?;
                }
            }
        }
    }

    /// What follows the array of `{"Records": [...]`: the rest of the object around it.
    fn close_records(&mut self) -> io::Result<()> {
        let mut nesting = Nesting::within_object();
        loop {
            let bytes = self.buffered()?;
            let size = bytes.len();
            let end = nesting.end(bytes);
            self.consume(end.unwrap_or(size));
            match end {
                Some(_) => return Ok(()),
                None if size == 0 => return Err(cut_off("the records are never closed")),
                None => {}
            }
        }
    }

    /// One JSON value, up to the comma or bracket after it. False at a premature end.
    fn value(&mut self, event: &mut Vec<u8>) -> io::Result<bool> {
        let mut nesting = Nesting::default();
        loop {
            let bytes = self.buffered()?;
            if bytes.is_empty() {
                return Ok(false);
            }
            let end = nesting.end(bytes);
            let taken = end.unwrap_or(bytes.len());
            event.extend(bytes.iter().take(taken));
            self.consume(taken);
            if end.is_some() {
                return Ok(true);
            }
            if event.len() > MAX_EVENT {
                return Err(cut_off("an event is larger than 16 MiB"));
            }
        }
    }

    /// What comes next, as much as is at hand; nothing at the end.
    fn buffered(&mut self) -> io::Result<&[u8]> {
        if self.ahead.is_empty() {
            self.input.fill_buf()
        } else {
            Ok(&self.ahead)
        }
    }

    fn consume(&mut self, count: usize) {
        if self.ahead.is_empty() {
            self.input.consume(count);
        } else {
            self.ahead.drain(..count);
        }
    }

    /// An object that stands by itself: usually one line. Where lines are missing from it or it is
    /// broken, the next line that starts with a brace is the next event.
    fn object(
        &mut self,
        event: &mut Vec<u8>,
        found: &mut impl FnMut(&[u8]) -> io::Result<()>,
    ) -> io::Result<()> {
        event.clear();
        loop {
            let read = self.line(event)?;
            // The next line first: it is the cheaper look, and nearly always a new event.
            if read == 0 || self.peek()? == Some(b'{') || Nesting::default().end(event).is_some() {
                break;
            }
            if event.len() > MAX_EVENT {
                return Err(cut_off("an event is larger than 16 MiB"));
            }
        }
        match records(event) {
            Some(records) => records.iter().try_for_each(|record| found(record)),
            None => found(event.trim_ascii()),
        }
    }

    fn line(&mut self, line: &mut Vec<u8>) -> io::Result<usize> {
        let before = line.len();
        while !self.ahead.is_empty() {
            let byte = self.ahead.remove(0);
            line.push(byte);
            if byte == b'\n' {
                return Ok(line.len() - before);
            }
        }
        let limit = (MAX_EVENT + 1) as u64;
        self.input.by_ref().take(limit).read_until(b'\n', line)?;
        Ok(line.len() - before)
    }
}

fn cut_off(message: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, message)
}

/// The records of an object in which `Records` is not the first member.
fn records(event: &[u8]) -> Option<Vec<Vec<u8>>> {
    // Cheap for the usual event, which does not mention records.
    memmem::find(event, b"\"Records\"")?;
    let value: serde_json::Value = serde_json::from_slice(event).ok()?;
    if value.get("eventName").is_some() {
        return None;
    }
    let records = value.get("Records")?.as_array()?;
    Some(
        records
            .iter()
            .map(|record| record.to_string().into_bytes())
            .collect(),
    )
}

/// Follows brackets and quotation marks to the end of a JSON value.
#[derive(Default)]
struct Nesting {
    depth: usize,
    in_text: bool,
    escaped: bool,
}

impl Nesting {
    /// Begins after the opening brace of an object.
    fn within_object() -> Self {
        Self {
            depth: 1,
            ..Self::default()
        }
    }

    /// Where the value ends, if it ends in these bytes: before a comma or bracket of the array
    /// around it, or after its own last bracket. Goes on where the last call stopped.
    fn end(&mut self, bytes: &[u8]) -> Option<usize> {
        let mut at = 0;
        while let Some(byte) = bytes.get(at) {
            if self.escaped {
                self.escaped = false;
            } else if self.in_text {
                at += memchr2(b'"', b'\\', bytes.get(at..)?)?;
                self.escaped = bytes.get(at) == Some(&b'\\');
                self.in_text = self.escaped;
            } else {
                match byte {
                    b'"' => self.in_text = true,
                    b'{' | b'[' => self.depth += 1,
                    b',' | b']' if self.depth == 0 => return Some(at),
                    b'}' | b']' => {
                        self.depth = self.depth.saturating_sub(1);
                        if self.depth == 0 {
                            return Some(at + 1);
                        }
                    }
                    _ => {}
                }
            }
            at += 1;
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn events(text: &str) -> Vec<String> {
        let mut events = Vec::new();
        for_each(text.as_bytes(), |event| {
            events.push(String::from_utf8_lossy(event).into_owned());
            Ok(())
        })
        .unwrap();
        events
    }

    #[test]
    fn every_form_gives_its_events() {
        for (text, expected) in [
            ("", vec![]),
            ("{\"a\":1}\n{\"a\":2}\n", vec![r#"{"a":1}"#, r#"{"a":2}"#]),
            ("{\"a\":1}\n\n{\"a\":2}", vec![r#"{"a":1}"#, r#"{"a":2}"#]),
            (
                "[{\"a\":1},\n {\"a\":\"]}\\\"\"}]",
                vec![r#"{"a":1}"#, r#"{"a":"]}\""}"#],
            ),
            ("[]", vec![]),
            (
                r#"{"Records":[{"a":1},{"a":[2]}]}"#,
                vec![r#"{"a":1}"#, r#"{"a":[2]}"#],
            ),
            (
                "{ \"Records\" : [\n {\"a\":1}\n] }\n{\"Records\":[{\"a\":2}]}",
                vec![r#"{"a":1}"#, r#"{"a":2}"#],
            ),
            (r#"{"other":1,"Records":[{"a":1}]}"#, vec![r#"{"a":1}"#]),
            (
                "{\n  \"a\": 1\n}\n{\"a\":2}",
                vec!["{\n  \"a\": 1\n}", r#"{"a":2}"#],
            ),
            ("{\"a\":\n{\"a\":2}\n", vec![r#"{"a":"#, r#"{"a":2}"#]),
            ("[ERROR 419] x\nplain\n", vec!["[ERROR 419] x", "plain"]),
        ] {
            assert_eq!(events(text), expected, "{text}");
        }
    }

    #[test]
    fn reading_in_small_pieces_changes_nothing() {
        let text = r#"{"Records": [{"a":"\\\"]}","b":[1,{"c":"\\"}]}, {"a":"x"} ], "more": "]}"}
            [ {"a":"[\\\\"} , 5, "te,xt" ]"#;
        let whole = events(text);
        assert_eq!(whole.len(), 5);
        for size in 1..40 {
            let mut pieces = Vec::new();
            let input = BufReader::with_capacity(size, text.as_bytes());
            for_each(input, |event| {
                pieces.push(String::from_utf8_lossy(event).into_owned());
                Ok(())
            })
            .unwrap();
            assert_eq!(pieces, whole, "{size}");
        }
    }

    #[test]
    fn a_file_that_is_cut_off_is_an_error() {
        for text in ["[{\"a\":1},{\"b\"", "{\"Records\":[{\"a\":1}"] {
            assert!(for_each(text.as_bytes(), |_| Ok(())).is_err(), "{text}");
        }
    }
}
