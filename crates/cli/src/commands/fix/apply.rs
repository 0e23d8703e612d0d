//! `trailproof fix apply`.

use std::fmt::Write as _;
use std::ops::ControlFlow;
use std::path::PathBuf;

use clap::builder::PossibleValuesParser;
use trailproof_core::finding::Status;
use trailproof_report::format;
use trailproof_report::remediation::apply::{
    ApplyEvent, ApplyOptions, ApplyOutcome, StepOutcome, apply,
};
use trailproof_report::remediation::journal::{Header, Journal};
use trailproof_report::remediation::{Plan, permissions};

use super::connection::connect;
use super::plan_text::{self, Shown};
use super::record::Record;
use super::{display, files, verify};
use crate::clock;
use crate::commands::changing::{ConnectionArguments, confirm, count, recorded_roles, tell_who};
use crate::error::CliError;
use crate::exit::Exit;
use crate::interrupt::Interrupt;
use crate::output::Output;
use crate::runtime::block_on_asking;
use crate::settings::ReportSettings;
use crate::untrusted::visible;

/// Carry a plan out, after a confirmation, and scan the accounts again.
///
/// Each site is looked at first, and left alone if it is no longer as the plan took it to be. The
/// journal is written before and after every change: stopped at any point, `fix apply` goes on
/// where it ended, and creates nothing twice. Exit codes as for scan, on the state afterwards.
#[derive(Debug, clap::Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub(super) struct Arguments {
    /// The plan.
    #[arg(value_name = "PLAN")]
    plan: PathBuf,

    /// Do not ask.
    #[arg(long, short)]
    yes: bool,

    /// Refuse a plan with more changes.
    #[arg(long, value_name = "NUMBER")]
    max_changes: Option<usize>,

    /// List every site of sites that are changed in the same way.
    #[arg(long)]
    list_sites: bool,

    /// Look at every site and say what would be done, but change nothing.
    #[arg(long)]
    dry_run: bool,

    /// The journal [default: `journal.ndjson` beside the plan].
    #[arg(long, value_name = "FILE")]
    journal: Option<PathBuf>,

    /// Record the scan afterwards as a run in this folder, which is created and private to you. It
    /// is claimed before anything is changed.
    #[arg(
        long,
        short,
        value_name = "DIR",
        conflicts_with = "dry_run",
        help_heading = "Reports"
    )]
    out: Option<PathBuf>,

    /// Formats to write there beside those of every run: json, csv and trails.
    #[arg(
        long,
        value_name = "FORMAT",
        value_delimiter = ',',
        num_args = 1..,
        requires = "out",
        value_parser = PossibleValuesParser::new(format::ALL.iter().map(|format| format.name())),
        help_heading = "Reports"
    )]
    format: Vec<String>,

    /// Replace the run that is in the folder already.
    #[arg(long, requires = "out", help_heading = "Reports")]
    overwrite: bool,

    #[command(flatten)]
    connection: ConnectionArguments,
}

pub(super) fn run(arguments: &Arguments, output: &Output) -> Result<Exit, CliError> {
    let plan = files::read_plan(&arguments.plan)?;
    let changes = plan.steps().count();
    if let Some(most) = arguments.max_changes
        && changes > most
    {
        return Err(CliError::usage(format_args!(
            "the plan makes {changes} changes, more than --max-changes {most}: nothing was changed"
        ))
        .hint("plan for fewer accounts with `fix plan --accounts`, `--ou` or `--control`"));
    }
    output.note(shown(&plan, arguments.list_sites));
    if changes == 0 {
        output.note(if arguments.out.is_none() {
            "there is nothing to change"
        } else {
            "there is nothing to change, so nothing is scanned again and no run is written"
        });
        // Nobody looks again, so things are as the run found them.
        let left = plan.unrepairable.iter();
        return Ok(Exit::of_statuses(
            left.map(|finding| finding.status.unwrap_or(Status::Fail)),
        ));
    }
    let (settings, file) = arguments.connection.resolve_with_reports(
        recorded_roles(plan.run.role.as_ref(), &plan.run.roles),
        output,
    )?;
    let policy = verify::policy(&plan)?;
    let mut verification = verify::prepare(&settings, &plan, policy.clone())?;
    let reports = ReportSettings {
        out: arguments.out.clone(),
        format: arguments.format.clone(),
        mask_endpoints: false,
    }
    .or(ReportSettings { out: None, ..file });
    verification.mask_endpoints(reports.mask_endpoints);
    let record = Record::claim(&reports, verification.run(), arguments.overwrite)?;
    block_on_asking(async {
        let path = files::journal_path(arguments.journal.as_ref(), &arguments.plan, &plan)?;
        let aws = connect(
            &settings,
            permissions::of_plan(&plan),
            arguments.connection.concurrency(),
            output,
        )
        .await?;
        let roles = settings.roles_in_full()?;
        let run = &plan.run;
        let organization = run.organization.as_deref();
        tell_who(
            aws.caller_arn(),
            organization,
            "the plan's run",
            &roles,
            output,
        );
        if let Some(caller) = run.caller.filter(|caller| *caller != aws.caller()) {
            output.warn(format_args!(
                "the plan's run was made with credentials of account {caller}"
            ));
        }
        if !arguments.dry_run {
            confirm(changes, "change", "make", arguments.yes, output)?;
        }
        // Only now: whoever is asked can still leave by the usual key.
        let interrupt = Interrupt::listen(output);
        let options = ApplyOptions {
            concurrency: arguments.connection.concurrency(),
            dry_run: arguments.dry_run,
            clock: clock::now,
        };
        let header = Header {
            plan: plan.id.clone(),
            digest: plan.digest.clone(),
            role: roles.first().cloned(),
            roles: if roles.len() > 1 { roles } else { Vec::new() },
        };
        let mut journal = if arguments.dry_run {
            Journal::peek(&path, &header)?
        } else {
            let journal = Journal::open(&path, &header, clock::now())?;
            output.note(format_args!("journal: {}", path.display()));
            journal
        };
        let tell = |event: ApplyEvent| {
            show(&event, output);
            if interrupt.is_requested() {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        };
        let outcome = apply(&aws, &plan, &policy.controls, &mut journal, options, tell).await?;
        drop(journal);
        conclude(&outcome, &plan, arguments.dry_run, output)?;
        if outcome.interrupted {
            // Only with its journal is what was made here known as this plan's.
            let journal = match &arguments.journal {
                Some(named) => format!(" --journal {}", named.display()),
                None => String::new(),
            };
            if arguments.dry_run {
                output.hint("nothing was changed");
            } else {
                output.hint(format_args!(
                    "go on with `trailproof fix apply {}{journal}`, or take it back with `trailproof fix undo {}`",
                    arguments.plan.display(),
                    path.display()
                ));
            }
            return Ok(Exit::Interrupted);
        }
        if arguments.dry_run {
            return Ok(Exit::Success);
        }
        output.note("scanning the accounts again");
        let verified = Box::pin(verification.scan(&plan, record, &interrupt, output)).await?;
        output.data(|to| writeln!(to, "{}", verified.text))?;
        if let (Exit::Interrupted, Some(folder)) = (verified.exit, &arguments.out) {
            output.hint(format_args!(
                "all changes are made; finish the scan with `trailproof scan --resume {}`",
                folder.display()
            ));
        }
        if outcome.created > 0 {
            output.note(format_args!(
                "take it back with `trailproof fix undo {}`",
                path.display()
            ));
        }
        Ok(verified.exit)
    })
}

/// The plan, as it is about to be carried out.
fn shown(plan: &Plan, list_sites: bool) -> String {
    plan_text::text(Shown {
        plan,
        list_sites,
        now: clock::now(),
    })
}

fn show(event: &ApplyEvent, output: &Output) {
    match event {
        ApplyEvent::Step { step, outcome } => {
            let line = display::step(step);
            match outcome {
                StepOutcome::Created => output.note(format_args!("+ {line}")),
                StepOutcome::WouldCreate => output.note(format_args!("would create {line}")),
                StepOutcome::Ours => output.note(format_args!("= {line} (created before)")),
                StepOutcome::AlreadyThere => output.note(format_args!("= {line} (there already)")),
                StepOutcome::Failed(reason) => output.warn(format_args!("{line}: {reason}")),
            }
        }
        ApplyEvent::SiteLeft {
            site,
            reason,
            halfway,
        } => {
            let how = if *halfway { "left halfway" } else { "skipped" };
            output.warn(format_args!("{} {how}: {reason}", visible(site)));
        }
        ApplyEvent::Note { site, message } => {
            output.note(format_args!("{}: {}", visible(site), visible(message)));
        }
        ApplyEvent::SiteDone { .. } => {}
    }
}

fn conclude(
    outcome: &ApplyOutcome,
    plan: &Plan,
    dry_run: bool,
    output: &Output,
) -> Result<(), CliError> {
    let verb = if dry_run { "would be made" } else { "made" };
    let mut text = format!(
        "{} {verb}, {} there already; {} of {} done",
        count(outcome.created, "change"),
        outcome.there,
        outcome.done.len(),
        count(plan.sites.len(), "site"),
    );
    for (site, reason) in &outcome.left {
        // Writing to a String cannot fail.
        let _ = write!(text, "\n  {}: {}", visible(site), visible(reason));
    }
    output.data(|to| writeln!(to, "{text}"))
}
