//! The person's yes.

use std::io::{BufRead as _, IsTerminal as _};

use super::count;
use crate::error::CliError;
use crate::output::Output;

/// Asks for a number to be typed, unless the yes was given on the command line: how many of what
/// are meant, such as 3 changes.
pub(crate) fn confirm(
    number: usize,
    noun: &str,
    verb: &str,
    yes: bool,
    output: &Output,
) -> Result<(), CliError> {
    if yes {
        return Ok(());
    }
    let what = count(number, noun);
    output.ask(format_args!("type {number} to {verb} {what}: "));
    let mut answer = String::new();
    let read = std::io::stdin().lock().read_line(&mut answer);
    if read.is_ok() && answer.trim() == number.to_string() {
        return Ok(());
    }
    let silent = matches!(read, Ok(0) | Err(_));
    Err(if silent && !std::io::stdin().is_terminal() {
        CliError::usage(
            "not confirmed, as there is no terminal to ask on: nothing was changed; --yes confirms",
        )
        .hint("nobody is there to be asked: give --yes to do without")
    } else {
        CliError::usage("not confirmed: nothing was changed")
            .hint(format_args!("the answer that confirms is {number}"))
    })
}
