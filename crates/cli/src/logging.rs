//! `-v`: what goes on inside, on stderr. Without it nothing is logged.
//!
//! Only the crates of trailproof log: the logs of the HTTP layer and of the SDK could carry
//! headers, and headers carry credentials.

use tracing_subscriber::EnvFilter;

use crate::output::Output;

/// Starts logging as the user wants it.
pub(crate) fn start(output: &Output) {
    let filter = match output.verbosity() {
        0 => return,
        1 => "trailproof=debug,trailproof_scanner=debug,trailproof_report=debug",
        _ => "trailproof=trace,trailproof_scanner=trace,trailproof_report=trace",
    };
    // A second subscriber is refused; there is none.
    let _ = tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new(filter))
        .with_writer(std::io::stderr)
        .with_ansi(output.color() && output.stderr_is_terminal())
        .try_init();
}
