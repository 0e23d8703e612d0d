//! Alarms that go into ALARM on the same events: what a composite alarm over several of them rests
//! on.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::alarm_rule::Also;
use super::coverage::{Decisions, Required};
use super::firing::{Owner, Share, Signal, reads};
use super::links::alarm::{Prompt, Watching};
use super::verdict::Standing;
use super::writers;
use crate::evidence::{MetricAlarm, MetricFilter, View};

/// The alarms that events of one filter may move.
pub(super) struct Simultaneous<'a> {
    /// Those that read the filter's metric, with how they fire on one event; `None` where they do
    /// not, or nobody knows.
    own: HashMap<&'a str, Option<&'a Prompt>>,
    /// Those that read what other filters write for the same events.
    others: HashSet<&'a str>,
}

impl<'a> Simultaneous<'a> {
    /// Those of a filter, by what reads its metric.
    pub(super) fn of(
        required: Required<'_>,
        owner: Owner,
        view: &View<MetricFilter>,
        alarms: &'a View<MetricAlarm>,
        filter: &Arc<MetricFilter>,
        watching: &'a [Watching],
        decisions: &mut Decisions,
    ) -> Self {
        let mut own: HashMap<&str, Option<&Prompt>> = HashMap::new();
        for Watching {
            alarm,
            step,
            prompt,
            can_fire,
            ..
        } in watching
        {
            if *can_fire {
                let proved = step.effective.standing() == Standing::Proved;
                let prompt = prompt.as_ref().filter(|_| proved);
                own.entry(&alarm.alarm_name)
                    // Read in several ways, it may fire by either.
                    .and_modify(|known| *known = None)
                    .or_insert(prompt);
            }
        }
        let mut others = HashSet::new();
        for other in view
            .items
            .iter()
            .filter(|other| !Arc::ptr_eq(other, filter))
        {
            let Some(transformation) = other.metric_transformations.first() else {
                continue;
            };
            let (events, _) = writers::shares(required, filter, other, decisions);
            if events == Share::None {
                continue;
            }
            let signal =
                Signal::new(other, transformation, owner.account).watched_from(owner.watcher);
            let read = alarms.items.iter().filter(|alarm| reads(alarm, &signal));
            others.extend(read.map(|alarm| &*alarm.alarm_name));
        }
        Self { own, others }
    }

    /// Whether another alarm goes into ALARM on the events on which one does.
    pub(super) fn also(&self, alarm: &MetricAlarm, other: &str) -> Also {
        let of = |name: &str| self.own.get(name).copied();
        match (of(&alarm.alarm_name), of(other)) {
            // What never fires moves no composite alarm.
            (None, _) => Also::No,
            (Some(Some(one)), Some(Some(another))) if one == another => Also::Yes,
            (_, Some(_)) => Also::Maybe,
            (_, None) if self.others.contains(other) => Also::Maybe,
            _ => Also::No,
        }
    }
}

#[cfg(test)]
mod model;
