//! Rules about who may depend on what. On what terms others' code comes in is in `deny.toml`.

use std::collections::{BTreeMap, BTreeSet};

use super::{Metadata, Node, Package, Violation};

/// Checks the dependency graph.
pub(crate) fn check(metadata: &Metadata) -> Vec<Violation> {
    let graph = Graph::new(metadata);
    let mut violations = Vec::new();
    core_is_pure(&graph, &mut violations);
    layers_point_one_way(metadata, &mut violations);
    report_calls_aws_only_to_change_or_send(metadata, &mut violations);
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
        // To scan repaired accounts again; optional, which `report_calls_aws_only_to_change_or_send`
        // checks.
        (
            "trailproof-report",
            &["trailproof-core", "trailproof-files", "trailproof-scanner"][..],
        ),
        (
            "trailproof-simulator",
            &["trailproof-core", "trailproof-files"][..],
        ),
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

fn report_calls_aws_only_to_change_or_send(metadata: &Metadata, violations: &mut Vec<Violation>) {
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
                    "`{}` must be optional, enabled by the features that change or send something alone",
                    dependency.name
                ),
            });
        }
        let switch = format!("dep:{}", dependency.name);
        for (feature, enables) in &report.features {
            // Sending needs the scanner's connection alone.
            let may = feature == "remediation"
                || feature == "publish" && dependency.name == "trailproof-scanner";
            if enables.contains(&switch) && !may {
                violations.push(Violation {
                    place: place(),
                    rule: format!(
                        "the feature `{feature}` enables `{}`; only `remediation`, or `publish` for the scanner, may",
                        dependency.name
                    ),
                });
            }
        }
    }
}
