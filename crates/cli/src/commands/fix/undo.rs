//! `trailproof fix undo`.

use std::fmt::Write as _;
use std::ops::ControlFlow;
use std::path::PathBuf;

use trailproof_report::remediation::journal::Journal;
use trailproof_report::remediation::permissions;
use trailproof_report::remediation::undo::{UndoOptions, UndoOutcome, UndoSummary, Undoable, undo};

use super::connection::connect;
use super::display;
use crate::clock;
use crate::commands::changing::{ConnectionArguments, confirm, count, recorded_roles};
use crate::error::CliError;
use crate::exit::Exit;
use crate::interrupt::Interrupt;
use crate::output::Output;
use crate::runtime::block_on;
use crate::untrusted::visible;

/// Take back what a plan created, latest first.
///
/// Only what the journal says was created, and only if it is still as it was created and nobody
/// else has come to use it; everything else is left, and why is said. Doing it again changes
/// nothing.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The journal of the plan.
    #[arg(value_name = "JOURNAL")]
    journal: PathBuf,

    /// Do not ask.
    #[arg(long, short)]
    yes: bool,

    /// With --yes: also take back subscriptions to topics that the plan did not create, and
    /// statements that it added to their policies.
    #[arg(long, requires = "yes")]
    shared_topics: bool,

    #[command(flatten)]
    connection: ConnectionArguments,
}

pub(super) fn run(arguments: &Arguments, output: &Output) -> Result<Exit, CliError> {
    let mut journal = Journal::reopen(&arguments.journal)?;
    let steps = Undoable::of(&journal);
    if steps.steps().next().is_none() {
        output.data(|to| writeln!(to, "there is nothing to take back"))?;
        return Ok(Exit::Success);
    }
    let Undoable {
        own,
        on_shared_topics: shared,
    } = &steps;
    for step in own {
        output.note(format_args!("- {}", display::step(step)));
    }
    if !shared.is_empty() {
        output.note("on topics that the plan did not create:");
    }
    for step in shared {
        output.note(format_args!("- {}", display::step(step)));
    }
    let header = journal.header();
    let roles = recorded_roles(header.role.as_ref(), &header.roles);
    let settings = arguments.connection.resolve(roles, output)?;
    if !own.is_empty() {
        confirm(own.len(), "change", "take back", arguments.yes, output)?;
    }
    let shared_topics = match (shared.len(), arguments.yes) {
        (0, _) => false,
        (_, true) => arguments.shared_topics,
        (count, false) => {
            let verb = "take back from topics that the plan did not create";
            confirm(count, "change", verb, false, output).map(|()| true)?
        }
    };
    block_on(async {
        let interrupt = Interrupt::listen(output);
        let aws = connect(
            &settings,
            permissions::of_undo(steps.steps()),
            arguments.connection.concurrency(),
            output,
        )
        .await?;
        let options = UndoOptions {
            concurrency: arguments.connection.concurrency(),
            clock: clock::now,
            shared_topics,
        };
        let summary = undo(&aws, &mut journal, options, |event| {
            let line = display::step(&event.step);
            match &event.outcome {
                UndoOutcome::Removed => output.note(format_args!("removed {line}")),
                UndoOutcome::Gone => output.note(format_args!("gone already: {line}")),
                UndoOutcome::Left(reason) => output.warn(format_args!("left {line}: {reason}")),
            }
            if interrupt.is_requested() {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        })
        .await?;
        let text = text(&summary);
        output.data(|to| writeln!(to, "{text}"))?;
        Ok(if summary.interrupted {
            Exit::Interrupted
        } else if summary.left.is_empty() {
            Exit::Success
        } else {
            Exit::Failed
        })
    })
}

fn text(summary: &UndoSummary) -> String {
    let mut text = format!(
        "{} taken back, {} gone already, {} left",
        count(summary.removed, "change"),
        summary.gone,
        summary.left.len()
    );
    for (step, reason) in &summary.left {
        // Writing to a String cannot fail.
        let _ = write!(text, "\n  {}: {}", visible(step), visible(reason));
    }
    text
}
