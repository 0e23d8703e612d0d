//! Every report is opened by somebody else's code, with account names that wish the reader ill.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that cannot go on has failed, and says why"
)]

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use trailproof_tests::binary::Trailproof;

const FORMATS: &str = "ndjson,xlsx,html,markdown,summary,junit,asff,ocsf,pivot.csv";

/// Names that are formulas, markup, terminal escapes, or merely long.
fn names() -> Vec<String> {
    let mut names: Vec<String> = [
        "=HYPERLINK(\"http://evil.example\",\"click\")",
        "+cmd|' /C calc'!A0",
        "-2+3+cmd|' /C calc'!A0",
        "@SUM(1+1)*cmd|' /C calc'!A0",
        "\t=1+1",
        "</script><script>document.title='owned'</script>",
        "<!--<script>",
        "\"><img src=x onerror=\"document.title='owned'\">",
        "a\u{1b}[31mred\u{1b}]0;title\u{7}",
        "user\u{202e}gpj.exe\u{2066}",
        "line one\nline two\r\n| a | b |\n# heading",
        "]]> & \u{0}\u{2028}",
        "[link](javascript:alert(1)) `code` **bold** @everyone https://evil.example |",
        "{{7*7}} ${7*7} %s %n ' OR 1=1 --",
    ]
    .map(str::to_owned)
    .into();
    names.push("ä".repeat(255));
    names
}

/// An organization whose accounts have these names and no trail, one that cannot be entered, and
/// one that is suspended.
fn evidence() -> String {
    let management = "111111111111";
    let record = |operation: &str, account: &str, parameters: Value, outcome: (&str, Value)| {
        let mut record = json!({
            "operation": operation, "account": account, "region": "us-east-1",
            "parameters": parameters, "observed_at": "2026-11-22T22:00:00Z",
        });
        record[outcome.0] = outcome.1;
        record
    };
    let mut accounts = vec![
        json!({"Id": management, "Name": "management", "State": "ACTIVE", "Paths": ["o-a/r-b/111111111111/"]}),
        json!({"Id": "888888888888", "Name": "closed", "State": "SUSPENDED", "Paths": ["o-a/r-b/888888888888/"]}),
    ];
    let mut records = Vec::new();
    for (number, name) in names().into_iter().enumerate() {
        let id = format!("2222222222{number:02}");
        let path = format!("o-a/r-b/ou-{number}/{id}/");
        accounts.push(json!({"Id": id, "Name": name, "State": "ACTIVE", "Paths": [path]}));
        let role = format!("arn:aws:iam::{id}:role/Audit");
        let refused = json!({"code": "AccessDenied", "message": format!("not allowed: {name}"), "class": "denied"});
        let outcome = match number {
            1 => ("error", refused),
            _ => ("response", json!({})),
        };
        records.push(record(
            "sts:AssumeRole",
            management,
            json!({"RoleArn": role}),
            outcome,
        ));
        if number != 1 {
            let trails = json!({"trailList": []});
            let shadows = json!({"includeShadowTrails": true});
            records.push(record(
                "cloudtrail:DescribeTrails",
                &id,
                shadows,
                ("response", trails),
            ));
        }
    }
    let shadows = json!({"includeShadowTrails": true});
    let none = json!({"trailList": []});
    records.push(record(
        "cloudtrail:DescribeTrails",
        management,
        shadows,
        ("response", none),
    ));
    let organization = json!({"Organization": {"Id": "o-a", "MasterAccountId": management}});
    records.push(record(
        "organizations:DescribeOrganization",
        management,
        json!({}),
        ("response", organization),
    ));
    let accounts = json!({ "Accounts": accounts });
    records.push(record(
        "organizations:ListAccounts",
        management,
        json!({}),
        ("response", accounts),
    ));
    let mut text = String::new();
    for record in records {
        writeln!(text, "{record}").expect("a string takes it");
    }
    text
}

/// Judges the evidence into a folder, with a mute, a control of the user's own, and every format.
fn judged(trailproof: &Trailproof) {
    let home = trailproof.home();
    fs::write(home.join("evidence.ndjson"), evidence()).expect("a file can be written");
    fs::write(
        home.join("trailproof.toml"),
        r#"
        controls = ["console-auth-failures", "root-usage", "backup-deletions"]

        [[control]]
        id = "backup-deletions"
        title = "=Backups | <b>deleted</b>"
        severity = "high"
        pattern = '{ $.eventName = "DeleteBackupVault" }'

        [[mute]]
        account = "222222222203"
        control = "root-usage"
        justification = "=1+1 </script>"
        owner = "@security"
        expires = 2027-01-31
        "#,
    )
    .expect("a file can be written");
    let outcome = trailproof.run([
        "evaluate",
        "--evidence",
        "evidence.ndjson",
        "--now",
        "2026-11-22T22:30:00Z",
        "--out",
        "run",
        "--format",
        FORMATS,
    ]);
    let stderr = outcome.stderr.clone();
    let _ = outcome.exits(1);
    assert!(!stderr.contains("is missing"), "{stderr}");
}

fn findings(home: &Path) -> Vec<Value> {
    let text = fs::read_to_string(home.join("run/findings.json")).expect("the run has findings");
    let document: Value = serde_json::from_str(&text).expect("findings.json is JSON");
    document["findings"].as_array().expect("a list").clone()
}

#[test]
fn mutes_and_own_controls_are_part_of_the_run() {
    let trailproof = Trailproof::offline();
    judged(&trailproof);
    let findings = findings(trailproof.home());
    let find = |id: &str| {
        findings
            .iter()
            .find(|finding| finding["id"] == id)
            .expect("a finding")
    };
    let muted = find("222222222203/root-usage");
    assert_eq!(muted["status"], "MUTED");
    assert_eq!(muted["muted"]["owner"], "@security");
    assert_eq!(muted["assurance"]["cis"], "FAIL");
    assert_eq!(find("222222222203/backup-deletions")["status"], "FAIL");
    assert_eq!(
        find("222222222203/backup-deletions")["control"]["severity"],
        "high"
    );
    assert_eq!(
        find("222222222203/backup-deletions")["control"]["number"],
        Value::Null
    );
    assert_eq!(find("222222222201/root-usage")["status"], "UNKNOWN");
    assert_eq!(find("888888888888/root-usage")["status"], "NOT_APPLICABLE");
}

#[test]
fn a_bundle_is_verified_and_a_changed_one_is_not() {
    let trailproof = Trailproof::offline();
    judged(&trailproof);
    let _ = trailproof
        .run(["bundle", "run", "--out", "run.tar.gz"])
        .exits(0);
    let outcome = trailproof
        .run(["verify", "run.tar.gz", "--format", "json"])
        .exits(0);
    let verified: Value = serde_json::from_str(&outcome.stdout).expect("JSON");
    assert_eq!(verified["verified"], true);
    assert_eq!(
        verified["findings"].as_array().map(Vec::len),
        Some(findings(trailproof.home()).len())
    );
    assert!(
        verified["findings"][0]["evidence_lines"]
            .as_array()
            .is_some_and(|lines| !lines.is_empty())
    );

    let path = trailproof.home().join("run.tar.gz");
    let mut bytes = fs::read(&path).expect("the bundle is there");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&path, bytes).expect("a file can be written");
    let outcome = trailproof.run(["verify", "run.tar.gz"]).exits(1);
    assert!(
        outcome.stdout.starts_with("NOT VERIFIED: "),
        "{}",
        outcome.stdout
    );
}

#[test]
fn a_verdict_that_does_not_follow_is_found_though_every_sum_is_right() {
    let trailproof = Trailproof::offline();
    judged(&trailproof);
    let path = trailproof.home().join("run/findings.json");
    let text = fs::read_to_string(&path).expect("the run has findings");
    let mut document: Value = serde_json::from_str(&text).expect("findings are JSON");
    let mut failed = document["findings"].as_array_mut().into_iter().flatten();
    let failed = failed.find(|finding| finding["status"] == "FAIL");
    failed.expect("something failed")["status"] = "PASS".into();
    // The counts are those of what is said now.
    for (status, more) in [("FAIL", -1), ("PASS", 1)] {
        let count = &mut document["summary"]["by_status"][status];
        *count = (count.as_i64().unwrap_or_default() + more).into();
    }
    fs::write(&path, format!("{document:#}")).expect("a file can be written");
    let _ = trailproof
        .run(["bundle", "run", "--out", "run.tar.gz"])
        .exits(0);
    let outcome = trailproof.run(["verify", "run.tar.gz"]).exits(1);
    assert!(
        outcome
            .stdout
            .contains("is PASS in the bundle, and FAIL by its evidence"),
        "{}",
        outcome.stdout
    );
    assert!(!outcome.stderr.contains("version"), "{}", outcome.stderr);

    // By other rules a difference is no proof of a change.
    let this = format!("\"version\": \"{}\"", env!("CARGO_PKG_VERSION"));
    for file in [path, trailproof.home().join("run/run.json")] {
        let text = fs::read_to_string(&file).expect("the run has its files");
        let text = text.replacen(&this, "\"version\": \"0.0.1\"", 1);
        let text = text.replacen("\"rules\": 2", "\"rules\": 1", 1);
        fs::write(&file, text).expect("a file can be written");
    }
    let _ = trailproof
        .run(["bundle", "run", "--out", "earlier.tar.gz"])
        .exits(0);
    let outcome = trailproof.run(["verify", "earlier.tar.gz"]).exits(3);
    assert!(
        outcome
            .stderr
            .contains("trailproof 0.0.1 can tell a change"),
        "{}",
        outcome.stderr
    );
}

#[test]
fn what_changed_between_runs_is_shown_to_schedulers() {
    let trailproof = Trailproof::offline();
    judged(&trailproof);
    let _ = trailproof.run(["diff", "run", "run"]).exits(0);
    let config = trailproof.home().join("trailproof.toml");
    let text = fs::read_to_string(&config).expect("the configuration is there");
    fs::write(&config, text.replace("2027-01-31", "2026-01-31")).expect("a file can be written");
    let outcome = trailproof.run([
        "evaluate",
        "--evidence",
        "evidence.ndjson",
        "--now",
        "2026-11-23T22:30:00Z",
        "--out",
        "later",
    ]);
    assert!(
        outcome.stderr.contains("a mute ended on 2026-01-31"),
        "an ended mute has to shout: {}",
        outcome.stderr
    );
    let outcome = trailproof
        .run(["diff", "run", "later", "--format", "markdown"])
        .exits(1);
    assert!(
        outcome.stdout.contains("\n## New failures (")
            && outcome
                .stdout
                .contains("\n| Account | Control | Before | Now | Why |\n")
            && outcome.stdout.contains(" | root-usage | MUTED | FAIL | "),
        "{}",
        outcome.stdout
    );
    let outcome = trailproof
        .run(["diff", "run", "later", "--format", "json"])
        .exits(1);
    let difference: Value = serde_json::from_str(&outcome.stdout).expect("JSON");
    assert_eq!(
        difference["new_failures"][0]["id"],
        "222222222203/root-usage"
    );
    assert_eq!(difference["summary"]["new_failures"], 1);
    let _ = trailproof.run(["diff", "later", "run"]).exits(0);
    let outcome = trailproof
        .run(["history", "later", "run", "--format", "json"])
        .exits(0);
    let history: Value = serde_json::from_str(&outcome.stdout).expect("JSON");
    assert_eq!(history[0]["folder"], "run");
    assert_eq!(history[1]["by_status"]["MUTED"], 0);
}

#[test]
fn a_finding_and_a_control_are_explained_without_obeying_names() {
    let trailproof = Trailproof::offline();
    judged(&trailproof);
    for finding in findings(trailproof.home()) {
        let id = finding["id"].as_str().expect("an id");
        let outcome = trailproof.run(["explain", "run", id]).exits(0);
        let unsafe_character = outcome.stdout.chars().find(|character| {
            (character.is_control() && *character != '\n') || *character == '\u{202e}'
        });
        assert_eq!(unsafe_character, None, "{id}: {}", outcome.stdout);
    }
    let outcome = trailproof
        .run(["explain", "run", "222222222201/root-usage"])
        .exits(0);
    assert!(
        outcome
            .stdout
            .contains("What it did not answer:\n  sts:AssumeRole"),
        "{}",
        outcome.stdout
    );
    let outcome = trailproof.run(["explain", "backup-deletions"]).exits(0);
    assert!(
        outcome.stdout.contains("severity high"),
        "{}",
        outcome.stdout
    );
    let _ = trailproof
        .run(["explain", "run", "999999999999/root-usage"])
        .exits(2);
    let _ = trailproof.run(["explain", "no-such-control"]).exits(2);
}

#[test]
fn broken_runs_and_configurations_are_refused_with_a_reason() {
    let trailproof = Trailproof::offline();
    judged(&trailproof);
    let home = trailproof.home();
    let run = fs::read_to_string(home.join("run/run.json")).expect("run.json is there");
    for (name, text, expected) in [
        (
            "newer",
            run.replacen("\"schema_version\": 1", "\"schema_version\": 2", 1),
            "newer trailproof",
        ),
        (
            "torn",
            run.chars().take(run.len() / 2).collect(),
            "is damaged",
        ),
    ] {
        let folder = home.join(name);
        fs::create_dir(&folder).expect("a folder can be made");
        fs::write(folder.join("run.json"), text).expect("a file can be written");
        for command in [
            vec!["export", name, "--format", "html"],
            vec!["diff", name, "run"],
            vec!["bundle", name],
            vec!["explain", name, "1"],
            vec!["history", name],
        ] {
            let outcome = trailproof.run(&command).exits(2);
            assert!(
                outcome.stderr.contains(expected),
                "{command:?}: {}",
                outcome.stderr
            );
        }
    }
    // One damaged run does not hide the others.
    let outcome = trailproof.run(["history", "torn", "run"]).exits(0);
    assert!(outcome.stderr.contains("left out: "), "{}", outcome.stderr);
    for (text, expected) in [
        (
            "[[control]]\nid = 'a'\ntitle = 't'\npattern = '{ $.a = '",
            "is not a filter pattern",
        ),
        (
            "[[mute]]\njustification = 'j'\nowner = 'o'\nexpires = 2027-01-01",
            "would hide everything",
        ),
        (
            "[[mute]]\ncontrol = 'root-usage'\nowner = 'o'\nexpires = 2027-01-01",
            "justification",
        ),
        (
            "[[mute]]\ncontrol = 'root-usage'\njustification = 'j'\nowner = 'o'\nexpires = 'soon'",
            "`soon` is not the end of a mute",
        ),
    ] {
        fs::write(home.join("wrong.toml"), text).expect("a file can be written");
        let outcome = trailproof
            .run([
                "evaluate",
                "--evidence",
                "evidence.ndjson",
                "--config",
                "wrong.toml",
            ])
            .exits(2);
        assert!(outcome.stderr.contains(expected), "{}", outcome.stderr);
    }
}

/// The browser on this machine, if there is one.
fn chromium() -> Option<&'static str> {
    ["chromium", "chromium-browser", "google-chrome"]
        .into_iter()
        .find(|program| {
            std::process::Command::new(program)
                .arg("--version")
                .output()
                .is_ok_and(|output| output.status.success())
        })
}

mod with_python {
    use std::process::Command;

    use trailproof_tests::binary::Trailproof;
    use trailproof_tests::server::script;
    use xtask::workspace;

    use super::{chromium, judged};

    /// Runs a script, which answers with what it finds wrong.
    #[track_caller]
    fn finds_nothing_wrong(command: &mut Command) {
        let output = command.output().expect("the script can be started");
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{errors}");
        let wrong: Vec<String> = serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|error| panic!("{error}: {errors}"));
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }

    #[test]
    fn every_report_is_read_by_other_programs() {
        let trailproof = Trailproof::offline();
        judged(&trailproof);
        finds_nothing_wrong(
            script("formats.py", trailproof.home())
                .arg(trailproof.home().join("run"))
                .arg(workspace::root().join("tests/schemas"))
                .arg(workspace::root()),
        );
    }

    #[test]
    fn the_page_works_in_a_browser() {
        let Some(browser) = chromium() else {
            eprintln!("skipped: there is no Chromium on this machine");
            return;
        };
        let trailproof = Trailproof::offline();
        judged(&trailproof);
        finds_nothing_wrong(
            script("report_page.py", trailproof.home())
                .arg(browser)
                .arg(trailproof.home().join("run")),
        );
    }
}
