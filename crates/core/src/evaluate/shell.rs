//! Quoting for a POSIX shell. Names in AWS are untrusted text, and commands are made to be pasted.

/// A word that a POSIX shell reads as exactly this text.
pub fn quote(text: &str) -> String {
    let plain = |byte: u8| {
        byte.is_ascii_alphanumeric()
            || matches!(
                byte,
                b'-' | b'_' | b'.' | b'/' | b':' | b'=' | b',' | b'@' | b'+'
            )
    };
    if !text.is_empty() && !text.starts_with('~') && text.bytes().all(plain) {
        return text.to_owned();
    }
    // Control characters would act on a terminal before the shell sees them.
    let visible: String = text.chars().filter(|c| !c.is_control()).collect();
    format!("'{}'", visible.replace('\'', r"'\''"))
}

/// A command line of words, each quoted.
pub fn command<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    let words: Vec<String> = words.into_iter().map(quote).collect();
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_survive_a_shell() {
        for (text, quoted) in [
            ("us-east-1", "us-east-1"),
            ("", "''"),
            ("a b", "'a b'"),
            ("{ $.a = \"b\" }", "'{ $.a = \"b\" }'"),
            ("it's $(rm -rf /)", r"'it'\''s $(rm -rf /)'"),
            ("~root", "'~root'"),
            ("a;b|c&d>e`f`", "'a;b|c&d>e`f`'"),
            ("a\u{1b}[31m\nb", "'a[31mb'"),
        ] {
            assert_eq!(quote(text), quoted);
        }
    }
}
