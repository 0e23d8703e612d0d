//! The environment variables that trailproof itself reads. Further ones of AWS are read by its SDK.

use std::ffi::OsString;

use trailproof_scanner::Environment;

/// A variable's value, where it is set, not empty, and text.
#[allow(
    clippy::disallowed_methods,
    reason = "this is the one place that reads the environment"
)]
pub(crate) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// The program that shows long texts, where one is wanted.
#[allow(
    clippy::disallowed_methods,
    reason = "this is the one place that reads the environment"
)]
pub(crate) fn pager() -> Option<String> {
    let pager = std::env::var("PAGER").unwrap_or_else(|_| "less".to_owned());
    (!pager.trim().is_empty() && pager != "cat").then_some(pager)
}

/// What the environment says about how AWS is reached, and as whom.
#[allow(
    clippy::disallowed_methods,
    reason = "this is the one place that reads the environment"
)]
pub(crate) fn of_aws() -> Environment {
    let read = |name| -> Option<OsString> { std::env::var_os(name) };
    Environment::read(read)
}
