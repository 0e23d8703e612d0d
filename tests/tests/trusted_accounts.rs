//! A chain that leads to an account of somebody else: no role is assumed there, unless the
//! configuration file trusts the account.
#![allow(
    clippy::expect_used,
    reason = "a test that cannot go on has failed, and says why"
)]

use std::fs;

use trailproof_simulator::{Options, Scenario, Server};
use trailproof_tests::binary::Trailproof;
use trailproof_tests::{evidence, findings};

/// Three accounts that stand alone; an alarm of the second tells a topic of the third, whose role
/// lets the first in.
const SCENARIO: &str = r#"
[organization]
exists = false

[[accounts]]
id = "111111111111"

[[accounts]]
id = "222222222222"
chain.topic = false
chain.alarm.alarm_actions = ["arn:aws:sns:us-east-1:999999999999:alerts"]

[[accounts]]
id = "999999999999"
[[accounts.topics]]
name = "alerts"
policy = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"cloudwatch.amazonaws.com"},"Action":"sns:Publish","Resource":"*"}]}'
subscriptions = [{ endpoint = "team@example.com" }]
"#;

/// The status of 222222222222, and whether the stranger's role was assumed.
fn scanned(configuration: &str) -> (String, bool) {
    let organization = Scenario::parse(SCENARIO).expect("a scenario").organization;
    let server = Server::start(organization, Options::default())
        .expect("a port of the loopback interface is free");
    let trailproof = Trailproof::against(&server.url(), "111111111111");
    let file = trailproof.home().join("own.toml");
    fs::write(&file, configuration).expect("a file");
    let run = trailproof.home().join("run");
    let [file, path] = [&file, &run].map(|path| path.to_str().expect("a path in ASCII"));
    let _ = trailproof.run([
        "scan",
        "--accounts",
        "222222222222",
        "--config",
        file,
        "--out",
        path,
        "--fail-on",
        "effective",
    ]);
    let document = findings::read(&run);
    let status = document
        .pointer("/findings/0/assurance/effective")
        .and_then(serde_json::Value::as_str)
        .expect("one finding");
    let entered = evidence::records(&run).iter().any(|record| {
        let role = record.pointer("/parameters/RoleArn");
        let theirs = role.is_some_and(|role| role.to_string().contains("999999999999"));
        // A role that nobody tried to assume is recorded as an error.
        theirs && record.get("response").is_some()
    });
    (status.to_owned(), entered)
}

#[test]
fn only_a_trusted_account_is_entered() {
    assert_eq!(scanned(""), ("UNKNOWN".to_owned(), false));
    let trusted = "[[trusted-account]]\naccount = \"999999999999\"\n";
    assert_eq!(scanned(trusted), ("PASS".to_owned(), true));
}
