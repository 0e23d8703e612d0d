//! One copy of everything that findings have in common.

use std::collections::HashSet;
use std::hash::Hash;
use std::sync::Arc;

use serde_json::Value;

use super::{
    AccountSummary, AttestedBy, ChainLink, ControlSummary, Finding, MutedBy, Observation,
    Remediation,
};
use crate::account::AccountId;

/// Makes findings share what they have in common. What it makes of a finding is equal to it.
///
/// Findings come account by account. Links in the account itself are looked for among that
/// account's alone, since no other account's chain leads through them: so an organization in which
/// every account has a chain of its own costs no table of all of them. What no finding holds any
/// more is let go of now and then: whoever writes findings as they come keeps none of them.
#[derive(Debug, Default)]
pub struct Pool {
    account: Option<AccountId>,
    /// Links in the account at hand, and texts of links.
    own_links: HashSet<Arc<ChainLink>>,
    link_texts: HashSet<Arc<str>>,
    /// Links elsewhere, and all the rest.
    links: HashSet<Arc<ChainLink>>,
    texts: HashSet<Arc<str>>,
    accounts: HashSet<Arc<AccountSummary>>,
    controls: HashSet<Arc<ControlSummary>>,
    observations: HashSet<Arc<Observation>>,
    witnesses: HashSet<Arc<Value>>,
    remediations: HashSet<Arc<Remediation>>,
    attestations: HashSet<Arc<AttestedBy>>,
    mutes: HashSet<Arc<MutedBy>>,
    /// How many remediations and texts were left when those of nobody were let go of last.
    left: usize,
}

/// How many more there have to be before it is worth looking for those of nobody.
const WORTH_A_LOOK: usize = 1_024;

impl Pool {
    /// Makes a finding share what it has in common with those before it.
    pub fn share(&mut self, finding: &mut Finding) {
        let account = finding.account.id;
        if self.account != Some(account) {
            self.account = Some(account);
            self.own_links.clear();
            self.link_texts.clear();
            self.accounts.clear();
            if self.len() > 2 * self.left + WORTH_A_LOOK {
                self.let_go();
                self.left = self.len();
            }
        }
        share(&mut self.accounts, &mut finding.account);
        share(&mut self.controls, &mut finding.control);
        for text in finding.reason.iter_mut().chain([&mut finding.message]) {
            share(&mut self.texts, text);
        }
        for link in &mut finding.chain {
            let known = if link.account == Some(account) {
                &mut self.own_links
            } else {
                &mut self.links
            };
            share_link(known, &mut self.link_texts, link);
        }
        finding.chain.shrink_to_fit();
        for observation in &mut finding.observations {
            share(&mut self.observations, observation);
        }
        finding.observations.shrink_to_fit();
        if let Some(witness) = &mut finding.witness {
            share(&mut self.witnesses, witness);
        }
        if let Some(remediation) = &mut finding.remediation {
            share(&mut self.remediations, remediation);
        }
        if let Some(attested) = &mut finding.attested {
            share(&mut self.attestations, attested);
        }
        if let Some(muted) = &mut finding.muted {
            share(&mut self.mutes, muted);
        }
    }

    /// How many of those there are that every account may have its own of.
    fn len(&self) -> usize {
        self.links.len()
            + self.texts.len()
            + self.observations.len()
            + self.witnesses.len()
            + self.remediations.len()
    }

    fn let_go(&mut self) {
        self.remediations.retain(is_held);
        self.witnesses.retain(is_held);
        self.observations.retain(is_held);
        self.links.retain(is_held);
        self.texts.retain(is_held);
    }
}

/// Whether somebody beside the pool has it.
fn is_held<T: ?Sized>(value: &Arc<T>) -> bool {
    Arc::strong_count(value) > 1
}

fn share<T: Eq + Hash + ?Sized>(known: &mut HashSet<Arc<T>>, value: &mut Arc<T>) {
    if let Some(first) = known.get(value) {
        *value = Arc::clone(first);
    } else {
        known.insert(Arc::clone(value));
    }
}

/// A link that is new may still have its resource in common with the one before: a trail stands
/// for three links.
fn share_link(
    known: &mut HashSet<Arc<ChainLink>>,
    texts: &mut HashSet<Arc<str>>,
    link: &mut Arc<ChainLink>,
) {
    if let Some(first) = known.get(link) {
        *link = Arc::clone(first);
        return;
    }
    let inner = Arc::make_mut(link);
    for text in inner.resource.iter_mut().chain([&mut inner.detail]) {
        share(texts, text);
    }
    known.insert(Arc::clone(link));
}

#[cfg(test)]
mod tests;
