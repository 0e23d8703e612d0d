//! The door before the chain: can the account be looked into?

use crate::account::AccountId;
use crate::evaluate::reading::Unread;
use crate::evaluate::verdict::{Cause, Reason, Step};
use crate::finding::{LinkName, Status};
use crate::observation::ObservationKind;

static NOT_ENTERED: Reason = Reason {
    code: "account.not-entered",
    status: Status::Unknown,
    meaning: "The account could not be entered, so nothing in it was seen.",
    remedy: "Create the audit role in the account and let the scanning account assume it, or name another role with --role; then scan again.",
};

static MANAGEMENT_NOT_OBSERVED: Reason = Reason {
    code: "account.management-account-not-observed",
    status: Status::Unknown,
    meaning: "The control is about the management account, and whether this account is one could not be seen.",
    remedy: "Let the credentials of the scan call organizations:DescribeOrganization, then scan again.",
};

pub(in crate::evaluate) const REASONS: &[&Reason] = &[&NOT_ENTERED, &MANAGEMENT_NOT_OBSERVED];

pub(in crate::evaluate) static TRUSTED: ObservationKind = ObservationKind {
    code: "account.trusted-organization-trail",
    meaning: "The account could not be entered, and the policy takes the organization trail's owner at its word that the trail covers it.",
};

pub(in crate::evaluate) const OBSERVATIONS: &[&ObservationKind] = &[&TRUSTED];

/// The step of an account that nobody could enter.
pub(in crate::evaluate) fn not_entered(unread: &Unread) -> Step {
    Step::new(LinkName::Account)
        .because(Cause::new(&NOT_ENTERED, unread.why.clone()))
        .seen(unread.observed_at)
}

/// The step of an account of which nobody knows whether it is its organization's management
/// account, where the control is only about that.
pub(in crate::evaluate) fn management_not_known(account: AccountId, unread: &Unread) -> Step {
    Step::new(LinkName::Account)
        .because(Cause::new(
            &MANAGEMENT_NOT_OBSERVED,
            format!(
                "whether account {account} is the management account of its organization is not \
                 known: {}",
                unread.why
            ),
        ))
        .seen(unread.observed_at)
        .wanting(unread.wants.iter().cloned())
}

#[cfg(test)]
pub(in crate::evaluate) mod tests {
    use serde_json::json;

    use crate::evaluate::fixture::{Case, MANAGEMENT, MEMBER, World, denied, table};
    use crate::finding::Status::NotApplicable;

    /// Each observation, and where it is made.
    pub(in crate::evaluate) fn observed() -> Vec<(&'static str, World)> {
        vec![("account.trusted-organization-trail", {
            let mut world = World::healthy()
                .without("cloudtrail:DescribeTrails", MEMBER)
                .fail("sts:AssumeRole", MANAGEMENT, &denied("sts:AssumeRole"));
            world.policy.trust_organization_trail = true;
            world
        })]
    }

    /// What tells that an account is closed, and nothing else does: without it the account is
    /// judged as any other, by its own chain. The rows below hold whatever else is unseen.
    pub(in crate::evaluate) const TOLD_BY: &str = "organizations:ListAccounts";

    /// What is changed by itself.
    pub(in crate::evaluate) fn cases() -> Vec<Case> {
        vec![
            Case(
                TOLD_BY,
                MANAGEMENT,
                "/Accounts/1/State",
                json!("PENDING_ACTIVATION"),
                NotApplicable,
                NotApplicable,
                None,
            ),
            Case(
                "organizations:ListAccounts",
                MANAGEMENT,
                "/Accounts/1/State",
                json!("SUSPENDED"),
                NotApplicable,
                NotApplicable,
                None,
            ),
            Case(
                TOLD_BY,
                MANAGEMENT,
                "/Accounts/1/State",
                json!("PENDING_CLOSURE"),
                NotApplicable,
                NotApplicable,
                None,
            ),
        ]
    }

    #[test]
    fn one_thing_is_not_as_it_should_be() {
        table(&cases());
    }
}
