//! `cargo xtask emulators`: one emulator of AWS in the foreground, to try things by hand.

use std::process::Command;

use clap::{Args, ValueEnum};
use xtask::{invocation, python, workspace};

/// Options of `emulators`.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Which emulator.
    #[arg(value_enum, default_value_t = Emulator::Ministack)]
    emulator: Emulator,
    /// The port on the loopback interface.
    #[arg(long, default_value_t = 4566)]
    port: u16,
    /// Enforce IAM policies (ministack only).
    #[arg(long)]
    authorization: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Emulator {
    /// Holds most of what trailproof reads, and enforces permissions when asked to.
    Ministack,
    /// A second opinion, behind a front that speaks CloudWatch's CBOR protocol.
    Moto,
}

/// Runs the emulator until it ends or the user interrupts it.
pub(crate) fn run(options: &Options) -> Result<(), String> {
    let python = python::environment()?;
    let port = options.port.to_string();
    println!("endpoint: http://127.0.0.1:{port}");
    let mut command = Command::new(python);
    command.current_dir(workspace::root());
    match options.emulator {
        Emulator::Ministack => {
            command
                .args(["-m", "ministack"])
                .env("GATEWAY_PORT", &port)
                .env("BIND_HOST", "127.0.0.1");
            if options.authorization {
                command.env("AUTH", "true");
            }
        }
        Emulator::Moto => {
            command.args(["tests/python/moto_server.py", "--port", &port]);
        }
    }
    invocation::run(&mut command).map_err(|failure| failure.to_string())
}
