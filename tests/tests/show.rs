//! What `show` prints of a run, for people and for programs.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that cannot go on has failed, and says why"
)]

use std::collections::BTreeMap;

use serde_json::Value;
use trailproof_tests::binary::Trailproof;

/// A demo that was judged by every control, in the folder `run`.
fn judged() -> Trailproof {
    let trailproof = Trailproof::offline();
    let _ = trailproof
        .run([
            "demo",
            "--accounts",
            "24",
            "--regions",
            "2",
            "--control",
            "all",
            "--out",
            "run",
        ])
        .exits(1);
    trailproof
}

fn show(trailproof: &Trailproof, more: &[&str], code: i32) -> String {
    let arguments = ["show", "run"].iter().chain(more);
    trailproof.run(arguments).exits(code).stdout
}

fn shown(trailproof: &Trailproof, more: &[&str], code: i32) -> Vec<Value> {
    let more = [more, &["--format", "json"]].concat();
    let document: Value =
        serde_json::from_str(&show(trailproof, &more, code)).expect("findings.json");
    let findings = document["findings"].as_array().cloned();
    let findings = findings.expect("findings");
    assert_eq!(document["summary"]["findings"], findings.len());
    findings
}

#[test]
fn what_is_open_is_listed_by_cause_within_eighty_columns() {
    let trailproof = judged();
    let all = shown(&trailproof, &[], 1);
    let text = show(&trailproof, &[], 1);
    for line in text.lines() {
        // A name that is longer than a line is not broken: people copy it.
        let one_word = line.split_whitespace().count() == 1;
        assert!(line.chars().count() <= 80 || one_word, "{line}");
    }
    assert!(!text.contains('\u{1b}'), "no color where nobody sees it");
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for finding in &all {
        let status = finding["status"].as_str().expect("a status");
        *counts.entry(status).or_default() += 1;
        let open = ["FAIL", "UNKNOWN"].contains(&status);
        let account = finding["account"]["id"].as_str().expect("an account");
        assert!(!open || text.contains(account), "{account} is missing");
        let reason = finding["reason"].as_str().unwrap_or_default();
        assert!(!open || text.contains(reason), "{reason} is missing");
    }
    assert!(counts["FAIL"] > 1 && counts["PASS"] > 1, "{counts:?}");
    let passed = format!("PASS  {} findings (--status pass)", counts["PASS"]);
    assert!(text.contains(&passed), "{text}");
    let next = text.lines().last().unwrap_or_default();
    assert!(next.starts_with("Next: trailproof explain run "), "{next}");

    let text = show(&trailproof, &["--status", "pass"], 0);
    assert!(text.starts_with("PASS  ") && !text.contains("--status"));
    let hint = trailproof.run(["explain", "run"]).exits(2).stderr;
    assert!(hint.contains("trailproof show run"), "{hint}");
}

#[test]
fn filters_choose_findings_and_the_exit_code_follows() {
    let trailproof = judged();
    let all = shown(&trailproof, &[], 1);
    let by = |path: &[&str], wanted: &str| {
        let value = |finding: &Value| {
            path.iter()
                .fold(finding.clone(), |at, key| at[*key].clone())
        };
        all.iter()
            .filter(|finding| value(finding) == wanted)
            .count()
    };
    for name in ["console-auth-failures", "5.6", "CIS 5.6", "CloudWatch.6"] {
        let some = shown(&trailproof, &["--control", name], 1);
        assert_eq!(some.len(), by(&["control", "id"], "console-auth-failures"));
        assert!(some.iter().all(|one| one["control"]["number"] == "5.6"));
    }
    let unknown = shown(&trailproof, &["--status", "unknown"], 3);
    assert_eq!(unknown.len(), by(&["status"], "UNKNOWN"));
    let reason = unknown[0]["reason"].as_str().expect("a reason");
    let of_reason = shown(&trailproof, &["--reason", reason], 3);
    assert_eq!(of_reason.len(), by(&["reason"], reason));
    let link = unknown[0]["broken_link"].as_str().expect("a link");
    let of_link = shown(&trailproof, &["--link", link, "--status", "UNKNOWN"], 3);
    assert!(of_link.iter().all(|one| one["broken_link"] == link) && !of_link.is_empty());
    let path = all
        .iter()
        .find_map(|one| one["account"]["ou_path"].as_str());
    let unit = path.and_then(|path| path.split('/').nth(1));
    let unit = unit.expect("a root");
    assert_eq!(shown(&trailproof, &["--ou", unit], 1).len(), all.len());
    let csv = show(&trailproof, &["--control", "5.6", "--format", "csv"], 1);
    assert_eq!(
        csv.lines().count(),
        by(&["control", "id"], "console-auth-failures") + 1
    );

    for (wrong, words) in [
        (["--control", "5.66"], "there is no control `5.66`"),
        (
            ["--ou", "ou-none"],
            "no account of the run is below `ou-none`",
        ),
        (
            ["--reason", "topic.none"],
            "there is no reason `topic.none`",
        ),
        (["--status", "bad"], "invalid value 'bad'"),
        (["--link", "bad"], "invalid value 'bad'"),
        (["--tag", "bad"], "`bad` is not a tag"),
    ] {
        let outcome = trailproof.run(["show", "run"].iter().chain(&wrong));
        let outcome = outcome.exits(2);
        assert!(outcome.stderr.contains(words), "{}", outcome.stderr);
    }
    // Nobody asked for tags: what may be meant is shown, and is not good news.
    let tagged = ["show", "run", "--tag", "env=prod", "--status", "pass"];
    let outcome = trailproof.run(tagged).exits(3);
    assert!(
        outcome.stderr.contains("are not part of the evidence"),
        "{}",
        outcome.stderr
    );
}

#[cfg(unix)]
mod with_python {
    use std::process::Command;

    use trailproof_tests::binary::{Trailproof, path};

    use super::judged;

    /// What a terminal shows.
    fn on_a_terminal(trailproof: &Trailproof, pager: &str) -> String {
        const SCRIPT: &str = "import os, pty, sys\n\
             sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))";
        let mut command = Command::new("python3");
        command
            .args(["-c", SCRIPT])
            .arg(path("trailproof"))
            .args(["show", "run", "--no-color"])
            .current_dir(trailproof.home())
            .env("PAGER", pager)
            .stdin(std::process::Stdio::null());
        let output = command.output().expect("python3 can be started");
        assert_eq!(output.status.code(), Some(1));
        String::from_utf8_lossy(&output.stdout).replace('\r', "")
    }

    #[test]
    fn a_terminal_is_shown_the_pager() {
        let trailproof = judged();
        let plain = on_a_terminal(&trailproof, "cat");
        assert!(plain.contains("FAIL  "), "{plain}");
        let paged = on_a_terminal(&trailproof, "sed 's/^/paged: /'");
        assert!(paged.contains("paged: FAIL  "), "{paged}");
        assert!(paged.replace("paged: ", "").contains(plain.trim()));
        // A pager that is not there is no reason to show nothing.
        assert!(on_a_terminal(&trailproof, "no-such-pager").contains(plain.trim()));
    }
}
