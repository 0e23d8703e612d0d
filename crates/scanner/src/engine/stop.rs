//! The one switch that ends a run early: calls in flight are awaited, nothing new begins.

use tokio::sync::watch;
use tokio::time::Instant;

/// The run is ending, and the question was not asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stopped;

/// The switch. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Stop {
    switch: watch::Sender<bool>,
    light: watch::Receiver<bool>,
}

impl Default for Stop {
    fn default() -> Self {
        let (switch, light) = watch::channel(false);
        Self { switch, light }
    }
}

impl Stop {
    /// Ends the run.
    pub(crate) fn set(&self) {
        self.switch.send_replace(true);
    }

    /// Fails when the run is ending.
    pub(crate) fn check(&self) -> Result<(), Stopped> {
        if *self.light.borrow() {
            Err(Stopped)
        } else {
            Ok(())
        }
    }

    /// Waits for something, or fails as soon as the run is ending.
    pub(crate) async fn or<T>(&self, something: impl Future<Output = T>) -> Result<T, Stopped> {
        let mut changes = self.light.clone();
        tokio::select! {
            biased;
            done = something => Ok(done),
            _ = changes.wait_for(|set| *set) => Err(Stopped),
        }
    }

    /// Waits until a time, or fails as soon as the run is ending.
    pub(crate) async fn sleep_until(&self, at: Instant) -> Result<(), Stopped> {
        self.check()?;
        if at <= Instant::now() {
            return Ok(());
        }
        let mut changes = self.light.clone();
        tokio::select! {
            () = tokio::time::sleep_until(at) => Ok(()),
            // The switch is part of `self`, so that this ends only when the switch is set.
            _ = changes.wait_for(|set| *set) => Err(Stopped),
        }
    }
}
