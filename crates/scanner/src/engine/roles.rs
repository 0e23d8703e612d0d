//! Which roles are tried in an account, and what is known of them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use trailproof_core::account::{AccountId, Partition};

use crate::error::ScanError;
use crate::outcome::Caller;
use crate::roles::{MemberRole, RoleSettings, RoleTemplate};

/// The session name CloudTrail shows when the user gives none.
pub(crate) const SESSION_NAME: &str = "trailproof";

/// Roles that let the management account into its members, and are not in itself (AWS Organizations
/// User Guide, "Creating a member account"; AWS Control Tower User Guide, "The
/// `AWSControlTowerExecution` role, explained").
const FOR_OTHERS: [&str; 2] = [RoleTemplate::DEFAULT, "AWSControlTowerExecution"];

/// A role to assume.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Role {
    pub(crate) arn: String,
    /// The role as the user wrote it: the same for every account that has it.
    pub(crate) template: Arc<str>,
    pub(crate) session_name: Arc<str>,
    pub(crate) external_id: Option<Arc<str>>,
}

/// The roles of every account.
#[derive(Debug)]
pub(crate) struct Roles {
    partition: Partition,
    general: Kind,
    members: Vec<(MemberRole, Kind)>,
    /// The member roles that only the organization could choose, by their place in the list.
    assigned: Mutex<HashMap<AccountId, usize>>,
}

/// Roles with what goes with them.
#[derive(Debug, Clone)]
struct Kind {
    templates: Vec<(RoleTemplate, Arc<str>)>,
    session_name: Arc<str>,
    external_id: Option<Arc<str>>,
}

impl Roles {
    pub(crate) fn new(settings: &RoleSettings, partition: Partition) -> Self {
        let kind = |templates: Vec<RoleTemplate>, name: Option<&str>, id: Option<&str>| Kind {
            templates: templates
                .into_iter()
                .map(|template| {
                    let text = Arc::from(template.as_str());
                    (template, text)
                })
                .collect(),
            session_name: name
                .or(settings.session_name.as_deref())
                .unwrap_or(SESSION_NAME)
                .into(),
            external_id: id.or(settings.external_id.as_deref()).map(Into::into),
        };
        Self {
            partition,
            general: kind(settings.templates(), None, None),
            members: settings
                .members
                .iter()
                .map(|member| {
                    let (name, id) = (&member.session_name, &member.external_id);
                    let kind = kind(member.roles.clone(), name.as_deref(), id.as_deref());
                    (member.clone(), kind)
                })
                .collect(),
            assigned: Mutex::default(),
        }
    }

    /// The roles of an account, in the order in which they are tried.
    pub(crate) fn of(&self, account: AccountId) -> Vec<Role> {
        let kind = self.member(account).unwrap_or(&self.general);
        kind.templates
            .iter()
            .map(|(template, text)| Role {
                arn: template.arn(self.partition, account),
                template: Arc::clone(text),
                session_name: Arc::clone(&kind.session_name),
                external_id: kind.external_id.clone(),
            })
            .collect()
    }

    fn member(&self, account: AccountId) -> Option<&Kind> {
        let assigned = self.assigned.lock().unwrap_or_else(PoisonError::into_inner);
        let place = assigned.get(&account).copied().or_else(|| {
            self.members.iter().position(|(member, _)| {
                !member.needs_organization() && member.accounts.contains(&account)
            })
        });
        self.members.get(place?).map(|(_, kind)| kind)
    }

    /// The roles by which the caller's own account is entered: those that were named for it,
    /// without the ones that are there for others to come in by, and the one that the caller is
    /// already. A role rarely trusts its own account, and each refusal is an alarm in a
    /// well-watched one.
    pub(crate) fn of_caller(&self, caller: &Caller) -> Vec<Role> {
        let session = caller.arn.split_once(":assumed-role/");
        let own = session.and_then(|(_, rest)| rest.split('/').next());
        let mut roles = self.of(caller.account);
        roles.retain(|role| {
            let name = role.arn.rsplit('/').next();
            name != own && !name.is_some_and(|name| FOR_OTHERS.contains(&name))
        });
        roles
    }

    /// The member roles that may be for an account only if the organization says so.
    pub(crate) fn members(&self) -> impl Iterator<Item = (usize, &MemberRole)> {
        self.members.iter().map(|(member, _)| member).enumerate()
    }

    /// Whether which role goes with an account is known only to the organization.
    pub(crate) fn need_organization(&self) -> bool {
        self.members()
            .any(|(_, member)| member.needs_organization())
    }

    /// Notes the member roles that are for an account: one, or it is a mistake.
    pub(crate) fn assign(&self, account: AccountId, places: &[usize]) -> Result<(), ScanError> {
        let name = |place: &usize| {
            let member = self.members.get(*place);
            member
                .map(|(member, _)| member.place.clone())
                .unwrap_or_default()
        };
        match places {
            [] => Ok(()),
            [place] => {
                let mut assigned = self.assigned.lock().unwrap_or_else(PoisonError::into_inner);
                assigned.insert(account, *place);
                Ok(())
            }
            [first, second, ..] => Err(ScanError::AmbiguousRole {
                account,
                first: name(first),
                second: name(second),
            }),
        }
    }
}
