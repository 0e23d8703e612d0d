//! Asking what a repair would rest on and a run never looked at, because a chain that fails early
//! is not followed further: the alarms, topics and subscriptions behind the failure.

use futures::StreamExt as _;
use jiff::Timestamp;

use super::{Planning, PlanningError};
use crate::remediation::cloud::Cloud;
use crate::remediation::plan::Plan;

/// Makes a plan better, asking read-only for exactly what trying repairs out looked for and nobody had
/// asked, until nothing new is looked for. `told` hears how many questions are asked next.
pub async fn plan_asking(
    planning: &mut Planning<'_>,
    mut plan: Plan,
    cloud: &impl Cloud,
    concurrency: usize,
    now: Timestamp,
    mut told: impl FnMut(usize),
) -> Result<Plan, PlanningError> {
    loop {
        let wanted = planning.wanted();
        if wanted.is_empty() {
            return Ok(plan);
        }
        told(wanted.len());
        let answers = futures::stream::iter(wanted)
            .map(|request| cloud.read(request))
            .buffered(concurrency.max(1));
        let records: Vec<_> = answers.collect().await;
        for record in records {
            planning.add(record);
        }
        plan = planning.plan(now)?;
    }
}
