//! The connection over which accounts are changed.

use trailproof_core::policy::Policy;
use trailproof_report::remediation::aws::Aws;
use trailproof_scanner::ScanPlan;

use crate::commands::changing::roles_for;
use crate::error::CliError;
use crate::output::Output;
use crate::settings::ConnectionSettings;

/// Connects, and checks who is calling. The sessions of roles may do these actions beside reading,
/// and nothing else.
pub(super) async fn connect(
    settings: &ConnectionSettings,
    actions: Vec<&'static str>,
    concurrency: usize,
    output: &Output,
) -> Result<Aws, CliError> {
    let roles = roles_for(settings, actions)?;
    let aws = Aws::connect(&settings.connect_options()?, &roles, concurrency).await?;
    output.note(format_args!("connected as account {}", aws.caller()));
    Ok(aws)
}

/// A scan over the same connection.
pub(super) fn scan_plan(
    settings: &ConnectionSettings,
    policy: Policy,
) -> Result<ScanPlan, CliError> {
    let mut plan = ScanPlan::new(policy);
    plan.connection = settings.connect_options()?;
    plan.role = settings.role_settings()?;
    Ok(plan)
}
