//! Running other programs: what was run is always named when it fails.

use std::fmt;
use std::io;
use std::process::{Command, ExitStatus, Stdio};

/// Why a child process did not do its work.
#[derive(Debug)]
pub enum Failure {
    /// It could not be started.
    Start {
        /// The program and its arguments.
        command: String,
        /// What the operating system said.
        error: io::Error,
    },
    /// It ended with something else than zero.
    Status {
        /// The program and its arguments.
        command: String,
        /// How it ended.
        status: ExitStatus,
        /// What it wrote to stderr, where that was captured.
        stderr: String,
    },
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Start { command, error } => {
                write!(formatter, "`{command}` could not be started: {error}")
            }
            Self::Status {
                command,
                status,
                stderr,
            } => {
                write!(formatter, "`{command}` ended with {status}")?;
                if !stderr.is_empty() {
                    write!(formatter, "\n{}", stderr.trim_end())?;
                }
                Ok(())
            }
        }
    }
}

impl std::error::Error for Failure {}

fn name(command: &Command) -> String {
    let mut words = vec![command.get_program().to_string_lossy().into_owned()];
    words.extend(
        command
            .get_args()
            .map(|word| word.to_string_lossy().into_owned()),
    );
    words.join(" ")
}

/// Runs a program with this process's own streams, without anything to read.
pub fn run(command: &mut Command) -> Result<(), Failure> {
    let status = command
        .stdin(Stdio::null())
        .status()
        .map_err(|error| Failure::Start {
            command: name(command),
            error,
        })?;
    if status.success() {
        Ok(())
    } else {
        Err(Failure::Status {
            command: name(command),
            status,
            stderr: String::new(),
        })
    }
}

/// Runs a program and returns what it wrote to stdout.
pub fn capture(command: &mut Command) -> Result<Vec<u8>, Failure> {
    let output = command
        .stdin(Stdio::null())
        .output()
        .map_err(|error| Failure::Start {
            command: name(command),
            error,
        })?;
    if output.status.success() {
        Ok(output.stdout)
    } else {
        Err(Failure::Status {
            command: name(command),
            status: output.status,
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        })
    }
}
