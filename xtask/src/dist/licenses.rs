//! The licenses of everything that is linked into the binary: most of them ask that their text goes
//! along.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::Deserialize;
use xtask::{invocation, workspace};

/// How files with such a text begin, in capitals.
const NAMES: [&str; 6] = [
    "LICENSE",
    "LICENCE",
    "COPYING",
    "COPYRIGHT",
    "NOTICE",
    "UNLICENSE",
];

/// Folders of a package whose content is not compiled.
const NOT_LINKED: [&str; 4] = ["tests", "benches", "examples", "target"];

#[derive(Debug, Deserialize)]
struct Metadata {
    packages: Vec<Package>,
    resolve: Resolve,
}

#[derive(Debug, Deserialize)]
struct Package {
    id: String,
    name: String,
    version: String,
    license: Option<String>,
    manifest_path: PathBuf,
    source: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Resolve {
    nodes: Vec<Node>,
}

#[derive(Debug, Deserialize)]
struct Node {
    id: String,
    deps: Vec<Edge>,
}

#[derive(Debug, Deserialize)]
struct Edge {
    pkg: String,
    dep_kinds: Vec<Kind>,
}

#[derive(Debug, Deserialize)]
struct Kind {
    kind: Option<String>,
}

/// Every package that is linked, and every text, each once with the packages it is of.
pub(super) fn of_what_is_linked(target: &str) -> Result<String, String> {
    let output = invocation::capture(
        Command::new("cargo")
            .current_dir(workspace::root().join("crates/cli"))
            .args(["metadata", "--format-version", "1", "--locked"])
            .args(["--filter-platform", target]),
    )
    .map_err(|failure| failure.to_string())?;
    let metadata: Metadata =
        serde_json::from_slice(&output).map_err(|error| format!("cargo metadata: {error}"))?;
    let mut list = String::from(
        "trailproof is under the Apache License, Version 2.0 (LICENSE). The binary also contains the\n\
         standard library of Rust (MIT OR Apache-2.0, https://www.rust-lang.org) and these packages from\n\
         https://crates.io:\n\n",
    );
    let mut texts: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for package in linked(&metadata) {
        let name = format!("{} {}", package.name, package.version);
        let license = package.license.as_deref().unwrap_or("see below");
        let _ = writeln!(list, "  {name} ({license})");
        let folder = package.manifest_path.parent().unwrap_or(Path::new("."));
        let mut found = Vec::new();
        collect(folder, &mut found)?;
        for path in found {
            let text = fs::read_to_string(&path)
                .map_err(|error| format!("`{}` could not be read: {error}", path.display()))?;
            texts
                .entry(text.trim().replace("\r\n", "\n"))
                .or_default()
                .insert(name.clone());
        }
    }
    // The text that most packages have comes first.
    let mut texts: Vec<_> = texts.into_iter().collect();
    texts.sort_by_key(|(_, packages)| std::cmp::Reverse(packages.len()));
    for (text, packages) in texts {
        let packages: Vec<String> = packages.into_iter().collect();
        let _ = writeln!(
            list,
            "\n{}\n{}\n\n{text}",
            "=".repeat(80),
            packages.join(", ")
        );
    }
    Ok(list)
}

/// What the binary is linked with, itself and its siblings left out.
fn linked(metadata: &Metadata) -> Vec<&Package> {
    let nodes: BTreeMap<&str, &Node> = metadata
        .resolve
        .nodes
        .iter()
        .map(|node| (node.id.as_str(), node))
        .collect();
    let mut open: Vec<&str> = metadata
        .packages
        .iter()
        .filter(|package| package.name == "trailproof" && package.source.is_none())
        .map(|package| package.id.as_str())
        .collect();
    let mut seen = BTreeSet::new();
    while let Some(id) = open.pop() {
        if seen.insert(id) {
            let edges = nodes.get(id).map_or(&[][..], |node| &node.deps);
            let normal = edges
                .iter()
                .filter(|edge| edge.dep_kinds.iter().any(|kind| kind.kind.is_none()));
            open.extend(normal.map(|edge| edge.pkg.as_str()));
        }
    }
    let mut packages: Vec<&Package> = metadata
        .packages
        .iter()
        .filter(|package| seen.contains(package.id.as_str()) && package.source.is_some())
        .collect();
    packages.sort_by_key(|package| (&package.name, &package.version));
    packages
}

fn collect(folder: &Path, found: &mut Vec<PathBuf>) -> Result<(), String> {
    let unreadable =
        |error: std::io::Error| format!("`{}` could not be read: {error}", folder.display());
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let kind = entry.file_type().map_err(unreadable)?;
        if kind.is_dir() && !NOT_LINKED.contains(&name.as_str()) {
            collect(&entry.path(), found)?;
        } else if kind.is_file() && is_license(&name) {
            found.push(entry.path());
        }
    }
    Ok(())
}

/// Whether a file is a text of a license, and no code that happens to be named so.
fn is_license(name: &str) -> bool {
    let name = name.to_uppercase();
    let code = [".RS", ".C", ".H", ".PY", ".GO", ".PL", ".JSON", ".TOML"];
    NAMES.iter().any(|begin| name.starts_with(begin)) && !code.iter().any(|end| name.ends_with(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_of_licenses_are_known_by_their_names() {
        for name in [
            "LICENSE",
            "license-mit",
            "COPYING.txt",
            "NOTICE.md",
            "UNLICENSE",
        ] {
            assert!(is_license(name), "{name}");
        }
        for name in ["license.rs", "README.md", "SUBLICENSE", "copyright.py"] {
            assert!(!is_license(name), "{name}");
        }
    }
}
