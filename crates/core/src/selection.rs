//! Which findings somebody means: by account, organizational unit, tag and control. What people
//! accept or attest is written in this form.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use crate::account::AccountId;
use crate::evidence::Evidence;
use crate::finding::{AccountSummary, Finding};
use crate::units::{AmbiguousUnit, Meant, Units, may_be_below};

/// What was given; every part that is given has to match.
#[derive(Clone, Copy)]
pub(crate) struct Selection<'a> {
    pub(crate) account: &'a [AccountId],
    pub(crate) ou: &'a [String],
    pub(crate) tag: &'a [String],
    pub(crate) control: &'a [String],
}

impl Selection<'_> {
    /// Whether nothing is given.
    pub(crate) fn is_empty(&self) -> bool {
        self.account.is_empty()
            && self.ou.is_empty()
            && self.tag.is_empty()
            && self.control.is_empty()
    }

    /// What is not `key=value` among the tags.
    pub(crate) fn invalid_tag(&self) -> Option<&str> {
        let wrong = |tag: &&String| tag.split_once('=').is_none_or(|(key, _)| key.is_empty());
        self.tag.iter().find(wrong).map(String::as_str)
    }

    /// Whether everything but the tags matches, where `units` are what `ou` means.
    pub(crate) fn matches(&self, finding: &Finding, units: &Meant) -> bool {
        self.matches_but_units(finding)
            && (self.ou.is_empty() || units.contain(finding.account.ou_path.as_deref()))
    }

    /// Whether everything but the tags may match, whatever units are called: during a scan their
    /// names may still be to come.
    pub(crate) fn may_match(&self, finding: &Finding) -> bool {
        let path = finding.account.ou_path.as_deref().unwrap_or_default();
        self.matches_but_units(finding)
            && (self.ou.is_empty() || self.ou.iter().any(|unit| may_be_below(path, unit)))
    }

    fn matches_but_units(&self, finding: &Finding) -> bool {
        (self.account.is_empty() || self.account.contains(&finding.account.id))
            && (self.control.is_empty() || self.control.contains(&finding.control.id))
    }

    /// Whether an account is meant by its tags in the evidence; `None` where they are not known.
    pub(crate) fn matches_tags(&self, account: AccountId, evidence: &Evidence) -> Option<bool> {
        if self.tag.is_empty() {
            return Some(true);
        }
        let tags = evidence.reader().account_tags(account)?;
        Some(self.tag.iter().all(|tag| {
            tag.split_once('=')
                .is_some_and(|(key, value)| tags.get(key).is_some_and(|found| found == value))
        }))
    }

    /// What it is, in a few words, for messages.
    pub(crate) fn describe(&self) -> Vec<String> {
        let accounts: Vec<String> = self.account.iter().map(ToString::to_string).collect();
        [
            ("account", accounts.as_slice()),
            ("ou", self.ou),
            ("tag", self.tag),
            ("control", self.control),
        ]
        .into_iter()
        .filter(|(_, values)| !values.is_empty())
        .map(|(name, values)| format!("{name} {}", values.join(", ")))
        .collect()
    }
}

/// What selections mean by `ou`, in their order, and where one is not clear. The units are those of
/// the whole organization as far as it is known, so that a part of it means the same; `accounts` are
/// those that the evidence may not list.
pub(crate) fn units_meant<'a, 'b>(
    selections: impl Iterator<Item = Selection<'a>> + Clone,
    accounts: impl IntoIterator<Item = &'b AccountSummary>,
    evidence: &Evidence,
) -> Vec<(Meant, Vec<AmbiguousUnit>)> {
    let mut units = Units::default();
    // Looking at every account is for who asks for it.
    if selections.clone().any(|selection| !selection.ou.is_empty()) {
        units = Units::listed(&evidence.reader());
        for account in accounts {
            units.add(account);
        }
    }
    selections
        .map(|selection| units.all(selection.ou))
        .collect()
}

/// The places of those, of so many, that no count has.
pub(crate) fn uncounted(many: usize, counts: &[&BTreeMap<usize, usize>]) -> BTreeSet<usize> {
    let counted = |place: &usize| counts.iter().any(|counts| counts.contains_key(place));
    (0..many).filter(|place| !counted(place)).collect()
}

/// The names that are not clear, by the place of whoever has them.
pub(crate) fn ambiguous(
    meant: Vec<(Meant, Vec<AmbiguousUnit>)>,
) -> BTreeMap<usize, Vec<AmbiguousUnit>> {
    let names = meant.into_iter().map(|(_, ambiguous)| ambiguous);
    let places = names.enumerate().filter(|(_, names)| !names.is_empty());
    places.collect()
}

/// For `#[serde(deserialize_with)]`: one value, or a list of them.
pub(crate) fn one_or_many<'de, D, T>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: serde::Deserializer<'de>,
    T: Deserialize<'de>,
{
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum OneOrMany<T> {
        Many(Vec<T>),
        One(T),
    }
    // Read as a value first, so that a wrong account id is named instead of the untagged type.
    Ok(match OneOrMany::<Wrapped<T>>::deserialize(deserializer)? {
        OneOrMany::One(value) => vec![value.into_inner()?],
        OneOrMany::Many(values) => values
            .into_iter()
            .map(Wrapped::into_inner)
            .collect::<Result<_, _>>()?,
    })
}

/// A value or the reason why it is none: an untagged enum would lose the reason.
struct Wrapped<T>(Result<T, String>);

impl<T> Wrapped<T> {
    fn into_inner<E: serde::de::Error>(self) -> Result<T, E> {
        self.0.map_err(E::custom)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Wrapped<T> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let source = serde::de::value::StringDeserializer::<serde::de::value::Error>::new(text);
        Ok(Self(
            T::deserialize(source).map_err(|error| error.to_string()),
        ))
    }
}
