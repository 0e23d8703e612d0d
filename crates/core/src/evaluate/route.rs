//! The routes of a log group: every way from a metric filter to a topic and its subscriptions.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::alarm_rule::Also;
use super::coverage::{Decisions, conjunction};
use super::firing::Signal;
use super::gathered::Alarms;
use super::links::action::{self, NotificationPath, RegionalAlarms};
use super::links::alarm::{self, Limits, Watching};
use super::links::{metric, metric_filter, subscription, topic};
use super::log_group_verdict::LogGroupQuestion;
use super::origin::{Confined, confined};
use super::routine::{Noise, heard};
use super::simultaneous::Simultaneous;
use super::verdict::{
    Cause, Chain, Standing, Step, Yardstick, open_standing, rank, standing, wants,
};
use super::writers;
use crate::evidence::{MetricFilter, Request, View};
use crate::finding::{LinkName, Status};

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

/// What all routes of a log group share.
pub(super) struct Shared<'a> {
    pub(super) alarms: RegionalAlarms<'a>,
    pub(super) filters: &'a View<MetricFilter>,
    pub(super) noise: Vec<Noise<'a>>,
    ends: RefCell<Ends>,
}

/// What stands at the end of many routes, judged once.
#[derive(Default)]
struct Ends {
    /// By the alarm that notifies and the topic.
    topics: HashMap<(String, String), Arc<Step>>,
    /// By the topic and the alarm whose message it is.
    subscriptions: HashMap<(String, Option<String>), Arc<Step>>,
}

impl<'a> Shared<'a> {
    pub(super) fn new(
        question: &LogGroupQuestion<'a>,
        filters: &'a View<MetricFilter>,
        alarms: &'a Alarms,
        noise: Vec<Noise<'a>>,
    ) -> Self {
        Self {
            alarms: RegionalAlarms::new(question.evidence, &question.place.site, alarms),
            filters,
            noise,
            ends: RefCell::default(),
        }
    }

    /// The topic and the subscriptions at the end of a path.
    fn ends(&self, question: &LogGroupQuestion<'_>, path: &NotificationPath) -> Chain {
        let LogGroupQuestion {
            evidence, place, ..
        } = question;
        let Some(arn) = &path.topic else {
            return Vec::new();
        };
        let site = &place.site;
        let mut ends = self.ends.borrow_mut();
        let by_topic = ends.topics.entry((path.notifier.clone(), arn.clone()));
        let topic =
            by_topic.or_insert_with(|| Arc::new(topic::judge(evidence, site, &path.notifier, arn)));
        let topic = Arc::clone(topic);
        let carrier = path.carrier.as_deref();
        let called = carrier.map(|carrier| carrier.called.clone());
        let subscription = ends
            .subscriptions
            .entry((arn.clone(), called))
            .or_insert_with(|| {
                let message = carrier.map(|carrier| &carrier.message);
                let forwarders = &question.policy.forwarders;
                Arc::new(subscription::judge(
                    evidence, site, forwarders, arn, message,
                ))
            });
        vec![topic, Arc::clone(subscription)]
    }
}

/// The routes of one filter that differ in what decides: of those that do not, the first counts.
struct Distinct {
    routes: Vec<Route>,
    seen: HashSet<(Option<String>, bool, [Outlook; 2])>,
}

/// How a route stands by one yardstick, and what is still to be asked for it.
type Outlook = ((Standing, LinkName), Standing, Vec<Request>);

impl Distinct {
    fn add(&mut self, route: Route) {
        let outlook = |yardstick| {
            (
                rank(&route.tail, yardstick),
                open_standing(&route.tail, yardstick),
                wants(&route.tail, yardstick),
            )
        };
        let known = route.effective.as_ref().ok().cloned();
        let refused = route.refusal(Yardstick::Effective).is_some();
        let key = (known, refused, Yardstick::ALL.map(outlook));
        if self.seen.insert(key) {
            self.routes.push(route);
        }
    }
}

/// Every way that starts at a filter, as far as it may decide.
pub(super) fn routes_of(
    question: &LogGroupQuestion<'_>,
    shared: &Shared<'_>,
    filter: &Arc<MetricFilter>,
    own: &Result<String, Cause>,
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
    let alarms = &shared.alarms;
    let view = shared.filters;
    let transformation = filter.metric_transformations.first();
    let required = question.required;
    let owner = place.site.account;
    let read = &alarms.metric.items;
    let (beside, unrelated) = writers::beside(required, owner, view, read, filter, decisions);
    let written = metric::judge(filter, transformation, &place.site, required, decisions);
    let written = Arc::new(metric::shared(written, unrelated));
    let Some(transformation) = transformation else {
        return vec![route(vec![written], own.clone())];
    };
    let limits = Limits::of(question.policy, question.required.control);
    let signal = Signal::new(filter, transformation, owner).beside(beside);
    let (watching, rest) = alarm::judge(evidence, &place.site, alarms.metric, &signal, limits);
    let simultaneous = (!alarms.composite.items.is_empty()).then(|| {
        let metric = alarms.metric;
        Simultaneous::of(required, owner, view, metric, filter, &watching, decisions)
    });
    let mut routes = Distinct {
        routes: Vec::new(),
        seen: HashSet::new(),
    };
    for Watching {
        alarm,
        step,
        restrictions,
        ..
    } in &watching
    {
        let mut step = step.clone();
        let unsure = || metric_filter::dimensions(filter, &alarm.alarm_name);
        let effective = match (own, confined(question, restrictions)) {
            (_, Confined::Nothing) => {
                step = alarm::watches_others(step, alarm, question.account);
                own.clone()
            }
            (Err(_), _) => own.clone(),
            (_, Confined::Unsure) => Err(unsure()),
            (Ok(_), Confined::To(conditions)) if conditions.is_empty() => own.clone(),
            (Ok(pattern), Confined::To(conditions)) => {
                conjunction(pattern, &conditions).ok_or_else(unsure)
            }
        };
        let effective = match heard(&shared.noise, alarm, owner) {
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
        let whole = own.is_ok() && effective == *own;
        for path in action::judge(alarms, alarm, &also) {
            let carried = match &path.carrier {
                Some(carrier) => alarm::carried(&step, alarm, carrier, limits),
                None => Arc::clone(&step),
            };
            let ends = shared.ends(question, &path);
            let mut tail = vec![Arc::clone(&written), carried, Arc::new(path.step)];
            tail.extend(ends);
            let proved = |yardstick| standing(&tail, yardstick) == Standing::Proved;
            let enough = whole && Yardstick::ALL.into_iter().all(proved);
            routes.add(route(tail, effective.clone()));
            if enough {
                // No other route of the filter's events is better.
                return routes.routes;
            }
        }
    }
    let mut routes = routes.routes;
    if let Some(step) = rest {
        let written = metric::as_counted(&written, &step);
        routes.push(route(vec![written, Arc::new(step)], own.clone()));
    }
    routes
}
