//! The `trailproof` binary without the features `remediation` and `publish`, kept beside the one
//! that has them.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use crate::{invocation, workspace};

/// Where [`build`] keeps it.
pub fn path() -> PathBuf {
    workspace::target().join("read-only").join("trailproof")
}

/// Builds it, with everything it depends on as in [`build_all`]: only the two crates that have the
/// features are compiled a second time. Cargo has one place for both binaries, so this one is
/// copied, and whoever wants the other one there calls [`build_all`] afterwards.
pub fn build() -> Result<PathBuf, String> {
    cargo(&[
        "build",
        "--workspace",
        "--no-default-features",
        "--bin",
        "trailproof",
        // A test is named so that dependencies have the features that tests give them.
        "--test",
        "fix_read_only",
    ])?;
    let built = workspace::target().join("debug").join("trailproof");
    let kept = path();
    let folder = kept.parent().map_or(Ok(()), fs::create_dir_all);
    folder
        .and_then(|()| fs::copy(&built, &kept))
        .map_err(|error| format!("`{}` could not be written: {error}", kept.display()))?;
    Ok(kept)
}

/// One build for the binaries under test and the tests, so that both use the same features of
/// every dependency and nothing is compiled twice.
pub fn build_all() -> Result<(), String> {
    cargo(&["build", "--workspace", "--lib", "--bins", "--tests"])
}

fn cargo(arguments: &[&str]) -> Result<(), String> {
    invocation::run(
        Command::new("cargo")
            .current_dir(workspace::root())
            .args(arguments),
    )
    .map_err(|failure| failure.to_string())
}
