//! Central topics come first: sites of many accounts wait for them.

use std::collections::BTreeMap;

use super::decide::{Decision, decide_topic};
use super::site::carry_out;
use super::{ApplyEvent, JournalLost, StepOutcome, Work};
use crate::remediation::cloud::Cloud;
use crate::remediation::plan::CentralTopic;
use crate::remediation::resources::topic;

/// Brings a central topic about, and says what it is really called; `None` where it is left.
pub(super) async fn prepare<C: Cloud>(
    work: &Work<'_, C>,
    planned: &CentralTopic,
) -> Option<String> {
    match carried_out(work, planned).await {
        Ok(Ok(arn)) => {
            // What sites look at is what is there now, and is not asked again for each of them.
            if let Ok(Some(there)) = topic::present(work.cloud, &arn).await {
                work.keep_topic(&arn, there);
            }
            Some(arn)
        }
        Ok(Err((reason, halfway))) => {
            work.tell(ApplyEvent::SiteLeft {
                site: planned.arn.clone(),
                reason,
                halfway,
            });
            None
        }
        Err(JournalLost) => None,
    }
}

/// The ARN, or why the topic was left, and whether something was done to it before.
async fn carried_out<C: Cloud>(
    work: &Work<'_, C>,
    planned: &CentralTopic,
) -> Result<Result<String, (String, bool)>, JournalLost> {
    let mut actual = BTreeMap::new();
    let decisions: Vec<Decision> = match decide_topic(work, planned, &mut actual).await {
        Ok(decisions) => decisions,
        Err(reason) => return Ok(Err((reason, false))),
    };
    let mut created = false;
    for decision in decisions {
        if work.is_over() {
            let reason = "stopped before it was finished; apply again to go on";
            return Ok(Err((reason.to_owned(), created)));
        }
        let outcome = carry_out(work, &decision).await?;
        let failed = match &outcome {
            StepOutcome::Failed(reason) => Some(reason.clone()),
            _ => None,
        };
        created |= outcome == StepOutcome::Created;
        work.tell(ApplyEvent::Step {
            step: Box::new(decision.step().clone()),
            outcome,
        });
        if let Some(reason) = failed {
            return Ok(Err((reason, created)));
        }
    }
    Ok(Ok(actual
        .remove(&planned.arn)
        .unwrap_or_else(|| planned.arn.clone())))
}
