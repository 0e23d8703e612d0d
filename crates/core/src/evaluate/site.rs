//! What hangs on a log group: its filters, their metrics, alarms, actions, topics and
//! subscriptions, judged for one control.
//!
//! Every way from a filter to a topic is a route. A control is met when the filters whose routes
//! are proved cover it together; it may be met when those with possible routes do.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::alarm_rule::Composites;
use super::coverage::{Covering, Decisions, Required, conjunction};
use super::firing::{DimensionSource, Restriction, Signal, Writer};
use super::links::action::{self, Neighbourhood};
use super::links::alarm::{self, Limits, Watching};
use super::links::log_group::Place;
use super::links::metric_filter::{self, Contribution};
use super::links::{metric, subscription, topic};
use super::verdict::{
    Cause, Chain, Standing, Step, Yardstick, open_standing, rank, standing, wants,
};
use super::writers;
use crate::account::{AccountId, Region};
use crate::evidence::{self, CompositeAlarm, MetricAlarm, MetricFilter, Reader, Request, View};
use crate::finding::LinkName;
use crate::policy::Policy;

/// Where and for whom filters are judged.
#[derive(Clone, Copy)]
pub(super) struct Question<'a> {
    pub(super) evidence: &'a Reader<'a>,
    pub(super) place: &'a Place,
    pub(super) required: Required<'a>,
    pub(super) policy: &'a Policy,
    pub(super) account: AccountId,
    /// Where events of the control may come from.
    pub(super) regions: &'a [Region],
}

/// The better of all routes by one yardstick.
#[derive(Debug, Clone)]
pub(super) struct Branch {
    /// From the metric filter to the subscription, as far as there is one.
    pub(super) chain: Chain,
    /// The next calls to make.
    pub(super) wants: Vec<Request>,
}

/// The judgement of a log group by both yardsticks.
#[derive(Debug, Clone)]
pub(super) struct Judgement {
    pub(super) cis: Branch,
    pub(super) effective: Branch,
}

impl Judgement {
    pub(super) fn by(&self, yardstick: Yardstick) -> &Branch {
        match yardstick {
            Yardstick::Cis => &self.cis,
            Yardstick::Effective => &self.effective,
        }
    }
}

/// The metric filters of a log group, gathered once for all controls.
#[derive(Debug)]
pub(super) struct Filters {
    pub(super) site: evidence::Site,
    /// Whether they treat accounts differently.
    pub(super) tell_accounts_apart: bool,
    view: View<MetricFilter>,
}

impl Filters {
    pub(super) fn of(evidence: &Reader<'_>, place: &Place) -> Self {
        const ACCOUNT: &str = "recipientAccountId";
        let view = evidence.metric_filters(&place.site, &place.name);
        let tells = |filter: &MetricFilter| {
            let mut transformations = filter.metric_transformations.iter();
            filter.field_selection_criteria.is_some()
                || !filter.emit_system_field_dimensions.is_empty()
                || filter.filter_pattern.contains(ACCOUNT)
                || transformations.any(|transformation| {
                    let mut selectors = transformation.dimensions.values();
                    selectors.any(|selector| selector.contains(ACCOUNT))
                })
        };
        Self {
            site: place.site.clone(),
            tell_accounts_apart: view.items.iter().any(|filter| tells(filter)),
            view,
        }
    }

    /// Whether nobody asked for them.
    pub(super) fn unasked(&self) -> bool {
        self.view.observed_at.is_none() && self.view.failure.is_none()
    }
}

/// The alarms of an account and region, gathered once for all log groups there.
#[derive(Debug)]
pub(super) struct Alarms {
    metric: View<MetricAlarm>,
    composite: View<CompositeAlarm>,
    composites: Composites,
}

impl Alarms {
    pub(super) fn of(evidence: &Reader<'_>, place: &Place) -> Self {
        let metric = evidence.metric_alarms(&place.site);
        let composite = evidence.composite_alarms(&place.site);
        Self {
            composites: Composites::new(&metric.items, &composite.items),
            metric,
            composite,
        }
    }
}

/// One way from a filter to a topic.
struct Route {
    filter: Arc<MetricFilter>,
    /// The events that take it, by the benchmark and effectively; the cause where nobody knows.
    cis: Result<String, Cause>,
    effective: Result<String, Cause>,
    /// From the metric to the subscription.
    tail: Chain,
}

impl Route {
    fn events(&self, yardstick: Yardstick) -> Result<&str, &Cause> {
        match yardstick {
            Yardstick::Cis => self.cis.as_deref(),
            Yardstick::Effective => self.effective.as_deref(),
        }
    }
}

/// Judges a log group: for each part of the regions that its filters tell apart, of which the
/// worst counts.
pub(super) fn judge(
    question: &Question<'_>,
    filters: &Filters,
    alarms: &Alarms,
    decisions: &mut Decisions,
) -> Judgement {
    let view = &filters.view;
    if !filters.tell_accounts_apart {
        return part(question, view, alarms, decisions);
    }
    let parts = metric_filter::parts(view, question.account, question.regions);
    let [_, _, ..] = parts.as_slice() else {
        return part(question, view, alarms, decisions);
    };
    let judgements: Vec<Judgement> = parts
        .iter()
        .map(|regions| {
            let question = Question {
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
        Branch { chain, wants }
    };
    Judgement {
        cis: worst(Yardstick::Cis),
        effective: worst(Yardstick::Effective),
    }
}

/// Judges a log group for regions that its filters do not tell apart.
fn part(
    question: &Question<'_>,
    view: &View<MetricFilter>,
    alarms: &Alarms,
    decisions: &mut Decisions,
) -> Judgement {
    let mut routes = Vec::new();
    let mut rejected = Vec::new();
    let mut patterns = Vec::new();
    for filter in &view.items {
        let contribution = metric_filter::contribution(
            filter,
            question.account,
            question.regions,
            question.required,
            decisions,
        );
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
        let beside = writers::beside(
            question.required,
            question.place.site.account,
            view,
            &alarms.metric.items,
            filter,
            decisions,
        );
        routes.extend(routes_of(
            question,
            alarms,
            filter,
            beside,
            cause.as_ref(),
            decisions,
        ));
    }
    let mut site = Site {
        question,
        view,
        routes: &routes,
        rejected: &rejected,
        patterns: &patterns,
        decisions,
    };
    Judgement {
        cis: site.branch(Yardstick::Cis),
        effective: site.branch(Yardstick::Effective),
    }
}

/// Every way that starts at a filter.
fn routes_of(
    question: &Question<'_>,
    alarms: &Alarms,
    filter: &Arc<MetricFilter>,
    (beside, unrelated): (Vec<Writer<'_>>, usize),
    unsure: Option<&Cause>,
    decisions: &mut Decisions,
) -> Vec<Route> {
    let Question {
        evidence, place, ..
    } = question;
    let own = match unsure {
        Some(cause) => Err(cause.clone()),
        None => Ok(filter.filter_pattern.clone()),
    };
    let route = |tail: Chain, effective: Result<String, Cause>| Route {
        filter: Arc::clone(filter),
        cis: own.clone(),
        effective,
        tail,
    };
    let transformation = filter.metric_transformations.first();
    let required = question.required;
    let written = metric::judge(filter, transformation, &place.site, required, decisions);
    let written = Arc::new(metric::shared(written, unrelated));
    let Some(transformation) = transformation else {
        return vec![route(vec![written], own.clone())];
    };
    let limits = Limits::of(question.policy, question.required.control);
    let signal = Signal::new(filter, transformation, place.site.account).beside(beside);
    let (watching, rest) = alarm::judge(evidence, &place.site, &alarms.metric, &signal, limits);
    let around = Neighbourhood {
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
    } in watching
    {
        let mut step = step;
        let unsure = || metric_filter::dimensions(filter, &alarm.alarm_name);
        let effective = match (&own, confined(question, &restrictions)) {
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
        let written = metric::as_counted(&written, &step);
        let step = Arc::new(step);
        for way in action::judge(&around, &alarm) {
            let carried = match &way.carrier {
                Some(carrier) => alarm::carried(&step, &alarm, carrier, limits),
                None => Arc::clone(&step),
            };
            let mut tail = vec![Arc::clone(&written), carried, Arc::new(way.step)];
            if let Some(arn) = &way.topic {
                tail.push(Arc::new(topic::judge(
                    evidence,
                    &place.site,
                    &way.notifier,
                    arn,
                )));
                tail.push(Arc::new(subscription::judge(evidence, &place.site, arn)));
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

/// What the dimensions that an alarm watches leave of a filter's events.
enum Confined {
    /// Those that fulfill these conditions.
    To(Vec<String>),
    /// Nobody knows which.
    Unsure,
    /// None of the account.
    Nothing,
}

/// The system fields tell where log data comes from (CloudWatch Logs API Reference,
/// `PutMetricFilter`). Whether that is, for an event of a trail, the event's account and region or
/// those of the log group that CloudTrail writes to is not documented.
fn confined(question: &Question<'_>, restrictions: &[Restriction]) -> Confined {
    let site = &question.place.site;
    let mut conditions = Vec::new();
    let mut unsure = false;
    for Restriction { source, value } in restrictions {
        // Whether the watched value is that of the log group, and that of all or any events.
        let (here, all, any) = match source {
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
                    let own = *value == question.account.to_string();
                    (*value == site.account.to_string(), own, own)
                }
                "@aws.region" => {
                    let is_it = |region: &Region| value == region.as_str();
                    let regions = question.regions;
                    (
                        is_it(&site.region),
                        regions.iter().all(is_it),
                        regions.iter().any(is_it),
                    )
                }
                _ => (true, false, true),
            },
        };
        match (here, all, any) {
            (true, true, _) => {}
            (false, _, false) => return Confined::Nothing,
            _ => unsure = true,
        }
    }
    if unsure {
        Confined::Unsure
    } else {
        Confined::To(conditions)
    }
}

struct Site<'s, 'q> {
    question: &'s Question<'q>,
    view: &'s View<MetricFilter>,
    routes: &'s [Route],
    /// Filters that count for nothing, why, and their patterns.
    rejected: &'s [(Cause, String)],
    /// The patterns of every filter that counts, related or not.
    patterns: &'s [String],
    decisions: &'s mut Decisions,
}

impl<'s> Site<'s, '_> {
    /// The known events of routes that are at least so good.
    fn events(&self, yardstick: Yardstick, good: impl Fn(&'s Route) -> bool) -> Vec<&'s str> {
        let texts: BTreeSet<&str> = self
            .routes
            .iter()
            .filter(|route| good(route))
            .filter_map(|route| route.events(yardstick).ok())
            .collect();
        texts.into_iter().collect()
    }

    fn covers(&mut self, texts: &[&str]) -> Covering {
        self.decisions.covers(self.question.required, texts)
    }

    fn branch(&mut self, yardstick: Yardstick) -> Branch {
        Branch {
            chain: self.chain(yardstick),
            wants: self.wants(yardstick),
        }
    }

    fn chain(&mut self, yardstick: Yardstick) -> Chain {
        let required = self.question.required;
        let place = self.question.place;
        let proved = self.events(yardstick, |route| {
            standing(&route.tail, yardstick) == Standing::Proved
        });
        if self.covers(&proved) == Covering::Covers {
            return self.proved(yardstick, &proved);
        }
        let open = |route: &&'s Route| standing(&route.tail, yardstick) != Standing::Broken;
        let texts = self.events(yardstick, |route| {
            standing(&route.tail, yardstick) != Standing::Broken
        });
        match self.covers(&texts) {
            Covering::Covers => {
                let possible =
                    |route: &&'s Route| standing(&route.tail, yardstick) == Standing::Possible;
                if let Some(route) = self.best(yardstick, possible) {
                    return self.through(route, |step, _| step);
                }
            }
            Covering::Undecided => {
                if let Some(route) = self.best(yardstick, open) {
                    return self.through(route, |step, decisions| {
                        metric_filter::undecided(step, place, &texts, required, decisions)
                    });
                }
            }
            Covering::Everything | Covering::Misses => {}
        }
        let unsure = |route: &&'s Route| route.events(yardstick).is_err();
        if let Some(route) = self.best(yardstick, |route| open(route) && unsure(route))
            && let Err(cause) = route.events(yardstick)
        {
            return self.through(route, |step, _| step.because(cause.clone()));
        }
        if !self.view.complete {
            return vec![Arc::new(metric_filter::unseen(
                self.question.evidence,
                place,
                self.view,
            ))];
        }
        self.broken(yardstick)
    }

    /// No route can be complete: the filters miss events, or those that do not lead nowhere.
    fn broken(&mut self, yardstick: Yardstick) -> Chain {
        let required = self.question.required;
        let place = self.question.place;
        let patterns: Vec<&str> = self.patterns.iter().map(String::as_str).collect();
        let unsure = self
            .routes
            .iter()
            .find_map(|route| route.events(yardstick).err());
        let covering = self.covers(&patterns);
        if covering == Covering::Covers || covering == Covering::Undecided || unsure.is_some() {
            let broken = |route: &&'s Route| standing(&route.tail, yardstick) == Standing::Broken;
            if let Some(route) = self.best(yardstick, broken) {
                return match (covering, unsure) {
                    (Covering::Undecided, _) => self.through(route, |step, decisions| {
                        metric_filter::undecided(step, place, &patterns, required, decisions)
                    }),
                    _ => self.through(route, |step, _| step),
                };
            }
        }
        // Confined by their dimensions, the alarms may miss what the patterns match.
        let confined = self.events(yardstick, |_| true);
        let texts = if covering == Covering::Covers {
            confined
        } else {
            patterns
        };
        // Where a rejected filter would have been enough, its rejection is the reason.
        let rejected = self.rejected.iter().find(|(_, text)| {
            matches!(
                self.decisions.covers(required, &[text]),
                Covering::Covers | Covering::Everything
            )
        });
        vec![Arc::new(metric_filter::misses(
            place,
            self.view,
            rejected.map(|(cause, _)| cause),
            &texts,
            required,
            self.decisions,
        ))]
    }

    /// A route and the filter it starts at.
    fn through(
        &mut self,
        route: &Route,
        change: impl FnOnce(Step, &mut Decisions) -> Step,
    ) -> Chain {
        let step = metric_filter::of(self.question.place, self.view, &route.filter);
        let mut chain = vec![Arc::new(change(step, self.decisions))];
        chain.extend(route.tail.iter().cloned());
        chain
    }

    fn proved(&mut self, yardstick: Yardstick, texts: &[&str]) -> Chain {
        let required = self.question.required;
        let place = self.question.place;
        let proved = |route: &&'s Route| standing(&route.tail, yardstick) == Standing::Proved;
        // One filter that is enough by itself says more than all of them.
        let alone = texts
            .iter()
            .copied()
            .find(|text| self.covers(&[text]) == Covering::Covers);
        let shown: Vec<&str> = alone.map_or_else(|| texts.to_vec(), |text| vec![text]);
        let route = self.best(yardstick, |route| {
            proved(route)
                && route
                    .events(yardstick)
                    .is_ok_and(|text| shown.contains(&text))
        });
        match route {
            Some(route) => self.through(route, |step, decisions| {
                metric_filter::observe(step, place, &shown, required, decisions)
            }),
            None => Vec::new(),
        }
    }

    /// The route to show: of those whose filter is enough by itself, else of all, the one that got
    /// furthest; the first of equals.
    fn best(
        &mut self,
        yardstick: Yardstick,
        among: impl Fn(&&'s Route) -> bool,
    ) -> Option<&'s Route> {
        let mut best = None;
        for route in self.routes.iter().filter(among) {
            let alone = match route.events(yardstick) {
                Ok(text) => self.covers(&[text]) == Covering::Covers,
                Err(_) => false,
            };
            let value = (alone, rank(&route.tail, yardstick));
            if best.as_ref().is_none_or(|(known, _)| *known < value) {
                best = Some((value, route));
            }
        }
        best.map(|(_, route)| route)
    }

    /// The next calls to make: for one filter that is enough by itself, else for all of them.
    fn wants(&mut self, yardstick: Yardstick) -> Vec<Request> {
        let proved = self.events(yardstick, |route| {
            open_standing(&route.tail, yardstick) == Standing::Proved
        });
        if self.covers(&proved) == Covering::Covers {
            return Vec::new();
        }
        let mut together = Vec::new();
        let mut open_texts: BTreeSet<&str> = BTreeSet::new();
        let mut unsure = false;
        let mut alone: Option<((Standing, LinkName), Vec<Request>)> = None;
        for route in self.routes {
            if open_standing(&route.tail, yardstick) == Standing::Broken {
                continue;
            }
            let wants = wants(&route.tail, yardstick);
            match route.events(yardstick) {
                Err(_) => unsure = true,
                Ok(text) => {
                    open_texts.insert(text);
                    if !wants.is_empty() && self.covers(&[text]) == Covering::Covers {
                        let value = rank(&route.tail, yardstick);
                        if alone.as_ref().is_none_or(|(known, _)| *known < value) {
                            alone = Some((value, wants.clone()));
                        }
                    }
                }
            }
            together.extend(wants);
        }
        if let Some((_, wants)) = alone {
            return wants;
        }
        let texts: Vec<&str> = open_texts.into_iter().collect();
        let may_cover =
            unsure || matches!(self.covers(&texts), Covering::Covers | Covering::Undecided);
        if may_cover && !together.is_empty() {
            together.sort();
            together.dedup();
            return together;
        }
        if self.view.complete {
            Vec::new()
        } else {
            metric_filter::unseen(self.question.evidence, self.question.place, self.view).wants
        }
    }
}
