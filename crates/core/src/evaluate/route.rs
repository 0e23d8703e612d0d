//! The routes of a log group: every way from a metric filter to a topic and its subscriptions.

use std::sync::Arc;

use super::alarm_rule::Also;
use super::coverage::{Decisions, conjunction};
use super::firing::Signal;
use super::gathered::Alarms;
use super::links::action::{self, RegionalAlarms};
use super::links::alarm::{self, Limits, Watching};
use super::links::{metric, metric_filter, subscription, topic};
use super::log_group_verdict::LogGroupQuestion;
use super::origin::{Confined, confined};
use super::routine::{Noise, heard};
use super::simultaneous::Simultaneous;
use super::verdict::{Cause, Chain, Yardstick};
use super::writers;
use crate::evidence::{MetricFilter, View};
use crate::finding::Status;

/// One way from a filter to a topic.
pub(super) struct Route {
    pub(super) filter: Arc<MetricFilter>,
    /// The events that take it, by the benchmark and effectively; the cause where nobody knows.
    cis: Result<String, Cause>,
    effective: Result<String, Cause>,
    /// From the metric to the subscription.
    pub(super) tail: Chain,
}

impl Route {
    pub(super) fn events(&self, yardstick: Yardstick) -> Result<&str, &Cause> {
        match yardstick {
            Yardstick::Cis => self.cis.as_deref(),
            Yardstick::Effective => self.effective.as_deref(),
        }
    }

    /// Why the route counts for nothing.
    pub(super) fn refusal(&self, yardstick: Yardstick) -> Option<&Cause> {
        let cause = self.events(yardstick).err()?;
        (cause.reason.status == Status::Fail).then_some(cause)
    }

    /// Why nobody knows which events take the route.
    pub(super) fn doubt(&self, yardstick: Yardstick) -> Option<&Cause> {
        let cause = self.events(yardstick).err()?;
        (cause.reason.status != Status::Fail).then_some(cause)
    }
}

/// Every way that starts at a filter.
pub(super) fn routes_of(
    question: &LogGroupQuestion<'_>,
    alarms: &Alarms,
    view: &View<MetricFilter>,
    filter: &Arc<MetricFilter>,
    own: &Result<String, Cause>,
    noise: &[Noise<'_>],
    decisions: &mut Decisions,
) -> Vec<Route> {
    let LogGroupQuestion {
        evidence, place, ..
    } = question;
    let route = |tail: Chain, effective: Result<String, Cause>| Route {
        filter: Arc::clone(filter),
        cis: own.clone(),
        effective,
        tail,
    };
    let transformation = filter.metric_transformations.first();
    let required = question.required;
    let owner = place.site.account;
    let (beside, unrelated) = writers::beside(
        required,
        owner,
        view,
        &alarms.metric.items,
        filter,
        decisions,
    );
    let written = metric::judge(filter, transformation, &place.site, required, decisions);
    let written = Arc::new(metric::shared(written, unrelated));
    let Some(transformation) = transformation else {
        return vec![route(vec![written], own.clone())];
    };
    let limits = Limits::of(question.policy, question.required.control);
    let signal = Signal::new(filter, transformation, place.site.account).beside(beside);
    let (watching, rest) = alarm::judge(evidence, &place.site, &alarms.metric, &signal, limits);
    let simultaneous = (!alarms.composite.items.is_empty()).then(|| {
        let metric = &alarms.metric;
        Simultaneous::of(required, owner, view, metric, filter, &watching, decisions)
    });
    let regional = RegionalAlarms {
        evidence,
        site: &place.site,
        metric: &alarms.metric,
        composite: &alarms.composite,
        composites: &alarms.composites,
    };
    let mut routes = Vec::new();
    for Watching {
        alarm,
        step,
        restrictions,
        ..
    } in &watching
    {
        let mut step = step.clone();
        let unsure = || metric_filter::dimensions(filter, &alarm.alarm_name);
        let effective = match (own, confined(question, &restrictions)) {
            (_, Confined::Nothing) => {
                step = alarm::watches_others(step, &alarm, question.account);
                own.clone()
            }
            (Err(_), _) => own.clone(),
            (_, Confined::Unsure) => Err(unsure()),
            (Ok(_), Confined::To(conditions)) if conditions.is_empty() => own.clone(),
            (Ok(pattern), Confined::To(conditions)) => {
                conjunction(pattern, &conditions).ok_or_else(unsure)
            }
        };
        let effective = match heard(noise, &alarm, place.site.account) {
            Some((noise, often_enough)) => Err(metric_filter::noisy(
                filter,
                noise.filter,
                noise.event,
                often_enough,
                &alarm.alarm_name,
            )),
            None => effective,
        };
        let written = metric::as_counted(&written, &step);
        let step = Arc::new(step);
        let also = |other: &str| {
            let simultaneous = simultaneous.as_ref();
            simultaneous.map_or(Also::No, |known| known.also(alarm, other))
        };
        for path in action::judge(&regional, alarm, &also) {
            let carried = match &path.carrier {
                Some(carrier) => alarm::carried(&step, &alarm, carrier, limits),
                None => Arc::clone(&step),
            };
            let mut tail = vec![Arc::clone(&written), carried, Arc::new(path.step)];
            if let Some(arn) = &path.topic {
                tail.push(Arc::new(topic::judge(
                    evidence,
                    &place.site,
                    &path.notifier,
                    arn,
                )));
                let message = path.carrier.as_deref().map(|carrier| &carrier.message);
                tail.push(Arc::new(subscription::judge(
                    evidence,
                    &place.site,
                    &question.policy.forwarders,
                    arn,
                    message,
                )));
            }
            routes.push(route(tail, effective.clone()));
        }
    }
    if let Some(step) = rest {
        let written = metric::as_counted(&written, &step);
        routes.push(route(vec![written, Arc::new(step)], own.clone()));
    }
    routes
}
