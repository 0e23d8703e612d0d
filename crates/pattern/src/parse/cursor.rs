//! A place in the text of a pattern.

use super::super::{PatternError, Span};

/// A place in the text of a pattern.
pub(super) struct Cursor<'a> {
    text: &'a str,
    position: usize,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, position: 0 }
    }

    pub(super) fn position(&self) -> usize {
        self.position
    }

    pub(super) fn rest(&self) -> &'a str {
        self.text.get(self.position..).unwrap_or_default()
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    pub(super) fn next(&mut self) -> Option<char> {
        let character = self.peek()?;
        self.position += character.len_utf8();
        Some(character)
    }

    /// Steps over a text if it comes next.
    pub(super) fn take(&mut self, expected: &str) -> bool {
        let found = self.rest().starts_with(expected);
        if found {
            self.position += expected.len();
        }
        found
    }

    /// Steps over characters, and gives them.
    pub(super) fn take_while(&mut self, wanted: impl Fn(char) -> bool) -> &'a str {
        let rest = self.rest();
        let length = rest
            .find(|character| !wanted(character))
            .unwrap_or(rest.len());
        self.advance(length)
    }

    /// Steps over a number of bytes, and gives them.
    pub(super) fn advance(&mut self, length: usize) -> &'a str {
        let taken = self.rest().get(..length).unwrap_or_default();
        self.position += taken.len();
        taken
    }

    pub(super) fn skip_blanks(&mut self) {
        self.take_while(char::is_whitespace);
    }

    /// An error about what lies between an earlier place and here.
    pub(super) fn error_since(&self, start: usize, message: impl Into<String>) -> PatternError {
        PatternError::new(Span::new(start, self.position.max(start)), message)
    }

    /// An error about the next character, or about the end.
    pub(super) fn error_here(&self, message: impl Into<String>) -> PatternError {
        let length = self.peek().map_or(0, char::len_utf8);
        PatternError::new(Span::new(self.position, self.position + length), message)
    }

    /// An error about all that is left.
    pub(super) fn error_to_end(&self, message: impl Into<String>) -> PatternError {
        PatternError::new(Span::new(self.position, self.text.len()), message)
    }

    /// The text between an earlier place and here.
    pub(super) fn since(&self, start: usize) -> &'a str {
        self.text.get(start..self.position).unwrap_or_default()
    }
}
