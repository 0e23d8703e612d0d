//! The environment variables that trailproof itself reads. Those of AWS are read by the AWS SDK.

/// A variable's value, where it is set, not empty, and text.
#[allow(
    clippy::disallowed_methods,
    reason = "this is the one place that reads the environment"
)]
pub(crate) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}
