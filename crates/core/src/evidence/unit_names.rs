//! The names of organizational units, from recorded answers of AWS Organizations about them.
//!
//! No verdict rests on a name, but findings have them. A scan asks for the units of each parent on the paths of accounts;
//! whoever makes evidence by hand may record descriptions of single units, too.

use std::collections::HashMap;
use std::sync::Arc;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use super::mark::Subject;
use super::shapes::OrganizationalUnit;
use super::store::RecordId;
use super::{Operation, Reader, timestamp};

/// The operation that no scan makes, and where its answer names a unit (AWS Organizations API
/// Reference).
const DESCRIPTION: (&str, &str) = (
    "organizations:DescribeOrganizationalUnit",
    "/response/OrganizationalUnit",
);

/// By the id of a unit: its name, when it was told, and by which record.
#[derive(Debug, Clone, Default)]
pub(super) struct UnitNames(HashMap<String, Named>);

/// When a unit was named, how, and by which record, where that is one of an operation that is read.
type Named = (Timestamp, Arc<str>, Option<RecordId>);

#[derive(Deserialize)]
struct Told {
    #[serde(deserialize_with = "timestamp::required")]
    observed_at: Timestamp,
}

impl UnitNames {
    /// Files what a unit is called. Of two names of a unit the later one stands, of names of one
    /// moment the last in alphabetical order: the order of records does not matter.
    pub(super) fn note(
        &mut self,
        unit: &OrganizationalUnit,
        observed_at: Timestamp,
        record: Option<RecordId>,
    ) {
        let Some(name) = &unit.name else {
            return;
        };
        let told = (observed_at, Arc::from(name.as_str()), record);
        let known = self.0.entry(unit.id.clone());
        let known = known.or_insert_with(|| told.clone());
        if (told.0, &told.1) > (known.0, &known.1) {
            *known = told;
        }
    }

    /// Files a record of a description of a unit; whether it is one.
    pub(super) fn file(&mut self, operation: &str, record: &[u8]) -> bool {
        let (name, place) = DESCRIPTION;
        if operation != name {
            return false;
        }
        let (Ok(record), Ok(told)) = (
            serde_json::from_slice::<Value>(record),
            serde_json::from_slice::<Told>(record),
        ) else {
            return false;
        };
        // What was refused, or is no answer, names nothing.
        let unit = record.pointer(place);
        if let Some(unit) = unit.and_then(|unit| OrganizationalUnit::deserialize(unit).ok()) {
            self.note(&unit, told.observed_at, None);
        }
        true
    }
}

impl Reader<'_> {
    /// The names of the organizational units on an account's path, as
    /// [`AccountSummary::ou_names`](crate::finding::AccountSummary::ou_names) has them: from the
    /// root down, the root left out; a unit that nobody named stands there by its id. Empty where no
    /// name is known. Nothing is ever laid over them.
    pub(crate) fn unit_names(&self, path: &str) -> Vec<String> {
        let evidence = self.evidence();
        self.looks_up(|| Subject::all(Operation::ListOrganizationalUnitsForParent));
        let listed = &evidence.tables.list_organizational_units_for_parent.names;
        let name = |unit: &str| {
            let told = [listed, &evidence.unit_names].map(|names| names.0.get(unit));
            let latest = told
                .into_iter()
                .flatten()
                .max_by_key(|(at, name, _)| (*at, name));
            let (_, name, record) = latest?;
            // The finding has the name, so it rests on the answer, though its verdict does not.
            if let Some(record) = record {
                self.rests_on(*record);
            }
            Some(Arc::clone(name))
        };
        let units = path.split('/').filter(|part| part.starts_with("ou-"));
        let names: Vec<_> = units.map(|unit| (unit, name(unit))).collect();
        if names.iter().all(|(_, name)| name.is_none()) {
            return Vec::new();
        }
        names
            .into_iter()
            .map(|(unit, name)| name.as_deref().unwrap_or(unit).to_owned())
            .collect()
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
    use crate::evidence::Evidence;

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
            let along = |path| evidence.reader().unit_names(path);
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
                .reader()
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
