//! `trailproof fix drill`.

use std::path::PathBuf;

use trailproof_report::remediation::drill::{DrillError, drill, drillable};
use trailproof_report::remediation::journal::Journal;
use trailproof_report::remediation::permissions;

use super::connection::connect;
use super::display;
use crate::clock;
use crate::commands::changing::{ConnectionArguments, confirm, recorded_roles};
use crate::error::CliError;
use crate::exit::Exit;
use crate::output::Output;
use crate::runtime::block_on;

/// Set one alarm that trailproof created to ALARM and back, so that people see the message arrive.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The journal of the plan that created the alarm.
    #[arg(value_name = "JOURNAL", default_value = "journal.ndjson")]
    journal: PathBuf,

    /// The site, as the plan names it: `ACCOUNT/REGION/LOG_GROUP`.
    #[arg(long, value_name = "SITE")]
    site: String,

    /// The alarm, where the site has several.
    #[arg(long, value_name = "NAME")]
    alarm: Option<String>,

    /// Do not ask.
    #[arg(long, short)]
    yes: bool,

    #[command(flatten)]
    connection: ConnectionArguments,
}

pub(super) fn run(arguments: &Arguments, output: &Output) -> Result<Exit, CliError> {
    let mut journal = Journal::reopen(&arguments.journal)?;
    let mut steps = drillable(&journal, &arguments.site);
    if let Some(wanted) = &arguments.alarm {
        steps.retain(|step| step.change.alarm_name() == Some(wanted));
    }
    let step = match steps.as_slice() {
        [step] => step.clone(),
        [] => {
            return Err(CliError::usage(format_args!(
                "the journal has no alarm that trailproof created at `{}`",
                arguments.site
            ))
            .hint("sites are named ACCOUNT/REGION/LOG_GROUP, as in the plan"));
        }
        several => {
            let names: Vec<_> = several
                .iter()
                .filter_map(|step| step.change.alarm_name())
                .collect();
            return Err(CliError::usage(format_args!(
                "the site has {} alarms: {}",
                several.len(),
                names.join(", ")
            ))
            .hint("name one with --alarm"));
        }
    };
    output.note(format_args!(
        "everybody who is subscribed gets a message: {}",
        display::step(&step)
    ));
    let header = journal.header();
    let roles = recorded_roles(header.role.as_ref(), &header.roles);
    let settings = arguments.connection.resolve(roles, output)?;
    confirm(2, "change", "make", arguments.yes, output)?;
    block_on(async {
        let aws = connect(
            &settings,
            permissions::of_drill(),
            arguments.connection.concurrency(),
            output,
        )
        .await?;
        Box::pin(drill(&aws, &mut journal, &step, clock::now))
            .await
            .map_err(|error| match error {
                DrillError::Journal(error) => CliError::from(error),
                DrillError::Alarm { .. } | DrillError::NotBack { .. } => CliError::failed(&error),
            })?;
        output.data(|to| {
            writeln!(
                to,
                "set to ALARM and back to OK: ask the people who are subscribed whether a message arrived"
            )
        })?;
        Ok(Exit::Success)
    })
}
