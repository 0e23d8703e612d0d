//! `trailproof`, the command. It is a library so that fuzzing reads configuration files as the
//! command does.
//!
//! Everything here is about the person or program that runs it: arguments, configuration,
//! progress, words and exit codes. What is true of an organization is decided in
//! `trailproof-core`, and looked up in `trailproof-scanner`.

mod arguments;
mod clock;
mod commands;
mod conclusion;
mod environment;
mod error;
mod examples;
mod exit;
mod interrupt;
mod links;
mod logging;
mod mfa;
mod open_files;
mod output;
mod pages;
mod progress;
mod reference;
mod runtime;
mod settings;
mod suggestion;
mod summary;
mod untrusted;

use std::path::Path;
use std::process::ExitCode;

/// The command: its arguments, output and exit code are those of the process.
pub fn run() -> ExitCode {
    let arguments = arguments::parse();
    let output = output::Output::new(&arguments.global);
    logging::start(&output);
    let exit = match arguments.command.run(&output) {
        Ok(exit) => exit,
        Err(error) => {
            output.error(&error);
            error.exit()
        }
    };
    exit.into()
}

/// Reads and checks a configuration file as every command does. The error is what the user is told.
pub fn check_configuration(path: &Path) -> Result<(), String> {
    settings::check(path).map_err(|error| error.to_string())
}
