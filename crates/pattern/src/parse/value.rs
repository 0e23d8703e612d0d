//! Values: `"quoted"`, `%regex%`, bare.

use super::super::{Operand, PatternError, Regex, TextOperand};
use super::cursor::Cursor;

/// `%regex%`.
pub(super) fn regex(cursor: &mut Cursor<'_>) -> Result<Regex, PatternError> {
    let start = cursor.position();
    cursor.next();
    let Some(length) = cursor.rest().find('%') else {
        return Err(cursor
            .error_to_end("this regular expression is never closed")
            .suggest("end it with `%`"));
    };
    let source = cursor.advance(length);
    cursor.next();
    if source.is_empty() {
        return Err(cursor.error_since(start, "this regular expression is empty"));
    }
    Regex::parse(source, start + 1)
}

/// `"text"`, in which `\"` stands for a quotation mark.
pub(super) fn quoted(cursor: &mut Cursor<'_>) -> Result<String, PatternError> {
    let start = cursor.position();
    cursor.next();
    let mut text = String::new();
    loop {
        match cursor.next() {
            None => {
                return Err(cursor
                    .error_since(start, "this text is never closed")
                    .suggest("end it with `\"`"));
            }
            Some('"') => return Ok(text),
            Some('\\') => match cursor.peek() {
                Some('"') => {
                    cursor.next();
                    text.push('"');
                }
                // A backslash before another one does not escape the quotation mark after it.
                Some('\\') => {
                    cursor.next();
                    text.push_str("\\\\");
                }
                _ => text.push('\\'),
            },
            Some(character) => text.push(character),
        }
    }
}

/// A value after a comparison operator. `ends_bare` says what cannot be part of a bare value.
pub(super) fn operand(
    cursor: &mut Cursor<'_>,
    ends_bare: impl Fn(&str) -> bool,
) -> Result<Operand, PatternError> {
    match cursor.peek() {
        Some('"') => Ok(Operand::Text(TextOperand::quoted(quoted(cursor)?))),
        Some('%') => regex(cursor).map(Operand::Regex),
        Some('\'') => {
            let start = cursor.position();
            cursor.next();
            let text = cursor.take_while(|character| character != '\'');
            cursor.next();
            Err(cursor
                .error_since(start, "single quotes do not enclose a value")
                .suggest(format!("write `\"{text}\"`")))
        }
        _ => {
            let rest = cursor.rest();
            let length = rest
                .char_indices()
                .map(|(at, _)| at)
                .find(|at| rest.get(*at..).is_some_and(&ends_bare))
                .unwrap_or(rest.len());
            let text = cursor.advance(length);
            if text.is_empty() {
                return Err(cursor
                    .error_here("a value is missing")
                    .suggest("for a field that is only present, compare with `*`"));
            }
            Ok(Operand::Text(TextOperand::bare(text)))
        }
    }
}
