//! Where JSON values end, without reading what they say.

use memchr::memchr2;

/// Follows brackets and quotation marks to the end of a JSON value.
#[derive(Debug, Default)]
pub(super) struct Nesting {
    depth: usize,
    in_text: bool,
    escaped: bool,
}

impl Nesting {
    /// Begins after the opening brackets of `depth` values.
    pub(super) fn within(depth: usize) -> Self {
        Self {
            depth,
            ..Self::default()
        }
    }

    /// Where the value ends, if it ends in these bytes: before a comma or bracket of what is
    /// around it, or after its own last bracket. Goes on where the last call stopped.
    pub(super) fn end(&mut self, bytes: &[u8]) -> Option<usize> {
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
                    b',' | b']' | b'}' if self.depth == 0 => return Some(at),
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

/// The members of an object: the raw text of names and values. Stops where the text is no object
/// any more, or at its end.
pub(super) struct Members<'a> {
    rest: &'a [u8],
}

impl<'a> Members<'a> {
    /// The members of an object, from its opening brace on.
    pub(super) fn of(object: &'a [u8]) -> Self {
        let object = object.trim_ascii_start();
        Self {
            rest: object.strip_prefix(b"{").unwrap_or_default(),
        }
    }
}

impl<'a> Iterator for Members<'a> {
    /// A name without its quotation marks, and the text from its value on.
    type Item = (&'a [u8], &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let start = self.rest.trim_ascii_start();
        let start = start.strip_prefix(b",").unwrap_or(start).trim_ascii_start();
        let inside = start.strip_prefix(b"\"")?;
        let (name, after) = inside.split_at_checked(text_end(inside)?)?;
        let after = after.get(1..)?;
        let value = after
            .trim_ascii_start()
            .strip_prefix(b":")?
            .trim_ascii_start();
        self.rest = match Nesting::default().end(value) {
            Some(end) => value.get(end..)?,
            None => b"",
        };
        Some((name, value))
    }
}

/// Where the closing quotation mark of a text is, of which the opening one was read.
fn text_end(text: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        at += memchr2(b'"', b'\\', text.get(at..)?)?;
        if text.get(at) == Some(&b'"') {
            return Some(at);
        }
        at += 2;
    }
}

/// The values of an array, raw.
pub(super) fn elements(array: &[u8]) -> Vec<&[u8]> {
    let mut found = Vec::new();
    let mut rest = array
        .trim_ascii_start()
        .strip_prefix(b"[")
        .unwrap_or_default();
    loop {
        rest = rest.trim_ascii_start();
        if let Some(after) = rest.strip_prefix(b",") {
            rest = after;
            continue;
        }
        if rest.is_empty() || rest.starts_with(b"]") {
            return found;
        }
        let Some(end) = Nesting::default().end(rest).filter(|end| *end > 0) else {
            return found;
        };
        let (value, after) = rest.split_at(end);
        found.push(value.trim_ascii());
        rest = after;
    }
}

/// The raw text of a value that starts here.
pub(super) fn value(text: &[u8]) -> &[u8] {
    let end = Nesting::default().end(text).unwrap_or(text.len());
    text.get(..end).unwrap_or(text).trim_ascii_end()
}
