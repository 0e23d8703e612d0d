//! `trailproof evaluate` on evidence made by hand.

use insta::assert_snapshot;
use serde_json::Value;

use crate::harness::Place;
use crate::recorded::{BARE, CLOSED, COMPLETE, NAMES, SUSPENDED, evidence};

/// A later date than the evidence's, so that nothing depends on today's.
const NOW: &str = "2026-11-23T00:00:00Z";

fn place() -> Place {
    let place = Place::new();
    place.write("evidence.ndjson", evidence());
    place
}

#[test]
fn the_summary() {
    let place = place();
    assert_snapshot!(place.transcript(&[
        "evaluate",
        "--evidence",
        "evidence.ndjson",
        "--now",
        NOW
    ]));
}

#[test]
fn one_format_to_stdout_is_that_format_alone() {
    let output = place().run(&[
        "evaluate",
        "--evidence",
        "evidence.ndjson",
        "--now",
        NOW,
        "--format",
        "json",
        "--quiet",
    ]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    let statuses: Vec<(&str, &str)> = document["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|finding| {
            (
                finding["account"]["id"].as_str().unwrap(),
                finding["status"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        statuses,
        [
            (COMPLETE, "PASS"),
            (BARE, "FAIL"),
            (CLOSED, "UNKNOWN"),
            (SUSPENDED, "NOT_APPLICABLE"),
        ]
    );
}

#[test]
fn exit_codes_follow_the_findings() {
    let place = place();
    let code = |accounts: &[&str]| {
        let accounts = accounts.join(",");
        place
            .run(&[
                "evaluate",
                "--evidence",
                "evidence.ndjson",
                "--now",
                NOW,
                "--accounts",
                &accounts,
            ])
            .status
            .code()
    };
    assert_eq!(code(&[COMPLETE]), Some(0));
    assert_eq!(code(&[COMPLETE, SUSPENDED]), Some(0));
    assert_eq!(code(&[COMPLETE, BARE]), Some(1));
    assert_eq!(code(&[COMPLETE, CLOSED]), Some(3));
    assert_eq!(code(&[BARE, CLOSED]), Some(1));
}

#[test]
fn reports_are_written_and_reproduced() {
    let place = place();
    let arguments = ["evaluate", "--evidence", "evidence.ndjson", "--now", NOW];
    let first = place.run(&[&arguments[..], &["--out", "first"]].concat());
    assert_eq!(first.status.code(), Some(1));
    for name in [
        "evidence.ndjson",
        "run.json",
        "findings.json",
        "findings.csv",
        "trails.csv",
        "recipients.csv",
    ] {
        assert!(place.path().join("first").join(name).is_file(), "{name}");
    }
    // A run's folder cannot be judged into itself, and never by accident into another run's.
    let again = place.run(&[&arguments[..], &["--out", "first"]].concat());
    assert_eq!(again.status.code(), Some(2));
    let itself = place.run(&[
        "evaluate",
        "--evidence",
        "first",
        "--out",
        "first",
        "--overwrite",
    ]);
    assert_eq!(itself.status.code(), Some(2));
    assert_eq!(place.read("first/evidence.ndjson"), evidence());
    let replaced = place.run(&[&arguments[..], &["--out", "first", "--overwrite"]].concat());
    assert_eq!(replaced.status.code(), Some(1));
}

#[test]
fn findings_csv_is_harmless_in_a_spreadsheet() {
    let place = place();
    place.run(&[
        "evaluate",
        "--evidence",
        "evidence.ndjson",
        "--now",
        NOW,
        "--out",
        "run",
    ]);
    let text = place.read("run/findings.csv");
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let header = reader.headers().unwrap().clone();
    let column = |name: &str| header.iter().position(|column| column == name).unwrap();
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    assert_eq!(rows.len(), 4);
    for (row, (id, name)) in rows.iter().zip(NAMES) {
        assert_eq!(&row[column("account_id")], id);
        let shown = &row[column("account_name")];
        assert_eq!(shown.strip_prefix('\'').unwrap_or(shown), name);
        for cell in row {
            let bare = cell.trim_start();
            assert!(
                !bare.starts_with(['=', '+', '-', '@']) || cell.starts_with('\''),
                "{cell:?}"
            );
        }
    }
    assert!(rows[0][column("chain")].starts_with("trail PASS"));
    assert_eq!(&rows[0][column("subscription_status")], "PASS");
}

#[test]
fn nothing_on_the_terminal_steers_it() {
    let output = place().run(&["evaluate", "--evidence", "evidence.ndjson", "--now", NOW]);
    for stream in [output.stdout, output.stderr] {
        let text = String::from_utf8(stream).unwrap();
        assert!(!text.contains(['\u{1b}', '\u{202e}', '\r']), "{text:?}");
    }
}

#[test]
fn another_benchmark_changes_the_number() {
    let output = place().run(&[
        "evaluate",
        "--evidence",
        "evidence.ndjson",
        "--now",
        NOW,
        "--benchmark",
        "1.4",
        "--format",
        "json",
    ]);
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(document["findings"][0]["control"]["number"], "4.6");
    assert_eq!(document["run"]["policy"]["benchmark"], "1.4.0");
}

#[test]
fn a_line_that_is_no_record() {
    let place = Place::new();
    place.write("evidence.ndjson", evidence() + "hello\n");
    assert_snapshot!(place.transcript(&["evaluate", "--evidence", "evidence.ndjson"]));
}

#[test]
fn an_operation_nobody_knows() {
    let place = Place::new();
    let known = evidence();
    let first = known.lines().next().unwrap();
    let unknown = first.replace("sts:GetCallerIdentity", "s3:ListBuckets");
    place.write("evidence.ndjson", format!("{known}{unknown}\n"));
    // On the day of the evidence, whatever day it is.
    assert_snapshot!(place.transcript(&[
        "evaluate",
        "--evidence",
        "evidence.ndjson",
        "--now",
        NOW,
    ]));
}

#[test]
fn evidence_that_is_not_there() {
    assert_snapshot!(Place::new().transcript(&["evaluate", "--evidence", "no.ndjson"]));
}

#[test]
fn evidence_without_a_record() {
    let place = Place::new();
    place.write("evidence.ndjson", "\n");
    assert_snapshot!(place.transcript(&["evaluate", "--evidence", "evidence.ndjson"]));
}

#[test]
fn a_run_of_a_newer_layout() {
    let place = Place::new();
    place.write("run/run.json", r#"{"schema_version": 2}"#);
    place.write("run/evidence.ndjson", evidence());
    assert_snapshot!(place.transcript(&["evaluate", "--evidence", "run"]));
}
