//! Which roles are assumed where, and with what.

use std::collections::{BTreeMap, BTreeSet};

use trailproof_core::account::AccountId;

use super::RoleTemplate;
use crate::error::ScanError;

/// The roles to assume and what goes with them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RoleSettings {
    /// Tried in this order in every account that no member role is for. None means the role that
    /// AWS Organizations creates, which is not tried in the caller's own account: it is for others
    /// to come in by.
    pub roles: Vec<RoleTemplate>,
    /// The external id the roles' trust policies ask for, if any (2 to 1,224 characters).
    pub external_id: Option<String>,
    /// The session name CloudTrail will show; `None` means `trailproof`
    /// (2 to 64 characters of `A-Za-z0-9_+=,.@-`).
    pub session_name: Option<String>,
    /// The roles of some accounts, in place of those above. At most one may be for an account.
    pub members: Vec<MemberRole>,
    /// Roles that are assumed first, each with the credentials of the one before. The last one is
    /// who asks about the organization and enters the members.
    pub hubs: Vec<HubRole>,
    /// What limits the sessions of the roles.
    pub session_policy: SessionPolicy,
}

/// The role of some accounts. Every part that is given has to match.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MemberRole {
    /// How messages name it.
    pub place: String,
    /// Only these accounts.
    pub accounts: BTreeSet<AccountId>,
    /// Only accounts below these organizational units or roots, at any depth, by id, path of ids,
    /// name or names from the root down.
    pub units: BTreeSet<String>,
    /// Only accounts with all of these tags, as key and value.
    pub tags: Vec<(String, String)>,
    /// Tried in this order.
    pub roles: Vec<RoleTemplate>,
    /// The external id, where it is not that of the other roles.
    pub external_id: Option<String>,
    /// The session name, where it is not that of the other roles.
    pub session_name: Option<String>,
}

/// A role that is assumed before those of the members.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HubRole {
    /// Its ARN; `{partition}` stands for the caller's.
    pub arn: String,
    /// The external id its trust policy asks for, if any.
    pub external_id: Option<String>,
}

/// What limits the sessions of assumed roles, whatever the roles themselves allow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SessionPolicy {
    /// Nothing but the operations of a scan, and these.
    Operations(Vec<&'static str>),
    /// No limit.
    None,
}

impl Default for SessionPolicy {
    fn default() -> Self {
        Self::Operations(Vec::new())
    }
}

impl MemberRole {
    /// Whether which accounts it is for is known only to the organization.
    pub(crate) fn needs_organization(&self) -> bool {
        !self.units.is_empty() || !self.tags.is_empty()
    }
}

impl RoleSettings {
    /// The roles that are tried in order where no member role is for an account.
    pub fn templates(&self) -> Vec<RoleTemplate> {
        if self.roles.is_empty() {
            vec![RoleTemplate::default()]
        } else {
            self.roles.clone()
        }
    }

    /// Whether which role goes with an account is known only to the organization.
    pub(crate) fn needs_organization(&self) -> bool {
        self.members.iter().any(MemberRole::needs_organization)
    }

    /// What STS would refuse, or what cannot be decided for an account, is refused here, once and
    /// not for every account.
    pub(crate) fn check(&self) -> Result<(), ScanError> {
        check_names(self.session_name.as_deref(), self.external_id.as_deref())?;
        for hub in &self.hubs {
            check_names(None, hub.external_id.as_deref())?;
        }
        let mut named: BTreeMap<AccountId, &str> = BTreeMap::new();
        for member in &self.members {
            check_names(
                member.session_name.as_deref(),
                member.external_id.as_deref(),
            )?;
            let invalid = |reason| {
                Err(ScanError::InvalidMemberRole {
                    place: member.place.clone(),
                    reason,
                })
            };
            if member.accounts.is_empty() && !member.needs_organization() {
                return invalid("it names no account, ou or tag, so that it is for nobody");
            }
            if member.roles.is_empty() {
                return invalid("it names no role");
            }
            if member.needs_organization() {
                continue;
            }
            for account in &member.accounts {
                if let Some(first) = named.insert(*account, &member.place) {
                    return Err(ScanError::AmbiguousRole {
                        account: *account,
                        first: first.to_owned(),
                        second: member.place.clone(),
                    });
                }
            }
        }
        Ok(())
    }
}

/// The limits of STS (AWS STS API Reference, `AssumeRole`).
fn check_names(session_name: Option<&str>, external_id: Option<&str>) -> Result<(), ScanError> {
    let invalid = |what, value: &str, reason| {
        Err(ScanError::InvalidRoleSetting {
            what,
            value: value.to_owned(),
            reason,
        })
    };
    let named = |extra: &'static [u8]| {
        move |byte: u8| {
            byte.is_ascii_alphanumeric() || b"_+=,.@-".contains(&byte) || extra.contains(&byte)
        }
    };
    if let Some(name) = session_name
        && !((2..=64).contains(&name.len()) && name.bytes().all(named(b"")))
    {
        return invalid(
            "session name",
            name,
            "it has 2 to 64 letters, digits or characters of _+=,.@-",
        );
    }
    if let Some(id) = external_id
        && !((2..=1224).contains(&id.len()) && id.bytes().all(named(b":/")))
    {
        return invalid(
            "external id",
            id,
            "it has 2 to 1,224 letters, digits or characters of _+=,.@:/-",
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn role_settings_are_checked() {
        let with = |session_name: Option<&str>, external_id: Option<&str>| {
            RoleSettings {
                session_name: session_name.map(str::to_owned),
                external_id: external_id.map(str::to_owned),
                ..RoleSettings::default()
            }
            .check()
        };
        assert!(with(Some("audit@example.com"), Some("a:b/c-1")).is_ok());
        assert!(with(None, None).is_ok());
        for (name, id) in [
            (Some("a"), None),
            (Some("a b"), None),
            (None, Some("x")),
            (None, Some("a b")),
        ] {
            let error = with(name, id).unwrap_err();
            assert!(matches!(error, ScanError::InvalidRoleSetting { .. }));
        }
    }

    #[test]
    fn member_roles_are_for_somebody_and_for_one_kind_of_account_each() {
        let account: AccountId = "222222222222".parse().unwrap();
        let member = |place: &str, accounts: &[AccountId], units: &[&str]| MemberRole {
            place: place.to_owned(),
            accounts: accounts.iter().copied().collect(),
            units: units.iter().map(|unit| (*unit).to_owned()).collect(),
            roles: vec!["Audit".parse().unwrap()],
            ..MemberRole::default()
        };
        let check = |members: Vec<MemberRole>| {
            RoleSettings {
                members,
                ..RoleSettings::default()
            }
            .check()
        };
        assert!(
            check(vec![
                member("1", &[account], &[]),
                member("2", &[], &["ou-1"])
            ])
            .is_ok()
        );
        let nobody = check(vec![member("1", &[], &[])]).unwrap_err();
        assert!(matches!(nobody, ScanError::InvalidMemberRole { .. }));
        let both = check(vec![
            member("1", &[account], &[]),
            member("2", &[account], &[]),
        ])
        .unwrap_err();
        assert_eq!(
            both.to_string(),
            "both 1 and 2 name the role of account 222222222222"
        );
    }
}
