//! Unpacking a bundle that may have been changed, cut off, or made to harm.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};

use flate2::bufread::GzDecoder;
use trailproof_core::control::Control;

use super::sums::{self, SUMS};
use super::write::SummingReader;
use super::{
    CONTROLS, Controls, FOR_PEOPLE, GZIP_HEADER, IN_A_FOLDER, MANIFEST, Manifest, OF_RUN, REQUIRED,
    SCHEMA_VERSION, SIGNATURE,
};

/// A manifest larger than this is none.
const LARGEST_MANIFEST: u64 = 1 << 20;
/// The most that a bundle is unpacked to, in bytes: far more than the evidence of 50,000 accounts.
/// A small archive could fill a disk otherwise.
const LARGEST_CONTENT: u64 = 32 << 30;

/// Why a bundle is not what it should be.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    /// The bundle cannot be opened, or its content cannot be written to disk.
    #[error("cannot {action} `{}`: {source}", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// It is something else.
    #[error("`{}` is not a bundle of trailproof", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// A later version wrote it.
    #[error(
        "`{}` was written by a newer trailproof: layout {found}, and this one reads up to {SCHEMA_VERSION}",
        path.display()
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// The version it has.
        found: u32,
    },
    /// The archive is damaged.
    #[error("the bundle is damaged: {0}")]
    Damaged(String),
    /// A file's content is not what the manifest says.
    #[error("`{name}` was changed: its SHA-256 sum is {found}, and the manifest says {expected}")]
    Changed {
        /// The file.
        name: String,
        /// The sum of what is there.
        found: String,
        /// The sum it should have.
        expected: String,
    },
    /// A file's size is not what the manifest says.
    #[error("`{name}` was changed: it has {found} bytes or more, and the manifest says {expected}")]
    Resized {
        /// The file.
        name: String,
        /// How many bytes were read.
        found: u64,
        /// How many it should have.
        expected: u64,
    },
    /// A file is in the bundle and not in its manifest.
    #[error("`{0}` is in the bundle, but not in its manifest")]
    Added(String),
    /// A file is in the manifest and not in the bundle.
    #[error("`{0}` is missing from the bundle")]
    Missing(String),
}

impl BundleError {
    /// Whether the bundle was a sound one once, and is no more.
    pub fn is_tampering(&self) -> bool {
        match self {
            Self::Io { .. } | Self::Foreign { .. } | Self::Newer { .. } => false,
            Self::Damaged(_)
            | Self::Changed { .. }
            | Self::Resized { .. }
            | Self::Added(_)
            | Self::Missing(_) => true,
        }
    }
}

/// A bundle that is what its manifest says, unpacked.
#[derive(Debug)]
pub struct Bundle {
    /// What is in it.
    pub manifest: Manifest,
    /// The controls as they were judged.
    pub controls: Vec<Control>,
    /// The SHA-256 sum of the bundle itself.
    pub sha256: String,
    /// What a signature is made of: `SHA256SUMS`. The first layout has none.
    pub sums: Option<String>,
    /// The signature, where there is one.
    pub signature: Option<String>,
}

/// Unpacks a bundle into an existing, empty folder and checks every sum.
pub fn unpack(path: &Path, folder: &Path) -> Result<Bundle, BundleError> {
    let opening = |source| BundleError::Io {
        action: "read",
        path: path.to_owned(),
        source,
    };
    check_header(path, File::open(path).map_err(opening)?)?;
    let file = File::open(path).map_err(opening)?;
    let mut source = BufReader::with_capacity(1 << 16, SummingReader::new(file));
    let decoder = GzDecoder::new(&mut source);
    let mut archive = tar::Archive::new(decoder);
    let Entries {
        manifest,
        sums,
        signature,
    } = read_entries(path, &mut archive, folder)?;
    // The end of the archive is read to the last byte, so that gzip's own check is made.
    let mut rest = archive.into_inner();
    drain_zeros(&mut rest)?;
    drop(rest);
    let mut trailing = [0];
    if source
        .read(&mut trailing)
        .map_err(|error| damaged(&error))?
        > 0
    {
        return Err(BundleError::Damaged(
            "something follows the end of the archive".to_owned(),
        ));
    }
    let sha256 = source.into_inner().finish();
    let controls = read_controls(folder)?;
    Ok(Bundle {
        manifest,
        controls,
        sha256,
        sums,
        signature,
    })
}

fn damaged(error: &dyn std::fmt::Display) -> BundleError {
    BundleError::Damaged(error.to_string())
}

/// Gzip sums up what it contains, but not its own header.
fn check_header(path: &Path, mut file: File) -> Result<(), BundleError> {
    let foreign = || BundleError::Foreign {
        path: path.to_owned(),
    };
    let mut header = [0; GZIP_HEADER.len()];
    file.read_exact(&mut header).map_err(|_| foreign())?;
    if header == GZIP_HEADER {
        Ok(())
    } else if header.starts_with(&[0x1f, 0x8b]) {
        Err(BundleError::Damaged(
            "its header is not as trailproof writes it".to_owned(),
        ))
    } else {
        Err(foreign())
    }
}

/// What was in the archive beside the files that were unpacked.
struct Entries {
    manifest: Manifest,
    sums: Option<String>,
    signature: Option<String>,
}

fn read_entries(
    path: &Path,
    archive: &mut tar::Archive<impl Read>,
    folder: &Path,
) -> Result<Entries, BundleError> {
    let mut entries = archive.entries().map_err(|error| damaged(&error))?;
    let mut first = entries
        .next()
        .ok_or_else(|| BundleError::Foreign {
            path: path.to_owned(),
        })?
        .map_err(|error| damaged(&error))?;
    let name = name_of(&first)?;
    let Some(top) = name.strip_suffix(MANIFEST).filter(|top| is_folder(top)) else {
        return Err(BundleError::Foreign {
            path: path.to_owned(),
        });
    };
    let (manifest, text) = read_manifest(path, &mut first)?;
    let in_a_folder = manifest.schema_version >= IN_A_FOLDER;
    let (mut sums, mut signature) = (None, None);
    let mut seen = BTreeSet::new();
    for entry in entries {
        let mut entry = entry.map_err(|error| damaged(&error))?;
        let name = name_of(&entry)?;
        let Some(name) = name.strip_prefix(top).map(str::to_owned) else {
            return Err(BundleError::Added(name));
        };
        let beside = match name.as_str() {
            SUMS if in_a_folder => Some(&mut sums),
            SIGNATURE if in_a_folder => Some(&mut signature),
            _ => None,
        };
        if let Some(beside) = beside {
            if beside.is_some() {
                return Err(BundleError::Damaged(format!("`{name}` is in it twice")));
            }
            *beside = Some(read_text(&name, &mut entry)?);
            continue;
        }
        let Some(expected) = manifest.files.iter().find(|known| known.name == name) else {
            return Err(BundleError::Added(name));
        };
        if !seen.insert(name.clone()) {
            return Err(BundleError::Damaged(format!("`{name}` is in it twice")));
        }
        // Only names that trailproof gives, so that nothing can be written elsewhere.
        let mut known = OF_RUN.into_iter().chain([CONTROLS]);
        let people = FOR_PEOPLE.iter().map(|format| format.file_name());
        let is_known = known.any(|known| known == name)
            || (in_a_folder && people.into_iter().any(|known| known == name));
        if !is_known || entry.header().entry_type() != tar::EntryType::Regular {
            return Err(BundleError::Added(name));
        }
        let target = folder.join(&name);
        let writing = |source| BundleError::Io {
            action: "write",
            path: target.clone(),
            source,
        };
        let mut out = trailproof_files::create_new(&target).map_err(writing)?;
        // One byte more than it should have is enough to know that it was changed.
        let mut content = SummingReader::new(entry.take(expected.size.saturating_add(1)));
        copy(&mut content, &mut out, &target)?;
        let size = content.size();
        let found = content.finish();
        if found != expected.sha256 {
            let expected = expected.sha256.clone();
            return Err(BundleError::Changed {
                name,
                found,
                expected,
            });
        }
        if size != expected.size {
            return Err(BundleError::Resized {
                name,
                found: size,
                expected: expected.size,
            });
        }
    }
    match manifest
        .files
        .iter()
        .find(|known| !seen.contains(&known.name))
    {
        Some(missing) => return Err(BundleError::Missing(missing.name.clone())),
        None if in_a_folder => {}
        None => {
            return Ok(Entries {
                manifest,
                sums,
                signature,
            });
        }
    }
    match &sums {
        None => Err(BundleError::Missing(SUMS.to_owned())),
        Some(found) if *found != sums::text(&text, &manifest.files) => Err(BundleError::Damaged(
            format!("`{SUMS}` does not have the sums of its files"),
        )),
        Some(_) => Ok(Entries {
            manifest,
            sums,
            signature,
        }),
    }
}

/// Whether it is nothing, or the name of one folder and a slash.
fn is_folder(text: &str) -> bool {
    let name = text.strip_suffix('/').unwrap_or(text);
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    text.is_empty() || (text.ends_with('/') && !name.starts_with('.') && name.bytes().all(plain))
}

/// A small file that is not unpacked.
fn read_text(name: &str, entry: &mut tar::Entry<'_, impl Read>) -> Result<String, BundleError> {
    if entry.header().entry_type() != tar::EntryType::Regular {
        return Err(BundleError::Added(name.to_owned()));
    }
    let mut text = String::new();
    entry
        .take(LARGEST_MANIFEST)
        .read_to_string(&mut text)
        .map_err(|error| damaged(&error))?;
    Ok(text)
}

/// Copies, and tells an archive that cannot be read from a disk that cannot be written.
fn copy(from: &mut impl Read, to: &mut File, path: &Path) -> Result<(), BundleError> {
    use std::io::Write as _;

    let mut buffer = vec![0; 1 << 16];
    loop {
        let read = from.read(&mut buffer).map_err(|error| damaged(&error))?;
        if read == 0 {
            return Ok(());
        }
        to.write_all(buffer.get(..read).unwrap_or_default())
            .map_err(|source| BundleError::Io {
                action: "write",
                path: path.to_owned(),
                source,
            })?;
    }
}

fn name_of(entry: &tar::Entry<'_, impl Read>) -> Result<String, BundleError> {
    let name = entry.path_bytes();
    String::from_utf8(name.into_owned())
        .map_err(|_| BundleError::Damaged("a name in it is not text".to_owned()))
}

/// The manifest, and its text.
fn read_manifest(path: &Path, entry: &mut impl Read) -> Result<(Manifest, Vec<u8>), BundleError> {
    #[derive(serde::Deserialize)]
    struct Version {
        schema_version: u32,
    }
    let mut text = Vec::new();
    entry
        .take(LARGEST_MANIFEST)
        .read_to_end(&mut text)
        .map_err(|error| damaged(&error))?;
    let reason = |error: serde_json::Error| {
        BundleError::Damaged(format!("its manifest cannot be read: {error}"))
    };
    let version: Version = serde_json::from_slice(&text).map_err(reason)?;
    if version.schema_version > SCHEMA_VERSION {
        return Err(BundleError::Newer {
            path: path.to_owned(),
            found: version.schema_version,
        });
    }
    let manifest: Manifest = serde_json::from_slice(&text).map_err(reason)?;
    let mut names = BTreeSet::new();
    if let Some(twice) = manifest.files.iter().find(|file| !names.insert(&file.name)) {
        let name = &twice.name;
        return Err(BundleError::Damaged(format!(
            "its manifest names `{name}` twice"
        )));
    }
    let sizes = manifest.files.iter().map(|file| file.size);
    let content = sizes.fold(0_u64, u64::saturating_add);
    if content > LARGEST_CONTENT {
        return Err(BundleError::Damaged(format!(
            "it says that it unpacks to {content} bytes, and {LARGEST_CONTENT} is the most"
        )));
    }
    for name in REQUIRED.into_iter().chain([CONTROLS]) {
        if !manifest.files.iter().any(|known| known.name == name) {
            return Err(BundleError::Missing(name.to_owned()));
        }
    }
    Ok((manifest, text))
}

/// What follows the last entry of a tar archive is zeros.
fn drain_zeros(rest: &mut impl Read) -> Result<(), BundleError> {
    let mut buffer = vec![0; 1 << 14];
    loop {
        let read = rest.read(&mut buffer).map_err(|error| damaged(&error))?;
        if read == 0 {
            return Ok(());
        }
        if buffer.iter().take(read).any(|byte| *byte != 0) {
            return Err(BundleError::Damaged(
                "something follows its last file".to_owned(),
            ));
        }
    }
}

fn read_controls(folder: &Path) -> Result<Vec<Control>, BundleError> {
    let path = folder.join(CONTROLS);
    let text = std::fs::read(&path).map_err(|source| BundleError::Io {
        action: "read",
        path: path.clone(),
        source,
    })?;
    let controls: Controls = serde_json::from_slice(&text)
        .map_err(|error| BundleError::Damaged(format!("`{CONTROLS}`: {error}")))?;
    for control in &controls.controls {
        control
            .validate()
            .map_err(|error| BundleError::Damaged(format!("`{CONTROLS}`: {error}")))?;
    }
    Ok(controls.controls)
}
