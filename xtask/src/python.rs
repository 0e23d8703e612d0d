//! The Python environments of the emulators and of releases: one virtual environment per content of
//! a pinned requirements file, made once and shared by all who need it.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use sha2::{Digest, Sha256};

use crate::{invocation, workspace};

/// The pinned requirements, relative to the root.
pub const REQUIREMENTS: &str = "tests/requirements.txt";

/// The interpreter on this machine, if there is one.
pub fn interpreter() -> Option<&'static str> {
    ["python3", "python"].into_iter().find(|program| {
        Command::new(program)
            .args([
                "-c",
                "import sys, venv; sys.exit(sys.version_info < (3, 10))",
            ])
            .output()
            .is_ok_and(|output| output.status.success())
    })
}

/// The environment of the tests, as [`environment_of`] makes it.
pub fn environment() -> Result<PathBuf, String> {
    environment_of(REQUIREMENTS)
}

/// Makes the environment of a requirements file, whose path is relative to the root, if it is not
/// there yet, and returns its interpreter.
///
/// Several processes may ask at once: the first makes it, the others wait. An environment counts
/// as made only when its last step is done, so an interrupted one is made again.
pub fn environment_of(requirements: &str) -> Result<PathBuf, String> {
    let file = workspace::root().join(requirements);
    let pinned =
        fs::read(&file).map_err(|error| format!("`{requirements}` could not be read: {error}"))?;
    let key: u64 = Sha256::digest(&pinned)
        .iter()
        .take(8)
        .fold(0, |key, byte| key << 8 | u64::from(*byte));
    let parent = workspace::target().join("python");
    let folder = parent.join(format!("{key:016x}"));
    let python = folder.join("bin").join("python");
    let complete = folder.join("complete");
    if complete.exists() {
        return Ok(python);
    }
    fs::create_dir_all(&parent)
        .map_err(|error| format!("`target/python` could not be made: {error}"))?;
    let lock = File::create(parent.join("lock"))
        .and_then(|file| file.lock().map(|()| file))
        .map_err(|error| format!("`target/python/lock` could not be locked: {error}"))?;
    if !complete.exists() {
        make(&file, &folder, &python)?;
        File::create(&complete)
            .map_err(|error| format!("the environment could not be marked complete: {error}"))?;
    }
    drop(lock);
    Ok(python)
}

fn make(requirements: &Path, folder: &Path, python: &Path) -> Result<(), String> {
    let interpreter =
        interpreter().ok_or("python3 (3.10 or newer, with the venv module) is not installed")?;
    invocation::capture(
        Command::new(interpreter)
            .args(["-m", "venv", "--clear"])
            .arg(folder),
    )
    .map_err(|failure| failure.to_string())?;
    invocation::capture(
        Command::new(python)
            .args(["-m", "pip", "install", "--quiet", "--no-input"])
            .arg("--disable-pip-version-check")
            .arg("--requirement")
            .arg(requirements),
    )
    .map_err(|failure| failure.to_string())?;
    Ok(())
}
