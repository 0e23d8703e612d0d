//! Plans, journals and exports as files, private to the user: they hold e-mail addresses and
//! telephone numbers.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde_json::Value;
use trailproof_report::journal_file::JournalFileError;
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
        if let (PlanError::Format(_), Some((what, hint))) = (&error, something_else(&text)) {
            let path = path.display();
            return CliError::usage(format_args!("`{path}` is {what}, and not a plan")).hint(hint);
        }
        let told = CliError::usage(format_args!("`{}`: {error}", path.display()));
        match error {
            PlanError::Format(_) => told.hint(
                "name the file that `trailproof fix plan --out` wrote, or make the plan again",
            ),
            PlanError::Version { .. } | PlanError::Changed | PlanError::NotPlanned { .. } => told,
        }
    })
}

/// What the file is that `apply` writes beside a plan.
const JOURNAL: &str = "the journal of a plan";

/// What a file is that is taken for a plan, where it is another of ours, and what to do with it.
fn something_else(text: &str) -> Option<(&'static str, &'static str)> {
    let first = text.lines().next().unwrap_or_default();
    // Journals and evidence have an object a line.
    let mut read = [text, first].into_iter();
    let document = read.find_map(|text| serde_json::from_str::<Value>(text).ok())?;
    let has = |members: &[&str]| members.iter().all(|name| document.get(*name).is_some());
    if has(&["run", "findings"]) {
        Some((
            "the findings of a run",
            "make a plan of the run: `trailproof fix plan RUN --out plan.json`",
        ))
    } else if has(&["kind", "policy", "scope"]) {
        Some((
            "the run.json of a run",
            "make a plan of its folder: `trailproof fix plan RUN --out plan.json`",
        ))
    } else if has(&["plan", "digest"]) {
        Some((
            JOURNAL,
            "name the plan that it belongs to, or take it back with `trailproof fix undo JOURNAL`",
        ))
    } else if has(&["operation", "observed_at"]) {
        Some((
            "recorded evidence",
            "judge it with `trailproof evaluate --evidence FILE --out RUN`, and make a plan of that: \
             `trailproof fix plan RUN --out plan.json`",
        ))
    } else {
        None
    }
}

/// What a file is that is taken for a journal, where it is another of ours.
fn other_than_journal(text: &str) -> Option<&'static str> {
    if Plan::from_json(text).is_ok() {
        return Some("a plan");
    }
    let (what, _) = something_else(text)?;
    (what != JOURNAL).then_some(what)
}

/// Whether a plan may be written to a file: a file that is there is left alone, but for a plan
/// that is to be overwritten.
pub(super) fn check_free(path: &Path, overwrite: bool) -> Result<(), CliError> {
    let present = match std::fs::read(path) {
        Ok(present) if !present.trim_ascii().is_empty() => present,
        _ => return Ok(()),
    };
    let is_plan = std::str::from_utf8(&present).is_ok_and(|text| Plan::from_json(text).is_ok());
    let path = path.display();
    if !is_plan {
        let told = format!("`{path}` exists and is not a plan of this trailproof");
        return Err(CliError::usage(told).hint("name another file with --out"));
    }
    if overwrite {
        return Ok(());
    }
    Err(CliError::usage(format_args!("there is a plan in `{path}`"))
        .hint("give --overwrite to replace it, or name another file with --out"))
}

/// Writes a plan.
pub(super) fn write_plan(path: &Path, plan: &Plan, overwrite: bool) -> Result<(), CliError> {
    check_free(path, overwrite)?;
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
    let mut file = trailproof_files::create_anew(path).map_err(failed)?;
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
            JournalError::File(JournalFileError::Io { ref source, .. })
                if source.kind() == std::io::ErrorKind::NotFound =>
            {
                Self::usage(&error).hint("name the journal that `trailproof fix apply` wrote")
            }
            JournalError::File(error) => error.into(),
            JournalError::Line {
                ref path, line: 1, ..
            } => match std::fs::read_to_string(path).ok().as_deref().and_then(other_than_journal) {
                Some(what) => Self::usage(format_args!(
                    "`{}` is {what}, and not a journal",
                    path.display()
                ))
                .hint("name the journal that `trailproof fix apply` wrote, `journal.ndjson` beside the plan"),
                None => Self::usage(&error),
            },
            JournalError::Line { .. }
            | JournalError::OtherPlan { .. }
            | JournalError::Empty { .. } => Self::usage(&error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_files_are_told_apart() {
        for (text, expected) in [
            (
                "{\n\"run\": {}, \"findings\": []\n}",
                Some("the findings of a run"),
            ),
            (
                "{\"kind\": 1, \"policy\": 1, \"scope\": 1}",
                Some("the run.json of a run"),
            ),
            (
                "{\"sequence\":1,\"entry\":\"opened\",\"plan\":\"p\",\"digest\":\"d\"}\n{\"sequence\":2}\n",
                Some("the journal of a plan"),
            ),
            (
                "{\"operation\":\"a:B\",\"observed_at\":1}\n{}\n",
                Some("recorded evidence"),
            ),
            ("{}", None),
            ("no JSON", None),
            ("", None),
        ] {
            assert_eq!(
                something_else(text).map(|(what, _)| what),
                expected,
                "{text}"
            );
            let other = expected.filter(|what| *what != JOURNAL);
            assert_eq!(other_than_journal(text), other, "{text}");
        }
    }
}
