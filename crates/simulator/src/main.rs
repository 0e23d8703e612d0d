//! `trailproof-simulator`: serves a simulated AWS organization until it is stopped.

mod arguments;

use std::process::ExitCode;

use clap::Parser;

use arguments::Arguments;
use trailproof_simulator::Server;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let started = arguments
        .organization()
        .and_then(|organization| Ok((organization, arguments.options()?)))
        .and_then(|(organization, options)| {
            let count = organization.accounts().len();
            Server::start(organization, options)
                .map(|running| (running, count))
                .map_err(|error| format!("cannot serve on port {}: {error}", arguments.port))
        });
    match started {
        Ok((running, accounts)) => {
            announce(&running, accounts);
            running.wait();
            ExitCode::SUCCESS
        }
        Err(message) => {
            complain(&message);
            ExitCode::from(2)
        }
    }
}

/// One line that says where it is and how to use it: it can be pasted before a command.
#[allow(clippy::print_stdout, reason = "this is the output of the program")]
fn announce(running: &trailproof_simulator::Running, accounts: usize) {
    let environment: Vec<String> = running
        .environment()
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    println!("{} # {accounts} accounts", environment.join(" "));
}

#[allow(clippy::print_stderr, reason = "this is the output of the program")]
fn complain(message: &str) {
    eprintln!("error: {message}");
}
