//! When the answers arrived that a run was judged by.

use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use trailproof_core::evidence::Evidence;

/// The time over which answers arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Observed {
    /// When the oldest arrived.
    #[schemars(with = "String")]
    pub first: Timestamp,
    /// When the newest arrived.
    #[schemars(with = "String")]
    pub last: Timestamp,
    /// How many answers were too old to count.
    #[serde(default, skip_serializing_if = "is_none_at_all")]
    pub too_old: usize,
}

impl Observed {
    /// Evidence that is older is worth a warning.
    pub const OLD: SignedDuration = SignedDuration::from_hours(7 * 24);

    /// The span of some evidence.
    pub fn of(evidence: &Evidence) -> Option<Self> {
        let span = evidence.observed()?;
        Some(Self {
            first: span.first,
            last: span.last,
            too_old: evidence.too_old(),
        })
    }

    /// What a reader should know of the age, each in a sentence without its full stop.
    pub fn warnings(&self, judged_at: Timestamp) -> Vec<String> {
        let time = |time: Timestamp| time.strftime("%Y-%m-%d %H:%M UTC");
        let mut warnings = Vec::new();
        if self.last > judged_at {
            warnings.push(format!(
                "the evidence has answers of {}, which is later than {}, the time that is judged \
                 for: the clock of the computer that recorded them, or that time, is wrong",
                time(self.last),
                time(judged_at)
            ));
        }
        let age = judged_at.duration_since(self.first);
        if age > Self::OLD {
            warnings.push(format!(
                "the oldest answer in the evidence is of {}, {} days before the time that is \
                 judged for: what was repaired or broken since is not in it",
                time(self.first),
                age.as_hours() / 24
            ));
        }
        warnings
    }
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde hands over a reference"
)]
fn is_none_at_all(count: &usize) -> bool {
    *count == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn age_is_told_from_a_week_on() {
        let time = |text: &str| text.parse::<Timestamp>().unwrap();
        let observed = Observed {
            first: time("2026-11-20T12:00:00Z"),
            last: time("2026-11-22T12:00:00Z"),
            too_old: 0,
        };
        for (judged_at, words) in [
            ("2026-11-22T12:00:00Z", &[][..]),
            ("2026-11-27T12:00:00Z", &[]),
            ("2026-11-28T12:00:00Z", &["8 days before"]),
            ("2026-11-22T11:59:59Z", &["later than"]),
        ] {
            let warnings = observed.warnings(time(judged_at));
            assert_eq!(warnings.len(), words.len(), "{judged_at}: {warnings:?}");
            for (warning, word) in warnings.iter().zip(words) {
                assert!(warning.contains(word), "{warning}");
            }
        }
    }
}
