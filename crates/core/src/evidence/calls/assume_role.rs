//! `sts:AssumeRole`: entering an account. Credentials are never part of the record.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{CallDefinition, Operation, Parameters, Permission, Quota, Reader, Subject};
use crate::account::AccountId;
use crate::arn::Arn;
use crate::evidence::CallError;
use crate::evidence::few::Few;
use crate::evidence::store::{CallSite, Filing, Pool, Unreadable};
use crate::evidence::table::{Answer, BySite};
use crate::finding::LinkName;

/// The whole of STS shares one quota in an account and region (IAM User Guide, "IAM and AWS STS
/// quotas").
pub(super) const QUOTA: Quota = Quota::shared("sts", 600.0);

pub(super) const DEFINITION: CallDefinition = CallDefinition {
    name: "sts:AssumeRole",
    permission: Permission::Enter,
    link: LinkName::Account,
    pages: None,
    members: &[],
    quota: QUOTA,
};

/// Attempts to enter an account, by the role that was to be assumed.
type Attempts = Few<Arc<str>, BySite<()>>;

/// By the account that was to be entered.
#[derive(Debug, Clone, Default)]
pub(in crate::evidence) struct Answers(BTreeMap<AccountId, Attempts>);

impl Answers {
    /// The accounts that were to be entered.
    pub(in crate::evidence) fn accounts(&self) -> impl Iterator<Item = AccountId> {
        self.0.keys().copied()
    }

    fn attempts(
        &self,
        account: AccountId,
    ) -> impl Iterator<Item = (&Arc<str>, &CallSite, &Answer<()>)> {
        let roles = self.0.get(&account).into_iter().flat_map(Few::iter);
        roles.flat_map(|(role, answers)| {
            answers
                .iter()
                .map(move |(site, answer)| (role, site, answer))
        })
    }
}

pub(super) fn parameters(role_arn: &str) -> Value {
    json!({ "RoleArn": role_arn })
}

pub(super) fn file(
    answers: &mut Answers,
    filing: Filing<'_>,
    _pool: &mut Pool,
) -> Result<Subject, Unreadable> {
    let text = filing.parameters.required("RoleArn")?;
    let target = text
        .parse::<Arn>()
        .map_err(|error| Parameters::unreadable("RoleArn", &error.to_string()))?
        .account()
        .ok_or_else(|| Parameters::unreadable("RoleArn", &format!("`{text}` names no account")))?;
    let site = filing.site.clone();
    let answer = filing.typed(&DEFINITION, |_: serde::de::IgnoredAny| Arc::new(()))?;
    let attempts = answers.0.entry(target).or_default();
    // Nothing else names the role of an account.
    attempts.entry(text.into()).file(site, answer);
    Ok(subject(target))
}

pub(super) fn is_answered(reader: &Reader<'_>, site: &CallSite, role_arn: &str) -> bool {
    let Some(target) = Arn::account_in(role_arn) else {
        return false;
    };
    reader.looks_up(|| subject(target));
    let mut attempts = reader
        .layers()
        .flat_map(|layer| layer.tables.assume_role.attempts(target));
    attempts.any(|(role, by, answer)| {
        let same = **role == *role_arn && by == site;
        if same {
            reader.uses(answer);
        }
        same
    })
}

/// What is known of the way into an account.
pub(in crate::evidence) fn subject(account: AccountId) -> Subject {
    Subject::account(Operation::AssumeRole, account)
}

/// Whether an account can be looked into.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// Its credentials made at least one call.
    Entered,
    /// Nobody tried.
    NotTried,
    /// Every attempt failed; the role of the latest one, and why.
    Failed {
        /// The role that could not be assumed.
        role_arn: Arc<str>,
        /// Whose credentials tried.
        by: AccountId,
        /// Why.
        error: Arc<CallError>,
        /// When.
        observed_at: Timestamp,
    },
}

impl Reader<'_> {
    /// From where somebody tried to enter an account.
    pub(super) fn entered_from(&self, account: AccountId) -> Option<CallSite> {
        self.looks_up(|| subject(account));
        let (_, site, answer) = self
            .layers()
            .flat_map(|layer| layer.tables.assume_role.attempts(account))
            .min_by_key(|(role, site, _)| (*site, *role))?;
        self.uses(answer);
        Some(site.clone())
    }

    /// Whether an account was entered.
    pub fn entry(&self, account: AccountId) -> Entry {
        self.looks_up(|| subject(account));
        if let Some(first) = self.layers().find_map(|layer| layer.callers.get(&account)) {
            self.rests_on(*first);
            return Entry::Entered;
        }
        let attempts = || {
            self.layers()
                .flat_map(|layer| layer.tables.assume_role.attempts(account))
        };
        if let Some((.., answer)) = attempts().find(|(.., answer)| answer.outcome.is_ok()) {
            self.uses(answer);
            return Entry::Entered;
        }
        let latest =
            attempts().max_by_key(|(role, site, answer)| (answer.observed_at, *site, *role));
        let Some((role, site, answer)) = latest else {
            return Entry::NotTried;
        };
        match &self.uses(answer).outcome {
            Ok(_) => Entry::Entered,
            Err(error) => Entry::Failed {
                role_arn: Arc::clone(role),
                by: site.account,
                error: Arc::clone(error),
                observed_at: answer.observed_at,
            },
        }
    }
}
