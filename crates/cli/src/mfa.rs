//! Asks for the code of an MFA device, where there is somebody to ask.

use std::io::{self, IsTerminal as _, Write as _};

use trailproof_scanner::MfaPrompt;

use crate::untrusted::visible;

/// How a person is asked; `None` where stdin or stderr is not a terminal.
pub(crate) fn prompt() -> Option<MfaPrompt> {
    (io::stdin().is_terminal() && io::stderr().is_terminal()).then(|| MfaPrompt::new(ask))
}

fn ask(serial: &str) -> io::Result<String> {
    let mut terminal = io::stderr().lock();
    write!(terminal, "\nMFA code of {}: ", visible(serial))?;
    terminal.flush()?;
    drop(terminal);
    let mut code = String::new();
    io::stdin().read_line(&mut code)?;
    let code = code.trim();
    if code.is_empty() {
        return Err(io::Error::other("no MFA code was given"));
    }
    Ok(code.to_owned())
}
