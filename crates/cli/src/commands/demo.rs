//! `trailproof demo`: a simulated organization, scanned through real HTTP, without AWS.

use std::path::{Path, PathBuf};

use trailproof_report::format;
use trailproof_report::run::{DEMO_ORGANIZATION, RunDirectory, RunDirectoryError, RunKind, file};
use trailproof_scanner::{ConnectOptions, ScanPlan, StaticCredentials};
use trailproof_simulator::generator::{Generator, Mix};
use trailproof_simulator::{Options, Server};

use super::scan::{self, Prepared};
use crate::clock;
use crate::conclusion::Reports;
use crate::error::CliError;
use crate::exit::Exit;
use crate::open_files;
use crate::output::Output;
use crate::settings::{PolicySettings, ScopeSettings};

/// Scan a simulated organization, for a first look without AWS.
///
/// The organization is served on a free port of this computer and scanned as a real one is.
/// Neither AWS nor your credentials are used, whatever the environment says. Exit codes are those
/// of scan.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// How many accounts the organization has.
    #[arg(long, value_name = "N", default_value_t = 24)]
    accounts: usize,

    /// How many regions each account has.
    #[arg(long, value_name = "N", default_value_t = 17)]
    regions: usize,

    /// What the organization looks like; the same seed, the same organization.
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,

    /// The folder for the reports, in every format. An earlier demo in it is replaced.
    #[arg(long, short, value_name = "DIR", default_value = "trailproof-demo")]
    out: PathBuf,

    #[command(flatten)]
    policy: PolicySettings,
}

pub(crate) fn run(arguments: Arguments, output: &Output) -> Result<Exit, CliError> {
    let Arguments {
        accounts,
        regions,
        seed,
        out,
        policy,
    } = arguments;
    let generator = Generator {
        accounts,
        regions,
        seed,
        mix: Mix::Demo,
        denied: None,
    };
    let mut organization = generator.organization().map_err(CliError::usage)?;
    organization.now = clock::now();
    DEMO_ORGANIZATION.clone_into(&mut organization.id);
    let server = Server::start(organization, Options::default()).map_err(|error| {
        CliError::failed(format_args!("cannot serve on this computer: {error}"))
    })?;
    output.note(format_args!(
        "a simulated organization is served on {}: {accounts} {}, {regions} {}",
        server.address(),
        if accounts == 1 { "account" } else { "accounts" },
        if regions == 1 { "region" } else { "regions" },
    ));

    let fail_on = policy.fail_on;
    let policy = policy.policy(trailproof_core::control::builtin())?;
    let mut plan = ScanPlan::new(policy.clone());
    plan.connection = connection(&server.environment())?;
    let mut run = scan::new_run(RunKind::Demo, &plan, &ScopeSettings::default(), &policy);
    run.policy.fail_on = fail_on.map(Into::into);
    let overwrite = is_demo(&out)?;
    let directory = RunDirectory::create(&out, &run, overwrite)?;
    let reports = Reports::Folder(directory, format::ALL.to_vec());
    plan.evidence = scan::evidence_file(&reports, false);
    let prepared = Prepared {
        plan,
        run,
        policy,
        reports,
    };
    let exit = scan::execute(prepared, output)?;
    server.stop();
    if exit != Exit::Interrupted {
        output.note(next(&out));
    }
    Ok(exit)
}

/// A connection to the simulator and to nothing else: with an endpoint and credentials given, the
/// scanner reads neither the environment nor any file.
fn connection(environment: &[(&'static str, String)]) -> Result<ConnectOptions, CliError> {
    let value = |wanted: &str| {
        environment
            .iter()
            .find(|(name, _)| *name == wanted)
            .map(|(_, value)| value.clone())
            .ok_or_else(|| CliError::failed(format_args!("the simulator names no {wanted}")))
    };
    Ok(ConnectOptions {
        // The simulator has the other end of each in this process, too.
        connections: open_files::connections()?.shared_by_two(),
        profile: None,
        region: Some(value("AWS_REGION")?),
        endpoint_url: Some(value("AWS_ENDPOINT_URL")?),
        credentials: Some(StaticCredentials {
            access_key_id: value("AWS_ACCESS_KEY_ID")?,
            secret_access_key: value("AWS_SECRET_ACCESS_KEY")?,
            session_token: None,
        }),
        ..ConnectOptions::default()
    })
}

/// Whether an earlier demo is there, which may be replaced. A real run is never replaced.
fn is_demo(path: &Path) -> Result<bool, CliError> {
    match RunDirectory::open_unfinished(path) {
        Ok((_, run)) if run.kind == RunKind::Demo => Ok(true),
        Ok(_) => Err(CliError::usage(format_args!(
            "`{}` holds a run that is not a demo",
            path.display()
        ))
        .hint("choose another folder with --out")),
        Err(RunDirectoryError::NoRun { .. }) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

fn next(out: &Path) -> String {
    let out = crate::untrusted::visible(&out.display().to_string());
    format!(
        "\nLook at next:\n  \
         {out}/report.html  in a browser: every chain, drawn link by link\n  \
         {out}/{}  in a spreadsheet\n  \
         trailproof evaluate --evidence {out} --assurance cis  what the benchmark's letter alone would say\n  \
         trailproof scan  the same for your organization",
        file::FINDINGS_CSV,
    )
}
