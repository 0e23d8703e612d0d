//! What hangs on a log group: its filters, their metrics, alarms, actions, topics and
//! subscriptions, judged for one control.
//!
//! What may lead from a filter to a person stands in [`route`](super::route), which of it decides
//! and is shown in [`route_choice`](super::route_choice).

use std::sync::Arc;

use super::cache::AllAlarms;
use super::coverage::{Decisions, Required};
use super::gathered::Filters;
use super::links::action::RegionalAlarms;
use super::links::alarm;
use super::links::log_group::Place;
use super::links::metric_filter::{self, Contribution};
use super::monitoring_accounts;
use super::origin::{self, Origin};
use super::route::{Shared, Source, routes_elsewhere, routes_of};
use super::route_choice::RouteChoice;
use super::routine::{Routine, noise};
use super::together::Passed;
use super::verdict::{Chain, Standing, Yardstick, standing};
use crate::account::{AccountId, Region};
use crate::evidence::{MetricFilter, Reader, Request, View};
use crate::policy::Policy;

/// Where and for whom filters are judged.
#[derive(Clone, Copy)]
pub(super) struct LogGroupQuestion<'a> {
    pub(super) evidence: &'a Reader<'a>,
    pub(super) place: &'a Place,
    pub(super) required: Required<'a>,
    pub(super) policy: &'a Policy,
    pub(super) account: AccountId,
    /// Where events of the control may come from.
    pub(super) regions: &'a [Region],
    /// The events that the trail makes by itself.
    pub(super) routine: Routine,
    /// What the system fields of events are.
    pub(super) origin: Origin,
}

/// The better of all routes by one yardstick.
#[derive(Debug, Clone)]
pub(super) struct VerdictByYardstick {
    /// From the metric filter to the subscription, as far as there is one.
    pub(super) chain: Chain,
    /// The next calls to make.
    pub(super) wants: Vec<Request>,
}

/// The judgement of a log group by both yardsticks.
#[derive(Debug, Clone)]
pub(super) struct LogGroupVerdict {
    pub(super) cis: VerdictByYardstick,
    pub(super) effective: VerdictByYardstick,
    /// What it passes on effectively, where that is not everything.
    pub(super) passed: Passed,
}

impl LogGroupVerdict {
    pub(super) fn by(&self, yardstick: Yardstick) -> &VerdictByYardstick {
        match yardstick {
            Yardstick::Cis => &self.cis,
            Yardstick::Effective => &self.effective,
        }
    }
}

/// Judges a log group, by both readings of the system fields where they matter.
pub(super) fn judge(
    question: &LogGroupQuestion<'_>,
    filters: &Filters,
    alarms: &mut AllAlarms<'_>,
    decisions: &mut Decisions,
) -> LogGroupVerdict {
    decisions.knowing(question.evidence, |decisions| {
        by_readings(question, filters, alarms, decisions)
    })
}

fn by_readings(
    question: &LogGroupQuestion<'_>,
    filters: &Filters,
    alarms: &mut AllAlarms<'_>,
    decisions: &mut Decisions,
) -> LogGroupVerdict {
    let mut by = |origin| {
        let question = LogGroupQuestion {
            origin,
            ..*question
        };
        by_origin(&question, filters, alarms, decisions)
    };
    let event = by(Origin::Event);
    let Some(filter) = &filters.looks_at_origin else {
        return event;
    };
    let undecided = metric_filter::step(question.place, &filters.view).because(
        metric_filter::origin_undecided(filter, question.place, question.account),
    );
    origin::agreed(&event, &by(Origin::LogGroup), &undecided)
}

/// Judges a log group: for each part of the regions that its filters tell apart, of which the
/// worst counts.
fn by_origin(
    question: &LogGroupQuestion<'_>,
    filters: &Filters,
    alarms: &mut AllAlarms<'_>,
    decisions: &mut Decisions,
) -> LogGroupVerdict {
    let view = &filters.view;
    if !filters.tell_accounts_apart || question.origin == Origin::LogGroup {
        return part(question, view, alarms, decisions);
    }
    let parts = metric_filter::parts(view, question.account, question.regions);
    let [_, _, ..] = parts.as_slice() else {
        return part(question, view, alarms, decisions);
    };
    let judgements: Vec<LogGroupVerdict> = parts
        .iter()
        .map(|regions| {
            let question = LogGroupQuestion {
                regions,
                ..*question
            };
            let mut judgement = part(&question, view, alarms, decisions);
            for branch in [&mut judgement.cis, &mut judgement.effective] {
                if let Some(first) = branch.chain.first_mut() {
                    let step = Arc::unwrap_or_clone(Arc::clone(first));
                    *first = Arc::new(metric_filter::of_part(step, question.place, regions));
                }
            }
            judgement
        })
        .collect();
    let worst = |yardstick: Yardstick| {
        let branches = || judgements.iter().map(|judgement| judgement.by(yardstick));
        let chain = branches()
            .map(|branch| &branch.chain)
            .min_by_key(|chain| standing(chain, yardstick))
            .cloned()
            .unwrap_or_default();
        let hopeless = branches().any(|branch| {
            branch.wants.is_empty() && standing(&branch.chain, yardstick) == Standing::Broken
        });
        let mut wants: Vec<Request> = Vec::new();
        if !hopeless {
            wants.extend(branches().flat_map(|branch| branch.wants.iter().cloned()));
            wants.sort();
            wants.dedup();
        }
        VerdictByYardstick { chain, wants }
    };
    LogGroupVerdict {
        cis: worst(Yardstick::Cis),
        effective: worst(Yardstick::Effective),
        passed: Passed::default(),
    }
}

/// Judges a log group for regions that its filters do not tell apart.
fn part(
    question: &LogGroupQuestion<'_>,
    view: &View<MetricFilter>,
    all: &mut AllAlarms<'_>,
    decisions: &mut Decisions,
) -> LogGroupVerdict {
    let alarms = &*all.at(question.evidence, &question.place.site);
    let mut routes = Vec::new();
    let mut sources = Vec::new();
    let mut rejected = Vec::new();
    let mut patterns = Vec::new();
    let noise = noise(question, view, decisions);
    let shared = Shared::new(view, noise);
    let regional = RegionalAlarms::new(question.evidence, &question.place.site, alarms);
    for filter in &view.items {
        let (account, regions) = Origin::of(question);
        let contribution =
            metric_filter::contribution(filter, account, regions, question.required, decisions);
        let cause = match contribution {
            Contribution::Rejected(cause) => {
                rejected.push((cause, filter.filter_pattern.clone()));
                continue;
            }
            Contribution::Unsure(cause) => Some(cause),
            Contribution::Pattern => {
                patterns.push(filter.filter_pattern.clone());
                if decisions.is_unrelated(question.required, &filter.filter_pattern) {
                    continue;
                }
                None
            }
        };
        let own = match cause {
            Some(cause) => Err(cause),
            None => Ok(filter.filter_pattern.clone()),
        };
        let source = Source {
            filter: Arc::clone(filter),
            own,
        };
        routes.extend(routes_of(question, &shared, &regional, &source, decisions));
        sources.push(source);
    }
    let mut choice = RouteChoice {
        question,
        view,
        alarms,
        routes: &routes,
        rejected: &rejected,
        patterns: &patterns,
        decisions,
    };
    let (mut effective, further) = choice.branch(Yardstick::Effective);
    if !further {
        return LogGroupVerdict {
            cis: choice.branch(Yardstick::Cis).0,
            passed: choice.passed(),
            effective,
        };
    }
    let monitors =
        monitoring_accounts::of(question.evidence, question.policy, &question.place.site);
    for source in &sources {
        let alarms = (alarms, &mut *all);
        routes.extend(routes_elsewhere(
            question, &monitors, &shared, alarms, source, decisions,
        ));
    }
    let mut choice = RouteChoice {
        question,
        view,
        alarms,
        routes: &routes,
        rejected: &rejected,
        patterns: &patterns,
        decisions,
    };
    let fails;
    (effective, fails) = choice.branch(Yardstick::Effective);
    if fails {
        effective.chain = alarm::unlisted(&monitors, effective.chain);
        let unlisted = monitors.unlisted.iter();
        effective
            .wants
            .extend(unlisted.flat_map(|unread| unread.wants.iter().cloned()));
    }
    LogGroupVerdict {
        cis: choice.branch(Yardstick::Cis).0,
        passed: choice.passed(),
        effective,
    }
}
