//! The journal: what was about to be done, and what came of it, one line each, on the disk before
//! the next thing happens.
//!
//! A change is written down twice: its intent before the call, its outcome after it. Whoever dies
//! in between leaves an intent without an outcome, and the next run looks whether the change was
//! made before it does anything.

mod lines;

use std::path::{Path, PathBuf};

use jiff::Timestamp;

use crate::journal_file::{self, BadLine, JournalFile, JournalFileError};
use lines::Replay;
pub use lines::{Created, Entry, Header, Line, SCHEMA_VERSION, StepRecord, StepState};

/// The journal of a plan.
#[derive(Debug)]
pub struct Journal {
    file: JournalFile,
    said: Replay,
}

/// A journal that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The file system refused, or somebody else is working with it.
    #[error(transparent)]
    File(#[from] JournalFileError),
    /// A complete line that is not a journal entry.
    #[error(
        "line {line} of the journal `{path}` cannot be understood: {problem}; nothing was changed"
    )]
    Line {
        /// The file.
        path: PathBuf,
        /// Counts from 1.
        line: usize,
        /// What is wrong with it.
        problem: String,
    },
    /// The file belongs to another plan.
    #[error(
        "the journal `{path}` belongs to plan {found}, not to plan {wanted}: name another file with --journal"
    )]
    OtherPlan {
        /// The file.
        path: PathBuf,
        /// The plan in the file.
        found: String,
        /// The plan at hand.
        wanted: String,
    },
    /// There is no entry in it.
    #[error("the journal `{path}` is empty")]
    Empty {
        /// The file.
        path: PathBuf,
    },
}

impl Journal {
    /// Opens the journal of a plan, or begins it. What a crash left half-written is cut off.
    pub fn open(path: &Path, header: &Header, now: Timestamp) -> Result<Self, JournalError> {
        let mut journal = Self::load(path, true)?;
        if journal.said.sequence == 0 {
            journal.said.header = header.clone();
            journal.append(
                now,
                Entry::Opened {
                    schema_version: SCHEMA_VERSION,
                    plan: header.plan.clone(),
                    digest: header.digest.clone(),
                    tool_version: env!("CARGO_PKG_VERSION").to_owned(),
                    role: header.role.clone(),
                    roles: header.roles.clone(),
                },
            )?;
            journal.file.sync_folder()?;
        } else if journal.said.header.plan != header.plan {
            return Err(JournalError::OtherPlan {
                path: path.to_owned(),
                found: journal.said.header.plan,
                wanted: header.plan.clone(),
            });
        }
        Ok(journal)
    }

    /// A journal to look at and not to write: what is appended goes nowhere but into memory.
    pub fn peek(path: &Path, header: &Header) -> Result<Self, JournalError> {
        let (file, text) = JournalFile::peek(path)?;
        let mut said = read(&text, path)?;
        said.header = header.clone();
        Ok(Self { file, said })
    }

    /// Opens a journal that must exist.
    pub fn reopen(path: &Path) -> Result<Self, JournalError> {
        let journal = Self::load(path, false)?;
        if journal.said.sequence == 0 {
            return Err(JournalError::Empty {
                path: path.to_owned(),
            });
        }
        Ok(journal)
    }

    /// The plan a journal belongs to; `None` when there is no such file or nothing in it.
    pub fn plan_of(path: &Path) -> Result<Option<String>, JournalError> {
        let Some(text) = journal_file::read(path)? else {
            return Ok(None);
        };
        let first: Vec<u8> = text
            .split_inclusive(|byte| *byte == b'\n')
            .take(1)
            .flatten()
            .copied()
            .collect();
        Ok(Some(read(&first, path)?.header.plan).filter(|plan| !plan.is_empty()))
    }

    fn load(path: &Path, create: bool) -> Result<Self, JournalError> {
        let (file, said) = JournalFile::open(path, create, |text| read(text, path))?;
        Ok(Self { file, said })
    }

    /// Writes one line through to the disk. When this returns, the entry survives a crash.
    pub fn append(&mut self, now: Timestamp, entry: Entry) -> Result<(), JournalError> {
        let line = Line {
            sequence: self.said.sequence + 1,
            at: now,
            entry,
        };
        self.file.append(&line)?;
        self.said.line(line);
        Ok(())
    }

    /// The first line.
    pub fn header(&self) -> &Header {
        &self.said.header
    }

    /// The file.
    pub fn path(&self) -> &Path {
        self.file.path()
    }

    /// What is known of one step.
    pub fn step(&self, id: &str) -> Option<&StepRecord> {
        self.said.steps.get(id)
    }

    /// Every step that was ever begun, in the order of their intents.
    pub fn steps(&self) -> Vec<&StepRecord> {
        let mut steps: Vec<_> = self.said.steps.values().collect();
        steps.sort_by_key(|record| record.sequence);
        steps
    }
}

/// What whole lines say.
fn read(text: &[u8], path: &Path) -> Result<Replay, JournalError> {
    let mut said = Replay::default();
    said.lines(text)
        .map_err(|BadLine { line, problem }| JournalError::Line {
            path: path.to_owned(),
            line,
            problem,
        })?;
    Ok(said)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::remediation::plan::Step;
    use crate::remediation::resources::{Change, Topic};

    fn now() -> Timestamp {
        "2026-11-22T22:00:00Z".parse().unwrap()
    }

    fn an_arn() -> Created {
        Created {
            arn: Some("x".to_owned()),
            digest: None,
        }
    }

    fn header() -> Header {
        Header {
            plan: "abc".to_owned(),
            digest: "d".repeat(64),
            role: None,
            roles: Vec::new(),
        }
    }

    fn step(id: &str) -> Step {
        Step {
            id: id.to_owned(),
            account: "111111111111".parse().unwrap(),
            region: trailproof_core::account::Region::new("us-east-1"),
            change: Change::CreateTopic(Topic {
                name: "t".to_owned(),
                arn: "arn:aws:sns:us-east-1:111111111111:t".to_owned(),
                kms_key: None,
                tags: BTreeMap::new(),
                use_existing: false,
                publishers: None,
            }),
            name_seen_free: false,
        }
    }

    fn intent(id: &str) -> Entry {
        Entry::Intent {
            step: Box::new(step(id)),
            watched_by: Vec::new(),
        }
    }

    fn created(id: &str) -> Entry {
        Entry::Created {
            step: id.to_owned(),
            result: an_arn(),
        }
    }

    #[test]
    fn says_where_each_step_stands() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal.ndjson");
        let mut journal = Journal::open(&path, &header(), now()).unwrap();
        for entry in [
            intent("a"),
            created("a"),
            intent("b"),
            intent("c"),
            Entry::Failed {
                step: "c".to_owned(),
                code: "AccessDenied".to_owned(),
                message: String::new(),
                uncertain: false,
            },
            intent("d"),
            created("d"),
            Entry::UndoIntent {
                step: "d".to_owned(),
            },
        ] {
            journal.append(now(), entry).unwrap();
        }
        let before: Vec<StepRecord> = journal.steps().into_iter().cloned().collect();
        drop(journal);

        let journal = Journal::open(&path, &header(), now()).unwrap();
        let states: Vec<_> = journal
            .steps()
            .into_iter()
            .map(|record| record.state.clone())
            .collect();
        let there = StepState::Created(an_arn());
        assert_eq!(
            states,
            [
                there.clone(),
                StepState::Uncertain,
                StepState::NotCreated,
                there
            ]
        );
        assert_eq!(
            journal.steps().into_iter().cloned().collect::<Vec<_>>(),
            before
        );
    }

    #[test]
    fn a_torn_tail_is_cut_at_every_byte() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal.ndjson");
        let mut journal = Journal::open(&path, &header(), now()).unwrap();
        journal.append(now(), intent("a")).unwrap();
        journal.append(now(), created("a")).unwrap();
        drop(journal);
        let text = std::fs::read(&path).unwrap();
        let ends: Vec<usize> = (0..text.len()).filter(|at| text[*at] == b'\n').collect();
        for length in 0..=text.len() {
            std::fs::write(&path, &text[..length]).unwrap();
            let complete = ends.iter().filter(|end| **end < length).count();
            let mut journal = Journal::open(&path, &header(), now()).unwrap();
            let state = journal.step("a").map(|record| record.state.clone());
            let expected = match complete {
                0 | 1 => None,
                2 => Some(StepState::Uncertain),
                _ => Some(StepState::Created(an_arn())),
            };
            assert_eq!(state, expected, "{length}");
            journal.append(now(), intent("z")).unwrap();
            drop(journal);
            let journal = Journal::reopen(&path).unwrap();
            assert!(journal.step("z").is_some(), "{length}");
        }
    }

    #[test]
    fn a_broken_line_in_the_middle_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal.ndjson");
        let mut journal = Journal::open(&path, &header(), now()).unwrap();
        journal.append(now(), intent("a")).unwrap();
        drop(journal);
        let text = std::fs::read_to_string(&path).unwrap();
        let (first, second) = text.split_once('\n').unwrap();
        std::fs::write(&path, format!("{first}\nnonsense\n{second}")).unwrap();
        let error = Journal::reopen(&path).unwrap_err().to_string();
        assert!(error.starts_with("line 2 of the journal"), "{error}");
        std::fs::write(&path, format!("{first}\n{second}{second}")).unwrap();
        let error = Journal::reopen(&path).unwrap_err().to_string();
        assert!(error.contains("its sequence is 2, expected 3"), "{error}");
        std::fs::write(&path, second).unwrap();
        assert!(Journal::reopen(&path).is_err());
    }

    #[test]
    fn one_process_at_a_time_and_one_plan() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal.ndjson");
        assert_eq!(Journal::plan_of(&path).unwrap(), None);
        let journal = Journal::open(&path, &header(), now()).unwrap();
        assert!(matches!(
            Journal::open(&path, &header(), now()),
            Err(JournalError::File(JournalFileError::Locked { .. }))
        ));
        assert_eq!(Journal::plan_of(&path).unwrap().as_deref(), Some("abc"));
        drop(journal);
        let other = Header {
            plan: "other".to_owned(),
            ..header()
        };
        assert!(matches!(
            Journal::open(&path, &other, now()),
            Err(JournalError::OtherPlan { .. })
        ));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = std::fs::metadata(&path).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
    }

    #[test]
    fn an_empty_or_missing_journal_cannot_be_undone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal.ndjson");
        assert!(matches!(
            Journal::reopen(&path),
            Err(JournalError::File { .. })
        ));
        std::fs::write(&path, "").unwrap();
        assert!(matches!(
            Journal::reopen(&path),
            Err(JournalError::Empty { .. })
        ));
    }
}
