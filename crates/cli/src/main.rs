//! `trailproof`, the command.
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
mod progress;
mod reference;
mod settings;
mod suggestion;
mod summary;
mod untrusted;

/// Calls are answered on whichever thread is free, so that what one thread took another gives
/// back: the C library's allocator locks for that, and a scan then takes a sixth more processor time.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
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
