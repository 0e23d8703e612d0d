//! `cargo xtask ci`: everything a change must pass. `.ci/run` is this and nothing else.

use std::process::Command;
use std::time::Instant;

use xtask::{invocation, workspace};

use crate::{codegen, test, tidy};

type Step = (&'static str, fn() -> Result<(), String>);

/// In the order in which a mistake is found soonest; the tests come last, so that the runner's
/// closing lines end the log of a good run.
const STEPS: [Step; 8] = [
    ("format", format),
    ("tidy", tidy::run),
    ("lints", || {
        cargo(&[
            "clippy",
            "--workspace",
            "--all-targets",
            "--locked",
            "--",
            "-D",
            "warnings",
        ])
    }),
    ("lints without default features", || {
        cargo(&[
            "clippy",
            "--package",
            "trailproof",
            "--package",
            "trailproof-report",
            "--all-targets",
            "--no-default-features",
            "--locked",
            "--",
            "-D",
            "warnings",
        ])
    }),
    ("licenses and sources of dependencies", dependencies),
    ("documentation", || {
        invocation::run(
            Command::new("cargo")
                .current_dir(workspace::root())
                .env("RUSTDOCFLAGS", "-D warnings")
                .args(["doc", "--workspace", "--no-deps", "--locked", "--quiet"]),
        )
        .map_err(|failure| failure.to_string())
    }),
    ("generated files", || {
        codegen::run(&codegen::Options { check: true })
    }),
    ("tests", || test::run(&test::Options::default())),
];

/// Every source file by its name: `cargo fmt` does not see modules that a macro declares.
fn format() -> Result<(), String> {
    let listing = invocation::capture(
        Command::new("git")
            .current_dir(workspace::root())
            .args(["ls-files", "-z", "*.rs"]),
    )
    .map_err(|failure| failure.to_string())?;
    let listing = String::from_utf8(listing).map_err(|error| error.to_string())?;
    let files = listing.split('\0').filter(|file| !file.is_empty());
    invocation::run(
        Command::new("rustfmt")
            .current_dir(workspace::root())
            .args(["--edition", "2024", "--check"])
            .args(files),
    )
    .map_err(|failure| failure.to_string())
}

/// Runs every step, also after one failed, so that one log shows everything that is wrong.
pub(crate) fn run() -> Result<(), String> {
    let mut failed = Vec::new();
    for (name, step) in STEPS {
        println!("==> {name}");
        let started = Instant::now();
        let outcome = step();
        // After the tests nothing is printed, unless something failed.
        if name != "tests" {
            println!("    {name}: {:.0} s", started.elapsed().as_secs_f64());
        }
        if let Err(message) = outcome {
            eprintln!("error: {name}: {message}");
            failed.push(name);
        }
    }
    if failed.is_empty() {
        Ok(())
    } else {
        Err(format!("failed: {}", failed.join(", ")))
    }
}

fn cargo(arguments: &[&str]) -> Result<(), String> {
    invocation::run(
        Command::new("cargo")
            .current_dir(workspace::root())
            .args(arguments),
    )
    .map_err(|failure| failure.to_string())
}

/// `tidy` has checked the licenses and sources already; cargo-deny is a second opinion where it is
/// installed, because building it takes longer than everything else here.
fn dependencies() -> Result<(), String> {
    let installed = Command::new("cargo")
        .args(["deny", "--version"])
        .output()
        .is_ok_and(|output| output.status.success());
    if installed {
        return cargo(&[
            "deny",
            "--all-features",
            "check",
            "licenses",
            "bans",
            "sources",
        ]);
    }
    println!("    cargo-deny is not installed: only the rules of tidy were checked");
    Ok(())
}
