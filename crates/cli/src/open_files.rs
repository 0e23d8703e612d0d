//! The limit of open files: raised as far as this process may, and what it leaves for connections.

use trailproof_scanner::Connections;

use crate::error::CliError;

/// As many as a scan can make use of, and as macOS gives at most.
const WANTED: u64 = 10_240;

/// What everything but connections may have open: the run directory, the terminal, certificates,
/// signals and timers.
const OTHERS: u64 = 32;

/// With fewer, nothing can be done.
const FEWEST: u64 = OTHERS + 8;

/// The connections that may be open at once.
pub(crate) fn connections() -> Result<Connections, CliError> {
    let Some(limit) = raised() else {
        return Ok(Connections::default());
    };
    if limit < FEWEST {
        return Err(CliError::failed(format_args!(
            "only {limit} files may be open at once, and at least {FEWEST} are needed"
        ))
        .hint(HINT));
    }
    let connections = limit.saturating_sub(OTHERS).min(WANTED);
    Ok(Connections::at_most(
        usize::try_from(connections).unwrap_or(usize::MAX),
    ))
}

/// What the person can do about a limit that is too low.
pub(crate) const HINT: &str =
    "raise the limit of open files before starting, for example with `ulimit -n 4096`";

/// The limit, after raising it where that is allowed; `None` where there is none.
#[cfg(unix)]
fn raised() -> Option<u64> {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

    let now = getrlimit(Resource::Nofile);
    let current = now.current?;
    let wanted = now.maximum.map_or(WANTED, |maximum| maximum.min(WANTED));
    if current >= wanted {
        return Some(current);
    }
    let raised = Rlimit {
        current: Some(wanted),
        maximum: now.maximum,
    };
    match setrlimit(Resource::Nofile, raised) {
        Ok(()) => Some(wanted),
        // A kernel may allow less than it says. What there is will have to do.
        Err(_) => Some(current),
    }
}

/// Windows has no such limit.
#[cfg(not(unix))]
fn raised() -> Option<u64> {
    None
}
