//! `fix apply --out`: the scan afterwards is a run like any other, and it has a place before
//! anything is changed.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on has failed, and says why"
)]

use std::fs;

use serde_json::Value;
use trailproof_tests::cutting::{Cutting, Moment};
use trailproof_tests::repair::{Bench, PHONE, difference};

fn bench() -> Bench {
    Bench::of_scenario(
        r#"
        title = "one account without a repairable chain"
        [[accounts]]
        id = "111111111111"
        name = "management"
        chain = true
        [[accounts]]
        id = "222222222222"
        name = "no filter"
        unit = "Workloads/Prod"
        chain = { filter = false, alarm = false, topic = false }
        [[accounts]]
        id = "333333333333"
        name = "not logging"
        chain.trail.logging = false
        "#,
    )
}

const APPLY: [&str; 6] = ["fix", "apply", "plan.json", "--yes", "--out", "after"];

fn json(bench: &Bench, name: &str) -> Value {
    let text = fs::read(bench.file(name)).expect("it was written");
    serde_json::from_slice(&text).expect("it is JSON")
}

#[test]
fn the_scan_afterwards_is_a_run_like_any_other() {
    let bench = bench();
    let _ = bench.plan(&["--subscribe", PHONE]);
    let formats = ["--format", "html,ocsf"];
    let applied = bench.trailproof.run(APPLY.iter().chain(&formats)).exits(0);
    assert!(
        applied.stderr.contains("the scan is in after"),
        "{applied:?}"
    );

    let run = json(&bench, "after/run.json");
    assert_eq!(run["kind"], "scan");
    assert_eq!(run["complete"], true);
    assert_eq!(run["scope"]["accounts"][0], "222222222222");
    let found = json(&bench, "after/findings.json");
    let findings = found["findings"].as_array().expect("a list");
    assert_eq!(findings.len(), 1, "the plan's accounts: {found:#}");
    assert_eq!(findings[0]["status"], "PASS");
    // The account is called as before, and is where it was.
    let before = bench.finding("222222222222", "console-auth-failures");
    assert_eq!(findings[0]["account"], before["account"]);
    assert_eq!(findings[0]["account"]["name"], "no filter");
    let units = serde_json::json!(["Workloads", "Prod"]);
    assert_eq!(findings[0]["account"]["ou_names"], units);
    for name in [
        "evidence.ndjson",
        "findings.csv",
        "trails.csv",
        "recipients.csv",
        "report.html",
        "findings.ocsf.json",
    ] {
        let length = fs::metadata(bench.file("after").join(name)).map(|file| file.len());
        assert!(length.is_ok_and(|length| length > 0), "{name}");
    }

    // Every command that reads a run reads this one.
    let compared = bench.trailproof.run(["diff", "run", "after"]).exits(0);
    assert!(compared.stdout.contains("Fixed (1)"), "{compared:?}");
    assert!(
        compared
            .stderr
            .contains("did not look at the same accounts"),
        "{compared:?}"
    );
    let explained = bench
        .trailproof
        .run(["explain", "after", "222222222222"])
        .exits(0);
    assert!(explained.stdout.contains("PASS"), "{explained:?}");
    let _ = bench
        .trailproof
        .run(["export", "after", "--format", "asff,trails"])
        .exits(0);
    let again = ["evaluate", "--evidence", "after", "--out", "again"];
    let _ = bench.trailproof.run(again).exits(0);
    assert_eq!(
        json(&bench, "again/findings.json")["findings"],
        found["findings"]
    );
    let _ = bench.trailproof.run(["bundle", "after"]).exits(0);
    let _ = bench.trailproof.run(["verify", "after.tar.gz"]).exits(0);
    let planned = ["fix", "plan", "after", "--out", "second.json"];
    let _ = bench.trailproof.run(planned).exits(0);
    assert_eq!(json(&bench, "second.json")["summary"]["changes"], 0);
}

#[cfg(unix)]
#[test]
fn the_folder_and_what_is_in_it_are_private() {
    use std::os::unix::fs::PermissionsExt as _;
    let bench = bench();
    let _ = bench.plan(&["--subscribe", "email:somebody@example.com"]);
    let arguments = ["fix", "apply", "plan.json", "--yes", "--out", "deep/after"];
    let _ = bench.trailproof.run(arguments).exits(1);
    let mode = |path: &std::path::Path| {
        let metadata = fs::metadata(path).expect("it is there");
        metadata.permissions().mode() & 0o777
    };
    let folder = bench.file("deep/after");
    assert_eq!(mode(&folder), 0o700);
    for entry in fs::read_dir(&folder).expect("a folder") {
        let path = entry.expect("it can be read").path();
        assert_eq!(mode(&path), 0o600, "{}", path.display());
    }
}

#[test]
fn a_folder_that_cannot_be_written_is_found_out_before_anything_is_changed() {
    let bench = bench();
    let _ = bench.plan(&["--subscribe", PHONE]);
    fs::create_dir(bench.file("holiday")).expect("the home is writable");
    fs::write(bench.file("holiday/beach.jpg"), "x").expect("the home is writable");
    let before = bench.state();
    let counted = bench.running.statistics().total;
    for (folder, code, reason) in [
        ("plan.json/after", 4, "cannot create"),
        ("run", 2, "already holds a run"),
        ("holiday", 2, "holds no run of trailproof"),
        ("-", 2, "needs a folder"),
    ] {
        let arguments = ["fix", "apply", "plan.json", "--yes", "--out", folder];
        let refused = bench.trailproof.run(arguments).exits(code);
        assert!(refused.stderr.contains(reason), "{folder}: {refused:?}");
    }
    let dry = ["--out", "after", "--dry-run"];
    let _ = bench
        .trailproof
        .run(["fix", "apply", "plan.json"].iter().chain(&dry))
        .exits(2);
    assert_eq!(
        bench.running.statistics().total,
        counted,
        "nobody was asked"
    );
    // Nobody says yes: the folder that was claimed is given up.
    let silent = ["fix", "apply", "plan.json", "--out", "after"];
    let _ = bench.trailproof.run(silent).exits(2);
    assert!(!bench.file("after").exists());
    assert_eq!(
        bench.running.statistics().total.requests,
        counted.requests + 1,
        "who is calling is all that was asked"
    );
    assert!(bench.state() == before);
    assert!(bench.journal().is_empty());

    let replaced = [
        "fix",
        "apply",
        "plan.json",
        "--yes",
        "--out",
        "run",
        "--overwrite",
    ];
    let _ = bench.trailproof.run(replaced).exits(0);
    assert_eq!(
        json(&bench, "run/findings.json")["findings"][0]["status"],
        "PASS"
    );
    bench.undo_restores(&before);
}

#[test]
fn killed_in_between_the_same_command_goes_on() {
    let bench = bench();
    let _ = bench.plan(&["--subscribe", PHONE]);
    let before = bench.state();
    let way = Cutting::to(bench.running.address(), Moment::After(1));
    let mut command = bench.trailproof.command(APPLY);
    command.env("AWS_ENDPOINT_URL", way.url());
    let status = way.end(command.spawn().expect("the binary starts"));
    assert_eq!(status.code(), None, "it was killed");
    let applied = bench.trailproof.run(APPLY).exits(0);
    assert!(applied.stdout.contains("1 of 1 site done"), "{applied:?}");
    assert_eq!(
        json(&bench, "after/findings.json")["findings"][0]["status"],
        "PASS"
    );
    let _ = bench.undo().exits(0);
    assert!(
        bench.state() == before,
        "{}",
        difference(&before, &bench.state())
    );
}
