//! What commands share that change or send something: how accounts are entered, and where a person
//! says yes.

mod confirm;
mod connection;

pub(super) use confirm::confirm;
pub(super) use connection::{ConnectionArguments, recorded_roles, roles_for};

use trailproof_report::journal_file::JournalFileError;

use crate::error::CliError;
use crate::output::Output;
use crate::untrusted::visible;

/// As whom, in which organization and by which roles something is done: a person may be about to
/// say yes in the wrong one.
pub(super) fn tell_who(
    caller_arn: &str,
    organization: Option<&str>,
    whose: &str,
    roles: &[String],
    output: &Output,
) {
    output.note(format_args!("as {}", visible(caller_arn)));
    match organization {
        Some(organization) => output.note(format_args!(
            "in organization {}, as {whose} saw it",
            visible(organization)
        )),
        None => output.note(format_args!("{whose} saw no organization")),
    }
    output.note(format_args!(
        "in the accounts by the role {}",
        visible(&roles.join(", or "))
    ));
}

/// `1 change`, `2 changes`.
pub(super) fn count(number: usize, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {noun}{plural}")
}

impl From<JournalFileError> for CliError {
    fn from(error: JournalFileError) -> Self {
        match error {
            JournalFileError::Io { .. } => Self::failed(&error)
                .hint("check that the folder exists, is yours and the disk is not full"),
            JournalFileError::Locked { .. } => Self::failed(&error),
        }
    }
}
