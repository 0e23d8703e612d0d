//! Progress on a terminal: one bar for accounts, one for regions, and the counts so far.

use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use trailproof_core::finding::Status;
use trailproof_scanner::ScanEvent;

use super::tally::{Clock, Tally};

/// The bars.
pub(super) struct Bars {
    all: MultiProgress,
    accounts: ProgressBar,
    regions: ProgressBar,
    counts: ProgressBar,
}

impl Bars {
    /// Draws empty bars.
    pub(super) fn new(color: bool) -> Self {
        let all = MultiProgress::new();
        let bar = |prefix: &'static str| {
            let bar = all.add(ProgressBar::new(0));
            let template = if color {
                "{prefix:9} {bar:40.cyan/dim} {pos}/{len} {msg}"
            } else {
                "{prefix:9} {bar:40} {pos}/{len} {msg}"
            };
            bar.set_style(style(template).progress_chars("=> "));
            bar.set_prefix(prefix);
            bar
        };
        let accounts = bar("accounts");
        let regions = bar("regions");
        let counts = all.add(ProgressBar::new_spinner());
        counts.set_style(style("{spinner} {msg}"));
        counts.enable_steady_tick(Duration::from_millis(120));
        Self {
            all,
            accounts,
            regions,
            counts,
        }
    }

    /// Draws what changed. The bars themselves limit how often the terminal is written to.
    pub(super) fn draw(&self, tally: &Tally, event: &ScanEvent) {
        self.accounts.set_length(tally.accounts as u64);
        self.accounts.set_position(tally.accounts_done as u64);
        self.regions.set_length(tally.regions as u64);
        self.regions.set_position(tally.regions_done as u64);
        if matches!(
            event,
            ScanEvent::Progress(_) | ScanEvent::AccountDone { .. }
        ) {
            let left = tally
                .time_left()
                .map(|left| format!(", {} left", Clock(left)));
            self.accounts.set_message(left.unwrap_or_default());
            self.counts.set_message(format!(
                "PASS {}  FAIL {}  UNKNOWN {}  calls {}  throttled {}",
                tally.count(Status::Pass),
                tally.count(Status::Fail),
                tally.count(Status::Unknown),
                tally.calls,
                tally.throttles,
            ));
        }
    }

    /// Does something that writes to the terminal, with the bars out of the way.
    pub(super) fn suspend<T>(&self, action: impl FnOnce() -> T) -> T {
        self.all.suspend(action)
    }

    /// Removes the bars.
    pub(super) fn finish(self) {
        self.counts.finish_and_clear();
        self.regions.finish_and_clear();
        self.accounts.finish_and_clear();
    }
}

fn style(template: &str) -> ProgressStyle {
    // The templates above are valid; a plain bar is better than a crash all the same.
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}
