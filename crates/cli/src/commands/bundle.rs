//! `trailproof bundle`: one archive with everything a verdict rests on.

use std::path::{Path, PathBuf};

use trailproof_report::bundle::{self, SigningError, SigningKey};
use trailproof_report::run::{Addresses, RunDirectory};

use crate::error::CliError;
use crate::exit::Exit;
use crate::output::Output;
use crate::settings::recorded_policy;

/// Pack a run's evidence, findings and policy into one archive with SHA-256 sums.
///
/// Everything is in one folder, with a report, a workbook, SHA256SUMS for `sha256sum -c`, and
/// README.txt, which says how to check the bundle without trailproof. Keep the printed sum somewhere
/// else, or sign with --signing-key: then nobody can exchange the bundle as a whole.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The folder of a run.
    run: PathBuf,

    /// The archive to write [default: RUN.tar.gz].
    #[arg(long, short, value_name = "FILE")]
    out: Option<PathBuf>,

    /// Replace an archive that is there already.
    #[arg(long)]
    overwrite: bool,

    /// Pack pseudonyms in place of the addresses of subscriptions and accounts.
    #[arg(long)]
    mask_endpoints: bool,

    /// Sign with this private SSH key: Ed25519, without a passphrase.
    #[arg(long, value_name = "KEY")]
    signing_key: Option<PathBuf>,
}

pub(crate) fn run(arguments: Arguments, output: &Output) -> Result<Exit, CliError> {
    let (directory, run) = RunDirectory::open(&arguments.run)?;
    let controls = recorded_policy(&run)?.controls;
    let path = match arguments.out {
        Some(path) => path,
        None => default_path(&arguments.run)?,
    };
    if path.exists() && !arguments.overwrite {
        return Err(
            CliError::usage(format_args!("`{}` is there already", path.display()))
                .hint("choose another name with --out, or replace it with --overwrite"),
        );
    }
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    if let Some(folder) = folder.filter(|folder| !folder.is_dir()) {
        return Err(
            CliError::usage(format_args!("there is no folder `{}`", folder.display()))
                .hint("make it first, or write elsewhere with --out"),
        );
    }
    let key = arguments.signing_key.as_deref().map(read_key).transpose()?;
    if !run.complete {
        output.warn("the run is not complete, and the bundle will say so");
    }
    let addresses = if arguments.mask_endpoints && !run.mask_endpoints {
        Addresses::Masked
    } else {
        Addresses::Full
    };
    let written =
        bundle::write(&directory, &controls, &path, addresses, key.as_ref()).map_err(|error| {
            CliError::failed(&error)
                .hint("check that the run is whole and that there is space on the disk")
        })?;
    output.data(|out| {
        writeln!(out, "{}  {}", written.sha256, path.display())?;
        Ok(())
    })?;
    output.note(format_args!(
        "{} files, {} bytes. Check it with `trailproof verify {}`",
        written.manifest.files.len() + 2 + usize::from(written.signed_by.is_some()),
        written.size,
        path.display()
    ));
    if let Some(fingerprint) = &written.signed_by {
        output.note(format_args!("Signed with the key {fingerprint}"));
    }
    Ok(Exit::Success)
}

fn read_key(path: &Path) -> Result<SigningKey, CliError> {
    let text = std::fs::read(path).map_err(|error| {
        CliError::usage(format_args!("cannot read `{}`: {error}", path.display()))
            .hint("check the path given with --signing-key")
    })?;
    SigningKey::read(&text).map_err(|error| {
        let hint = match &error {
            SigningError::NoKey(_) => "name the private half, as `ssh-keygen -t ed25519` writes it",
            SigningError::Encrypted => {
                "sign with a key without a passphrase, or sign SHA256SUMS by hand with `ssh-keygen \
                 -Y sign -n trailproof-bundle`"
            }
            SigningError::Type(_) | SigningError::Failed(_) => {
                "make a key with `ssh-keygen -t ed25519`"
            }
        };
        CliError::usage(format_args!(
            "cannot sign with `{}`: {error}",
            path.display()
        ))
        .hint(hint)
    })
}

/// Beside the folder of the run, by its name.
fn default_path(run: &std::path::Path) -> Result<PathBuf, CliError> {
    let named = std::fs::canonicalize(run).unwrap_or_else(|_| run.to_owned());
    let name = named.file_name().ok_or_else(|| {
        CliError::usage("the folder of the run has no name").hint("name the archive with --out")
    })?;
    let mut name = name.to_owned();
    name.push(".tar.gz");
    Ok(run.parent().unwrap_or(std::path::Path::new("")).join(name))
}
