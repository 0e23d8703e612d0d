//! `cargo xtask test`: the whole test suite, on a fresh clone.

use std::process::Command;

use clap::Args;
use xtask::{invocation, python, read_only, workspace};

/// Test binaries of the package `trailproof-tests` that need Python, by the module every test in
/// them lives in.
const NEEDS_PYTHON: &str = "with_python::";

/// Options of `test`.
#[derive(Debug, Default, Args)]
pub(crate) struct Options {
    /// Passed on to the test runner, for example a part of a test's name.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    runner_arguments: Vec<String>,
}

/// Builds everything once, makes the Python environment, and runs the tests. The runner's own
/// closing lines come last.
pub(crate) fn run(options: &Options) -> Result<(), String> {
    let with_python = prepare_python()?;
    // First, because the build of everything leaves the usual binary in its place.
    read_only::build()?;
    read_only::build_all()?;
    let binaries = workspace::target().join("debug");
    let runner = if has_nextest() {
        Runner::Nextest
    } else {
        Runner::Cargo
    };
    if !with_python {
        announce_skipped(runner)?;
    }
    let mut failures = Vec::new();
    if matches!(runner, Runner::Nextest) && options.runner_arguments.is_empty() {
        // nextest runs no documentation tests.
        failures.extend(cargo(&["test", "--workspace", "--doc", "--quiet"]).err());
    }
    let mut command = Command::new("cargo");
    command
        .current_dir(workspace::root())
        .env("TRAILPROOF_BINARIES", &binaries);
    match runner {
        Runner::Nextest => {
            command.args(["nextest", "run", "--workspace", "--no-fail-fast"]);
            if !with_python {
                command.args(["-E", &format!("not test(/^{NEEDS_PYTHON}/)")]);
            }
            command.args(&options.runner_arguments);
        }
        Runner::Cargo => {
            command.args(["test", "--workspace", "--no-fail-fast", "--"]);
            if !with_python {
                command.args(["--skip", NEEDS_PYTHON]);
            }
            command.args(&options.runner_arguments);
        }
    }
    failures.extend(
        invocation::run(&mut command)
            .map_err(|failure| failure.to_string())
            .err(),
    );
    if failures.is_empty() {
        Ok(())
    } else {
        Err(failures.join("\nerror: "))
    }
}

#[derive(Debug, Clone, Copy)]
enum Runner {
    Nextest,
    Cargo,
}

fn has_nextest() -> bool {
    Command::new("cargo")
        .args(["nextest", "--version"])
        .output()
        .is_ok_and(|output| output.status.success())
}

/// Whether the tests that need Python can run. In CI they must.
fn prepare_python() -> Result<bool, String> {
    if python::interpreter().is_some() {
        println!("python: {}", python::environment()?.display());
        return Ok(true);
    }
    if workspace::in_ci() {
        return Err(
            "python3 is not installed, and in CI the emulator tests are not skipped: install python3 and its venv module"
                .to_owned(),
        );
    }
    Ok(false)
}

fn announce_skipped(runner: Runner) -> Result<(), String> {
    let mut list = Command::new("cargo");
    list.current_dir(workspace::root());
    match runner {
        Runner::Nextest => list.args(["nextest", "list", "--workspace", "-T", "oneline"]),
        Runner::Cargo => list.args(["test", "--workspace", "--quiet", "--", "--list"]),
    };
    let listing = invocation::capture(&mut list).map_err(|failure| failure.to_string())?;
    let skipped = String::from_utf8_lossy(&listing)
        .lines()
        .filter(|line| line.contains(NEEDS_PYTHON))
        .count();
    eprintln!("==================================================================");
    eprintln!("SKIPPED: {skipped} emulator tests, because python3 is not installed.");
    eprintln!("Install python3 (3.10 or newer, with venv) to run them.");
    eprintln!("==================================================================");
    Ok(())
}

fn cargo(arguments: &[&str]) -> Result<(), String> {
    invocation::run(
        Command::new("cargo")
            .current_dir(workspace::root())
            .args(arguments),
    )
    .map_err(|failure| failure.to_string())
}
