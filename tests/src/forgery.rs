//! Bundles as somebody would forge them: with other content, and with sums that are right.

use std::fmt::Write as _;
use std::fs;
use std::io::Read as _;
use std::path::Path;

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

/// The files of a bundle, by name and in their order, its manifest left out.
#[derive(Debug, Clone)]
pub struct Forgery {
    manifest: Value,
    files: Vec<(String, Vec<u8>)>,
}

impl Forgery {
    /// Unpacks a bundle.
    ///
    /// # Panics
    ///
    /// When it is none.
    pub fn of(path: &Path) -> Self {
        let packed = fs::File::open(path).expect("the bundle is there");
        let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(packed));
        let mut files = Vec::new();
        for entry in archive.entries().expect("an archive") {
            let mut entry = entry.expect("an entry");
            let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
            let mut content = Vec::new();
            entry.read_to_end(&mut content).expect("its content");
            files.push((name, content));
        }
        let (name, manifest) = files.remove(0);
        assert_eq!(name, "manifest.json");
        Self {
            manifest: serde_json::from_slice(&manifest).expect("a manifest"),
            files,
        }
    }

    /// Changes the text of a file.
    ///
    /// # Panics
    ///
    /// When the file is missing, or is the same afterwards: then nothing was forged.
    #[must_use]
    pub fn text(mut self, name: &str, change: impl FnOnce(&str) -> String) -> Self {
        let (_, content) = self
            .files
            .iter_mut()
            .find(|(known, _)| known == name)
            .expect("the bundle has the file");
        let changed = change(&String::from_utf8_lossy(content));
        assert_ne!(changed.as_bytes(), content.as_slice(), "{name}");
        *content = changed.into_bytes();
        self
    }

    /// Changes a file that is JSON, and writes it as trailproof does.
    ///
    /// # Panics
    ///
    /// When it is no JSON, or is the same afterwards.
    #[must_use]
    pub fn json(self, name: &str, change: impl FnOnce(&mut Value)) -> Self {
        self.text(name, |text| {
            let mut value: Value = serde_json::from_str(text).expect("JSON");
            change(&mut value);
            format!("{value:#}\n")
        })
    }

    /// Packs it, with sums of what is in it.
    ///
    /// # Panics
    ///
    /// When it cannot be written.
    pub fn pack(self, path: &Path) {
        let Self {
            mut manifest,
            files,
        } = self;
        let entries = files.iter().map(|(name, content)| {
            let sum = Sha256::digest(content);
            let sum = sum.iter().fold(String::new(), |mut text, byte| {
                let _ = write!(text, "{byte:02x}");
                text
            });
            json!({ "name": name, "size": content.len(), "sha256": sum })
        });
        manifest["files"] = entries.collect();
        let manifest = format!("{manifest:#}\n").into_bytes();
        let compressed = flate2::GzBuilder::new()
            .mtime(0)
            .operating_system(255)
            .write(Vec::new(), flate2::Compression::default());
        let mut archive = tar::Builder::new(compressed);
        let first = ("manifest.json".to_owned(), manifest);
        for (name, content) in std::iter::once(&first).chain(&files) {
            let mut header = tar::Header::new_ustar();
            header.set_size(content.len() as u64);
            header.set_mode(0o600);
            header.set_entry_type(tar::EntryType::Regular);
            archive
                .append_data(&mut header, name, content.as_slice())
                .expect("an entry can be added");
        }
        let compressed = archive.into_inner().expect("an archive");
        let bytes = compressed.finish().expect("gzip ends");
        fs::write(path, bytes).expect("a file can be written");
    }
}
