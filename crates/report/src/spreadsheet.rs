//! Cells that a spreadsheet shows as text, whatever is in them.
//!
//! Names of accounts, alarms and topics are chosen by others. A cell that begins like a formula is
//! executed by spreadsheet programs when the file is opened (OWASP, "CSV Injection").

use std::borrow::Cow;
use std::io::{self, Write};

/// A CSV file, its lines ended as spreadsheet programs end them.
pub(crate) fn table(out: &mut dyn Write) -> csv::Writer<&mut dyn Write> {
    csv::WriterBuilder::new()
        .terminator(csv::Terminator::CRLF)
        .from_writer(out)
}

/// Writes a table whose rows are handed over one after the other.
pub(crate) fn write_rows<const N: usize>(
    header: &[&str; N],
    out: &mut dyn Write,
    for_each_row: impl FnOnce(&mut dyn FnMut(&[String; N]) -> io::Result<()>) -> io::Result<()>,
) -> io::Result<()> {
    let mut table = table(out);
    table.write_record(header)?;
    for_each_row(&mut |cells| {
        table.write_record(cells.iter().map(|cell| harmless(cell).into_owned()))?;
        Ok(())
    })?;
    table.flush()
}

/// A cell of a row by the name of its column; empty where there is no such column.
pub(crate) fn cell<'a, const N: usize>(
    header: &[&str; N],
    row: &'a [String; N],
    column: &str,
) -> &'a str {
    let place = header.iter().position(|name| *name == column);
    place
        .and_then(|place| row.get(place))
        .map_or("", String::as_str)
}

/// A cell's text, with an apostrophe before anything a spreadsheet would take for a formula.
///
/// White space, control characters, quotes and marks that some importers strip first do not hide
/// the formula character behind them. Numbers are no formulas: `-1` stays as it is.
pub fn harmless(text: &str) -> Cow<'_, str> {
    let starts_stripped = text.starts_with(['\t', '\r', '\n']);
    let bare = text.trim_start_matches(|character: char| {
        character.is_whitespace()
            || character.is_control()
            || matches!(
                character,
                '"' | '\'' | '`' | '\u{feff}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
                    | '\u{2060}'..='\u{2069}'
            )
    });
    // Full-width forms are folded to ASCII by some spreadsheet programs.
    let formula = bare.starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠', '|', '%']);
    if (formula || starts_stripped) && !is_number(text) {
        Cow::Owned(format!("'{text}"))
    } else {
        Cow::Borrowed(text)
    }
}

/// A plain decimal number, which no spreadsheet takes for a formula.
fn is_number(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let mut parts = digits.splitn(2, '.');
    let all_digits =
        |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    parts.next().is_some_and(all_digits) && parts.next().is_none_or(all_digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_become_text() {
        for text in [
            "=1+1",
            "+1+1",
            "-1+1",
            "@SUM(1)",
            "\t=1",
            "\r=1",
            "\n=1",
            " =1",
            "\u{a0}=1",
            "\"=1",
            "'=1",
            "\u{feff}=1",
            "\u{202e}=1",
            "＝1",
            "\ttext",
            "\rtext",
            "-",
            "-cmd|' /C calc'!A0",
            "%0A-1+1",
        ] {
            assert_eq!(harmless(text), format!("'{text}"), "{text:?}");
        }
    }

    #[test]
    fn text_stays_as_it_is() {
        for text in [
            "",
            "Audit",
            "arn:aws:sns:us-east-1:1:t",
            "a=b",
            "-1",
            "-1.5",
            "42",
            "O'Brien",
            " padded",
            "\"quoted\"",
        ] {
            assert_eq!(harmless(text), text, "{text:?}");
        }
    }
}
