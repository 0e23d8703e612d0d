//! Evidence bundles: one archive with everything a verdict rests on, for somebody who does not
//! trust the program that gave it.
//!
//! A bundle is a tar archive, compressed with gzip, with everything in one folder. Its first entry
//! is a manifest with the SHA-256 sum of every other one. `SHA256SUMS` has the same sums, and that
//! of the manifest, in the form of `sha256sum`; a signature of it stands for all. The first layout
//! had no folder, no sums beside the manifest, and no files for people.
//!
//! Unpacking makes sure that nothing was changed, added or left out. [`Judged`] and [`Checks`] say
//! whether everything in a bundle follows from the evidence among it.

mod checks;
mod compare;
mod contents;
mod read;
mod readme;
mod signature;
mod sums;
mod write;

use serde::{Deserialize, Serialize};
use trailproof_core::control::Control;

use crate::format::Format;
use crate::formats::{Html, Xlsx};
use crate::run::{Tool, file};

pub use checks::{Checks, Judged, Verdict, contradiction};
pub use compare::first_difference;
pub use read::{Bundle, BundleError, unpack};
pub use readme::{MASKED, Readme};
pub use signature::{
    AllowedSigners, InvalidSigners, NAMESPACE, SignatureError, SigningError, SigningKey,
};
pub use write::{WriteError, Written, write};

/// The version of the layout of bundles.
const SCHEMA_VERSION: u32 = 2;

/// The version from which on everything is in one folder, with sums and files for people.
const IN_A_FOLDER: u32 = 2;

/// The files that are made for people, from what the other files tell.
pub static FOR_PEOPLE: [&dyn Format; 3] = [&Readme, &Html, &Xlsx];

/// The files without which there is no bundle.
const REQUIRED: [&str; 3] = [file::RUN, file::EVIDENCE, file::FINDINGS_JSON];

/// The files of a run that a bundle has, where the run has them.
const OF_RUN: [&str; 6] = [
    file::RUN,
    file::EVIDENCE,
    file::FINDINGS_JSON,
    file::FINDINGS_CSV,
    file::TRAILS_CSV,
    file::RECIPIENTS_CSV,
];

/// The entry that lists the others. Always the first.
const MANIFEST: &str = "manifest.json";

/// The controls as they were judged, patterns included: those built into another version of
/// trailproof may have changed.
const CONTROLS: &str = "controls.json";

/// The signature of the sums, where there is one.
const SIGNATURE: &str = "SHA256SUMS.sig";

/// The first bytes of every bundle: gzip without name, comment or time. They are checked, since
/// the archive's own sum does not cover them.
const GZIP_HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];

/// What is in a bundle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// The version of this layout.
    pub schema_version: u32,
    /// What wrote the bundle.
    pub tool: Tool,
    /// Every other entry, in their order.
    pub files: Vec<Entry>,
}

/// A file of a bundle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Its name.
    pub name: String,
    /// Its size in bytes.
    pub size: u64,
    /// Its SHA-256 sum, in hexadecimal.
    pub sha256: String,
}

/// The content of `controls.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Controls {
    controls: Vec<Control>,
}

pub(crate) fn hexadecimal(sum: &[u8]) -> String {
    use std::fmt::Write as _;

    sum.iter().fold(String::new(), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests;
