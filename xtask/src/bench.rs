//! `cargo xtask bench`: hands over to the benchmark of one part, built for release.

mod search;

use std::process::Command;

use clap::{Args, ValueEnum};
use xtask::{invocation, workspace};

/// Options of `bench`.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// What to measure.
    #[arg(value_enum, default_value_t = Subject::Scan)]
    subject: Subject,
    /// Passed on to the benchmark.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<String>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Subject {
    /// Scans of simulated organizations: time, calls, CPU, memory, and how each grows.
    Scan,
    /// Judging recorded evidence: time and memory for large organizations.
    Evaluate,
    /// Filter patterns: deciding them, and searching log files beside `jq` and `grep`.
    Pattern,
}

/// Runs a benchmark: an example of the crate it measures. It is built together with the programs,
/// for the same features of the AWS SDK, which would be compiled once more for another choice.
pub(crate) fn run(options: &Options) -> Result<(), String> {
    let (package, example) = match options.subject {
        Subject::Scan => ("trailproof-scanner", "bench-scan"),
        Subject::Evaluate => ("trailproof-core", "bench-evaluate"),
        Subject::Pattern => ("trailproof-core", "bench-pattern"),
    };
    let mut build = Command::new("cargo");
    build
        .current_dir(workspace::root())
        .args(["build", "--release", "--bins"]);
    for package in ["trailproof", "trailproof-simulator", package] {
        build.args(["--package", package]);
    }
    invocation::run(build.args(["--example", example])).map_err(|failure| failure.to_string())?;
    let folder = workspace::target().join("release");
    let mut benchmark = Command::new(folder.join("examples").join(example));
    invocation::run(
        benchmark
            .current_dir(workspace::root())
            .args(&options.arguments),
    )
    .map_err(|failure| failure.to_string())?;
    if let Subject::Pattern = options.subject {
        search::run(&folder.join("trailproof"))?;
    }
    Ok(())
}
