//! A scan opens no more connections than the limit of open files lets it, whatever that limit is.
#![cfg(unix)]
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on has failed, and says why"
)]

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;
use trailproof_tests::binary::{Outcome, Trailproof};
use trailproof_tests::server::Server;

/// As many regions as a scan sweeps in most organizations.
const ORGANIZATION: [&str; 8] = [
    "--accounts",
    "24",
    "--regions",
    "17",
    "--seed",
    "7",
    "--latency-ms",
    "5",
];

/// Runs a command in a shell that has set a limit of open files.
fn limited(ulimit: &str, command: &Command) -> Outcome {
    let variables = command
        .get_envs()
        .filter_map(|(name, value)| Some((name, value?)));
    let home = command.get_current_dir().expect("it has a home");
    let mut shell = Command::new("sh");
    shell
        .args(["-c", &format!("ulimit {ulimit} && exec \"$@\""), "sh"])
        .arg(command.get_program())
        .args(command.get_args())
        .env_clear()
        .envs(variables)
        .current_dir(home);
    shell.output().expect("the shell starts").into()
}

fn scan(trailproof: &Trailproof, ulimit: &str) -> Outcome {
    limited(ulimit, &trailproof.command(["scan", "--out", "run"]))
}

fn statistics(directory: &Path) -> Value {
    let run = fs::read_to_string(directory.join("run.json")).expect("run.json is there");
    let run: Value = serde_json::from_str(&run).expect("run.json is JSON");
    run["statistics"].clone()
}

fn connections(server: &Server) -> Value {
    let answer = server.get("/_trailproof/statistics");
    let (_, body) = answer.split_once("\r\n\r\n").expect("an answer has a body");
    let statistics: Value = serde_json::from_str(body).expect("statistics are JSON");
    statistics["connections"].clone()
}

fn most_open(server: &Server) -> u64 {
    connections(server)["most_open"]
        .as_u64()
        .expect("connections are counted")
}

#[test]
fn with_few_open_files_a_scan_is_slower_and_otherwise_the_same() {
    let server = Server::simulator(&ORGANIZATION);
    let trailproof = Trailproof::against(&server.endpoint(), "111111111111");
    let outcome = scan(&trailproof, "-n 64").exits(1);
    let statistics = statistics(&trailproof.home().join("run"));
    // A connection that could not be opened would have been tried again.
    assert_eq!(statistics["retries"], 0, "{statistics}");
    assert_eq!(statistics["accounts_done"], 24, "{statistics}");
    assert!(
        outcome
            .stderr
            .contains("10 calls are made at once instead of 256"),
        "{}",
        outcome.stderr
    );
    assert!(outcome.stderr.contains("ulimit -n"), "{}", outcome.stderr);
    let most = most_open(&server);
    assert!(most <= 64, "{most} connections were open at once");
}

/// What macOS gives to every program that does not ask for more.
#[test]
fn a_soft_limit_is_raised() {
    let server = Server::simulator(&ORGANIZATION);
    let trailproof = Trailproof::against(&server.endpoint(), "111111111111");
    let outcome = scan(&trailproof, "-Sn 256").exits(1);
    assert!(
        !outcome.stderr.contains("calls are made at once"),
        "{}",
        outcome.stderr
    );
    let statistics = statistics(&trailproof.home().join("run"));
    assert_eq!(statistics["retries"], 0, "{statistics}");
}

#[test]
fn a_limit_that_is_too_low_is_named() {
    let trailproof = Trailproof::against("http://127.0.0.1:9", "111111111111");
    let outcome = scan(&trailproof, "-n 32").exits(4);
    assert!(
        outcome.stderr.contains("only 32 files may be open at once"),
        "{}",
        outcome.stderr
    );
    assert!(outcome.stderr.contains("ulimit -n"), "{}", outcome.stderr);
    assert!(!trailproof.home().join("run").exists());
}

/// The simulator of the demonstration has the other ends of all connections open.
#[test]
fn the_demonstration_shares_the_open_files() {
    let trailproof = Trailproof::offline();
    let demo = trailproof.command(["demo", "--accounts", "24", "--regions", "4", "--out", "run"]);
    let _ = limited("-n 80", &demo).exits(1);
    let statistics = statistics(&trailproof.home().join("run"));
    assert_eq!(statistics["retries"], 0, "{statistics}");
}

/// By the names of AWS and over TLS, as in reality: connections are kept for the next account.
#[test]
fn over_tls_accounts_share_the_connections_of_each_host() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let certificate = folder.path().join("authority.pem").display().to_string();
    let server = Server::simulator(&[&ORGANIZATION[..], &["--https-proxy", &certificate]].concat());
    let mut trailproof = Trailproof::offline();
    for (name, value) in [
        ("HTTPS_PROXY", server.endpoint().as_str()),
        ("AWS_CA_BUNDLE", &certificate),
        ("AWS_ACCESS_KEY_ID", "111111111111"),
        ("AWS_SECRET_ACCESS_KEY", "test"),
        ("AWS_REGION", "us-east-1"),
    ] {
        trailproof.set(name, value);
    }
    let _ = trailproof
        .run(["scan", "--concurrency", "32", "--out", "run"])
        .exits(1);
    let run = statistics(&trailproof.home().join("run"));
    assert_eq!(run["retries"], 0, "{run}");
    assert_eq!(run["accounts_done"], 24, "{run}");
    let seen = connections(&server);
    let number = |value: &Value| value.as_u64().expect("it is counted");
    let (handshakes, calls) = (number(&seen["handshakes"]), number(&run["calls"]));
    assert!(handshakes > 17, "every region has a host: {seen}");
    assert!(handshakes * 2 < calls, "{handshakes} for {calls} calls");
}
