//! `SHA256SUMS`: what `sha256sum -c` reads.

use std::fmt::Write as _;

use sha2::{Digest, Sha256};

use super::{Entry, MANIFEST, hexadecimal};

/// The file of sums. It has the sum of every other file but that of its own signature.
pub(super) const SUMS: &str = "SHA256SUMS";

/// The sums of the manifest and of everything that it lists, as GNU coreutils writes and reads them
/// (GNU Coreutils, "cksum output modes"). The names are trailproof's own and need no quoting.
pub(super) fn text(manifest: &[u8], files: &[Entry]) -> String {
    let mut text = format!("{}  {MANIFEST}\n", hexadecimal(&Sha256::digest(manifest)));
    for entry in files {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{}  {}", entry.sha256, entry.name);
    }
    text
}
