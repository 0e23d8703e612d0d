//! A build without the feature `remediation` cannot change anything.
#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on has failed, and says why"
)]

use std::path::{Path, PathBuf};
use std::process::Command;

use trailproof_tests::binary;
use xtask::workspace;

/// The operations of the AWS SDK that change something and that trailproof uses, as the SDK names
/// their modules and builders.
const CHANGES: [&str; 9] = [
    "put_metric_filter",
    "delete_metric_filter",
    "create_topic",
    "delete_topic",
    "subscribe",
    "unsubscribe",
    "put_metric_alarm",
    "delete_alarms",
    "set_alarm_state",
];

/// Whether a program has code of an SDK operation: names in symbols have their length before them.
fn has(program: &[u8], operation: &str) -> bool {
    let name = format!("9operation{}{operation}", operation.len());
    program
        .windows(name.len())
        .any(|window| window == name.as_bytes())
}

#[test]
#[ignore = "builds the workspace a second time, with other features: minutes"]
fn a_binary_without_the_feature_has_no_call_that_changes_something() {
    let with = std::fs::read(binary::path("trailproof")).expect("the binary is built");
    let target = workspace::target().join("read-only");
    let status = Command::new("cargo")
        .current_dir(workspace::root())
        .args([
            "build",
            "--quiet",
            "--package",
            "trailproof",
            "--no-default-features",
        ])
        .arg("--target-dir")
        .arg(&target)
        .status()
        .expect("cargo starts");
    assert!(status.success());
    let without = std::fs::read(target.join("debug/trailproof")).expect("it was built");
    assert!(
        has(&without, "describe_metric_filters"),
        "the symbols are readable"
    );
    for operation in CHANGES {
        assert!(has(&with, operation), "{operation} is found where it is");
        assert!(!has(&without, operation), "{operation}");
    }
}

#[test]
fn calls_that_change_something_are_in_one_place_of_the_source() {
    let mut places = Vec::new();
    for name in ["core", "scanner", "report", "cli"] {
        visit(
            &workspace::root().join("crates").join(name).join("src"),
            &mut |path, text| {
                for operation in CHANGES {
                    if text.contains(&format!(".{operation}()")) {
                        places.push(path.to_owned());
                    }
                }
            },
        );
    }
    assert_eq!(places.len(), CHANGES.len(), "{places:?}");
    let only = workspace::root().join("crates/report/src/remediation/aws/send.rs");
    assert!(places.iter().all(|place| *place == only), "{places:?}");

    let lib = workspace::root().join("crates/report/src/lib.rs");
    let lib = std::fs::read_to_string(lib).expect("it is there");
    assert!(lib.contains("#[cfg(feature = \"remediation\")]\npub mod remediation;"));
}

fn visit(folder: &Path, see: &mut impl FnMut(&PathBuf, &str)) {
    for entry in
        std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
    {
        let path = entry.expect("it can be read").path();
        if path.is_dir() {
            visit(&path, see);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            see(&path, &std::fs::read_to_string(&path).expect("it is text"));
        }
    }
}
