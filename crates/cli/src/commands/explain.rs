//! `trailproof explain`: one finding in full, one control, one reason, or one observation.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;

use serde_json::{Value, json};
use trailproof_core::account::AccountId;
use trailproof_core::control::{self, builtin};
use trailproof_core::evaluate::{Evaluator, observations, reasons};
use trailproof_core::evidence::Operation;
use trailproof_core::finding::{Finding, LinkName, LinkStatus};
use trailproof_report::document::FindingRecord;
use trailproof_report::past::PastRun;
use trailproof_report::rests_on::{RecordedEvidence, Source};
use trailproof_report::run::{Run, RunDirectory, file};
use trailproof_report::shell;

use super::controls::{PrintFormat, describe};
use super::past_run;
use crate::error::CliError;
use crate::exit::Exit;
use crate::output::Output;
use crate::settings::{ConfigurationArguments, recorded_policy};
use crate::suggestion::nearest;
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
    #[arg(long, value_name = "VERSION", default_value = trailproof_core::policy::Policy::DEFAULT_BENCHMARK)]
    benchmark: String,

    /// How to print a finding. As JSON, with the records that it rests on.
    #[arg(long, value_enum, default_value_t)]
    format: PrintFormat,

    #[command(flatten)]
    configuration: ConfigurationArguments,
}

pub(crate) fn run(arguments: Arguments, output: &Output) -> Result<Exit, CliError> {
    let Arguments {
        what,
        benchmark,
        format,
        configuration,
    } = arguments;
    match what.as_slice() {
        [run, wanted] => explain_finding(Path::new(run), wanted, format, output),
        [_] if format == PrintFormat::Json => Err(CliError::usage(
            "--format json prints a finding, and none is named",
        )
        .hint("trailproof explain RUN FINDING --format json")),
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
                    let codes = reasons().map(|reason| reason.code);
                    let codes = codes.chain(observations().map(|kind| kind.code));
                    return match nearest(id, codes) {
                        Some(code) => CliError::usage(format_args!("there is no reason `{id}`"))
                            .hint(format_args!("did you mean `{code}`?")),
                        None => error,
                    };
                }
                CliError::usage(format_args!("which finding of `{id}` is to be explained?"))
                    .hint(format_args!(
                        "name one, or an account: trailproof explain {id} \
                         111111111111/console-auth-failures"
                    ))
                    .hint(format_args!("see them all: trailproof show {id}"))
            })?;
            output.data(|out| write!(out, "{}", describe(&control, version)))?;
            Ok(Exit::Success)
        }
        _ => Err(CliError::usage("name a run and a finding, or a control")),
    }
}

fn explain_finding(
    path: &Path,
    wanted: &str,
    format: PrintFormat,
    output: &Output,
) -> Result<Exit, CliError> {
    let PastRun { run, findings } = past_run(path)?;
    let found: Vec<&Finding> = findings
        .iter()
        .filter(|finding| finding.id == wanted || finding.account.id.to_string() == wanted)
        .collect();
    if found.is_empty() {
        let example = findings.first().map_or("", |finding| finding.id.as_str());
        let error = CliError::usage(format_args!("the run has no finding `{wanted}`"));
        return Err(match nearest(wanted, reasons().map(|reason| reason.code)) {
            Some(code) => error.hint(format_args!(
                "the findings of a reason: trailproof show {} --reason {code}",
                path.display()
            )),
            None => error.hint(format_args!("findings are named as `{example}`")),
        });
    }
    let sources = sources(path, &run, &found)?;
    if format == PrintFormat::Json {
        let mut documents = Vec::with_capacity(found.len());
        for finding in &found {
            let mut document = serde_json::to_value(FindingRecord::from(*finding))
                .map_err(|error| CliError::failed(&error))?;
            let rests_on = sources.as_ref().and_then(|known| known.get(&finding.id));
            if let Value::Object(members) = &mut document {
                members.insert("rests_on".to_owned(), json!(rests_on));
            }
            documents.push(document);
        }
        let one = found.iter().all(|finding| finding.id == wanted);
        let whole = match documents.pop() {
            Some(document) if one => document,
            last => documents.into_iter().chain(last).collect(),
        };
        output.data(|out| writeln!(out, "{whole:#}"))?;
        return Ok(Exit::Success);
    }
    let controls = builtin().iter().chain(&run.policy.custom_controls);
    for finding in &found {
        let pattern = controls
            .clone()
            .find(|control| control.id == finding.control.id)
            .map(|control| control.pattern_for(&run.policy.benchmark));
        let text = explain(finding, pattern);
        output.data(|out| write!(out, "{text}"))?;
    }
    if let Some(sources) = &sources {
        let mut asked_for: Vec<&Source> = sources.values().flatten().collect();
        asked_for.sort_by_key(|source| source.line);
        asked_for.dedup_by_key(|source| source.line);
        let text = asked(&asked_for);
        output.data(|out| write!(out, "{text}"))?;
    }
    Ok(Exit::Success)
}

/// The records that findings rest on, by the findings' ids; `None` where the evidence is gone:
/// explaining goes on without it.
fn sources(
    path: &Path,
    run: &Run,
    findings: &[&Finding],
) -> Result<Option<BTreeMap<String, Vec<Source>>>, CliError> {
    let Ok(recorded) = RecordedEvidence::open(&path.join(file::EVIDENCE), run.policy.oldest())
    else {
        return Ok(None);
    };
    let evaluator = Evaluator::new(recorded_policy(run)?);
    let accounts: BTreeSet<_> = findings.iter().map(|finding| finding.account.id).collect();
    let mut sources = BTreeMap::new();
    for account in accounts {
        let judged = recorded
            .findings(&evaluator, account)
            .map_err(|error| CliError::usage(&error).hint(error.remedy()))?;
        let wanted = judged
            .into_iter()
            .filter(|(judged, _)| findings.iter().any(|finding| finding.id == judged.id));
        sources.extend(wanted.map(|(finding, sources)| (finding.id, sources)));
    }
    Ok(Some(sources))
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
    if let Some(names) = finding.account.unit_names() {
        writeln!(text, "            {}", visible(&names))?;
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
    if let Some(attested) = &finding.attested {
        writeln!(
            text,
            "\nAttested ({}) until {} by {}: {}, {}",
            attested.status,
            attested.expires,
            visible(&attested.owner),
            visible(&attested.system),
            visible(&attested.statement)
        )?;
        if let Some(reference) = &attested.reference {
            writeln!(text, "  reference {}", visible(reference))?;
        }
    }
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
        let mark = match link.status {
            LinkStatus::Pass => "+",
            LinkStatus::Fail => "x",
            LinkStatus::Unknown => "?",
            LinkStatus::NotEvaluated => {
                // There is nothing more to say about it than why.
                writeln!(text, "  . {:<14} {}", link.link, visible(&link.detail))?;
                continue;
            }
        };
        writeln!(text, "  {mark} {:<14} {}", link.link, link.status.as_str())?;
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
            writeln!(text, "  {}", visible_lines(&shell::command(command)))?;
        }
    }
    writeln!(text)
}

/// Which link an answer shows first, what was asked, as whom, and about what.
type Question = (LinkName, Operation, AccountId, String);

/// What was asked of AWS: answers by the link that they show first and by operation, refusals one
/// by one.
fn asked(sources: &[&Source]) -> String {
    let mut text = String::from("What was asked of AWS:\n");
    let subject = |source: &Source| match source.subject() {
        none if none.is_empty() => none,
        some => format!(" {}", visible(&some)),
    };
    let mut answered: BTreeMap<Question, Vec<&Source>> = BTreeMap::new();
    for source in sources.iter().filter(|source| source.error.is_none()) {
        let link = source.operation.definition().link;
        let key = (link, source.operation, source.account, subject(source));
        answered.entry(key).or_default().push(source);
    }
    let mut shown = None;
    for ((link, operation, account, subject), group) in &answered {
        let place = match group.as_slice() {
            [one] => one.region.to_string(),
            many => format!("{} regions", many.len()),
        };
        // Writing to a String cannot fail.
        if shown.replace(link) != Some(link) {
            let _ = writeln!(text, "  {link}");
        }
        let _ = writeln!(
            text,
            "    {operation} as {account} in {}{subject}",
            visible(&place)
        );
    }
    let mut refused = sources
        .iter()
        .filter_map(|source| Some((source, source.error.as_ref()?)))
        .peekable();
    if refused.peek().is_some() {
        text.push_str("What it did not answer:\n");
    }
    for (source, error) in refused {
        let _ = writeln!(
            text,
            "  {} as {} in {}{}: {} ({}) {}",
            source.operation,
            source.account,
            visible(source.region.as_str()),
            subject(source),
            visible(&error.code),
            error.class.as_str(),
            visible(&error.message),
        );
    }
    text
}
