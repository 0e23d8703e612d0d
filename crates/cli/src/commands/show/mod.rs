//! `trailproof show`: the findings of a run on the terminal, by cause.

mod causes;

use std::path::PathBuf;

use trailproof_core::evidence::Evidence;
use trailproof_report::findings::Findings;
use trailproof_report::findings_csv::FindingsCsv;
use trailproof_report::findings_json::FindingsJson;
use trailproof_report::format::{Format, Report};
use trailproof_report::past::PastRun;

use super::past_run;
use super::selection::{Selected, SelectionArguments};
use crate::error::CliError;
use crate::exit::Exit;
use crate::output::Output;

/// Show the findings of a run, grouped by cause.
///
/// What fails and what is unknown is listed account by account, and the rest is counted, unless
/// --status asks for it. Several flags have to match together, several values of one flag are
/// alternatives. On a terminal, long lists go through $PAGER. The exit code is that of a scan with
/// the findings that are shown: 1 when one fails, 3 when one is unknown.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The folder of a run, or its findings.json.
    run: PathBuf,

    #[command(flatten)]
    selection: SelectionArguments,

    /// How to print: for people, as findings.json, or as findings.csv.
    #[arg(long, value_enum, default_value_t)]
    format: ShowFormat,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
enum ShowFormat {
    /// For people.
    #[default]
    Table,
    /// As findings.json.
    Json,
    /// As findings.csv.
    Csv,
}

#[allow(
    clippy::needless_pass_by_value,
    reason = "as its siblings, so that commands are called in one way"
)]
pub(crate) fn run(arguments: Arguments, output: &Output) -> Result<Exit, CliError> {
    let PastRun { run, findings } = past_run(&arguments.run)?;
    let Selected {
        findings,
        tags_unknown,
    } = arguments
        .selection
        .select(&arguments.run, &run, findings, output)?;
    let all = Findings::kept(&findings);
    let report = Report {
        run: &run,
        findings: &all,
        evidence: &Evidence::default(),
    };
    match arguments.format {
        ShowFormat::Json => output.data(|out| FindingsJson.write(&report, out))?,
        ShowFormat::Csv => output.data(|out| FindingsCsv.write(&report, out))?,
        ShowFormat::Table => {
            let every = !arguments.selection.status.is_empty();
            output.paged(&causes::render(&run, &findings, &arguments.run, every))?;
        }
    }
    Ok(match Exit::of(all.summary(), run.policy.fail_on) {
        Exit::Success if !run.complete || tags_unknown => Exit::Unknown,
        exit => exit,
    })
}
