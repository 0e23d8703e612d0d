//! What is wrong with what the user gave is said where it is wrong, with what to do about it.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on has failed, and says why"
)]

use std::collections::BTreeSet;
use std::fs;

use serde_json::json;
use trailproof_fuzzed::TARGETS;
use trailproof_simulator::{Options, Scenario, Server};
use trailproof_tests::binary::{Outcome, Trailproof};
use trailproof_tests::findings;
use xtask::workspace;

const TRAILS: &str = r#"{"operation":"cloudtrail:DescribeTrails","account":"111111111111","region":"us-east-1","parameters":{},"observed_at":"2026-11-22T22:00:00Z","response":{"trailList":[]}}"#;

/// Judges a file of evidence with these lines.
fn evaluate(lines: &str) -> Outcome {
    let trailproof = Trailproof::offline();
    let file = trailproof.home().join("evidence.ndjson");
    fs::write(&file, lines).expect("the file can be written");
    trailproof.run(["evaluate", "--evidence", file.to_str().expect("ASCII")])
}

#[track_caller]
fn complains(outcome: &Outcome, words: &[&str]) {
    assert!(
        matches!(outcome.code, Some(2 | 4)),
        "exit code {:?}\n{}",
        outcome.code,
        outcome.stderr
    );
    for word in words {
        assert!(
            outcome.stderr.contains(word),
            "`{word}` in:\n{}",
            outcome.stderr
        );
    }
    assert!(!outcome.stderr.contains("panicked"), "{}", outcome.stderr);
}

#[test]
fn an_evidence_line_that_is_not_json() {
    let outcome = evaluate(&format!("{TRAILS}\nthis is not JSON\n{TRAILS}\n"));
    complains(&outcome, &["evidence.ndjson", "2"]);
}

#[test]
fn a_torn_last_line_is_no_error() {
    let torn = &TRAILS[..TRAILS.len() / 2];
    let _ = evaluate(&format!("{TRAILS}\n{torn}")).exits(1);
}

#[test]
fn a_record_of_an_unknown_operation() {
    let unknown = TRAILS.replace("cloudtrail:DescribeTrails", "ec2:DescribeVpcs");
    let outcome = evaluate(&format!("{TRAILS}\n{unknown}\n")).exits(1);
    assert!(
        outcome
            .stderr
            .contains("1 record of ec2:DescribeVpcs is kept"),
        "{outcome:?}"
    );
}

#[test]
fn a_record_with_an_account_that_is_none() {
    let outcome = evaluate(&format!("{}\n", TRAILS.replace("111111111111", "1111")));
    complains(&outcome, &["evidence.ndjson", "1", "`1111`"]);
}

#[test]
fn evidence_that_is_not_there() {
    let trailproof = Trailproof::offline();
    let outcome = trailproof.run(["evaluate", "--evidence", "nowhere.ndjson"]);
    complains(&outcome, &["nowhere.ndjson"]);
}

/// An ARN that is none breaks the chain where it stands, and never the run.
#[test]
fn arns_that_are_none() {
    let line = |operation: &str, parameters: serde_json::Value, response: serde_json::Value| {
        json!({
            "operation": operation, "account": "111111111111", "region": "us-east-1",
            "parameters": parameters, "observed_at": "2026-11-22T22:00:00Z", "response": response,
        })
        .to_string()
    };
    let trail = "arn:aws:cloudtrail:us-east-1:111111111111:trail/all";
    let lines = [
        line(
            "cloudtrail:DescribeTrails",
            json!({}),
            json!({ "trailList": [{
                "Name": "all", "TrailARN": trail, "HomeRegion": "us-east-1",
                "IsMultiRegionTrail": true, "IncludeGlobalServiceEvents": true,
                "IsOrganizationTrail": false, "CloudWatchLogsLogGroupArn": "not an ARN",
            }] }),
        ),
        line(
            "cloudtrail:GetTrailStatus",
            json!({ "Name": trail }),
            json!({ "IsLogging": true }),
        ),
        line(
            "cloudtrail:GetEventSelectors",
            json!({ "TrailName": trail }),
            json!({ "EventSelectors": [{ "ReadWriteType": "All", "IncludeManagementEvents": true }] }),
        ),
    ];
    let trailproof = Trailproof::offline();
    let file = trailproof.home().join("evidence.ndjson");
    fs::write(&file, lines.join("\n") + "\n").expect("the file can be written");
    let outcome = trailproof.run([
        "evaluate",
        "--evidence",
        file.to_str().expect("ASCII"),
        "--out",
        "judged",
    ]);
    let _ = outcome.exits(3);
    let found = findings::by_id(&findings::read(&trailproof.home().join("judged")));
    let finding = &found["111111111111/console-auth-failures"];
    assert_eq!(finding["status"], "UNKNOWN");
    assert_eq!(finding["broken_link"], "log-group");
    let message = finding["message"].as_str().expect("a message");
    assert!(message.contains("`not an ARN`"), "{message}");
}

/// Serves a scenario and scans it.
fn scan(scenario: &str, arguments: &[&str]) -> (Trailproof, Outcome) {
    let scenario = Scenario::parse(scenario).expect("the scenario is valid");
    let running = Server::start(scenario.organization, Options::default())
        .expect("a port of the loopback interface is free");
    let trailproof = Trailproof::against(&running.url(), "111111111111");
    let outcome = trailproof.run([&["scan", "--out", "run"], arguments].concat());
    (trailproof, outcome)
}

#[test]
fn an_organization_of_nobody_but_its_management_account() {
    let (trailproof, outcome) = scan("[[accounts]]\nid = \"111111111111\"\n", &[]);
    let _ = outcome.exits(1);
    let found = findings::by_id(&findings::read(&trailproof.home().join("run")));
    assert_eq!(found.len(), 1, "{found:?}");
}

#[test]
fn an_account_outside_any_organization() {
    let (_, outcome) = scan(
        "[organization]\nexists = false\n[[accounts]]\nid = \"111111111111\"\n",
        &[],
    );
    let outcome = outcome.exits(4);
    complains(&outcome, &["--current-account"]);
}

#[test]
fn an_account_listed_twice() {
    let trailproof = Trailproof::offline();
    let outcome = trailproof.run(["scan", "--accounts", "222222222222,222222222222"]);
    complains(&outcome, &["222222222222", "twice"]);
}

#[test]
fn a_role_that_does_not_exist() {
    let scenario = "[[accounts]]\nid = \"111111111111\"\n[[accounts]]\nid = \"222222222222\"\n";
    let (trailproof, outcome) = scan(scenario, &["--role", "Misspelt"]);
    let outcome = outcome.exits(1);
    let found = findings::by_id(&findings::read(&trailproof.home().join("run")));
    let finding = &found["222222222222/console-auth-failures"];
    assert_eq!(finding["status"], "UNKNOWN", "{}", outcome.stderr);
    assert_eq!(finding["broken_link"], "account");
    let message = finding["message"].as_str().expect("a message");
    assert!(message.contains("Misspelt"), "{message}");
}

#[test]
fn a_region_that_does_not_exist() {
    let trailproof = Trailproof::offline();
    let outcome = trailproof.run(["scan", "--regions", "nowhere"]);
    complains(&outcome, &["`nowhere`"]);
}

#[test]
fn no_credentials() {
    let trailproof = Trailproof::offline();
    let outcome = trailproof.run(["scan", "--out", "run"]).exits(4);
    complains(&outcome, &["credentials"]);
}

#[test]
fn an_endpoint_where_nobody_listens() {
    // A port that was free a moment ago, with nobody behind it.
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .and_then(|listener| listener.local_addr())
        .expect("a port is free")
        .port();
    let trailproof = Trailproof::against(&format!("http://127.0.0.1:{port}"), "111111111111");
    let outcome = trailproof.run(["scan", "--out", "run"]).exits(4);
    complains(&outcome, &["cannot reach", "AWS_ENDPOINT_URL"]);
}

/// A simulated organization of the accounts `111111111111` and `222222222222`.
fn two_accounts() -> trailproof_simulator::Running {
    let scenario = "[[accounts]]\nid = \"111111111111\"\n[[accounts]]\nid = \"222222222222\"\n";
    let scenario = Scenario::parse(scenario).expect("the scenario is valid");
    Server::start(scenario.organization, Options::default())
        .expect("a port of the loopback interface is free")
}

/// As with the AWS CLI: who names a profile does not mean the access key of the environment.
#[test]
fn a_profile_that_is_named_wins_over_the_environment() {
    let running = two_accounts();
    let mut trailproof = Trailproof::against(&running.url(), "111111111111");
    let file = trailproof.home().join("credentials");
    fs::write(
        &file,
        "[member]\naws_access_key_id = 222222222222\naws_secret_access_key = test\n",
    )
    .expect("the file can be written");
    trailproof.set("AWS_SHARED_CREDENTIALS_FILE", file.to_str().expect("ASCII"));
    let scan = |profile: &str| {
        trailproof.run([
            "scan",
            "--current-account",
            "--profile",
            profile,
            "--out",
            "run",
            "--overwrite",
        ])
    };
    let _ = scan("member").exits(1);
    let found = findings::by_id(&findings::read(&trailproof.home().join("run")));
    assert!(
        found.contains_key("222222222222/console-auth-failures"),
        "{found:?}"
    );
    let outcome = scan("misspelt").exits(4);
    complains(&outcome, &["`misspelt`", "list-profiles"]);
}

#[test]
fn an_organizational_unit_that_is_nobodys() {
    let running = two_accounts();
    let trailproof = Trailproof::against(&running.url(), "111111111111");
    let scan = ["scan", "--out", "run"];
    let outcome = trailproof
        .run([&scan[..], &["--ou", "ou-nope"]].concat())
        .exits(4);
    complains(&outcome, &["`ou-nope`", "no account to scan"]);
    // What was recorded is of no use to anybody, and not in the way of the corrected command.
    let _ = trailproof.run(scan).exits(1);
    let outcome = trailproof
        .run(["fix", "plan", "run", "--accounts", "333333333333"])
        .exits(2);
    complains(&outcome, &["333333333333"]);
    let outcome = trailproof
        .run(["fix", "plan", "run", "--ou", "ou-nope"])
        .exits(2);
    complains(&outcome, &["`ou-nope`"]);
    let all = ["fix", "plan", "run", "--control", "all", "--out", "-"];
    let outcome = trailproof.run(all).exits(0);
    let plan: serde_json::Value = serde_json::from_str(&outcome.stdout).expect("a plan is JSON");
    assert_eq!(plan["schema_version"], 1);
    assert!(!trailproof.home().join("-").exists());
}

#[test]
fn a_region_that_does_not_exist_leaves_nothing_behind() {
    let running = two_accounts();
    let trailproof = Trailproof::against(&running.url(), "111111111111");
    let outcome = trailproof
        .run(["scan", "--out", "run", "--regions", "us-nowhere-1"])
        .exits(2);
    complains(&outcome, &["`us-nowhere-1`"]);
    assert!(!outcome.stderr.contains("no account"), "{}", outcome.stderr);
    assert!(!trailproof.home().join("run").exists());
}

/// Whoever reads only the beginning of a report made no mistake.
#[test]
fn a_reader_that_goes_away() {
    let trailproof = Trailproof::offline();
    let file = trailproof.home().join("evidence.ndjson");
    fs::write(&file, TRAILS).expect("the file can be written");
    for format in ["csv", "trails", "pivot.csv", "json", "html", "junit"] {
        let (reader, writer) = std::io::pipe().expect("there is a pipe");
        drop(reader);
        let output = trailproof
            .command(["evaluate", "--evidence", "evidence.ndjson", "--out", "-"])
            .args(["--format", format])
            .stdout(writer)
            .output()
            .expect("the binary starts");
        let outcome = Outcome::from(output).exits(1);
        assert!(!outcome.stderr.contains("error"), "{}", outcome.stderr);
    }
}

/// What fuzzing begins with, and what it found: every target holds, without a fuzzer.
#[test]
fn the_corpus_of_the_fuzzers_holds() {
    let folder = workspace::root().join("fuzz");
    let names = |folder: &str, ending: &str| -> BTreeSet<String> {
        let entries = fs::read_dir(workspace::root().join("fuzz").join(folder));
        entries
            .expect("the folder is there")
            .filter_map(|entry| entry.expect("an entry").file_name().into_string().ok())
            .filter_map(|name| name.strip_suffix(ending).map(str::to_owned))
            .collect()
    };
    let targets: BTreeSet<String> = TARGETS
        .iter()
        .map(|target| target.name.to_owned())
        .collect();
    assert_eq!(names("fuzz_targets", ".rs"), targets);
    assert_eq!(names("corpus", ""), targets);
    let mut inputs = 0;
    for target in TARGETS {
        for entry in fs::read_dir(folder.join("corpus").join(target.name)).expect("a folder") {
            let path = entry.expect("an entry").path();
            // Where it panics, the last name is the input.
            eprintln!("{}", path.display());
            (target.run)(&fs::read(&path).expect("a file"));
            inputs += 1;
        }
    }
    for (place, evidence) in trailproof_tests::vectors::present() {
        if place.ends_with(".ndjson") {
            eprintln!("{place}");
            trailproof_fuzzed::run("evidence", evidence.as_bytes());
        }
    }
    assert!(inputs > 3 * TARGETS.len(), "{inputs}");
}
