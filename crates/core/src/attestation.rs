//! Attestations: the events of a control end with a person by another way than an alarm, an
//! external system that the benchmark admits since version 2.0.0 (the recommendations on
//! monitoring, "or an external SIEM"), and somebody stands for it.
//!
//! Applied to findings after they were judged and before mutes. An attestation stands for the links
//! from the log group on: trail, logging and selectors have to be proved.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::account::AccountId;
use crate::control::Control;
use crate::evidence::Evidence;
use crate::finding::{AccountSummary, AttestedBy, Finding, LinkName, LinkStatus, Status};
use crate::mute::Expiry;
use crate::observation::ObservationKind;
use crate::selection::{Selection, ambiguous, one_or_many, uncounted, units_meant};
use crate::units::{AmbiguousUnit, Meant};

static NOT_REACHED: ObservationKind = ObservationKind {
    code: "attestation.not-reached",
    meaning: "Somebody attests another way for the events, and that a trail records them is not proved: nothing may reach that way.",
};
static EXPIRED: ObservationKind = ObservationKind {
    code: "attestation.expired",
    meaning: "Somebody attested another way for the events, and the attestation ended.",
};
static NOT_ADMITTED: ObservationKind = ObservationKind {
    code: "attestation.not-admitted",
    meaning: "Somebody attests another way for the events, and this benchmark version admits none.",
};

/// Every observation that attestations make.
pub const OBSERVATIONS: &[&ObservationKind] = &[&NOT_REACHED, &EXPIRED, &NOT_ADMITTED];

/// The benchmark versions before the one that admits external systems.
const WITHOUT_EXTERNAL_SYSTEMS: [&str; 4] = ["1.2.0", "1.3.0", "1.4.0", "1.5.0"];

/// Another way for the events of a control, which somebody attests. Every part that is given has to
/// match.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Attestation {
    /// Only these accounts.
    #[serde(
        default,
        alias = "accounts",
        deserialize_with = "one_or_many",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub account: Vec<AccountId>,
    /// Only accounts below these organizational units, at any depth; below a path; or below a unit
    /// by its name, or by the names from the root down. A name that several units have means none
    /// of them.
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
    /// Which system watches the events.
    pub system: String,
    /// What it does with them.
    pub statement: String,
    /// Who stands for it.
    pub owner: String,
    /// When somebody has to look again.
    pub expires: Expiry,
    /// Where it is written down.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
}

/// An attestation that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidAttestation {
    /// It would stand for everything.
    #[error(
        "the attestation of `{owner}` names no account, ou, tag or control: it would stand for everything"
    )]
    Everything {
        /// Who wrote it.
        owner: String,
    },
    /// Something that an auditor will ask for is missing.
    #[error("an attestation needs a `{0}`")]
    Blank(&'static str),
    /// Not a tag.
    #[error("`{0}` is not a tag: expected key=value")]
    Tag(String),
    /// No control has this id.
    #[error("an attestation names the control `{0}`, which does not exist")]
    Control(String),
}

impl Attestation {
    /// Checks what the type cannot.
    pub fn validate(&self, controls: &[Control]) -> Result<(), InvalidAttestation> {
        for (field, text) in [
            ("system", &self.system),
            ("statement", &self.statement),
            ("owner", &self.owner),
        ] {
            if text.trim().is_empty() {
                return Err(InvalidAttestation::Blank(field));
            }
        }
        if self.selection().is_empty() {
            return Err(InvalidAttestation::Everything {
                owner: self.owner.clone(),
            });
        }
        if let Some(tag) = self.selection().invalid_tag() {
            return Err(InvalidAttestation::Tag(tag.to_owned()));
        }
        for control in &self.control {
            if !controls.iter().any(|known| known.id == *control) {
                return Err(InvalidAttestation::Control(control.clone()));
            }
        }
        Ok(())
    }

    fn selection(&self) -> Selection<'_> {
        Selection {
            account: &self.account,
            ou: &self.ou,
            tag: &self.tag,
            control: &self.control,
        }
    }

    /// Whether it applies to accounts by their tags.
    pub fn goes_by_tags(&self) -> bool {
        !self.tag.is_empty()
    }

    /// What it is, in a few words: for warnings.
    pub fn describe(&self) -> String {
        format!(
            "{} ({}: {}, {})",
            self.selection().describe().join("; "),
            self.owner,
            self.system,
            self.statement
        )
    }
}

/// Whether an attestation can be about findings with this verdict.
fn is_open(status: Status) -> bool {
    matches!(status, Status::Fail | Status::Unknown)
}

/// Whether the tags of a finding's account decide if one of the attestations applies to it.
pub fn needs_tags(attestations: &[Attestation], finding: &Finding) -> bool {
    is_open(finding.status)
        && attestations
            .iter()
            .any(|one| one.goes_by_tags() && one.selection().may_match(finding))
}

/// What became of each attestation, by its place in the list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Applied {
    /// How many findings it attested, alone or with others.
    pub attested: BTreeMap<usize, usize>,
    /// How many open findings it would attest had it not ended.
    pub expired: BTreeMap<usize, usize>,
    /// How many open findings it is for whose events no trail is proved to record.
    pub not_reached: BTreeMap<usize, usize>,
    /// How many open findings it is for by a benchmark version that admits no other way.
    pub not_admitted: BTreeMap<usize, usize>,
    /// Attestations that match no open finding.
    pub unused: BTreeSet<usize>,
    /// The accounts of open findings that an attestation by tag may be meant for, and whose tags
    /// are not known. It does not attest those.
    pub without_tags: BTreeMap<usize, BTreeSet<AccountId>>,
    /// Names that several organizational units have. The attestation attests nothing below any of
    /// those.
    pub ambiguous: BTreeMap<usize, Vec<AmbiguousUnit>>,
}

/// The links that have to be proved.
const OWN_LINKS: [LinkName; 3] = [LinkName::Trail, LinkName::Logging, LinkName::Selectors];

/// Whether the events are proved to be recorded.
fn is_recorded(finding: &Finding) -> bool {
    OWN_LINKS.iter().all(|name| {
        let mut links = finding.chain.iter();
        links.any(|link| link.link == *name && link.status == LinkStatus::Pass)
    })
}

/// Attestations on their way over findings, of which some are given at a time. The tags of accounts
/// are those in the evidence.
///
/// Where several match, the finding shows the one that ends last, then the first by owner and
/// system: the order in which they are written does not matter.
#[derive(Debug)]
pub struct Applying<'a> {
    attestations: &'a [Attestation],
    benchmark: &'a str,
    evidence: &'a Evidence,
    now: Timestamp,
    /// What each attestation means by its units.
    meant: Vec<(Meant, Vec<AmbiguousUnit>)>,
    shared: HashSet<Arc<AttestedBy>>,
    applied: Applied,
}

impl<'a> Applying<'a> {
    /// Begins. `accounts` are those of the findings that the evidence does not list.
    pub fn new<'b>(
        attestations: &'a [Attestation],
        benchmark: &'a str,
        accounts: impl IntoIterator<Item = &'b AccountSummary>,
        evidence: &'a Evidence,
        now: Timestamp,
    ) -> Self {
        let selections = attestations.iter().map(Attestation::selection);
        Self {
            attestations,
            benchmark,
            evidence,
            now,
            meant: units_meant(selections, accounts, evidence),
            shared: HashSet::new(),
            applied: Applied::default(),
        }
    }

    /// Applies the attestations to some of the findings.
    pub fn apply(&mut self, findings: &mut [Finding]) {
        for finding in findings
            .iter_mut()
            .filter(|finding| is_open(finding.status))
        {
            let benchmark = self.benchmark;
            let admitted = !(finding.control.benchmark.ends_with(benchmark)
                && WITHOUT_EXTERNAL_SYSTEMS.contains(&benchmark));
            let recorded = is_recorded(finding);
            let mut best: Option<&Attestation> = None;
            let mut hindered: Option<(&'static ObservationKind, &Attestation)> = None;
            for (place, (attestation, (units, _))) in
                self.attestations.iter().zip(&self.meant).enumerate()
            {
                if !attestation.selection().matches(finding, units) {
                    continue;
                }
                let account = finding.account.id;
                match attestation.selection().matches_tags(account, self.evidence) {
                    Some(true) => {}
                    Some(false) => continue,
                    None => {
                        let accounts = self.applied.without_tags.entry(place).or_default();
                        accounts.insert(account);
                        continue;
                    }
                }
                let (count, hindrance) = if !admitted {
                    (&mut self.applied.not_admitted, Some(&NOT_ADMITTED))
                } else if attestation.expires.end() <= self.now {
                    (&mut self.applied.expired, Some(&EXPIRED))
                } else if !recorded {
                    (&mut self.applied.not_reached, Some(&NOT_REACHED))
                } else {
                    (&mut self.applied.attested, None)
                };
                *count.entry(place).or_default() += 1;
                let rank = |one: &Attestation| {
                    let texts = (one.owner.clone(), one.system.clone(), one.statement.clone());
                    (one.expires.end(), std::cmp::Reverse(texts))
                };
                match hindrance {
                    None if best.is_none_or(|other| rank(attestation) > rank(other)) => {
                        best = Some(attestation);
                    }
                    Some(kind)
                        if hindered.is_none_or(|(_, other)| rank(attestation) > rank(other)) =>
                    {
                        hindered = Some((kind, attestation));
                    }
                    _ => {}
                }
            }
            if let Some(attestation) = best {
                let by = AttestedBy {
                    status: finding.status,
                    system: attestation.system.clone(),
                    statement: attestation.statement.clone(),
                    owner: attestation.owner.clone(),
                    expires: attestation.expires.end(),
                    reference: attestation.reference.clone(),
                };
                let by = self
                    .shared
                    .get(&by)
                    .map_or_else(|| Arc::new(by), Arc::clone);
                self.shared.insert(Arc::clone(&by));
                finding.attested = Some(by);
                finding.status = Status::Attested;
            } else if let Some((kind, attestation)) = hindered {
                let Attestation {
                    owner,
                    system,
                    expires,
                    ..
                } = attestation;
                let message = match kind.code {
                    "attestation.expired" => {
                        format!("{owner} attested until {expires} that {system} watches the events")
                    }
                    "attestation.not-admitted" => format!(
                        "{owner} attests that {system} watches the events; version {benchmark} of the \
                         benchmark admits alarms alone"
                    ),
                    _ => format!(
                        "{owner} attests that {system} watches the events; that a trail records them \
                         is not proved"
                    ),
                };
                finding
                    .observations
                    .push(Arc::new(kind.observation(message)));
            }
        }
    }

    /// What became of each attestation.
    pub fn end(self) -> Applied {
        let mut applied = self.applied;
        applied.unused = uncounted(
            self.attestations.len(),
            &[
                &applied.attested,
                &applied.expired,
                &applied.not_reached,
                &applied.not_admitted,
            ],
        );
        applied
            .unused
            .retain(|place| !applied.without_tags.contains_key(place));
        applied.ambiguous = ambiguous(self.meant);
        applied
    }
}

#[cfg(test)]
mod tests;
