//! What `verify` prints.

use std::io::{self, Write};

use jiff::Timestamp;
use serde_json::{Value, json};
use trailproof_core::RULES;
use trailproof_core::control::builtin;
use trailproof_report::bundle::{MASKED, Verdict};
use trailproof_report::run::{DEMO_ORGANIZATION, RunKind, Tool, file};

use super::Examined;
use crate::error::CliError;
use crate::output::Output;
use crate::untrusted::visible;

/// How many sentences a list shows.
const SHOWN: usize = 50;

pub(super) fn json(examined: &Examined, output: &Output) -> Result<(), CliError> {
    let Examined {
        bundle,
        run,
        organization,
        recorded,
        judged,
        checks,
        expected,
        verdict,
    } = examined;
    output.data(|out| {
        let differences: Vec<&String> = expected
            .iter()
            .filter_map(|one| one.problem.as_ref())
            .chain(&checks.wrong)
            .collect();
        let head = json!({
            // With this version nobody can say.
            "verified": match verdict {
                Verdict::OtherVersion => None,
                Verdict::NotVerified => Some(false),
                Verdict::Consistent | Verdict::Verified => Some(true),
            },
            "result": verdict.word(),
            "compared_with": expected.iter().map(|one| one.what).collect::<Vec<_>>(),
            "rules": { "judged_by": run.rules, "verified_by": RULES },
            "sha256": bundle.sha256,
            "signed": bundle.signature.is_some(),
            "files": bundle.manifest.files,
            "made_again": checks.made_again,
            "differences": differences,
            "undecided": checks.undecided,
            "differing_controls": checks.controls,
            "run": {
                "kind": run.kind,
                "organization": run.scope.organization,
                "organization_by_evidence": organization,
                "caller": run.scope.caller,
                "identity": run.access.identity,
                "started_at": run.started_at,
                "finished_at": run.finished_at,
                "observed": run.observed,
                "complete": run.complete,
                "mask_endpoints": run.mask_endpoints,
                "problems": run.problems,
            },
            "policy": run.policy,
            "records": judged.records,
            "made_by": run.tool,
            "verified_by": Tool::this(),
        });
        let head = head.to_string();
        // Findings are written one by one: there may be many, with many records each.
        write!(
            out,
            "{},\"findings\":[",
            head.strip_suffix('}').unwrap_or(&head)
        )?;
        for (place, finding) in recorded.iter().enumerate() {
            let lines = judged.lines_of(finding);
            let separator = if place > 0 { "," } else { "" };
            let value: Value = json!({
                "id": finding.id, "status": finding.status, "evidence_lines": lines,
            });
            write!(out, "{separator}\n{value}")?;
        }
        writeln!(out, "]}}")
    })
}

pub(super) fn text(examined: &Examined, output: &Output) -> Result<(), CliError> {
    output.data(|out| {
        conclusion(examined, out)?;
        files(examined, out)?;
        origin(examined, out)?;
        policy(examined, out)?;
        if output.verbosity() > 0 {
            rests_on(examined, out)?;
        }
        Ok(())
    })
}

/// The one thing that has to be read.
fn conclusion(examined: &Examined, out: &mut dyn Write) -> io::Result<()> {
    let Examined {
        bundle,
        run,
        organization: _,
        recorded,
        judged,
        checks,
        expected,
        verdict,
    } = examined;
    let files = bundle.manifest.files.len();
    match verdict {
        Verdict::NotVerified => {
            writeln!(
                out,
                "NOT VERIFIED: the bundle is not what its evidence gives, or not what was expected"
            )?;
            let problems = expected.iter().filter_map(|one| one.problem.as_ref());
            list(problems.chain(&checks.wrong), out)
        }
        Verdict::OtherVersion if run.rules != RULES => {
            writeln!(
                out,
                "OTHER RULES: {files} files are unchanged; of {} findings by rules {}, judged again \
                 by rules {RULES}, differences: {}",
                recorded.len(),
                run.rules,
                checks.wrong.len()
            )?;
            list(checks.wrong.iter().chain(&checks.controls), out)
        }
        Verdict::OtherVersion => {
            writeln!(
                out,
                "OTHER VERSION: all {} findings follow from {} records, and {} {} may write its \
                 files differently",
                recorded.len(),
                judged.records,
                run.tool.name,
                visible(&run.tool.version)
            )?;
            list(checks.undecided.iter(), out)
        }
        Verdict::Consistent => {
            writeln!(
                out,
                "CONSISTENT: {files} files are unchanged, and all {} findings follow from {} \
                 records",
                recorded.len(),
                judged.records
            )?;
            writeln!(
                out,
                "  Nothing from outside was compared. Whoever can write the whole bundle anew is \
                 found out by\n  --expect-sha256, --expect-signer, --expect-organization or \
                 --expect-policy only."
            )
        }
        Verdict::Verified => {
            let what: Vec<&str> = expected.iter().map(|one| one.what).collect();
            writeln!(
                out,
                "VERIFIED: {files} files are unchanged, all {} findings follow from {} records, and \
                 as expected: {}",
                recorded.len(),
                judged.records,
                what.join(", ")
            )
        }
    }
}

fn list<'a>(sentences: impl Iterator<Item = &'a String>, out: &mut dyn Write) -> io::Result<()> {
    let mut sentences = sentences;
    for sentence in sentences.by_ref().take(SHOWN) {
        writeln!(out, "  {}", visible(sentence))?;
    }
    match sentences.count() {
        0 => Ok(()),
        more => writeln!(out, "  and {more} more"),
    }
}

fn files(examined: &Examined, out: &mut dyn Write) -> io::Result<()> {
    let bundle = &examined.bundle;
    writeln!(out, "\nbundle  sha256 {}", bundle.sha256)?;
    if bundle.signature.is_some() && !examined.expected.iter().any(|one| one.what == "signer") {
        writeln!(
            out,
            "  signed, and the signature was not checked: that takes --allowed-signers and \
             --expect-signer"
        )?;
    }
    for entry in &bundle.manifest.files {
        let again = if examined.checks.made_again.contains(&entry.name.as_str()) {
            ", made again"
        } else {
            ""
        };
        writeln!(
            out,
            "  {}  {} ({} bytes{again})",
            entry.sha256,
            visible(&entry.name),
            entry.size
        )?;
    }
    Ok(())
}

/// Of what, by whom and when.
fn origin(examined: &Examined, out: &mut dyn Write) -> io::Result<()> {
    let run = &examined.run;
    let time = |time: Timestamp| time.strftime("%Y-%m-%d %H:%M:%S UTC");
    let organization = run.scope.organization.as_ref();
    let told = examined.organization.as_deref();
    let kind = match run.kind {
        RunKind::Demo => "demo: a simulated organization, which says nothing of AWS",
        RunKind::Scan => "scan",
        RunKind::Evaluate | RunKind::Merge if told == Some(DEMO_ORGANIZATION) => {
            "the evidence of a demo, judged again: it says nothing of AWS"
        }
        RunKind::Evaluate => "evaluate: recorded evidence, judged again",
        RunKind::Merge => "merge: several runs, joined",
    };
    writeln!(out, "\nkind          {kind}")?;
    match organization {
        Some(organization) => writeln!(
            out,
            "organization  {} of {}",
            visible(organization.id.as_deref().unwrap_or("without an id")),
            organization.management_account
        )?,
        None => match told {
            Some(id) => writeln!(
                out,
                "organization  {} by the evidence, and run.json tells none",
                visible(id)
            )?,
            None => writeln!(out, "organization  none is told")?,
        },
    }
    let caller = run.scope.caller.map(|account| account.to_string());
    let identity = run.access.identity.as_deref().map(visible);
    writeln!(
        out,
        "caller        {}",
        identity.or(caller).unwrap_or_else(|| "not told".to_owned())
    )?;
    writeln!(out, "started       {}", time(run.started_at))?;
    if let Some(observed) = run.observed {
        writeln!(
            out,
            "observed      {} to {}",
            time(observed.first),
            time(observed.last)
        )?;
    }
    writeln!(out, "judged for    {}", time(run.policy.evaluated_at))?;
    if let Some(finished) = run.finished_at {
        writeln!(out, "finished      {}", time(finished))?;
    }
    writeln!(
        out,
        "made by       {} {}, rules {}",
        visible(&run.tool.name),
        visible(&run.tool.version),
        run.rules
    )?;
    if run.mask_endpoints {
        writeln!(out, "addresses     {MASKED}")?;
    }
    if !run.complete {
        writeln!(
            out,
            "complete      no: there may be accounts that nobody judged"
        )?;
        list(run.problems.iter(), out)?;
    }
    Ok(())
}

/// What was judged, how strictly, and what people said to it.
fn policy(examined: &Examined, out: &mut dyn Write) -> io::Result<()> {
    let Examined { bundle, run, .. } = examined;
    let policy = &run.policy;
    let span = |seconds: i64| match seconds {
        days if days % 86_400 == 0 => format!("{}d", days / 86_400),
        hours if hours % 3_600 == 0 => format!("{}h", hours / 3_600),
        seconds => format!("{seconds}s"),
    };
    writeln!(
        out,
        "policy        CIS {}, assurance {}, deliveries within {}, alarms within {}, in ALARM for \
         at most {}",
        visible(&policy.benchmark),
        json!(policy.assurance).as_str().unwrap_or_default(),
        span(policy.max_delivery_age_seconds),
        span(policy.max_window_seconds),
        span(policy.max_alarm_age_seconds)
    )?;
    if let Some(age) = policy.max_evidence_age_seconds {
        writeln!(out, "              answers of the last {}", span(age))?;
    }
    if policy.trust_organization_trail {
        writeln!(out, "              the organization trail is trusted")?;
    }
    let named = [
        ("forwarders", policy.forwarders.len()),
        ("monitoring accounts", policy.monitoring_accounts.len()),
        ("trusted accounts", run.scope.trusted_accounts.len()),
    ];
    for (what, count) in named.iter().filter(|(_, count)| *count > 0) {
        writeln!(out, "              {count} {what}")?;
    }
    let own = |id: &str| !builtin().iter().any(|known| known.id == id);
    let ids: Vec<String> = bundle
        .controls
        .iter()
        .map(|control| {
            if own(&control.id) {
                format!("{} (its own)", visible(&control.id))
            } else {
                visible(&control.id)
            }
        })
        .collect();
    writeln!(out, "controls      {}", ids.join(", "))?;
    list(examined.checks.controls.iter(), out)?;
    for control in bundle.controls.iter().filter(|control| own(&control.id)) {
        writeln!(
            out,
            "  {}: {}",
            visible(&control.id),
            visible(control.pattern_for(&policy.benchmark))
        )?;
    }
    writeln!(out, "mutes         {}", policy.mutes.len())?;
    for mute in &policy.mutes {
        writeln!(
            out,
            "  until {}: {}",
            mute.expires,
            visible(&mute.describe())
        )?;
    }
    writeln!(out, "attestations  {}", policy.attestations.len())?;
    for attestation in &policy.attestations {
        writeln!(
            out,
            "  until {}: {}",
            attestation.expires,
            visible(&attestation.describe())
        )?;
    }
    Ok(())
}

fn rests_on(examined: &Examined, out: &mut dyn Write) -> io::Result<()> {
    writeln!(
        out,
        "\nWhat each finding rests on (lines of {}):",
        file::EVIDENCE
    )?;
    for finding in &examined.recorded {
        writeln!(
            out,
            "  {} {}  {}",
            visible(&finding.id),
            finding.status,
            ranges(examined.judged.lines_of(finding))
        )?;
    }
    Ok(())
}

/// Numbers as people write them: `1-4, 9`.
fn ranges(numbers: &[usize]) -> String {
    let runs = numbers.chunk_by(|one, next| one + 1 == *next);
    let texts: Vec<String> = runs
        .filter_map(|run| match (run.first(), run.last()) {
            (Some(first), Some(last)) if first == last => Some(first.to_string()),
            (Some(first), Some(last)) => Some(format!("{first}-{last}")),
            _ => None,
        })
        .collect();
    if texts.is_empty() {
        "no records".to_owned()
    } else {
        texts.join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_of_numbers_are_joined() {
        assert_eq!(ranges(&[1, 2, 3, 7, 9, 10]), "1-3, 7, 9-10");
        assert_eq!(ranges(&[]), "no records");
    }
}
