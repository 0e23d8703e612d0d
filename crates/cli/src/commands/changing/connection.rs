//! The connection over which accounts are changed, or something is sent as them.

use trailproof_scanner::{RoleSettings, SessionPolicy};

use crate::error::CliError;
use crate::output::Output;
use crate::settings::{ConfigurationArguments, ConnectionSettings, ReportSettings};

/// How accounts are reached and entered.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct ConnectionArguments {
    #[command(flatten)]
    settings: ConnectionSettings,

    /// How many accounts are worked on at once.
    #[arg(long, value_name = "NUMBER", default_value_t = 16, value_parser = clap::value_parser!(u16).range(1..=256))]
    concurrency: u16,

    #[command(flatten)]
    configuration: ConfigurationArguments,
}

impl ConnectionArguments {
    /// How many accounts are worked on at once where nobody says.
    #[cfg(feature = "remediation")]
    pub(crate) const CONCURRENCY: usize = 16;

    /// The settings, from flags, then the file, then what the run or journal used.
    pub(crate) fn resolve(
        &self,
        recorded: Vec<String>,
        output: &Output,
    ) -> Result<ConnectionSettings, CliError> {
        Ok(self.resolve_with_reports(recorded, output)?.0)
    }

    /// [`Self::resolve`], and what the file says about reports.
    pub(crate) fn resolve_with_reports(
        &self,
        recorded: Vec<String>,
        output: &Output,
    ) -> Result<(ConnectionSettings, ReportSettings), CliError> {
        let file = self.configuration.load(output)?;
        let mut settings = self.settings.clone().or(file.connection);
        if settings.role.is_empty() {
            settings.role = recorded;
        }
        Ok((settings, file.report))
    }

    pub(crate) fn concurrency(&self) -> usize {
        usize::from(self.concurrency)
    }
}

/// The roles by which accounts are entered. Their sessions may do these actions beside reading, and
/// nothing else.
pub(crate) fn roles_for(
    settings: &ConnectionSettings,
    actions: Vec<&'static str>,
) -> Result<RoleSettings, CliError> {
    let mut roles = settings.role_settings()?;
    if let SessionPolicy::Operations(more) = &mut roles.session_policy {
        *more = actions;
    }
    Ok(roles)
}

/// The roles that a run, plan or journal names, in the order in which they are tried.
pub(crate) fn recorded_roles(first: Option<&String>, all: &[String]) -> Vec<String> {
    if all.is_empty() {
        first.cloned().into_iter().collect()
    } else {
        all.to_vec()
    }
}
