//! Text of others inside Terraform.

use std::fmt::Write as _;

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
    fn hcl_strings() {
        assert_eq!(hcl(r#"a "b" \"#), r#""a \"b\" \\""#);
        assert_eq!(hcl("${var.x} %{if} $x %"), r#""$${var.x} %%{if} $x %""#);
        assert_eq!(hcl("a\nb\u{1}"), r#""a\nb\u0001""#);
    }
}
