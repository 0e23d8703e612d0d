//! Whom to write to about findings. Names and addresses of people are in no other file: only this
//! list, which somebody asked for, has them.

use std::io::{self, Write};

use serde::Serialize;
use trailproof_core::account::AccountId;
use trailproof_core::contact::SecurityContact;
use trailproof_core::evidence::{CallError, Evidence};
use trailproof_core::finding::{Finding, Status};

use crate::findings::by_account;
use crate::spreadsheet::write_rows;

/// An account that has findings, and whom to write to about them. Texts are untrusted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountContacts {
    /// The account.
    pub account: AccountId,
    /// Its name.
    pub name: Option<String>,
    /// What the organizational units on its path are called, from the root down.
    pub ou_names: Vec<String>,
    /// How many findings of each status were chosen, in the order of [`Status::ALL`].
    pub findings: Vec<(Status, usize)>,
    /// The address of its root user, where the evidence has it.
    pub email: Option<String>,
    /// Its contact for security, if it has one, else why nobody knows.
    pub security: Result<Option<SecurityContact>, CallError>,
}

const HEADER: [&str; 11] = [
    "account_id",
    "account_name",
    "ou_names",
    "fail",
    "unknown",
    "account_email",
    "security_contact",
    "security_name",
    "security_title",
    "security_email",
    "security_phone",
];

/// The accounts that findings are about. Findings are ordered by account.
pub fn accounts(findings: &[Finding]) -> Vec<AccountId> {
    let first = by_account(findings).filter_map(<[Finding]>::first);
    first.map(|finding| finding.account.id).collect()
}

impl AccountContacts {
    /// The accounts of findings, as [`accounts`] has them, with what evidence knows of each and what
    /// was said of its contact for security.
    pub fn of(
        findings: &[Finding],
        evidence: &Evidence,
        security: Vec<Result<Option<SecurityContact>, CallError>>,
    ) -> Vec<Self> {
        let listed = evidence.reader().listed_accounts();
        by_account(findings)
            .filter_map(|findings| Some((findings.first()?, findings)))
            .zip(security)
            .map(|((first, findings), security)| {
                let account = first.account.id;
                let count = |status| findings.iter().filter(|one| one.status == status).count();
                Self {
                    account,
                    name: first.account.name.clone(),
                    ou_names: first.account.ou_names.clone(),
                    findings: Status::ALL
                        .map(|status| (status, count(status)))
                        .into_iter()
                        .filter(|(_, count)| *count > 0)
                        .collect(),
                    email: listed
                        .get(&account)
                        .and_then(|account| account.email.clone()),
                    security,
                }
            })
            .collect()
    }

    fn count(&self, status: Status) -> usize {
        let found = self.findings.iter().find(|(one, _)| *one == status);
        found.map_or(0, |(_, count)| *count)
    }

    fn row(&self) -> [String; 11] {
        let text = |value: &Option<String>| value.clone().unwrap_or_default();
        let (state, contact) = match &self.security {
            Ok(None) => ("none".to_owned(), SecurityContact::default()),
            Ok(Some(contact)) => ("named".to_owned(), contact.clone()),
            Err(error) => (
                format!("{}: {}", error.code, error.message),
                SecurityContact::default(),
            ),
        };
        [
            self.account.to_string(),
            text(&self.name),
            self.ou_names.join(" / "),
            self.count(Status::Fail).to_string(),
            self.count(Status::Unknown).to_string(),
            text(&self.email),
            state,
            text(&contact.name),
            text(&contact.title),
            text(&contact.email),
            text(&contact.phone),
        ]
    }
}

/// Writes contacts as CSV.
pub fn write_csv(contacts: &[AccountContacts], out: &mut dyn Write) -> io::Result<()> {
    write_rows(&HEADER, out, |row| {
        contacts.iter().try_for_each(|contact| row(&contact.row()))
    })
}

/// Writes contacts as a JSON array.
pub fn write_json(contacts: &[AccountContacts], out: &mut dyn Write) -> io::Result<()> {
    let documents: Vec<_> = contacts.iter().map(Document::of).collect();
    serde_json::to_writer_pretty(&mut *out, &documents)?;
    writeln!(out)
}

/// An account with its contacts, as JSON has it.
#[derive(Serialize)]
struct Document<'a> {
    account_id: AccountId,
    account_name: Option<&'a str>,
    ou_names: &'a [String],
    findings: serde_json::Map<String, serde_json::Value>,
    account_email: Option<&'a str>,
    security_contact: Option<&'a SecurityContact>,
    error: Option<&'a CallError>,
}

impl<'a> Document<'a> {
    fn of(contacts: &'a AccountContacts) -> Self {
        let (contact, error) = match &contacts.security {
            Ok(contact) => (contact.as_ref(), None),
            Err(error) => (None, Some(error)),
        };
        Self {
            account_id: contacts.account,
            account_name: contacts.name.as_deref(),
            ou_names: &contacts.ou_names,
            findings: contacts
                .findings
                .iter()
                .map(|(status, count)| (status.as_str().to_owned(), (*count).into()))
                .collect(),
            account_email: contacts.email.as_deref(),
            security_contact: contact,
            error,
        }
    }
}
