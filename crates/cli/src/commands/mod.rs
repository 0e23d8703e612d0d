//! The commands: one file each, registered by one line below.
//!
//! A command's file has its `Arguments` (a `clap::Args`, documented: that is the help text) and
//! `run(Arguments, &Output) -> Result<Exit, CliError>`.

mod accounts;
mod bundle;
#[cfg(any(feature = "publish", feature = "remediation"))]
mod changing;
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
#[cfg(feature = "publish")]
mod publish;
mod scan;
mod selection;
mod show;
mod verify;

use std::path::Path;

use trailproof_core::account::{Partition, Region};
use trailproof_report::past::PastRun;
use trailproof_report::run::Run;

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
    #[cfg(feature = "publish")]
    Publish => publish,
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

/// Whose Security Hub has the findings of a run: that of the region that was named, or of the home
/// region of its partition.
fn hub_region(run: &Run, named: Option<Region>) -> Result<Region, CliError> {
    let partition = run.scope.partition.unwrap_or(Partition::Aws);
    let Some(region) = named else {
        return Ok(partition.home_region());
    };
    if region.partition() == partition {
        return Ok(region);
    }
    Err(CliError::usage(format_args!(
        "the region {region} is not of partition {partition}, in which the run was made"
    ))
    .hint("name another one with --region"))
}
