//! Whether a control is about an account at all.

use super::links::account;
use super::reading::{Unread, locked, request};
use super::verdict::Step;
use crate::account::AccountId;
use crate::control::{AccountScope, Control};
use crate::evidence::{Call, CallSite, Operation, Reader};

/// Whether a control is about an account.
pub(super) enum Applicability {
    Applies,
    /// It is not, and why.
    Not(String),
    /// Nobody knows.
    Unknown(Box<Step>),
}

/// An account that is in no organization (Organizations API Reference, "Common Errors").
const NO_ORGANIZATION: &str = "AWSOrganizationsNotInUseException";

/// Whether a control is about an account, as far as that was seen.
pub(super) fn of(evidence: &Reader<'_>, account: AccountId, control: &Control) -> Applicability {
    if control.scope == AccountScope::Every {
        return Applicability::Applies;
    }
    let told = evidence.organization_told(account);
    // Only accounts that the organization lists are known to be in the one that others describe.
    let management = match told {
        Some(Ok(organization)) => Some(organization.management_account),
        Some(Err(error)) if error.code == NO_ORGANIZATION => return Applicability::Applies,
        _ if evidence.listed_accounts().contains_key(&account) => evidence.management_account(),
        _ => None,
    };
    match management {
        Some(management) if management == account => Applicability::Applies,
        Some(management) => Applicability::Not(format!(
            "events of the control are recorded in the organization's management account, \
             {management}; it is judged there"
        )),
        None => Applicability::Unknown(Box::new(unknown(evidence, account))),
    }
}

fn unknown(evidence: &Reader<'_>, account: AccountId) -> Step {
    let region = evidence.partition(account).organizations_region();
    let site = CallSite { account, region };
    let unread = match evidence.organization_told(account) {
        Some(Err(error)) => Unread::failed(Operation::DescribeOrganization, &site, error, None),
        _ => locked(evidence, account)
            .unwrap_or_else(|| Unread::never_asked(request(&site, Call::DescribeOrganization))),
    };
    account::management_not_known(account, &unread)
}
