//! What is wrong with a filter pattern, where, and what to write instead.

use serde::{Deserialize, Serialize};

/// A stretch of a pattern's text, in bytes: `start` inclusive, `end` exclusive.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Span {
    /// The first byte.
    pub start: usize,
    /// The byte after the last one.
    pub end: usize,
}

impl Span {
    /// A span from its ends.
    pub fn new(start: usize, end: usize) -> Self {
        Self { start, end }
    }
}

/// A text that CloudWatch Logs would not accept as a filter pattern.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize)]
#[error("{message} (at byte {})", span.start)]
pub struct PatternError {
    /// Where.
    pub span: Span,
    /// What is wrong: a lower-case fragment.
    pub message: String,
    /// What to write instead, where that can be said.
    pub suggestion: Option<String>,
}

impl PatternError {
    pub(super) fn new(span: Span, message: impl Into<String>) -> Self {
        Self {
            span,
            message: message.into(),
            suggestion: None,
        }
    }

    pub(super) fn suggest(mut self, suggestion: impl Into<String>) -> Self {
        self.suggestion = Some(suggestion.into());
        self
    }
}
