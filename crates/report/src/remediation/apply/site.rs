//! The work at one site: decide, then create what is missing, one thing after the other.

use std::collections::BTreeMap;

use trailproof_scanner::CallFailure;

use super::decide::{Decision, decide};
use super::{ApplyEvent, JournalLost, StepOutcome, Work};
use crate::remediation::cloud::{Cloud, Mutation};
use crate::remediation::journal::{Created, Entry};
use crate::remediation::plan::{Site, Step};
use crate::remediation::resources::topic;

/// Repairs a site. Problems are told and end here.
pub(super) async fn repair<C: Cloud>(
    work: &Work<'_, C>,
    site: &Site,
    topics: &mut BTreeMap<String, String>,
) {
    let mut actual = topics.clone();
    let decisions = match decide(work, site, &mut actual).await {
        Ok(decisions) => decisions,
        Err(reason) => {
            work.tell(ApplyEvent::SiteLeft {
                site: site.id.clone(),
                reason,
                halfway: false,
            });
            return;
        }
    };
    let mut created = false;
    for decision in decisions {
        if work.is_over() {
            left(
                work,
                site,
                "stopped before it was finished; apply again to go on".to_owned(),
                created,
            );
            return;
        }
        match carry_out(work, &decision).await {
            Err(JournalLost) => return,
            Ok(outcome) => {
                let failed = match &outcome {
                    StepOutcome::Failed(reason) => Some(reason.clone()),
                    _ => None,
                };
                created |= outcome == StepOutcome::Created;
                let step = decision.step();
                work.tell(ApplyEvent::Step {
                    step: Box::new(step.clone()),
                    outcome,
                });
                if let Some(reason) = failed {
                    left(work, site, reason, created);
                    return;
                }
                remember(step, site, &actual, topics);
            }
        }
    }
    work.tell(ApplyEvent::SiteDone {
        site: site.id.clone(),
    });
}

fn left<C: Cloud>(work: &Work<'_, C>, site: &Site, reason: String, halfway: bool) {
    work.tell(ApplyEvent::SiteLeft {
        site: site.id.clone(),
        reason,
        halfway,
    });
}

/// A topic that is there may be used by the sites that follow.
fn remember(
    step: &Step,
    site: &Site,
    actual: &BTreeMap<String, String>,
    topics: &mut BTreeMap<String, String>,
) {
    let planned = site.steps.iter().find(|planned| planned.id == step.id);
    if let Some(topic) = planned.and_then(|step| step.change.created_topic())
        && let Some(arn) = actual.get(&topic.arn)
    {
        topics.insert(topic.arn.clone(), arn.clone());
    }
}

pub(super) async fn carry_out<C: Cloud>(
    work: &Work<'_, C>,
    decision: &Decision,
) -> Result<StepOutcome, JournalLost> {
    let (step, watched_by) = match decision {
        Decision::Ours(_) => return Ok(StepOutcome::Ours),
        Decision::AlreadyThere(_) => return Ok(StepOutcome::AlreadyThere),
        Decision::Adopt(step, result) => {
            if !work.options.dry_run {
                work.write_down(Entry::Created {
                    step: step.id.clone(),
                    result: result.clone(),
                })?;
            }
            return Ok(StepOutcome::Ours);
        }
        Decision::Create(..) if work.options.dry_run => return Ok(StepOutcome::WouldCreate),
        Decision::Create(step, watched_by) => (step, watched_by),
    };
    work.write_down(Entry::Intent {
        step: Box::new(step.clone()),
        watched_by: watched_by.clone(),
    })?;
    let mutation = Mutation::Create(step.change.clone());
    let action = mutation.action();
    match work
        .cloud
        .change(step.account, &step.region, mutation)
        .await
    {
        Ok(answer) => {
            let result = result(work, step, answer).await;
            work.write_down(Entry::Created {
                step: step.id.clone(),
                result,
            })?;
            Ok(StepOutcome::Created)
        }
        Err(CallFailure { error, uncertain }) => {
            let reason = format!("{action} failed: {}: {}", error.code, error.message);
            work.write_down(Entry::Failed {
                step: step.id.clone(),
                code: error.code,
                message: error.message,
                uncertain,
            })?;
            Ok(StepOutcome::Failed(reason))
        }
    }
}

/// What undo needs to know of what was created.
async fn result<C: Cloud>(work: &Work<'_, C>, step: &Step, answer: Created) -> Created {
    let Some(made) = step.change.created_topic() else {
        return answer;
    };
    match topic::present(work.cloud, &made.arn).await {
        Ok(Some(there)) => there.created(&made.arn),
        // Undo then asks for the person's eyes instead of comparing.
        _ => Created {
            arn: Some(made.arn.clone()),
            digest: None,
        },
    }
}
