//! `trailproof config`: a configuration file to begin with, and what holds with the one there is.

mod init;
mod show;

use crate::error::CliError;
use crate::exit::Exit;
use crate::output::Output;

/// Begin a configuration file, or show what holds and where it comes from.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Verb,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    Init(init::Arguments),
    Show(show::Arguments),
}

pub(crate) fn run(arguments: Arguments, output: &Output) -> Result<Exit, CliError> {
    match arguments.command {
        Verb::Init(arguments) => init::run(arguments, output),
        Verb::Show(arguments) => show::run(arguments, output),
    }
}
