//! How AWS is reached, and as whom.

use serde::Deserialize;
use trailproof_scanner::{ConnectOptions, RoleSettings, RoleTemplate};

use super::or_file;
use super::values::RegionName;
use crate::error::CliError;
use crate::{environment, mfa, open_files};

/// Credentials and the role in member accounts. Everything else is read as the AWS CLI reads it.
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
    /// and {partition} in it [default: `OrganizationAccountAccessRole`].
    #[arg(long)]
    pub(crate) role: Option<String>,

    /// The external id that the role's trust policy asks for.
    #[arg(long, value_name = "ID")]
    pub(crate) external_id: Option<String>,

    /// The name of the role sessions, as CloudTrail will show it [default: trailproof].
    #[arg(long, value_name = "NAME")]
    pub(crate) session_name: Option<String>,
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
        } = file;
        or_file(&mut self.profile, profile);
        or_file(&mut self.region, region);
        or_file(&mut self.role, role);
        or_file(&mut self.external_id, external_id);
        or_file(&mut self.session_name, session_name);
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

    /// The role in member accounts.
    pub(crate) fn role_settings(&self) -> Result<RoleSettings, CliError> {
        let role = match &self.role {
            None => RoleTemplate::default(),
            Some(text) => text.parse().map_err(|error| {
                CliError::usage(error).hint(
                    "give the role's name, such as --role SecurityAudit, or its ARN as \
                     arn:{partition}:iam::{account}:role/NAME",
                )
            })?,
        };
        Ok(RoleSettings {
            role,
            external_id: self.external_id.clone(),
            session_name: self.session_name.clone(),
        })
    }
}
