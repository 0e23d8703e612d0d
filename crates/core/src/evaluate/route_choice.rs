//! Which routes of a log group decide, and which is shown.
//!
//! A control is met when the filters whose routes are proved cover it together; it may be met when
//! those with possible routes do.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::coverage::{Covering, Decisions};
use super::gathered::Alarms;
use super::links::{alarm, metric_filter};
use super::log_group_verdict::{LogGroupQuestion, VerdictByYardstick};
use super::route::Route;
use super::together::Passed;
use super::verdict::{
    Cause, Chain, Standing, Step, Yardstick, open_standing, rank, standing, wants,
};
use crate::evidence::{MetricFilter, Request, View};
use crate::finding::{LinkName, Status};
use crate::pattern::Relation;

/// The routes of a log group, for one control.
pub(super) struct RouteChoice<'s, 'q> {
    pub(super) question: &'s LogGroupQuestion<'q>,
    pub(super) view: &'s View<MetricFilter>,
    pub(super) alarms: &'s Alarms,
    pub(super) routes: &'s [Route],
    /// Filters that count for nothing, why, and their patterns.
    pub(super) rejected: &'s [(Cause, Arc<str>)],
    /// The patterns of every filter that counts, related or not.
    pub(super) patterns: &'s [Arc<str>],
    pub(super) decisions: &'s mut Decisions,
}

impl<'s> RouteChoice<'s, '_> {
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

    /// The best by one yardstick, and whether another account's alarms on the metrics may be
    /// better: no route is complete, and all of them together carry what the control asks for.
    pub(super) fn branch(&mut self, yardstick: Yardstick) -> (VerdictByYardstick, bool) {
        let chain = self.chain(yardstick);
        let fails = standing(&chain, yardstick) == Standing::Broken;
        let verdict = self.verdict(yardstick, chain);
        let further = fails && verdict.wants.is_empty() && self.may_cover();
        (verdict, further)
    }

    fn may_cover(&mut self) -> bool {
        let by = Yardstick::Effective;
        let patterns: Vec<&str> = self.patterns.iter().map(|pattern| &**pattern).collect();
        let mut unsure = self.routes.iter().filter(|route| route.doubt(by).is_some());
        unsure.next().is_some()
            || matches!(
                self.covers(&patterns),
                Covering::Covers | Covering::Undecided
            )
    }

    fn verdict(&mut self, yardstick: Yardstick, chain: Chain) -> VerdictByYardstick {
        let chain = self.or_other_shape(chain, yardstick);
        VerdictByYardstick {
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
        let LogGroupQuestion {
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
    pub(super) fn passed(&mut self) -> Passed {
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
        let question = self.question;
        let place = question.place;
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
                        metric_filter::undecided(step, question, &texts, decisions)
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
        let question = self.question;
        let (required, place) = (question.required, question.place);
        let patterns: Vec<&str> = self.patterns.iter().map(|pattern| &**pattern).collect();
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
                        metric_filter::undecided(step, question, &patterns, decisions)
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
        let routine = self.question.routine;
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
                metric_filter::observe(step, place, &shown, routine, required, decisions)
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
            let LogGroupQuestion {
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
                // What may decide whether the filters are enough, once all else is known.
                [filter, ..] if standing(chain, yardstick) != Standing::Broken => {
                    filter.wants.clone()
                }
                _ => Vec::new(),
            }
        } else {
            unlisted()
        }
    }
}
