//! The one clock of the command.

use jiff::Timestamp;

/// The time.
#[allow(
    clippy::disallowed_methods,
    reason = "this is the clock that everything else is told to use"
)]
pub(crate) fn now() -> Timestamp {
    Timestamp::now()
}
