//! `trailproof explain`: one finding in full, one control, one reason, or one observation.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

use trailproof_core::control::{self, builtin};
use trailproof_core::evidence::Operation;
use trailproof_core::finding::{Finding, LinkStatus};
use trailproof_report::past::PastRun;
use trailproof_report::provenance::{Provenance, Source};
use trailproof_report::run::{RunDirectory, file};

use super::controls::describe;
use super::past_run;
use crate::error::CliError;
use crate::exit::Exit;
use crate::output::Output;
use crate::settings::ConfigurationArguments;
use crate::untrusted::{visible, visible_lines};

/// Explain one finding of a run in full, one control, one reason, or one observation.
///
/// `trailproof explain RUN 111111111111/console-auth-failures` shows a finding: the whole chain,
/// what was asked of AWS, what was missing, and the next step. An account instead of a finding
/// shows all of its findings. `trailproof explain console-auth-failures` shows what a control
/// means and what is accepted, `trailproof explain subscription.pending` what a reason means and
/// what to do about it, and `trailproof explain topic.fifo` what an observation means.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The folder of a run, and a finding or an account; or a control, a reason, an observation or a link.
    #[arg(required = true, num_args = 1..=2, value_names = ["RUN", "FINDING"])]
    what: Vec<String>,

    /// The benchmark version, when a control is explained.
    #[arg(long, value_name = "VERSION", default_value = "6.0.0")]
    benchmark: String,

    #[command(flatten)]
    configuration: ConfigurationArguments,
}

pub(crate) fn run(arguments: Arguments, output: &Output) -> Result<Exit, CliError> {
    let Arguments {
        what,
        benchmark,
        configuration,
    } = arguments;
    match what.as_slice() {
        [run, wanted] => explain_finding(Path::new(run), wanted, output),
        [id] => {
            if id.contains('/') && !Path::new(id).exists() {
                return Err(CliError::usage(format_args!("which run is `{id}` of?"))
                    .hint(format_args!("trailproof explain RUN {id}")));
            }
            if let Some(text) = crate::links::describe(id) {
                output.data(|out| write!(out, "{text}"))?;
                return Ok(Exit::Success);
            }
            let version = control::version(&benchmark).map_err(CliError::usage)?;
            let catalogue = configuration.load(output)?.catalogue()?;
            let control = super::controls::find(&catalogue, id).map_err(|error| {
                if !RunDirectory::is_run(Path::new(id)) {
                    return error;
                }
                CliError::usage(format_args!("which finding of `{id}` is to be explained?")).hint(
                    format_args!(
                        "name one, or an account: trailproof explain {id} \
                         111111111111/console-auth-failures"
                    ),
                )
            })?;
            output.data(|out| write!(out, "{}", describe(&control, version)))?;
            Ok(Exit::Success)
        }
        _ => Err(CliError::usage("name a run and a finding, or a control")),
    }
}

fn explain_finding(path: &Path, wanted: &str, output: &Output) -> Result<Exit, CliError> {
    let PastRun { run, findings } = past_run(path)?;
    let found: Vec<&Finding> = findings
        .iter()
        .filter(|finding| finding.id == wanted || finding.account.id.to_string() == wanted)
        .collect();
    if found.is_empty() {
        let example = findings.first().map_or("", |finding| finding.id.as_str());
        return Err(
            CliError::usage(format_args!("the run has no finding `{wanted}`"))
                .hint(format_args!("findings are named as `{example}`")),
        );
    }
    let provenance = provenance(&path.join(file::EVIDENCE));
    let controls = builtin().iter().chain(&run.policy.custom_controls);
    for finding in &found {
        let pattern = controls
            .clone()
            .find(|control| control.id == finding.control.id)
            .map(|control| control.pattern_for(&run.policy.benchmark));
        let text = explain(finding, pattern);
        output.data(|out| write!(out, "{text}"))?;
    }
    if let (Some(provenance), Some(finding)) = (&provenance, found.first()) {
        let text = asked(&provenance.of(finding.account.id));
        output.data(|out| write!(out, "{text}"))?;
    }
    Ok(Exit::Success)
}

/// What was asked, where the evidence is still there. Explaining goes on without it.
fn provenance(path: &PathBuf) -> Option<Provenance> {
    let file = File::open(path).ok()?;
    Provenance::read(BufReader::new(file)).ok()
}

fn explain(finding: &Finding, pattern: Option<&str>) -> String {
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = explain_into(&mut text, finding, pattern);
    text
}

fn explain_into(text: &mut String, finding: &Finding, pattern: Option<&str>) -> std::fmt::Result {
    let name = finding
        .account
        .name
        .as_deref()
        .map(visible)
        .unwrap_or_default();
    let number = finding.control.number.as_deref().unwrap_or_default();
    writeln!(text, "{} {}", finding.status, visible(&finding.id))?;
    writeln!(text, "  account   {} {name}", finding.account.id)?;
    if let Some(path) = &finding.account.ou_path {
        writeln!(text, "  unit      {}", visible(path))?;
    }
    writeln!(
        text,
        "  control   {} ({} {number})",
        visible(&finding.control.title),
        visible(&finding.control.benchmark)
    )?;
    writeln!(
        text,
        "  verdicts  {} by the benchmark's audit steps; {} by whether the message would arrive",
        finding.assurance.cis, finding.assurance.effective
    )?;
    if let Some(reason) = &finding.reason {
        writeln!(text, "  reason    {}", visible(reason))?;
    }
    writeln!(text, "\n{}", visible(&finding.message))?;
    if let Some(muted) = &finding.muted {
        writeln!(
            text,
            "\nAccepted ({}) until {} by {}: {}",
            muted.status,
            muted.expires,
            visible(&muted.owner),
            visible(&muted.justification)
        )?;
    }
    if !finding.chain.is_empty() {
        writeln!(text, "\nThe chain:")?;
    }
    for link in &finding.chain {
        let (mark, word) = match link.status {
            LinkStatus::Pass => ("+", "PASS"),
            LinkStatus::Fail => ("x", "FAIL"),
            LinkStatus::Unknown => ("?", "UNKNOWN"),
            LinkStatus::NotEvaluated => {
                // There is nothing more to say about it than why.
                writeln!(text, "  . {:<14} {}", link.link, visible(&link.detail))?;
                continue;
            }
        };
        writeln!(text, "  {mark} {:<14} {word}", link.link)?;
        if let Some(resource) = &link.resource {
            writeln!(text, "      {}", visible(resource))?;
        }
        let account = link.account.map(|account| account.to_string());
        let region = link.region.as_ref().map(|region| visible(region.as_str()));
        let place: Vec<String> = account.into_iter().chain(region).collect();
        if !place.is_empty() {
            writeln!(text, "      {}", place.join(" "))?;
        }
        if !link.detail.is_empty() {
            writeln!(text, "      {}", visible(&link.detail))?;
        }
    }
    for observation in &finding.observations {
        writeln!(
            text,
            "\nWorth knowing: {} ({})",
            visible(&observation.message),
            visible(&observation.code)
        )?;
    }
    if let Some(pattern) = pattern {
        writeln!(
            text,
            "\nWhat the filters have to cover:\n  {}",
            visible(pattern)
        )?;
    }
    if let Some(witness) = &finding.witness {
        let event = serde_json::to_string_pretty(witness).unwrap_or_default();
        writeln!(text, "\nAn event that shows it:\n{}", visible_lines(&event))?;
    }
    if let Some(remediation) = &finding.remediation {
        writeln!(text, "\nNext step: {}", visible(&remediation.summary))?;
        if remediation.automatic {
            writeln!(text, "  `trailproof fix plan` can prepare it")?;
        }
        for command in &remediation.commands {
            writeln!(text, "  {}", visible_lines(command))?;
        }
    }
    writeln!(text)
}

/// What was asked of AWS: answers by operation, refusals one by one.
fn asked(sources: &[&Source]) -> String {
    let mut text = String::from("What was asked of AWS:\n");
    let mut answered: BTreeMap<(Operation, String, Option<&str>), Vec<&Source>> = BTreeMap::new();
    for source in sources.iter().filter(|source| source.error.is_none()) {
        let key = (
            source.operation,
            source.account.to_string(),
            source.subject.as_deref(),
        );
        answered.entry(key).or_default().push(source);
    }
    for ((operation, account, subject), group) in &answered {
        let place = match group.as_slice() {
            [one] => one.region.to_string(),
            many => format!("{} regions", many.len()),
        };
        let subject = subject
            .map(|subject| format!(" {}", visible(subject)))
            .unwrap_or_default();
        // Writing to a String cannot fail.
        let _ = writeln!(
            text,
            "  {operation} as {account} in {}{subject}",
            visible(&place)
        );
    }
    let refused: Vec<_> = sources
        .iter()
        .filter(|source| source.error.is_some())
        .collect();
    if !refused.is_empty() {
        text.push_str("What it did not answer:\n");
    }
    for source in refused {
        if let Some(error) = &source.error {
            let _ = writeln!(
                text,
                "  {} as {} in {}{}: {} ({}) {}",
                source.operation,
                source.account,
                source.region,
                source
                    .subject
                    .as_deref()
                    .map(|text| format!(" {}", visible(text)))
                    .unwrap_or_default(),
                visible(&error.code),
                error.class.as_str(),
                visible(&error.message),
            );
        }
    }
    text
}
