//! `organizations:ListAccounts`: every account of the organization, with its state and its place.
//! Asked by the management account or a delegated administrator.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};

use super::{CallDefinition, Operation, Pages, Permission, Quota, Reader, Subject};
use crate::account::AccountId;
use crate::evidence::shapes::OrganizationAccount;
use crate::evidence::store::{CallSite, Filing, Pool, Unreadable};
use crate::evidence::table::BySite;
use crate::finding::LinkName;

/// A page holds at most twenty accounts (Organizations API Reference, `ListAccounts`).
pub(super) const DEFINITION: CallDefinition = CallDefinition {
    name: "organizations:ListAccounts",
    permission: Permission::Discover,
    link: LinkName::Account,
    pages: Some(Pages::of(20)),
    members: &["Accounts"],
    quota: Quota::own(8.0, 12.0),
};

/// The answers, and the accounts of every successful one.
#[derive(Debug, Clone, Default)]
pub(in crate::evidence) struct Answers {
    by_site: BySite<Accounts>,
    directory: BTreeMap<AccountId, Arc<OrganizationAccount>>,
}

/// One listing.
#[derive(Debug)]
pub(in crate::evidence) struct Accounts {
    items: Vec<Arc<OrganizationAccount>>,
    /// Whether no token for a further page remained.
    complete: bool,
    /// Why accounts that are listed cannot be read.
    unreadable: Vec<String>,
}

pub(super) fn parameters() -> Value {
    json!({})
}

pub(super) fn file(
    answers: &mut Answers,
    filing: Filing<'_>,
    pool: &mut Pool,
) -> Result<Subject, Unreadable> {
    let site = filing.site.clone();
    // The answer is the largest of all. It is let go item by item while what is kept of it grows.
    let answer = filing.whole(&DEFINITION, |response, complete| {
        let mut accounts = Accounts {
            items: Vec::new(),
            complete,
            unreadable: Vec::new(),
        };
        let listed = response.each("Accounts", |account| match account {
            Ok(account) => accounts
                .items
                .push(pool.keep::<OrganizationAccount>(account)),
            Err(reason) => accounts.unreadable.push(reason.to_string()),
        });
        if listed.is_none() {
            let reason = "`Accounts` is not a list".to_owned();
            accounts.unreadable.push(reason);
        }
        accounts.items.shrink_to_fit();
        Ok(Arc::new(accounts))
    })?;
    answers.by_site.file(site, answer);
    answers.index();
    Ok(subject())
}

impl Answers {
    /// Where several answers list an account, the latest counts.
    fn index(&mut self) {
        let mut listings: Vec<_> = self.by_site.iter().map(|(_, answer)| answer).collect();
        listings.sort_by_key(|answer| answer.observed_at);
        self.directory = listings
            .into_iter()
            .filter_map(|answer| answer.outcome.as_ref().ok())
            .flat_map(|listing| &listing.items)
            .map(|account| (account.id, Arc::clone(account)))
            .collect();
    }
}

pub(super) fn is_answered(reader: &Reader<'_>, site: &CallSite) -> bool {
    reader.looks_up(subject);
    reader
        .answer_at(|tables| Some(&tables.list_accounts.by_site), site)
        .is_some()
}

fn subject() -> Subject {
    Subject::all(Operation::ListAccounts)
}

impl<'e> Reader<'e> {
    /// The accounts that the organization lists, with what it says about them, by number. Nothing
    /// is ever laid over them.
    pub fn listed_accounts(&self) -> &'e BTreeMap<AccountId, Arc<OrganizationAccount>> {
        self.looks_up(subject);
        let answers = &self.evidence().tables.list_accounts;
        for (_, answer) in answers.by_site.iter() {
            if answer.outcome.is_ok() {
                self.uses(answer);
            }
        }
        &answers.directory
    }

    /// Why the organization may have accounts that are not among [`Reader::listed_accounts`], each
    /// in a sentence without its full stop; empty where it was listed in full, or where nobody
    /// asked for a list.
    pub fn listing_problems(&self) -> Vec<String> {
        self.looks_up(subject);
        let answers = self.evidence().tables.list_accounts.by_site.iter();
        let answers: Vec<_> = answers
            .map(|(site, answer)| (site, self.uses(answer)))
            .collect();
        let whole = answers.iter().any(|(_, answer)| {
            let listed = answer.outcome.as_ref();
            listed.is_ok_and(|listed| listed.complete && listed.unreadable.is_empty())
        });
        if whole {
            return Vec::new();
        }
        let mut problems = Vec::new();
        for (site, answer) in answers {
            match &answer.outcome {
                Err(error) => problems.push(format!(
                    "organizations:ListAccounts as account {} failed with `{}`: {}",
                    site.account, error.code, error.message
                )),
                Ok(listed) => {
                    if !listed.complete {
                        problems.push(format!(
                            "organizations:ListAccounts as account {} was not read to its end, \
                             after {} accounts",
                            site.account,
                            listed.items.len()
                        ));
                    }
                    problems.extend(listed.unreadable.iter().map(|reason| {
                        format!(
                            "organizations:ListAccounts as account {} lists an account that \
                             cannot be read: {reason}",
                            site.account
                        )
                    }));
                }
            }
        }
        // One listing that was answered says more than those that failed beside it.
        problems
    }

    /// The credentials that may ask about the organization: those that could already.
    pub fn organization_reader(&self) -> Option<CallSite> {
        self.looks_up(subject);
        let listed = self
            .answers(|tables| Some(&tables.list_accounts.by_site))
            .into_iter()
            .find(|(_, answer)| answer.outcome.is_ok());
        if let Some((site, answer)) = listed {
            self.uses(answer);
            return Some(site.clone());
        }
        self.looks_up(|| Subject::all(Operation::DescribeOrganization));
        let (site, answer) = self
            .answers(|tables| Some(&tables.describe_organization))
            .into_iter()
            .find(|(_, answer)| answer.outcome.is_ok())?;
        self.uses(answer);
        Some(site.clone())
    }
}
