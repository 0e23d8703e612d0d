//! `trailproof fix`: repairs what a run found broken.
//!
//! What a plan is and how it is carried out is decided in `trailproof_report::remediation`. Here
//! is what a person sees of it, and where they say yes.

mod apply;
mod connection;
mod display;
mod drill;
mod export;
mod files;
mod plan;
mod plan_text;
mod record;
mod show;
mod undo;
mod verify;

use crate::error::CliError;
use crate::exit::Exit;
use crate::output::Output;

/// Repair what a run found broken: plan the changes, apply them, take them back.
///
/// Nothing is changed without `fix apply` and a confirmation, and nothing that others made is ever
/// changed: repairs are added beside it. Every change is recorded in a journal before and after it
/// is made, from which `fix undo` takes back exactly what was created.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    Plan(Box<plan::Arguments>),
    Show(show::Arguments),
    Apply(Box<apply::Arguments>),
    Undo(Box<undo::Arguments>),
    Export(export::Arguments),
    Drill(Box<drill::Arguments>),
}

pub(crate) fn run(arguments: Arguments, output: &Output) -> Result<Exit, CliError> {
    match arguments.command {
        Command::Plan(arguments) => plan::run(*arguments, output),
        Command::Show(arguments) => show::run(&arguments, output),
        Command::Apply(arguments) => apply::run(&arguments, output),
        Command::Undo(arguments) => undo::run(&arguments, output),
        Command::Export(arguments) => export::run(&arguments, output),
        Command::Drill(arguments) => drill::run(&arguments, output),
    }
}
