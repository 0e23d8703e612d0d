//! Rules about messages that the documentation quotes: a heading of the page for people in trouble
//! that is a message and nothing else is printed by the program, in these words.

use super::{TrackedFile, Violation};

const PAGE: &str = "docs/troubleshooting.md";

/// Checks the page against the code.
pub(crate) fn check(files: &[TrackedFile]) -> Vec<Violation> {
    let Some(page) = files.iter().find(|file| file.path == PAGE) else {
        return Vec::new();
    };
    let printed = |message: &str| {
        let mut code = files
            .iter()
            .filter(|file| file.path.starts_with("crates/") && file.path.contains("/src/"));
        code.any(|file| file.text.contains(message))
    };
    page.text
        .lines()
        .enumerate()
        .filter_map(|(index, line)| {
            let message = line.strip_prefix("### `")?.strip_suffix('`')?;
            (!printed(message)).then(|| Violation {
                place: format!("{PAGE}:{}", index + 1),
                rule: format!("`{message}` is printed nowhere"),
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoted_messages_are_printed() {
        let file = |path: &str, text: &str| TrackedFile {
            path: path.to_owned(),
            text: text.to_owned(),
        };
        let page = "### `it is full`\n### Every disk, `it is gone`\n### `it is gone`\n";
        let files = [
            file(PAGE, page),
            file("crates/cli/src/a.rs", "fail(\"it is full\");"),
            file("tests/a.rs", "\"it is gone\""),
        ];
        let places: Vec<_> = check(&files).into_iter().map(|found| found.place).collect();
        assert_eq!(places, ["docs/troubleshooting.md:3"]);
    }
}
