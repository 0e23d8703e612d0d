//! Evidence bundles: one archive with everything a verdict rests on, for somebody who does not
//! trust the program that gave it.
//!
//! A bundle is a tar archive, compressed with gzip. Its first entry is a manifest with the SHA-256
//! sum of every other one. Whether the findings follow from the evidence is judged elsewhere; here
//! it is only made sure that nothing was changed, added or left out, and that files are what their
//! writers write.

mod compare;
mod read;
mod write;

use serde::{Deserialize, Serialize};
use trailproof_core::control::Control;

use crate::run::Tool;

pub use compare::first_difference;
pub use read::{Bundle, BundleError, unpack};
pub use write::{WriteError, Written, write};

/// The version of the layout of bundles.
const SCHEMA_VERSION: u32 = 1;

/// The entry that lists the others. Always the first.
const MANIFEST: &str = "manifest.json";

/// The controls as they were judged, patterns included: those built into another version of
/// trailproof may have changed.
const CONTROLS: &str = "controls.json";

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
