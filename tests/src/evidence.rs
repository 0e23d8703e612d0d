//! Reading `evidence.ndjson` of a run directory as lines of JSON.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Child, Command};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

/// The records of a run, in order. A torn last line is left out, as every reader must.
///
/// # Panics
///
/// When the file is not there, or a whole line is not JSON.
#[track_caller]
pub fn records(directory: &Path) -> Vec<Value> {
    let file = directory.join("evidence.ndjson");
    let text = fs::read_to_string(&file).unwrap_or_else(|error| panic!("evidence: {error}"));
    let whole = text.rfind('\n').map_or("", |end| &text[..=end]);
    whole
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
        .collect()
}

/// Every call that was answered, and how often. Entering an account is left out: a run that goes on
/// has to enter it again.
#[track_caller]
pub fn answered(directory: &Path) -> BTreeMap<String, usize> {
    let mut calls = BTreeMap::new();
    for record in records(directory) {
        if record.get("response").is_none() || record["operation"] == "sts:AssumeRole" {
            continue;
        }
        let call = format!(
            "{} {} {} {}",
            record["operation"], record["account"], record["region"], record["parameters"]
        );
        *calls.entry(call).or_default() += 1;
    }
    calls
}

/// The calls that were answered more than once.
#[track_caller]
pub fn repeated(directory: &Path) -> Vec<String> {
    answered(directory)
        .into_iter()
        .filter(|(_, times)| *times > 1)
        .map(|(call, times)| format!("{times} times: {call}"))
        .collect()
}

/// Waits until a running scan has written so many bytes of evidence. Returns whether it is still
/// running then.
///
/// # Panics
///
/// When it does neither for two minutes.
pub fn wait_for_bytes(child: &mut Child, directory: &Path, bytes: u64) -> bool {
    let started = Instant::now();
    let file = directory.join("evidence.ndjson");
    loop {
        if child.try_wait().expect("the child can be asked").is_some() {
            return false;
        }
        if fs::metadata(&file).is_ok_and(|metadata| metadata.len() >= bytes) {
            return true;
        }
        assert!(
            started.elapsed() < Duration::from_mins(2),
            "no {bytes} bytes of evidence in two minutes"
        );
        thread::sleep(Duration::from_millis(1));
    }
}

/// Sends a signal, by its name, to a child process.
///
/// # Panics
///
/// When the signal cannot be sent.
pub fn signal(child: &Child, name: &str) {
    let sent = Command::new("kill")
        .args([format!("-{name}"), child.id().to_string()])
        .status()
        .expect("kill can be started");
    assert!(sent.success(), "{name} could not be sent");
}
