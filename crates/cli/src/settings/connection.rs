//! How AWS is reached, and as whom.

use serde::Deserialize;
use trailproof_core::arn::Arn;
use trailproof_scanner::{ConnectOptions, HubRole, RoleSettings, SessionPolicy};

use super::roles::{MemberRoleTable, one_or_many, parse};
use super::values::RegionName;
use super::{list_or_file, or_file};
use crate::error::CliError;
use crate::{environment, mfa, open_files};

/// Credentials and the roles in member accounts. Everything else is read as the AWS CLI reads it.
#[derive(Debug, Clone, Default, clap::Args, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
#[command(next_help_heading = "Connection")]
pub(crate) struct ConnectionSettings {
    /// The profile of the AWS configuration files.
    #[arg(long)]
    pub(crate) profile: Option<String>,

    /// The region that global questions are asked in.
    #[arg(long)]
    pub(crate) region: Option<RegionName>,

    /// The role to assume in member accounts: a name, a path and name, or an ARN with {account}
    /// and {partition} in it. Several are tried in this order in each account
    /// [default: `OrganizationAccountAccessRole`].
    #[arg(long)]
    #[serde(alias = "roles", deserialize_with = "one_or_many")]
    pub(crate) role: Vec<String>,

    /// The external id that the role's trust policy asks for.
    #[arg(long, value_name = "ID")]
    pub(crate) external_id: Option<String>,

    /// The name of the role sessions, as CloudTrail will show it [default: trailproof].
    #[arg(long, value_name = "NAME")]
    pub(crate) session_name: Option<String>,

    /// The ARN of a role to assume first: with it the organization is asked and the members are
    /// entered. Several are assumed one with the other.
    #[arg(long, value_name = "ARN")]
    #[serde(deserialize_with = "one_or_many")]
    pub(crate) hub_role: Vec<String>,

    /// The external id that the hub roles' trust policies ask for.
    #[arg(long, value_name = "ID")]
    pub(crate) hub_external_id: Option<String>,

    /// Let the sessions of the roles do all that the roles may, instead of limiting them to what
    /// is called.
    #[arg(long)]
    pub(crate) no_session_policy: bool,

    /// The roles of some accounts.
    #[arg(skip)]
    #[serde(skip)]
    pub(crate) member_roles: Vec<MemberRoleTable>,

    /// Where the file names the roles, when they are the file's.
    #[arg(skip)]
    #[serde(skip)]
    pub(crate) place_of_roles: Option<String>,
}

impl ConnectionSettings {
    /// These settings, with what they leave open taken from the file.
    pub(crate) fn or(mut self, file: Self) -> Self {
        let Self {
            profile,
            region,
            role,
            external_id,
            session_name,
            hub_role,
            hub_external_id,
            no_session_policy,
            member_roles,
            place_of_roles,
        } = file;
        or_file(&mut self.profile, profile);
        or_file(&mut self.region, region);
        if self.role.is_empty() {
            self.role = role;
            self.place_of_roles = place_of_roles;
        }
        or_file(&mut self.external_id, external_id);
        or_file(&mut self.session_name, session_name);
        list_or_file(&mut self.hub_role, hub_role);
        or_file(&mut self.hub_external_id, hub_external_id);
        self.no_session_policy |= no_session_policy;
        self.member_roles = member_roles;
        self
    }

    /// The scanner's options.
    pub(crate) fn connect_options(&self) -> Result<ConnectOptions, CliError> {
        Ok(ConnectOptions {
            connections: open_files::connections()?,
            profile: self.profile.clone(),
            region: self
                .region
                .as_ref()
                .map(|region| region.0.as_str().to_owned()),
            environment: environment::of_aws(),
            mfa_prompt: mfa::prompt(),
            ..ConnectOptions::default()
        })
    }

    /// The roles that are tried where no member role is for an account, as full ARNs.
    #[cfg(any(feature = "publish", feature = "remediation"))]
    pub(crate) fn roles_in_full(&self) -> Result<Vec<String>, CliError> {
        let roles = self.role_settings()?.templates().into_iter();
        Ok(roles.map(|role| role.as_str().to_owned()).collect())
    }

    /// The roles by which accounts are entered.
    pub(crate) fn role_settings(&self) -> Result<RoleSettings, CliError> {
        let members = self.member_roles.iter();
        Ok(RoleSettings {
            roles: parse(&self.role, self.place_of_roles.as_deref())?,
            external_id: self.external_id.clone(),
            session_name: self.session_name.clone(),
            members: members
                .map(MemberRoleTable::member_role)
                .collect::<Result<_, _>>()?,
            hubs: self
                .hub_role
                .iter()
                .map(|text| hub(text, self.hub_external_id.as_deref()))
                .collect::<Result<_, _>>()?,
            session_policy: if self.no_session_policy {
                SessionPolicy::None
            } else {
                SessionPolicy::default()
            },
        })
    }
}

fn hub(text: &str, external_id: Option<&str>) -> Result<HubRole, CliError> {
    let arn = text.replace("{partition}", "aws").parse::<Arn>().ok();
    let role = arn.filter(|arn| {
        arn.account().is_some() && arn.service() == "iam" && arn.resource().starts_with("role/")
    });
    if role.is_none() {
        return Err(
            CliError::usage(format_args!("--hub-role `{text}` is not the ARN of a role"))
                .hint("give it in full, such as arn:aws:iam::111122223333:role/AuditHub"),
        );
    }
    Ok(HubRole {
        arn: text.to_owned(),
        external_id: external_id.map(str::to_owned),
    })
}
