//! `trailproof fix export`.

use std::path::{Path, PathBuf};

use trailproof_report::remediation::export::{Language, export};

use super::files;
use crate::error::CliError;
use crate::exit::Exit;
use crate::output::Output;

/// Write a plan in another language, for those who change accounts only through it.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The plan.
    #[arg(value_name = "PLAN")]
    plan: PathBuf,

    /// The language.
    #[arg(long, value_enum, default_value = "script")]
    format: LanguageName,

    /// The folder for the files. Without it, or with `-`, the only file goes to stdout.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum LanguageName {
    /// A POSIX shell script of AWS CLI commands, which looks before it creates.
    Script,
    /// CloudFormation, one template per site.
    Cloudformation,
    /// CloudFormation, one template for StackSets and the commands to roll it out.
    Stackset,
    /// Terraform.
    Terraform,
}

impl From<LanguageName> for Language {
    fn from(name: LanguageName) -> Self {
        match name {
            LanguageName::Script => Self::Script,
            LanguageName::Cloudformation => Self::CloudFormation,
            LanguageName::Stackset => Self::StackSet,
            LanguageName::Terraform => Self::Terraform,
        }
    }
}

pub(super) fn run(arguments: &Arguments, output: &Output) -> Result<Exit, CliError> {
    let plan = files::read_plan(&arguments.plan)?;
    let written = export(&plan, arguments.format.into());
    for note in &written.notes {
        output.warn(note);
    }
    if written.files.is_empty() {
        return Err(CliError::usage(
            "the plan changes nothing, so there is nothing to export",
        ));
    }
    let folder = arguments.out.as_deref();
    let Some(folder) = folder.filter(|folder| *folder != Path::new("-")) else {
        let [file] = written.files.as_slice() else {
            return Err(CliError::usage(format_args!(
                "the export has {} files",
                written.files.len()
            ))
            .hint("name a folder with --out"));
        };
        output.data(|to| to.write_all(file.content.as_bytes()))?;
        return Ok(Exit::Success);
    };
    trailproof_files::create_folder(folder).map_err(|error| {
        CliError::failed(format_args!(
            "cannot create `{}`: {error}",
            folder.display()
        ))
        .hint("name a folder with --out, where you may write")
    })?;
    for file in &written.files {
        let path = folder.join(&file.name);
        files::write(&path, &file.content)?;
        if file.executable {
            trailproof_files::make_executable(&path).map_err(|error| {
                CliError::failed(format_args!("cannot write `{}`: {error}", path.display()))
            })?;
        }
        output.note(format_args!("wrote {}", path.display()));
    }
    Ok(Exit::Success)
}
