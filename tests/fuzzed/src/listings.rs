//! Listing files.

use std::fmt::Write as _;

use serde_json::Value;
use sha2::{Digest as _, Sha256};
use trailproof_core::evidence::{Lines, Record};
use trailproof_report::listing::{Listing, ListingError};

use crate::scratch;

/// A listing file is read, or the error names it; so is one whose sum somebody made again. A listing
/// of some records is written so that it reads the same.
pub(crate) fn listings(data: &[u8]) {
    scratch::with_folder("listings", |folder| {
        let path = folder.join("listing.json");
        let read = |content: &[u8]| {
            scratch::put(&path, content);
            match Listing::read(&path) {
                Ok(listing) => {
                    listing.write(&path).expect("a listing can be written");
                    let again = Listing::read(&path).expect("and read");
                    assert_eq!(again, listing);
                }
                Err(error @ (ListingError::Damaged { .. } | ListingError::Newer { .. })) => {
                    assert!(error.to_string().contains("listing.json"), "{error}");
                }
                Err(error) => panic!("{error}"),
            }
        };
        read(data);
        if let Some(forged) = with_right_sum(data) {
            read(&forged);
        }
        let mut records = Vec::new();
        let mut lines = Lines::new(data);
        while let Ok(Some(line)) = lines.next_line() {
            records.extend(line.record());
        }
        match Listing::of(records) {
            Ok(listing) => {
                listing.write(&path).expect("a listing can be written");
                assert_eq!(Listing::read(&path).expect("and read"), listing);
            }
            Err(reason) => assert!(!reason.is_empty()),
        }
    });
}

/// The file with the sum that its records have.
fn with_right_sum(data: &[u8]) -> Option<Vec<u8>> {
    let mut file: Value = serde_json::from_slice(data).ok()?;
    let records: Vec<Record> = serde_json::from_value(file.get("records")?.clone()).ok()?;
    let mut sum = Sha256::new();
    for record in &records {
        sum.update(serde_json::to_vec(record).ok()?);
        sum.update(b"\n");
    }
    let mut text = String::new();
    for byte in sum.finalize() {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    *file.get_mut("sha256")? = Value::from(text);
    serde_json::to_vec(&file).ok()
}
