//! Where log data comes from, as the system fields `@aws.account` and `@aws.region` tell it
//! (CloudWatch Logs API Reference, `PutMetricFilter`). Whether that is, for an event of a trail, the
//! event's account and region or those of the log group that CloudTrail writes to is not
//! documented. So what rests on them is judged by both readings, and decided where they agree.

use std::sync::Arc;

use super::firing::{DimensionSource, Restriction};
use super::log_group_verdict::{LogGroupQuestion, LogGroupVerdict, VerdictByYardstick};
use super::together::Passed;
use super::verdict::{Standing, Step, Yardstick, standing};
use crate::account::{AccountId, Region};
use crate::evidence::MetricFilter;

/// What the system fields of a trail's event are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    /// The account and region where the event happened.
    Event,
    /// The account and region of the log group.
    LogGroup,
}

impl Origin {
    /// The account and regions that the system fields of the events in question tell.
    pub(super) fn of<'a>(question: &'a LogGroupQuestion<'a>) -> (AccountId, &'a [Region]) {
        let site = &question.place.site;
        match question.origin {
            Self::Event => (question.account, question.regions),
            Self::LogGroup => (site.account, std::slice::from_ref(&site.region)),
        }
    }
}

/// Whether a filter looks at system fields.
pub(super) fn matters(filter: &MetricFilter) -> bool {
    filter.field_selection_criteria.is_some() || !filter.emit_system_field_dimensions.is_empty()
}

/// What both readings agree on; the step that says that they do not, where they do not.
pub(super) fn agreed(
    event: &LogGroupVerdict,
    log_group: &LogGroupVerdict,
    undecided: &Step,
) -> LogGroupVerdict {
    let by = |yardstick: Yardstick| {
        let [one, other] = [event.by(yardstick), log_group.by(yardstick)];
        let standings = [one, other].map(|branch| standing(&branch.chain, yardstick));
        match standings {
            [one, other] if one == other => event.by(yardstick).clone(),
            [Standing::Possible, Standing::Proved] => one.clone(),
            [Standing::Proved, Standing::Possible] => other.clone(),
            _ => {
                let mut wants = one.wants.clone();
                wants.extend(other.wants.iter().cloned());
                wants.sort();
                wants.dedup();
                VerdictByYardstick {
                    chain: vec![Arc::new(undecided.clone())],
                    wants,
                }
            }
        }
    };
    LogGroupVerdict {
        cis: by(Yardstick::Cis),
        effective: by(Yardstick::Effective),
        passed: Passed::default(),
    }
}

/// What the dimensions that an alarm watches leave of a filter's events.
pub(super) enum Confined {
    /// Those that fulfill these conditions.
    To(Vec<String>),
    /// Nobody knows which.
    Unsure,
    /// None of the account.
    Nothing,
}

/// What the dimensions that an alarm watches leave of a filter's events.
pub(super) fn confined(question: &LogGroupQuestion<'_>, restrictions: &[Restriction]) -> Confined {
    let (account, regions) = Origin::of(question);
    let mut conditions = Vec::new();
    let mut unsure = false;
    for Restriction { source, value } in restrictions {
        // Whether all or any of the events have the watched value.
        let (all, any) = match source {
            DimensionSource::Selector(selector) => {
                if value.contains(['"', '\\', '*', '%']) {
                    unsure = true;
                } else {
                    conditions.push(format!("({selector} = \"{value}\")"));
                }
                continue;
            }
            DimensionSource::SystemField(field) => match field.as_str() {
                "@aws.account" => {
                    let own = *value == account.to_string();
                    (own, own)
                }
                "@aws.region" => {
                    let is_it = |region: &Region| value == region.as_str();
                    (regions.iter().all(is_it), regions.iter().any(is_it))
                }
                _ => (false, true),
            },
        };
        match (all, any) {
            (true, _) => {}
            (false, false) => return Confined::Nothing,
            (false, true) => unsure = true,
        }
    }
    if unsure {
        Confined::Unsure
    } else {
        Confined::To(conditions)
    }
}
