//! Plans, journals and exports as files, private to the user: they hold e-mail addresses and
//! telephone numbers.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use trailproof_report::remediation::journal::{Journal, JournalError};
use trailproof_report::remediation::{Plan, PlanError};

use crate::error::CliError;

/// Reads a plan, and refuses one that `fix plan` would not have made.
pub(super) fn read_plan(path: &Path) -> Result<Plan, CliError> {
    let text = std::fs::read_to_string(path).map_err(|error| {
        CliError::usage(format_args!(
            "cannot read the plan `{}`: {error}",
            path.display()
        ))
        .hint("name the file that `trailproof fix plan --out` wrote")
    })?;
    let checked = Plan::from_json(&text).and_then(|plan| plan.check().map(|()| plan));
    checked.map_err(|error| {
        let told = CliError::usage(format_args!("`{}`: {error}", path.display()));
        match error {
            PlanError::Format(_) => told.hint(
                "name the file that `trailproof fix plan --out` wrote, or make the plan again",
            ),
            PlanError::Version { .. } | PlanError::Changed | PlanError::NotPlanned { .. } => told,
        }
    })
}

/// Writes a plan. A file that is no plan is left alone.
pub(super) fn write_plan(path: &Path, plan: &Plan) -> Result<(), CliError> {
    if let Ok(present) = std::fs::read_to_string(path)
        && !present.trim().is_empty()
        && Plan::from_json(&present).is_err()
    {
        return Err(CliError::usage(format_args!(
            "`{}` exists and is not a plan of this trailproof",
            path.display()
        ))
        .hint("name another file with --out"));
    }
    write(path, &plan_text(plan)?)
}

/// A plan as its file has it.
pub(super) fn plan_text(plan: &Plan) -> Result<String, CliError> {
    plan.to_json()
        .map_err(|error| CliError::failed(format_args!("cannot write the plan: {error}")))
}

/// Writes a private file.
pub(super) fn write(path: &Path, content: &str) -> Result<(), CliError> {
    let failed = |error| {
        CliError::failed(format_args!("cannot write `{}`: {error}", path.display()))
            .hint("check that the folder exists and is yours")
    };
    // Anew, so that a file that others could read does not stay readable.
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(failed(error)),
        _ => {}
    }
    let mut file = trailproof_files::create(path).map_err(failed)?;
    file.write_all(content.as_bytes())
        .and_then(|()| file.sync_all())
        .map_err(failed)
}

/// The journal of a plan: the file that was named, or `journal.ndjson` beside the plan; when that
/// one belongs to another plan, one with this plan's id in its name.
pub(super) fn journal_path(
    named: Option<&PathBuf>,
    plan_path: &Path,
    plan: &Plan,
) -> Result<PathBuf, CliError> {
    if let Some(path) = named {
        return Ok(path.clone());
    }
    let folder = plan_path.parent().unwrap_or_else(|| Path::new(""));
    let path = folder.join("journal.ndjson");
    match Journal::plan_of(&path)? {
        Some(other) if other != plan.id => Ok(folder.join(format!("journal-{}.ndjson", plan.id))),
        _ => Ok(path),
    }
}

impl From<JournalError> for CliError {
    fn from(error: JournalError) -> Self {
        match error {
            JournalError::File { ref source, .. }
                if source.kind() == std::io::ErrorKind::NotFound =>
            {
                Self::usage(&error).hint("name the journal that `trailproof fix apply` wrote")
            }
            JournalError::File { .. } => Self::failed(&error)
                .hint("check that the folder exists, is yours and the disk is not full"),
            JournalError::Locked { .. } => Self::failed(&error),
            JournalError::Line { .. }
            | JournalError::OtherPlan { .. }
            | JournalError::Empty { .. } => Self::usage(&error),
        }
    }
}
