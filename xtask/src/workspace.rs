//! Where things are in a checkout.

use std::env;
use std::path::{Path, PathBuf};

/// The root of the workspace.
pub fn root() -> &'static Path {
    // The crate sits directly below the root.
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap_or_else(|| Path::new("."))
}

/// The folder for everything that is built, as cargo was told.
#[allow(
    clippy::disallowed_methods,
    reason = "a developer task reads what cargo reads"
)]
pub fn target() -> PathBuf {
    match env::var_os("CARGO_TARGET_DIR") {
        Some(folder) => root().join(folder),
        None => root().join("target"),
    }
}

/// Whether this run must not skip anything: `CI` is set as every build service sets it.
#[allow(
    clippy::disallowed_methods,
    reason = "a developer task reads the environment of the build service"
)]
pub fn in_ci() -> bool {
    env::var_os("CI").is_some_and(|value| !value.is_empty() && value != "false" && value != "0")
}
