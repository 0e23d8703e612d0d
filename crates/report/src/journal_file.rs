//! The file of a journal: numbered lines, each on the disk before the next thing happens, by one
//! process at a time. What the lines say is for those to know who keep a journal.

use std::fs::{File, TryLockError};
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// One line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Line<E> {
    /// Counts from 1; a gap means that lines were lost.
    pub sequence: u64,
    /// When it was written.
    pub at: Timestamp,
    /// What happened.
    #[serde(flatten)]
    pub entry: E,
}

/// A whole line that does not belong in a journal.
#[derive(Debug)]
pub struct BadLine {
    /// Counts from 1.
    pub line: usize,
    /// What is wrong with it.
    pub problem: String,
}

/// A file that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum JournalFileError {
    /// The file system refused.
    #[error("cannot {action} the journal `{path}`: {source}")]
    Io {
        /// What was tried.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Somebody else is working with it.
    #[error(
        "the journal `{path}` is in use: another trailproof is running with it; wait for it to end"
    )]
    Locked {
        /// The file.
        path: PathBuf,
    },
}

/// The file, open for appending and locked against a second process.
#[derive(Debug)]
pub struct JournalFile {
    /// `None` for one that is only looked at.
    file: Option<File>,
    path: PathBuf,
}

impl JournalFile {
    /// Opens a file and reads its whole lines. What a crash left half-written is cut off, if the
    /// lines before it are a journal's.
    pub fn open<T, E: From<JournalFileError>>(
        path: &Path,
        create: bool,
        read: impl FnOnce(&[u8]) -> Result<T, E>,
    ) -> Result<(Self, T), E> {
        let failed = |action| move |source| io(action, path, source);
        let mut file = trailproof_files::options()
            .read(true)
            .append(true)
            .create(create)
            .open(path)
            .map_err(failed("open"))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let path = path.to_owned();
                return Err(JournalFileError::Locked { path }.into());
            }
            Err(TryLockError::Error(source)) => return Err(failed("lock")(source).into()),
        }
        let mut text = Vec::new();
        file.read_to_end(&mut text).map_err(failed("read"))?;
        let complete = complete_length(&text);
        let said = read(text.get(..complete).unwrap_or_default())?;
        if complete < text.len() {
            // A line without its end was never acted upon: calls follow only complete lines.
            file.set_len(complete as u64).map_err(failed("repair"))?;
            file.sync_data().map_err(failed("repair"))?;
        }
        file.seek(SeekFrom::End(0)).map_err(failed("open"))?;
        let file = Self {
            file: Some(file),
            path: path.to_owned(),
        };
        Ok((file, said))
    }

    /// A file to look at and not to write: what is appended goes nowhere. Its whole lines, none
    /// where there is no such file.
    pub fn peek(path: &Path) -> Result<(Self, Vec<u8>), JournalFileError> {
        let text = read(path)?.unwrap_or_default();
        let file = Self {
            file: None,
            path: path.to_owned(),
        };
        Ok((file, text))
    }

    /// Writes one line through to the disk. When this returns, it survives a crash.
    pub fn append<E: Serialize>(&mut self, line: &Line<E>) -> Result<(), JournalFileError> {
        let Some(file) = &mut self.file else {
            return Ok(());
        };
        let failed = |source| io("write", &self.path, source);
        let mut text = serde_json::to_vec(line).map_err(|error| failed(error.into()))?;
        text.push(b'\n');
        file.write_all(&text).map_err(failed)?;
        file.sync_data().map_err(failed)
    }

    /// A new file is only there for good when its folder is written, too.
    pub fn sync_folder(&self) -> Result<(), JournalFileError> {
        let folder = match self.path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        File::open(folder)
            .and_then(|folder| folder.sync_all())
            .map_err(|source| io("write", &self.path, source))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// The whole lines of a file; `None` where there is no such file.
pub fn read(path: &Path) -> Result<Option<Vec<u8>>, JournalFileError> {
    match std::fs::read(path) {
        Ok(mut text) => {
            text.truncate(complete_length(&text));
            Ok(Some(text))
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(io("read", path, error)),
    }
}

/// Whole lines, from the first of a file: each has to have the next number.
pub fn lines<E: DeserializeOwned>(text: &[u8]) -> impl Iterator<Item = Result<Line<E>, BadLine>> {
    let lines = text.split_inclusive(|byte| *byte == b'\n').zip(1_usize..);
    lines.map(|(bytes, number)| {
        let bad = |problem: String| BadLine {
            line: number,
            problem,
        };
        let line: Line<E> =
            serde_json::from_slice(bytes).map_err(|error| bad(error.to_string()))?;
        if usize::try_from(line.sequence) != Ok(number) {
            return Err(bad(format!(
                "its sequence is {}, expected {number}",
                line.sequence
            )));
        }
        Ok(line)
    })
}

fn io(action: &'static str, path: &Path, source: std::io::Error) -> JournalFileError {
    JournalFileError::Io {
        action,
        path: path.to_owned(),
        source,
    }
}

/// The length of the lines that have their end.
fn complete_length(text: &[u8]) -> usize {
    text.iter()
        .rposition(|byte| *byte == b'\n')
        .map_or(0, |end| end + 1)
}
