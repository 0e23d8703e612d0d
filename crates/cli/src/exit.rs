//! Exit codes: the whole list, and which findings give which.

use trailproof_core::finding::{Status, Summary};
use trailproof_core::policy::Assurance;

/// How the command ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Every finding is PASS, ATTESTED, MUTED or `NOT_APPLICABLE`; or the command judged nothing and worked.
    Success,
    /// At least one FAIL.
    Fail,
    /// Wrong usage, configuration or input.
    Usage,
    /// No FAIL, but at least one UNKNOWN.
    Unknown,
    /// The run could not start or finish.
    Failed,
    /// Interrupted by the user. What was found is written, marked incomplete.
    Interrupted,
}

impl Exit {
    /// The exit code of a complete run with these findings.
    /// They follow the status, or a yardstick where one is given.
    pub(crate) fn of(summary: &Summary, fail_on: Option<Assurance>) -> Self {
        let count = |status| match fail_on {
            Some(yardstick) => summary.count_by(yardstick, status),
            None => summary.count(status),
        };
        let present = Status::ALL.into_iter().filter(|&status| count(status) > 0);
        Self::of_statuses(present)
    }

    /// The exit code of findings of which only the statuses are known.
    pub(crate) fn of_statuses(statuses: impl IntoIterator<Item = Status>) -> Self {
        let worst = statuses.into_iter().filter_map(|status| match status {
            Status::Fail => Some(Self::Fail),
            Status::Unknown => Some(Self::Unknown),
            _ => None,
        });
        worst.fold(Self::Success, |worst, exit| match worst {
            Self::Fail => worst,
            _ => exit,
        })
    }

    /// The number the shell sees.
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Success => 0,
            Self::Fail => 1,
            Self::Usage => 2,
            Self::Unknown => 3,
            Self::Failed => 4,
            Self::Interrupted => 130,
        }
    }
}

impl From<Exit> for std::process::ExitCode {
    fn from(exit: Exit) -> Self {
        exit.code().into()
    }
}
