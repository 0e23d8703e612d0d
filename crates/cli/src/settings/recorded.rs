//! The settings of an earlier run, from its `run.json`, to continue or to judge it again.

use trailproof_core::control::{self, Control};
use trailproof_core::policy::Policy;
use trailproof_report::run::{Run, Scope};

use super::ScopeSettings;
use super::values::RegionName;
use crate::error::CliError;

/// The policy a run was judged by.
pub(crate) fn recorded_policy(run: &Run) -> Result<Policy, CliError> {
    let catalogue = control::with_custom(run.policy.custom_controls.clone())
        .map_err(|error| damaged(&error))?;
    let controls: Vec<Control> =
        control::select(&catalogue, &run.policy.controls).map_err(|error| damaged(&error))?;
    Ok(run.policy.to_policy(controls, &run.scope))
}

/// The accounts and regions a run looked at.
pub(crate) fn recorded_scope(scope: &Scope) -> Result<ScopeSettings, CliError> {
    let filter = |name: &str| scope.account_filters.get(name).cloned().unwrap_or_default();
    let regions = |regions: &[trailproof_core::account::Region]| {
        regions.iter().cloned().map(RegionName).collect()
    };
    Ok(ScopeSettings {
        accounts: parsed(&filter("accounts"))?,
        accounts_file: None,
        current_account: !filter("current-account").is_empty(),
        exclude_accounts: parsed(&filter("exclude-accounts"))?,
        ou: filter("ou"),
        exclude_ou: filter("exclude-ou"),
        tag: parsed(&filter("tag"))?,
        regions: regions(&scope.regions),
        exclude_regions: regions(&scope.exclude_regions),
        shard: scope.shard.clone(),
    })
}

fn parsed<T: std::str::FromStr<Err: std::fmt::Display>>(
    texts: &[String],
) -> Result<Vec<T>, CliError> {
    texts
        .iter()
        .map(|text| text.parse().map_err(|error| damaged(&error)))
        .collect()
}

fn damaged(error: &dyn std::fmt::Display) -> CliError {
    CliError::usage(format_args!("the run's run.json cannot be used: {error}"))
        .hint("it may have been written by another version of trailproof, or changed since")
}
