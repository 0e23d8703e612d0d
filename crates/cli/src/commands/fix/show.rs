//! `trailproof fix show`.

use std::path::PathBuf;

use super::plan_text::{Format, Shown};
use super::{files, plan_text};
use crate::clock;
use crate::error::CliError;
use crate::exit::Exit;
use crate::output::Output;

/// Print a plan again. Calls nobody.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The plan.
    #[arg(value_name = "PLAN")]
    plan: PathBuf,

    #[command(flatten)]
    display: DisplayArguments,
}

/// How a plan is shown.
#[derive(Debug, Clone, Copy, clap::Args)]
pub(super) struct DisplayArguments {
    /// List every site of sites that are changed in the same way.
    #[arg(long)]
    list_sites: bool,

    /// How the plan is printed; the file is JSON in any case.
    #[arg(long, value_enum, default_value = "text", value_name = "FORMAT")]
    format: Format,
}

impl DisplayArguments {
    /// The plan, as it is to be shown.
    pub(super) fn show(self, plan: &trailproof_report::remediation::Plan) -> String {
        let shown = Shown {
            plan,
            list_sites: self.list_sites,
            now: clock::now(),
        };
        plan_text::in_format(shown, self.format)
    }
}

pub(super) fn run(arguments: &Arguments, output: &Output) -> Result<Exit, CliError> {
    let plan = files::read_plan(&arguments.plan)?;
    let text = arguments.display.show(&plan);
    output.data(|to| writeln!(to, "{text}"))?;
    Ok(Exit::Success)
}
