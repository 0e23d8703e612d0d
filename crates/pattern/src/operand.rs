//! The right side of `=` and `!=`.

use super::{Number, Regex};

/// What a value is compared with.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Operand {
    /// A text or number, with or without wildcards.
    Text(TextOperand),
    /// `%regex%`, searched for.
    Regex(Regex),
}

/// A text or number, with or without wildcards.
///
/// Only a leading and a trailing `*` are wildcards; an inner one stands for itself (CloudWatch Logs
/// User Guide of 2020, "Filter and pattern syntax").
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct TextOperand {
    text: String,
    quoted: bool,
    number: Option<Number>,
}

impl TextOperand {
    /// An operand in double quotes; `text` is what stands between them, unescaped.
    pub fn quoted(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            quoted: true,
            number: None,
        }
    }

    /// An operand without quotes: a number where it reads as one.
    pub fn bare(text: impl Into<String>) -> Self {
        let text = text.into();
        Self {
            number: Number::parse(&text),
            quoted: false,
            text,
        }
    }

    /// The text with its wildcards, without its quotes.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether it was written in quotes.
    pub fn is_quoted(&self) -> bool {
        self.quoted
    }

    /// The number it stands for: numbers are compared by value, but only without quotes.
    pub fn number(&self) -> Option<&Number> {
        self.number.as_ref()
    }

    /// Whether any text at all matches: `*`.
    pub fn is_any(&self) -> bool {
        let (leading, literal, trailing) = self.wildcards();
        literal.is_empty() && (leading || trailing)
    }

    /// Whether it begins with a wildcard, the text between the wildcards, and whether it ends with
    /// one.
    pub fn wildcards(&self) -> (bool, &str, bool) {
        let (leading, rest) = match self.text.strip_prefix('*') {
            Some(rest) => (true, rest),
            None => (false, self.text.as_str()),
        };
        match rest.strip_suffix('*') {
            Some(literal) => (leading, literal, true),
            None => (leading, rest, false),
        }
    }
}
