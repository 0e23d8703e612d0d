//! The names of organizational units, from recorded answers of AWS Organizations about them.
//!
//! No verdict rests on a name, and no scan asks for one: whoever makes evidence may record the
//! answers, and reports then name units beside their ids.

use std::collections::HashMap;
use std::sync::Arc;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use super::{Evidence, timestamp};

/// The operations whose answers name units, and where the units stand in them (AWS Organizations
/// API Reference).
const OPERATIONS: [(&str, &str); 2] = [
    (
        "organizations:ListOrganizationalUnitsForParent",
        "/response/OrganizationalUnits",
    ),
    (
        "organizations:DescribeOrganizationalUnit",
        "/response/OrganizationalUnit",
    ),
];

/// By the id of a unit: its name, and when it was told.
#[derive(Debug, Clone, Default)]
pub(super) struct UnitNames(HashMap<String, (Timestamp, Arc<str>)>);

#[derive(Deserialize)]
struct Told {
    #[serde(deserialize_with = "timestamp::required")]
    observed_at: Timestamp,
}

impl UnitNames {
    /// Files a record of an operation that names units; whether it is one. Of two names of a unit
    /// the later one stands, of names of one moment the last in alphabetical order: the order of
    /// records does not matter.
    pub(super) fn file(&mut self, operation: &str, record: &[u8]) -> bool {
        let Some((_, place)) = OPERATIONS.iter().find(|(name, _)| *name == operation) else {
            return false;
        };
        let (Ok(record), Ok(told)) = (
            serde_json::from_slice::<Value>(record),
            serde_json::from_slice::<Told>(record),
        ) else {
            return false;
        };
        let units = match record.pointer(place) {
            Some(Value::Array(units)) => units.as_slice(),
            Some(unit) => std::slice::from_ref(unit),
            // It was refused, or is no answer: it names nothing.
            None => &[],
        };
        for unit in units {
            let text = |member: &str| unit.get(member).and_then(Value::as_str);
            let (Some(id), Some(name)) = (text("Id"), text("Name")) else {
                continue;
            };
            let told = (told.observed_at, Arc::from(name));
            let known = self.0.entry(id.to_owned()).or_insert_with(|| told.clone());
            if told > *known {
                *known = told;
            }
        }
        true
    }

    /// The names of the units on a path, from the root down, the root left out; a unit that nobody
    /// named stands there by its id. Empty where no name is known.
    pub(super) fn along(&self, path: &str) -> Vec<String> {
        let units = path.split('/').filter(|part| part.starts_with("ou-"));
        let names: Vec<_> = units.map(|unit| (unit, self.0.get(unit))).collect();
        if names.iter().all(|(_, name)| name.is_none()) {
            return Vec::new();
        }
        names
            .into_iter()
            .map(|(unit, name)| name.map_or(unit, |(_, name)| name).to_owned())
            .collect()
    }
}

impl Evidence {
    /// The names of the organizational units on an account's path, as
    /// [`AccountSummary::ou_names`](crate::finding::AccountSummary::ou_names) has them.
    pub(crate) fn unit_names(&self, path: &str) -> Vec<String> {
        self.unit_names.along(path)
    }
}

/// Whether a text has the form of the id of a root or an organizational unit (AWS Organizations API
/// Reference, `ListOrganizationalUnitsForParent`), and so is never taken for a name.
pub(crate) fn is_unit_id(text: &str) -> bool {
    let is_word = |word: &str, least: usize| {
        (least..=32).contains(&word.len())
            && word
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
    };
    if let Some(root) = text.strip_prefix("r-") {
        return is_word(root, 4);
    }
    text.strip_prefix("ou-")
        .and_then(|rest| rest.split_once('-'))
        .is_some_and(|(root, unit)| is_word(root, 4) && is_word(unit, 8))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn record(operation: &str, at: &str, response: &Value) -> Vec<u8> {
        serde_json::to_vec(&json!({
            "operation": operation, "account": "111111111111", "region": "us-east-1",
            "observed_at": at, "response": response,
        }))
        .unwrap()
    }

    fn read(records: &[Vec<u8>]) -> Evidence {
        Evidence::read(records.join(&b'\n').as_slice())
            .unwrap()
            .evidence
    }

    const LIST: &str = "organizations:ListOrganizationalUnitsForParent";
    const DESCRIBE: &str = "organizations:DescribeOrganizationalUnit";

    #[test]
    fn names_come_from_answers_about_units_and_the_later_one_stands() {
        let list = json!({"OrganizationalUnits": [
            {"Id": "ou-ab12-11111111", "Name": "Old"}, {"Id": "ou-ab12-22222222", "Name": "Prod"},
            {"Id": 7, "Name": "Seven"}, {"Name": "Nobody"},
        ]});
        let one = json!({"OrganizationalUnit": {"Id": "ou-ab12-11111111", "Name": "Workloads"}});
        let mut records = vec![
            record(LIST, "2026-11-22T22:00:00Z", &list),
            record(DESCRIBE, "2026-11-22T22:00:01Z", &one),
        ];
        for _ in 0..2 {
            let evidence = read(&records);
            let along = |path| evidence.unit_names(path);
            assert_eq!(
                along("o-a/r-ab12/ou-ab12-11111111/ou-ab12-22222222"),
                ["Workloads", "Prod"]
            );
            // What nobody named is not made up.
            assert_eq!(
                along("o-a/r-ab12/ou-ab12-33333333/ou-ab12-22222222"),
                ["ou-ab12-33333333", "Prod"]
            );
            assert!(along("o-a/r-ab12/ou-ab12-33333333").is_empty());
            assert!(along("o-a/r-ab12").is_empty());
            assert!(evidence.unknown_operations().is_empty());
            records.reverse();
        }
    }

    #[test]
    fn refused_and_odd_answers_name_nothing() {
        let error = json!({
            "operation": LIST, "account": "111111111111", "region": "us-east-1",
            "observed_at": "2026-11-22T22:00:00Z",
            "error": {"code": "AccessDenied", "message": "no", "class": "denied"},
        });
        let evidence = read(&[
            serde_json::to_vec(&error).unwrap(),
            record(LIST, "2026-11-22T22:00:00Z", &json!({})),
            record(
                DESCRIBE,
                "2026-11-22T22:00:00Z",
                &json!({"OrganizationalUnit": []}),
            ),
        ]);
        assert!(
            evidence
                .unit_names("o-a/r-ab12/ou-ab12-11111111")
                .is_empty()
        );
    }

    #[test]
    fn ids_are_no_names() {
        for id in ["r-ab12", "ou-ab12-11111111"] {
            assert!(is_unit_id(id), "{id}");
        }
        for name in ["Workloads", "ou-prod", "ou-ab12-Prod", "r-d", "ou-"] {
            assert!(!is_unit_id(name), "{name}");
        }
    }
}
