//! Packing a run.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use flate2::{Compression, GzBuilder};
use sha2::{Digest, Sha256};
use trailproof_core::control::Control;
use trailproof_core::finding::Summary;

use super::{CONTROLS, Controls, Entry, MANIFEST, Manifest, SCHEMA_VERSION, hexadecimal};
use crate::format::{Format, Report};
use crate::past::PastRun;
use crate::recipients_csv::RecipientsCsv;
use crate::run::{Addresses, RunDirectory, Tool, copy_lines, file, read_evidence};

/// The files of a run that a bundle has, where the run has them.
const FILES: [&str; 6] = [
    file::RUN,
    file::EVIDENCE,
    file::FINDINGS_JSON,
    file::FINDINGS_CSV,
    file::TRAILS_CSV,
    file::RECIPIENTS_CSV,
];

/// Those without which there is no bundle.
const REQUIRED: [&str; 3] = [file::RUN, file::EVIDENCE, file::FINDINGS_JSON];

/// Why a bundle cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// A file could not be read or written.
    #[error("cannot {action} `{}`: {source}", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// Something that a bundle cannot do without is missing.
    #[error("`{}` is missing", path.display())]
    Missing {
        /// The file.
        path: PathBuf,
    },
    /// A file is not what it was a moment ago.
    #[error("`{}` changed while it was packed", path.display())]
    Changed {
        /// The file.
        path: PathBuf,
    },
}

fn io_error(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> WriteError {
    let path = path.to_owned();
    move |source| WriteError::Io {
        action,
        path,
        source,
    }
}

/// A bundle as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// What is in it.
    pub manifest: Manifest,
    /// The SHA-256 sum of the bundle itself, to be kept elsewhere.
    pub sha256: String,
    /// Its size in bytes.
    pub size: u64,
}

/// Packs a finished run into a file that is private to the user, whole or not at all. `controls`
/// are those the run was judged by. With masked addresses, evidence and recipients are written
/// anew; findings tell none.
pub fn write(
    run: &RunDirectory,
    controls: &[Control],
    path: &Path,
    addresses: Addresses,
) -> Result<Written, WriteError> {
    let masked = match addresses {
        Addresses::Full => None,
        Addresses::Masked => Some(Masked::of(run, path)?),
    };
    let place = |name: &str| match &masked {
        Some(masked) => masked.file(name).unwrap_or_else(|| run.file(name)),
        None => run.file(name),
    };
    let controls = Controls {
        controls: controls.to_vec(),
    };
    let controls = serde_json::to_vec_pretty(&controls)
        .map_err(|error| io_error("write", path)(error.into()))?;
    let mut files = Vec::new();
    for name in FILES {
        let source = place(name);
        let required = REQUIRED.contains(&name);
        if source.is_file() {
            files.push(measure(name, &source)?);
        } else if required {
            return Err(WriteError::Missing { path: source });
        }
    }
    files.push(Entry {
        name: CONTROLS.to_owned(),
        size: controls.len() as u64,
        sha256: hexadecimal(&Sha256::digest(&controls)),
    });
    let manifest = Manifest {
        schema_version: SCHEMA_VERSION,
        tool: Tool::this(),
        files,
    };
    let temporary = path.with_extension("partial");
    let result = pack(&place, &manifest, &controls, &temporary).and_then(|packed| {
        std::fs::rename(&temporary, path).map_err(io_error("write", path))?;
        Ok(packed)
    });
    if result.is_err() {
        // What is left of a failed attempt is of no use.
        let _ = std::fs::remove_file(&temporary);
    }
    let (sha256, size) = result?;
    Ok(Written {
        manifest,
        sha256,
        size,
    })
}

fn measure(name: &str, path: &Path) -> Result<Entry, WriteError> {
    let mut source = File::open(path).map_err(io_error("read", path))?;
    let mut sum = Summing::new(io::sink());
    let size = io::copy(&mut source, &mut sum).map_err(io_error("read", path))?;
    Ok(Entry {
        name: name.to_owned(),
        size,
        sha256: sum.finish().1,
    })
}

/// A run's files with pseudonyms in place of addresses, beside the bundle for as long as it is
/// written.
struct Masked {
    files: Vec<(&'static str, PathBuf)>,
}

impl Masked {
    fn of(run: &RunDirectory, path: &Path) -> Result<Self, WriteError> {
        let mut masked = Self { files: Vec::new() };
        let source = run.file(file::EVIDENCE);
        if source.is_file() {
            let target = path.with_extension("masked-evidence");
            masked.files.push((file::EVIDENCE, target.clone()));
            let input = File::open(&source).map_err(io_error("read", &source))?;
            let out = trailproof_files::create_anew(&target).map_err(io_error("write", &target))?;
            let mut out = BufWriter::with_capacity(1 << 16, out);
            copy_lines(
                BufReader::with_capacity(1 << 18, input),
                &mut out,
                Addresses::Masked,
            )
            .and_then(|()| out.flush())
            .map_err(io_error("write", &target))?;
        }
        if run.file(file::RECIPIENTS_CSV).is_file() {
            let target = path.with_extension("masked-recipients");
            masked.files.push((file::RECIPIENTS_CSV, target.clone()));
            let past = PastRun::read(run.path())
                .map_err(|error| io_error("read", run.path())(io::Error::other(error)))?;
            let oldest = past.run.policy.oldest();
            let (evidence, _) = read_evidence(run.path(), oldest, Addresses::Masked)
                .map_err(|error| io_error("read", run.path())(io::Error::other(error)))?;
            let report = Report {
                run: &past.run,
                summary: &Summary::of(&past.findings),
                findings: &past.findings,
                evidence: &evidence,
            };
            let out = trailproof_files::create_anew(&target).map_err(io_error("write", &target))?;
            let mut out = BufWriter::with_capacity(1 << 16, out);
            RecipientsCsv
                .write(&report, &mut out)
                .and_then(|()| out.flush())
                .map_err(io_error("write", &target))?;
        }
        Ok(masked)
    }

    fn file(&self, name: &str) -> Option<PathBuf> {
        let mut files = self.files.iter();
        files
            .find(|(known, _)| *known == name)
            .map(|(_, path)| path.clone())
    }
}

impl Drop for Masked {
    fn drop(&mut self) {
        for (_, path) in &self.files {
            // They are of no use to anybody.
            let _ = std::fs::remove_file(path);
        }
    }
}

fn pack(
    place: &dyn Fn(&str) -> PathBuf,
    manifest: &Manifest,
    controls: &[u8],
    path: &Path,
) -> Result<(String, u64), WriteError> {
    let failed = |error| io_error("write", path)(error);
    let file = trailproof_files::create_anew(path).map_err(failed)?;
    let out = Summing::new(BufWriter::with_capacity(1 << 16, file));
    // Neither time nor system: the same run gives the same bundle, byte for byte.
    let compressed = GzBuilder::new()
        .mtime(0)
        .operating_system(255)
        .write(out, Compression::default());
    let mut archive = tar::Builder::new(compressed);
    let mut text = serde_json::to_vec_pretty(manifest)
        .map_err(|error| io_error("write", path)(error.into()))?;
    text.push(b'\n');
    append(&mut archive, MANIFEST, text.len() as u64, text.as_slice())
        .map_err(|error| io_error("write", path)(error))?;
    for entry in &manifest.files {
        if entry.name == CONTROLS {
            append(&mut archive, CONTROLS, entry.size, controls)
                .map_err(|error| io_error("write", path)(error))?;
            continue;
        }
        let source = place(&entry.name);
        let mut sum = SummingReader::new(
            File::open(&source)
                .map_err(io_error("read", &source))?
                .take(entry.size),
        );
        append(&mut archive, &entry.name, entry.size, &mut sum)
            .map_err(|error| io_error("write", path)(error))?;
        if sum.finish() != entry.sha256 {
            return Err(WriteError::Changed { path: source });
        }
    }
    let finish = || -> io::Result<(String, u64)> {
        let (out, sha256) = archive.into_inner()?.finish()?.finish();
        let file = out.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.sync_data()?;
        Ok((sha256, file.metadata()?.len()))
    };
    finish().map_err(|error| io_error("write", path)(error))
}

fn append(
    archive: &mut tar::Builder<impl Write>,
    name: &str,
    size: u64,
    content: impl Read,
) -> io::Result<()> {
    let mut header = tar::Header::new_ustar();
    header.set_size(size);
    header.set_mode(trailproof_files::FILE_MODE);
    header.set_mtime(0);
    header.set_entry_type(tar::EntryType::Regular);
    archive.append_data(&mut header, name, content)
}

/// Passes bytes on and sums them up.
struct Summing<W> {
    inner: W,
    sum: Sha256,
}

impl<W: Write> Summing<W> {
    fn new(inner: W) -> Self {
        Self {
            inner,
            sum: Sha256::new(),
        }
    }

    fn finish(self) -> (W, String) {
        (self.inner, hexadecimal(&self.sum.finalize()))
    }
}

impl<W: Write> Write for Summing<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(bytes)?;
        self.sum.update(bytes.get(..written).unwrap_or(bytes));
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

/// Hands bytes on and sums them up.
pub(super) struct SummingReader<R> {
    inner: R,
    sum: Sha256,
    size: u64,
}

impl<R: Read> SummingReader<R> {
    pub(super) fn new(inner: R) -> Self {
        Self {
            inner,
            sum: Sha256::new(),
            size: 0,
        }
    }

    /// How many bytes were read.
    pub(super) fn size(&self) -> u64 {
        self.size
    }

    pub(super) fn finish(self) -> String {
        hexadecimal(&self.sum.finalize())
    }
}

impl<R: Read> Read for SummingReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.sum.update(buffer.get(..read).unwrap_or(buffer));
        self.size += read as u64;
        Ok(read)
    }
}
