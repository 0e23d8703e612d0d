//! Rules about the links between documents: each leads to a file and a heading that exist, and
//! the pages of the book lead nowhere that a reader of the book cannot go.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::{TrackedFile, Violation};

/// The pages of the book, as `book.toml` says.
const BOOK: &str = "docs/";

/// The table of contents of the book.
const CONTENTS: &str = "docs/SUMMARY.md";

/// Checks every Markdown file. `exists` answers for all paths of the tree, those of files that are
/// not text among them.
pub(crate) fn check(files: &[TrackedFile], exists: &dyn Fn(&str) -> bool) -> Vec<Violation> {
    let documents: BTreeMap<&str, Document> = files
        .iter()
        .filter(|file| {
            Path::new(&file.path)
                .extension()
                .is_some_and(|it| it == "md")
        })
        .map(|file| (file.path.as_str(), Document::read(&file.text)))
        .collect();
    let mut violations = Vec::new();
    for (path, document) in &documents {
        for (line, target) in &document.links {
            if let Some(wrong) = wrong(path, target, &documents, exists) {
                violations.push(Violation {
                    place: format!("{path}:{line}"),
                    rule: format!("the link `{target}` {wrong}"),
                });
            }
        }
    }
    violations.extend(not_in_the_book(&documents));
    violations
}

/// What is wrong with a link.
fn wrong(
    from: &str,
    target: &str,
    documents: &BTreeMap<&str, Document>,
    exists: &dyn Fn(&str) -> bool,
) -> Option<String> {
    if target.contains("://") || target.starts_with("mailto:") {
        return None;
    }
    let (file, anchor) = match target.split_once('#') {
        Some((file, anchor)) => (file, Some(anchor)),
        None => (target, None),
    };
    let path = if file.is_empty() {
        from.to_owned()
    } else {
        match joined(from, file) {
            Some(path) => path,
            None => return Some("leads out of the tree".to_owned()),
        }
    };
    if from.starts_with(BOOK) && !path.starts_with(BOOK) {
        return Some("leads out of the book: name the file without a link".to_owned());
    }
    if !exists(&path) {
        return Some(format!("leads to `{path}`, which does not exist"));
    }
    let anchor = anchor?;
    match documents.get(path.as_str()) {
        Some(document) if document.anchors.contains(anchor) => None,
        _ => Some(format!("leads to a heading that `{path}` does not have")),
    }
}

/// The path that a relative link means.
fn joined(from: &str, link: &str) -> Option<String> {
    let mut parts: Vec<&str> = from.split('/').collect();
    parts.pop();
    for part in link.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            name => parts.push(name),
        }
    }
    Some(parts.join("/"))
}

/// Pages that no reader of the book would come to.
fn not_in_the_book(documents: &BTreeMap<&str, Document>) -> Vec<Violation> {
    let Some(contents) = documents.get(CONTENTS) else {
        return Vec::new();
    };
    let listed: BTreeSet<String> = contents
        .links
        .iter()
        .filter_map(|(_, target)| joined(CONTENTS, target))
        .collect();
    documents
        .keys()
        .filter(|path| path.starts_with(BOOK) && **path != CONTENTS && !listed.contains(**path))
        .map(|path| Violation {
            place: (*path).to_owned(),
            rule: format!("is not in the table of contents, {CONTENTS}"),
        })
        .collect()
}

/// What a document links to, and can be linked to by.
#[derive(Debug, Default)]
struct Document {
    /// Lines and targets.
    links: Vec<(usize, String)>,
    /// The headings as anchors, as GitHub and mdBook make them.
    anchors: BTreeSet<String>,
}

impl Document {
    fn read(text: &str) -> Self {
        let mut document = Self::default();
        let mut fenced = false;
        for (index, line) in text.lines().enumerate() {
            if line.trim_start().starts_with("```") {
                fenced = !fenced;
                continue;
            }
            if fenced || line.starts_with("    ") {
                continue;
            }
            if line.starts_with('#') {
                document.heading(line.trim_start_matches('#').trim());
            }
            for target in targets(&without_code(line)) {
                document.links.push((index + 1, target));
            }
        }
        document
    }

    fn heading(&mut self, text: &str) {
        let anchor: String = text
            .to_lowercase()
            .chars()
            .filter_map(|letter| match letter {
                ' ' => Some('-'),
                '-' | '_' => Some(letter),
                other => other.is_alphanumeric().then_some(other),
            })
            .collect();
        let again = (1..).map(|number| format!("{anchor}-{number}"));
        let mut names = std::iter::once(anchor.clone()).chain(again);
        let free = names.find(|name| !self.anchors.contains(name));
        self.anchors.extend(free);
    }
}

/// A line without what stands between backticks.
fn without_code(line: &str) -> String {
    line.split('`').step_by(2).collect::<Vec<_>>().join(" ")
}

/// What the inline links and images of a line lead to.
fn targets(line: &str) -> Vec<String> {
    line.split("](")
        .skip(1)
        .filter_map(|rest| rest.split_once(')'))
        .map(|(target, _)| target.trim().to_owned())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TREE: [(&str, &str); 5] = [
        (
            "README.md",
            "# A tree\n[start](docs/start.md#two-words) ![](docs/a.png)\n",
        ),
        (
            "docs/SUMMARY.md",
            "# Summary\n- [Start](start.md)\n- [Deep](deep/page.md)\n",
        ),
        (
            "docs/start.md",
            "## Two words\n## Two words\n[deep](deep/page.md) and [here](#two-words-1)\n",
        ),
        (
            "docs/deep/page.md",
            "# `code`, and \"more\"\n[back](../start.md)\n",
        ),
        ("docs/a.png", ""),
    ];

    /// What is wrong when one file of the tree has another text.
    #[track_caller]
    fn broken(path: &str, text: &str) -> Vec<Violation> {
        let mut files: BTreeMap<&str, &str> = TREE.into();
        files.insert(path, text);
        let files: Vec<TrackedFile> = files
            .into_iter()
            .map(|(path, text)| TrackedFile {
                path: path.to_owned(),
                text: text.to_owned(),
            })
            .collect();
        check(&files, &|wanted| {
            files.iter().any(|file| file.path == wanted)
        })
    }

    #[test]
    fn links_lead_somewhere() {
        for good in [
            "[a](docs/deep/page.md#code-and-more)",
            "[a](https://example.com/nowhere)",
            "`[a](nowhere.md)`",
            "```\n[a](nowhere.md)\n```",
            "    [a](nowhere.md)",
            "[a](docs/a.png)",
        ] {
            assert_eq!(broken("README.md", good), [], "{good}");
        }
        for bad in [
            "[a](nowhere.md)",
            "[a](docs/start.md#nothing)",
            "[a](#nothing)",
            "[a](../outside.md)",
            "see [a](docs/a.png) and [b](nowhere.md)",
            "[a](docs/a.png#top)",
        ] {
            assert_eq!(broken("README.md", bad).len(), 1, "{bad}");
        }
    }

    #[test]
    fn the_book_is_whole() {
        assert_eq!(broken("docs/start.md", "## Two words\n"), []);
        let out = broken("docs/start.md", "## Two words\n[out](../README.md)\n");
        assert_eq!(out.len(), 1, "{out:?}");
        let forgotten = broken("docs/forgotten.md", "# Forgotten\n");
        assert_eq!(forgotten.len(), 1, "{forgotten:?}");
    }
}
