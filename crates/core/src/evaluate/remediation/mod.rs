//! What a person should do about a broken or unseen link, with the commands they would run.
//!
//! The commands add beside what is there, by the names that `trailproof fix` uses where nobody chose
//! others: a name that was seen taken gets a number.

mod benchmark;
mod trail;

use std::sync::Arc;

use super::coverage::Required;
use super::verdict::{Cause, Step};
use crate::evidence::Reader;
use crate::finding::{LinkName, Remediation, Status};
use crate::remedy::Command;

/// What to do about a finding.
pub(super) fn of(
    step: &Step,
    cause: &Cause,
    chain: &[Arc<Step>],
    required: Required<'_>,
    evidence: &Reader<'_>,
) -> Remediation {
    let reason = cause.reason;
    let broken = reason.status == Status::Fail;
    let summary = match (step.account, step.region.as_ref()) {
        (Some(account), Some(region)) if broken => {
            format!("{} (account {account}, {region})", reason.remedy)
        }
        _ => reason.remedy.to_owned(),
    };
    Remediation {
        summary,
        // Links above the metric filter are not changed by `trailproof fix`, and neither are
        // settings of what it did not create.
        automatic: broken && step.link >= LinkName::MetricFilter,
        commands: if broken {
            commands(step, cause, chain, required, evidence)
        } else {
            Vec::new()
        },
    }
}

fn commands(
    step: &Step,
    cause: &Cause,
    chain: &[Arc<Step>],
    required: Required<'_>,
    evidence: &Reader<'_>,
) -> Vec<Command> {
    match step.link {
        LinkName::Account => Vec::new(),
        LinkName::Trail
        | LinkName::Logging
        | LinkName::Selectors
        | LinkName::LogGroup
        | LinkName::Delivery => trail::commands(step, cause, chain),
        LinkName::MetricFilter
        | LinkName::Metric
        | LinkName::Alarm
        | LinkName::Action
        | LinkName::Topic
        | LinkName::Subscription => benchmark::steps(step, cause, chain, required, evidence),
    }
}
