//! `trailproof doctor`: what a scan would meet, before it is begun.

mod advice;
mod document;
mod text;

use std::num::NonZeroUsize;

use trailproof_scanner::doctor::{self, Diagnosis, DoctorPlan, Listing};
use trailproof_scanner::{ScanPlan, Scope};

use crate::error::CliError;
use crate::exit::Exit;
use crate::output::Output;
use crate::runtime;
use crate::settings::{ConfigurationArguments, ConnectionSettings};

/// Say what a scan would meet: who is calling, what it may list, and whether the roles let in.
///
/// Enters a sample of the accounts and makes every call that a scan may make, about things that do
/// not exist: a role that may not make one refuses it, which CloudTrail records in that account.
/// Nothing is changed and nothing is written. Exit code 0 when nothing is missing, 3 when a scan
/// would have UNKNOWN findings, 4 when it could not start.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    connection: ConnectionSettings,

    /// How many accounts are entered, evenly from all.
    #[arg(long, value_name = "N", default_value = "10", conflicts_with = "all")]
    sample: NonZeroUsize,

    /// Enter every account.
    #[arg(long)]
    all: bool,

    /// Only the account of the credentials.
    #[arg(long, conflicts_with_all = ["all", "sample"])]
    current_account: bool,

    /// How to write it.
    #[arg(long, value_enum, default_value_t)]
    format: Form,

    #[command(flatten)]
    configuration: ConfigurationArguments,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
enum Form {
    /// Twenty lines.
    #[default]
    Text,
    /// The same for programs.
    Json,
}

/// What keeps a scan from starting, or its findings from being whole.
pub(super) fn exit(diagnosis: &Diagnosis) -> Exit {
    if matches!(diagnosis.listing, Listing::Refused(_)) {
        Exit::Failed
    } else if advice::of(diagnosis).is_empty() {
        Exit::Success
    } else {
        Exit::Unknown
    }
}

pub(crate) fn run(arguments: Arguments, output: &Output) -> Result<Exit, CliError> {
    let Arguments {
        connection,
        sample,
        all,
        current_account,
        format,
        configuration,
    } = arguments;
    let file = configuration.load(output)?;
    let connection = connection.or(file.connection);
    let plan = DoctorPlan {
        connection: connection.connect_options()?,
        scope: if current_account {
            Scope::CurrentAccount
        } else {
            Scope::Organization
        },
        role: connection.role_settings()?,
        sample: (!all).then_some(sample.get()),
        concurrency: ScanPlan::CONCURRENCY,
    };
    let diagnosis = runtime::start()?.block_on(doctor::examine(&plan))?;
    let text = match format {
        Form::Text => text::of(&diagnosis),
        Form::Json => document::of(&diagnosis).map_err(CliError::failed)?,
    };
    output.data(|out| out.write_all(text.as_bytes()))?;
    Ok(exit(&diagnosis))
}
