//! `cargo xtask ci`: everything a change must pass. `.ci/run` is this and nothing else.

use std::process::Command;
use std::time::Instant;

use xtask::{invocation, workspace};

use crate::{book, codegen, test, tidy};

type Step = (&'static str, fn() -> Result<(), String>);

/// In the order in which a mistake is found soonest; the tests come last, so that the runner's
/// closing lines end the log of a good run.
const STEPS: [Step; 12] = [
    ("format", format),
    ("tidy", tidy::run),
    ("lints", || {
        cargo(&[
            "clippy",
            "--workspace",
            "--all-targets",
            // The one feature that is not a default: the manual pages of a release.
            "--features",
            "trailproof/manual",
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
    ("dependencies", dependencies),
    ("lock file of the fuzz targets", fuzz_lock),
    ("known vulnerabilities of dependencies", advisories),
    ("spelling", spelling),
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
    ("book", book::build_where_possible),
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

/// Licenses, bans and sources as `deny.toml` has them, and dependencies that nothing uses. Building
/// these tools takes longer than all that is checked here, so they check where they are installed.
fn dependencies() -> Result<(), String> {
    let lock = std::fs::read_to_string(workspace::root().join("Cargo.lock"))
        .map_err(|error| format!("Cargo.lock: {error}"))?;
    let crates = lock.lines().filter(|line| *line == "[[package]]").count();
    println!("    {crates} crates in Cargo.lock, our own included");
    let mut failures = Vec::new();
    if installed("cargo", "deny") {
        failures.extend(
            cargo(&[
                "deny",
                "--all-features",
                "check",
                "licenses",
                "bans",
                "sources",
            ])
            .err(),
        );
    } else {
        missing("cargo-deny", "licenses, bans and sources of dependencies");
    }
    if installed("cargo", "machete") {
        failures.extend(cargo(&["machete"]).err());
    } else {
        missing("cargo-machete", "dependencies that nothing uses");
    }
    if failures.is_empty() {
        Ok(())
    } else {
        Err(failures.join("\nerror: "))
    }
}

/// The fuzz targets have a lock file of their own, which nothing else here reads.
fn fuzz_lock() -> Result<(), String> {
    invocation::capture(Command::new("cargo").current_dir(workspace::root()).args([
        "metadata",
        "--locked",
        "--format-version",
        "1",
        "--manifest-path",
        "fuzz/Cargo.toml",
    ]))
    .map(|_| ())
    .map_err(|failure| {
        format!("{failure}; `cargo update --workspace --manifest-path fuzz/Cargo.toml` mends it")
    })
}

fn spelling() -> Result<(), String> {
    if !installed("typos", "") {
        missing("typos", "spelling");
        return Ok(());
    }
    invocation::run(
        Command::new("typos")
            .current_dir(workspace::root())
            .args(["--format", "brief"]),
    )
    .map_err(|failure| failure.to_string())
}

/// Whether a program, or a program's subcommand, is there.
pub(crate) fn installed(program: &str, subcommand: &str) -> bool {
    Command::new(program)
        .args((!subcommand.is_empty()).then_some(subcommand))
        .arg("--version")
        .output()
        .is_ok_and(|output| output.status.success())
}

/// Says what was not checked, so that nobody takes silence for a check.
pub(crate) fn missing(tool: &str, what: &str) {
    eprintln!("    NOT CHECKED: {what}, because {tool} is not here");
}

const ADVISORIES: &str = "known vulnerabilities of dependencies (RustSec)";

/// Holds `Cargo.lock` against the advisories of `RustSec`, where a program for that and its data can be
/// had. Where not, nobody should take the run for one that was checked.
fn advisories() -> Result<(), String> {
    if installed("cargo", "deny") {
        if cargo(&["deny", "fetch", "db"]).is_ok() {
            return cargo(&[
                "deny",
                "--all-features",
                "check",
                "--disable-fetch",
                "advisories",
            ]);
        }
        missing("the data of RustSec", ADVISORIES);
    } else if installed("cargo", "audit") {
        if cargo(&["audit", "--deny", "warnings"]).is_ok() {
            return Ok(());
        }
        // It ends in the same way where it could not fetch its data.
        return Err("cargo audit found something, or could not fetch the advisories".to_owned());
    } else {
        missing("cargo-deny or cargo-audit", ADVISORIES);
    }
    Ok(())
}
