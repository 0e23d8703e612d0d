//! What people attested and accepted, applied to findings.

use jiff::Timestamp;
use trailproof_core::evidence::Evidence;
use trailproof_core::finding::{AccountSummary, Finding};
use trailproof_core::{attestation, mute};

use super::PolicyRecord;

/// Attestations and mutes on their way over the findings of a run, the former first.
#[derive(Debug)]
pub struct Exceptions<'a> {
    attestations: attestation::Applying<'a>,
    mutes: mute::Applying<'a>,
}

impl<'a> Exceptions<'a> {
    /// Those of a policy, as they stand at a time. `accounts` are those of the findings that the
    /// evidence does not list.
    pub fn of<'b>(
        policy: &'a PolicyRecord,
        accounts: impl IntoIterator<Item = &'b AccountSummary> + Clone,
        evidence: &'a Evidence,
        now: Timestamp,
    ) -> Self {
        let PolicyRecord {
            attestations,
            mutes,
            benchmark,
            ..
        } = policy;
        Self {
            attestations: attestation::Applying::new(
                attestations,
                benchmark,
                accounts.clone(),
                evidence,
                now,
            ),
            mutes: mute::Applying::new(mutes, accounts, evidence, now),
        }
    }

    /// Applies them to some of the findings.
    pub fn apply(&mut self, findings: &mut [Finding]) {
        self.attestations.apply(findings);
        self.mutes.apply(findings);
    }

    /// What became of each.
    pub fn end(self) -> (attestation::Applied, mute::Applied) {
        (self.attestations.end(), self.mutes.end())
    }
}
