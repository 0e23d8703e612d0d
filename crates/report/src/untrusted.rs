//! Text that others chose, such as names and messages from AWS, on the way to a person's eyes.
//!
//! What a program reads (JSON, CSV) keeps the text as it is; each format quotes it in its own way.

use std::fmt::Write as _;

/// The text with everything that could steer a terminal, or reorder what is read, made visible.
///
/// Control characters (ANSI escapes begin with one), line breaks, bidirectional overrides and
/// isolates, and invisible characters are shown as `\u{...}`.
pub fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        if is_unsafe(character) {
            // Writing to a String cannot fail.
            let _ = write!(shown, "{}", character.escape_unicode());
        } else {
            shown.push(character);
        }
    }
    shown
}

/// As [`visible`], for text of several lines: line breaks and tabs are left alone.
pub fn visible_lines(text: &str) -> String {
    text.split('\n')
        .map(|line| line.split('\t').map(visible).collect::<Vec<_>>().join("\t"))
        .collect::<Vec<_>>()
        .join("\n")
}

/// At most so many characters of a text; a cut one ends in an ellipsis.
pub fn shortened(text: &str, characters: usize) -> String {
    if text.chars().nth(characters).is_none() {
        return text.to_owned();
    }
    let mut short: String = text.chars().take(characters.saturating_sub(1)).collect();
    short.push('…');
    short
}

fn is_unsafe(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{00ad}' | '\u{061c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_steers_a_terminal_is_shown() {
        assert_eq!(visible("a\u{1b}[31mred\u{7}"), r"a\u{1b}[31mred\u{7}");
        assert_eq!(visible("user\u{202e}gpj"), r"user\u{202e}gpj");
        assert_eq!(visible("a\nb\tc\r\u{9b}"), r"a\u{a}b\u{9}c\u{d}\u{9b}");
        assert_eq!(visible("Größe 東京 🙂"), "Größe 東京 🙂");
        assert_eq!(shortened("abc", 3), "abc");
        assert_eq!(shortened("äbcd", 3), "äb…");
        assert_eq!(visible_lines("a\tb\n\u{1b}c"), "a\tb\n\\u{1b}c");
    }
}
