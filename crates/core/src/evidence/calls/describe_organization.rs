//! `organizations:DescribeOrganization`: the organization and its management account. Free to be
//! asked by every account of the organization.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{CallDefinition, Operation, Permission, Quota, Reader, Subject};
use crate::account::AccountId;
use crate::evidence::CallError;
use crate::evidence::shapes::{Organization, OrganizationResponse};
use crate::evidence::store::{CallSite, Filing, Pool, Unreadable};
use crate::evidence::table::BySite;
use crate::finding::LinkName;

pub(super) const DEFINITION: CallDefinition = CallDefinition {
    name: "organizations:DescribeOrganization",
    permission: Permission::Discover,
    link: LinkName::Account,
    pages: None,
    members: &["Organization"],
    quota: Quota::own(1.0, 2.0),
};

pub(in crate::evidence) type Answers = BySite<Organization>;

pub(super) fn parameters() -> Value {
    json!({})
}

pub(super) fn file(
    answers: &mut Answers,
    filing: Filing<'_>,
    _pool: &mut Pool,
) -> Result<Subject, Unreadable> {
    let site = filing.site.clone();
    let answer = filing.typed(&DEFINITION, |response: OrganizationResponse| {
        Arc::new(response.organization)
    })?;
    answers.file(site, answer);
    Ok(subject())
}

pub(super) fn is_answered(reader: &Reader<'_>, site: &CallSite) -> bool {
    reader.looks_up(subject);
    reader
        .answer_at(|tables| Some(&tables.describe_organization), site)
        .is_some()
}

fn subject() -> Subject {
    Subject::all(Operation::DescribeOrganization)
}

impl<'e> Reader<'e> {
    /// The organization, from whoever could describe it.
    pub fn organization(&self) -> Option<&'e Arc<Organization>> {
        self.looks_up(subject);
        self.answers(|tables| Some(&tables.describe_organization))
            .into_iter()
            .find(|(_, answer)| answer.outcome.is_ok())
            .and_then(|(_, answer)| self.uses(answer).outcome.as_ref().ok())
    }

    /// The organization as an account itself was told it.
    pub fn organization_told(
        &self,
        account: AccountId,
    ) -> Option<Result<&'e Arc<Organization>, &'e Arc<CallError>>> {
        self.looks_up(subject);
        let answers = self.answers(|tables| Some(&tables.describe_organization));
        let own = answers
            .into_iter()
            .filter(|(site, _)| site.account == account);
        let (_, answer) = own.max_by_key(|(_, answer)| answer.observed_at)?;
        Some(self.uses(answer).outcome.as_ref())
    }

    /// The management account.
    pub fn management_account(&self) -> Option<AccountId> {
        self.organization()
            .map(|organization| organization.management_account)
    }
}
