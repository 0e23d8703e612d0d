//! The permissions that trailproof needs: exactly the operations it calls, and no others.
//!
//! The list is derived from the calls of core, each of which says whose permission it takes. How the
//! list is written is decided by the renderers.

mod cloudformation;
mod document;
mod terraform;

use trailproof_core::evidence::{Operation, Permission};

pub(crate) use cloudformation::render as cloudformation;
pub(crate) use document::render as json;
pub(crate) use terraform::render as terraform;

/// What is to be done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Task {
    /// Reading: everything `trailproof scan` does.
    #[default]
    Scan,
    /// Reading and repairing: everything `trailproof fix` does.
    #[cfg(feature = "remediation")]
    Fix,
}

/// Whose permissions.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Who {
    /// The credentials that start the scan. Their own account is read with them, too.
    #[default]
    Caller,
    /// The role that is assumed in every member account.
    Member,
}

/// Actions that are allowed together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Statement {
    /// What they are for, as a statement id: letters and digits.
    pub(crate) sid: &'static str,
    /// The actions, sorted.
    pub(crate) actions: Vec<&'static str>,
    /// On what.
    pub(crate) resource: Resource,
}

/// What a statement is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Resource {
    /// Everything: most of these actions have no resource, and trails, log groups and topics are
    /// not known before they were read.
    Any,
    /// The role in every member account.
    MemberRole,
}

/// Calls that find accounts and leave no evidence: the filter `--ou`.
const FILTERS: [&str; 2] = [
    "organizations:ListAccountsForParent",
    "organizations:ListOrganizationalUnitsForParent",
];

/// What a repair calls beside reading: creating, verifying, and taking back what it created. Tags
/// given on creation need the permission to tag.
#[cfg(feature = "remediation")]
const REPAIR: [&str; 14] = [
    "cloudwatch:DeleteAlarms",
    "cloudwatch:PutMetricAlarm",
    "cloudwatch:SetAlarmState",
    "cloudwatch:TagResource",
    "logs:DeleteMetricFilter",
    "logs:PutMetricFilter",
    "logs:TestMetricFilter",
    "sns:CreateTopic",
    "sns:DeleteTopic",
    "sns:GetSubscriptionAttributes",
    "sns:ListTagsForResource",
    "sns:Subscribe",
    "sns:TagResource",
    "sns:Unsubscribe",
];

/// The statements of a policy.
pub(crate) fn statements(task: Task, who: Who) -> Vec<Statement> {
    let of = |permission: Permission| -> Vec<&'static str> {
        Operation::ALL
            .iter()
            .map(|operation| operation.definition())
            .filter(|call| call.permission == permission)
            .map(|call| call.name)
            .collect()
    };
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
    }
    statements.push(statement(
        "ReadAccount",
        of(Permission::Read),
        Resource::Any,
    ));
    match task {
        Task::Scan => {}
        #[cfg(feature = "remediation")]
        Task::Fix => {
            statements.push(statement("RepairAccount", REPAIR.to_vec(), Resource::Any));
        }
    }
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

    fn actions(task: Task, who: Who) -> Vec<&'static str> {
        let statements = statements(task, who).into_iter();
        statements.flat_map(|statement| statement.actions).collect()
    }

    #[test]
    fn a_scan_only_reads() {
        for who in [Who::Caller, Who::Member] {
            for action in actions(Task::Scan, who) {
                let (_, verb) = action.split_once(':').unwrap();
                let reads = ["Describe", "Get", "List"]
                    .iter()
                    .any(|prefix| verb.starts_with(prefix));
                assert!(reads || action == "sts:AssumeRole", "{action}");
            }
        }
    }

    #[test]
    fn every_operation_is_allowed_to_somebody() {
        let caller = actions(Task::Scan, Who::Caller);
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
        for action in actions(Task::Scan, Who::Member) {
            assert!(!action.starts_with("organizations:"), "{action}");
            assert!(!action.starts_with("sts:"), "{action}");
        }
    }
}
