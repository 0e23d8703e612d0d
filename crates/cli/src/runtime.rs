//! What runs commands that wait for answers.

use tokio::runtime::{Builder, Runtime};

use crate::error::CliError;

/// A runtime of one thread: handing work from one to another takes processor time, and commands wait
/// most of the time. A scan begins further threads where it needs them.
pub(crate) fn start() -> Result<Runtime, CliError> {
    Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| CliError::failed(format_args!("cannot start: {error}")))
}

/// Runs something asynchronous to its end.
pub(crate) fn block_on<T>(
    future: impl Future<Output = Result<T, CliError>>,
) -> Result<T, CliError> {
    start()?.block_on(future)
}
