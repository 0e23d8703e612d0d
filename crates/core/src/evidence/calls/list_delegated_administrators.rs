//! `organizations:ListDelegatedAdministrators`: the accounts that may act for the organization in
//! one service. A delegated administrator of CloudTrail reads organization trails as their owner
//! does.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{CallDefinition, Operation, Pages, Permission, Quota, Reader, Subject};
use crate::account::AccountId;
use crate::evidence::CallError;
use crate::evidence::shapes::{AdministratorsResponse, DelegatedAdministrator};
use crate::evidence::store::{CallSite, Filing, Pool, Unreadable};
use crate::evidence::table::{BySubject, Listing};
use crate::finding::LinkName;

pub(super) const DEFINITION: CallDefinition = CallDefinition {
    name: "organizations:ListDelegatedAdministrators",
    permission: Permission::Discover,
    link: LinkName::Account,
    pages: Some(Pages::of(20)),
    members: &["DelegatedAdministrators"],
    quota: Quota::own(5.0, 8.0),
};

/// By service principal; the empty one for all services.
pub(in crate::evidence) type Answers = BySubject<String, Listing<DelegatedAdministrator>>;

pub(super) fn parameters(service_principal: &str) -> Value {
    json!({ "ServicePrincipal": service_principal })
}

pub(super) fn file(
    answers: &mut Answers,
    filing: Filing<'_>,
    _pool: &mut Pool,
) -> Result<Subject, Unreadable> {
    let site = filing.site.clone();
    let principal = filing.parameters.text("ServicePrincipal")?;
    let answer = filing.listing(&DEFINITION, |response: AdministratorsResponse| {
        response.administrators
    })?;
    answers.file(principal.unwrap_or_default(), site, answer);
    Ok(subject())
}

pub(super) fn is_answered(reader: &Reader<'_>, site: &CallSite, service_principal: &str) -> bool {
    reader.looks_up(subject);
    reader
        .answer_at(
            |tables| tables.list_delegated_administrators.get(service_principal),
            site,
        )
        .is_some()
}

fn subject() -> Subject {
    Subject::all(Operation::ListDelegatedAdministrators)
}

impl Reader<'_> {
    /// The accounts that may act for the organization in a service; `None` when nobody could say.
    pub fn delegated_administrators(
        &self,
        service_principal: &str,
    ) -> Option<Result<Vec<AccountId>, Arc<CallError>>> {
        self.looks_up(subject);
        let of = |principal: &str| {
            let answers =
                self.answers(|tables| tables.list_delegated_administrators.get(principal));
            let listed = answers.iter().find(|(_, answer)| answer.outcome.is_ok());
            let (_, answer) = listed.or_else(|| answers.first())?;
            Some(match &self.uses(answer).outcome {
                Ok(listing) => Ok(listing.items.iter().map(|item| item.id).collect()),
                Err(error) => Err(Arc::clone(error)),
            })
        };
        match of(service_principal) {
            Some(Ok(of_service)) => Some(Ok(of_service)),
            // A list for every service names accounts that may be administrators of this one.
            failed => match of("") {
                Some(Ok(of_any)) => Some(Ok(of_any)),
                other => failed.or(other),
            },
        }
    }
}
