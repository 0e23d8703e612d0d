//! `trailproof scan`: asks AWS, records what it says, and judges it.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use trailproof_core::evidence::Evidence;
use trailproof_core::policy::Policy;
use trailproof_report::listing::UsedListing;
use trailproof_report::run::{
    Access, NetworkSetting, NeverAsked, Organization, OwnAccount as RecordedOwnAccount,
    PolicyRecord, Run, RunDirectory, RunKind, Scope as RecordedScope, SessionUse, SlowAccount,
    Statistics, Sweep as RecordedSweep, file,
};
use trailproof_scanner::{
    EvidenceFile, KnownListing, OwnAccount, Refused, ScanError, ScanEvent, ScanOutcome, ScanPlan,
    Scope, Sweep, WarningCode,
};

use crate::clock;
use crate::conclusion::{Reports, conclude};
use crate::error::CliError;
use crate::exit::Exit;
use crate::interrupt::Interrupt;
use crate::open_files;
use crate::output::Output;
use crate::progress::Progress;
use crate::runtime::block_on;
use crate::settings::{
    ConfigurationArguments, ConnectionSettings, Destination, ExecutionSettings, ListingSettings,
    PolicySettings, ReportSettings, ScopeSettings, SweepName, recorded_policy, recorded_scope,
};

/// Audit every account of the organization, or the accounts that are named.
///
/// Needs credentials of the management account or of a delegated administrator, and a role in the
/// members that may be assumed with them. Reads only; `trailproof iam-policy` prints the exact
/// permissions.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    scope: ScopeSettings,
    #[command(flatten)]
    listing: ListingSettings,
    #[command(flatten)]
    policy: PolicySettings,
    #[command(flatten)]
    connection: ConnectionSettings,
    #[command(flatten)]
    execution: ExecutionSettings,
    #[command(flatten)]
    report: ReportSettings,

    /// Continue the interrupted scan of this folder, with the scope and policy it was begun with.
    #[arg(long, value_name = "DIR", conflicts_with_all = ["out", "overwrite"], help_heading = "Reports")]
    resume: Option<PathBuf>,

    /// Replace the run that is in the folder already.
    #[arg(long, help_heading = "Reports")]
    overwrite: bool,

    #[command(flatten)]
    configuration: ConfigurationArguments,
}

pub(crate) fn run(arguments: Arguments, output: &Output) -> Result<Exit, CliError> {
    let prepared = match &arguments.resume {
        Some(path) => prepare_resumed(&arguments, path, output)?,
        None => prepare_new(arguments, output)?,
    };
    execute(prepared, output)
}

/// A scan that is ready to start.
pub(crate) struct Prepared {
    pub(crate) plan: ScanPlan,
    pub(crate) run: Run,
    pub(crate) policy: Policy,
    pub(crate) reports: Reports,
}

fn prepare_new(arguments: Arguments, output: &Output) -> Result<Prepared, CliError> {
    let file = arguments.configuration.load(output)?;
    let catalogue = file.catalogue()?;
    let mutes = file.mutes(&catalogue)?;
    let attestations = file.attestations(&catalogue)?;
    let forwarders = file.forwarders()?;
    let connection = arguments.connection.or(file.connection);
    let scope = arguments.scope.or(file.scope);
    let settings = arguments.policy.or(file.policy);
    let mut policy = settings.policy(&catalogue)?;
    policy.forwarders = forwarders;
    policy.monitoring_accounts.clone_from(&file.monitoring);
    let execution = arguments.execution.or(&file.execution);
    policy.test_patterns = !execution.no_test_patterns;
    let report = arguments.report.or(file.report);
    let destination = report.destination()?;

    let mut plan = plan(&connection, &scope, policy.clone())?;
    plan.mask_endpoints = report.mask_endpoints;
    plan.sweep = match execution.sweep {
        None | Some(SweepName::Full) => Sweep::Full,
        Some(SweepName::Adaptive) => Sweep::Adaptive,
    };
    plan.concurrency = execution.concurrency.map(usize::from);
    let mut run = new_run(RunKind::Scan, &plan, &scope, &policy);
    // Who names the accounts needs no list, whatever the file says.
    if plan.scope == Scope::Organization
        && let Some((known, used)) = arguments.listing.or(file.listing).read(run.started_at)?
    {
        plan.listing = Some(known);
        run.listing = Some(used);
    }
    plan.mutes.clone_from(&mutes);
    run.policy.mutes = mutes;
    plan.attestations.clone_from(&attestations);
    run.policy.attestations = attestations;
    run.policy.fail_on = settings.fail_on.map(Into::into);
    run.scope.trusted_accounts = file.trusted.iter().copied().collect();
    plan.trusted = file.trusted;
    let reports = open(destination, &run, arguments.overwrite, output)?;
    plan.evidence = evidence_file(&reports, false);
    Ok(Prepared {
        plan,
        run,
        policy,
        reports,
    })
}

fn prepare_resumed(
    arguments: &Arguments,
    path: &Path,
    output: &Output,
) -> Result<Prepared, CliError> {
    if !arguments.scope.is_empty()
        || !arguments.policy.is_empty()
        || arguments.execution.sweep.is_some()
    {
        return Err(CliError::usage(
            "--resume continues a scan as it was begun: its scope, policy and sweep cannot change",
        )
        .hint(
            "leave those flags out; judge the evidence by another policy afterwards with \
             `trailproof evaluate --evidence DIR --out NEW`",
        ));
    }
    let file = arguments.configuration.load(output)?;
    let mut connection = arguments.connection.clone().or(file.connection);
    let (directory, run) = RunDirectory::resume(path)?;
    // The organization of a demo is gone with it, and what is asked of AWS is not its evidence.
    if run.kind != RunKind::Scan {
        return Err(CliError::usage(format_args!(
            "`{}` was not made by a scan, so there is nothing to continue",
            path.display()
        ))
        .hint("start a new scan with `trailproof scan --out DIR`"));
    }
    let mut policy = recorded_policy(&run)?;
    policy.test_patterns =
        !(arguments.execution.no_test_patterns || file.execution.no_test_patterns);
    let scope = recorded_scope(&run.scope)?;
    // As it was begun, with roles of other flags left aside.
    if let Some(first) = &run.scope.role {
        connection.role = if run.scope.roles.is_empty() {
            vec![first.clone()]
        } else {
            run.scope.roles.clone()
        };
        connection.place_of_roles = None;
    }
    let mut plan = plan(&connection, &scope, policy.clone())?;
    let listing = arguments.listing.clone().or(file.listing);
    plan.listing = listing_of_resumed(&run, &listing)?;
    plan.sweep = match run.sweep {
        None | Some(RecordedSweep::Full) => Sweep::Full,
        Some(RecordedSweep::Adaptive) => Sweep::Adaptive,
    };
    if arguments.report.mask_endpoints && !run.mask_endpoints {
        return Err(CliError::usage(
            "the scan was begun with addresses in full, and its evidence has them",
        )
        .hint("finish it, and mask them with `trailproof evaluate --mask-endpoints --out NEW`"));
    }
    plan.mask_endpoints = run.mask_endpoints;
    plan.mutes.clone_from(&run.policy.mutes);
    plan.attestations.clone_from(&run.policy.attestations);
    plan.trusted = run.scope.trusted_accounts.iter().copied().collect();
    plan.concurrency = arguments
        .execution
        .concurrency
        .or(file.execution.concurrency)
        .map(usize::from);
    let formats = match arguments.report.clone().or(file.report).destination()? {
        Destination::Folder { formats, .. } => formats,
        Destination::Stdout(_) => Vec::new(),
    };
    let run = Run {
        finished_at: None,
        complete: false,
        ..run.judged_by_this_version()
    };
    directory.write_run(&run)?;
    let reports = Reports::Folder(directory, formats);
    plan.evidence = evidence_file(&reports, true);
    Ok(Prepared {
        plan,
        run,
        policy,
        reports,
    })
}

/// The listing of a run that is gone on with. It is needed where the run ended before it recorded
/// one, and has to be the one that the run began with.
fn listing_of_resumed(
    run: &Run,
    listing: &ListingSettings,
) -> Result<Option<KnownListing>, CliError> {
    let Some(begun_with) = &run.listing else {
        return Ok(None);
    };
    let Some((known, used)) = listing.read(run.started_at)? else {
        return Ok(None);
    };
    if used.sha256 == begun_with.sha256 {
        return Ok(Some(known));
    }
    Err(CliError::usage(format_args!(
        "the scan was begun with another listing (sha256 {}) than this one (sha256 {})",
        begun_with.sha256, used.sha256
    ))
    .hint("name the listing that it was begun with, or none: then the accounts are listed"))
}

fn plan(
    connection: &ConnectionSettings,
    scope: &ScopeSettings,
    policy: Policy,
) -> Result<ScanPlan, CliError> {
    let mut plan = ScanPlan::new(policy);
    plan.connection = connection.connect_options()?;
    plan.role = connection.role_settings()?;
    plan.scope = scope.scope()?;
    plan.accounts = scope.account_filter();
    plan.regions = scope.region_filter();
    plan.shard = scope.shard()?;
    Ok(plan)
}

/// The record of a run that follows a plan.
pub(crate) fn new_run(
    kind: RunKind,
    plan: &ScanPlan,
    scope: &ScopeSettings,
    policy: &Policy,
) -> Run {
    let now = clock::now();
    let templates = plan.role.templates();
    let roles: Vec<String> = templates
        .iter()
        .map(|role| role.as_str().to_owned())
        .collect();
    let recorded = RecordedScope {
        role: roles.first().cloned(),
        roles: if roles.len() > 1 { roles } else { Vec::new() },
        account_filters: scope.filters(&plan.scope),
        regions: plan.regions.include.iter().cloned().collect(),
        exclude_regions: plan.regions.exclude.iter().cloned().collect(),
        shard: plan.shard.map(|shard| shard.to_string()),
        ..RecordedScope::default()
    };
    let builtin = trailproof_core::control::builtin();
    let policy = PolicyRecord::of(policy, now, |control| builtin.contains(control));
    let mut run = Run::start(kind, recorded, policy, now);
    run.access.hub_roles = plan.role.hubs.iter().map(|hub| hub.arn.clone()).collect();
    run.mask_endpoints = plan.mask_endpoints;
    run.sweep = Some(match plan.sweep {
        Sweep::Full => RecordedSweep::Full,
        Sweep::Adaptive => RecordedSweep::Adaptive,
    });
    run
}

/// Opens the place the reports go to. The folder is claimed before AWS is asked anything: a scan
/// that cannot write is better not begun.
pub(crate) fn open(
    destination: Destination,
    run: &Run,
    overwrite: bool,
    output: &Output,
) -> Result<Reports, CliError> {
    match destination {
        Destination::Stdout(format) => Ok(Reports::Stdout(format)),
        Destination::Folder { path, formats } => {
            let path = path.unwrap_or_else(|| {
                let path = PathBuf::from(format!(
                    "trailproof-run-{}",
                    run.started_at.strftime("%Y%m%dT%H%M%SZ")
                ));
                output.note(format_args!("writing to {}", path.display()));
                path
            });
            let directory = RunDirectory::create(&path, run, overwrite)?;
            Ok(Reports::Folder(directory, formats))
        }
    }
}

/// Where a scan records its evidence.
pub(crate) fn evidence_file(reports: &Reports, resume: bool) -> Option<EvidenceFile> {
    match reports {
        Reports::Folder(directory, _) => Some(EvidenceFile {
            path: directory.file(file::EVIDENCE),
            resume,
        }),
        Reports::Stdout(_) | Reports::None => None,
    }
}

/// Scans as prepared, judges, and writes the reports.
pub(crate) fn execute(prepared: Prepared, output: &Output) -> Result<Exit, CliError> {
    block_on(execute_in_runtime(prepared, output))
}

/// [`execute`], in a runtime.
async fn execute_in_runtime(prepared: Prepared, output: &Output) -> Result<Exit, CliError> {
    let Prepared {
        plan,
        mut run,
        mut policy,
        reports,
    } = prepared;
    let interrupt = Interrupt::listen(output);
    let narrowed =
        plan.scope != Scope::Organization || !plan.accounts.is_empty() || plan.shard.is_some();
    let roles = plan.role.templates();
    let confirms = plan.listing.as_ref().is_some_and(|known| known.confirm);
    let mut progress = Progress::start(&roles, output);
    let is_new = plan.evidence.as_ref().is_some_and(|file| !file.resume);
    let mut no_role_assumed = false;
    let mut few_connections = false;
    let outcome = Box::pin(trailproof_scanner::scan(plan, |event| {
        if let ScanEvent::Warning(warning) = &event {
            no_role_assumed |= warning.code == WarningCode::NoRoleAssumed;
            few_connections |= warning.code == WarningCode::FewConnections;
        }
        trace(&event);
        progress.on_event(&event);
        if interrupt.is_requested() {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    }))
    .await;
    progress.finish();
    let outcome = match outcome {
        Ok(outcome) => outcome,
        Err(error) => {
            let error = CliError::from(error);
            // A scan that could not begin leaves no folder behind. With other flags none can go on
            // with what it recorded.
            if let Reports::Folder(directory, _) = reports {
                if is_new && error.exit() == Exit::Usage {
                    directory.discard();
                } else {
                    directory.abandon();
                }
            }
            return Err(error);
        }
    };
    record(&mut run, &outcome, narrowed);
    run.listing = run
        .listing
        .take()
        .and_then(|listing| used(listing, &outcome, confirms));
    policy.accounts = run
        .scope
        .accounts
        .as_ref()
        .map(|accounts| accounts.iter().copied().collect());
    if outcome.accounts.is_empty() && outcome.complete && run.scope.shard.is_none() {
        if let (Reports::Folder(directory, _), true) = (reports, is_new) {
            directory.discard();
        }
        return Err(CliError::failed("there is no account to scan").hint(
            "check --ou, --exclude-ou, --tag, --exclude-accounts and --shard, or whether the \
             organization has accounts",
        ));
    }
    let exit = conclude(
        run,
        &policy,
        &outcome.evidence,
        clock::now(),
        reports,
        output,
    )?;
    if few_connections {
        output.hint(open_files::HINT);
    }
    if no_role_assumed {
        let roles: Vec<String> = roles
            .iter()
            .map(|role| format!("`{}`", role.as_str()))
            .collect();
        output.warn(format_args!(
            "no account could be entered: role {} could be assumed in none of them",
            roles.join(" or ")
        ));
        output.hint(
            "name the right role with --role; `trailproof iam-policy --who member --format \
             cloudformation` prints a template that creates one in every account",
        );
    }
    Ok(exit)
}

/// What `-v` says about an event: accounts as they are done with one, everything with two.
fn trace(event: &ScanEvent) {
    match event {
        ScanEvent::AccountDone {
            account,
            statuses,
            elapsed,
            ..
        } => tracing::debug!(%account, ?statuses, ?elapsed, "account done"),
        ScanEvent::Connected(caller) => {
            tracing::debug!(account = %caller.account, region = %caller.region, "connected");
        }
        ScanEvent::Warning(warning) => tracing::debug!(code = warning.code.as_str(), "warning"),
        ScanEvent::Progress(_) => {}
        other => tracing::trace!(event = ?other),
    }
}

/// Records what a scan did.
pub(crate) fn record(run: &mut Run, outcome: &ScanOutcome, narrowed: bool) {
    run.complete = outcome.complete;
    run.scope.caller = Some(outcome.caller.account);
    run.scope.partition = Some(outcome.caller.partition);
    run.scope.organization = organization(&outcome.evidence);
    run.scope.accounts =
        narrowed.then(|| outcome.accounts.iter().map(|account| account.id).collect());
    run.access.add(access(outcome));
    let statistics = &outcome.statistics;
    let milliseconds =
        |duration: std::time::Duration| u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    run.statistics = Statistics {
        accounts_found: statistics.accounts_found,
        accounts_done: statistics.accounts_done,
        regions_found: statistics.regions_found,
        regions_done: statistics.regions_done,
        calls: statistics.calls,
        calls_by_operation: statistics.calls_by_operation.clone(),
        throttles: statistics.throttles,
        retries: statistics.retries,
        errors: statistics.errors,
        reused: statistics.reused,
        elapsed_milliseconds: milliseconds(statistics.elapsed),
        slowest: statistics
            .slowest
            .iter()
            .map(|slow| SlowAccount {
                account: slow.account,
                milliseconds: milliseconds(slow.elapsed),
            })
            .collect(),
        denied: statistics
            .denied
            .iter()
            .map(|denied| denied.account)
            .collect(),
    };
}

/// What a run says of the listing it was begun with, once it ended: nothing, when the accounts were
/// listed for want of it. It may have been killed before it recorded the listing, and gone on with
/// without it.
fn used(listing: UsedListing, outcome: &ScanOutcome, confirms: bool) -> Option<UsedListing> {
    let calls = &outcome.statistics.calls_by_operation;
    match (calls.contains_key("organizations:ListAccounts"), confirms) {
        (true, true) => Some(UsedListing {
            confirmed: outcome.complete,
            ..listing
        }),
        (true, false) => None,
        (false, _) => Some(listing),
    }
}

/// How this part of the run reached AWS.
fn access(outcome: &ScanOutcome) -> Access {
    Access {
        identity: Some(outcome.caller.arn.clone()),
        network: outcome
            .network
            .iter()
            .map(|setting| NetworkSetting {
                name: setting.name.clone(),
                value: setting.value.clone(),
                origin: setting.origin.to_string(),
            })
            .collect(),
        hub_roles: Vec::new(),
        sessions: outcome
            .sessions
            .iter()
            .map(|used| SessionUse {
                role: used.role.clone(),
                session_policy: used.session_policy.as_str().to_owned(),
                accounts: used.accounts,
            })
            .collect(),
        own_account: outcome.own_account.map(|own| match own {
            OwnAccount::Role => RecordedOwnAccount::Role,
            OwnAccount::OwnCredentials => RecordedOwnAccount::OwnCredentials,
        }),
        never_asked: outcome
            .never_asked
            .iter()
            .map(|never| NeverAsked {
                role: never.role.clone(),
                operation: match &never.what {
                    Refused::Operation(operation) => Some(operation.to_string()),
                    Refused::Region(_) => None,
                },
                region: match &never.what {
                    Refused::Operation(_) => None,
                    Refused::Region(region) => Some(region.clone()),
                },
                refused_in: never.refused_in.clone(),
                error: format!("{}: {}", never.error.code, never.error.message),
                questions: never.questions,
            })
            .collect(),
    }
}

fn organization(evidence: &Evidence) -> Option<Organization> {
    let organization = evidence.reader().organization()?;
    Some(Organization {
        id: organization.id.clone(),
        management_account: organization.management_account,
    })
}

impl From<ScanError> for CliError {
    fn from(error: ScanError) -> Self {
        let wrong_usage = matches!(
            error,
            ScanError::InvalidRoleSetting { .. }
                | ScanError::InvalidSetting { .. }
                | ScanError::AmbiguousRole { .. }
                | ScanError::InvalidMemberRole { .. }
                | ScanError::UnknownRegion { .. }
                | ScanError::UnknownOrganizationalUnit { .. }
                | ScanError::AmbiguousUnit(_)
                | ScanError::FilterNeedsOrganization
                | ScanError::EvidenceExists { .. }
                | ScanError::EvidenceUnreadable { .. }
                | ScanError::OtherCaller { .. }
                | ScanError::OtherOrganization { .. }
        );
        let hint = error.hint();
        if wrong_usage {
            Self::usage(&error).hint(hint)
        } else {
            Self::failed(&error).hint(hint)
        }
    }
}
