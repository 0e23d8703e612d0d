//! What else writes to the metrics that an alarm reads together with a filter's: the other metric
//! filters of the log group, and which events they match.

use std::sync::Arc;

use super::coverage::{Covering, Decisions, Required};
use super::firing::{Owner, Share, Writer, metrics_beside};
use crate::evidence::{MetricAlarm, MetricFilter, View};

/// The other filters behind the metrics that alarms read, and how many of them write to the
/// filter's own metric for events that are not the control's.
pub(super) fn beside<'v>(
    required: Required<'_>,
    owner: Owner,
    view: &'v View<MetricFilter>,
    alarms: &[Arc<MetricAlarm>],
    filter: &Arc<MetricFilter>,
    decisions: &mut Decisions,
) -> (Vec<Writer<'v>>, usize) {
    let mut beside = Vec::new();
    let mut unrelated = 0;
    let Some(own) = filter.metric_transformations.first() else {
        return (beside, unrelated);
    };
    let metrics = metrics_beside(alarms.iter().map(AsRef::as_ref), own, owner);
    for other in &view.items {
        let Some(transformation) = other.metric_transformations.first() else {
            continue;
        };
        let metric = (
            transformation.metric_namespace.clone(),
            transformation.metric_name.clone(),
        );
        if Arc::ptr_eq(other, filter) || !metrics.contains(&metric) {
            continue;
        }
        let (events, others) = shares(required, filter, other, decisions);
        let same = metric.0 == own.metric_namespace && metric.1 == own.metric_name;
        if same && events == Share::None && transformation.dimensions.is_empty() {
            unrelated += 1;
        }
        beside.push(Writer {
            filter: other,
            transformation,
            events,
            others,
        });
    }
    (beside, unrelated)
}

/// Which of the events that a filter and a control match another filter matches, and which other
/// events.
pub(super) fn shares(
    required: Required<'_>,
    filter: &MetricFilter,
    other: &MetricFilter,
    decisions: &mut Decisions,
) -> (Share, Share) {
    let pattern = &*other.filter_pattern;
    if other.apply_on_transformed_logs || decisions.pattern(pattern).is_err() {
        return (Share::Some, Share::Some);
    }
    if decisions.is_unrelated(required, pattern) {
        return (Share::None, Share::Some);
    }
    let confined =
        other.field_selection_criteria.is_some() || !other.emit_system_field_dimensions.is_empty();
    let at_most = if confined { Share::Some } else { Share::All };
    let own = &*filter.filter_pattern;
    let plain = !filter.apply_on_transformed_logs && decisions.pattern(own).is_ok();
    let events = match decisions.covers(required, &[pattern]) {
        Covering::Everything if !confined => return (Share::All, Share::All),
        Covering::Everything | Covering::Covers => Share::All,
        Covering::Misses | Covering::Undecided if !plain => Share::Some,
        Covering::Misses | Covering::Undecided => decisions.share(required, own, pattern),
    };
    let others = if plain && decisions.is_within(required, pattern, own) {
        Share::None
    } else {
        Share::Some
    };
    (events.min(at_most), others)
}
