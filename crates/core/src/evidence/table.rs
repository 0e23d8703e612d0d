//! Tables of answers: by who asked where, and by what was asked for. When a question is asked
//! again, the later answer stands.

use std::collections::{BTreeMap, HashMap, btree_map};
use std::hash::Hash;
use std::sync::Arc;

use jiff::Timestamp;

use super::CallError;
use super::few::Few;
use super::store::{CallSite, RecordId};
use crate::account::{AccountId, Region};

/// What AWS answered, and when.
#[derive(Debug)]
pub struct Answer<T: ?Sized> {
    /// When the answer arrived.
    pub observed_at: Timestamp,
    /// The answer, or why there is none.
    pub outcome: Result<Arc<T>, Arc<CallError>>,
    /// The record that holds it.
    pub(super) record: RecordId,
}

impl<T: ?Sized> Clone for Answer<T> {
    fn clone(&self) -> Self {
        Self {
            observed_at: self.observed_at,
            outcome: self.outcome.clone(),
            record: self.record,
        }
    }
}

impl<T: ?Sized> Answer<T> {
    /// Whether this answer stands against an earlier known one. Of answers of one moment the one
    /// that was recorded last stands.
    fn stands_against(&self, known: &Self) -> bool {
        self.observed_at >= known.observed_at
    }
}

/// A list as AWS gave it, which may be one page of several.
#[derive(Debug, Clone, PartialEq)]
pub struct Listing<T> {
    /// What was listed.
    pub items: Vec<T>,
    /// Whether nothing was left out: no token for a further page remained.
    pub complete: bool,
}

/// Answers about one subject, by who asked where.
#[derive(Debug)]
pub(super) struct BySite<T: ?Sized>(Few<CallSite, Answer<T>>);

impl<T: ?Sized> Clone for BySite<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T: ?Sized> Default for BySite<T> {
    fn default() -> Self {
        Self(Few::default())
    }
}

impl<T: ?Sized> BySite<T> {
    pub(super) fn file(&mut self, site: CallSite, answer: Answer<T>) {
        if self
            .0
            .get(&site)
            .is_none_or(|known| answer.stands_against(known))
        {
            self.0.insert(site, answer);
        }
    }

    pub(super) fn get(&self, site: &CallSite) -> Option<&Answer<T>> {
        self.0.get(site)
    }

    /// In the order of sites.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&CallSite, &Answer<T>)> {
        self.0.iter()
    }
}

/// Answers by what they are about: an ARN, an account, a service. They stand apart, because a table
/// of hashes is a third empty at best, and there twice while it grows.
#[derive(Debug)]
pub(super) struct BySubject<K, T: ?Sized>(HashMap<K, Box<BySite<T>>>);

impl<K: Clone, T: ?Sized> Clone for BySubject<K, T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<K, T: ?Sized> Default for BySubject<K, T> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<K: Eq + Hash, T: ?Sized> BySubject<K, T> {
    pub(super) fn file(&mut self, subject: K, site: CallSite, answer: Answer<T>) {
        self.0.entry(subject).or_default().file(site, answer);
    }

    pub(super) fn get<Q>(&self, subject: &Q) -> Option<&BySite<T>>
    where
        K: std::borrow::Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        self.0.get(subject).map(Box::as_ref)
    }
}

/// Answers by who asked where, and by what was asked for.
#[derive(Debug)]
pub(super) struct BySelection<S, T: ?Sized>(BTreeMap<CallSite, Vec<(S, Answer<T>)>>);

impl<S: Clone, T: ?Sized> Clone for BySelection<S, T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<S, T: ?Sized> Default for BySelection<S, T> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<S: Ord, T: ?Sized> BySelection<S, T> {
    /// Files an answer, and says whether another answer to the same question had to make room.
    pub(super) fn file(&mut self, site: CallSite, selection: S, answer: Answer<T>) -> bool {
        let row = self.0.entry(site).or_default();
        match row.binary_search_by(|(known, _)| known.cmp(&selection)) {
            Ok(place) => {
                if let Some((_, known)) = row.get_mut(place)
                    && answer.stands_against(known)
                {
                    *known = answer;
                    return true;
                }
            }
            Err(place) => {
                // Nearly every row has one entry; a vector that grows by itself would reserve four.
                row.reserve_exact(1);
                row.insert(place, (selection, answer));
            }
        }
        false
    }

    /// The answers that were given somewhere, in the order of what was asked for.
    pub(super) fn at(&self, site: &CallSite) -> &[(S, Answer<T>)] {
        self.0.get(site).map_or(&[], Vec::as_slice)
    }

    /// The answers that an account was given, in the order of regions.
    pub(super) fn of_account(
        &self,
        account: AccountId,
    ) -> impl Iterator<Item = (&CallSite, &[(S, Answer<T>)])> {
        let first = CallSite {
            account,
            region: Region::new(""),
        };
        self.0
            .range(first..)
            .take_while(move |(site, _)| site.account == account)
            .map(|(site, row)| (site, row.as_slice()))
    }

    /// Every row, in the order of sites.
    pub(super) fn rows(&self) -> btree_map::Iter<'_, CallSite, Vec<(S, Answer<T>)>> {
        self.0.iter()
    }

    /// Who asked where.
    pub(super) fn sites(&self) -> impl Iterator<Item = &CallSite> {
        self.0.keys()
    }
}
