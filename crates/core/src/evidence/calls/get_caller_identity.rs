//! `sts:GetCallerIdentity`: whose credentials these are.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{CallDefinition, Operation, Permission, Reader, Subject};
use crate::account::AccountId;
use crate::evidence::shapes::CallerIdentity;
use crate::evidence::store::{CallSite, Filing, Pool, Unreadable};
use crate::evidence::table::BySite;
use crate::finding::LinkName;

/// "No permissions are required to perform this operation" (AWS STS API Reference).
pub(super) const DEFINITION: CallDefinition = CallDefinition {
    name: "sts:GetCallerIdentity",
    permission: Permission::Free,
    link: LinkName::Account,
    pages: None,
    members: &["Account"],
    quota: super::assume_role::QUOTA,
};

pub(in crate::evidence) type Answers = BySite<CallerIdentity>;

pub(super) fn parameters() -> Value {
    json!({})
}

pub(super) fn file(
    answers: &mut Answers,
    filing: Filing<'_>,
    _pool: &mut Pool,
) -> Result<Subject, Unreadable> {
    let site = filing.site.clone();
    let answer = filing.typed(&DEFINITION, |identity: CallerIdentity| Arc::new(identity))?;
    answers.file(site, answer);
    Ok(Subject::all(Operation::GetCallerIdentity))
}

pub(super) fn is_answered(reader: &Reader<'_>, site: &CallSite) -> bool {
    reader.looks_up(|| Subject::all(Operation::GetCallerIdentity));
    reader
        .answer_at(|tables| Some(&tables.get_caller_identity), site)
        .is_some()
}

impl Reader<'_> {
    /// Whose credentials a scan was made with, and where they were asked.
    pub(crate) fn caller(&self) -> Option<CallSite> {
        self.looks_up(|| Subject::all(Operation::GetCallerIdentity));
        let answers = self.answers(|tables| Some(&tables.get_caller_identity));
        let (site, answer) = answers
            .into_iter()
            .find(|(_, answer)| answer.outcome.is_ok())?;
        self.uses(answer);
        Some(site.clone())
    }
}

impl BySite<CallerIdentity> {
    /// The accounts of the credentials.
    pub(in crate::evidence) fn accounts(&self) -> impl Iterator<Item = AccountId> {
        self.iter()
            .filter_map(|(_, answer)| Some(answer.outcome.as_ref().ok()?.account))
    }
}
