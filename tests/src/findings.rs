//! Reading what the binary wrote: findings by account, and findings without what two runs may
//! differ in.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::Value;

/// `findings.json` of a run directory.
///
/// # Panics
///
/// When it is not there or not JSON.
#[track_caller]
pub fn read(directory: &Path) -> Value {
    let file = directory.join("findings.json");
    let text = fs::read_to_string(&file)
        .unwrap_or_else(|error| panic!("findings.json could not be read: {error}"));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("findings.json: {error}"))
}

/// The findings by their `id`.
///
/// # Panics
///
/// When the document has no findings.
#[track_caller]
pub fn by_id(document: &Value) -> BTreeMap<String, Value> {
    document["findings"]
        .as_array()
        .expect("findings is a list")
        .iter()
        .map(|finding| {
            let id = finding["id"].as_str().expect("a finding has an id");
            (id.to_owned(), finding.clone())
        })
        .collect()
}

/// The findings without times and request ids, as text that two runs must agree on byte for byte.
///
/// # Panics
///
/// When the document has no findings.
#[track_caller]
pub fn comparable(document: &Value) -> String {
    let mut findings = document["findings"].clone();
    assert!(findings.is_array(), "findings is a list");
    strip(&mut findings);
    serde_json::to_string_pretty(&findings).expect("JSON can be written")
}

fn strip(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.retain(|name, _| !matches!(name.as_str(), "observed_at" | "request_id"));
            members.values_mut().for_each(strip);
        }
        Value::Array(items) => items.iter_mut().for_each(strip),
        Value::String(text) if text.contains('Z') => {
            *text = without_times(text);
        }
        _ => {}
    }
}

/// A sentence with `TIME` for every word that is a time.
fn without_times(text: &str) -> String {
    let is_time = |word: &str| {
        word.ends_with('Z')
            && word.as_bytes().get(4) == Some(&b'-')
            && word.as_bytes().get(10) == Some(&b'T')
    };
    text.split(' ')
        .map(|word| if is_time(word) { "TIME" } else { word })
        .collect::<Vec<_>>()
        .join(" ")
}

/// Two texts are the same, byte for byte.
///
/// # Panics
///
/// When they are not, with the first lines that differ and what stands before them.
#[track_caller]
pub fn assert_same(found: &str, expected: &str) {
    if found == expected {
        return;
    }
    let (found, expected): (Vec<_>, Vec<_>) = (found.lines().collect(), expected.lines().collect());
    let equal = found
        .iter()
        .zip(&expected)
        .take_while(|(found, expected)| found == expected)
        .count();
    let before = found[equal.saturating_sub(12)..equal].join("\n");
    panic!(
        "line {equal} differs:\n{before}\nfound:    {:?}\nexpected: {:?}",
        found.get(equal),
        expected.get(equal)
    );
}
