//! Progress where there is no terminal: a line now and then, so that a log stays short.

use std::time::Duration;

use super::tally::Tally;

/// How long nothing is said.
const INTERVAL: Duration = Duration::from_secs(10);

/// When the last line was said, in the scan's own time.
#[derive(Debug, Default)]
pub(super) struct Lines {
    last: Duration,
}

impl Lines {
    /// The line to say now, if one is due.
    pub(super) fn due(&mut self, tally: &Tally) -> Option<String> {
        if tally.elapsed < self.last + INTERVAL {
            return None;
        }
        self.last = tally.elapsed;
        Some(tally.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_every_ten_seconds() {
        let mut lines = Lines::default();
        let at = |seconds| Tally {
            elapsed: Duration::from_secs(seconds),
            ..Tally::default()
        };
        let said: Vec<u64> = [1, 9, 10, 11, 19, 21, 30, 31]
            .into_iter()
            .filter(|seconds| lines.due(&at(*seconds)).is_some())
            .collect();
        assert_eq!(said, [10, 21, 31]);
    }
}
