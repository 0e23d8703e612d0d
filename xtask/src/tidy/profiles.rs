//! Rules about how releases are built.

use super::{TrackedFile, Violation};

/// Checks that no program has a release profile of its own: Cargo then links it without the `strip`
/// of the profile of all, which cannot be said for one package.
pub(crate) fn check(files: &[TrackedFile]) -> Vec<Violation> {
    let text = |path: &str| {
        let file = files.iter().find(|file| file.path == path);
        file.map_or("", |file| file.text.as_str())
    };
    let profiles = text("Cargo.toml");
    let programs = files
        .iter()
        .filter_map(|file| file.path.strip_suffix("/src/main.rs"))
        .filter_map(|folder| name(text(&format!("{folder}/Cargo.toml"))));
    programs
        .filter(|program| has_profile(profiles, program))
        .map(|program| Violation {
            place: "Cargo.toml".to_owned(),
            rule: format!(
                "`{program}` is a program, and a release profile of its own keeps it from being \
                 stripped: set it for all packages, and back for those of others"
            ),
        })
        .collect()
}

/// The name of a package, as its manifest begins.
fn name(manifest: &str) -> Option<&str> {
    let mut lines = manifest.lines();
    let value = lines.find_map(|line| line.strip_prefix("name = \""))?;
    value.strip_suffix('"')
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
    use super::*;

    #[test]
    fn programs_have_no_profile_of_their_own() {
        let violations = |profiles: &str| {
            let file = |path: &str, text: &str| TrackedFile {
                path: path.to_owned(),
                text: text.to_owned(),
            };
            check(&[
                file("Cargo.toml", profiles),
                file("crates/cli/Cargo.toml", "[package]\nname = \"tool\"\n"),
                file("crates/cli/src/main.rs", ""),
                file("crates/core/Cargo.toml", "[package]\nname = \"core\"\n"),
                file("crates/core/src/lib.rs", ""),
            ])
            .len()
        };
        let all = "[profile.release]\nstrip = \"symbols\"\n";
        assert_eq!(violations(all), 0);
        for (package, expected) in [("core", 0), ("\"*\"", 0), ("tool", 1), ("\"tool\"", 1)] {
            let profiles = format!("{all}\n[profile.release.package.{package}]\nlto = \"off\"\n");
            assert_eq!(violations(&profiles), expected, "{package}");
        }
    }
}
