//! Organization trails that serve everybody: one repair at their log group may stand for many
//! elsewhere, although no finding's chain runs through it today because some other chain gets
//! further.

use std::collections::BTreeSet;

use trailproof_core::arn::LogGroupAddress;
use trailproof_core::evidence::Evidence;
use trailproof_core::finding::Finding;

use super::PlanningError;
use super::candidates::Candidate;
use super::effect::Effect;
use super::planner::{Attempt, Chain, Group, Planner, Tried};

/// The log groups that organization trails deliver to.
pub(super) fn sites(evidence: &Evidence) -> BTreeSet<LogGroupAddress> {
    let log_groups: BTreeSet<&str> = evidence
        .reader()
        .trail_listings()
        .filter_map(|(_, answer)| answer.outcome.as_ref().ok())
        .flat_map(|trails| trails.iter())
        .filter(|trail| trail.is_organization_trail == Some(true))
        .filter_map(|trail| trail.log_group_arn().map(AsRef::as_ref))
        .collect();
    log_groups
        .into_iter()
        .filter_map(LogGroupAddress::of)
        .collect()
}

impl Planner<'_> {
    /// Repairs a shared log group where that takes fewer changes than the repairs elsewhere that
    /// it makes needless, and helps each account as well as they would.
    pub(super) fn repair_shared(
        &mut self,
        site: &LogGroupAddress,
        groups: &[Group],
    ) -> Result<(), PlanningError> {
        // Whoever names accounts has not thought of this one, unless it is among them.
        let selection = &self.options.selection;
        if self.excluded.contains(&site.account)
            || !(selection.accounts.is_empty() || selection.accounts.contains(&site.account))
        {
            return Ok(());
        }
        let controls: BTreeSet<&str> = groups.iter().map(|group| group.control.as_str()).collect();
        for control in controls {
            let of_control = || groups.iter().filter(|group| group.control == control);
            let elsewhere: Vec<&Group> = of_control().filter(|group| group.site != *site).collect();
            // Where its own findings break, it is repaired anyway. A single other place is never
            // more than what its chain, which got further, needs.
            if elsewhere.len() < 2 || of_control().any(|group| group.site == *site) {
                continue;
            }
            self.weigh(site, control, &elsewhere)?;
        }
        Ok(())
    }

    fn weigh(
        &mut self,
        site: &LogGroupAddress,
        control: &str,
        elsewhere: &[&Group],
    ) -> Result<(), PlanningError> {
        self.seen.forget();
        // Some of the accounts may not be served here.
        let mut found = None;
        for finding in elsewhere.iter().filter_map(|group| group.members.first()) {
            let tried = self.try_at(Attempt {
                site,
                finding,
                chain: Chain::Elsewhere,
            })?;
            if let Some(Tried {
                before,
                best: Some((effect, candidate)),
                ..
            }) = tried
            {
                found = Some((before, effect, candidate));
                break;
            }
            self.forget(finding);
        }
        let Some((before, effect, candidate)) = found else {
            return Ok(());
        };
        let mut instead = 0;
        for group in elsewhere {
            self.seen.forget();
            let Some(finding) = group.members.first() else {
                continue;
            };
            let own = self.try_at(Attempt {
                site: &group.site,
                finding,
                chain: Chain::Through,
            })?;
            let Some(Tried {
                best: Some((own_effect, own)),
                ..
            }) = own
            else {
                continue;
            };
            // A message that arrives is not given up for one that waits for somebody.
            if effect <= own_effect && self.effect_on(finding, &candidate) <= own_effect {
                instead += own.steps.len();
            }
            if instead > candidate.steps.len() {
                self.take(site, control, &before, candidate);
                return Ok(());
            }
            self.forget(finding);
        }
        Ok(())
    }

    /// What a repair at another site does for a finding.
    fn effect_on(&self, finding: &Finding, candidate: &Candidate) -> Effect {
        let control = self.control(&finding.control.id);
        let after =
            control.and_then(|control| self.judge(Some(candidate), finding.account.id, control));
        after.map_or(Effect::Nothing, |after| after.effect)
    }
}
