//! `trailproof export`: renders a past run in other formats.

use std::path::PathBuf;

use clap::builder::PossibleValuesParser;
use trailproof_core::evidence::Evidence;
use trailproof_report::findings::Findings;
use trailproof_report::format::{self, Format, Report};
use trailproof_report::formats::Asff;
use trailproof_report::past::PastRun;
use trailproof_report::run::{RunDirectory, read_evidence};

use super::{hub_region, past_run};
use crate::error::CliError;
use crate::exit::Exit;
use crate::output::Output;
use crate::settings::RegionName;

/// Write a past run in other formats, without judging it again.
///
/// The reports go into the folder of the run, unless --out names another folder, or `-` for
/// stdout.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The folder of a run.
    run: PathBuf,

    /// The formats.
    #[arg(
        long,
        required = true,
        value_name = "FORMAT",
        value_delimiter = ',',
        num_args = 1..,
        value_parser = PossibleValuesParser::new(format::ALL.iter().map(|format| format.name()))
    )]
    format: Vec<String>,

    /// Another folder for the reports, or `-` to write one to stdout.
    #[arg(long, short, value_name = "DIR")]
    out: Option<PathBuf>,

    /// In asff: the region whose Security Hub is to have the findings [default: the home region of
    /// the partition].
    #[arg(long)]
    region: Option<RegionName>,

    /// Write pseudonyms in place of the addresses of subscriptions and accounts.
    #[arg(long)]
    mask_endpoints: bool,
}

pub(crate) fn run(arguments: Arguments, output: &Output) -> Result<Exit, CliError> {
    let Arguments {
        run: path,
        format: names,
        out,
        region,
        mask_endpoints,
    } = arguments;
    let PastRun { mut run, findings } = past_run(&path)?;
    let with_region = region.is_some();
    let region = hub_region(&run, region.map(|region| region.0))?;
    let asff = Asff::in_region(Some(region));
    let mut formats: Vec<&dyn Format> = Vec::new();
    for format in names.iter().filter_map(|name| format::by_name(name)) {
        if !formats.iter().any(|known| known.name() == format.name()) {
            formats.push(if format.name() == asff.name() {
                &asff
            } else {
                format
            });
        }
    }
    if with_region && !formats.iter().any(|format| format.name() == asff.name()) {
        return Err(CliError::usage("--region is for --format asff"));
    }
    run.mask_endpoints |= mask_endpoints;
    let evidence = if formats.iter().any(|format| format.reads_evidence()) {
        let (evidence, _) = read_evidence(&path, run.policy.oldest(), run.addresses())
            .map_err(|error| CliError::usage(&error).hint(error.remedy()))?;
        evidence
    } else {
        Evidence::default()
    };
    let findings = Findings::kept(findings);
    let report = Report {
        run: &run,
        findings: &findings,
        evidence: &evidence,
    };
    if out.as_deref() == Some(std::path::Path::new("-")) {
        let [format] = formats.as_slice() else {
            return Err(CliError::usage(
                "--out - writes one report to stdout, and needs one --format",
            ));
        };
        output.data(|out| format.write(&report, out))?;
        return Ok(Exit::Success);
    }
    let directory = match &out {
        Some(folder) => RunDirectory::plain(folder)?,
        None if path.is_dir() => RunDirectory::open(&path)?.0,
        None => {
            return Err(CliError::usage("there is no folder to write to")
                .hint("name one with --out DIR, or write to stdout with --out -"));
        }
    };
    let mut failed = None;
    for written in format::write_all(&formats, &report, &directory) {
        match written.result {
            Ok(path) => output.data(|out| writeln!(out, "{}", path.display()))?,
            Err(error) => {
                output.warn(format_args!(
                    "the {} report is missing: {error}",
                    written.format
                ));
                failed.get_or_insert(error);
            }
        }
    }
    failed.map_or(Ok(Exit::Success), |error| Err(error.into()))
}
