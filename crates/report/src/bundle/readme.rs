//! `README.txt`: what a bundle is and how to check it, for whoever has no trailproof.

use std::io::{self, Write};

use trailproof_core::finding::Status;

use super::NAMESPACE;
use crate::format::{Format, Report};
use crate::run::RunKind;
use crate::untrusted::visible;

/// What is said of a run whose evidence has pseudonyms.
pub const MASKED: &str = "masked: pseudonyms stand for the addresses of subscriptions and accounts";

/// The text that lies in every bundle.
#[derive(Debug)]
pub struct Readme;

impl Format for Readme {
    fn name(&self) -> &'static str {
        "readme"
    }

    fn file_name(&self) -> &'static str {
        "README.txt"
    }

    fn description(&self) -> &'static str {
        "what a bundle is and how to check it"
    }

    fn write(&self, report: &Report<'_>, out: &mut dyn Write) -> io::Result<()> {
        let run = report.run;
        writeln!(out, "Evidence bundle of {}", run.tool.name)?;
        writeln!(out)?;
        let organization = run.scope.organization.as_ref();
        if let Some(organization) = organization {
            let id = organization.id.as_deref().unwrap_or("without an id");
            let owner = organization.management_account;
            writeln!(out, "organization  {} of {owner}", visible(id))?;
        }
        if run.kind == RunKind::Demo {
            writeln!(
                out,
                "              simulated: a demo, which says nothing of AWS"
            )?;
        }
        let judged = run.policy.evaluated_at.strftime("%Y-%m-%d %H:%M:%S UTC");
        writeln!(out, "judged for    {judged}")?;
        let benchmark = visible(&run.policy.benchmark);
        writeln!(
            out,
            "benchmark     CIS AWS Foundations Benchmark {benchmark}"
        )?;
        let counts: Vec<String> = Status::ALL
            .into_iter()
            .map(|status| (status, report.summary().count(status)))
            .filter(|(_, count)| *count > 0)
            .map(|(status, count)| format!("{count} {status}"))
            .collect();
        writeln!(
            out,
            "findings      {}: {}",
            report.summary().findings,
            counts.join(", ")
        )?;
        if !run.complete {
            writeln!(
                out,
                "complete      no: there may be accounts that nobody judged"
            )?;
        }
        if run.mask_endpoints {
            writeln!(out, "addresses     {MASKED}")?;
        }
        let text = TEXT.replace("{namespace}", NAMESPACE);
        out.write_all(text.as_bytes())
    }
}

const TEXT: &str = "
What is here

  report.html       for reading, in any browser, without a network
  findings.xlsx     for sorting and filtering; findings.csv and findings.json say
                    the same to programs
  trails.csv        every trail and its log group
  recipients.csv    who hears of which accounts and controls
  evidence.ndjson   every answer of AWS that the verdicts rest on, one a line
  run.json          what was asked, as whom, when, and by which policy
  controls.json     the controls as they were judged
  manifest.json     every file with its size and SHA-256 sum
  SHA256SUMS        the same sums for sha256sum

How to check it without trailproof

  In this folder, whether a file was changed since it was packed:

    sha256sum -c SHA256SUMS           (on macOS: shasum -a 256 -c SHA256SUMS)

  Whoever can change a file can change its sum, too. So compare the sum of the
  archive with the one that whoever made it told you in another way:

    sha256sum ARCHIVE.tar.gz

  Where there is SHA256SUMS.sig, it is an SSH signature of SHA256SUMS, and so of
  everything here. With a file of the signers that you trust (ssh-keygen(1),
  ALLOWED SIGNERS) and the name of the one that you expect:

    ssh-keygen -Y verify -f ALLOWED_SIGNERS -I NAME -n {namespace} \\
      -s SHA256SUMS.sig < SHA256SUMS

  A verdict can be followed by hand: evidence.ndjson has what AWS answered, with
  the names that the AWS CLI prints, and findings.json names each resource.

How to check it with trailproof

    trailproof verify ARCHIVE.tar.gz

  judges the evidence again, makes the files again, and compares them.

What nobody can tell from a bundle is whether AWS gave the answers in
evidence.ndjson. A sum or a signature says who vouches for them.
";
