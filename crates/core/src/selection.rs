//! Which findings somebody means: by account, organizational unit, tag and control. What people
//! accept or attest is written in this form.

use serde::Deserialize;

use crate::account::AccountId;
use crate::evidence::{Evidence, is_unit_id};
use crate::finding::{AccountSummary, Finding};

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

    /// Whether everything but the tags matches.
    pub(crate) fn matches(&self, finding: &Finding) -> bool {
        (self.account.is_empty() || self.account.contains(&finding.account.id))
            && (self.control.is_empty() || self.control.contains(&finding.control.id))
            && (self.ou.is_empty() || self.ou.iter().any(|unit| is_below(&finding.account, unit)))
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

/// Whether an account is below an organizational unit at any depth: by the id of the unit, by a
/// path of ids from the organization on, by its name, or by the names from the root down,
/// `Workloads/Prod`. A name means every unit that has it; what has the form of an id is no name.
pub fn is_below(account: &AccountSummary, unit: &str) -> bool {
    if below(account.ou_path.as_deref().unwrap_or_default(), unit) {
        return true;
    }
    let unit = unit.trim();
    if unit.is_empty() || is_unit_id(unit) {
        return false;
    }
    // Names may have slashes of their own, so the whole text is tried as one name, too.
    let names = &account.ou_names;
    names.iter().any(|name| name == unit)
        || (1..=names.len())
            .filter_map(|length| names.get(..length))
            .any(|names| names.join("/") == unit.trim_matches('/'))
}

/// Whether a path leads through a unit, or begins with another path.
fn below(path: &str, unit: &str) -> bool {
    let unit = unit.trim_matches('/');
    let path = path.trim_matches('/');
    if unit.contains('/') {
        path.strip_prefix(unit)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    } else {
        !unit.is_empty() && path.split('/').any(|segment| segment == unit)
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn account(names: &[&str]) -> AccountSummary {
        AccountSummary {
            id: "111111111111".parse().unwrap(),
            name: None,
            ou_path: Some("o-a1/r-ab12/ou-ab12-11111111/ou-ab12-22222222".to_owned()),
            ou_names: names.iter().map(|name| (*name).to_owned()).collect(),
        }
    }

    #[test]
    fn units_are_meant_by_id_path_and_name() {
        let named = account(&["Workloads", "Prod/EU"]);
        for unit in [
            "r-ab12",
            "ou-ab12-22222222",
            "o-a1/r-ab12/ou-ab12-11111111",
            "Workloads",
            "Prod/EU",
            "Workloads/Prod/EU",
        ] {
            assert!(is_below(&named, unit), "{unit}");
        }
        for unit in ["", "/", "workloads", "Prod", "Prod/EU/Other", "r-ab1"] {
            assert!(!is_below(&named, unit), "{unit}");
        }
        assert!(!is_below(&account(&[]), "Workloads"));
        // Somebody names a unit as another one's id is written.
        let forged = account(&["ou-ab12-99999999"]);
        assert!(!is_below(&forged, "ou-ab12-99999999"));
    }
}
