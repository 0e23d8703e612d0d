//! Bundles.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use flate2::{Compression, GzBuilder};
use trailproof_report::bundle::{BundleError, unpack};

use crate::scratch;

/// The input is a bundle, or the archive in one. It is unpacked, or the error says why not; and
/// nothing is written but the files of its manifest, of their size.
pub(crate) fn bundles(data: &[u8]) {
    try_to_unpack(data);
    // Hardly anything that is made up is compressed as gzip compresses it.
    let mut packed = GzBuilder::new()
        .mtime(0)
        .operating_system(255)
        .write(Vec::new(), Compression::none());
    std::io::Write::write_all(&mut packed, data).expect("memory can be written");
    try_to_unpack(&packed.finish().expect("gzip ends"));
}

fn try_to_unpack(data: &[u8]) {
    scratch::with_folder("bundles", |folder| {
        let (file, target) = (folder.join("bundle.tar.gz"), folder.join("unpacked"));
        scratch::put(&file, data);
        let _ = fs::remove_dir_all(&target);
        trailproof_files::create_new_folder(&target).expect("a folder can be made");
        match unpack(&file, &target) {
            Ok(bundle) => {
                let mut expected = BTreeSet::new();
                for entry in &bundle.manifest.files {
                    let size = fs::metadata(target.join(&entry.name)).map(|file| file.len());
                    assert_eq!(size.expect("the file is there"), entry.size);
                    expected.insert(entry.name.clone());
                }
                assert_eq!(names(&target), expected);
            }
            Err(BundleError::Io { path, source, .. }) => panic!("{}: {source}", path.display()),
            Err(error) => assert!(!error.to_string().is_empty()),
        }
        let beside = ["bundle.tar.gz", "unpacked"].map(str::to_owned);
        assert_eq!(names(folder), BTreeSet::from(beside));
    });
}

fn names(folder: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(folder).expect("the folder is there");
    entries
        .map(|entry| entry.expect("an entry").file_name())
        .map(|name| name.to_string_lossy().into_owned())
        .collect()
}
