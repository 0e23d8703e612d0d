//! How accounts are judged.

use serde::Deserialize;
use trailproof_core::control::{self, Control};
use trailproof_core::policy::Policy;

use super::values::{Age, AssuranceName};
use super::{list_or_file, or_file};
use crate::error::CliError;

/// The control that is judged when none is named.
const DEFAULT_CONTROL: &str = "console-auth-failures";

/// What is judged, and how strictly.
#[derive(Debug, Clone, Default, clap::Args, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
#[command(next_help_heading = "Policy")]
pub(crate) struct PolicySettings {
    /// The controls to judge, by id, or `all` [default: console-auth-failures].
    ///
    /// In the configuration file the key is `controls`: `[[control]]` defines one.
    #[arg(long = "control", value_name = "ID", value_delimiter = ',', num_args = 1..)]
    pub(crate) controls: Vec<String>,

    /// The version of the CIS AWS Foundations Benchmark whose numbers and patterns apply
    /// [default: 7.0.0]; also `latest`.
    #[arg(long, value_name = "VERSION")]
    pub(crate) benchmark: Option<String>,

    /// What a finding's status says: the benchmark's audit steps to the letter, whether the
    /// message would arrive, or the worse of the two [default: both].
    #[arg(long, value_enum)]
    pub(crate) assurance: Option<AssuranceName>,

    /// Which yardstick the exit code follows, apart from what a finding's status says [default: the
    /// status].
    #[arg(long, value_enum, value_name = "YARDSTICK")]
    pub(crate) fail_on: Option<AssuranceName>,

    /// How old the last delivery to CloudWatch Logs may be when it is observed, such as 36h
    /// [default: 24h].
    #[arg(long, value_name = "AGE")]
    pub(crate) max_delivery_age: Option<Age>,

    /// The longest time over which events may have to keep coming before an alarm fires, such as
    /// 30m [default: 1h].
    #[arg(long, value_name = "AGE")]
    pub(crate) max_window: Option<Age>,

    /// How long an alarm may have been in ALARM when it is observed, such as 3d [default: 7d].
    #[arg(long, value_name = "AGE")]
    pub(crate) max_alarm_age: Option<Age>,

    /// How old an answer of AWS may be at the time that is judged for, such as 30d: older ones
    /// count as never given [default: any age].
    #[arg(long, value_name = "AGE")]
    pub(crate) max_evidence_age: Option<Age>,

    /// Accept the owner's organization trail as proof that members are covered which cannot be
    /// entered.
    #[arg(
        long,
        value_name = "BOOL",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "true",
        hide_possible_values = true
    )]
    pub(crate) trust_organization_trail: Option<bool>,
}

impl PolicySettings {
    /// These settings, with what they leave open taken from the file.
    pub(crate) fn or(mut self, file: Self) -> Self {
        let Self {
            controls,
            benchmark,
            assurance,
            fail_on,
            max_delivery_age,
            max_window,
            max_alarm_age,
            max_evidence_age,
            trust_organization_trail,
        } = file;
        list_or_file(&mut self.controls, controls);
        or_file(&mut self.benchmark, benchmark);
        or_file(&mut self.assurance, assurance);
        or_file(&mut self.fail_on, fail_on);
        or_file(&mut self.max_delivery_age, max_delivery_age);
        or_file(&mut self.max_window, max_window);
        or_file(&mut self.max_alarm_age, max_alarm_age);
        or_file(&mut self.max_evidence_age, max_evidence_age);
        or_file(&mut self.trust_organization_trail, trust_organization_trail);
        self
    }

    /// Whether anything is set.
    pub(crate) fn is_empty(&self) -> bool {
        self.controls.is_empty()
            && self.benchmark.is_none()
            && self.assurance.is_none()
            && self.fail_on.is_none()
            && self.max_delivery_age.is_none()
            && self.max_window.is_none()
            && self.max_alarm_age.is_none()
            && self.max_evidence_age.is_none()
            && self.trust_organization_trail.is_none()
    }

    /// The policy, with `base` deciding what these settings leave open.
    pub(crate) fn over(&self, base: Policy, catalogue: &[Control]) -> Result<Policy, CliError> {
        let mut policy = base;
        if !self.controls.is_empty() {
            policy.controls = select(catalogue, &self.controls)?;
        }
        if let Some(benchmark) = &self.benchmark {
            let version = control::version(benchmark).map_err(|error| {
                CliError::usage(error).hint("leave out --benchmark for the default, 7.0.0")
            })?;
            version.clone_into(&mut policy.benchmark);
        }
        if let Some(assurance) = self.assurance {
            policy.assurance = assurance.into();
        }
        if let Some(Age(age)) = self.max_delivery_age {
            policy.max_delivery_age = age;
        }
        if let Some(Age(window)) = self.max_window {
            policy.max_window = window;
        }
        if let Some(Age(age)) = self.max_alarm_age {
            policy.max_alarm_age = age;
        }
        if let Some(Age(age)) = self.max_evidence_age {
            policy.max_evidence_age = Some(age);
        }
        if let Some(trust) = self.trust_organization_trail {
            policy.trust_organization_trail = trust;
        }
        Ok(policy)
    }

    /// The policy of these settings alone.
    pub(crate) fn policy(&self, catalogue: &[Control]) -> Result<Policy, CliError> {
        let default = select(catalogue, &[DEFAULT_CONTROL.to_owned()])?;
        self.over(Policy::new(default), catalogue)
    }
}

fn select(catalogue: &[Control], ids: &[String]) -> Result<Vec<Control>, CliError> {
    control::select(catalogue, ids).map_err(|error| {
        CliError::usage(error).hint("list the controls with `trailproof controls list`")
    })
}
