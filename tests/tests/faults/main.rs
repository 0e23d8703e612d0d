//! The real binary against a simulated organization in which things go wrong. Whatever happens: no
//! verdict that the known truth contradicts, no completed call repeated, everything that was
//! written readable, the right exit code.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test that cannot go on has failed, and says why"
)]

mod lies;
mod lies_about_the_run;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};
use trailproof_tests::binary::{Outcome, Trailproof};
use trailproof_tests::server::Server;
use trailproof_tests::{evidence, findings};

/// Enough accounts for every kind of break, few enough for a debug build.
const ORGANIZATION: [&str; 6] = ["--accounts", "60", "--regions", "4", "--seed", "7"];

fn simulator(more: &[&str]) -> Server {
    Server::simulator(&[&ORGANIZATION[..], more].concat())
}

/// How far away AWS is.
#[derive(Clone, Copy)]
enum Distance {
    Near,
    /// Each region as far as it is from us-east-1, up to a quarter of a second.
    World,
}

impl Distance {
    /// A simulator so far away; `near` is what nearness means.
    fn simulator(self, near: &[&str], more: &[&str]) -> Server {
        let latency = match self {
            Self::Near => near,
            Self::World => &["--latency-ms", "world"],
        };
        simulator(&[more, latency].concat())
    }
}

/// A test near by and one at the distances of the world.
macro_rules! at_both_distances {
    ($($name:ident),*) => {
        mod near_by {
            $(#[test] fn $name() { super::$name(super::Distance::Near); })*
        }
        mod at_world_distances {
            $(#[test] fn $name() { super::$name(super::Distance::World); })*
        }
    };
}

at_both_distances!(
    server_errors_and_broken_connections,
    throttling,
    stalls_and_slow_answers,
    stalls_that_outlast_patience,
    bursts_of_throttling,
    credentials_that_expire_in_the_middle,
    the_endpoint_is_gone_for_a_while,
    interrupted_and_resumed,
    killed_at_many_points_and_resumed
);

fn set_faults(server: &Server, faults: &Value) {
    let answer = server.request("POST", "/_trailproof/faults", &faults.to_string());
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

fn control(server: &Server, path: &str) -> Value {
    let answer = server.get(path);
    let (_, body) = answer.split_once("\r\n\r\n").expect("an answer has a body");
    serde_json::from_str(body).unwrap_or_else(|error| panic!("{error}: {body}"))
}

/// A scan of everything with its run directory.
struct Scan {
    trailproof: Trailproof,
    directory: PathBuf,
}

impl Scan {
    fn of(server: &Server) -> Self {
        let trailproof = Trailproof::against(&server.endpoint(), "111111111111");
        let directory = trailproof.home().join("run");
        Self {
            trailproof,
            directory,
        }
    }

    fn out(&self) -> &str {
        self.directory.to_str().expect("a path in ASCII")
    }

    fn run(&self) -> Outcome {
        self.trailproof.run(["scan", "--out", self.out()])
    }

    fn resume(&self) -> Outcome {
        self.trailproof.run(["scan", "--resume", self.out()])
    }
}

fn statuses(document: &Value) -> BTreeMap<String, String> {
    document["findings"]
        .as_array()
        .expect("findings is a list")
        .iter()
        .map(|finding| {
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            (text(&finding["account"]["id"]), text(&finding["status"]))
        })
        .collect()
}

/// The verdicts that the simulator knows by construction.
fn truth(server: &Server) -> BTreeMap<String, String> {
    control(server, "/_trailproof/expected")
        .as_array()
        .expect("a list")
        .iter()
        .filter(|verdict| verdict["control"] == "console-auth-failures")
        .map(|verdict| {
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            (text(&verdict["account"]), text(&verdict["status"]))
        })
        .collect()
}

/// Requests that met a fault other than throttling.
fn spoilt(server: &Server) -> u64 {
    control(server, "/_trailproof/statistics")["total"]["spoilt"]
        .as_u64()
        .expect("requests are counted")
}

/// Every verdict is the known one.
#[track_caller]
fn nothing_differs(server: &Server, directory: &Path) {
    let found = statuses(&findings::read(directory));
    let truth = truth(server);
    assert_eq!(truth.len(), 60, "the simulator knows every verdict");
    assert_eq!(found, truth);
    assert_eq!(evidence::repeated(directory), Vec::<String>::new());
}

/// No verdict is wrong: what could not be seen is UNKNOWN. Returns how many are.
#[track_caller]
fn nothing_is_wrong(server: &Server, directory: &Path) -> usize {
    let found = statuses(&findings::read(directory));
    let mut unknown = 0;
    for (account, expected) in truth(server) {
        let status = &found[&account];
        if status == "UNKNOWN" {
            unknown += 1;
        } else {
            assert_eq!(*status, expected, "account {account}");
        }
    }
    assert_eq!(evidence::repeated(directory), Vec::<String>::new());
    unknown
}

fn server_errors_and_broken_connections(distance: Distance) {
    let server = distance.simulator(&[], &[]);
    set_faults(
        &server,
        &json!({ "errors": 0.05, "resets": 0.02, "truncations": 0.01, "limit": 2 }),
    );
    let scan = Scan::of(&server);
    let _ = scan.run().exits(1);
    nothing_differs(&server, &scan.directory);
}

fn throttling(distance: Distance) {
    let server = distance.simulator(&[], &[]);
    set_faults(&server, &json!({ "throttles": 0.2, "limit": 3 }));
    let scan = Scan::of(&server);
    let _ = scan.run().exits(1);
    nothing_differs(&server, &scan.directory);
}

fn stalls_and_slow_answers(distance: Distance) {
    let server = distance.simulator(&[], &[]);
    set_faults(
        &server,
        &json!({ "stalls": 0.02, "stall_seconds": 1.0, "drips": 0.05, "limit": 2 }),
    );
    let scan = Scan::of(&server);
    let _ = scan.run().exits(1);
    nothing_differs(&server, &scan.directory);
}

/// Answers that never come are given up and asked for again.
fn stalls_that_outlast_patience(distance: Distance) {
    let server = distance.simulator(&[], &[]);
    set_faults(
        &server,
        &json!({ "stalls": 0.1, "stall_seconds": 300.0, "operations": ["sns:*"], "limit": 1 }),
    );
    let scan = Scan::of(&server);
    let _ = scan.run().exits(1);
    nothing_differs(&server, &scan.directory);
    assert!(spoilt(&server) > 0, "nothing stalled");
}

/// Storms in which every call of every account is throttled, one after the other. With a third of the
/// time, no call of thousands meets as many in a row as it is tried.
fn bursts_of_throttling(distance: Distance) {
    let server = distance.simulator(&["--latency-ms", "20"], &[]);
    set_faults(
        &server,
        &json!({ "outages": [{
            "after_seconds": 0.2, "lasting_seconds": 0.6, "every_seconds": 2.0, "kind": "throttle",
        }] }),
    );
    let scan = Scan::of(&server);
    let _ = scan.run().exits(1);
    nothing_differs(&server, &scan.directory);
    let throttled = &control(&server, "/_trailproof/statistics")["total"]["throttled"];
    assert!(throttled.as_u64() > Some(0), "no burst met the scan");
}

/// AWS may begin any listing with an empty page that has a token.
#[test]
fn empty_pages_that_are_not_the_last() {
    let server = simulator(&["--empty-pages"]);
    let scan = Scan::of(&server);
    let _ = scan.run().exits(1);
    nothing_differs(&server, &scan.directory);
}

/// Nobody promises that faults come one kind at a time, or that they end.
#[test]
fn everything_at_once_and_for_ever() {
    let server = simulator(&[
        "--empty-pages",
        "--session-seconds",
        "5",
        "--latency-ms",
        "5..20",
        "--quotas",
        "on",
    ]);
    set_faults(
        &server,
        &json!({
            "errors": 0.05, "throttles": 0.2, "resets": 0.02, "truncations": 0.01,
            "stalls": 0.01, "stall_seconds": 1.0, "drips": 0.05,
        }),
    );
    let scan = Scan::of(&server);
    let _ = scan.run().exits(1);
    nothing_differs(&server, &scan.directory);
    assert!(spoilt(&server) > 0, "nothing went wrong");
}

#[test]
fn a_tenth_of_the_accounts_denied() {
    let server = simulator(&["--denied-accounts", "0.1"]);
    let scan = Scan::of(&server);
    let _ = scan.run().exits(1);
    nothing_differs(&server, &scan.directory);
    let unknown = truth(&server)
        .values()
        .filter(|status| *status == "UNKNOWN")
        .count();
    assert!(unknown > 0, "no account is denied");
}

#[test]
fn a_region_denied() {
    let server = simulator(&[]);
    set_faults(
        &server,
        &json!({ "denials": [{ "operations": ["cloudtrail:*", "logs:*", "cloudwatch:*", "sns:*"], "regions": ["eu-west-1"], "service_control_policy": true }] }),
    );
    let scan = Scan::of(&server);
    let outcome = scan.run();
    assert!(matches!(outcome.code, Some(1 | 3)), "{outcome:?}");
    let _ = nothing_is_wrong(&server, &scan.directory);
}

#[test]
fn an_operation_denied_everywhere() {
    for operation in ["logs:DescribeMetricFilters", "cloudwatch:DescribeAlarms"] {
        let server = simulator(&[]);
        set_faults(
            &server,
            &json!({ "denials": [{ "operations": [operation] }] }),
        );
        let scan = Scan::of(&server);
        let outcome = scan.run();
        assert!(matches!(outcome.code, Some(1 | 3)), "{outcome:?}");
        let unknown = nothing_is_wrong(&server, &scan.directory);
        assert!(unknown > 0, "{operation} was denied and nothing is UNKNOWN");
        for finding in findings::by_id(&findings::read(&scan.directory)).values() {
            if finding["status"] == "UNKNOWN" && finding["broken_link"] != "account" {
                let message = finding["message"].as_str().expect("a message");
                assert!(message.contains(operation), "{message}");
            }
        }
    }
}

fn credentials_that_expire_in_the_middle(distance: Distance) {
    let server = distance.simulator(&["--latency-ms", "40"], &["--session-seconds", "3"]);
    let scan = Scan::of(&server);
    let _ = scan.run().exits(1);
    nothing_differs(&server, &scan.directory);
}

fn the_endpoint_is_gone_for_a_while(distance: Distance) {
    let server = distance.simulator(&["--latency-ms", "20"], &[]);
    let scan = Scan::of(&server);
    let mut child = scan.trailproof.start(["scan", "--out", scan.out()]);
    assert!(evidence::wait_for_bytes(
        &mut child,
        &scan.directory,
        20_000
    ));
    set_faults(
        &server,
        &json!({ "outages": [{ "after_seconds": 0.0, "lasting_seconds": 20.0 }] }),
    );
    let outcome = Outcome::from(child.wait_with_output().expect("the scan ends"));
    assert!(matches!(outcome.code, Some(1 | 3)), "{outcome:?}");
    let _ = nothing_is_wrong(&server, &scan.directory);
}

fn interrupted_and_resumed(distance: Distance) {
    let server = distance.simulator(&["--latency-ms", "40"], &[]);
    let scan = Scan::of(&server);
    let mut child = scan.trailproof.start(["scan", "--out", scan.out()]);
    assert!(evidence::wait_for_bytes(
        &mut child,
        &scan.directory,
        20_000
    ));
    evidence::signal(&child, "INT");
    let outcome = Outcome::from(child.wait_with_output().expect("the scan ends"));
    let _ = outcome.exits(130);
    let run: Value = serde_json::from_str(
        &fs::read_to_string(scan.directory.join("run.json")).expect("run.json is there"),
    )
    .expect("run.json is JSON");
    assert_eq!(run["complete"], false, "{run}");
    // What was found is there, and nothing of it is wrong.
    let _ = nothing_is_wrong(&server, &scan.directory);
    let _ = scan.resume().exits(1);
    nothing_differs(&server, &scan.directory);
}

fn killed_at_many_points_and_resumed(distance: Distance) {
    let server = distance.simulator(&["--latency-ms", "10"], &[]);
    let whole = Scan::of(&server);
    let _ = whole.run().exits(1);
    let expected = findings::comparable(&findings::read(&whole.directory));
    let size = fs::metadata(whole.directory.join("evidence.ndjson"))
        .expect("there is evidence")
        .len();

    let scan = Scan::of(&server);
    let mut killed = 0;
    for point in 0..10 {
        let arguments = if point == 0 {
            ["scan", "--out", scan.out()]
        } else {
            ["scan", "--resume", scan.out()]
        };
        let mut child = scan.trailproof.start(arguments);
        if evidence::wait_for_bytes(&mut child, &scan.directory, size * (point + 1) / 11) {
            child.kill().expect("the scan can be killed");
            killed += 1;
        }
        let _ = child.wait_with_output().expect("the scan ends");
    }
    assert!(killed >= 8, "only {killed} scans were killed in the middle");
    let _ = scan.resume().exits(1);
    nothing_differs(&server, &scan.directory);
    findings::assert_same(
        &findings::comparable(&findings::read(&scan.directory)),
        &expected,
    );
}

/// A small file system of its own, where this user may make one.
struct SmallDisk(PathBuf);

impl SmallDisk {
    fn mount(place: PathBuf) -> Option<Self> {
        fs::create_dir_all(&place).ok()?;
        Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=64k,mode=0700", "tmpfs"])
            .arg(&place)
            .output()
            .ok()?
            .status
            .success()
            .then_some(Self(place))
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(&self.0).output();
    }
}

#[test]
fn the_disk_is_full() {
    let server = simulator(&[]);
    let mut scan = Scan::of(&server);
    let Some(disk) = SmallDisk::mount(scan.trailproof.home().join("disk")) else {
        eprintln!("SKIPPED: no file system can be mounted here, so no disk can be full");
        return;
    };
    scan.directory = disk.0.join("run");
    let outcome = scan.run().exits(4);
    assert!(
        outcome.stderr.to_lowercase().contains("no space left"),
        "{}",
        outcome.stderr
    );
    // What was written before can be read.
    assert!(!evidence::records(&scan.directory).is_empty());
}
