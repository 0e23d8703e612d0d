//! Rules about the files of the tree: their names, their size, and what may not be in them.

use std::path::Path;

use super::{TrackedFile, Violation};

/// A file that is longer has more than one reason to change.
const MAX_LINES: usize = 700;

/// Tables of cases are long before they are hard to read.
const MAX_LINES_OF_TESTS: usize = 1000;

/// Names that say nothing about what is inside.
const EMPTY_NAMES: [&str; 8] = [
    "util", "utils", "misc", "helper", "helpers", "common", "shared", "stuff",
];

/// Files that are made by a program.
const GENERATED: [&str; 2] = ["Cargo.lock", "docs/"];

/// Checks every file.
pub(crate) fn check(files: &[TrackedFile]) -> Vec<Violation> {
    let mut violations = Vec::new();
    for file in files {
        let generated = GENERATED.iter().any(|prefix| file.path.starts_with(prefix));
        let path = Path::new(&file.path);
        let extension = path.extension().and_then(|text| text.to_str());
        if matches!(extension, Some("rs" | "py")) {
            named_for_its_content(file, path, &mut violations);
            let lines = file.text.lines().count();
            let tables = path.file_name().is_some_and(|name| name == "tests.rs");
            let most = if tables {
                MAX_LINES_OF_TESTS
            } else {
                MAX_LINES
            };
            if !generated && lines > most {
                violations.push(violation(
                    &file.path,
                    format!("{lines} lines, more than {most}: split it by reason to change"),
                ));
            }
        }
        // `tests.rs` is what its parent module says, tested.
        let explains_itself = path.file_name().is_some_and(|name| name == "tests.rs");
        if extension == Some("rs")
            && !explains_itself
            && !file.text.starts_with("//!")
            && !is_generated(&file.text)
        {
            violations.push(violation(
                &file.path,
                "does not begin with what the module is for (`//!`)".to_owned(),
            ));
        }
        if file.path.ends_with("Cargo.toml")
            && file.text.contains("[package]")
            && !file.path.starts_with("fuzz/")
            && !file.text.contains("[lints]\nworkspace = true")
        {
            violations.push(violation(
                &file.path,
                "does not use the lints of the workspace".to_owned(),
            ));
        }
        names_no_machine(file, &mut violations);
    }
    violations
}

fn violation(path: &str, rule: String) -> Violation {
    Violation {
        place: path.to_owned(),
        rule,
    }
}

fn is_generated(text: &str) -> bool {
    text.lines()
        .next()
        .is_some_and(|line| line.starts_with("// @generated"))
}

fn named_for_its_content(file: &TrackedFile, path: &Path, violations: &mut Vec<Violation>) {
    let names = path
        .iter()
        .filter_map(|part| part.to_str())
        .map(|part| part.trim_end_matches(".rs").trim_end_matches(".py"));
    for name in names {
        if EMPTY_NAMES.contains(&name) {
            violations.push(violation(
                &file.path,
                format!("`{name}` does not say what is inside"),
            ));
        }
    }
}

/// Paths of one machine and hosts of one network have no place in the tree.
fn names_no_machine(file: &TrackedFile, violations: &mut Vec<Violation>) {
    // Written in pieces, or this file would break its own rule.
    let places = [
        ["/ro", "ot/"],
        ["/ho", "me/"],
        ["/Us", "ers/"],
        ["/tmp/", "wt"],
        ["/wo", "rk/"],
        ["file:", "///"],
        ["artifact", "ory"],
        ["index-", "url"],
        ["find-", "links"],
    ]
    .map(|pieces| pieces.concat());
    for (index, line) in file.text.lines().enumerate() {
        for place in &places {
            if line.contains(place.as_str()) {
                violations.push(violation(
                    &format!("{}:{}", file.path, index + 1),
                    format!("`{place}` belongs to one machine or network"),
                ));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules_broken(path: &str, text: &str) -> usize {
        check(&[TrackedFile {
            path: path.to_owned(),
            text: text.to_owned(),
        }])
        .len()
    }

    #[test]
    fn rules_bite() {
        let fine = "//! What it is for.\n";
        assert_eq!(rules_broken("crates/a/src/trail.rs", fine), 0);
        assert_eq!(rules_broken("crates/a/src/trail.rs", "fn f() {}\n"), 1);
        assert_eq!(rules_broken("crates/a/src/utils.rs", fine), 1);
        assert_eq!(rules_broken("crates/a/src/common/trail.rs", fine), 1);
        let long = fine.repeat(MAX_LINES + 1);
        assert_eq!(rules_broken("crates/a/src/trail.rs", &long), 1);
        let path = ["see /ho", "me/me/x\n"].concat();
        assert_eq!(rules_broken("README.md", &path), 1);
        assert_eq!(rules_broken("crates/a/Cargo.toml", "[package]\n"), 1);
    }
}
