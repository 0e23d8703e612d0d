//! Rules about how releases are built.

use super::{Metadata, TrackedFile, Violation};

/// Checks that no program has a release profile of its own: Cargo then links it without the `strip`
/// of the profile of all, which cannot be said for one package.
pub(crate) fn check(metadata: &Metadata, files: &[TrackedFile]) -> Vec<Violation> {
    let manifest = files.iter().find(|file| file.path == "Cargo.toml");
    let profiles = manifest.map_or("", |file| file.text.as_str());
    let members = metadata
        .packages
        .iter()
        .filter(|package| metadata.workspace_members.contains(&package.id));
    members
        .filter(|package| package.is_program() && has_profile(profiles, &package.name))
        .map(|package| Violation {
            place: "Cargo.toml".to_owned(),
            rule: format!(
                "`{}` is a program, and a release profile of its own keeps it from being \
                 stripped: set it for all packages, and back for those of others",
                package.name
            ),
        })
        .collect()
}

fn has_profile(profiles: &str, package: &str) -> bool {
    profiles.lines().any(|line| {
        let of_package = line.trim().strip_prefix("[profile.release.package.");
        let named = of_package.and_then(|rest| rest.strip_suffix(']'));
        named.is_some_and(|named| named.trim_matches('"') == package)
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn programs_have_no_profile_of_their_own() {
        let package = |name: &str, kind: &str| {
            json!({"id": name, "name": name, "dependencies": [], "features": {},
                "targets": [{"kind": ["lib"]}, {"kind": [kind]}]})
        };
        let metadata = json!({
            "packages": [package("tool", "bin"), package("core", "test"), package("other", "bin")],
            "workspace_members": ["tool", "core"], "resolve": {"nodes": []},
        });
        let metadata: Metadata = serde_json::from_value(metadata).unwrap();
        let violations = |profiles: &str| {
            let manifest = TrackedFile {
                path: "Cargo.toml".to_owned(),
                text: profiles.to_owned(),
            };
            check(&metadata, &[manifest]).len()
        };
        let all = "[profile.release]\nstrip = \"symbols\"\n";
        assert_eq!(violations(all), 0);
        for (package, expected) in [
            ("core", 0),
            ("other", 0),
            ("\"*\"", 0),
            ("tool", 1),
            ("\"tool\"", 1),
        ] {
            let profiles = format!("{all}\n[profile.release.package.{package}]\nlto = \"off\"\n");
            assert_eq!(violations(&profiles), expected, "{package}");
        }
    }
}
