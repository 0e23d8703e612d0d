//! From text to tree: the form is told by the first character.

mod cursor;
mod json;
mod space;
mod terms;
mod value;

use cursor::Cursor;

use super::{Form, Pattern, PatternError, Regex, Span};

/// Parses any form.
pub(super) fn pattern(text: &str) -> Result<Form, PatternError> {
    if let Some((end, _)) = text.char_indices().nth(Pattern::MAX_LENGTH) {
        let message = format!(
            "a pattern has at most {} characters, this one has {}",
            Pattern::MAX_LENGTH,
            text.chars().count()
        );
        return Err(PatternError::new(Span::new(end, text.len()), message)
            .suggest("split it into several metric filters that feed the same metric"));
    }
    let mut cursor = Cursor::new(text);
    cursor.skip_blanks();
    match cursor.peek() {
        None => Ok(Form::Everything),
        Some('{') => json::expression(&mut cursor).map(Form::Json),
        Some('[') => space::pattern(&mut cursor).map(Form::Space),
        Some('%') => stand_alone_regex(&mut cursor).map(Form::Regex),
        Some(_) => terms::terms(&mut cursor).map(Form::Terms),
    }
}

fn stand_alone_regex(cursor: &mut Cursor<'_>) -> Result<Regex, PatternError> {
    let regex = value::regex(cursor)?;
    cursor.skip_blanks();
    if cursor.peek().is_some() {
        return Err(cursor
            .error_to_end("nothing may follow a stand-alone regular expression")
            .suggest("put all of it between the percent signs"));
    }
    Ok(regex)
}
