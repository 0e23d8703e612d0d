//! The run.

use std::ops::ControlFlow;

use crate::error::ScanError;
use crate::event::ScanEvent;
use crate::outcome::ScanOutcome;
use crate::plan::ScanPlan;

/// Scans as planned, telling what happens, and returns what was seen.
pub async fn scan(
    plan: ScanPlan,
    mut on_event: impl FnMut(ScanEvent) -> ControlFlow<()>,
) -> Result<ScanOutcome, ScanError> {
    let _config = plan.connection.load().await;
    let _ = on_event(ScanEvent::Progress(crate::outcome::Statistics::default()));
    Err(ScanError::Connection {
        reason: "scanning is not built yet".to_owned(),
    })
}
