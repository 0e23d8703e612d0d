//! Bundles as somebody would forge them: with other content, and with sums that are right.

use std::fmt::Write as _;
use std::fs;
use std::io::Read as _;
use std::path::Path;

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

/// The files of a bundle, by name and in their order, its manifest and its sums left out.
#[derive(Debug, Clone)]
pub struct Forgery {
    /// With its slash.
    folder: String,
    manifest: Value,
    files: Vec<(String, Vec<u8>)>,
    signature: Option<(String, Vec<u8>)>,
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
        let folder = name
            .strip_suffix("manifest.json")
            .expect("the manifest is first");
        let folder = folder.to_owned();
        for (name, _) in &mut files {
            let short = name.strip_prefix(&folder).expect("one folder has all");
            *name = short.to_owned();
        }
        // They are made anew, and a signature of others is worth nothing.
        files.retain(|(name, _)| !name.starts_with("SHA256SUMS"));
        Self {
            folder,
            manifest: serde_json::from_slice(&manifest).expect("a manifest"),
            files,
            signature: None,
        }
    }

    /// With a signature that was made of something.
    #[must_use]
    pub fn signed(mut self, signature: &str) -> Self {
        self.signature = Some(("SHA256SUMS.sig".to_owned(), signature.as_bytes().to_vec()));
        self
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

    /// As the first layout had it: without a folder, sums beside the manifest, and files for people.
    #[must_use]
    pub fn in_the_first_layout(mut self) -> Self {
        self.folder.clear();
        self.manifest["schema_version"] = 1.into();
        let people = ["README.txt", "report.html", "findings.xlsx"];
        self.files
            .retain(|(name, _)| !people.contains(&name.as_str()));
        self
    }

    /// Packs it, with sums of what is in it.
    ///
    /// # Panics
    ///
    /// When it cannot be written.
    pub fn pack(self, path: &Path) {
        let Self {
            folder,
            mut manifest,
            files,
            signature,
        } = self;
        let sum = |content: &[u8]| {
            let sum = Sha256::digest(content);
            sum.iter().fold(String::new(), |mut text, byte| {
                let _ = write!(text, "{byte:02x}");
                text
            })
        };
        let entries = files.iter().map(|(name, content)| {
            json!({ "name": name, "size": content.len(), "sha256": sum(content) })
        });
        manifest["files"] = entries.collect();
        let manifest = format!("{manifest:#}\n").into_bytes();
        let mut sums = format!("{}  manifest.json\n", sum(&manifest));
        for (name, content) in &files {
            let _ = writeln!(sums, "{}  {name}", sum(content));
        }
        let sums = ("SHA256SUMS".to_owned(), sums.into_bytes());
        let sums = (!folder.is_empty()).then_some(sums);
        let compressed = flate2::GzBuilder::new()
            .mtime(0)
            .operating_system(255)
            .write(Vec::new(), flate2::Compression::default());
        let mut archive = tar::Builder::new(compressed);
        let first = ("manifest.json".to_owned(), manifest);
        for (name, content) in std::iter::once(&first)
            .chain(&sums)
            .chain(&signature)
            .chain(&files)
        {
            let mut header = tar::Header::new_ustar();
            header.set_size(content.len() as u64);
            header.set_mode(0o600);
            header.set_entry_type(tar::EntryType::Regular);
            archive
                .append_data(&mut header, format!("{folder}{name}"), content.as_slice())
                .expect("an entry can be added");
        }
        let compressed = archive.into_inner().expect("an archive");
        let bytes = compressed.finish().expect("gzip ends");
        fs::write(path, bytes).expect("a file can be written");
    }
}
