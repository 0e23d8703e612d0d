//! The evidence file: appended to by a thread of its own as answers arrive, and read back when a
//! run is resumed.
//!
//! Lines are handed to the operating system every few milliseconds, so that killing the process
//! loses at most the answers of that time, and tears at most the last line.

use std::fs::File;
use std::io::{self, BufReader, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, OnceLock};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use trailproof_core::evidence::{Lines, ReadError, Record};

use crate::error::ScanError;
use crate::plan::EvidenceFile;

/// How many lines may wait for the disk before calls wait, too.
const WAITING_LINES: usize = 1024;
/// How long lines are gathered: waking the thread for each of thousands in a second would cost
/// more than writing them.
const GATHERING: Duration = Duration::from_millis(25);
/// How much is written at once while lines are waiting.
const CHUNK: usize = 256 * 1024;

/// The open evidence file.
#[derive(Debug)]
pub(crate) struct EvidenceLog {
    lines: Option<SyncSender<Vec<u8>>>,
    writer: Option<JoinHandle<()>>,
    failure: Arc<OnceLock<io::Error>>,
    path: PathBuf,
}

impl EvidenceLog {
    /// Opens the file. When resuming, every record in it is given to `load` first, and a torn last
    /// line is cut off.
    pub(crate) fn open(
        file: &EvidenceFile,
        load: impl FnMut(Record) -> Result<(), String>,
    ) -> Result<(Self, usize), ScanError> {
        let path = file.path.clone();
        let unwritable = |source: io::Error| {
            if source.kind() == io::ErrorKind::AlreadyExists {
                ScanError::EvidenceExists {
                    path: file.path.clone(),
                }
            } else {
                ScanError::EvidenceUnwritable {
                    path: file.path.clone(),
                    source,
                }
            }
        };
        let mut options = trailproof_files::options();
        options.read(true).write(true);
        if file.resume {
            options.create(true).truncate(false);
        } else {
            options.create_new(true);
        }
        let mut open = options.open(&path).map_err(unwritable)?;
        let mut records = 0;
        if file.resume {
            let (complete, ended, loaded) = read(&open, &path, load)?;
            records = loaded;
            open.set_len(complete).map_err(unwritable)?;
            open.seek(SeekFrom::Start(complete)).map_err(unwritable)?;
            if !ended {
                open.write_all(b"\n").map_err(unwritable)?;
            }
        }
        let (lines, waiting) = sync_channel(WAITING_LINES);
        let failure = Arc::new(OnceLock::new());
        let told = Arc::clone(&failure);
        let writer = thread::Builder::new()
            .name("evidence".to_owned())
            .spawn(move || {
                if let Err(error) = write(&mut open, &waiting) {
                    // The first failure ends the run; that it is set only once is what is wanted.
                    let _ = told.set(error);
                }
            })
            .map_err(unwritable)?;
        let log = Self {
            lines: Some(lines),
            writer: Some(writer),
            failure,
            path,
        };
        Ok((log, records))
    }

    /// Appends a line, which has to end in a newline and hold no other. Waits while the disk is
    /// far behind.
    pub(crate) fn append(&self, line: Vec<u8>) {
        if let Some(lines) = &self.lines {
            // A closed channel means that the writer failed, which `failure` tells.
            let _ = lines.send(line);
        }
    }

    /// Why writing ended, if it did.
    pub(crate) fn failed(&self) -> bool {
        self.failure.get().is_some()
    }

    /// Writes what is waiting and closes the file.
    pub(crate) fn close(mut self) -> Result<(), ScanError> {
        drop(self.lines.take());
        if let Some(writer) = self.writer.take() {
            // A writer that panicked has said so by itself.
            let _ = writer.join();
        }
        match Arc::into_inner(self.failure).and_then(OnceLock::into_inner) {
            None => Ok(()),
            Some(source) => Err(ScanError::EvidenceUnwritable {
                path: self.path,
                source,
            }),
        }
    }
}

fn write(file: &mut File, lines: &Receiver<Vec<u8>>) -> io::Result<()> {
    let mut intact = file.stream_position()?;
    let mut chunk = Vec::new();
    while let Ok(line) = lines.recv() {
        thread::sleep(GATHERING);
        chunk.clear();
        chunk.extend_from_slice(&line);
        while chunk.len() < CHUNK {
            match lines.try_recv() {
                Ok(line) => chunk.extend_from_slice(&line),
                Err(_) => break,
            }
        }
        if let Err(error) = file.write_all(&chunk) {
            keep_whole_lines(file, intact, &chunk);
            return Err(error);
        }
        intact += u64::try_from(chunk.len()).unwrap_or_default();
    }
    file.sync_all()
}

/// After a failed write: whole lines that reached the file stay, the torn one goes.
fn keep_whole_lines(file: &mut File, intact: u64, chunk: &[u8]) {
    let Ok(metadata) = file.metadata() else {
        return;
    };
    let written = usize::try_from(metadata.len().saturating_sub(intact)).unwrap_or(usize::MAX);
    let whole = chunk
        .get(..written.min(chunk.len()))
        .and_then(|written| written.iter().rposition(|byte| *byte == b'\n'))
        .map_or(0, |newline| newline + 1);
    // When even this fails, readers still ignore the torn last line.
    let _ = file.set_len(intact + u64::try_from(whole).unwrap_or_default());
}

/// Reads the records of a file, how many of its bytes are whole lines, whether the last of them has
/// its line break, and how many records there are.
fn read(
    file: &File,
    path: &Path,
    mut load: impl FnMut(Record) -> Result<(), String>,
) -> Result<(u64, bool, usize), ScanError> {
    let unreadable = |line: usize, reason: String| ScanError::EvidenceUnreadable {
        path: path.to_owned(),
        line,
        reason,
    };
    let read_error = |error: ReadError| unreadable(error.line(), error.reason());
    let mut lines = Lines::new(BufReader::with_capacity(CHUNK, file));
    let mut records = 0;
    while let Some(line) = lines.next_line().map_err(read_error)? {
        let number = line.number;
        let record = match line.record() {
            // The line stays in the file.
            Err(ReadError::UnknownOperation { .. }) => continue,
            record => record.map_err(read_error)?,
        };
        load(record).map_err(|reason| unreadable(number, reason))?;
        records += 1;
    }
    Ok((lines.whole_bytes(), lines.is_ended(), records))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn line(region: &str) -> Vec<u8> {
        format!(
            "{{\"operation\":\"cloudtrail:DescribeTrails\",\"account\":\"111111111111\",\
             \"region\":\"{region}\",\"observed_at\":\"2026-11-22T22:00:00Z\",\"response\":{{}}}}\n"
        )
        .into_bytes()
    }

    fn open(path: &Path, resume: bool) -> Result<(EvidenceLog, Vec<String>), ScanError> {
        let mut regions = Vec::new();
        let file = EvidenceFile {
            path: path.to_owned(),
            resume,
        };
        let (log, records) = EvidenceLog::open(&file, |record| {
            regions.push(record.region.to_string());
            Ok(())
        })?;
        assert_eq!(records, regions.len());
        Ok((log, regions))
    }

    #[test]
    fn a_resumed_file_goes_on_after_its_last_whole_line() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("evidence.ndjson");
        let (log, _) = open(&path, false).unwrap();
        log.append(line("a"));
        log.append(line("b"));
        log.close().unwrap();
        let mut torn = fs::read(&path).unwrap();
        torn.extend_from_slice(&line("c")[..40]);
        fs::write(&path, torn).unwrap();

        let (log, regions) = open(&path, true).unwrap();
        assert_eq!(regions, ["a", "b"]);
        log.append(line("d"));
        log.close().unwrap();
        let (_, regions) = open(&path, true).unwrap();
        assert_eq!(regions, ["a", "b", "d"]);
    }

    #[cfg(unix)]
    #[test]
    fn the_file_is_private() {
        use std::os::unix::fs::PermissionsExt;
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("evidence.ndjson");
        open(&path, false).unwrap().0.close().unwrap();
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn an_existing_file_is_not_overwritten() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("evidence.ndjson");
        fs::write(&path, "precious").unwrap();
        assert!(matches!(
            open(&path, false),
            Err(ScanError::EvidenceExists { .. })
        ));
        assert_eq!(fs::read(&path).unwrap(), b"precious");
    }

    #[test]
    fn a_broken_line_is_named() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("evidence.ndjson");
        let mut text = line("a");
        text.extend_from_slice(b"{\"operation\":\"ec2:RunInstances\"}\n");
        fs::write(&path, text).unwrap();
        match open(&path, true) {
            Err(ScanError::EvidenceUnreadable { line, reason, .. }) => {
                assert_eq!(line, 2);
                assert!(reason.contains("ec2:RunInstances"), "{reason}");
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn an_unwritable_directory_is_an_error() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("missing").join("evidence.ndjson");
        assert!(matches!(
            open(&path, false),
            Err(ScanError::EvidenceUnwritable { .. })
        ));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_full_disk_ends_the_log() {
        let mut full = fs::OpenOptions::new()
            .write(true)
            .open("/dev/full")
            .unwrap();
        let (lines, waiting) = sync_channel(1);
        lines.send(line("a")).unwrap();
        drop(lines);
        let error = write(&mut full, &waiting).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::StorageFull);
    }
}
