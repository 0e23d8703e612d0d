//! What an evaluator worked out and may need again.

use std::collections::{HashMap, HashSet};
use std::hash::Hash;
use std::sync::Arc;

use super::coverage::{Decisions, Required};
use super::covering_trails::CoveringTrails;
use super::gathered::{Alarms, Filters};
use super::links::log_group::Place;
use super::log_group_verdict::LogGroupVerdict;
use super::routine::Routine;
use super::trail_verdict::{self, Admitted, TrailVerdict};
use crate::account::{AccountId, Partition, Region};
use crate::evidence::{Basis, CallSite, Reader, Trail};
use crate::policy::Policy;

/// A log group, by ARN, and a control; also the account and its regions, where filters tell
/// accounts apart; and the events that the trail makes by itself.
pub(super) type VerdictKey = (Arc<str>, usize, Option<(AccountId, Arc<[Region]>)>, Routine);

/// Decisions about patterns, for good; everything else, for as long as the evidence that it was
/// made from stays the same.
#[derive(Debug, Default)]
pub(super) struct Cache {
    /// They rest on texts alone.
    pub(super) decisions: Decisions,
    default_regions: HashMap<Partition, Arc<[Region]>>,
    covering: Cached<AccountId, CoveringTrails>,
    /// By ARN.
    trails: HashMap<Arc<str>, CachedTrail>,
    alarms: Cached<CallSite, Alarms>,
    /// By the log group's ARN.
    filters: Cached<Arc<str>, Filters>,
    judgements: Cached<VerdictKey, LogGroupVerdict>,
    /// Accounts whose own may be dropped.
    done: HashSet<AccountId>,
}

/// How many accounts may be done before what they leave is dropped: looking for it takes a look at
/// everything.
const MAX_DONE: usize = if cfg!(test) { 2 } else { 64 };

/// A trail judged down to its log group.
#[derive(Debug)]
struct CachedTrail {
    basis: Basis,
    /// As the account saw it that it was judged for.
    seen: Arc<Trail>,
    verdict: Arc<TrailVerdict>,
    /// Which events it admits, by control.
    admitted: Cached<usize, Admitted>,
}

/// What was worked out, each with what it was made from.
#[derive(Debug)]
struct Cached<K, V>(HashMap<K, (Basis, Arc<V>)>);

impl<K, V> Default for Cached<K, V> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<K: Eq + Hash, V> Cached<K, V> {
    /// What is known, if it still stands.
    fn get(&self, evidence: &Reader<'_>, key: &K) -> Option<Arc<V>> {
        let (basis, known) = self.0.get(key)?;
        if !basis.holds(evidence) {
            return None;
        }
        evidence.reuse(basis);
        Some(Arc::clone(known))
    }

    fn keep(&mut self, key: K, (value, basis): (V, Basis)) -> Arc<V> {
        let value = Arc::new(value);
        self.0.insert(key, (basis, Arc::clone(&value)));
        value
    }
}

/// The alarms of every account that was asked for them.
pub(super) struct AllAlarms<'c>(&'c mut Cached<CallSite, Alarms>);

impl AllAlarms<'_> {
    /// The alarms of an account in a region.
    pub(super) fn at(&mut self, evidence: &Reader<'_>, site: &CallSite) -> Arc<Alarms> {
        self.0.get(evidence, site).unwrap_or_else(|| {
            let alarms = evidence.with_basis(|| Alarms::of(evidence, site));
            self.0.keep(site.clone(), alarms)
        })
    }
}

impl Cache {
    /// Where the chains of an account begin.
    pub(super) fn covering_trails(
        &mut self,
        evidence: &Reader<'_>,
        policy: &Policy,
        account: AccountId,
    ) -> Arc<CoveringTrails> {
        self.covering.get(evidence, &account).unwrap_or_else(|| {
            let covering =
                evidence.with_basis(|| CoveringTrails::of(evidence, policy, account, self));
            self.covering.keep(account, covering)
        })
    }

    /// What a trail's owner tells of it.
    pub(super) fn trail(
        &mut self,
        evidence: &Reader<'_>,
        policy: &Policy,
        seen: &Arc<Trail>,
    ) -> Arc<TrailVerdict> {
        if let Some(known) = self.trails.get(&seen.trail_arn)
            && known.seen == *seen
            && known.basis.holds(evidence)
        {
            evidence.reuse(&known.basis);
            return Arc::clone(&known.verdict);
        }
        let (verdict, basis) =
            evidence.with_basis(|| trail_verdict::judge_trail(evidence, policy, seen));
        let verdict = Arc::new(verdict);
        let cached = CachedTrail {
            basis,
            seen: Arc::clone(seen),
            verdict: Arc::clone(&verdict),
            admitted: Cached::default(),
        };
        self.trails.insert(Arc::clone(&seen.trail_arn), cached);
        verdict
    }

    /// Which of a control's events a trail admits. Of a trail that another account sees otherwise, and
    /// that was judged for that one since, this is not kept.
    pub(super) fn admits(
        &mut self,
        evidence: &Reader<'_>,
        verdict: &Arc<TrailVerdict>,
        index: usize,
        required: Required<'_>,
    ) -> Arc<Admitted> {
        let decisions = &mut self.decisions;
        let mut judge = || trail_verdict::admits(evidence, verdict, required, decisions);
        let trail = self.trails.get_mut(&verdict.trail.trail_arn);
        match trail.filter(|trail| Arc::ptr_eq(&trail.verdict, verdict)) {
            Some(trail) => match trail.admitted.get(evidence, &index) {
                Some(known) => known,
                None => trail.admitted.keep(index, evidence.with_basis(judge)),
            },
            None => Arc::new(judge()),
        }
    }

    /// How much is kept.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        let of_accounts = self.covering.0.len() + self.trails.len();
        of_accounts + self.alarms.0.len() + self.filters.0.len() + self.judgements.0.len()
    }

    /// Lets go of what is of use for one account only: what is known of its own trails and log
    /// groups, where no other account's chain leads. Should one lead there after all, it is worked
    /// out again.
    pub(super) fn forget(&mut self, account: AccountId) {
        self.covering.0.remove(&account);
        self.done.insert(account);
        if self.done.len() >= MAX_DONE {
            self.sweep();
        }
    }

    fn sweep(&mut self) {
        let done = std::mem::take(&mut self.done);
        self.trails.retain(|_, trail| {
            let own = trail
                .seen
                .owner()
                .is_some_and(|owner| done.contains(&owner));
            !own || trail.verdict.is_of_organization()
        });
        let trails = self.trails.values();
        let led_to: HashSet<&CallSite> = trails.filter_map(|trail| trail.verdict.site()).collect();
        let own = |site: &CallSite| done.contains(&site.account) && !led_to.contains(site);
        self.alarms.0.retain(|site, _| !own(site));
        self.filters.0.retain(|_, (_, filters)| !own(&filters.site));
        let filters = &self.filters.0;
        self.judgements
            .0
            .retain(|(log_group, _, particular, _), _| {
                let particular = particular.as_ref().map(|(account, _)| account);
                filters.contains_key(log_group)
                    && !particular.is_some_and(|account| done.contains(account))
            });
    }

    /// The regions that every account of a partition has, in order.
    pub(super) fn default_regions(&mut self, partition: Partition) -> &Arc<[Region]> {
        self.default_regions.entry(partition).or_insert_with(|| {
            let names = partition.default_regions().iter();
            let mut regions: Vec<Region> = names.map(|name| Region::new(name)).collect();
            regions.sort_unstable();
            regions.into()
        })
    }

    /// What deciding about patterns has come to, and the alarms of every account.
    pub(super) fn parts(&mut self) -> (&mut Decisions, AllAlarms<'_>) {
        (&mut self.decisions, AllAlarms(&mut self.alarms))
    }

    /// The metric filters of a log group.
    pub(super) fn filters(&mut self, evidence: &Reader<'_>, place: &Place) -> Arc<Filters> {
        let arn = &place.arn;
        self.filters.get(evidence, arn).unwrap_or_else(|| {
            let filters = evidence.with_basis(|| Filters::of(evidence, place));
            self.filters.keep(Arc::clone(arn), filters)
        })
    }

    /// The judgement of a log group: the one that is known, if it still stands, or a new one.
    pub(super) fn judgement(
        &mut self,
        evidence: &Reader<'_>,
        key: VerdictKey,
        judge: impl FnOnce(&mut Self) -> LogGroupVerdict,
    ) -> Arc<LogGroupVerdict> {
        if let Some(known) = self.judgements.get(evidence, &key) {
            return known;
        }
        let judgement = evidence.with_basis(|| judge(self));
        self.judgements.keep(key, judgement)
    }
}

#[cfg(test)]
mod tests;
