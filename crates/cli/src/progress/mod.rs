//! What a scan shows while it runs: bars on a terminal, a line now and then otherwise.
//!
//! Both draw the same [`Tally`]. Neither is data: all of it goes to stderr.

mod bars;
mod lines;
mod tally;

use trailproof_core::account::AccountId;
use trailproof_scanner::{Caller, RoleTemplate, ScanEvent};

use crate::output::Output;
use crate::untrusted::visible;
use bars::Bars;
use lines::Lines;
use tally::Tally;

pub(crate) use tally::Clock;

/// Who asks, by which roles, about which organization: the first line of progress and summary.
pub(crate) fn identity(
    arn: &str,
    roles: &str,
    organization: Option<(Option<&str>, AccountId)>,
) -> String {
    let organization = match organization {
        Some((Some(id), management)) => {
            format!(", organization {} of {management}", visible(id))
        }
        Some((None, management)) => format!(", organization of {management}"),
        None => String::new(),
    };
    format!("{}, {roles}{organization}", visible(arn))
}

/// Roles as people name them: what is the same in every ARN left out.
pub(crate) fn words<'a>(roles: impl Iterator<Item = &'a str>) -> String {
    let names: Vec<&str> = roles.map(role_name).collect();
    let noun = if names.len() == 1 { "role" } else { "roles" };
    format!("{noun} {}", visible(&names.join(", ")))
}

/// The path and name of a role's ARN.
pub(crate) fn role_name(arn: &str) -> &str {
    arn.split_once(":role/").map_or(arn, |(_, name)| name)
}

/// The progress of a scan.
pub(crate) struct Progress {
    tally: Tally,
    display: Display,
    output: Output,
    /// The roles that are tried, in words.
    roles: String,
    caller: Option<Caller>,
}

enum Display {
    Silent,
    Lines(Lines),
    Bars(Bars),
}

impl Progress {
    /// Starts to show progress, in the way that fits where stderr goes.
    pub(crate) fn start(roles: &[RoleTemplate], output: &Output) -> Self {
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
            roles: words(roles.iter().map(RoleTemplate::as_str)),
            caller: None,
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
            ScanEvent::Connected(caller) => self.caller = Some(caller.clone()),
            // Who it is and what may be seen stand in one line, once both are known.
            ScanEvent::Organization(organization) => {
                if let Some(caller) = self.caller.take() {
                    let organization = organization
                        .as_ref()
                        .map(|known| (known.id.as_deref(), known.management));
                    self.note(format_args!(
                        "{} in {}",
                        identity(&caller.arn, &self.roles, organization),
                        caller.region
                    ));
                }
            }
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
