//! Designs that lead to a person by another way than the account's own chain: log groups that a
//! rule of the organization copies elsewhere, events that a telemetry rule delivers without a
//! trail, rules of EventBridge. They are looked for where the chain fails; what is found can only
//! make the effective verdict unknown, because nobody looks at what follows.

use std::cell::OnceCell;
use std::collections::HashSet;
use std::sync::Arc;

use super::coverage::{Covering, Decisions, Required};
use super::filter_expression;
use super::links::log_group::Place;
use super::links::{action, metric_filter, trail};
use super::reading::describe;
use super::verdict::Step;
use crate::account::AccountId;
use crate::arn::LogGroupAddress;
use crate::evidence::{Answer, CallSite, Listing, Reader, Request, SeenFilter};
use crate::finding::{LinkName, Observation};

/// A chain that fails, for which other ways are looked for.
#[derive(Clone, Copy)]
pub(super) struct Failing<'a, 'e> {
    pub(super) evidence: &'a Reader<'e>,
    pub(super) account: AccountId,
    pub(super) required: Required<'a>,
    /// The link at which it fails effectively.
    pub(super) link: LinkName,
    /// The log group that it leads to, where that is known.
    pub(super) place: Option<&'a Place>,
    /// What it looks like when somebody uses such a design; `None` where only the calls to make are
    /// asked for.
    pub(super) signs: Option<&'a Signs<'e>>,
}

impl Failing<'_, '_> {
    /// Whether it fails where the benchmark begins to look at filters, or behind that.
    pub(super) fn is_late(&self) -> bool {
        self.link >= LinkName::MetricFilter
    }
}

/// What became of looking for one design.
#[derive(Default)]
pub(super) struct Look {
    /// The step that may stand in place of the failing chain.
    pub(super) step: Option<Step>,
    /// The calls that were never made.
    pub(super) wants: Vec<Request>,
    /// That nobody looked, where that does not change the verdict: nothing of the design is known.
    pub(super) unseen: Option<Observation>,
}

/// What is known of a list that several may have been asked for.
#[derive(Default)]
pub(super) struct Asked {
    /// Whether somebody saw all of it.
    pub(super) whole: bool,
    /// Why not, where a call failed.
    failure: Option<String>,
}

impl Asked {
    /// Takes an answer; `unfiltered` says whether nothing was left out by the question.
    pub(super) fn take<'e, T>(
        &mut self,
        operation: &str,
        site: &CallSite,
        unfiltered: bool,
        answer: &'e Answer<Listing<T>>,
    ) -> &'e [T] {
        match &answer.outcome {
            Ok(listing) => {
                self.whole |= unfiltered && listing.complete;
                &listing.items
            }
            Err(error) => {
                self.failure.get_or_insert_with(|| {
                    format!(
                        "{operation} as account {} in {} failed: {}",
                        site.account,
                        site.region,
                        describe(error)
                    )
                });
                &[]
            }
        }
    }

    /// Why it is not known.
    pub(super) fn why(&self, operation: &str) -> String {
        self.failure
            .clone()
            .unwrap_or_else(|| format!("{operation} was never called"))
    }
}

/// Whether the scope of a rule of the organization holds of an account; `None` where that is not
/// decided. Without a scope it does.
pub(super) fn in_scope(
    evidence: &Reader<'_>,
    scope: Option<&str>,
    account: AccountId,
) -> Option<bool> {
    scope.map_or(Some(true), |scope| {
        filter_expression::holds(scope, |field| match field {
            "AccountId" => Some(account.to_string()),
            "OrganizationId" => evidence.organization()?.id.clone(),
            _ => None,
        })
    })
}

/// What is seen of such designs without their own look-ups, for one control.
pub(super) struct Signs<'e> {
    /// Filters for the control's events, as far as anybody saw.
    covering: Vec<SeenFilter<'e>>,
    /// The log groups that trails write to, as far as anybody saw.
    fed: OnceCell<HashSet<LogGroupAddress>>,
}

impl<'e> Signs<'e> {
    pub(super) fn of(
        evidence: &Reader<'e>,
        required: Required<'_>,
        decisions: &mut Decisions,
    ) -> Self {
        let mut covering: Vec<SeenFilter<'e>> = evidence
            .all_metric_filters()
            .filter(|seen| {
                let pattern = &seen.filter.filter_pattern;
                decisions.pattern(pattern).is_ok()
                    && decisions.covers(required, &[pattern]) == Covering::Covers
            })
            .collect();
        covering.sort_by_key(|seen| (seen.site, seen.log_group, &seen.filter.filter_name));
        Self {
            covering,
            fed: OnceCell::new(),
        }
    }

    /// A filter for the control's events on a log group that no trail feeds, of those that are
    /// meant.
    pub(super) fn unfed(
        &self,
        evidence: &Reader<'_>,
        meant: impl Fn(&SeenFilter<'e>) -> bool,
    ) -> Option<SeenFilter<'e>> {
        let fed = || self.fed.get_or_init(|| fed(evidence));
        let mut candidates = self.covering.iter().filter(|seen| meant(seen));
        let found = candidates.find(|seen| {
            !fed().contains(&LogGroupAddress {
                account: seen.site.account,
                region: seen.site.region.clone(),
                log_group: seen.log_group.to_owned(),
            })
        })?;
        found.used(evidence);
        Some(*found)
    }
}

/// The log groups that trails write to, as far as anybody saw.
fn fed(evidence: &Reader<'_>) -> HashSet<LogGroupAddress> {
    let mut lists = HashSet::new();
    let mut fed = HashSet::new();
    for (_, answer) in evidence.trail_listings() {
        let Ok(list) = &answer.outcome else { continue };
        // Most lists are one and the same.
        if lists.insert(Arc::as_ptr(list).cast::<()>()) {
            let arns = list.iter().filter_map(|trail| trail.log_group_arn());
            fed.extend(arns.filter_map(|arn| LogGroupAddress::of(arn)));
        }
    }
    fed
}

/// Every design, where it is looked for: in the order in which events would take these ways.
pub(super) fn look(failing: Failing<'_, '_>) -> Vec<Look> {
    let early = matches!(failing.link, LinkName::Trail | LinkName::LogGroup);
    let mut looks = Vec::new();
    if early || failing.is_late() {
        looks.push(trail::telemetry_rules(failing));
    }
    if failing.is_late()
        && let Some(place) = failing.place
    {
        looks.push(metric_filter::central_copies(failing, place));
        looks.push(action::event_rules(failing, place));
    }
    looks
}

#[cfg(test)]
mod tests;
