//! Each crate that ours depend on is argued for in ARCHITECTURE.md, and nothing else is.

use std::collections::BTreeSet;

use super::{Metadata, TrackedFile, Violation};

const MAP: &str = "ARCHITECTURE.md";

/// Outside the workspace.
const OF_FUZZING: &str = "libfuzzer-sys";

/// Holds the direct dependencies against the table.
pub(crate) fn check(metadata: &Metadata, files: &[TrackedFile]) -> Vec<Violation> {
    let map = files.iter().find(|file| file.path == MAP);
    let argued = map.map_or_else(BTreeSet::new, |map| argued(&map.text));
    let ours = metadata
        .packages
        .iter()
        .filter(|package| metadata.workspace_members.contains(&package.id));
    let own: BTreeSet<&str> = ours.clone().map(|package| package.name.as_str()).collect();
    let direct: BTreeSet<&str> = ours
        .flat_map(|package| &package.dependencies)
        .map(|dependency| dependency.name.as_str())
        .filter(|name| !own.contains(name))
        .collect();
    differences(&direct, &argued)
}

fn differences(direct: &BTreeSet<&str>, argued: &BTreeSet<&str>) -> Vec<Violation> {
    let covers = |argument: &str, name: &str| match argument.strip_suffix('*') {
        Some(prefix) => name.starts_with(prefix),
        None => name == argument,
    };
    let missing = direct
        .iter()
        .filter(|name| !argued.iter().any(|argument| covers(argument, name)))
        .map(|name| format!("does not say why we depend on `{name}`"));
    let idle = argued
        .iter()
        .filter(|argument| **argument != OF_FUZZING)
        .filter(|argument| !direct.iter().any(|name| covers(argument, name)))
        .map(|argument| format!("says why we depend on `{argument}`, and nothing does"));
    missing
        .chain(idle)
        .map(|rule| Violation {
            place: MAP.to_owned(),
            rule,
        })
        .collect()
}

/// The names in the first column of the table of dependencies; one that ends with `*` stands for
/// all that begin so.
fn argued(map: &str) -> BTreeSet<&str> {
    let lines = map.lines().skip_while(|line| *line != "## Dependencies");
    lines
        .filter_map(|line| line.strip_prefix("| ")?.split(" | ").next())
        .flat_map(|cell| cell.split('`').skip(1).step_by(2))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_has_what_is_used_and_nothing_else() {
        let map = "| `before` | not here |\n## Dependencies\n\n| crate | why |\n|---|---|\n\
                   | `aws-sdk-*`, `jiff` | `calls` |\n| `libfuzzer-sys` | fuzzing |\n";
        let argued = argued(map);
        assert_eq!(argued, BTreeSet::from(["aws-sdk-*", "jiff", OF_FUZZING]));
        let rules = |direct: &[&'static str]| {
            let found = differences(&direct.iter().copied().collect(), &argued);
            found
                .into_iter()
                .map(|violation| violation.rule)
                .collect::<Vec<_>>()
        };
        assert!(rules(&["aws-sdk-sns", "jiff"]).is_empty());
        assert_eq!(
            rules(&["aws-sdk-sns", "tar"]),
            [
                "does not say why we depend on `tar`",
                "says why we depend on `jiff`, and nothing does"
            ]
        );
    }
}
