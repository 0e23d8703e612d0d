//! The one clock of the crate. Durations are measured with `tokio::time::Instant`, which tests can
//! pause; this is for times that are written down or compared with times AWS gave.

use jiff::Timestamp;

/// Now.
pub(crate) fn now() -> Timestamp {
    #[allow(
        clippy::disallowed_methods,
        reason = "this is the one place that reads the clock"
    )]
    Timestamp::now()
}
