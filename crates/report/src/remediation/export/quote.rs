//! Text of others inside programs: each language's quoting, in one place.

use std::borrow::Cow;
use std::fmt::Write as _;

/// One word for a POSIX shell, quoted where it must be. Never expands, whatever is in it.
pub fn shell(text: &str) -> Cow<'_, str> {
    let plain = !text.is_empty()
        && text.bytes().all(|byte| {
            byte.is_ascii_alphanumeric()
                || matches!(
                    byte,
                    b'-' | b'_' | b'.' | b'/' | b':' | b'@' | b'=' | b',' | b'+' | b'%'
                )
        });
    if plain {
        Cow::Borrowed(text)
    } else {
        Cow::Owned(format!("'{}'", text.replace('\'', r"'\''")))
    }
}

/// A text in a shell comment: one line, nothing that ends it.
pub fn comment(text: &str) -> String {
    text.chars()
        .map(|character| {
            if character.is_control() {
                ' '
            } else {
                character
            }
        })
        .collect()
}

/// A string in HCL. `${` and `%{` would begin a template there.
pub fn hcl(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            '$' | '%' if characters.peek() == Some(&'{') => {
                quoted.push(character);
                quoted.push(character);
            }
            control if control.is_control() => {
                // Writing to a String cannot fail.
                let _ = write!(quoted, "\\u{:04X}", u32::from(control));
            }
            other => quoted.push(other),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shell_words() {
        assert_eq!(shell("plain-word_1.2/3:4"), "plain-word_1.2/3:4");
        assert_eq!(shell(""), "''");
        assert_eq!(shell("a b"), "'a b'");
        assert_eq!(shell("$(rm -rf /)`x`"), "'$(rm -rf /)`x`'");
        assert_eq!(shell("it's"), r"'it'\''s'");
        assert_eq!(shell("{ $.a = \"b\" }"), "'{ $.a = \"b\" }'");
        assert_eq!(shell("~root"), "'~root'");
    }

    #[test]
    fn comments_stay_on_their_line() {
        assert_eq!(comment("a\nrm -rf /\r\u{85}"), "a rm -rf /  ");
    }

    #[test]
    fn hcl_strings() {
        assert_eq!(hcl(r#"a "b" \"#), r#""a \"b\" \\""#);
        assert_eq!(hcl("${var.x} %{if} $x %"), r#""$${var.x} %%{if} $x %""#);
        assert_eq!(hcl("a\nb\u{1}"), r#""a\nb\u0001""#);
    }
}
