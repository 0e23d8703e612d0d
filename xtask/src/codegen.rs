//! `cargo xtask codegen`: files in the tree that are made from the code. `--check` fails when one
//! of them is stale.

use std::fs;
use std::path::Path;
use std::process::Command;

use clap::Args;
use xtask::{invocation, read_only, workspace};

/// Options of `codegen`.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Write nothing; fail when a file is stale.
    #[arg(long)]
    pub(crate) check: bool,
}

/// A generated file: its place in the tree, and the arguments of the `trailproof` binary that
/// print it.
const PRINTED: &[(&str, &[&str])] = &[
    (
        "docs/schema/findings.schema.json",
        &["generate", "findings-schema"],
    ),
    (
        "docs/schema/config.schema.json",
        &["generate", "config-schema"],
    ),
    ("docs/schema/plan.schema.json", &["generate", "plan-schema"]),
    ("docs/cli.md", &["generate", "reference"]),
    ("docs/formats.md", &["generate", "formats"]),
    ("docs/permissions.md", &["generate", "permissions"]),
    ("docs/reasons.md", &["generate", "reasons"]),
    ("docs/verdicts.md", &["generate", "verdicts"]),
];

/// Copies, and what they are copies of: files that a package includes and that have their place
/// outside it.
const COPIED: &[(&str, &str)] = &[(
    "crates/cli/src/commands/config/trailproof.toml",
    "docs/trailproof.toml",
)];

/// Writes or checks every generated file.
pub(crate) fn run(options: &Options) -> Result<(), String> {
    let mut stale = Vec::new();
    for (path, original) in COPIED {
        let content = fs::read(workspace::root().join(original))
            .map_err(|error| format!("`{original}` could not be read: {error}"))?;
        settle(options, path, &content, &mut stale)?;
    }
    read_only::build_all()?;
    for (path, arguments) in PRINTED {
        let content = invocation::capture(
            Command::new(workspace::target().join("debug").join("trailproof"))
                .env("NO_COLOR", "1")
                .args(*arguments),
        )
        .map_err(|failure| failure.to_string())?;
        settle(options, path, &content, &mut stale)?;
    }
    if !options.check {
        // An ordinary test tells when they are stale.
        write_vectors()?;
    }
    if stale.is_empty() {
        Ok(())
    } else {
        Err(format!(
            "stale: {}; run `cargo xtask codegen`",
            stale.join(", ")
        ))
    }
}

/// The published vectors, which the package of the end-to-end tests makes.
fn write_vectors() -> Result<(), String> {
    invocation::run(Command::new("cargo").current_dir(workspace::root()).args([
        "test",
        "--quiet",
        "--workspace",
        "--test",
        "scenarios",
        "--",
        "--ignored",
        "write_the_vectors",
    ]))
    .map_err(|failure| failure.to_string())
}

fn settle(
    options: &Options,
    path: &str,
    content: &[u8],
    stale: &mut Vec<String>,
) -> Result<(), String> {
    let file = workspace::root().join(path);
    if fs::read(&file).is_ok_and(|present| present == content) {
        return Ok(());
    }
    if options.check {
        stale.push(path.to_owned());
        return Ok(());
    }
    fs::create_dir_all(file.parent().unwrap_or(Path::new(".")))
        .and_then(|()| fs::write(&file, content))
        .map_err(|error| format!("`{path}` could not be written: {error}"))?;
    println!("wrote {path}");
    Ok(())
}
