//! Where the chains of an account begin: the trails that may carry its events.

use std::sync::Arc;

use super::cache::Cache;
use super::links::{account as door, trail};
use super::reading::locked;
use super::trail_verdict::{self, TrailVerdict};
use super::verdict::Step;
use crate::account::AccountId;
use crate::evidence::{Reader, Trail, TrailsView};
use crate::policy::Policy;

/// Where the chains of an account begin: the same for every control.
#[derive(Debug)]
pub(super) struct CoveringTrails {
    /// The trails that may carry its events, each with the step that says whether it does.
    pub(super) trails: Vec<(Arc<Step>, Arc<TrailVerdict>)>,
    /// Why there may be other trails, or none.
    pub(super) otherwise: Option<Step>,
}

impl CoveringTrails {
    /// Looks for them.
    pub(super) fn of(
        evidence: &Reader<'_>,
        policy: &Policy,
        account: AccountId,
        cache: &mut Cache,
    ) -> Self {
        if let Some(locked) = locked(evidence, account) {
            let trails = if policy.trust_organization_trail {
                trusted(evidence, policy, account, cache)
            } else {
                Vec::new()
            };
            return Self {
                trails,
                otherwise: Some(door::not_entered(&locked)),
            };
        }
        let view = evidence.trails(account);
        let mut seen: Vec<&Arc<Trail>> = view.trails.iter().collect();
        // Organization trails first: they are read once for everybody.
        seen.sort_by_key(|trail| {
            (
                trail.is_organization_trail != Some(true),
                Arc::clone(&trail.trail_arn),
            )
        });
        let mut trails = Vec::with_capacity(seen.len());
        for seen in seen {
            let (step, verdict) = covering(evidence, policy, account, seen, &view, cache);
            trails.push((Arc::new(step), verdict));
        }
        let otherwise = if !view.complete {
            Some(trail::unseen(evidence, account, &view))
        } else if trails.is_empty() {
            Some(trail::none(&view))
        } else {
            None
        };
        Self { trails, otherwise }
    }
}

/// Whether a trail carries an account's events, and what its owner tells of it.
fn covering(
    evidence: &Reader<'_>,
    policy: &Policy,
    account: AccountId,
    seen: &Arc<Trail>,
    view: &TrailsView,
    cache: &mut Cache,
) -> (Step, Arc<TrailVerdict>) {
    let verdict = cache.trail(evidence, policy, seen);
    let candidate = trail_verdict::candidate(seen, &verdict);
    let step = trail::judge(evidence, account, &candidate, view);
    (step, verdict)
}

/// The organization trails that cover an account nobody can look into, if their owner is
/// believed: those seen anywhere, for accounts that the organization lists.
fn trusted(
    evidence: &Reader<'_>,
    policy: &Policy,
    account: AccountId,
    cache: &mut Cache,
) -> Vec<(Arc<Step>, Arc<TrailVerdict>)> {
    if !evidence.listed_accounts().contains_key(&account) {
        return Vec::new();
    }
    let view = TrailsView::default();
    let trails = evidence.organization_trails();
    trails
        .into_iter()
        .map(|seen| {
            let (step, verdict) = covering(evidence, policy, account, seen, &view, cache);
            let step = step.observe(
                &door::TRUSTED,
                "the account could not be entered; its coverage rests on the organization trail's owner",
            );
            (Arc::new(step), verdict)
        })
        .collect()
}
