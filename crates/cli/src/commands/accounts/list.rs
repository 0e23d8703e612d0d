//! `trailproof accounts list`: which accounts there are, for scans that begin later.

use std::path::PathBuf;

use trailproof_core::evidence::Operation;
use trailproof_report::listing::Listing;

use crate::error::CliError;
use crate::exit::Exit;
use crate::output::Output;
use crate::runtime;
use crate::settings::{ConfigurationArguments, ConnectionSettings};
use crate::untrusted::visible;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The file; one that is there is replaced.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,

    #[command(flatten)]
    connection: ConnectionSettings,

    #[command(flatten)]
    configuration: ConfigurationArguments,
}

pub(super) fn run(arguments: Arguments, output: &Output) -> Result<Exit, CliError> {
    let Arguments {
        out,
        connection,
        configuration,
    } = arguments;
    if out.is_dir() {
        return Err(
            CliError::usage(format_args!("`{}` is a folder", out.display()))
                .hint("name a file, such as --out listing.json"),
        );
    }
    let file = configuration.load(output)?;
    let connection = connection.or(file.connection);
    let options = connection.connect_options()?;
    let roles = connection.role_settings()?;
    let records =
        runtime::start()?.block_on(trailproof_scanner::list_accounts(&options, &roles))?;
    let listing = Listing::of(records).map_err(|reason| {
        CliError::failed(format_args!("the listing is not whole: {reason}"))
            .hint("give the command again; a list that may lack accounts is not written")
    })?;
    listing.write(&out).map_err(|error| {
        CliError::failed(format_args!("cannot write `{}`: {error}", out.display()))
            .hint("name a file in a folder that is yours, on a disk with room")
    })?;
    if let Some(error) = listing.units_failure() {
        output.warn(format_args!(
            "organizational units are not named: {} failed with `{}`: {}",
            Operation::ListOrganizationalUnitsForParent,
            error.code,
            error.message
        ));
    }
    let described = listing.description();
    let id = described.organization.id.as_deref().unwrap_or_default();
    let (id, out) = (visible(id), out.display().to_string());
    output.data(|to| {
        writeln!(
            to,
            "{} accounts of organization {id}, listed at {}, in {}\nsha256 {}",
            described.accounts,
            described.listed_at.strftime("%Y-%m-%d %H:%M UTC"),
            visible(&out),
            described.sha256
        )
    })?;
    Ok(Exit::Success)
}
