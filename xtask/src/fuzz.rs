//! `cargo xtask fuzz`: makes up what others might have written, until something does not hold.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use clap::Args;
use xtask::{invocation, workspace};

/// Options of `fuzz`.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// The targets, by the names of their files in `fuzz/fuzz_targets`; all of them when none is
    /// named.
    targets: Vec<String>,
    /// How long each target is tried, in seconds.
    #[arg(long, value_name = "N", default_value_t = 600)]
    seconds: u32,
}

/// The most memory that a target may take, in MiB, what the fuzzer keeps of its own included.
const MEMORY: u32 = 2048;

/// The longest that one input may take, in seconds.
const LONGEST: u32 = 10;

/// Targets whose crates bring the AWS SDK, which is built for nothing else.
const WITH_SDK: [&str; 3] = ["configuration", "journals", "plans"];

/// Builds the targets and runs one after the other, also after one found something.
pub(crate) fn run(options: &Options) -> Result<(), String> {
    let known = targets()?;
    let mut chosen = options.targets.clone();
    if chosen.is_empty() {
        chosen.clone_from(&known);
    }
    if let Some(unknown) = chosen.iter().find(|name| !known.contains(name)) {
        return Err(format!(
            "there is no target `{unknown}`; the targets are {}",
            known.join(", ")
        ));
    }
    let installed = Command::new("cargo")
        .args(["fuzz", "--version"])
        .output()
        .is_ok_and(|output| output.status.success());
    if !installed {
        return Err(
            "cargo-fuzz is not installed: install it with `cargo install cargo-fuzz --locked`"
                .to_owned(),
        );
    }
    let mut failed = Vec::new();
    for target in &chosen {
        println!("==> {target}: {} s", options.seconds);
        if let Err(message) = run_target(target, options.seconds) {
            eprintln!("error: {target}: {message}");
            failed.push(target.as_str());
        }
    }
    if failed.is_empty() {
        Ok(())
    } else {
        Err(format!(
            "something was found in {}: the inputs are in fuzz/artifacts",
            failed.join(", ")
        ))
    }
}

/// The targets, in the order of their names.
fn targets() -> Result<Vec<String>, String> {
    let folder = workspace::root().join("fuzz/fuzz_targets");
    let entries =
        fs::read_dir(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let mut names: Vec<String> = entries
        .filter_map(|entry| {
            let path = entry.ok()?.path();
            let name = path.file_stem()?.to_str()?;
            Some(name.to_owned()).filter(|_| path.extension().is_some_and(|ending| ending == "rs"))
        })
        .collect();
    names.sort();
    Ok(names)
}

fn run_target(target: &str, seconds: u32) -> Result<(), String> {
    let built = workspace::target().join("fuzz");
    // What is found on the way is kept apart from the corpus that is checked in.
    let found = built.join("corpus").join(target);
    let scratch = built.join("scratch").join(target);
    for folder in [&found, &scratch] {
        fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    }
    let mut command = Command::new("cargo");
    command
        .current_dir(workspace::root())
        // The workspace forbids unsafe code, so that a sanitizer has nothing to find: a stable
        // compiler, told to accept the flags of coverage, is enough.
        .env("RUSTC_BOOTSTRAP", "1")
        .env("TMPDIR", &scratch)
        .args(["fuzz", "run", "--sanitizer", "none", "--target-dir"])
        .arg(&built);
    if WITH_SDK.contains(&target) {
        command.args(["--features", "with-sdk"]);
    }
    command.arg(target).arg(&found).args(seeds(target));
    command.args([
        "--".to_owned(),
        format!("-max_total_time={seconds}"),
        format!("-timeout={LONGEST}"),
        format!("-rss_limit_mb={MEMORY}"),
        "-print_final_stats=1".to_owned(),
    ]);
    let outcome = invocation::run(&mut command).map_err(|failure| failure.to_string());
    // The fuzzer ends without removing its files.
    let _ = fs::remove_dir_all(&scratch);
    outcome
}

/// Where a target's first inputs are.
fn seeds(target: &str) -> Vec<PathBuf> {
    let root = workspace::root();
    let mut folders = vec![root.join("fuzz/corpus").join(target)];
    if target == "evidence" {
        folders.push(root.join("tests/vectors"));
    }
    folders.retain(|folder: &PathBuf| Path::is_dir(folder));
    folders
}
