//! What a scan shows while it runs: bars on a terminal, a line now and then otherwise.
//!
//! Both draw the same [`Tally`]. Neither is data: all of it goes to stderr.

mod bars;
mod lines;
mod tally;

use trailproof_scanner::ScanEvent;

use crate::output::Output;
use bars::Bars;
use lines::Lines;
use tally::Tally;

pub(crate) use tally::Clock;

/// The progress of a scan.
pub(crate) struct Progress {
    tally: Tally,
    display: Display,
    output: Output,
}

enum Display {
    Silent,
    Lines(Lines),
    Bars(Bars),
}

impl Progress {
    /// Starts to show progress, in the way that fits where stderr goes.
    pub(crate) fn start(output: &Output) -> Self {
        // Log lines and bars would tear each other apart.
        let display = if output.is_quiet() {
            Display::Silent
        } else if output.stderr_is_terminal() && output.verbosity() == 0 {
            Display::Bars(Bars::new(output.color()))
        } else {
            Display::Lines(Lines::default())
        };
        Self {
            tally: Tally::default(),
            display,
            output: output.clone(),
        }
    }

    /// Takes note of what happened and shows it.
    pub(crate) fn on_event(&mut self, event: &ScanEvent) {
        self.tally.add(event);
        match event {
            ScanEvent::Warning(warning) => {
                let output = &self.output;
                match &self.display {
                    Display::Bars(bars) => bars.suspend(|| output.warn(&warning.message)),
                    Display::Lines(_) | Display::Silent => output.warn(&warning.message),
                }
            }
            ScanEvent::Connected(caller) => self.note(format_args!(
                "connected as {} in {}",
                crate::untrusted::visible(&caller.arn),
                caller.region
            )),
            ScanEvent::Resumed { records } => {
                self.note(format_args!(
                    "{records} answers of the earlier run are kept"
                ));
            }
            ScanEvent::AccountsFound {
                accounts,
                complete: true,
            } => {
                let noun = if *accounts == 1 {
                    "account"
                } else {
                    "accounts"
                };
                self.note(format_args!("{accounts} {noun} to look at"));
            }
            _ => {}
        }
        match &mut self.display {
            Display::Silent => {}
            Display::Lines(lines) => {
                if let Some(line) = lines.due(&self.tally) {
                    self.output.note(line);
                }
            }
            Display::Bars(bars) => bars.draw(&self.tally, event),
        }
    }

    /// Stops showing progress and leaves the terminal clean.
    pub(crate) fn finish(self) {
        if let Display::Bars(bars) = self.display {
            bars.finish();
        }
    }

    fn note(&self, text: std::fmt::Arguments<'_>) {
        match &self.display {
            Display::Bars(bars) => bars.suspend(|| self.output.note(text)),
            Display::Lines(_) | Display::Silent => self.output.note(text),
        }
    }
}
