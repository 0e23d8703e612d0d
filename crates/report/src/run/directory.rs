//! The private directory of a run: created, locked while it is written, and opened for reading
//! only when it is what it says.

use std::fs::{self, File, TryLockError};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use super::{Run, SCHEMA_VERSION, file};
use crate::format;

const LOCK: &str = ".lock";

/// A directory that holds one run.
#[derive(Debug)]
pub struct RunDirectory {
    path: PathBuf,
    /// Held while this process writes the run; released by the operating system when it ends, in
    /// whatever way.
    _lock: Option<File>,
}

/// Why a directory cannot be used as the directory of a run.
#[derive(Debug, thiserror::Error)]
pub enum RunDirectoryError {
    /// A file or directory could not be created, read or written.
    #[error("cannot {action} `{}`: {source}", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// Something else lives there.
    #[error("`{}` is not empty and holds no run of trailproof", path.display())]
    Foreign {
        /// The directory.
        path: PathBuf,
    },
    /// There is a run there already, and it is not to be overwritten.
    #[error("`{}` already holds a run", path.display())]
    Occupied {
        /// The directory.
        path: PathBuf,
    },
    /// There is no run there.
    #[error("`{}` holds no run: there is no run.json", path.display())]
    NoRun {
        /// The directory.
        path: PathBuf,
    },
    /// Another process is writing there.
    #[error("another trailproof is writing to `{}`", path.display())]
    Locked {
        /// The directory.
        path: PathBuf,
    },
    /// A later version of trailproof wrote it.
    #[error(
        "`{}` was written by a newer trailproof: layout {found}, and this one reads up to {SCHEMA_VERSION}",
        path.display()
    )]
    Newer {
        /// The directory.
        path: PathBuf,
        /// The version it has.
        found: u64,
    },
    /// `run.json` is not what it should be.
    #[error("`{}` is damaged: {reason}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// The run was killed or is still going on, so its reports are missing.
    #[error("the run in `{}` was never finished", path.display())]
    Unfinished {
        /// The directory.
        path: PathBuf,
    },
}

impl RunDirectoryError {
    fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io {
            action,
            path,
            source,
        }
    }

    /// What the user can do about it.
    pub fn remedy(&self) -> &'static str {
        match self {
            Self::Io { source, .. }
                if matches!(
                    source.kind(),
                    io::ErrorKind::AlreadyExists | io::ErrorKind::NotADirectory
                ) =>
            {
                "a file is in the way: name another folder"
            }
            Self::Io { .. } => "check that the folder exists, is yours and the disk is not full",
            Self::Foreign { .. } => "choose a new or empty folder",
            Self::Occupied { .. } => {
                "choose a new folder, continue an interrupted scan with --resume, or replace the run with --overwrite"
            }
            Self::NoRun { .. } => "name the folder that `trailproof scan --out` wrote",
            Self::Locked { .. } => "wait for it to end, or choose another folder",
            Self::Newer { .. } => "use the version of trailproof that wrote it, or a newer one",
            Self::Damaged { .. } => {
                "judge its evidence again into a new folder: trailproof evaluate --evidence DIR/evidence.ndjson --out NEW"
            }
            Self::Unfinished { .. } => {
                "finish it with `trailproof scan --resume DIR`, or judge what it has with `trailproof evaluate --evidence DIR --out NEW`"
            }
        }
    }
}

impl RunDirectory {
    /// Creates the directory of a new run, private to the user, and claims it for this process.
    ///
    /// A directory with anything foreign in it is refused, and so is one that holds a run, unless
    /// `overwrite`: then the old run's files are removed. A run that was killed before it recorded
    /// anything is none: the same command can be given again.
    pub fn create(path: &Path, run: &Run, overwrite: bool) -> Result<Self, RunDirectoryError> {
        trailproof_files::create_folder(path).map_err(RunDirectoryError::io("create", path))?;
        match read_run(path) {
            Ok(found) if found.finished_at.is_none() && !has_evidence(path) => {}
            Ok(_) | Err(RunDirectoryError::Damaged { .. }) if !overwrite => {
                return Err(RunDirectoryError::Occupied {
                    path: path.to_owned(),
                });
            }
            Ok(_) | Err(RunDirectoryError::Damaged { .. }) => {}
            Err(RunDirectoryError::NoRun { .. }) => refuse_foreign(path)?,
            Err(other) => return Err(other),
        }
        let directory = Self {
            path: path.to_owned(),
            _lock: Some(lock(path)?),
        };
        if overwrite {
            directory.remove_reports()?;
        } else if directory.file(file::EVIDENCE).exists() {
            let path = directory.file(file::EVIDENCE);
            fs::remove_file(&path).map_err(RunDirectoryError::io("remove", &path))?;
        }
        directory.write_run(run)?;
        Ok(directory)
    }

    /// Opens the directory of an interrupted run to continue it, and claims it for this process.
    pub fn resume(path: &Path) -> Result<(Self, Run), RunDirectoryError> {
        let run = read_run(path)?;
        let directory = Self {
            path: path.to_owned(),
            _lock: Some(lock(path)?),
        };
        Ok((directory, run))
    }

    /// Opens the directory of a finished run for reading.
    pub fn open(path: &Path) -> Result<(Self, Run), RunDirectoryError> {
        let (directory, run) = Self::open_unfinished(path)?;
        if run.finished_at.is_none() {
            return Err(RunDirectoryError::Unfinished {
                path: path.to_owned(),
            });
        }
        Ok((directory, run))
    }

    /// Opens the directory of a run for reading, finished or not: its evidence is valid at any
    /// moment, its reports may be missing.
    pub fn open_unfinished(path: &Path) -> Result<(Self, Run), RunDirectoryError> {
        let run = read_run(path)?;
        let directory = Self {
            path: path.to_owned(),
            _lock: None,
        };
        Ok((directory, run))
    }

    /// A folder for reports that is not the folder of a run, created where there is none.
    pub fn plain(path: &Path) -> Result<Self, RunDirectoryError> {
        trailproof_files::create_folder(path).map_err(RunDirectoryError::io("create", path))?;
        Ok(Self {
            path: path.to_owned(),
            _lock: None,
        })
    }

    /// Whether a path looks like the directory of a run.
    pub fn is_run(path: &Path) -> bool {
        path.join(file::RUN).is_file()
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The path of one of its files.
    pub fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Replaces `run.json`.
    pub fn write_run(&self, run: &Run) -> Result<(), RunDirectoryError> {
        self.write(file::RUN, |out| {
            serde_json::to_writer_pretty(&mut *out, run)?;
            out.write_all(b"\n")
        })
    }

    /// Writes a private file whole or not at all: readers never see half of it.
    pub fn write(
        &self,
        name: &str,
        write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> Result<(), RunDirectoryError> {
        let path = self.file(name);
        let temporary = self.file(&format!(".{name}.partial"));
        let result = (|| {
            let mut out =
                BufWriter::with_capacity(1 << 16, trailproof_files::create_anew(&temporary)?);
            write(&mut out)?;
            let written = out.into_inner().map_err(io::IntoInnerError::into_error)?;
            written.sync_data()?;
            fs::rename(&temporary, &path)
        })();
        if result.is_err() {
            // What is left of a failed attempt is of no use, and its removal may fail for the
            // reason that the attempt did.
            let _ = fs::remove_file(&temporary);
        }
        result.map_err(RunDirectoryError::io("write", &path))
    }

    /// Gives up a run that recorded nothing: its files are removed, and the directory with them
    /// where nothing else is in it. A run with evidence is left as it is, to be continued.
    pub fn abandon(self) {
        if has_evidence(&self.path) {
            return;
        }
        self.discard();
    }

    /// Gives up a run whatever it recorded, as nobody could go on with it: its files are removed, and
    /// the directory with them where nothing else is in it.
    pub fn discard(self) {
        // Whatever cannot be removed is in the way of the next run, which says so.
        for name in [file::EVIDENCE, file::RUN, LOCK] {
            let _ = fs::remove_file(self.file(name));
        }
        let _ = fs::remove_dir(&self.path);
    }

    /// What else people keep in the folder, such as a plan and its journal, stays.
    fn remove_reports(&self) -> Result<(), RunDirectoryError> {
        let reports = format::ALL.iter().map(|format| format.file_name());
        for name in reports.chain([file::EVIDENCE, file::RUN]) {
            let path = self.file(name);
            match fs::remove_file(&path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(RunDirectoryError::io("remove", &path)(error));
                }
                _ => {}
            }
        }
        Ok(())
    }
}

fn read_run(directory: &Path) -> Result<Run, RunDirectoryError> {
    let path = directory.join(file::RUN);
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(RunDirectoryError::NoRun {
                path: directory.to_owned(),
            });
        }
        Err(error) => return Err(RunDirectoryError::io("read", &path)(error)),
    };
    let damaged = |reason: String| RunDirectoryError::Damaged {
        path: path.clone(),
        reason,
    };
    let value: serde_json::Value =
        serde_json::from_str(&text).map_err(|error| damaged(error.to_string()))?;
    // The version is looked at before anything else: a newer layout need not parse as this one.
    match value
        .get("schema_version")
        .and_then(serde_json::Value::as_u64)
    {
        None => Err(damaged("there is no schema_version".to_owned())),
        Some(found) if found > u64::from(SCHEMA_VERSION) => Err(RunDirectoryError::Newer {
            path: directory.to_owned(),
            found,
        }),
        Some(_) => serde_json::from_value(value).map_err(|error| damaged(error.to_string())),
    }
}

fn has_evidence(directory: &Path) -> bool {
    fs::metadata(directory.join(file::EVIDENCE)).is_ok_and(|evidence| evidence.len() > 0)
}

fn refuse_foreign(path: &Path) -> Result<(), RunDirectoryError> {
    let entries = fs::read_dir(path).map_err(RunDirectoryError::io("read", path))?;
    for entry in entries {
        let entry = entry.map_err(RunDirectoryError::io("read", path))?;
        if entry.file_name() != LOCK {
            return Err(RunDirectoryError::Foreign {
                path: path.to_owned(),
            });
        }
    }
    Ok(())
}

fn lock(directory: &Path) -> Result<File, RunDirectoryError> {
    let path = directory.join(LOCK);
    let file = trailproof_files::options()
        .write(true)
        .create(true)
        .open(&path)
        .map_err(RunDirectoryError::io("create", &path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(RunDirectoryError::Locked {
            path: directory.to_owned(),
        }),
        Err(TryLockError::Error(error)) => Err(RunDirectoryError::io("lock", &path)(error)),
    }
}

#[cfg(test)]
mod tests {
    use trailproof_core::policy::Policy;

    use super::super::{PolicyRecord, RunKind, Scope};
    use super::*;

    fn run() -> Run {
        let policy = PolicyRecord::of(
            &Policy::new(Vec::new()),
            jiff::Timestamp::UNIX_EPOCH,
            |_| true,
        );
        Run::start(
            RunKind::Scan,
            Scope::default(),
            policy,
            jiff::Timestamp::UNIX_EPOCH,
        )
    }

    #[test]
    fn a_new_run_is_private_and_unfinished() {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("a/b");
        let directory = RunDirectory::create(&path, &run(), false).unwrap();
        assert!(matches!(
            RunDirectory::open(&path),
            Err(RunDirectoryError::Unfinished { .. })
        ));
        let mut finished = run();
        finished.finished_at = Some(jiff::Timestamp::UNIX_EPOCH);
        directory.write_run(&finished).unwrap();
        assert_eq!(RunDirectory::open(&path).unwrap().1, finished);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
            assert_eq!(mode(&path), 0o700);
            assert_eq!(mode(&path.join(file::RUN)), 0o600);
        }
    }

    #[test]
    fn a_foreign_directory_is_left_alone() {
        let parent = tempfile::tempdir().unwrap();
        fs::write(parent.path().join("holiday.jpg"), "x").unwrap();
        assert!(matches!(
            RunDirectory::create(parent.path(), &run(), true),
            Err(RunDirectoryError::Foreign { .. })
        ));
    }

    #[test]
    fn a_run_is_overwritten_only_when_asked() {
        let parent = tempfile::tempdir().unwrap();
        let directory = RunDirectory::create(parent.path(), &run(), false).unwrap();
        directory
            .write(file::EVIDENCE, |out| out.write_all(b"{}\n"))
            .unwrap();
        assert!(matches!(
            RunDirectory::create(parent.path(), &run(), false),
            Err(RunDirectoryError::Occupied { .. })
        ));
        assert!(matches!(
            RunDirectory::create(parent.path(), &run(), true),
            Err(RunDirectoryError::Locked { .. })
        ));
        drop(directory);
        for name in ["plan.json", "journal.ndjson"] {
            fs::write(parent.path().join(name), "kept").unwrap();
        }
        RunDirectory::create(parent.path(), &run(), true).unwrap();
        assert!(!parent.path().join(file::EVIDENCE).exists());
        for name in ["plan.json", "journal.ndjson"] {
            assert!(parent.path().join(name).exists(), "{name}");
        }
    }

    #[test]
    fn a_run_that_died_before_it_recorded_anything_is_replaced() {
        let parent = tempfile::tempdir().unwrap();
        let directory = RunDirectory::create(parent.path(), &run(), false).unwrap();
        directory.write(file::EVIDENCE, |_| Ok(())).unwrap();
        assert!(matches!(
            RunDirectory::create(parent.path(), &run(), false),
            Err(RunDirectoryError::Locked { .. })
        ));
        drop(directory);
        RunDirectory::create(parent.path(), &run(), false).unwrap();
        assert!(!parent.path().join(file::EVIDENCE).exists());
    }

    #[test]
    fn a_run_without_evidence_can_be_given_up() {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("run");
        let directory = RunDirectory::create(&path, &run(), false).unwrap();
        directory.write(file::EVIDENCE, |_| Ok(())).unwrap();
        directory.abandon();
        assert!(!path.exists());
        let directory = RunDirectory::create(&path, &run(), false).unwrap();
        directory
            .write(file::EVIDENCE, |out| out.write_all(b"{}\n"))
            .unwrap();
        directory.abandon();
        assert!(path.join(file::RUN).exists());
    }

    #[test]
    fn a_newer_layout_is_refused() {
        let parent = tempfile::tempdir().unwrap();
        fs::write(
            parent.path().join(file::RUN),
            r#"{"schema_version":2,"whatever":1}"#,
        )
        .unwrap();
        for result in [
            RunDirectory::open(parent.path()).err(),
            RunDirectory::create(parent.path(), &run(), true).err(),
        ] {
            assert!(matches!(
                result,
                Some(RunDirectoryError::Newer { found: 2, .. })
            ));
        }
    }

    #[test]
    fn a_failed_write_leaves_the_old_file() {
        let parent = tempfile::tempdir().unwrap();
        let directory = RunDirectory::create(parent.path(), &run(), false).unwrap();
        let before = fs::read(directory.file(file::RUN)).unwrap();
        let error = directory
            .write(file::RUN, |out| {
                out.write_all(b"half")?;
                Err(io::Error::other("no"))
            })
            .unwrap_err();
        assert!(error.to_string().starts_with("cannot write `"), "{error}");
        assert_eq!(fs::read(directory.file(file::RUN)).unwrap(), before);
        assert_eq!(fs::read_dir(parent.path()).unwrap().count(), 2);
    }
}
