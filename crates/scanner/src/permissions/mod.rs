//! The permissions that trailproof needs: exactly the operations it calls, and no others.
//!
//! The list is derived from the calls of core, each of which says whose permission it takes. How the
//! list is written is decided by the renderers.

mod cloudformation;
mod document;
mod managed;
mod session;
mod terraform;

use trailproof_core::evidence::{Operation, Permission};

pub use cloudformation::render as cloudformation;
pub use document::render as json;
pub use managed::{MANAGED, ManagedPolicy};
pub use session::SessionForm;
pub(crate) use session::{Holder, Limit, limits, managed_arn};
pub use terraform::render as terraform;

/// Whose permissions.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Who {
    /// The credentials that start the scan. Their own account is read with them, too.
    #[default]
    Caller,
    /// The role that is assumed in every member account.
    Member,
}

/// The path, which begins and ends with a slash, and the name of a role in every member.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct RoleName {
    /// Such as `/` or `/security/`.
    pub path: String,
    /// Such as `Audit`.
    pub name: String,
}

/// Which other accounts' roles may be assumed: those of the caller's own organization. STS knows
/// the organization of the role's account (IAM User Guide, "AWS global condition context keys",
/// `aws:ResourceOrgID`).
const SAME_ORGANIZATION: (&str, &str) = ("aws:ResourceOrgID", "aws:PrincipalOrgID");

/// Actions that are allowed together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// What they are for, as a statement id: letters and digits.
    pub sid: &'static str,
    /// The actions, sorted.
    pub actions: Vec<&'static str>,
    /// On what.
    pub resource: Resource,
}

/// What a statement is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resource {
    /// Everything: most of these actions have no resource, and trails, log groups and topics are
    /// not known before they were read.
    Any,
    /// The roles in every member account of the organization.
    MemberRole,
}

/// Calls that find accounts and leave no evidence: the filter `--ou`, and whether an account that a
/// chain names is of the organization.
const FILTERS: [&str; 2] = [
    "organizations:DescribeAccount",
    "organizations:ListAccountsForParent",
];

/// The actions that are called for a reason.
fn of(permission: Permission) -> Vec<&'static str> {
    Operation::ALL
        .iter()
        .map(|operation| operation.definition())
        .filter(|call| call.permission == permission)
        .map(|call| call.name)
        .collect()
}

/// The statements of a policy for reading, and for what is done beside it: what that is for, as a
/// statement id, and its actions.
pub fn statements(who: Who, beside: Option<(&'static str, Vec<&'static str>)>) -> Vec<Statement> {
    let mut statements = Vec::new();
    if who == Who::Caller {
        let mut discover = of(Permission::Discover);
        discover.extend(FILTERS);
        statements.push(statement("FindAccounts", discover, Resource::Any));
        statements.push(statement(
            "EnterAccounts",
            of(Permission::Enter),
            Resource::MemberRole,
        ));
        statements.push(statement(
            "TryFilterPatterns",
            of(Permission::Try),
            Resource::Any,
        ));
    }
    statements.push(statement(
        "ReadAccount",
        of(Permission::Read),
        Resource::Any,
    ));
    statements.extend(beside.map(|(sid, actions)| statement(sid, actions, Resource::Any)));
    statements
}

fn statement(sid: &'static str, mut actions: Vec<&'static str>, resource: Resource) -> Statement {
    actions.sort_unstable();
    Statement {
        sid,
        actions,
        resource,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn actions(who: Who) -> Vec<&'static str> {
        let statements = statements(who, None).into_iter();
        statements.flat_map(|statement| statement.actions).collect()
    }

    #[test]
    fn a_scan_only_reads() {
        for who in [Who::Caller, Who::Member] {
            for action in actions(who) {
                let (_, verb) = action.split_once(':').unwrap();
                let reads = ["Describe", "Get", "List"]
                    .iter()
                    .any(|prefix| verb.starts_with(prefix));
                // One enters, the other compares a pattern with a message, both ours.
                let neither = ["sts:AssumeRole", "logs:TestMetricFilter"];
                let allowed = who == Who::Caller && neither.contains(&action);
                assert!(reads || allowed, "{action}");
            }
        }
    }

    #[test]
    fn every_operation_is_allowed_to_somebody() {
        let caller = actions(Who::Caller);
        for operation in Operation::ALL {
            let allowed = caller.contains(&operation.as_str());
            assert_eq!(
                allowed,
                *operation != Operation::GetCallerIdentity,
                "{operation}"
            );
        }
    }

    #[test]
    fn the_role_neither_lists_accounts_nor_enters_others() {
        for action in actions(Who::Member) {
            assert!(!action.starts_with("organizations:"), "{action}");
            assert!(!action.starts_with("sts:"), "{action}");
        }
    }
}
