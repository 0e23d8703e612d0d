//! The command line as a whole. What belongs to one command is in that command's file.

use clap::{Args, ColorChoice, CommandFactory, FromArgMatches, Parser};

use crate::commands::Command;
use crate::examples::with_examples;

/// Proves, for every account of an AWS organization, that failed console sign-ins really end as a
/// message in front of a person.
#[derive(Debug, Parser)]
#[command(
    name = "trailproof",
    version,
    propagate_version = true,
    subcommand_required = true,
    arg_required_else_help = true,
    max_term_width = 100,
    after_help = "Exit codes: 0 all PASS, ATTESTED, MUTED or NOT_APPLICABLE; 1 at least one FAIL; 3 no FAIL but at least one \
                  UNKNOWN; 2 wrong usage or configuration; 4 the run could not start or finish; 130 interrupted."
)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
    #[command(flatten)]
    pub(crate) global: GlobalArguments,
}

/// The command line, as it is read and described.
pub(crate) fn command() -> clap::Command {
    with_examples(Arguments::command())
}

/// Reads the command line, or ends the program with what is wrong with it.
pub(crate) fn parse() -> Arguments {
    // What is wrong is said without color, too, also where the flag comes after it.
    let plain = std::env::args_os().any(|argument| argument == "--no-color");
    let command = command().color(if plain {
        ColorChoice::Never
    } else {
        ColorChoice::Auto
    });
    let parsed = Arguments::from_arg_matches(&command.get_matches());
    parsed.unwrap_or_else(|error| error.exit())
}

/// Flags of every command.
#[derive(Debug, Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct GlobalArguments {
    /// Print nothing to stderr but errors.
    #[arg(long, short, global = true, conflicts_with = "verbose")]
    pub(crate) quiet: bool,

    /// Say more on stderr about what is going on; twice for every detail.
    #[arg(long, short, global = true, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,

    /// Print without color. The environment variable `NO_COLOR` does the same.
    #[arg(long, global = true)]
    pub(crate) no_color: bool,
}
