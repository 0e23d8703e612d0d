//! Packing a run.

use std::fs::File;
use std::io::{self, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use flate2::{Compression, GzBuilder};
use sha2::{Digest, Sha256};
use trailproof_core::control::Control;

use super::contents::Contents;
use super::signature::{SigningError, SigningKey};
use super::sums::{self, SUMS};
use super::{
    CONTROLS, Controls, Entry, MANIFEST, Manifest, SCHEMA_VERSION, SIGNATURE, hexadecimal,
};
use crate::run::{Addresses, RunDirectory, Tool};

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
    /// The key signs nothing.
    #[error("the sums cannot be signed: {0}")]
    Signing(#[from] SigningError),
    /// A file is not what it was a moment ago.
    #[error("`{}` changed while it was packed", path.display())]
    Changed {
        /// The file.
        path: PathBuf,
    },
}

pub(super) fn io_error(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> WriteError {
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
    /// The fingerprint of the key that signed it, where one did.
    pub signed_by: Option<String>,
}

/// Packs a finished run into a file that is private to the user, whole or not at all. `controls`
/// are those the run was judged by. With masked addresses, every file that could tell one is
/// written anew. With a key, the sums are signed.
pub fn write(
    run: &RunDirectory,
    controls: &[Control],
    path: &Path,
    addresses: Addresses,
    key: Option<&SigningKey>,
) -> Result<Written, WriteError> {
    let contents = Contents::of(run, path, addresses)?;
    let controls = Controls {
        controls: controls.to_vec(),
    };
    let controls = serde_json::to_vec_pretty(&controls)
        .map_err(|error| io_error("write", path)(error.into()))?;
    let mut files = Vec::new();
    for (name, source) in contents.files() {
        files.push(measure(name, source)?);
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
    let mut text = serde_json::to_vec_pretty(&manifest)
        .map_err(|error| io_error("write", path)(error.into()))?;
    text.push(b'\n');
    let sums = sums::text(&text, &manifest.files);
    let signature = key.map(|key| key.sign(sums.as_bytes())).transpose()?;
    let packing = Packing {
        contents: &contents,
        manifest: &manifest,
        text: &text,
        controls: &controls,
        sums: &sums,
        signature: signature.as_deref(),
    };
    let temporary = path.with_extension("partial");
    let result = packing.pack(&temporary).and_then(|packed| {
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
        signed_by: key.map(SigningKey::fingerprint),
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

/// Everything that goes into the archive.
struct Packing<'a> {
    contents: &'a Contents,
    manifest: &'a Manifest,
    /// The manifest as it is written.
    text: &'a [u8],
    controls: &'a [u8],
    sums: &'a str,
    signature: Option<&'a str>,
}

impl Packing<'_> {
    fn pack(&self, path: &Path) -> Result<(String, u64), WriteError> {
        let failed = |error| io_error("write", path)(error);
        let file = trailproof_files::create_anew(path).map_err(failed)?;
        let out = Summing::new(BufWriter::with_capacity(1 << 16, file));
        // Neither time nor system: the same run gives the same bundle, byte for byte.
        let compressed = GzBuilder::new()
            .mtime(0)
            .operating_system(255)
            .write(out, Compression::default());
        let mut archive = tar::Builder::new(compressed);
        let folder = self.folder();
        let mut add = |name: &str, content: &[u8]| {
            let place = format!("{folder}/{name}");
            append(&mut archive, &place, content.len() as u64, content)
                .map_err(|error| io_error("write", path)(error))
        };
        add(MANIFEST, self.text)?;
        add(SUMS, self.sums.as_bytes())?;
        if let Some(signature) = self.signature {
            add(SIGNATURE, signature.as_bytes())?;
        }
        add(CONTROLS, self.controls)?;
        for entry in &self.manifest.files {
            let Some(source) = self.contents.file(&entry.name) else {
                continue;
            };
            let mut sum = SummingReader::new(
                File::open(source)
                    .map_err(io_error("read", source))?
                    .take(entry.size),
            );
            let place = format!("{folder}/{}", entry.name);
            append(&mut archive, &place, entry.size, &mut sum)
                .map_err(|error| io_error("write", path)(error))?;
            if sum.finish() != entry.sha256 {
                return Err(WriteError::Changed {
                    path: source.to_owned(),
                });
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

    /// The one folder that everything lies in, so that unpacking it spills nothing. It tells the
    /// time that the run was judged for.
    fn folder(&self) -> String {
        let judged = self.contents.run.policy.evaluated_at;
        format!("trailproof-{}", judged.strftime("%Y%m%dT%H%M%SZ"))
    }
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
