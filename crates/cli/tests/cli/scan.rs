//! `trailproof scan` against a simulated organization, and against nothing at all.

use std::collections::BTreeSet;
use std::process::{Command, Output, Stdio};

use insta::assert_snapshot;
use serde_json::Value;
use trailproof_simulator::generator::{Generator, Mix};
use trailproof_simulator::model::Denial;
use trailproof_simulator::server::Latency;
use trailproof_simulator::{Options, Running, Server};

use crate::harness::Place;

fn organization(accounts: usize, options: Options) -> Running {
    let generator = Generator {
        accounts,
        regions: 3,
        seed: 3,
        mix: Mix::Demo,
        denied: None,
    };
    Server::start(generator.organization().unwrap(), options).unwrap()
}

fn scan(place: &Place, server: &Running, arguments: &[&str]) -> Command {
    let mut command = place.command(&[&["scan"], arguments].concat());
    command.envs(server.environment());
    command
}

/// The findings, with every time replaced: when something was seen differs from scan to scan, and
/// nothing else may.
fn findings(place: &Place, folder: &str) -> Vec<Value> {
    let document: Value =
        serde_json::from_str(&place.read(&format!("{folder}/findings.json"))).unwrap();
    let text = document["findings"].to_string();
    let is_time = |word: &str| word.parse::<jiff::Timestamp>().is_ok();
    let part_of_time =
        |character: char| character.is_ascii_alphanumeric() || "-:.".contains(character);
    let mut masked = String::new();
    for piece in text.split_inclusive(|character| !part_of_time(character)) {
        let word = piece.trim_end_matches(|character| !part_of_time(character));
        let bare = word.trim_end_matches(['.', ':']);
        if is_time(bare) {
            masked.push_str("TIME");
            masked.push_str(&piece[bare.len()..]);
        } else {
            masked.push_str(piece);
        }
    }
    serde_json::from_str(&masked).unwrap()
}

fn assert_exit(output: &Output, code: i32) {
    assert_eq!(
        output.status.code(),
        Some(code),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn every_account_gets_the_verdict_it_was_made_for() {
    let place = Place::new();
    let server = organization(20, Options::default());
    let output = scan(&place, &server, &["--out", "run"]).output().unwrap();
    assert_exit(&output, 1);
    let findings = findings(&place, "run");
    assert_eq!(findings.len(), 20);
    for (account, expected) in server.expected() {
        let finding = findings
            .iter()
            .find(|finding| finding["account"]["id"] == account.to_string())
            .unwrap();
        assert_eq!(finding["status"], expected.status.as_str(), "{finding:#}");
    }
}

#[test]
fn parts_join_to_the_whole() {
    let place = Place::new();
    let server = organization(20, Options::default());
    scan(&place, &server, &["--out", "whole"]).output().unwrap();
    for part in ["1/3", "2/3", "3/3"] {
        let folder = part.replace('/', "-of-");
        let output = scan(&place, &server, &["--shard", part, "--out", &folder])
            .output()
            .unwrap();
        assert!(matches!(output.status.code(), Some(0 | 1 | 3)));
    }
    let missing = place.run(&["merge", "1-of-3", "3-of-3", "--out", "joined"]);
    assert_exit(&missing, 2);
    assert!(stderr(&missing).contains("parts are missing: 2/3"));
    let joined = place.run(&["merge", "3-of-3", "1-of-3", "2-of-3", "--out", "joined"]);
    assert_exit(&joined, 1);
    assert_eq!(findings(&place, "joined"), findings(&place, "whole"));
    let again = place.run(&["evaluate", "--evidence", "joined", "--out", "again"]);
    assert_exit(&again, 1);
    assert_eq!(findings(&place, "again"), findings(&place, "whole"));
}

#[cfg(unix)]
#[test]
fn an_interrupted_scan_reports_what_it_has_and_goes_on() {
    let place = Place::new();
    let options = Options {
        latency: Latency::Fixed(40.0),
        ..Options::default()
    };
    let server = organization(40, options);
    scan(&place, &server, &["--out", "whole"]).output().unwrap();
    let mut child = scan(&place, &server, &["--out", "run"])
        .stderr(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    // Interrupted once the trails of several accounts were asked for, whenever that is: entering
    // them alone leaves nothing to be reused.
    let evidence = place.path().join("run/evidence.ndjson");
    let recorded = || {
        std::fs::read_to_string(&evidence)
            .map_or(0, |text| text.matches("cloudtrail:DescribeTrails").count())
    };
    while recorded() < 10 {
        assert!(child.try_wait().unwrap().is_none(), "it ended too early");
        std::thread::yield_now();
    }
    Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status()
        .unwrap();
    let output = child.wait_with_output().unwrap();
    assert_exit(&output, 130);
    let run: Value = serde_json::from_str(&place.read("run/run.json")).unwrap();
    assert_eq!(run["complete"], false);
    assert!(String::from_utf8_lossy(&output.stdout).contains("INCOMPLETE"));

    let resumed = scan(&place, &server, &["--resume", "run"])
        .output()
        .unwrap();
    assert_exit(&resumed, 1);
    assert_eq!(findings(&place, "run"), findings(&place, "whole"));
    let run: Value = serde_json::from_str(&place.read("run/run.json")).unwrap();
    assert_eq!(run["complete"], true);
    assert!(run["statistics"]["reused"].as_u64().unwrap() > 0);
}

#[test]
fn a_role_that_no_account_has() {
    let place = Place::new();
    let server = organization(6, Options::default());
    let output = scan(&place, &server, &["--role", "Audit", "--out", "run"])
        .output()
        .unwrap();
    let stderr = stderr(&output);
    assert!(matches!(output.status.code(), Some(1 | 3)), "{stderr}");
    assert!(stderr.contains("no account could be entered"), "{stderr}");
    assert!(stderr.contains("--role"), "{stderr}");
}

#[test]
fn a_region_that_does_not_exist() {
    let place = Place::new();
    let server = organization(3, Options::default());
    let output = scan(&place, &server, &["--regions", "eu-nowhere-9"])
        .output()
        .unwrap();
    assert_exit(&output, 2);
    assert!(
        stderr(&output).contains("eu-nowhere-9"),
        "{}",
        stderr(&output)
    );
}

#[test]
fn one_format_on_stdout_and_no_folder() {
    let place = Place::new();
    let server = organization(3, Options::default());
    let output = scan(&place, &server, &["--out", "-", "--format", "json", "-q"])
        .output()
        .unwrap();
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(document["findings"].as_array().unwrap().len(), 3);
    assert_eq!(stderr(&output), "");
    assert_eq!(std::fs::read_dir(place.path()).unwrap().count(), 0);
}

#[test]
fn no_credentials() {
    let place = Place::new();
    let output = place.run(&["scan", "--region", "us-east-1", "--out", "run"]);
    assert_exit(&output, 4);
    let stderr = stderr(&output);
    assert!(stderr.starts_with("error: no AWS credentials"), "{stderr}");
    assert!(
        stderr.contains("hint: name a profile with --profile"),
        "{stderr}"
    );
    assert!(!place.path().join("run").exists());
}

#[test]
fn an_endpoint_that_nobody_serves() {
    let place = Place::new();
    let mut command = place.command(&["scan", "--out", "run"]);
    command
        .env("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
        .env("AWS_ACCESS_KEY_ID", "AKIASIMULATOR0000000")
        .env("AWS_SECRET_ACCESS_KEY", "simulator")
        .env("AWS_REGION", "us-east-1");
    let output = command.output().unwrap();
    assert_exit(&output, 4);
    assert_snapshot!(stderr(&output));
}

#[test]
fn what_the_verbose_log_says_has_no_secret() {
    let place = Place::new();
    let server = organization(4, Options::default());
    let output = scan(&place, &server, &["--out", "run", "-vv"])
        .env("AWS_SECRET_ACCESS_KEY", "a-secret-to-look-for")
        .output()
        .unwrap();
    let said = stderr(&output);
    assert!(said.contains("DEBUG") || said.contains("TRACE"), "{said}");
    for text in [
        said,
        place.read("run/evidence.ndjson"),
        place.read("run/run.json"),
    ] {
        assert!(!text.contains("a-secret-to-look-for"));
        assert!(!text.contains("SessionToken"), "{text}");
    }
}

const MUTE_BY_TAG: &str = "
    [[mute]]
    tag = 'environment=sandbox'
    unknown = true
    justification = 'nobody signs in to sandboxes'
    owner = 'platform@example.com'
    expires = 2099-12-31
";

/// The generated organization whose accounts are tagged, and how many carry the tag of the mute.
fn tagged(denied: bool) -> (Running, usize) {
    let generator = Generator {
        accounts: 24,
        regions: 2,
        seed: 3,
        mix: Mix::Realistic,
        denied: None,
    };
    let mut organization = generator.organization().unwrap();
    let ids: Vec<_> = organization
        .accounts()
        .iter()
        .map(|account| account.id)
        .collect();
    for (place, id) in ids.into_iter().enumerate() {
        let environment = if place < 6 { "sandbox" } else { "production" };
        let account = organization.account_mut(id).unwrap();
        account
            .tags
            .insert("environment".to_owned(), environment.to_owned());
    }
    if denied {
        let management = organization.management;
        let denials = &mut organization.account_mut(management).unwrap().denials;
        denials.push(Denial {
            operations: vec!["organizations:ListTagsForResource".to_owned()],
            regions: BTreeSet::new(),
            service_control_policy: false,
        });
    }
    (Server::start(organization, Options::default()).unwrap(), 6)
}

fn statuses(place: &Place, folder: &str) -> Vec<(String, String)> {
    let of = |finding: &Value, name: &str| finding[name].as_str().unwrap().to_owned();
    findings(place, folder)
        .iter()
        .map(|finding| (of(finding, "id"), of(finding, "status")))
        .collect()
}

#[test]
fn mutes_go_by_the_tags_of_accounts() {
    let place = Place::new();
    let (server, sandboxes) = tagged(false);
    let output = scan(&place, &server, &["--out", "plain"]).output().unwrap();
    assert_exit(&output, 1);
    // Nobody asks for tags that nothing goes by.
    assert!(
        !place
            .read("plain/evidence.ndjson")
            .contains("ListTagsForResource")
    );

    place.write("trailproof.toml", MUTE_BY_TAG);
    let output = scan(&place, &server, &["--out", "run"]).output().unwrap();
    assert_exit(&output, 1);
    assert!(
        !stderr(&output).contains("mute by tag"),
        "{}",
        stderr(&output)
    );
    let muted = statuses(&place, "run");
    let changed: Vec<_> = statuses(&place, "plain")
        .into_iter()
        .zip(&muted)
        .filter(|(plain, muted)| plain != *muted)
        .collect();
    assert!(
        !changed.is_empty() && changed.len() <= sandboxes,
        "{changed:?}"
    );
    assert!(changed.iter().all(|(_, (_, status))| status == "MUTED"));
    let open = muted
        .iter()
        .filter(|(_, status)| ["FAIL", "UNKNOWN", "MUTED"].contains(&status.as_str()))
        .count();
    let asked = place
        .read("run/evidence.ndjson")
        .matches("organizations:ListTagsForResource")
        .count();
    assert_eq!(asked, open, "tags are asked for where they decide, once");

    // The evidence is enough to come to the same verdicts without AWS.
    let output = place.run(&["evaluate", "--evidence", "run", "--out", "again"]);
    assert_exit(&output, 1);
    assert_eq!(statuses(&place, "again"), muted);
    let output = place.run(&["bundle", "run", "--out", "run.tar.gz"]);
    assert_exit(&output, 0);
    assert_exit(&place.run(&["verify", "run.tar.gz"]), 0);
}

#[test]
fn tags_that_may_not_be_read_mute_nothing() {
    let place = Place::new();
    let (server, _) = tagged(true);
    place.write("trailproof.toml", MUTE_BY_TAG);
    let output = scan(&place, &server, &["--out", "run"]).output().unwrap();
    assert_exit(&output, 1);
    let said = stderr(&output);
    assert!(
        said.contains("whose tags could not be read (`AccessDeniedException`"),
        "{said}"
    );
    assert!(said.contains("organizations:ListTagsForResource"), "{said}");
    assert!(
        statuses(&place, "run")
            .iter()
            .all(|(_, status)| status != "MUTED")
    );
    // Denied once is denied for good: the finding stays open when it is judged again.
    let output = place.run(&["evaluate", "--evidence", "run"]);
    assert!(stderr(&output).contains("whose tags could not be read"));
}
