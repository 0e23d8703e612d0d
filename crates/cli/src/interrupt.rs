//! Ctrl-C: once to stop in order, twice to stop at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::exit::Exit;
use crate::output::Output;

/// Whether the user wants to stop. Cheap to clone and to ask.
#[derive(Debug, Clone, Default)]
pub(crate) struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// Listens for SIGINT and SIGTERM from now on, on a thread of its own: however busy the scan
    /// keeps its own threads, the user is heard.
    pub(crate) fn listen(output: &Output) -> Self {
        let interrupt = Self::default();
        let heard = interrupt.clone();
        let output = output.clone();
        // Without a thread or signals the default action stands: the first one ends the process.
        let _ = std::thread::Builder::new()
            .name("signals".to_owned())
            .spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread()
                    .enable_io()
                    .build();
                if let Ok(runtime) = runtime {
                    runtime.block_on(heard.hear(&output));
                }
            });
        interrupt
    }

    async fn hear(&self, output: &Output) {
        let Ok(mut signals) = Signals::open() else {
            return;
        };
        while signals.next().await {
            if self.0.swap(true, Ordering::SeqCst) {
                // Evidence is whole up to its last line at any moment, so nothing is lost but
                // what is in flight.
                output.warn("stopped at once; continue with --resume");
                exit_now();
            }
            output.warn(
                "stopping: calls in flight are awaited, then what was found is written; \
                 interrupt again to stop at once",
            );
        }
    }

    /// Whether the user wants to stop.
    pub(crate) fn is_requested(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

#[allow(
    clippy::exit,
    reason = "the second interrupt asks for just this: no waiting for anything"
)]
fn exit_now() -> ! {
    std::process::exit(i32::from(Exit::Interrupted.code()))
}

/// The signals that ask to stop. Opened once: a signal between two waits is not lost.
#[cfg(unix)]
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn open() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    /// Waits for the next signal; `false` when none can ever come.
    async fn next(&mut self) -> bool {
        tokio::select! {
            heard = self.interrupt.recv() => heard.is_some(),
            heard = self.terminate.recv() => heard.is_some(),
        }
    }
}

/// The signals that ask to stop.
#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    #[allow(clippy::unnecessary_wraps, reason = "the same signature as on unix")]
    fn open() -> std::io::Result<Self> {
        Ok(Self)
    }

    /// Waits for the next signal; `false` when none can ever come.
    async fn next(&mut self) -> bool {
        tokio::signal::ctrl_c().await.is_ok()
    }
}
