//! `trailproof pattern`: the filter-pattern language by itself, without AWS.

mod compare;
mod files;
mod firing;
mod search;
mod service;

use trailproof_core::control::{self, Control};
use trailproof_core::pattern::{Pattern, PatternError};
use trailproof_core::policy::Policy;

use crate::error::CliError;
use crate::exit::Exit;
use crate::output::Output;

/// Match events with CloudWatch Logs filter patterns, or compare patterns with each other.
#[derive(Debug, clap::Args)]
#[command(subcommand_required = true, arg_required_else_help = true)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    Match(Box<search::Arguments>),
    Compare(Box<compare::Arguments>),
}

pub(crate) fn run(arguments: Arguments, output: &Output) -> Result<Exit, CliError> {
    match arguments.command {
        Command::Match(arguments) => search::run(&arguments, output),
        Command::Compare(arguments) => compare::run(&arguments, output),
    }
}

/// How results are written to stdout.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// For people.
    Text,
    /// One JSON object per line.
    Json,
}

/// A control and the benchmark version that decides its pattern.
#[derive(Debug, clap::Args)]
struct ControlArguments {
    /// The control whose pattern, facts and example event apply.
    #[arg(long, value_name = "ID")]
    control: Option<String>,

    /// The version of the CIS AWS Foundations Benchmark that decides the control's pattern.
    #[arg(long, value_name = "VERSION", default_value = Policy::DEFAULT_BENCHMARK, requires = "control")]
    benchmark: String,
}

impl ControlArguments {
    fn load(&self) -> Result<Option<Control>, CliError> {
        let Some(id) = &self.control else {
            return Ok(None);
        };
        let selected = control::select(control::builtin(), std::slice::from_ref(id))
            .map_err(CliError::usage)?;
        match <[Control; 1]>::try_from(selected) {
            Ok([control]) => Ok(Some(control)),
            Err(_) => Err(CliError::usage("--control takes one control here")),
        }
    }
}

/// Parses a pattern of the command line, or says what is wrong with it, and where.
fn parse(option: &str, text: &str) -> Result<Pattern, CliError> {
    Pattern::parse(text).map_err(|error| explained(option, text, &error))
}

fn explained(option: &str, text: &str, error: &PatternError) -> CliError {
    let PatternError {
        span,
        message,
        suggestion,
    } = error;
    // The pattern on one line, with marks under what is wrong.
    let shown: String = text
        .chars()
        .map(|character| {
            if character.is_control() {
                ' '
            } else {
                character
            }
        })
        .collect();
    let before = text.get(..span.start).unwrap_or(text).chars().count();
    let marked = text
        .get(span.start..span.end)
        .map_or(1, |marked| marked.chars().count().max(1));
    let error = CliError::usage(format_args!(
        "{option} is no filter pattern: {message}\n  {shown}\n  {}{}",
        " ".repeat(before),
        "^".repeat(marked)
    ));
    match suggestion {
        Some(suggestion) => error.hint(suggestion),
        None => error,
    }
}
