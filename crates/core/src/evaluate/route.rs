//! The routes of a log group: every way from a metric filter to a topic and its subscriptions.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::alarm_rule::Also;
use super::cache::AllAlarms;
use super::coverage::{Decisions, conjunction};
use super::firing::{Owner, Signal};
use super::gathered::Alarms;
use super::links::action::{self, NotificationPath, RegionalAlarms};
use super::links::alarm::{self, Limits, Watching};
use super::links::{metric, metric_filter, subscription, topic};
use super::log_group_verdict::LogGroupQuestion;
use super::monitoring_accounts::Monitors;
use super::origin::{Confined, confined};
use super::routine::{Noise, heard};
use super::simultaneous::Simultaneous;
use super::verdict::{
    Cause, Chain, Standing, Step, Yardstick, open_standing, rank, standing, wants,
};
use super::writers;
use crate::evidence::{CallSite, MetricFilter, Request, View};
use crate::finding::{LinkName, Status};

/// One way from a filter to a topic.
pub(super) struct Route {
    pub(super) filter: Arc<MetricFilter>,
    /// The events that take it, by the benchmark and effectively; the cause where nobody knows.
    cis: Result<Arc<str>, Cause>,
    effective: Result<Arc<str>, Cause>,
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
    pub(super) filters: &'a View<MetricFilter>,
    pub(super) noise: Vec<Noise<'a>>,
    ends: RefCell<Ends>,
}

/// What stands at the end of many routes, judged once.
#[derive(Default)]
struct Ends {
    /// By where the alarm is that notifies, its ARN, and the topic.
    topics: HashMap<(CallSite, String, Arc<str>), Arc<Step>>,
    /// By where the alarm is, the topic, and the alarm whose message it is.
    subscriptions: HashMap<(CallSite, Arc<str>, Option<String>), Arc<Step>>,
}

impl<'a> Shared<'a> {
    pub(super) fn new(filters: &'a View<MetricFilter>, noise: Vec<Noise<'a>>) -> Self {
        Self {
            filters,
            noise,
            ends: RefCell::default(),
        }
    }

    /// The topic and the subscriptions at the end of a path from an alarm that is somewhere.
    fn ends(
        &self,
        question: &LogGroupQuestion<'_>,
        site: &CallSite,
        path: &NotificationPath,
    ) -> Chain {
        let evidence = question.evidence;
        let Some(arn) = &path.topic else {
            return Vec::new();
        };
        let mut ends = self.ends.borrow_mut();
        let by_topic = (site.clone(), path.notifier.clone(), arn.clone());
        let topic = ends
            .topics
            .entry(by_topic)
            .or_insert_with(|| Arc::new(topic::judge(evidence, site, &path.notifier, arn)));
        let topic = Arc::clone(topic);
        let carrier = path.carrier.as_deref();
        let called = carrier.map(|carrier| carrier.called.clone());
        let subscription = ends
            .subscriptions
            .entry((site.clone(), arn.clone(), called))
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

/// A metric filter that may carry events of the control.
pub(super) struct Source {
    pub(super) filter: Arc<MetricFilter>,
    /// The events that it matches, or why nobody knows.
    pub(super) own: Result<Arc<str>, Cause>,
}

impl Source {
    fn route(&self, tail: Chain, effective: Result<Arc<str>, Cause>) -> Route {
        Route {
            filter: Arc::clone(&self.filter),
            cis: self.own.clone(),
            effective,
            tail,
        }
    }
}

/// The routes of one filter that differ in what decides: of those that do not, the first counts.
#[derive(Default)]
struct Distinct {
    routes: Vec<Route>,
    seen: HashSet<(Option<Arc<str>>, bool, [Outlook; 2])>,
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

/// Every way that starts at a filter and goes on in its account, as far as it may decide.
pub(super) fn routes_of(
    question: &LogGroupQuestion<'_>,
    shared: &Shared<'_>,
    alarms: &RegionalAlarms<'_>,
    source: &Source,
    decisions: &mut Decisions,
) -> Vec<Route> {
    let LogGroupQuestion {
        evidence, place, ..
    } = question;
    let filter = &source.filter;
    let view = shared.filters;
    let transformation = filter.metric_transformations.first();
    let required = question.required;
    let account = place.site.account;
    let owner = Owner {
        account,
        watcher: account,
    };
    let read = &alarms.metric.items;
    let (beside, unrelated) = writers::beside(required, owner, view, read, filter, decisions);
    let written = metric::judge(filter, transformation, &place.site, required, decisions);
    let written = Arc::new(metric::shared(written, unrelated));
    let Some(transformation) = transformation else {
        return vec![source.route(vec![written], source.own.clone())];
    };
    let limits = Limits::of(question.policy, required.control);
    let signal = Signal::new(filter, transformation, account).beside(beside);
    let (watching, rest) = alarm::judge(evidence, &place.site, alarms.metric, &signal, limits);
    let onward = Onward {
        question,
        shared,
        alarms,
        owner,
        limits,
    };
    let mut routes = Distinct::default();
    if onward.add(source, &written, &watching, decisions, &mut routes) {
        return routes.routes;
    }
    let mut routes = routes.routes;
    if let Some(step) = rest {
        let written = metric::as_counted(&written, &step);
        routes.push(source.route(vec![written, Arc::new(step)], source.own.clone()));
    }
    routes
}

/// Every way that starts at a filter and goes on in a monitoring account.
pub(super) fn routes_elsewhere(
    question: &LogGroupQuestion<'_>,
    monitors: &Monitors,
    shared: &Shared<'_>,
    alarms: (&Alarms, &mut AllAlarms<'_>),
    source: &Source,
    decisions: &mut Decisions,
) -> Vec<Route> {
    let (beside, all) = alarms;
    let LogGroupQuestion {
        evidence, place, ..
    } = question;
    let filter = &source.filter;
    let view = shared.filters;
    let Some(transformation) = filter.metric_transformations.first() else {
        return Vec::new();
    };
    let required = question.required;
    let limits = Limits::of(question.policy, required.control);
    let account = place.site.account;
    let here = Signal::new(filter, transformation, account);
    let none = alarm::none_beside(evidence, &beside.metric, &here, &place.site);
    let site = &place.site;
    let metric = metric::judge(filter, Some(transformation), site, required, decisions);
    let mut routes = Vec::new();
    for monitor in &monitors.known {
        let there = all.at(evidence, &monitor.site);
        if !monitor.is_told && !there.name(account) {
            // It watched before.
            continue;
        }
        let watcher = monitor.site.account;
        let alarms = there.on_metrics_of(account);
        let owner = Owner { account, watcher };
        let (others, unrelated) =
            writers::beside(required, owner, view, &alarms.items, filter, decisions);
        let written = Arc::new(metric::shared(metric.clone(), unrelated));
        let signal = Signal::new(filter, transformation, account).beside(others);
        let signal = signal.watched_from(watcher);
        let (watching, unseen) =
            alarm::watched_by(evidence, monitors, monitor, &alarms, &signal, limits, &none);
        let onward = Onward {
            question,
            shared,
            alarms: &RegionalAlarms::new(evidence, &monitor.site, &there),
            owner,
            limits,
        };
        let mut there = Distinct::default();
        onward.add(source, &written, &watching, decisions, &mut there);
        routes.extend(there.routes);
        if let Some(step) = unseen {
            let written = metric::as_counted(&written, &step);
            routes.push(source.route(vec![written, Arc::new(step)], source.own.clone()));
        }
    }
    for doubt in &monitors.doubts {
        let step = alarm::doubted(monitors, doubt, &here, &none);
        let tail = vec![Arc::new(metric.clone()), Arc::new(step)];
        routes.push(source.route(tail, source.own.clone()));
    }
    routes
}

/// The ways on from alarms that watch the metric, with the alarms beside them.
struct Onward<'o, 'q> {
    question: &'o LogGroupQuestion<'q>,
    shared: &'o Shared<'o>,
    alarms: &'o RegionalAlarms<'o>,
    owner: Owner,
    limits: Limits,
}

impl Onward<'_, '_> {
    /// Adds the routes over each alarm; whether one is proved by both yardsticks for everything
    /// that the filter matches, so that no other is better.
    fn add(
        &self,
        source: &Source,
        written: &Arc<Step>,
        watching: &[Watching],
        decisions: &mut Decisions,
        routes: &mut Distinct,
    ) -> bool {
        let Source { filter, own } = source;
        let alarms = self.alarms;
        let simultaneous = (!alarms.composite.items.is_empty()).then(|| {
            let (required, view) = (self.question.required, self.shared.filters);
            let metric = alarms.metric;
            Simultaneous::of(
                required, self.owner, view, metric, filter, watching, decisions,
            )
        });
        for watched in watching {
            let alarm = &watched.alarm;
            let mut step = watched.step.clone();
            let effective = self.events(source, watched, &mut step);
            let written = metric::as_counted(written, &step);
            let step = Arc::new(step);
            let also = |other: &str| {
                let simultaneous = simultaneous.as_ref();
                simultaneous.map_or(Also::No, |known| known.also(alarm, other))
            };
            let whole = own.is_ok() && effective == *own;
            for path in action::judge(alarms, alarm, &also) {
                let carried = match &path.carrier {
                    Some(carrier) => alarm::carried(&step, alarm, carrier, self.limits),
                    None => Arc::clone(&step),
                };
                let ends = self.shared.ends(self.question, alarms.site, &path);
                let mut tail = vec![Arc::clone(&written), carried, Arc::new(path.step)];
                tail.extend(ends);
                let proved = |yardstick| standing(&tail, yardstick) == Standing::Proved;
                let enough = whole && Yardstick::ALL.into_iter().all(proved);
                routes.add(source.route(tail, effective.clone()));
                if enough {
                    return true;
                }
            }
        }
        false
    }

    /// The events that reach an alarm effectively; the cause where nobody knows, or none does.
    fn events(
        &self,
        Source { filter, own }: &Source,
        watched: &Watching,
        step: &mut Step,
    ) -> Result<Arc<str>, Cause> {
        let Watching {
            alarm,
            restrictions,
            ..
        } = watched;
        let unsure = || metric_filter::dimensions(filter, &alarm.alarm_name);
        let effective = match (own, confined(self.question, restrictions)) {
            (_, Confined::Nothing) => {
                let seen = step.clone();
                *step = alarm::watches_others(seen, alarm, self.question.account);
                own.clone()
            }
            (Err(_), _) => own.clone(),
            (_, Confined::Unsure) => Err(unsure()),
            (Ok(_), Confined::To(conditions)) if conditions.is_empty() => own.clone(),
            (Ok(pattern), Confined::To(conditions)) => {
                let both = conjunction(pattern, &conditions);
                both.map(Arc::from).ok_or_else(unsure)
            }
        };
        match heard(&self.shared.noise, alarm, self.owner) {
            Some((noise, often_enough)) => Err(metric_filter::noisy(
                filter,
                noise.filter,
                noise.event,
                often_enough,
                &alarm.alarm_name,
            )),
            None => effective,
        }
    }
}
