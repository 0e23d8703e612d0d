//! The commands: one file each, registered by one line below.
//!
//! A command's file has its `Arguments` (a `clap::Args`, documented: that is the help text) and
//! `run(Arguments, &Output) -> Result<Exit, CliError>`.

mod accounts;
mod bundle;
mod completions;
mod config;
mod controls;
#[cfg(feature = "demo")]
mod demo;
mod diff;
mod doctor;
mod evaluate;
mod explain;
mod export;
#[cfg(feature = "remediation")]
mod fix;
mod generate;
mod history;
mod iam_policy;
mod merge;
mod pattern;
mod scan;
mod show;
mod verify;

use std::path::Path;

use trailproof_report::past::PastRun;

use crate::error::CliError;
use crate::exit::Exit;
use crate::output::Output;

macro_rules! commands {
    ($($(#[$attribute:meta])* $name:ident => $module:ident,)*) => {
        /// The commands.
        #[derive(Debug, clap::Subcommand)]
        pub(crate) enum Command {
            $($(#[$attribute])* $name(Box<$module::Arguments>),)*
        }

        impl Command {
            /// Runs the command.
            pub(crate) fn run(self, output: &Output) -> Result<Exit, CliError> {
                match self {
                    $($(#[$attribute])* Self::$name(arguments) => $module::run(*arguments, output),)*
                }
            }
        }
    };
}

// In the order of the help text. `NAME => MODULE,` and `mod MODULE;` above is all it takes.
commands! {
    Scan => scan,
    Evaluate => evaluate,
    #[cfg(feature = "remediation")]
    Fix => fix,
    Show => show,
    Explain => explain,
    Diff => diff,
    History => history,
    Export => export,
    Bundle => bundle,
    Verify => verify,
    Controls => controls,
    Pattern => pattern,
    Accounts => accounts,
    Merge => merge,
    IamPolicy => iam_policy,
    Doctor => doctor,
    Config => config,
    #[cfg(feature = "demo")]
    Demo => demo,
    Completions => completions,
    Generate => generate,
}

/// A finished run, for commands that look back at one.
fn past_run(path: &Path) -> Result<PastRun, CliError> {
    PastRun::read(path).map_err(|error| CliError::usage(&error).hint(error.remedy()))
}
