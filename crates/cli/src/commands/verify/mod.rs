//! `trailproof verify`: whether a bundle is whole, whether everything in it follows from its
//! evidence, and whether it is what somebody expects.

mod display;
mod expected;
mod scratch;

use std::path::PathBuf;

use serde_json::json;
use trailproof_core::RULES;
use trailproof_core::finding::Finding;
use trailproof_report::bundle::{self, Bundle, Checks, Judged, Verdict};
use trailproof_report::findings_json::{self, ReadError};
use trailproof_report::rests_on::RecordedEvidence;
use trailproof_report::run::{Run, Tool, file};

use self::expected::{Expectations, Expected};
use self::scratch::Scratch;
use super::controls::PrintFormat;
use crate::error::CliError;
use crate::exit::Exit;
use crate::output::Output;
use crate::untrusted::visible;

/// Check a bundle: its sums, and that everything in it follows from its evidence.
///
/// The evidence is judged again, by the policy and the controls in the bundle and for the time it
/// was judged for. findings.json with its counts, every CSV, the report and the workbook are made
/// again and compared byte by byte, run.json is held against the findings and the evidence, and the controls against the
/// built-in ones. The exit code is 1 when anything was changed or does not follow.
///
/// What is CONSISTENT may still be another bundle than the one that was made, or rest on invented
/// evidence: nobody can tell from the bundle alone. It is VERIFIED where something from outside was
/// compared, too: the sum that `trailproof bundle` printed, a signature, the organization, or the
/// policy.
///
/// By other rules than those of this version, the sums, the counts and the files among themselves
/// are checked, what is judged differently is listed, and the exit code is 3; so it is where
/// another version made a table that this one writes differently.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The bundle that `trailproof bundle` wrote.
    bundle: PathBuf,

    #[command(flatten)]
    expectations: Expectations,

    /// How to print. As JSON, the records that each finding rests on are listed; as text, with -v.
    #[arg(long, value_enum, default_value_t)]
    format: PrintFormat,
}

/// A bundle, what follows from its evidence, and what came of both.
struct Examined {
    bundle: Bundle,
    run: Run,
    /// The id of the organization that the evidence tells.
    organization: Option<String>,
    recorded: Vec<Finding>,
    judged: Judged,
    checks: Checks,
    expected: Vec<Expected>,
    verdict: Verdict,
}

pub(crate) fn run(arguments: Arguments, output: &Output) -> Result<Exit, CliError> {
    let Arguments {
        bundle: path,
        expectations,
        format,
    } = arguments;
    let expectations = expectations.read(output)?;
    let folder = Scratch::new()?;
    let bundle = match bundle::unpack(&path, &folder.path) {
        Ok(bundle) => bundle,
        Err(error) if error.is_tampering() => {
            return refused(format, &error.to_string(), output);
        }
        Err(error) => {
            return Err(
                CliError::usage(&error).hint("name the archive that `trailproof bundle` wrote")
            );
        }
    };
    let (run, recorded) = findings_json::read(&folder.path.join(file::FINDINGS_JSON))
        .map_err(|error| unreadable(&error))?;
    let contradiction = bundle::contradiction(&folder.path, &run, &recorded);
    if let Some(reason) = contradiction.map_err(|error| unreadable(&error))? {
        return refused(format, &reason, output);
    }
    let evidence = RecordedEvidence::open(&folder.path.join(file::EVIDENCE), run.policy.oldest())
        .map_err(|error| CliError::usage(&error).hint(error.remedy()))?;
    let judged = Judged::again(&evidence, &bundle, &run);
    let organization = evidence.replay().evidence().reader().organization();
    let organization = organization.and_then(|organization| organization.id.clone());
    let expected = expectations.hold_against(&bundle, &run, organization.as_deref());
    let checks = Checks::make(&folder.path, &bundle, &run, &recorded, &judged, &evidence);
    let as_expected: Vec<bool> = expected.iter().map(|one| one.problem.is_none()).collect();
    let verdict = Verdict::of(&checks, run.rules, &as_expected);
    if run.rules != RULES {
        output.warn(format_args!(
            "the bundle was judged by rules {}, and this version judges by rules {RULES}: {} {} can \
             tell a change from a difference between rules",
            run.rules, run.tool.name, run.tool.version
        ));
    }
    let examined = Examined {
        bundle,
        run,
        organization,
        recorded,
        judged,
        checks,
        expected,
        verdict,
    };
    match format {
        PrintFormat::Json => display::json(&examined, output)?,
        PrintFormat::Text => display::text(&examined, output)?,
    }
    Ok(exit(verdict))
}

fn unreadable(error: &ReadError) -> CliError {
    CliError::usage(error).hint(error.remedy())
}

/// Says that a bundle is not what it was.
fn refused(format: PrintFormat, reason: &str, output: &Output) -> Result<Exit, CliError> {
    let verdict = Verdict::NotVerified;
    if format == PrintFormat::Json {
        let document = json!({
            "verified": false,
            "result": verdict.word(),
            "reason": reason,
            "verified_by": Tool::this(),
        });
        output.data(|out| writeln!(out, "{document}"))?;
    } else {
        output.data(|out| writeln!(out, "NOT VERIFIED: {}", visible(reason)))?;
    }
    Ok(exit(verdict))
}

fn exit(verdict: Verdict) -> Exit {
    match verdict {
        Verdict::NotVerified => Exit::Fail,
        Verdict::OtherVersion => Exit::Unknown,
        Verdict::Consistent | Verdict::Verified => Exit::Success,
    }
}
