//! `trailproof completions`: completion scripts for shells.

use clap_complete::Shell;

use crate::error::CliError;
use crate::exit::Exit;
use crate::output::Output;

/// Print a completion script for a shell.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The shell.
    shell: Shell,
}

pub(crate) fn run(Arguments { shell }: Arguments, output: &Output) -> Result<Exit, CliError> {
    let mut script = Vec::new();
    let mut command = crate::arguments::command();
    clap_complete::generate(shell, &mut command, "trailproof", &mut script);
    output.data(|out| out.write_all(&script))?;
    Ok(Exit::Success)
}
