//! The person's yes.

use std::io::{BufRead as _, IsTerminal as _};

use crate::error::CliError;
use crate::output::Output;

/// Asks for the number of changes to be typed, unless the yes was given on the command line.
pub(super) fn confirm(
    count: usize,
    verb: &str,
    yes: bool,
    output: &Output,
) -> Result<(), CliError> {
    if yes {
        return Ok(());
    }
    let noun = if count == 1 { "change" } else { "changes" };
    output.ask(format_args!("type {count} to {verb} {count} {noun}: "));
    let mut answer = String::new();
    let read = std::io::stdin().lock().read_line(&mut answer);
    if read.is_ok() && answer.trim() == count.to_string() {
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
            .hint(format_args!("the answer that confirms is {count}"))
    })
}
