//! `cargo xtask ci`: everything a change must pass. `.ci/run` is this and nothing else.

use std::process::Command;
use std::time::Instant;

use xtask::{invocation, workspace};

use crate::{codegen, test, tidy};

type Step = (&'static str, fn() -> Result<(), String>);

/// In the order in which a mistake is found soonest; the tests come last, so that the runner's
/// closing lines end the log of a good run.
const STEPS: [Step; 9] = [
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
    ("known vulnerabilities of dependencies", advisories),
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
    let lock = std::fs::read_to_string(workspace::root().join("Cargo.lock"))
        .map_err(|error| format!("Cargo.lock: {error}"))?;
    let crates = lock.lines().filter(|line| *line == "[[package]]").count();
    println!("    {crates} crates in Cargo.lock, our own included");
    if has("deny") {
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

/// Holds Cargo.lock against the advisories of RustSec, where a program for that and its data can be
/// had. Where not, nobody should take the run for one that was checked.
fn advisories() -> Result<(), String> {
    if has("deny") {
        if cargo(&["deny", "fetch", "db"]).is_ok() {
            return cargo(&[
                "deny",
                "--all-features",
                "check",
                "--disable-fetch",
                "advisories",
            ]);
        }
        not_checked("cargo-deny could not fetch the advisories of RustSec");
    } else if has("audit") {
        if cargo(&["audit", "--deny", "warnings"]).is_ok() {
            return Ok(());
        }
        // It ends in the same way where it could not fetch its data.
        return Err("cargo audit found something, or could not fetch the advisories".to_owned());
    } else {
        not_checked("neither cargo-deny nor cargo-audit is installed");
    }
    Ok(())
}

fn not_checked(reason: &str) {
    eprintln!("==================================================================");
    eprintln!("NOT CHECKED: known vulnerabilities of dependencies (RustSec),");
    eprintln!("because {reason}.");
    eprintln!("Install cargo-deny (`cargo install cargo-deny --locked`) to check them.");
    eprintln!("==================================================================");
}

fn has(subcommand: &str) -> bool {
    Command::new("cargo")
        .args([subcommand, "--version"])
        .output()
        .is_ok_and(|output| output.status.success())
}
