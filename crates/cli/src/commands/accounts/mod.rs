//! `trailproof accounts`: which accounts an organization has, and whom to write to about them.

mod contacts;
mod list;

use crate::error::CliError;
use crate::exit::Exit;
use crate::output::Output;

/// List the accounts of the organization, and whom to write to about them.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Write which accounts there are to a file that only you may read, for `scan --listing`.
    ///
    /// Needs organizations:DescribeOrganization and organizations:ListAccounts, and
    /// organizations:ListOrganizationalUnitsForParent for the names of organizational units. The
    /// file has the organization, the time, what AWS answered, and a SHA-256 of it.
    List(Box<list::Arguments>),

    /// Tell whom to write to about the findings of a run.
    ///
    /// For each account with findings that fail or are unknown, or of --status: the address of its
    /// root user, which the evidence has, and its contact for security, which AWS is asked for now
    /// (account:GetAlternateContact) by the credentials of the management account, or of a
    /// delegated administrator for account management. The contact is kept nowhere, and no report
    /// has either of them.
    Contacts(Box<contacts::Arguments>),
}

pub(crate) fn run(arguments: Arguments, output: &Output) -> Result<Exit, CliError> {
    match arguments.action {
        Action::List(arguments) => list::run(*arguments, output),
        Action::Contacts(arguments) => contacts::run(*arguments, output),
    }
}
