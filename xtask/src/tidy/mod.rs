//! `cargo xtask tidy`: the rules of ARCHITECTURE.md that a machine can check.
//!
//! A rule here is one that a reviewer would otherwise have to remember. What rustc, clippy,
//! cargo-deny, cargo-machete and typos check is left to them.

mod arguments;
mod dependencies;
mod links;
mod messages;
mod profiles;
mod sources;
mod tree;

use std::process::Command;

use serde::Deserialize;
use xtask::{invocation, workspace};

/// A broken rule, and where.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Violation {
    /// The file or the package, with a line where there is one.
    pub(crate) place: String,
    /// What is wrong, and what to do instead.
    pub(crate) rule: String,
}

/// A file of the tree, as git knows it.
#[derive(Debug)]
pub(crate) struct TrackedFile {
    /// Relative to the root, with forward slashes.
    pub(crate) path: String,
    /// The content, where it is text.
    pub(crate) text: String,
}

/// Checks every rule and prints every violation.
pub(crate) fn run() -> Result<(), String> {
    let violations = check()?;
    for violation in &violations {
        eprintln!("{}: {}", violation.place, violation.rule);
    }
    match violations.len() {
        0 => Ok(()),
        1 => Err("one rule of the architecture is broken".to_owned()),
        count => Err(format!("{count} rules of the architecture are broken")),
    }
}

fn check() -> Result<Vec<Violation>, String> {
    let files = tracked_files()?;
    let metadata = metadata()?;
    let mut violations = dependencies::check(&metadata);
    violations.extend(arguments::check(&metadata, &files));
    violations.extend(sources::check(&files));
    violations.extend(tree::check(&files));
    violations.extend(messages::check(&files));
    violations.extend(profiles::check(&metadata, &files));
    violations.extend(links::check(&files, &|path| {
        workspace::root().join(path).exists()
    }));
    violations.sort();
    violations.dedup();
    Ok(violations)
}

fn tracked_files() -> Result<Vec<TrackedFile>, String> {
    let listing = invocation::capture(Command::new("git").current_dir(workspace::root()).args([
        "-c",
        "safe.directory=*",
        "ls-files",
        "-z",
        "--cached",
        "--others",
        "--exclude-standard",
    ]))
    .map_err(|failure| failure.to_string())?;
    Ok(String::from_utf8_lossy(&listing)
        .split_terminator('\0')
        .filter_map(|path| {
            // A deleted file is still listed until the deletion is staged; a file that is not
            // text has no lines to check.
            let text = std::fs::read_to_string(workspace::root().join(path)).ok()?;
            Some(TrackedFile {
                path: path.to_owned(),
                text,
            })
        })
        .collect())
}

/// What `cargo metadata` says, as far as rules need it.
#[derive(Debug, Deserialize)]
pub(crate) struct Metadata {
    pub(crate) packages: Vec<Package>,
    pub(crate) workspace_members: Vec<String>,
    pub(crate) resolve: Resolve,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Package {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) dependencies: Vec<Dependency>,
    pub(crate) features: std::collections::BTreeMap<String, Vec<String>>,
    pub(crate) targets: Vec<Target>,
}

impl Package {
    /// Whether it becomes a program.
    pub(crate) fn is_program(&self) -> bool {
        let mut kinds = self.targets.iter().flat_map(|target| &target.kind);
        kinds.any(|kind| kind == "bin")
    }
}

#[derive(Debug, Deserialize)]
pub(crate) struct Target {
    pub(crate) kind: Vec<String>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Dependency {
    pub(crate) name: String,
    pub(crate) kind: Option<String>,
    pub(crate) optional: bool,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Resolve {
    pub(crate) nodes: Vec<Node>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Node {
    pub(crate) id: String,
    pub(crate) deps: Vec<Edge>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Edge {
    pub(crate) pkg: String,
    pub(crate) dep_kinds: Vec<EdgeKind>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct EdgeKind {
    pub(crate) kind: Option<String>,
}

fn metadata() -> Result<Metadata, String> {
    let output = invocation::capture(Command::new("cargo").current_dir(workspace::root()).args([
        "metadata",
        "--format-version",
        "1",
        "--locked",
    ]))
    .map_err(|failure| failure.to_string())?;
    serde_json::from_slice(&output).map_err(|error| format!("cargo metadata: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tree_keeps_the_rules() {
        assert_eq!(check().unwrap(), []);
    }
}
