//! Scans in parts: what `docs/scale-out.md` promises of them, and the job definitions it gives.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that cannot go on has failed, and says why"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde_json::Value;
use trailproof_tests::binary::{Outcome, Trailproof};
use trailproof_tests::server::Server;
use trailproof_tests::{evidence, findings};

/// How many pages the accounts come in: 20 on each.
const PAGES: u64 = 6;

/// The question what organizational units are called.
const UNITS: &str = "organizations:ListOrganizationalUnitsForParent";

fn simulator() -> Server {
    Server::simulator(&["--accounts", "120", "--regions", "3", "--seed", "7"])
}

/// The requests of each operation since the last time.
fn requests(server: &Server) -> BTreeMap<String, u64> {
    let answer = server.get("/_trailproof/statistics");
    let (_, body) = answer.split_once("\r\n\r\n").expect("an answer has a body");
    let statistics: Value = serde_json::from_str(body).expect("statistics are JSON");
    let _ = server.request("POST", "/_trailproof/statistics/reset", "");
    statistics["by_operation"]
        .as_object()
        .expect("requests are counted by operation")
        .iter()
        .filter_map(|(operation, counts)| Some((operation.clone(), counts["requests"].as_u64()?)))
        .collect()
}

/// Every question that was answered. The regions of an account are asked for by itself or by the
/// management account, whichever has time, so these are left out.
fn questions(directory: &Path) -> BTreeSet<String> {
    let mut questions: BTreeSet<String> = evidence::answered(directory).into_keys().collect();
    questions.retain(|question| !question.contains("account:ListRegions"));
    questions
}

/// Scans all parts at the same time, as the processes of a job that counts its children in a
/// variable, and joins them.
fn in_parts(trailproof: &Trailproof, count: usize, variable: &str, with: &[&str]) -> PathBuf {
    let folder = trailproof.home().join(format!("{variable}-{count}"));
    let part = |index: usize| folder.join(index.to_string());
    let text = |path: &Path| path.to_str().expect("a path in ASCII").to_owned();
    let children: Vec<_> = (0..count)
        .map(|index| {
            let shard = count.to_string();
            let out = text(&part(index));
            trailproof
                .command(["scan", "--shard", &shard, "--out", &out])
                .args(with)
                .env(variable, index.to_string())
                .spawn()
                .expect("the binary starts")
        })
        .collect();
    for child in children {
        let outcome = Outcome::from(child.wait_with_output().expect("the scan ends"));
        assert!(matches!(outcome.code, Some(0 | 1 | 3)), "{outcome:?}");
    }
    let joined = folder.join("joined");
    let mut arguments = vec!["merge".to_owned()];
    arguments.extend((0..count).map(|index| text(&part(index))));
    arguments.extend(["--out".to_owned(), text(&joined)]);
    let _ = trailproof.run(arguments).exits(1);
    joined
}

#[test]
fn parts_give_the_same_findings_and_hardly_more_calls() {
    let server = simulator();
    let trailproof = Trailproof::against(&server.endpoint(), "111111111111");
    let whole = trailproof.home().join("whole");
    let _ = trailproof.run(["scan", "--out", "whole"]).exits(1);
    let expected = findings::comparable(&findings::read(&whole));
    let alone = requests(&server);
    for (count, variable) in [
        (2, "AWS_BATCH_JOB_ARRAY_INDEX"),
        (4, "JOB_COMPLETION_INDEX"),
    ] {
        let joined = in_parts(&trailproof, count, variable, &[]);
        findings::assert_same(&findings::comparable(&findings::read(&joined)), &expected);
        assert_eq!(questions(&joined), questions(&whole));
        let together = requests(&server);
        // Every part finds out who calls and what accounts there are, looks at the organization's
        // trail, and enters the account it belongs to: nothing else is asked twice.
        let again = u64::try_from(count - 1).expect("few parts");
        let mut more = 0;
        for (operation, requests) in &together {
            let extra = requests - alone[operation];
            let most = match operation.as_str() {
                "organizations:ListAccounts" => PAGES * again,
                _ => 3 * again,
            };
            assert!(extra <= most, "{operation}: {extra} more in {count} parts");
            more += extra;
        }
        assert!(more >= (PAGES + 2) * again, "only {more} more");
    }
}

#[test]
fn parts_of_one_listing_list_nothing() {
    let server = Server::simulator(&["--accounts", "40", "--regions", "2", "--seed", "7"]);
    let trailproof = Trailproof::against(&server.endpoint(), "111111111111");
    let listed = trailproof
        .run(["accounts", "list", "--out", "listing.json"])
        .exits(0);
    assert!(listed.stdout.starts_with("40 accounts"), "{listed:?}");
    let asked = requests(&server);
    assert_eq!(asked["organizations:ListAccounts"], 2);
    assert!(asked[UNITS] > 0, "{asked:?}");
    let _ = trailproof.run(["scan", "--out", "whole"]).exits(1);
    let _ = requests(&server);
    let with = ["--listing", "listing.json"];
    let joined = in_parts(&trailproof, 2, "JOB_COMPLETION_INDEX", &with);
    let asked = requests(&server);
    assert_eq!(asked.get("organizations:ListAccounts"), None);
    assert_eq!(asked.get(UNITS), None, "the listing has their names");
    let whole = trailproof.home().join("whole");
    let of = |run: &Path| findings::comparable(&findings::read(run));
    findings::assert_same(&of(&joined), &of(&whole));

    // The joined run says what it rests on, and can be verified.
    let run = std::fs::read_to_string(joined.join("run.json")).expect("the run is there");
    let run: Value = serde_json::from_str(&run).expect("run.json is JSON");
    assert_eq!(run["listing"]["accounts"], 40);
    assert_eq!(run["listing"]["confirmed"], false);
    assert!(run["listing"]["age_seconds"].is_number(), "{run}");
    let sum = run["listing"]["sha256"].as_str().expect("a sum");
    assert!(listed.stdout.contains(sum), "{listed:?}");
    let joined = joined.to_str().expect("a path in ASCII");
    let _ = trailproof
        .run(["bundle", joined, "--out", "bundle.tar.gz"])
        .exits(0);
    let _ = trailproof.run(["verify", "bundle.tar.gz"]).exits(0);

    // A run is a listing, too: that of its evidence, and another than the file's.
    let with = ["scan", "--listing", "whole", "--shard", "1/2", "--out"];
    let part = trailproof.run([&with[..], &["other"]].concat()).exits(1);
    assert!(part.stdout.contains("40 accounts as listed at"), "{part:?}");
    assert_eq!(requests(&server).get("organizations:ListAccounts"), None);
    let parts = trailproof.home().join("JOB_COMPLETION_INDEX-2");
    let second = parts.join("1").display().to_string();
    let merge = ["merge", "other", &second, "--out", "never"];
    let refused = trailproof.run(merge).exits(2);
    assert!(refused.stderr.contains("different listings"), "{refused:?}");

    // A run goes on with its listing.
    let folder = trailproof.home().join("other");
    let mut run = std::fs::read_to_string(folder.join("run.json")).expect("the run is there");
    run = run.replace("\"finished_at\": \"", "\"was\": \"");
    std::fs::write(folder.join("run.json"), run).expect("the run can be changed");
    let _ = trailproof.run(["scan", "--resume", "other"]).exits(1);
    assert_eq!(requests(&server).get("organizations:ListAccounts"), None);
    let refused = trailproof
        .run(["scan", "--resume", "other", "--listing", "listing.json"])
        .exits(2);
    assert!(refused.stderr.contains("another listing"), "{refused:?}");
}

#[test]
fn a_listing_that_cannot_be_relied_on_is_refused() {
    let server = Server::simulator(&["--accounts", "20", "--regions", "1", "--seed", "7"]);
    let trailproof = Trailproof::against(&server.endpoint(), "111111111111");
    let list = ["accounts", "list", "--out", "listing.json"];
    let _ = trailproof.run(list).exits(0);
    let path = trailproof.home().join("listing.json");
    let listing = std::fs::read_to_string(&path).expect("the listing is there");
    let refused = |with: &[&str]| {
        let scan = ["scan", "--out", "run", "--listing"];
        let outcome = trailproof.run([&scan[..], with].concat()).exits(2);
        assert!(!trailproof.home().join("run").exists(), "{outcome:?}");
        assert!(outcome.stderr.contains("hint: "), "{outcome:?}");
        outcome.stderr
    };
    std::thread::sleep(std::time::Duration::from_millis(1_100));
    let old = refused(&["listing.json", "--listing-max-age", "1s"]);
    assert!(
        old.contains("listing.json") && old.contains("--listing-max-age"),
        "{old}"
    );

    std::fs::write(&path, listing.replacen("ACTIVE", "PASSIVE", 1)).expect("it can be changed");
    let damaged = refused(&["listing.json"]);
    assert!(
        damaged.contains("damaged") && damaged.contains("sha256"),
        "{damaged}"
    );

    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;

        let mode = std::fs::Permissions::from_mode(0o666);
        std::fs::set_permissions(&path, mode).expect("the mode can be changed");
        let shared = refused(&["listing.json"]);
        assert!(shared.contains("mode 0666"), "{shared}");
    }

    // The demo's organization is another one.
    let demo = ["demo", "--accounts", "3", "--regions", "1", "--out", "demo"];
    let _ = trailproof.run(demo);
    let _ = requests(&server);
    let other = refused(&["demo"]);
    assert!(other.contains("o-traildemo00"), "{other}");
    assert_eq!(requests(&server).get("sts:AssumeRole"), None);
}

#[test]
fn a_part_that_was_killed_goes_on_where_it_was() {
    let server = Server::simulator(&[
        "--accounts",
        "60",
        "--regions",
        "3",
        "--seed",
        "7",
        "--latency-ms",
        "10",
    ]);
    let trailproof = Trailproof::against(&server.endpoint(), "111111111111");
    let _ = trailproof.run(["scan", "--out", "whole"]).exits(1);
    let _ = trailproof
        .run(["scan", "--shard", "1/2", "--out", "1"])
        .exits(1);
    let directory = trailproof.home().join("2");
    let mut child = trailproof.start(["scan", "--shard", "2/2", "--out", "2"]);
    assert!(evidence::wait_for_bytes(&mut child, &directory, 20_000));
    child.kill().expect("the scan can be killed");
    let _ = child.wait_with_output().expect("the scan ends");
    let refused = trailproof
        .run(["merge", "1", "2", "--out", "joined"])
        .exits(2);
    assert!(refused.stderr.contains("--resume"), "{}", refused.stderr);
    let _ = trailproof.run(["scan", "--resume", "2"]).exits(1);
    let _ = trailproof
        .run(["merge", "1", "2", "--out", "joined"])
        .exits(1);
    let of = |name: &str| findings::comparable(&findings::read(&trailproof.home().join(name)));
    findings::assert_same(&of("joined"), &of("whole"));
    assert_eq!(evidence::repeated(&directory), Vec::<String>::new());
}

/// What needs Python.
mod with_python {
    use std::process::Command;

    use trailproof_tests::server::script;
    use xtask::{python, workspace};

    #[test]
    fn the_job_definitions_follow_their_schemas_and_do_what_they_say() {
        let folder = workspace::root().join("docs/scale-out");
        let home = tempfile::tempdir().expect("a temporary folder can be made");
        let output = script("scale_out.py", home.path())
            .arg(&folder)
            .output()
            .expect("the script can be started");
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{errors}");
        let wrong: Vec<String> = serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|error| panic!("{error}: {errors}"));
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));

        let python = python::environment().expect("the tests' Python is there");
        let lint = Command::new(python.with_file_name("cfn-lint"))
            .arg(folder.join("batch.yaml"))
            .output()
            .expect("cfn-lint can be started");
        assert!(
            lint.status.success(),
            "{}",
            String::from_utf8_lossy(&lint.stdout)
        );
    }
}
