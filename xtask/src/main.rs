//! Developer tasks of trailproof. `cargo xtask help` lists them.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a developer task talks to a person"
)]

mod bench;
mod book;
mod ci;
mod codegen;
mod dist;
mod emulators;
mod fuzz;
mod test;
mod tidy;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Developer tasks of trailproof.
#[derive(Debug, Parser)]
#[command(bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Run every test, the emulators included.
    Test(test::Options),
    /// Everything a change must pass: format, lints, tests, documentation, generated files, rules.
    Ci,
    /// Check the rules of the architecture.
    Tidy,
    /// Write the generated files.
    Codegen(codegen::Options),
    /// Build the documentation as a book, with mdBook.
    Docs,
    /// Build what people install: an archive and a wheel, in target/dist.
    Dist(dist::Options),
    /// Measure.
    Bench(bench::Options),
    /// Make up input for everything that reads what others wrote.
    Fuzz(fuzz::Options),
    /// Start an emulator of AWS and keep it until Ctrl-C.
    Emulators(emulators::Options),
}

fn main() -> ExitCode {
    let outcome = match Arguments::parse().task {
        Task::Test(options) => test::run(&options),
        Task::Ci => ci::run(),
        Task::Tidy => tidy::run(),
        Task::Codegen(options) => codegen::run(&options),
        Task::Docs => book::run(),
        Task::Dist(options) => dist::run(&options),
        Task::Bench(options) => bench::run(&options),
        Task::Fuzz(options) => fuzz::run(&options),
        Task::Emulators(options) => emulators::run(&options),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::FAILURE
        }
    }
}
