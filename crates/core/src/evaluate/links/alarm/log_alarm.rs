//! Alarms on queries over a log group, which need neither a metric filter nor a metric.

use super::LOG_ALARM;
use crate::arn::LogGroupAddress;
use crate::evaluate::links::log_group::Place;
use crate::evaluate::verdict::{Cause, Step, Verdict};
use crate::evidence::{LogAlarm, View};
use crate::finding::LinkName;

/// The step of a log alarm over a log group that acts when it fires. What its query matches is not
/// decided: its language is another one.
pub(in crate::evaluate) fn over(place: &Place, alarms: &View<LogAlarm>) -> Option<Step> {
    let alarm = alarms.items.iter().find(|alarm| {
        let acts = alarm.actions_enabled != Some(false) && !alarm.alarm_actions.is_empty();
        acts && is_over(alarm, place)
    })?;
    let name = &alarm.alarm_name;
    let step = Step::new(LinkName::Alarm)
        .on(
            alarm.alarm_arn.as_deref().unwrap_or(name),
            Some(place.site.account),
            Some(place.site.region.clone()),
        )
        .seen(alarms.observed_at);
    Some(step.effective(Verdict::because(Cause::new(
        &LOG_ALARM,
        format!(
            "log alarm `{name}` watches log group `{}` with a query; whether it fires on the control's events was not decided",
            place.name
        ),
    ))))
}

/// Whether a log group is among those that the alarm asks. A query may name its log groups itself.
fn is_over(alarm: &LogAlarm, place: &Place) -> bool {
    let asked = &alarm.scheduled_query_configuration;
    let names = |identifier: &String| match LogGroupAddress::of(identifier) {
        Some(address) => {
            address.log_group == place.name
                && address.account == place.site.account
                && address.region == place.site.region
        }
        None => *identifier == place.name,
    };
    let query = asked.query_string.as_deref().unwrap_or_default();
    asked.log_group_identifiers.iter().any(names)
        || asked.log_group_identifiers.is_empty() && query.to_lowercase().contains("source")
}

#[cfg(test)]
mod tests;
