//! `trailproof show`: the findings of a run on the terminal, by cause.

mod causes;
mod select;

use std::path::PathBuf;

use clap::builder::PossibleValuesParser;
use trailproof_core::evidence::Evidence;
use trailproof_core::finding::{LinkName, Summary};
use trailproof_report::findings_csv::FindingsCsv;
use trailproof_report::findings_json::FindingsJson;
use trailproof_report::format::{Format, Report};
use trailproof_report::past::PastRun;

use super::past_run;
use crate::error::CliError;
use crate::exit::Exit;
use crate::output::Output;
use crate::settings::Tag;

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

    /// Only findings with these statuses, such as fail,unknown.
    #[arg(
        long,
        value_name = "STATUS",
        value_delimiter = ',',
        num_args = 1..,
        ignore_case = true,
        value_parser = PossibleValuesParser::new(select::STATUSES)
    )]
    status: Vec<String>,

    /// Only findings whose chain breaks at these links, such as subscription.
    #[arg(
        long,
        value_name = "LINK",
        value_delimiter = ',',
        num_args = 1..,
        value_parser = PossibleValuesParser::new(
            std::iter::once(LinkName::Account).chain(LinkName::CHAIN).map(LinkName::as_str)
        )
    )]
    link: Vec<String>,

    /// Only findings with these reasons, such as subscription.pending.
    #[arg(long, value_name = "REASON", value_delimiter = ',', num_args = 1..)]
    reason: Vec<String>,

    /// Only accounts below these organizational units: by id, by a path of ids, by name, or by the
    /// names from the root down (Workloads/Prod).
    #[arg(long, value_name = "UNIT", value_delimiter = ',', num_args = 1..)]
    ou: Vec<String>,

    /// Only these controls: by id, by number (5.6), or by the id that Security Hub has for it
    /// (CloudWatch.6).
    #[arg(long, value_name = "CONTROL", value_delimiter = ',', num_args = 1..)]
    control: Vec<String>,

    /// Only accounts with all of these tags, which the evidence of the run has to tell.
    #[arg(long, value_name = "KEY=VALUE", value_delimiter = ',', num_args = 1..)]
    tag: Vec<Tag>,

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
    let select::Selected {
        findings,
        tags_unknown,
    } = select::select(&arguments, &run, findings, output)?;
    let summary = Summary::of(&findings);
    let report = Report {
        run: &run,
        summary: &summary,
        findings: &findings,
        evidence: &Evidence::default(),
    };
    match arguments.format {
        ShowFormat::Json => output.data(|out| FindingsJson.write(&report, out))?,
        ShowFormat::Csv => output.data(|out| FindingsCsv.write(&report, out))?,
        ShowFormat::Table => {
            let all = !arguments.status.is_empty();
            output.paged(&causes::render(&report, &arguments.run, all))?;
        }
    }
    Ok(match Exit::of(&summary, run.policy.fail_on) {
        Exit::Success if !run.complete || tags_unknown => Exit::Unknown,
        exit => exit,
    })
}
