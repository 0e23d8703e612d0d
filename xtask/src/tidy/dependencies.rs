//! Rules about who may depend on what, and on what terms.

use std::collections::{BTreeMap, BTreeSet};

use super::{Metadata, Node, Package, Violation};

/// Licenses that allow use in any product. Each package must offer at least one way to comply
/// with these alone.
const LICENSES: [&str; 15] = [
    "0BSD",
    "Apache-2.0",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "BlueOak-1.0.0",
    "CC0-1.0",
    "CDLA-Permissive-2.0",
    "ISC",
    "MIT",
    "MIT-0",
    "OpenSSL",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

/// Checks the dependency graph.
pub(crate) fn check(metadata: &Metadata) -> Vec<Violation> {
    let graph = Graph::new(metadata);
    let mut violations = Vec::new();
    core_is_pure(&graph, &mut violations);
    layers_point_one_way(metadata, &mut violations);
    report_calls_aws_only_to_remediate(metadata, &mut violations);
    terms(metadata, &mut violations);
    violations
}

struct Graph<'a> {
    packages: BTreeMap<&'a str, &'a Package>,
    nodes: BTreeMap<&'a str, &'a Node>,
}

impl<'a> Graph<'a> {
    fn new(metadata: &'a Metadata) -> Self {
        Self {
            packages: metadata
                .packages
                .iter()
                .map(|package| (package.id.as_str(), package))
                .collect(),
            nodes: metadata
                .resolve
                .nodes
                .iter()
                .map(|node| (node.id.as_str(), node))
                .collect(),
        }
    }

    /// The names of everything that is linked into a package's library.
    fn linked(&self, name: &str) -> BTreeSet<&'a str> {
        let mut open: Vec<&str> = self
            .packages
            .values()
            .filter(|package| package.name == name)
            .map(|package| package.id.as_str())
            .collect();
        let mut seen = BTreeSet::new();
        while let Some(id) = open.pop() {
            if !seen.insert(id) {
                continue;
            }
            let edges = self.nodes.get(id).map_or(&[][..], |node| &node.deps);
            open.extend(
                edges
                    .iter()
                    .filter(|edge| edge.dep_kinds.iter().any(|kind| kind.kind.is_none()))
                    .map(|edge| edge.pkg.as_str()),
            );
        }
        seen.iter()
            .filter_map(|id| self.packages.get(id))
            .map(|package| package.name.as_str())
            .collect()
    }
}

fn is_aws(name: &str) -> bool {
    name.starts_with("aws-")
}

fn core_is_pure(graph: &Graph<'_>, violations: &mut Vec<Violation>) {
    for name in graph.linked("trailproof-core") {
        let impure = is_aws(name)
            || matches!(
                name,
                "tokio" | "hyper" | "reqwest" | "tracing" | "indicatif" | "anstream" | "clap"
            );
        if impure {
            violations.push(Violation {
                place: "trailproof-core".to_owned(),
                rule: format!(
                    "depends on `{name}`: core is pure and knows no runtime, network or terminal"
                ),
            });
        }
    }
}

/// AWS -> scanner -> evidence -> core -> findings -> report; the binary joins them.
fn layers_point_one_way(metadata: &Metadata, violations: &mut Vec<Violation>) {
    let allowed: BTreeMap<&str, &[&str]> = BTreeMap::from([
        ("trailproof-pattern", &[][..]),
        ("trailproof-core", &["trailproof-pattern"][..]),
        ("trailproof-files", &[][..]),
        (
            "trailproof-scanner",
            &["trailproof-core", "trailproof-files"][..],
        ),
        // To scan repaired accounts again; optional, which `report_calls_aws_only_to_remediate`
        // checks.
        (
            "trailproof-report",
            &["trailproof-core", "trailproof-files", "trailproof-scanner"][..],
        ),
        ("trailproof-simulator", &["trailproof-core"][..]),
        (
            "trailproof",
            &[
                "trailproof-core",
                "trailproof-files",
                "trailproof-report",
                "trailproof-scanner",
                "trailproof-simulator",
            ][..],
        ),
    ]);
    for package in &metadata.packages {
        let Some(allowed) = allowed.get(package.name.as_str()) else {
            continue;
        };
        for dependency in &package.dependencies {
            let own = dependency.name.starts_with("trailproof");
            if own && dependency.kind.is_none() && !allowed.contains(&dependency.name.as_str()) {
                violations.push(Violation {
                    place: package.name.clone(),
                    rule: format!(
                        "depends on `{}`: layers depend in one direction only",
                        dependency.name
                    ),
                });
            }
        }
    }
}

fn report_calls_aws_only_to_remediate(metadata: &Metadata, violations: &mut Vec<Violation>) {
    let Some(report) = metadata
        .packages
        .iter()
        .find(|package| package.name == "trailproof-report")
    else {
        return;
    };
    let place = || "trailproof-report".to_owned();
    for dependency in &report.dependencies {
        let calls = is_aws(&dependency.name) || dependency.name == "trailproof-scanner";
        if !calls || dependency.kind.as_deref() == Some("dev") {
            continue;
        }
        if !dependency.optional {
            violations.push(Violation {
                place: place(),
                rule: format!(
                    "`{}` must be optional, enabled by the feature `remediation` alone",
                    dependency.name
                ),
            });
        }
        let switch = format!("dep:{}", dependency.name);
        for (feature, enables) in &report.features {
            if enables.contains(&switch) && feature != "remediation" {
                violations.push(Violation {
                    place: place(),
                    rule: format!(
                        "the feature `{feature}` enables `{}`; only `remediation` may",
                        dependency.name
                    ),
                });
            }
        }
    }
}

fn terms(metadata: &Metadata, violations: &mut Vec<Violation>) {
    for package in &metadata.packages {
        let place = || format!("{} {}", package.name, package.version);
        if metadata.workspace_members.contains(&package.id) {
            continue;
        }
        let from_registry = package.source.as_deref().is_some_and(|source| {
            source == "registry+https://github.com/rust-lang/crates.io-index"
        });
        if !from_registry {
            violations.push(Violation {
                place: place(),
                rule: "does not come from crates.io".to_owned(),
            });
        }
        let license = package.license.as_deref().unwrap_or_default();
        if !permissive(license) {
            violations.push(Violation {
                place: place(),
                rule: format!("license `{license}` is not on the list of permissive licenses"),
            });
        }
    }
}

/// Whether an SPDX expression can be complied with by permissive licenses alone. Reads `OR` (also
/// written `/`), `AND`, `WITH` and parentheses; anything it cannot read is not permissive.
fn permissive(expression: &str) -> bool {
    let spaced = expression
        .replace('/', " OR ")
        .replace('(', " ( ")
        .replace(')', " ) ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut reader = Spdx { words: &words };
    reader.any().is_some_and(|ok| ok && reader.words.is_empty())
}

struct Spdx<'a> {
    words: &'a [&'a str],
}

impl<'a> Spdx<'a> {
    fn take(&mut self, word: &str) -> bool {
        if self.words.first() == Some(&word) {
            self.next();
            return true;
        }
        false
    }

    fn next(&mut self) -> Option<&'a str> {
        let (first, rest) = self.words.split_first()?;
        self.words = rest;
        Some(first)
    }

    fn any(&mut self) -> Option<bool> {
        let mut ok = self.all()?;
        while self.take("OR") {
            ok |= self.all()?;
        }
        Some(ok)
    }

    fn all(&mut self) -> Option<bool> {
        let mut ok = self.one()?;
        while self.take("AND") {
            ok &= self.one()?;
        }
        Some(ok)
    }

    fn one(&mut self) -> Option<bool> {
        if self.take("(") {
            let ok = self.any()?;
            return self.take(")").then_some(ok);
        }
        let license = self.next()?;
        if self.take("WITH") {
            self.next()?;
        }
        Some(LICENSES.contains(&license))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn license_expressions() {
        for good in [
            "MIT",
            "MIT OR GPL-3.0",
            "MIT/Apache-2.0",
            "(MIT OR Apache-2.0) AND Unicode-3.0",
            "Apache-2.0 WITH LLVM-exception OR GPL-2.0",
            "Apache-2.0 AND ISC",
        ] {
            assert!(permissive(good), "{good}");
        }
        for bad in [
            "",
            "GPL-3.0",
            "MIT AND GPL-3.0",
            "(MIT",
            "MIT OR",
            "Unheard-Of",
        ] {
            assert!(!permissive(bad), "{bad}");
        }
    }
}
