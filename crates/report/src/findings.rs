//! The findings of a report: an outline of each, and all of them in full, account by account.
//!
//! Findings in full are kept where they are few. Where they are many they are judged again for each
//! writer that wants them: the same evidence gives the same findings, and a report of a large
//! organization then takes little more memory than the evidence itself.

mod outline;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::convert::Infallible;

use trailproof_core::account::AccountId;
use trailproof_core::evaluate::Evaluator;
use trailproof_core::evidence::Evidence;
use trailproof_core::finding::{Finding, Pool, Status, Summary};
use trailproof_core::policy::Policy;
use trailproof_core::{attestation, mute};

use crate::run::{Exceptions, PolicyRecord};

pub use outline::Outline;
use outline::Sharing;

/// The most findings that are kept. Ten thousand take some 40 MiB, and judging them again more than a
/// second for each file.
pub const KEPT: usize = 10_000;

/// The findings of a report, ordered by account, then control.
#[derive(Debug)]
pub struct Findings<'a> {
    outlines: Outlines,
    full: Full<'a>,
}

/// What is at hand of all findings.
#[derive(Debug)]
struct Outlines {
    list: Vec<Outline>,
    summary: Summary,
    observed: BTreeMap<String, Observed>,
}

/// How often something worth knowing was observed, and one of the messages.
#[derive(Debug)]
struct Observed {
    findings: usize,
    message: String,
}

/// Where findings in full come from.
#[derive(Debug)]
enum Full<'a> {
    Kept(Cow<'a, [Finding]>),
    JudgedAgain(Box<Judgement<'a>>),
}

/// What it takes to judge again.
#[derive(Debug)]
struct Judgement<'a> {
    evaluator: Evaluator,
    evidence: &'a Evidence,
    recorded: PolicyRecord,
}

impl Judgement<'_> {
    /// What judges by one control alone.
    fn about(&self, control: &str) -> Evaluator {
        let mut policy = self.evaluator.policy().clone();
        policy.controls.retain(|known| known.id == control);
        Evaluator::new(policy)
    }

    /// Hands over the findings of accounts, one after the other, attested and muted as the policy
    /// says; of all accounts where none are named.
    fn try_each_account<E>(
        &self,
        evaluator: &Evaluator,
        accounts: Option<Vec<AccountId>>,
        mut take: impl FnMut(Vec<Finding>) -> Result<(), E>,
    ) -> Result<(attestation::Applied, mute::Applied), E> {
        let at = self.recorded.evaluated_at;
        let mut exceptions = Exceptions::of(&self.recorded, [], self.evidence, at);
        let mut evaluation = evaluator.on(self.evidence);
        let accounts = accounts.unwrap_or_else(|| evaluation.accounts().into_iter().collect());
        evaluation.try_for_each_account(accounts, |mut findings: Vec<Finding>| {
            exceptions.apply(&mut findings);
            take(findings)
        })?;
        Ok(exceptions.end())
    }
}

impl<'a> Findings<'a> {
    /// Findings that are there.
    pub fn kept(findings: impl Into<Cow<'a, [Finding]>>) -> Self {
        let findings = findings.into();
        let mut outlines = Outlines::none();
        let mut sharing = Sharing::default();
        for finding in &*findings {
            outlines.add(finding, &mut sharing);
        }
        Self {
            outlines,
            full: Full::Kept(findings),
        }
    }

    /// Judges evidence by a policy, with the attestations and mutes of its record, for the time
    /// that is recorded. At most `keep` findings are kept in full.
    pub fn judged(
        policy: &Policy,
        recorded: &PolicyRecord,
        evidence: &'a Evidence,
        keep: usize,
    ) -> (Self, attestation::Applied, mute::Applied) {
        let evaluator = Evaluator::new(policy.clone());
        let accounts = evaluator.on(evidence).accounts().len();
        let keeps = accounts.saturating_mul(policy.controls.len()) <= keep;
        let judgement = Judgement {
            evaluator,
            evidence,
            recorded: recorded.clone(),
        };
        let mut outlines = Outlines::none();
        let mut sharing = Sharing::default();
        let mut pool = Pool::default();
        let mut kept = Vec::new();
        let judged = judgement.try_each_account(&judgement.evaluator, None, |findings| {
            for mut finding in findings {
                if keeps {
                    pool.share(&mut finding);
                }
                outlines.add(&finding, &mut sharing);
                if keeps {
                    kept.push(finding);
                }
            }
            Ok::<(), Infallible>(())
        });
        let Ok((attested, muted)) = judged;
        let full = if keeps {
            Full::Kept(Cow::Owned(kept))
        } else {
            Full::JudgedAgain(Box::new(judgement))
        };
        (Self { outlines, full }, attested, muted)
    }

    /// How many there are of each kind.
    pub fn summary(&self) -> &Summary {
        &self.outlines.summary
    }

    /// What is at hand of each.
    pub fn outlines(&self) -> &[Outline] {
        &self.outlines.list
    }

    /// The outlines of one account after the other.
    pub fn accounts(&self) -> impl Iterator<Item = &[Outline]> {
        let same = |one: &Outline, next: &Outline| one.account.id == next.account.id;
        self.outlines.list.chunk_by(same)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.outlines.list.is_empty()
    }

    /// What is worth knowing of findings whatever their verdict: the findings by observation, the
    /// most frequent first, and one message of each.
    pub fn observations(&self) -> Vec<(&str, usize, &str)> {
        let mut counts: Vec<_> = self
            .outlines
            .observed
            .iter()
            .map(|(code, observed)| (code.as_str(), observed.findings, observed.message.as_str()))
            .collect();
        counts.sort_by_key(|(_, count, _)| std::cmp::Reverse(*count));
        counts
    }

    /// All of them in full.
    pub fn into_full(self) -> Vec<Finding> {
        match self.full {
            Full::Kept(findings) => findings.into_owned(),
            Full::JudgedAgain(judgement) => {
                let mut all = Vec::new();
                let Ok(_) = judgement.try_each_account(&judgement.evaluator, None, |findings| {
                    all.extend(findings);
                    Ok::<(), Infallible>(())
                });
                all
            }
        }
    }

    /// Hands over the findings in full, one account after the other, until one cannot be taken.
    pub fn try_each_account<E>(
        &self,
        take: impl FnMut(&[Finding]) -> Result<(), E>,
    ) -> Result<(), E> {
        self.hand_over(None, None, take)
    }

    /// Hands over every finding in full, until one cannot be taken.
    pub fn try_each<E>(&self, mut take: impl FnMut(&Finding) -> Result<(), E>) -> Result<(), E> {
        self.try_each_account(|findings| findings.iter().try_for_each(&mut take))
    }

    /// Hands over every finding about one control in full, until one cannot be taken.
    pub fn try_each_of_control<E>(
        &self,
        control: &str,
        mut take: impl FnMut(&Finding) -> Result<(), E>,
    ) -> Result<(), E> {
        self.hand_over(Some(control), None, |findings| {
            let mut some = findings
                .iter()
                .filter(|finding| finding.control.id == control);
            some.try_for_each(&mut take)
        })
    }

    /// Hands over every finding of one status in full, until one cannot be taken.
    pub fn try_each_of_status<E>(
        &self,
        status: Status,
        mut take: impl FnMut(&Finding) -> Result<(), E>,
    ) -> Result<(), E> {
        let is_of_status = |outline: &Outline| outline.status == status;
        let of_status = self.accounts().filter(|all| all.iter().any(is_of_status));
        let accounts = of_status.filter_map(<[Outline]>::first);
        let accounts = accounts.map(|outline| outline.account.id).collect();
        self.hand_over(None, Some(accounts), |findings| {
            let mut some = findings.iter().filter(|finding| finding.status == status);
            some.try_for_each(&mut take)
        })
    }

    /// Hands over findings account by account. Where they are judged again, that is done for these
    /// accounts and this control alone, if any are named.
    fn hand_over<E>(
        &self,
        control: Option<&str>,
        accounts: Option<Vec<AccountId>>,
        mut take: impl FnMut(&[Finding]) -> Result<(), E>,
    ) -> Result<(), E> {
        match &self.full {
            Full::Kept(findings) => by_account(findings).try_for_each(take),
            Full::JudgedAgain(judgement) => {
                let about = control.map(|control| judgement.about(control));
                let evaluator = about.as_ref().unwrap_or(&judgement.evaluator);
                judgement
                    .try_each_account(evaluator, accounts, |findings| take(&findings))
                    .map(|_| ())
            }
        }
    }
}

impl Outlines {
    fn none() -> Self {
        Self {
            list: Vec::new(),
            summary: Summary::none(),
            observed: BTreeMap::new(),
        }
    }

    fn add(&mut self, finding: &Finding, sharing: &mut Sharing) {
        self.summary.add(finding);
        self.list.push(sharing.outline(finding));
        let codes = finding.observations.iter().map(|one| &one.code);
        for (place, observation) in finding.observations.iter().enumerate() {
            if codes
                .clone()
                .take(place)
                .any(|code| *code == observation.code)
            {
                continue;
            }
            if let Some(observed) = self.observed.get_mut(&observation.code) {
                observed.findings += 1;
            } else {
                let first = Observed {
                    findings: 1,
                    message: observation.message.clone(),
                };
                self.observed.insert(observation.code.clone(), first);
            }
        }
    }
}

/// Findings one account at a time. They are ordered by account.
pub(crate) fn by_account(findings: &[Finding]) -> impl Iterator<Item = &[Finding]> {
    findings.chunk_by(|one, next| one.account.id == next.account.id)
}
