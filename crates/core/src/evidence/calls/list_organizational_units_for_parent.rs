//! `organizations:ListOrganizationalUnitsForParent`: the units right below a root or a unit, with
//! their names. Asked by the management account or a delegated administrator.
//!
//! No verdict rests on a name. One question names every unit right below a parent, so the parents on
//! the paths of accounts ([`OrganizationAccount::unit_parents`]) are asked about, and not the units.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};

use super::{CallDefinition, Operation, Pages, Permission, Quota, Reader, Subject};
use crate::evidence::CallError;
#[cfg(doc)]
use crate::evidence::OrganizationAccount;
use crate::evidence::shapes::{OrganizationalUnit, UnitsResponse};
use crate::evidence::store::{CallSite, Filing, Pool, Unreadable};
use crate::evidence::table::{BySite, Listing};
use crate::evidence::unit_names::UnitNames;
use crate::finding::LinkName;

/// A page holds at most twenty units (Organizations API Reference,
/// `ListOrganizationalUnitsForParent`); the quota is that of the Organizations User Guide, "Quotas".
pub(super) const DEFINITION: CallDefinition = CallDefinition {
    name: "organizations:ListOrganizationalUnitsForParent",
    permission: Permission::Discover,
    link: LinkName::Account,
    pages: Some(Pages::of(20)),
    members: &["OrganizationalUnits"],
    quota: Quota::own(5.0, 8.0),
};

/// The answers by the parent, and what the units of all successful ones are called.
#[derive(Debug, Clone, Default)]
pub(in crate::evidence) struct Answers {
    by_parent: BTreeMap<String, BySite<Listing<OrganizationalUnit>>>,
    pub(in crate::evidence) names: UnitNames,
}

pub(super) fn parameters(parent: &str) -> Value {
    json!({ "ParentId": parent })
}

pub(super) fn file(
    answers: &mut Answers,
    filing: Filing<'_>,
    _pool: &mut Pool,
) -> Result<Subject, Unreadable> {
    let site = filing.site.clone();
    // What is named is named, also where nobody wrote down what was asked.
    let parent = filing.parameters.text("ParentId")?;
    let answer = filing.listing(&DEFINITION, |response: UnitsResponse| {
        OrganizationalUnit::listed(&response.units).collect()
    })?;
    if let Ok(listing) = &answer.outcome {
        for unit in &listing.items {
            let record = Some(answer.record);
            answers.names.note(unit, answer.observed_at, record);
        }
    }
    let of_parent = answers.by_parent.entry(parent.unwrap_or_default());
    of_parent.or_default().file(site, answer);
    Ok(subject())
}

pub(super) fn is_answered(reader: &Reader<'_>, site: &CallSite, parent: &str) -> bool {
    reader.looks_up(subject);
    reader
        .answer_at(
            |tables| {
                let answers = &tables.list_organizational_units_for_parent;
                answers.by_parent.get(parent)
            },
            site,
        )
        .is_some()
}

fn subject() -> Subject {
    Subject::all(Operation::ListOrganizationalUnitsForParent)
}

impl Reader<'_> {
    /// The ids of the units right below a root or a unit, whoever asked; `None` where nobody was
    /// shown all of them.
    pub fn units_below(&self, parent: &str) -> Option<Vec<String>> {
        let answers = &self
            .evidence()
            .tables
            .list_organizational_units_for_parent
            .by_parent;
        let whole = answers.get(parent)?.iter().filter_map(|(_, answer)| {
            let listed = answer.outcome.as_ref().ok()?;
            listed.complete.then_some((answer.observed_at, listed))
        });
        let (_, listed) = whole.max_by_key(|(observed_at, _)| *observed_at)?;
        Some(listed.items.iter().map(|unit| unit.id.clone()).collect())
    }

    /// Why units could not be listed, where somebody tried and nobody could: for one parent, which
    /// stands for all of them.
    pub fn units_failure(&self) -> Option<Arc<CallError>> {
        let answers = &self.evidence().tables.list_organizational_units_for_parent;
        answers.by_parent.values().find_map(|of_parent| {
            let outcomes = || of_parent.iter().map(|(_, answer)| &answer.outcome);
            if outcomes().any(Result::is_ok) {
                return None;
            }
            outcomes().find_map(|outcome| outcome.as_ref().err().cloned())
        })
    }
}
