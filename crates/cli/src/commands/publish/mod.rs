//! `trailproof publish`.

mod display;

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use trailproof_core::account::{AccountId, Region};
use trailproof_core::finding::Status;
use trailproof_report::past::PastRun;
use trailproof_report::publish::{
    ACTIONS, AccountOutcome, Journal, Members, PublishJournalError, PublishOptions, digest, publish,
};
use trailproof_report::run::{DEMO_ORGANIZATION, Run, RunKind, file};
use trailproof_scanner::Access;

use super::changing::{ConnectionArguments, confirm, count, recorded_roles, roles_for, tell_who};
use super::{hub_region, past_run};
use crate::clock;
use crate::error::CliError;
use crate::exit::Exit;
use crate::interrupt::Interrupt;
use crate::output::Output;
use crate::runtime::block_on_asking;

/// Send the findings of a run to AWS Security Hub, after a confirmation.
///
/// Each finding is sent as the account that it is about, by the role of the run or by --role: AWS
/// takes it from nobody else. What was published before is updated, never doubled; what passes now
/// is sent as PASSED; what is not in the run any more is archived. A later judgement that is there
/// already is left alone. Findings go to the region of --region, else to the home region of the
/// partition, whatever `AWS_REGION` says.
///
/// Exit codes: 0 everything is there, 4 something is not, which is named, 130 interrupted.
#[derive(Debug, clap::Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub(crate) struct Arguments {
    /// The folder of a run.
    run: PathBuf,

    /// To Security Hub, which has to be enabled in each account.
    #[arg(long, required = true)]
    security_hub: bool,

    /// Say for each account what would be sent, and send nothing.
    #[arg(long)]
    dry_run: bool,

    /// Do not ask.
    #[arg(long, short)]
    yes: bool,

    /// Leave findings as they are that were published before and are not in this run: those of
    /// controls that it did not judge.
    #[arg(long)]
    no_archive: bool,

    /// Only the findings of these accounts, which are entered whether or not the organization of the
    /// credentials lists them.
    #[arg(long, value_name = "ID", value_delimiter = ',')]
    accounts: Vec<AccountId>,

    /// The journal, by which an interrupted attempt goes on [default: `publish.ndjson` in the
    /// folder of the run].
    #[arg(long, value_name = "FILE")]
    journal: Option<PathBuf>,

    #[command(flatten)]
    connection: ConnectionArguments,
}

pub(crate) fn run(arguments: Arguments, output: &Output) -> Result<Exit, CliError> {
    let Arguments {
        run: path,
        security_hub: _,
        dry_run,
        yes,
        no_archive,
        accounts,
        journal,
        connection,
    } = arguments;
    let mut past = past_run(&path)?;
    check_real(&past.run)?;
    let judged = |account| past.findings.iter().any(|one| one.account.id == account);
    if let Some(unknown) = accounts.iter().find(|account| !judged(**account)) {
        return Err(
            CliError::usage(format_args!("the run has no findings of account {unknown}"))
                .hint("`trailproof show RUN` lists the accounts of a run"),
        );
    }
    past.findings
        .retain(|finding| accounts.is_empty() || accounts.contains(&finding.account.id));
    let PastRun { run, findings } = &past;
    let scope = &run.scope;
    let recorded = recorded_roles(scope.role.as_ref(), &scope.roles);
    let settings = connection.resolve(recorded, output)?;
    let region = settings.region.as_ref().map(|region| region.0.clone());
    let region = hub_region(run, region)?;
    let about = |status| findings.iter().filter(move |one| one.status != status);
    let number = about(Status::NotApplicable).count();
    if number == 0 {
        output.note("the run has no findings that are about an account: there is nothing to send");
        return Ok(Exit::Success);
    }
    if !run.complete && !no_archive {
        output.warn("the run is not complete: what it did not find again is not archived");
    }
    let concurrency = connection.concurrency();
    block_on_asking(async {
        let roles = roles_for(&settings, ACTIONS.to_vec())?;
        let access = Access::connect(&settings.connect_options()?, &roles, concurrency).await?;
        let caller = access.caller();
        let organization = scope.organization.as_ref();
        let organization = organization.and_then(|organization| organization.id.as_deref());
        let members = members(&access, &accounts).await?;
        let names = settings.roles_in_full()?;
        tell_who(&caller.arn, organization, "the run", &names, output);
        output.note(format_args!("to Security Hub in {region}"));
        if !dry_run {
            confirm(number, "finding", "send", yes, output)?;
        }
        // Only now: whoever is asked can still leave by the usual key.
        let interrupt = Interrupt::listen(output);
        let mut journal = open_journal(&path, journal, dry_run, &region, output)?;
        let options = PublishOptions {
            concurrency,
            dry_run,
            archive: !no_archive,
            clock: clock::now,
        };
        let outcomes = publish(
            &access,
            &past,
            &region,
            &members,
            &mut journal,
            options,
            |_| {
                if interrupt.is_requested() {
                    ControlFlow::Break(())
                } else {
                    ControlFlow::Continue(())
                }
            },
        )
        .await?;
        let outcomes: Vec<_> = outcomes.into_values().collect();
        output.data(|to| to.write_all(display::text(&outcomes, dry_run).as_bytes()))?;
        if let Some(problems) = display::problems(&outcomes, &region) {
            output.warn(problems);
        }
        Ok(if interrupt.is_requested() {
            output.hint("give the same command again: it goes on where it stopped");
            Exit::Interrupted
        } else if outcomes.iter().all(AccountOutcome::is_whole) {
            Exit::Success
        } else {
            Exit::Failed
        })
    })
}

/// What was found in a simulated organization is about nobody's accounts.
fn check_real(run: &Run) -> Result<(), CliError> {
    let organization = run.scope.organization.as_ref();
    let id = organization.and_then(|organization| organization.id.as_deref());
    if run.kind == RunKind::Demo || id == Some(DEMO_ORGANIZATION) {
        return Err(
            CliError::usage("the run is of a simulated organization: nothing was sent")
                .hint("publish the run of a scan"),
        );
    }
    Ok(())
}

/// Whose findings are sent.
async fn members(access: &Access, named: &[AccountId]) -> Result<Members, CliError> {
    let listed = match Members::listed(access).await {
        Ok(listed) => listed,
        Err(_) if !named.is_empty() => Members::default(),
        Err(error) => {
            return Err(CliError::failed(format_args!(
                "organizations:ListAccounts failed, so nobody knows which accounts are ours: {}: {}",
                error.code, error.message
            ))
            .hint("name the accounts whose findings are sent with --accounts"));
        }
    };
    Ok(listed.and(named.iter().copied()))
}

/// The journal, opened, or looked at where nothing will be sent.
fn open_journal(
    run: &Path,
    named: Option<PathBuf>,
    dry_run: bool,
    region: &Region,
    output: &Output,
) -> Result<Journal, CliError> {
    let findings = if run.is_file() {
        run.to_owned()
    } else {
        run.join(file::FINDINGS_JSON)
    };
    let text = std::fs::read(&findings).map_err(|error| {
        CliError::failed(format_args!(
            "cannot read `{}`: {error}",
            findings.display()
        ))
    })?;
    let digest = digest(&text);
    let beside = || {
        let folder = findings.parent().unwrap_or_else(|| Path::new(""));
        folder.join("publish.ndjson")
    };
    let path = named.unwrap_or_else(beside);
    let journal = if dry_run {
        Journal::peek(&path, digest, region)?
    } else {
        let journal = Journal::open(&path, digest, region, clock::now())?;
        output.note(format_args!("journal: {}", path.display()));
        journal
    };
    if journal.done() > 0 {
        output.note(format_args!(
            "going on with an attempt that was interrupted: {} done",
            count(journal.done(), "account")
        ));
    }
    Ok(journal)
}

impl From<PublishJournalError> for CliError {
    fn from(error: PublishJournalError) -> Self {
        match error {
            PublishJournalError::File(error) => error.into(),
            PublishJournalError::Line { .. } => {
                Self::usage(&error).hint("name another file with --journal: a new one is begun")
            }
        }
    }
}
