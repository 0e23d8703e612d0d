//! The programs under test: found, started in an environment that knows nothing of this machine,
//! and their outcome kept whole.

use std::env;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use tempfile::TempDir;
use xtask::{invocation, read_only, workspace};

/// The path of one of the workspace's binaries, built from the current sources.
///
/// # Panics
///
/// When the binaries cannot be built.
#[allow(
    clippy::disallowed_methods,
    reason = "`cargo xtask test` says through the environment that it built the binaries"
)]
pub fn path(name: &str) -> PathBuf {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER
        .get_or_init(|| {
            if let Some(folder) = env::var_os("TRAILPROOF_BINARIES") {
                PathBuf::from(folder)
            } else {
                // A plain `cargo test`: build what is needed, with the features that the tests
                // themselves were built with.
                invocation::capture(Command::new("cargo").current_dir(workspace::root()).args([
                    "build",
                    "--quiet",
                    "--workspace",
                    "--lib",
                    "--bins",
                    "--tests",
                ]))
                .unwrap_or_else(|failure| panic!("{failure}"));
                workspace::target().join("debug")
            }
        })
        .join(name)
}

/// The path of `trailproof` without the features `remediation` and `publish`. The first to ask for it in a plain
/// `cargo test` must not have asked for [`path`] before: cargo builds both in one place.
///
/// # Panics
///
/// When it cannot be built.
#[allow(
    clippy::disallowed_methods,
    reason = "`cargo xtask test` says through the environment that it built the binaries"
)]
pub fn read_only_path() -> PathBuf {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT
        .get_or_init(|| {
            if env::var_os("TRAILPROOF_BINARIES").is_some() {
                return read_only::path();
            }
            let built = read_only::build().unwrap_or_else(|message| panic!("{message}"));
            read_only::build_all().unwrap_or_else(|message| panic!("{message}"));
            built
        })
        .clone()
}

/// A command in an environment of its own: no configuration, credentials or proxies of this
/// machine, an empty home.
pub fn scrubbed(program: impl AsRef<OsStr>, home: &Path) -> Command {
    let mut command = Command::new(program);
    command
        .env_clear()
        .envs(inherited())
        .env("HOME", home)
        .env("TMPDIR", home)
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .current_dir(home)
        .stdin(Stdio::null());
    command
}

#[allow(
    clippy::disallowed_methods,
    reason = "the search path and the coverage profile are all that a child process inherits"
)]
fn inherited() -> impl Iterator<Item = (&'static str, std::ffi::OsString)> {
    ["PATH", "LLVM_PROFILE_FILE", "LD_LIBRARY_PATH"]
        .into_iter()
        .filter_map(|name| env::var_os(name).map(|value| (name, value)))
}

/// `trailproof` with a home of its own and, where one is given, an endpoint.
#[derive(Debug)]
pub struct Trailproof {
    home: TempDir,
    environment: Vec<(String, String)>,
}

/// How a run ended.
#[derive(Debug)]
pub struct Outcome {
    /// The exit code; `None` when a signal ended it.
    pub code: Option<i32>,
    /// What it wrote to stdout.
    pub stdout: String,
    /// What it wrote to stderr.
    pub stderr: String,
}

impl From<Output> for Outcome {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

impl Outcome {
    /// The same outcome, once its exit code is the expected one.
    ///
    /// # Panics
    ///
    /// When it is not, with everything the run wrote.
    #[track_caller]
    #[must_use]
    pub fn exits(self, code: i32) -> Self {
        assert_eq!(
            self.code,
            Some(code),
            "exit code\nstdout:\n{}\nstderr:\n{}",
            self.stdout,
            self.stderr
        );
        self
    }
}

impl Trailproof {
    /// The binary without an endpoint or credentials.
    ///
    /// # Panics
    ///
    /// When no temporary folder can be made.
    pub fn offline() -> Self {
        Self {
            home: tempfile::tempdir().expect("a temporary folder can be made"),
            environment: Vec::new(),
        }
    }

    /// The binary against an endpoint, with an access key as an emulator reads it.
    pub fn against(endpoint: &str, access_key: &str) -> Self {
        let mut trailproof = Self::offline();
        trailproof.set("AWS_ENDPOINT_URL", endpoint);
        trailproof.set("AWS_ACCESS_KEY_ID", access_key);
        trailproof.set("AWS_SECRET_ACCESS_KEY", "test");
        trailproof.set("AWS_REGION", "us-east-1");
        trailproof
    }

    /// Sets a variable of its environment.
    pub fn set(&mut self, name: &str, value: &str) {
        self.environment.retain(|(present, _)| present != name);
        self.environment.push((name.to_owned(), value.to_owned()));
    }

    /// Its home and working folder.
    pub fn home(&self) -> &Path {
        self.home.path()
    }

    /// The command, for tests that start it themselves.
    pub fn command<I>(&self, arguments: I) -> Command
    where
        I: IntoIterator,
        I::Item: AsRef<OsStr>,
    {
        let mut command = scrubbed(path("trailproof"), self.home());
        command
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Runs it to its end.
    ///
    /// # Panics
    ///
    /// When it cannot be started.
    pub fn run<I>(&self, arguments: I) -> Outcome
    where
        I: IntoIterator,
        I::Item: AsRef<OsStr>,
    {
        self.command(arguments)
            .output()
            .expect("the binary starts")
            .into()
    }

    /// Runs it to its end, and says how much memory it took at most, in bytes: zero where the
    /// operating system does not tell while it runs.
    ///
    /// # Panics
    ///
    /// When it cannot be started.
    pub fn run_measured<I>(&self, arguments: I) -> (Outcome, u64)
    where
        I: IntoIterator,
        I::Item: AsRef<OsStr>,
    {
        let child = self.start(arguments);
        let status = format!("/proc/{}/status", child.id());
        let ended = AtomicBool::new(false);
        thread::scope(|scope| {
            let measured = scope.spawn(|| {
                let mut most = 0;
                while !ended.load(Ordering::Relaxed) {
                    most = most.max(peak_memory(&status));
                    thread::sleep(Duration::from_millis(5));
                }
                most
            });
            let output = child.wait_with_output();
            ended.store(true, Ordering::Relaxed);
            let most = measured.join().expect("the measurement ends");
            (output.expect("the binary ends").into(), most)
        })
    }

    /// Starts it and leaves it running.
    ///
    /// # Panics
    ///
    /// When it cannot be started.
    pub fn start<I>(&self, arguments: I) -> Child
    where
        I: IntoIterator,
        I::Item: AsRef<OsStr>,
    {
        self.command(arguments).spawn().expect("the binary starts")
    }
}

/// The most memory that a process had so far, as Linux tells it in kB.
fn peak_memory(status: &str) -> u64 {
    let status = fs::read_to_string(status).unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = peak.and_then(|peak| peak.split_whitespace().next()?.parse().ok());
    kilobytes.map_or(0, |kilobytes: u64| kilobytes * 1024)
}
