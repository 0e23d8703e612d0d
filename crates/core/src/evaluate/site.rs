//! What hangs on a log group: its filters, their metrics, alarms, actions, topics and
//! subscriptions, judged for one control.
//!
//! Every way from a filter to a topic is a route. A control is met when the filters whose routes
//! are proved cover it together; it may be met when those with possible routes do.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::coverage::{Covering, Decisions, Required, conjunction};
use super::firing::{Signal, Writer};
use super::gathered::{Alarms, Filters};
use super::links::action::{self, Neighbourhood};
use super::links::alarm::{self, Limits, Watching};
use super::links::log_group::Place;
use super::links::metric_filter::{self, Contribution};
use super::links::{metric, subscription, topic};
use super::origin::{self, Confined, Origin, confined};
use super::routine::{Noise, Routine, noise};
use super::together::Passed;
use super::verdict::{
    Cause, Chain, Standing, Step, Yardstick, open_standing, rank, standing, wants,
};
use super::writers;
use crate::account::{AccountId, Region};
use crate::evidence::{MetricFilter, Reader, Request, View};
use crate::finding::{LinkName, Status};
use crate::pattern::Relation;
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
    /// The events that the trail makes by itself.
    pub(super) routine: Routine,
    /// What the system fields of events are.
    pub(super) origin: Origin,
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
    /// What it passes on effectively, where that is not everything.
    pub(super) passed: Passed,
}

impl Judgement {
    pub(super) fn by(&self, yardstick: Yardstick) -> &Branch {
        match yardstick {
            Yardstick::Cis => &self.cis,
            Yardstick::Effective => &self.effective,
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

    /// Why the route counts for nothing.
    fn refusal(&self, yardstick: Yardstick) -> Option<&Cause> {
        let cause = self.events(yardstick).err()?;
        (cause.reason.status == Status::Fail).then_some(cause)
    }

    /// Why nobody knows which events take the route.
    fn doubt(&self, yardstick: Yardstick) -> Option<&Cause> {
        let cause = self.events(yardstick).err()?;
        (cause.reason.status != Status::Fail).then_some(cause)
    }
}

/// Judges a log group, by both readings of the system fields where they matter.
pub(super) fn judge(
    question: &Question<'_>,
    filters: &Filters,
    alarms: &Alarms,
    decisions: &mut Decisions,
) -> Judgement {
    let mut by = |origin| {
        let question = Question {
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
    question: &Question<'_>,
    filters: &Filters,
    alarms: &Alarms,
    decisions: &mut Decisions,
) -> Judgement {
    let view = &filters.view;
    if !filters.tell_accounts_apart || question.origin == Origin::LogGroup {
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
        passed: Passed::default(),
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
        let beside = writers::beside(
            question.required,
            question.place.site.account,
            view,
            &alarms.metric.items,
            filter,
            decisions,
        );
        let noise = noise(question, view, filter, decisions);
        let own = match cause {
            Some(cause) => Err(cause),
            None => Ok(filter.filter_pattern.clone()),
        };
        routes.extend(routes_of(
            question,
            alarms,
            filter,
            beside,
            &own,
            noise.as_ref(),
            decisions,
        ));
    }
    let mut site = Site {
        question,
        view,
        alarms,
        routes: &routes,
        rejected: &rejected,
        patterns: &patterns,
        decisions,
    };
    let effective = site.branch(Yardstick::Effective);
    Judgement {
        cis: site.branch(Yardstick::Cis),
        passed: site.passed(),
        effective,
    }
}

/// Every way that starts at a filter.
fn routes_of(
    question: &Question<'_>,
    alarms: &Alarms,
    filter: &Arc<MetricFilter>,
    (beside, unrelated): (Vec<Writer<'_>>, usize),
    own: &Result<String, Cause>,
    noise: Option<&Noise<'_>>,
    decisions: &mut Decisions,
) -> Vec<Route> {
    let Question {
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
        let effective = match noise {
            Some(noise) => Err(metric_filter::noisy(
                noise.filter,
                noise.event,
                noise.event.keeps_alarming(noise.transformation, &alarm),
                &alarm.alarm_name,
            )),
            None => effective,
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
                let message = way.carrier.as_deref().map(|carrier| &carrier.message);
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

struct Site<'s, 'q> {
    question: &'s Question<'q>,
    view: &'s View<MetricFilter>,
    alarms: &'s Alarms,
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
        let chain = self.chain(yardstick);
        let chain = self.or_other_shape(chain, yardstick);
        Branch {
            wants: self.wants(yardstick, &chain),
            chain,
        }
    }

    /// A broken chain, or what else may tell somebody: the benchmark knows nothing of it.
    fn or_other_shape(&self, chain: Chain, yardstick: Yardstick) -> Chain {
        let broken = standing(&chain, yardstick) == Standing::Broken;
        if yardstick == Yardstick::Cis || !broken {
            return chain;
        }
        let Question {
            evidence, place, ..
        } = self.question;
        if let Some(step) = alarm::log_alarm_over(place, &self.alarms.log) {
            return vec![Arc::new(step)];
        }
        // Without a filter nobody has asked for alarms yet.
        match chain.as_slice() {
            [broken] => {
                let wants = alarm::unasked(evidence, &place.site, &self.alarms.metric);
                vec![Arc::new(Step::clone(broken).wanting(wants))]
            }
            _ => chain,
        }
    }

    /// What is passed on effectively.
    fn passed(&mut self) -> Passed {
        let by = Yardstick::Effective;
        let whole = self.view.complete;
        let is_proved = |route: &Route| whole && standing(&route.tail, by) == Standing::Proved;
        let is_open = |route: &Route| open_standing(&route.tail, by) != Standing::Broken;
        let known = |route: &Route| route.events(by).is_ok();
        let owned = |texts: Vec<&str>| texts.into_iter().map(str::to_owned).collect();
        let proved = owned(self.events(by, is_proved));
        let route = self.best(by, |route| is_proved(route) && known(route));
        let chain = route.map_or_else(Vec::new, |route| self.through(route, |step, _| step));
        let open = self
            .routes
            .iter()
            .filter(|route| is_open(route) && known(route));
        Passed {
            proved,
            chain,
            wants: open.flat_map(|route| wants(&route.tail, by)).collect(),
            open: owned(self.events(by, is_open)),
        }
    }

    fn chain(&mut self, yardstick: Yardstick) -> Chain {
        let required = self.question.required;
        let place = self.question.place;
        let proved = self.events(yardstick, |route| {
            standing(&route.tail, yardstick) == Standing::Proved
        });
        if self.covers(&proved) == Covering::Covers {
            let mut chain = self.proved(yardstick, &proved);
            // A filter that nobody saw may write to the same metric.
            if yardstick == Yardstick::Effective
                && !self.view.complete
                && let Some(first) = chain.first_mut()
            {
                let unseen =
                    metric_filter::unseen(self.question.evidence, place, self.view).effective;
                *first = Arc::new(Step::clone(first).effective(unseen));
            }
            return chain;
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
        let unsure = |route: &&'s Route| route.doubt(yardstick).is_some();
        if let Some(route) = self.best(yardstick, |route| open(route) && unsure(route))
            && let Some(cause) = route.doubt(yardstick)
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
        let unsure = self.routes.iter().find_map(|route| route.doubt(yardstick));
        let refused = |route: &&'s Route| route.refusal(yardstick).is_some();
        if let Some(route) = self.best(yardstick, refused)
            && let Some(cause) = route.refusal(yardstick)
            && self.covers(&[&route.filter.filter_pattern]) == Covering::Covers
        {
            return self.through(route, |step, _| step.because(cause.clone()));
        }
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
            self.question.evidence,
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
        // One filter that is enough by itself says more than all of them, and one for exactly the
        // control's events more than one for others, too.
        let mut alone = None;
        for text in texts.iter().copied() {
            if self.covers(&[text]) != Covering::Covers {
                continue;
            }
            let relation = self.decisions.compare(required, &[text]).relation;
            if relation == Relation::Equivalent {
                alone = Some(text);
                break;
            }
            alone = alone.or(Some(text));
        }
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
    fn wants(&mut self, yardstick: Yardstick, chain: &[Arc<Step>]) -> Vec<Request> {
        let proved = self.events(yardstick, |route| {
            open_standing(&route.tail, yardstick) == Standing::Proved
        });
        let unlisted = || {
            let Question {
                evidence, place, ..
            } = self.question;
            metric_filter::unseen(evidence, place, self.view).wants
        };
        if self.covers(&proved) == Covering::Covers {
            return match yardstick {
                Yardstick::Effective if !self.view.complete => unlisted(),
                _ => Vec::new(),
            };
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
                Err(cause) => unsure |= cause.reason.status != Status::Fail,
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
            // What a break that is proved already leaves to be asked.
            match chain {
                [step] => step.wants.clone(),
                _ => Vec::new(),
            }
        } else {
            unlisted()
        }
    }
}
