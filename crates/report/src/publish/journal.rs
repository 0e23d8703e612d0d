//! The journal of publishing: what was about to be sent and what came of it. An attempt that was
//! interrupted goes on with the accounts that were not done; one that came to its end begins anew.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use trailproof_core::account::{AccountId, Region};

use crate::bundle::hexadecimal;
use crate::journal_file::{self, BadLine, JournalFile, JournalFileError, Line};

/// The version of the format that this trailproof writes and reads.
const SCHEMA_VERSION: u32 = 1;

/// What a line says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "entry", rename_all = "kebab-case")]
pub(super) enum Entry {
    /// An attempt begins.
    Opened {
        /// [`SCHEMA_VERSION`].
        schema_version: u32,
        /// The version of trailproof.
        tool_version: String,
        /// The SHA-256 sum of the findings that are sent.
        findings: String,
        /// Whose Security Hub.
        region: Region,
    },
    /// A request is about to be sent.
    Sending {
        /// As whom.
        account: AccountId,
        /// The ids of its findings.
        ids: Vec<String>,
    },
    /// It was answered.
    Sent {
        /// As whom it was sent.
        account: AccountId,
        /// How many findings were taken.
        taken: usize,
        /// Those that were not.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        refused: Vec<Refusal>,
    },
    /// Everything of an account is there.
    Done {
        /// The account.
        account: AccountId,
    },
    /// The attempt came to its end, whatever was refused.
    Finished,
}

/// A finding that Security Hub did not take.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// The finding's id there.
    pub id: String,
    /// AWS's code.
    pub code: String,
    /// AWS's words. Untrusted text.
    pub message: String,
}

impl Refusal {
    pub(super) fn too_large(id: &str) -> Self {
        Self {
            id: id.to_owned(),
            code: "TooLarge".to_owned(),
            message: "it has more than 240 kB, which Security Hub does not take".to_owned(),
        }
    }
}

/// A journal that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PublishJournalError {
    /// The file system refused, or somebody else is working with it.
    #[error(transparent)]
    File(#[from] JournalFileError),
    /// A complete line that is not one of such a journal.
    #[error(
        "line {line} of the journal `{path}` cannot be understood: {problem}; nothing was sent"
    )]
    Line {
        /// The file.
        path: PathBuf,
        /// Counts from 1.
        line: usize,
        /// What is wrong with it.
        problem: String,
    },
}

/// The journal.
#[derive(Debug)]
pub struct Journal {
    file: JournalFile,
    said: Said,
}

/// What the lines say.
#[derive(Debug, Default)]
struct Said {
    sequence: u64,
    /// The attempt that did not come to its end: what is sent where.
    open: Option<(String, Region)>,
    /// What it has done.
    done: BTreeSet<AccountId>,
}

/// The sum of the findings that are sent, by which a journal knows them again.
pub fn digest(findings: &[u8]) -> String {
    hexadecimal(&Sha256::digest(findings))
}

impl Journal {
    /// Opens the journal, or begins it. It goes on with an attempt to send the same findings to the
    /// same region that was interrupted.
    pub fn open(
        path: &Path,
        findings: String,
        region: &Region,
        now: Timestamp,
    ) -> Result<Self, PublishJournalError> {
        let (file, said) = JournalFile::open(path, true, |text| read(text, path))?;
        let mut journal = Self { file, said };
        let attempt = (findings, region.clone());
        if journal.said.open.as_ref() == Some(&attempt) {
            return Ok(journal);
        }
        let new = journal.said.sequence == 0;
        let (findings, region) = attempt;
        journal.append(
            now,
            Entry::Opened {
                schema_version: SCHEMA_VERSION,
                tool_version: env!("CARGO_PKG_VERSION").to_owned(),
                findings,
                region,
            },
        )?;
        if new {
            journal.file.sync_folder()?;
        }
        Ok(journal)
    }

    /// What is there, to look at and not to write.
    pub fn peek(
        path: &Path,
        findings: String,
        region: &Region,
    ) -> Result<Self, PublishJournalError> {
        let (file, text) = JournalFile::peek(path)?;
        let mut said = read(&text, path)?;
        if said.open.as_ref() != Some(&(findings, region.clone())) {
            said.done.clear();
        }
        Ok(Self { file, said })
    }

    /// The accounts that an attempt has done which this one goes on with.
    pub fn done(&self) -> usize {
        self.said.done.len()
    }

    pub(super) fn is_done(&self, account: AccountId) -> bool {
        self.said.done.contains(&account)
    }

    pub(super) fn append(
        &mut self,
        now: Timestamp,
        entry: Entry,
    ) -> Result<(), PublishJournalError> {
        let line = Line {
            sequence: self.said.sequence + 1,
            at: now,
            entry,
        };
        self.file.append(&line)?;
        self.said.line(line);
        Ok(())
    }
}

impl Said {
    fn line(&mut self, line: Line<Entry>) {
        self.sequence = line.sequence;
        match line.entry {
            Entry::Opened {
                findings, region, ..
            } => {
                self.open = Some((findings, region));
                self.done.clear();
            }
            Entry::Finished => {
                self.open = None;
                self.done.clear();
            }
            Entry::Done { account } => {
                self.done.insert(account);
            }
            Entry::Sending { .. } | Entry::Sent { .. } => {}
        }
    }
}

/// What whole lines say.
fn read(text: &[u8], path: &Path) -> Result<Said, PublishJournalError> {
    let bad = |BadLine { line, problem }| PublishJournalError::Line {
        path: path.to_owned(),
        line,
        problem,
    };
    let mut said = Said::default();
    for (line, read) in (1..).zip(journal_file::lines::<Entry>(text)) {
        let read = read.map_err(bad)?;
        let problem = match &read.entry {
            Entry::Opened { schema_version, .. } if *schema_version != SCHEMA_VERSION => Some(
                format!("schema version {schema_version}; this trailproof reads {SCHEMA_VERSION}"),
            ),
            Entry::Opened { .. } => None,
            _ if line == 1 => Some("the first line must be `opened`".to_owned()),
            _ => None,
        };
        if let Some(problem) = problem {
            return Err(bad(BadLine { line, problem }));
        }
        said.line(read);
    }
    Ok(said)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Timestamp {
        "2026-11-22T22:00:00Z".parse().unwrap()
    }

    fn account() -> AccountId {
        "111111111111".parse().unwrap()
    }

    #[test]
    fn an_interrupted_attempt_goes_on_and_a_finished_one_begins_anew() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("publish.ndjson");
        let region = Region::new("us-east-1");
        let open = |findings: &str| Journal::open(&path, findings.to_owned(), &region, now());
        let done = Entry::Done { account: account() };
        let mut journal = open("a").unwrap();
        journal.append(now(), done.clone()).unwrap();
        assert!(matches!(
            open("a"),
            Err(PublishJournalError::File(JournalFileError::Locked { .. }))
        ));
        drop(journal);

        assert!(open("a").unwrap().is_done(account()));
        let elsewhere = Region::new("eu-west-1");
        assert_eq!(
            Journal::peek(&path, "a".to_owned(), &elsewhere)
                .unwrap()
                .done(),
            0
        );
        let mut journal = open("b").unwrap();
        assert!(!journal.is_done(account()));
        journal.append(now(), done).unwrap();
        journal.append(now(), Entry::Finished).unwrap();
        drop(journal);
        assert!(!open("b").unwrap().is_done(account()));
    }

    #[test]
    fn other_files_are_left_as_they_are() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("plan.json");
        let text = "{\n  \"id\": \"plan\"\n}";
        let mut file = trailproof_files::create(&path).unwrap();
        std::io::Write::write_all(&mut file, text.as_bytes()).unwrap();
        let region = Region::new("us-east-1");
        let error = Journal::open(&path, String::new(), &region, now()).unwrap_err();
        assert!(error.to_string().starts_with("line 1 of"), "{error}");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
    }
}
