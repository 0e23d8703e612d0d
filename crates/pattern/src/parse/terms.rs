//! Terms: `ERROR "a phrase" -debug ?optional`.

use super::super::{PatternError, Term, TermKind};
use super::cursor::Cursor;
use super::value;

pub(super) fn terms(cursor: &mut Cursor<'_>) -> Result<Vec<Term>, PatternError> {
    let mut terms = Vec::new();
    loop {
        cursor.skip_blanks();
        let start = cursor.position();
        let Some(first) = cursor.peek() else {
            return Ok(terms);
        };
        let is_prefix = cursor
            .rest()
            .chars()
            .nth(1)
            .is_some_and(|next| !next.is_whitespace());
        let kind = match first {
            '-' if is_prefix => TermKind::Excluded,
            '?' if is_prefix => TermKind::Optional,
            _ => TermKind::Required,
        };
        if kind != TermKind::Required {
            cursor.next();
        }
        let quoted = cursor.peek() == Some('"');
        let text = if quoted {
            value::quoted(cursor)?
        } else {
            cursor
                .take_while(|character| !character.is_whitespace())
                .to_owned()
        };
        if !quoted && (text.starts_with("$.") || text.starts_with("($.")) {
            return Err(cursor
                .error_since(start, "a condition must stand in braces")
                .suggest("write `{ $.field = value }`"));
        }
        terms.push(Term { kind, text, quoted });
        if quoted && cursor.peek().is_some_and(|next| !next.is_whitespace()) {
            return Err(cursor
                .error_here("a blank must follow the quotation mark")
                .suggest("separate terms by blanks, and write `\\\"` inside a phrase"));
        }
    }
}
