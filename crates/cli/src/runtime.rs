//! What runs commands that wait for answers.

use tokio::runtime::{Builder, Runtime};

use crate::error::CliError;

/// A runtime of one thread: handing work from one to another takes processor time, and commands wait
/// most of the time. A scan begins further threads where it needs them.
pub(crate) fn start() -> Result<Runtime, CliError> {
    built(&mut Builder::new_current_thread())
}

/// Runs something asynchronous to its end.
pub(crate) fn block_on<T>(
    future: impl Future<Output = Result<T, CliError>>,
) -> Result<T, CliError> {
    start()?.block_on(future)
}

/// Runs something that asks a person in between. Another thread has the connections: what AWS closes
/// while the person thinks is known to be closed when they have answered.
#[cfg(any(feature = "publish", feature = "remediation"))]
pub(crate) fn block_on_asking<T>(
    future: impl Future<Output = Result<T, CliError>>,
) -> Result<T, CliError> {
    built(Builder::new_multi_thread().worker_threads(1))?.block_on(future)
}

fn built(builder: &mut Builder) -> Result<Runtime, CliError> {
    builder
        .enable_all()
        .build()
        .map_err(|error| CliError::failed(format_args!("cannot start: {error}")))
}
