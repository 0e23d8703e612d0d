//! Reads recorded evidence: `evidence.ndjson` of a run, or a file somebody made by hand.

use std::borrow::Cow;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde_json::Value;
use trailproof_core::evidence::{Evidence, Lines, ReadError, mask_answer};

use super::{RunDirectory, RunDirectoryError, credentials, file};

/// Why evidence cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum EvidenceError {
    /// The file or folder cannot be read.
    #[error("cannot read `{}`: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// A line cannot be understood.
    #[error("{}, {source}", path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// Which line, and what is wrong with it.
        source: ReadError,
    },
    /// There is nothing to read.
    #[error("`{}` has no evidence: there is neither {} nor another .ndjson file", path.display(), file::EVIDENCE)]
    NoEvidence {
        /// The folder.
        path: PathBuf,
    },
    /// It cannot be copied.
    #[error("cannot copy the evidence: {0}")]
    Copy(#[source] Box<RunDirectoryError>),
    /// What is there is neither a file nor a folder.
    #[error("`{}` is neither a file nor a folder", path.display())]
    NoFile {
        /// The place.
        path: PathBuf,
    },
    /// It is another file of a run.
    #[error("`{}` is not evidence: that is {} beside it", path.display(), file::EVIDENCE)]
    OtherFile {
        /// The file.
        path: PathBuf,
    },
    /// There is no record in it.
    #[error("`{}` holds no record", path.display())]
    Empty {
        /// The file.
        path: PathBuf,
    },
}

impl EvidenceError {
    /// What the user can do about it.
    pub fn remedy(&self) -> &'static str {
        match self {
            Self::Io { .. }
            | Self::NoEvidence { .. }
            | Self::NoFile { .. }
            | Self::OtherFile { .. } => {
                "name the folder of a run, or a file with one record per line"
            }
            Self::Line { .. } => {
                "correct or remove that line: a record is a JSON object on one line with operation, account, region, observed_at and either response or error"
            }
            Self::Copy(error) => error.remedy(),
            Self::Empty { .. } => "record some evidence first, with `trailproof scan --out DIR`",
        }
    }
}

/// Reads all evidence of a file, or of a folder: its `evidence.ndjson`, or else every `.ndjson`
/// file in it, in the order of their names.
///
/// A torn last line, as a killed scan leaves it, is ignored. Answers about resources that came
/// before `oldest` do not count.
pub fn read_evidence(
    path: &Path,
    oldest: Option<Timestamp>,
    addresses: Addresses,
) -> Result<(Evidence, LeftOut), EvidenceError> {
    let mask = addresses == Addresses::Masked;
    let mut evidence = Evidence::not_before(oldest)
        .masking_endpoints(mask)
        .at_rest();
    let left_out = add_evidence(path, &mut evidence)?;
    Ok((evidence, left_out))
}

/// What of evidence files was left out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LeftOut {
    /// The files whose last line was torn, and its number.
    pub torn: Vec<(PathBuf, usize)>,
    /// How many records held credentials, which nobody keeps.
    pub with_credentials: usize,
}

/// How addresses of people are told.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Addresses {
    /// As they are.
    #[default]
    Full,
    /// By pseudonyms.
    Masked,
}

/// Adds all evidence of a file or folder to other evidence.
pub fn add_evidence(path: &Path, evidence: &mut Evidence) -> Result<LeftOut, EvidenceError> {
    let mut left_out = LeftOut::default();
    let mut records = 0;
    for file in files(path)? {
        records += read_file(&file, evidence, &mut left_out)?;
    }
    if records == 0 {
        return Err(EvidenceError::Empty {
            path: path.to_owned(),
        });
    }
    Ok(left_out)
}

/// Copies the evidence of files or folders, in their order, into the run's `evidence.ndjson`, so
/// that the run can be judged again without them. A torn last line is left out.
pub fn copy_evidence(
    sources: &[PathBuf],
    directory: &RunDirectory,
    addresses: Addresses,
) -> Result<(), EvidenceError> {
    let mut inputs = Vec::new();
    for source in sources {
        inputs.extend(files(source)?);
    }
    directory
        .write(file::EVIDENCE, |out| {
            for input in &inputs {
                let input = BufReader::with_capacity(1 << 18, File::open(input)?);
                copy_lines(input, out, addresses)?;
            }
            Ok(())
        })
        .map_err(|error| EvidenceError::Copy(Box::new(error)))
}

/// Copies the lines of a file as every reader takes them: without a byte order mark, each with its
/// line break, and without credentials.
pub(crate) fn copy_lines(
    input: impl BufRead,
    out: &mut dyn Write,
    addresses: Addresses,
) -> io::Result<()> {
    let mut lines = Lines::new(input);
    while let Some(line) = lines.next_line().map_err(io::Error::other)? {
        let without = credentials::without(line.text);
        let text = without.as_deref().map_or(line.text, str::as_bytes);
        match addresses {
            Addresses::Full => out.write_all(text)?,
            Addresses::Masked => out.write_all(&masked(text)?)?,
        }
        out.write_all(b"\n")?;
    }
    Ok(())
}

/// A line with pseudonyms in place of addresses. What holds none stays as it is written.
fn masked(line: &[u8]) -> io::Result<Cow<'_, [u8]>> {
    let mut record: Value = serde_json::from_slice(line).map_err(io::Error::other)?;
    let operation = record.get("operation").and_then(Value::as_str);
    let operation = operation.unwrap_or_default().to_owned();
    let Some(response) = record.get_mut("response") else {
        return Ok(Cow::Borrowed(line));
    };
    if !mask_answer(&operation, response) {
        return Ok(Cow::Borrowed(line));
    }
    serde_json::to_vec(&record)
        .map(Cow::Owned)
        .map_err(io::Error::other)
}

fn io_error(path: &Path) -> impl Fn(io::Error) -> EvidenceError {
    move |source| EvidenceError::Io {
        path: path.to_owned(),
        source,
    }
}

fn files(path: &Path) -> Result<Vec<PathBuf>, EvidenceError> {
    let kind = fs::metadata(path).map_err(io_error(path))?;
    if kind.is_file() {
        let name = path.file_name();
        if [file::FINDINGS_JSON, file::RUN]
            .iter()
            .any(|other| name.is_some_and(|name| name == *other))
        {
            return Err(EvidenceError::OtherFile {
                path: path.to_owned(),
            });
        }
        return Ok(vec![path.to_owned()]);
    }
    if !kind.is_dir() {
        // A pipe can be read once, and evidence is read again for reports and bundles.
        return Err(EvidenceError::NoFile {
            path: path.to_owned(),
        });
    }
    let of_run = path.join(file::EVIDENCE);
    if of_run.is_file() {
        return Ok(vec![of_run]);
    }
    let mut found = Vec::new();
    for entry in fs::read_dir(path).map_err(io_error(path))? {
        let entry = entry.map_err(io_error(path))?.path();
        if entry.is_file() && entry.extension().is_some_and(|name| name == "ndjson") {
            found.push(entry);
        }
    }
    if found.is_empty() {
        return Err(EvidenceError::NoEvidence {
            path: path.to_owned(),
        });
    }
    found.sort();
    Ok(found)
}

/// Reads one file, and returns how many records it had.
fn read_file(
    path: &Path,
    evidence: &mut Evidence,
    left_out: &mut LeftOut,
) -> Result<usize, EvidenceError> {
    let file = File::open(path).map_err(io_error(path))?;
    let mut records = 0;
    let torn = evidence
        .add(BufReader::with_capacity(1 << 18, file), |line, _| {
            records += 1;
            left_out.with_credentials += usize::from(credentials::without(line.text).is_some());
        })
        .map_err(|source| EvidenceError::Line {
            path: path.to_owned(),
            source,
        })?;
    left_out
        .torn
        .extend(torn.map(|line| (path.to_owned(), line)));
    Ok(records)
}

#[cfg(test)]
mod tests {
    use super::*;

    const RECORD: &str = r#"{"operation":"sts:GetCallerIdentity","account":"111111111111","region":"us-east-1","observed_at":"2026-11-22T22:00:00Z","response":{"Account":"111111111111"}}"#;

    fn read(text: &str) -> Result<Evidence, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("evidence.ndjson");
        fs::write(&path, text).unwrap();
        let prefix = format!("{}/", folder.path().display());
        read_evidence(folder.path(), None, Addresses::Full)
            .map(|(evidence, _)| evidence)
            .map_err(|error| error.to_string().replace(&prefix, ""))
    }

    #[test]
    fn reads_records_and_ignores_a_torn_end() {
        for end in ["", "\n", "\n\n", "\n{\"operation\":\"sts:Get", "\n{"] {
            assert!(read(&format!("{RECORD}{end}")).is_ok(), "{end:?}");
        }
    }

    #[test]
    fn what_is_no_record_is_named() {
        for (text, expected) in [
            (
                format!("{RECORD}\nhello\n"),
                "evidence.ndjson, line 2: not a record of evidence: expected value",
            ),
            (
                RECORD.replace("sts:GetCallerIdentity", "s3:listBuckets") + "\n",
                "evidence.ndjson, line 1: not a record of evidence: `s3:listBuckets` is not an operation that trailproof knows",
            ),
            (
                RECORD.replace("111111111111\",\"region", "42\",\"region") + "\n",
                "evidence.ndjson, line 1: not a record of evidence: `42` is not an account id",
            ),
        ] {
            let message = read(&text).unwrap_err();
            assert!(message.starts_with(expected), "{message}");
        }
    }

    #[test]
    fn copies_lines_whole_and_leaves_out_a_torn_end() {
        for (text, copied) in [
            ("{}\n{}\n", "{}\n{}\n"),
            ("{}\n{\"a\":1}", "{}\n{\"a\":1}\n"),
            ("{}\n{\"a\":", "{}\n"),
            ("\u{feff}{}\r\n\n{}\n", "{}\n{}\n"),
        ] {
            let mut out = Vec::new();
            copy_lines(text.as_bytes(), &mut out, Addresses::Full).unwrap();
            assert_eq!(String::from_utf8(out).unwrap(), copied);
        }
    }

    #[test]
    fn nothing_to_read_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        assert!(matches!(
            read_evidence(folder.path(), None, Addresses::Full),
            Err(EvidenceError::NoEvidence { .. })
        ));
        assert!(matches!(
            read_evidence(&folder.path().join("no.ndjson"), None, Addresses::Full),
            Err(EvidenceError::Io { .. })
        ));
        assert!(read("\n").unwrap_err().ends_with("holds no record"));
    }
}
