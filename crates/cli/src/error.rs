//! What a command says when it cannot do what it was asked to.

use std::fmt;

use trailproof_report::run::RunDirectoryError;

use crate::exit::Exit;

/// An error for a person: what is wrong, where, and what to do about it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct CliError {
    exit: Exit,
    message: String,
    hints: Vec<String>,
}

impl CliError {
    /// The usage, the configuration or the input is wrong (exit code 2).
    pub(crate) fn usage(message: impl fmt::Display) -> Self {
        Self::new(Exit::Usage, message)
    }

    /// The run could not start or finish (exit code 4).
    pub(crate) fn failed(message: impl fmt::Display) -> Self {
        Self::new(Exit::Failed, message)
    }

    fn new(exit: Exit, message: impl fmt::Display) -> Self {
        Self {
            exit,
            message: message.to_string(),
            hints: Vec::new(),
        }
    }

    /// Adds what the person can do about it.
    pub(crate) fn hint(mut self, hint: impl fmt::Display) -> Self {
        self.hints.push(hint.to_string());
        self
    }

    /// How the command ends.
    pub(crate) fn exit(&self) -> Exit {
        self.exit
    }

    /// What the person can do about it, one sentence each.
    pub(crate) fn hints(&self) -> &[String] {
        &self.hints
    }
}

impl fmt::Display for CliError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl From<RunDirectoryError> for CliError {
    fn from(error: RunDirectoryError) -> Self {
        let exit = match error {
            RunDirectoryError::Io { .. } | RunDirectoryError::Locked { .. } => Exit::Failed,
            RunDirectoryError::Foreign { .. }
            | RunDirectoryError::Occupied { .. }
            | RunDirectoryError::NoRun { .. }
            | RunDirectoryError::Newer { .. }
            | RunDirectoryError::Damaged { .. }
            | RunDirectoryError::Unfinished { .. } => Exit::Usage,
        };
        Self::new(exit, &error).hint(error.remedy())
    }
}
