//! Mutes: failures that somebody accepted, for a reason and for a time.
//!
//! Applied to findings after they were judged, so a mute can never change a verdict, only how it
//! is counted: the finding keeps its chain, its reason and both yardsticks.

mod expiry;

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::account::AccountId;
use crate::control::Control;
use crate::evaluate::reasons;
use crate::evidence::Evidence;
use crate::finding::{AccountSummary, Finding, LinkName, MutedBy, Status};
use crate::observation::ObservationKind;
use crate::selection::{Selection, ambiguous, one_or_many, uncounted, units_meant};
use crate::units::{AmbiguousUnit, Meant};

pub use expiry::{Expiry, InvalidExpiry};

static EXPIRED: ObservationKind = ObservationKind {
    code: "mute.expired",
    meaning: "Somebody accepted the failure, and the acceptance ended.",
};

/// Every observation that mutes make.
pub const OBSERVATIONS: &[&ObservationKind] = &[&EXPIRED];

/// A failure that somebody accepted. Every part that is given has to match.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mute {
    /// Only these accounts.
    #[serde(
        default,
        alias = "accounts",
        deserialize_with = "one_or_many",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub account: Vec<AccountId>,
    /// Only accounts below these organizational units, at any depth; below a path such as
    /// `o-a1b2c3d4e5/r-ab12/ou-ab12-11111111`; or below a unit by its name, or by the names from
    /// the root down. A name that several units have means none of them.
    #[serde(
        default,
        deserialize_with = "one_or_many",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub ou: Vec<String>,
    /// Only accounts with all of these tags, `key=value`.
    #[serde(
        default,
        deserialize_with = "one_or_many",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub tag: Vec<String>,
    /// Only these controls.
    #[serde(
        default,
        alias = "controls",
        deserialize_with = "one_or_many",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub control: Vec<String>,
    /// Only findings with these reasons, such as `subscription.pending`, or with any reason of a
    /// link, such as `subscription`.
    #[serde(
        default,
        deserialize_with = "one_or_many",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub reason: Vec<String>,
    /// Whether UNKNOWN is accepted, too. What nobody could see is not hidden by the way.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unknown: bool,
    /// Why it is accepted.
    pub justification: String,
    /// Who accepts it.
    pub owner: String,
    /// When the acceptance ends.
    pub expires: Expiry,
}

/// A mute that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidMute {
    /// It would hide everything.
    #[error(
        "the mute of `{owner}` names no account, ou, tag, control or reason: it would hide everything"
    )]
    Everything {
        /// Who wrote it.
        owner: String,
    },
    /// Something that an auditor will ask for is missing.
    #[error("a mute needs a `{0}`")]
    Blank(&'static str),
    /// No finding has such a reason.
    #[error(
        "`{0}` is not the reason of a finding: expected a link such as `subscription`, or a reason such as `subscription.pending`"
    )]
    Reason(String),
    /// Not a tag.
    #[error("`{0}` is not a tag: expected key=value")]
    Tag(String),
    /// No control has this id.
    #[error("a mute names the control `{0}`, which does not exist")]
    Control(String),
}

impl Mute {
    /// Checks what the type cannot.
    pub fn validate(&self, controls: &[Control]) -> Result<(), InvalidMute> {
        for (field, text) in [
            ("justification", &self.justification),
            ("owner", &self.owner),
        ] {
            if text.trim().is_empty() {
                return Err(InvalidMute::Blank(field));
            }
        }
        if self.selection().is_empty() && self.reason.is_empty() {
            return Err(InvalidMute::Everything {
                owner: self.owner.clone(),
            });
        }
        let links = || LinkName::CHAIN.into_iter().chain([LinkName::Account]);
        for reason in &self.reason {
            let known = reasons().any(|known| known.code == reason)
                || links().any(|known| known.as_str() == reason);
            if !known {
                return Err(InvalidMute::Reason(reason.clone()));
            }
        }
        if let Some(tag) = self.selection().invalid_tag() {
            return Err(InvalidMute::Tag(tag.to_owned()));
        }
        for control in &self.control {
            if !controls.iter().any(|known| known.id == *control) {
                return Err(InvalidMute::Control(control.clone()));
            }
        }
        Ok(())
    }

    /// Whether it is about findings with this verdict.
    fn accepts(&self, status: Status) -> bool {
        match status {
            Status::Fail => true,
            Status::Unknown => self.unknown,
            Status::Pass | Status::Attested | Status::Muted | Status::NotApplicable => false,
        }
    }

    fn selection(&self) -> Selection<'_> {
        Selection {
            account: &self.account,
            ou: &self.ou,
            tag: &self.tag,
            control: &self.control,
        }
    }

    /// Whether everything but the tags matches, where `units` are what `ou` means.
    fn selects(&self, finding: &Finding, units: &Meant) -> bool {
        self.is_for_reason(finding) && self.selection().matches(finding, units)
    }

    fn is_for_reason(&self, finding: &Finding) -> bool {
        let reason = finding.reason.as_deref().unwrap_or_default();
        let is_meant =
            |wanted: &String| reason == wanted || reason.split('.').next() == Some(wanted.as_str());
        self.reason.is_empty() || self.reason.iter().any(is_meant)
    }

    /// What it is, in a few words: for warnings.
    pub fn describe(&self) -> String {
        let mut parts = self.selection().describe();
        if !self.reason.is_empty() {
            parts.push(format!("reason {}", self.reason.join(", ")));
        }
        format!(
            "{} ({}: {})",
            parts.join("; "),
            self.owner,
            self.justification
        )
    }
}

/// What became of each mute.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Applied {
    /// By the place of the mute in the list: how many findings it muted, alone or with others.
    pub muted: BTreeMap<usize, usize>,
    /// By the place of the mute: how many open findings it would mute had it not ended.
    pub expired: BTreeMap<usize, usize>,
    /// Mutes that match no open finding: what they were for is repaired, or they are mistaken.
    pub unused: BTreeSet<usize>,
    /// By the place of a mute by tag: the accounts of open findings that it may be meant for, and
    /// whose tags are not known. It does not hide those.
    pub without_tags: BTreeMap<usize, BTreeSet<AccountId>>,
    /// By the place of the mute: names in it that several organizational units have. It hides
    /// nothing below any of those.
    pub ambiguous: BTreeMap<usize, Vec<AmbiguousUnit>>,
}

impl Mute {
    /// Whether it applies to accounts by their tags.
    pub fn goes_by_tags(&self) -> bool {
        !self.tag.is_empty()
    }
}

/// Whether the tags of a finding's account decide if one of the mutes applies to it.
pub fn needs_tags(mutes: &[Mute], finding: &Finding) -> bool {
    mutes
        .iter()
        .filter(|mute| mute.goes_by_tags() && mute.accepts(finding.status))
        .any(|mute| mute.is_for_reason(finding) && mute.selection().may_match(finding))
}

/// Mutes on their way over findings, of which some are given at a time. The tags of accounts are those
/// in the evidence.
///
/// Where several mutes match, the finding shows the one that ends last, then the first by owner
/// and justification: the order in which mutes are written does not matter. An ended mute leaves
/// the finding as it is, with an observation.
#[derive(Debug)]
pub struct Applying<'a> {
    mutes: &'a [Mute],
    evidence: &'a Evidence,
    now: Timestamp,
    /// What each mute means by its units.
    meant: Vec<(Meant, Vec<AmbiguousUnit>)>,
    accepted: HashSet<Arc<MutedBy>>,
    applied: Applied,
}

impl<'a> Applying<'a> {
    /// Begins. `accounts` are those of the findings that the evidence does not list.
    pub fn new<'b>(
        mutes: &'a [Mute],
        accounts: impl IntoIterator<Item = &'b AccountSummary>,
        evidence: &'a Evidence,
        now: Timestamp,
    ) -> Self {
        Self {
            mutes,
            evidence,
            now,
            meant: units_meant(mutes.iter().map(Mute::selection), accounts, evidence),
            accepted: HashSet::new(),
            applied: Applied::default(),
        }
    }

    /// Applies the mutes to some of the findings.
    pub fn apply(&mut self, findings: &mut [Finding]) {
        for finding in findings {
            let mut best: Option<&Mute> = None;
            let mut ended: Option<&Mute> = None;
            for (place, (mute, (units, _))) in self.mutes.iter().zip(&self.meant).enumerate() {
                if !mute.accepts(finding.status) || !mute.selects(finding, units) {
                    continue;
                }
                let account = finding.account.id;
                match mute.selection().matches_tags(account, self.evidence) {
                    Some(true) => {}
                    Some(false) => continue,
                    None => {
                        let accounts = self.applied.without_tags.entry(place).or_default();
                        accounts.insert(account);
                        continue;
                    }
                }
                let rank = |mute: &Mute| {
                    let texts = (mute.owner.clone(), mute.justification.clone());
                    (mute.expires.end(), std::cmp::Reverse(texts))
                };
                let (count, kept) = if mute.expires.end() > self.now {
                    (&mut self.applied.muted, &mut best)
                } else {
                    (&mut self.applied.expired, &mut ended)
                };
                *count.entry(place).or_default() += 1;
                if kept.is_none_or(|other| rank(mute) > rank(other)) {
                    *kept = Some(mute);
                }
            }
            if let Some(mute) = best {
                let by = MutedBy {
                    status: finding.status,
                    justification: mute.justification.clone(),
                    owner: mute.owner.clone(),
                    expires: mute.expires.end(),
                };
                let by = self
                    .accepted
                    .get(&by)
                    .map_or_else(|| Arc::new(by), Arc::clone);
                self.accepted.insert(Arc::clone(&by));
                finding.muted = Some(by);
                finding.status = Status::Muted;
            } else if let Some(mute) = ended {
                finding
                    .observations
                    .push(Arc::new(EXPIRED.observation(format!(
                        "{} accepted this until {}: {}",
                        mute.owner, mute.expires, mute.justification
                    ))));
            }
        }
    }

    /// What became of each mute.
    pub fn end(self) -> Applied {
        let mut applied = self.applied;
        applied.unused = uncounted(self.mutes.len(), &[&applied.muted, &applied.expired]);
        applied
            .unused
            .retain(|place| !applied.without_tags.contains_key(place));
        applied.ambiguous = ambiguous(self.meant);
        applied
    }
}

#[cfg(test)]
mod tests;
