//! Organizational units as people mean them: by id, by a path of ids, by name, or by the names from
//! the root down.

use std::collections::BTreeMap;

use crate::evidence::{OrganizationAccount, Reader, is_unit_id};
use crate::finding::AccountSummary;

/// What people call the root, in front of names from the root down. AWS gives it this name
/// (Organizations API Reference, `Root`).
const ROOT: &str = "Root";

/// The units that accounts are below, and what they are called.
#[derive(Debug, Clone, Default)]
pub struct Units {
    /// By the path of ids that ends with the unit: the names of the units on it, from the root down,
    /// the root left out; empty for the root, and where no names are known.
    known: BTreeMap<String, Vec<String>>,
}

/// Units that somebody means, found among those that there are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Meant(Vec<String>);

/// Several units have a name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{name}` is the name of {} organizational units: {}", units.len(), units.join(", "))]
pub struct AmbiguousUnit {
    /// The name. Untrusted text.
    pub name: String,
    /// The units, each by its names from the root down and its id. Untrusted text.
    pub units: Vec<String>,
}

impl Units {
    /// The units of the accounts that the organization lists.
    pub fn listed(evidence: &Reader<'_>) -> Self {
        let mut units = Self::default();
        let listed = evidence.listed_accounts().values();
        for path in listed.filter_map(|account| OrganizationAccount::ou_path(account)) {
            if !units.known.contains_key(&path) {
                units.add_path(&path, &evidence.unit_names(&path));
            }
        }
        units
    }

    /// The units of the accounts of findings.
    pub fn of<'a>(accounts: impl IntoIterator<Item = &'a AccountSummary>) -> Self {
        let mut units = Self::default();
        for account in accounts {
            units.add(account);
        }
        units
    }

    /// Adds the units that an account is below.
    pub fn add(&mut self, account: &AccountSummary) {
        if let Some(path) = &account.ou_path {
            let known = self.known.get(path.trim_matches('/'));
            if known.is_none_or(|names| names.is_empty() && !account.ou_names.is_empty()) {
                self.add_path(path, &account.ou_names);
            }
        }
    }

    fn add_path(&mut self, path: &str, names: &[String]) {
        let path = path.trim_matches('/');
        let mut depth = 0;
        let ends = path.match_indices('/').map(|(end, _)| end);
        for end in ends.chain([path.len()]) {
            let unit = path.get(..end).unwrap_or_default();
            depth += usize::from(last(unit).starts_with("ou-"));
            let names = names.get(..depth).unwrap_or_default();
            let known = self.known.entry(unit.to_owned()).or_default();
            if known.is_empty() {
                *known = names.to_vec();
            }
        }
    }

    /// Whether nothing is known.
    pub fn is_empty(&self) -> bool {
        self.known.is_empty()
    }

    /// The unit that a text means, as an id or a path of ids; `None` where there is none. An id is
    /// never taken for a name. A name, at any depth, has to be that of one unit; so have names from
    /// the root down, `Workloads/Prod` or `Root/Workloads/Prod`.
    pub fn find(&self, text: &str) -> Result<Option<String>, AmbiguousUnit> {
        let text = text.trim();
        let by_id = text.trim_matches('/');
        if self.known.keys().any(|path| is_below(path, by_id)) {
            return Ok(Some(by_id.to_owned()));
        }
        if text.is_empty() || is_id(text) {
            return Ok(None);
        }
        let called = |(path, names): &(&String, &Vec<String>)| is_called(path, names, text);
        let named: Vec<_> = self.known.iter().filter(called).collect();
        match named.as_slice() {
            [] => Ok(None),
            [(path, _)] => Ok(Some((*path).clone())),
            several => Err(AmbiguousUnit {
                name: text.to_owned(),
                units: several
                    .iter()
                    .map(|(path, names)| format!("{ROOT}/{} ({})", names.join("/"), last(path)))
                    .collect(),
            }),
        }
    }

    /// The units that texts mean, and the texts that mean several. What means none is left out.
    pub fn all(&self, texts: &[String]) -> (Meant, Vec<AmbiguousUnit>) {
        let mut meant = Vec::new();
        let mut ambiguous = Vec::new();
        for text in texts {
            match self.find(text) {
                Ok(unit) => meant.extend(unit),
                Err(several) => ambiguous.push(several),
            }
        }
        (Meant(meant), ambiguous)
    }
}

impl Meant {
    /// Whether an account with a path is below one of them, at any depth.
    pub fn contain(&self, path: Option<&str>) -> bool {
        let path = path.unwrap_or_default();
        self.0.iter().any(|unit| is_below(path, unit))
    }
}

impl FromIterator<String> for Meant {
    fn from_iter<I: IntoIterator<Item = String>>(units: I) -> Self {
        Self(units.into_iter().collect())
    }
}

/// Whether an account with a path may be below a unit, whatever units are called.
pub(crate) fn may_be_below(path: &str, text: &str) -> bool {
    is_below(path, text.trim().trim_matches('/')) || !is_id(text.trim())
}

/// Whether a text can only be an id or a path of ids, so that it is never looked for as a name.
pub fn is_id(text: &str) -> bool {
    let text = text.trim_matches('/');
    let mut parts = text.split('/');
    let first = parts.next().unwrap_or_default();
    let is_organization = first.starts_with("o-") && text.contains('/');
    (is_unit_id(first) || is_organization) && parts.all(is_unit_id)
}

/// Whether a path leads through a unit, or begins with another path.
fn is_below(path: &str, unit: &str) -> bool {
    let path = path.trim_matches('/');
    if unit.contains('/') {
        path.strip_prefix(unit)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    } else {
        !unit.is_empty() && path.split('/').any(|segment| segment == unit)
    }
}

/// Whether the unit at the end of a path is called so. Names may have slashes of their own, so a
/// whole text is tried as one name, too.
fn is_called(path: &str, names: &[String], text: &str) -> bool {
    let from_root = text.trim_matches('/');
    match names.last() {
        None => last(path).starts_with("r-") && from_root == ROOT,
        Some(name) => {
            let joined = names.join("/");
            let below_root = from_root.strip_prefix(ROOT);
            let below_root = below_root.and_then(|rest| rest.strip_prefix('/'));
            name == text || joined == from_root || below_root == Some(joined.as_str())
        }
    }
}

/// The last id of a path.
fn last(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOP: &str = "o-a1/r-ab12/ou-ab12-11111111";

    fn units(accounts: &[(&str, &[&str])]) -> Units {
        let mut units = Units::default();
        for (path, names) in accounts {
            units.add(&AccountSummary {
                id: "111111111111".parse().unwrap(),
                name: None,
                ou_path: Some((*path).to_owned()),
                ou_names: names.iter().map(|name| (*name).to_owned()).collect(),
            });
        }
        units
    }

    #[test]
    fn units_are_meant_by_id_path_and_name() {
        let child = format!("{TOP}/ou-ab12-22222222");
        let known = units(&[(&child, &["Workloads", "Prod/EU"])]);
        for text in [
            "r-ab12",
            "Root",
            "ou-ab12-22222222",
            "o-a1/r-ab12/ou-ab12-11111111",
            "/o-a1/r-ab12/",
            "Workloads",
            "Prod/EU",
            "Workloads/Prod/EU",
            "Root/Workloads/Prod/EU",
            " Root/Workloads ",
        ] {
            let meant = known.find(text).unwrap();
            let meant: Meant = meant.into_iter().collect();
            assert!(meant.contain(Some(&child)), "{text}");
            assert!(meant.contain(Some(&format!("{child}/"))), "{text}");
            assert!(!meant.contain(Some("o-a1/r-ab1")), "{text}");
            assert!(!meant.contain(None), "{text}");
        }
        for text in [
            "",
            "/",
            "workloads",
            "Prod",
            "Root/Prod/EU",
            "Prod/EU/Other",
            "r-ab1",
            "ou-ab12-99999999",
        ] {
            assert_eq!(known.find(text), Ok(None), "{text}");
        }
        let unnamed = units(&[(TOP, &[])]);
        assert_eq!(unnamed.find("Workloads"), Ok(None));
        // Somebody names a unit as another one's id is written.
        let forged = units(&[(TOP, &["ou-ab12-99999999"])]);
        assert_eq!(forged.find("ou-ab12-99999999"), Ok(None));
    }

    #[test]
    fn a_name_of_several_units_means_none_of_them() {
        let (first, second) = (
            format!("{TOP}/ou-ab12-22222222"),
            "o-a1/r-ab12/ou-ab12-33333333",
        );
        let known = units(&[
            (&first, &["Workloads", "Prod"]),
            (second, &["Prod"]),
            (&first, &["Workloads", "Prod"]),
        ]);
        let several = known.find("Prod").unwrap_err();
        assert_eq!(
            several.to_string(),
            "`Prod` is the name of 2 organizational units: Root/Workloads/Prod \
             (ou-ab12-22222222), Root/Prod (ou-ab12-33333333)"
        );
        assert_eq!(known.find("Workloads/Prod"), Ok(Some(first)));
        assert_eq!(known.find("Root/Prod"), Ok(Some(second.to_owned())));
        let texts = ["Prod", "Workloads", "Nobody"].map(str::to_owned);
        let (meant, ambiguous) = known.all(&texts);
        assert_eq!(ambiguous, [several]);
        assert_eq!(meant, Meant(vec![TOP.to_owned()]));
    }

    #[test]
    fn what_may_be_a_name_is_told_from_what_is_an_id() {
        for id in [
            "r-ab12",
            "ou-ab12-11111111",
            "o-a1/r-ab12",
            TOP,
            "r-ab12/ou-ab12-11111111",
        ] {
            assert!(is_id(id), "{id}");
        }
        for name in [
            "Workloads",
            "Root/Prod",
            "o-team",
            "ou-prod",
            "o-a1/Prod",
            "",
        ] {
            assert!(!is_id(name), "{name}");
        }
        assert!(may_be_below(TOP, "Workloads") && may_be_below(TOP, "r-ab12"));
        assert!(!may_be_below(TOP, "ou-ab12-99999999"));
    }
}
