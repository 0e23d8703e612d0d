//! Text on its way into the page.

use crate::untrusted::visible;

/// Text as the content of an element or the value of a quoted attribute.
pub(super) fn escape(text: &str) -> String {
    let text = visible(text);
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

/// JSON as the content of a script element: nothing in it can end the element or begin a comment.
/// In JSON, `<` stands only in strings, where its escape means the same.
pub(super) fn script_json(json: &str) -> String {
    json.replace('<', "\\u003c")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_is_text() {
        assert_eq!(
            escape("<a b=\"c\" d='e'>&\u{202e}"),
            "&lt;a b=&quot;c&quot; d=&#39;e&#39;&gt;&amp;\\u{202e}"
        );
        assert_eq!(
            script_json(r#""</script><!--""#),
            r#""\u003c/script>\u003c!--""#
        );
    }
}
