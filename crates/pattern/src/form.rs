//! A pattern as a whole: one of the forms of the language.

use std::str::FromStr;

use super::{Expression, PatternError, Regex, SpacePattern, Term, parse};

/// A filter pattern.
///
/// Displays as a pattern that parses to the same tree.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Pattern {
    form: Form,
}

/// The forms of the language, told apart by their first character.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Form {
    /// Empty: every event matches.
    Everything,
    /// `{ $.eventName = ConsoleLogin }`.
    Json(Expression),
    /// `[ip, user, status = 4*]`.
    Space(SpacePattern),
    /// `%regex%` over the raw message.
    Regex(Regex),
    /// `ERROR -debug "a phrase"` over the raw message.
    Terms(Vec<Term>),
}

impl Pattern {
    /// The longest pattern CloudWatch Logs accepts, in characters.
    pub const MAX_LENGTH: usize = 1024;

    /// Parses any form, as leniently as CloudWatch Logs does.
    ///
    /// ```
    /// use trailproof_pattern::Pattern;
    ///
    /// assert!(Pattern::parse("{ $.eventName = ConsoleLogin }").is_ok());
    /// assert!(Pattern::parse("[ip, user, ..., status = 4*]").is_ok());
    /// assert!(Pattern::parse(r#"ERROR -debug "a phrase""#).is_ok());
    ///
    /// // What is wrong is named with its place, in bytes.
    /// let text = "{ $.eventName = }";
    /// let error = Pattern::parse(text).unwrap_err();
    /// assert!(error.span.start <= error.span.end && error.span.end <= text.len());
    /// ```
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        parse::pattern(text).map(|form| Self { form })
    }

    pub(super) fn of(form: Form) -> Self {
        Self { form }
    }

    /// What CloudWatch Logs was seen to refuse in a pattern that is read here all the same, as a
    /// clause with its remedy: a colon in a term without quotation marks ("Invalid character(s) in
    /// term").
    pub fn refusal(&self) -> Option<String> {
        let Form::Terms(terms) = &self.form else {
            return None;
        };
        let refused = terms
            .iter()
            .find(|term| !term.quoted && term.text.contains(':'))?;
        Some(format!(
            "CloudWatch Logs refuses `:` in a term without quotation marks; write `\"{}\"`",
            refused.text
        ))
    }

    /// The form, for looking into the pattern.
    pub fn form(&self) -> &Form {
        &self.form
    }
}

impl FromStr for Pattern {
    type Err = PatternError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}
