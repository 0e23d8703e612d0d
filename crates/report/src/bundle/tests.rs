//! Bundles that are whole, and every way in which one may not be.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use trailproof_core::control::builtin;

use super::*;
use crate::formats::sample;
use crate::run::{Addresses, RunDirectory, file};

const RECORD: &str = "{\"operation\":\"sts:GetCallerIdentity\",\"account\":\"111111111111\",\
                      \"region\":\"us-east-1\",\"observed_at\":\"2026-11-22T22:00:00Z\",\
                      \"response\":{\"Account\":\"111111111111\"}}\n";

struct Packed {
    folder: tempfile::TempDir,
    path: PathBuf,
}

fn packed() -> Packed {
    let folder = tempfile::tempdir().unwrap();
    let sample = sample::organization();
    let run = RunDirectory::create(&folder.path().join("run"), &sample.run, false).unwrap();
    run.write(file::EVIDENCE, |out| out.write_all(RECORD.as_bytes()))
        .unwrap();
    let json = sample.render(&crate::findings_json::FindingsJson);
    run.write(file::FINDINGS_JSON, |out| out.write_all(json.as_bytes()))
        .unwrap();
    run.write_run(&sample.run).unwrap();
    let path = folder.path().join("run.tar.gz");
    write(&run, builtin(), &path, Addresses::Full, None).unwrap();
    Packed { folder, path }
}

fn unpacked(path: &Path) -> Result<Bundle, BundleError> {
    let folder = tempfile::tempdir().unwrap();
    unpack(path, folder.path())
}

/// What a compressed archive holds; `None` where it cannot be read.
fn contents(compressed: &[u8]) -> Option<Vec<u8>> {
    let mut contents = Vec::new();
    let mut decoder = flate2::read::GzDecoder::new(compressed);
    std::io::Read::read_to_end(&mut decoder, &mut contents).ok()?;
    Some(contents)
}

#[test]
fn a_bundle_round_trips() {
    let packed = packed();
    let target = packed.folder.path().join("unpacked");
    fs::create_dir(&target).unwrap();
    let bundle = unpack(&packed.path, &target).unwrap();
    assert_eq!(bundle.controls, builtin());
    for entry in &bundle.manifest.files {
        let made = FOR_PEOPLE.iter().map(|format| format.file_name());
        let made: Vec<_> = made.chain([CONTROLS]).collect();
        assert!(target.join(&entry.name).is_file(), "{}", entry.name);
        if !made.contains(&entry.name.as_str()) {
            let original = fs::read(packed.folder.path().join("run").join(&entry.name)).unwrap();
            assert_eq!(
                fs::read(target.join(&entry.name)).unwrap(),
                original,
                "{}",
                entry.name
            );
        }
    }
    let sum = hexadecimal(&<sha2::Sha256 as sha2::Digest>::digest(
        fs::read(&packed.path).unwrap(),
    ));
    assert_eq!(bundle.sha256, sum);
}

/// The files of an archive with their contents.
fn files(path: &Path) -> Vec<(String, Vec<u8>)> {
    let compressed = fs::File::open(path).unwrap();
    let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(compressed));
    let entries = archive.entries().unwrap();
    entries
        .map(|entry| {
            let mut entry = entry.unwrap();
            let name = String::from_utf8(entry.path_bytes().into_owned()).unwrap();
            let mut content = Vec::new();
            std::io::Read::read_to_end(&mut entry, &mut content).unwrap();
            (name, content)
        })
        .collect()
}

#[test]
fn a_bundle_is_one_folder_with_files_for_people_and_the_sums_of_all() {
    let packed = packed();
    let files = files(&packed.path);
    let name = |name: &str| format!("trailproof-20261122T220000Z/{name}");
    for wanted in ["README.txt", "report.html", "findings.xlsx", "SHA256SUMS"] {
        assert!(
            files.iter().any(|(known, _)| *known == name(wanted)),
            "{wanted}"
        );
    }
    let (first, _) = &files[0];
    assert_eq!(*first, name(MANIFEST));
    let (_, sums) = files
        .iter()
        .find(|(known, _)| *known == name(sums::SUMS))
        .unwrap();
    let sums = String::from_utf8(sums.clone()).unwrap();
    assert_eq!(sums.lines().count(), files.len() - 1);
    for (known, content) in &files {
        let sum = hexadecimal(&<sha2::Sha256 as sha2::Digest>::digest(content));
        let (_, short) = known.split_once('/').unwrap();
        let line = format!("{sum}  {short}");
        assert_eq!(
            sums.lines().any(|found| found == line),
            short != sums::SUMS,
            "{short}"
        );
    }
}

#[test]
fn masked_bundles_say_so_and_signed_ones_carry_their_signature() {
    let packed = packed();
    let (run, _) = RunDirectory::open(&packed.folder.path().join("run")).unwrap();
    let pair = ssh_key::private::Ed25519Keypair::from_seed(&[7; 32]);
    let key = ssh_key::PrivateKey::from(pair);
    let public = key.public_key().to_openssh().unwrap();
    let key = key.to_openssh(ssh_key::LineEnding::LF).unwrap();
    let key = SigningKey::read(key.as_bytes()).unwrap();
    let path = packed.folder.path().join("signed.tar.gz");
    let written = write(&run, builtin(), &path, Addresses::Masked, Some(&key)).unwrap();
    assert_eq!(written.signed_by, Some(key.fingerprint()));
    let target = packed.folder.path().join("unpacked");
    fs::create_dir(&target).unwrap();
    let bundle = unpack(&path, &target).unwrap();
    let text = |name: &str| fs::read_to_string(target.join(name)).unwrap();
    assert!(text(file::RUN).contains("\"mask_endpoints\": true"));
    assert!(text(file::FINDINGS_JSON).contains("\"mask_endpoints\": true"));
    assert!(text("README.txt").contains("addresses     masked"));
    let signers = AllowedSigners::read(&format!("me {public}")).unwrap();
    let check = |sums: &str| {
        let signature = bundle.signature.as_deref();
        signers.check("me", sums, signature, sample::now())
    };
    let sums = bundle.sums.as_deref().unwrap();
    assert_eq!(check(sums), Ok(()));
    assert_eq!(
        check(&sums.replacen('0', "1", 1)),
        Err(SignatureError::Changed)
    );
    // Nothing that was made for the bundle is left beside it.
    let names = fs::read_dir(packed.folder.path()).unwrap().count();
    assert_eq!(names, 4);
}

#[test]
fn the_same_run_gives_the_same_bundle() {
    let packed = packed();
    let (run, _) = RunDirectory::open(&packed.folder.path().join("run")).unwrap();
    let other = packed.folder.path().join("other.tar.gz");
    write(&run, builtin(), &other, Addresses::Full, None).unwrap();
    assert_eq!(fs::read(&packed.path).unwrap(), fs::read(&other).unwrap());
}

#[test]
fn any_changed_byte_is_found() {
    let packed = packed();
    let original = fs::read(&packed.path).unwrap();
    // Every byte of the head and the tail, and enough of those between.
    let places = (0..original.len())
        .filter(|place| *place < 64 || place + 64 > original.len() || place % 61 == 0);
    for place in places {
        let mut changed = original.clone();
        // The compressed data may end with bits that mean nothing; the first of its last byte, which
        // stands before a trailer of eight, always does.
        changed[place] ^= if place + 9 == original.len() { 1 } else { 0x10 };
        fs::write(&packed.path, &changed).unwrap();
        // A repetition may be written as one of another place with the same text: then nothing is
        // lost.
        assert!(
            unpacked(&packed.path).is_err() || contents(&changed) == contents(&original),
            "byte {place} of {}",
            original.len()
        );
    }
    for length in [0, 5, 10, original.len() / 2, original.len() - 1] {
        fs::write(&packed.path, &original[..length]).unwrap();
        assert!(unpacked(&packed.path).is_err(), "cut off at {length}");
    }
    let mut longer = original.clone();
    longer.push(0);
    fs::write(&packed.path, &longer).unwrap();
    assert!(unpacked(&packed.path).unwrap_err().is_tampering());
    fs::write(&packed.path, &original).unwrap();
    unpacked(&packed.path).unwrap();
}

/// A sound archive with other content.
fn archive(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let compressed = flate2::GzBuilder::new()
        .mtime(0)
        .operating_system(255)
        .write(Vec::new(), flate2::Compression::default());
    let mut archive = tar::Builder::new(compressed);
    for (name, content) in entries {
        let mut header = tar::Header::new_ustar();
        header.set_size(content.len() as u64);
        header.set_mode(0o600);
        // Written by hand: the crate refuses names that lead out of the folder.
        header.as_mut_bytes()[..name.len()].copy_from_slice(name.as_bytes());
        header.set_cksum();
        archive.append(&header, *content).unwrap();
    }
    archive.into_inner().unwrap().finish().unwrap()
}

#[test]
fn an_archive_made_to_harm_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("b.tar.gz");
    let content = b"{}";
    let sum = hexadecimal(&<sha2::Sha256 as sha2::Digest>::digest(content));
    let names = [file::RUN, file::EVIDENCE, file::FINDINGS_JSON, CONTROLS];
    let manifest = |extra: &[&str]| {
        let files = names.iter().chain(extra).map(|name| Entry {
            name: (*name).to_owned(),
            size: 2,
            sha256: sum.clone(),
        });
        let manifest = Manifest {
            schema_version: 1,
            tool: Tool::this(),
            files: files.collect(),
        };
        serde_json::to_vec(&manifest).unwrap()
    };
    let whole: Vec<(&str, &[u8])> = names
        .iter()
        .map(|name| (*name, content.as_slice()))
        .collect();
    let check = |manifest: &[u8], entries: &[(&str, &[u8])], expected: &str| {
        let entries: Vec<_> = [(MANIFEST, manifest)]
            .into_iter()
            .chain(entries.iter().copied())
            .collect();
        fs::write(&path, archive(&entries)).unwrap();
        let error = unpacked(&path).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    };
    let with = |entry| {
        whole
            .iter()
            .copied()
            .chain([entry])
            .collect::<Vec<(&str, &[u8])>>()
    };
    check(
        &manifest(&[]),
        &with(("other.txt", b"x")),
        "`other.txt` is in the bundle, but not in its manifest",
    );
    check(
        &manifest(&["../evil"]),
        &with(("../evil", content)),
        "`../evil` is in the bundle, but not",
    );
    check(
        &manifest(&[]),
        &with((file::RUN, content)),
        "`run.json` is in it twice",
    );
    check(
        &manifest(&[]),
        &whole[..3],
        "`controls.json` is missing from the bundle",
    );
    let mut changed = whole.clone();
    changed[1].1 = b"[]";
    check(
        &manifest(&[]),
        &changed,
        "`evidence.ndjson` was changed: its SHA-256 sum is",
    );
    changed[1].1 = b"{} and much more than it should be";
    check(
        &manifest(&[]),
        &changed,
        "`evidence.ndjson` was changed: its SHA-256 sum is",
    );
    check(
        b"{\"schema_version\":3}",
        &whole,
        "was written by a newer trailproof",
    );
    check(b"{", &whole, "its manifest cannot be read");
    check(
        &manifest(&[file::RUN]),
        &whole,
        "its manifest names `run.json` twice",
    );
    let sized = |size: u64| {
        let text = String::from_utf8(manifest(&[])).unwrap();
        text.replacen("\"size\":2", &format!("\"size\":{size}"), 1)
            .into_bytes()
    };
    check(
        &sized(3),
        &whole,
        "`run.json` was changed: it has 2 bytes or more, and the manifest says 3",
    );
    check(&sized(u64::MAX), &whole, "is the most");
    fs::write(&path, archive(&whole)).unwrap();
    assert!(matches!(unpacked(&path), Err(BundleError::Foreign { .. })));
    fs::write(&path, "no archive at all").unwrap();
    assert!(matches!(unpacked(&path), Err(BundleError::Foreign { .. })));
}

#[test]
fn a_run_without_evidence_is_no_bundle() {
    let packed = packed();
    fs::remove_file(packed.folder.path().join("run").join(file::EVIDENCE)).unwrap();
    let (run, _) = RunDirectory::open(&packed.folder.path().join("run")).unwrap();
    let error = write(&run, builtin(), &packed.path, Addresses::Full, None).unwrap_err();
    assert!(matches!(error, WriteError::Missing { .. }));
    let mut readable = fs::OpenOptions::new()
        .append(true)
        .open(&packed.path)
        .unwrap();
    readable.flush().unwrap();
    unpacked(&packed.path).unwrap();
}
