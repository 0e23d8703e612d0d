//! Sessions that AWS refuses in the middle of a scan, because they have expired, are renewed where
//! they came from, whatever gives them.

use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use trailproof_simulator::{Options, Running, Scenario, Server};
use trailproof_tests::binary::Outcome;
use trailproof_tests::network::{Authority, Network, ProxyAnswer};

use crate::rows::{Row, sources};
use crate::{Ground, SSO_FILE, SSO_TOKEN, write};

/// Every account whose number is an access key of some source.
fn origin() -> Running {
    let mut text = String::from("[organization]\nmanagement = \"111111111111\"\n");
    for digit in 1..=6 {
        let id = digit.to_string().repeat(12);
        let _ = write!(
            text,
            "[[accounts]]\nid = \"{id}\"\nname = \"account {digit}\"\nchain = true\n"
        );
    }
    let scenario = Scenario::parse(&text).unwrap_or_else(|error| panic!("{error}"));
    Server::start(scenario.organization, Options::default()).expect("a port is free")
}

/// A scan in which a session expires.
fn scan(running: &Running, row: &Row) -> (Network, Outcome) {
    let mut ground = Ground::new(running, ProxyAnswer::Works);
    let authority = Authority::default();
    write(&ground.home.path().join("ca.pem"), &authority.pem);
    write(&ground.home.path().join(SSO_FILE), SSO_TOKEN);
    let process = ground.home.path().join("process");
    write(
        &process,
        "#!/bin/sh\necho x >> \"$0.asked\"\necho '{\"Version\":1,\"AccessKeyId\":\"666666666666\",\
         \"SecretAccessKey\":\"s\",\"SessionToken\":\"'$(wc -l < \"$0.asked\")'\"}'\n",
    );
    fs::set_permissions(&process, fs::Permissions::from_mode(0o700)).expect("it is ours");
    ground.network = Network::expiring(running.address(), &authority);
    let outcome = ground.trailproof(row).output().expect("it starts").into();
    (ground.network, outcome)
}

#[test]
fn every_source_is_asked_again() {
    let running = origin();
    let temporary = [
        "IAM Identity Center",
        "a process",
        "a container",
        "an instance, through the proxy as well",
        "web identity",
        "web identity of a profile",
        "role after role",
    ];
    let rows: Vec<Row> = sources()
        .into_iter()
        .filter(|row| temporary.contains(&row.name))
        .collect();
    assert_eq!(rows.len(), temporary.len());
    for row in &rows {
        let (network, outcome) = scan(&running, row);
        assert_eq!(outcome.code, Some(0), "{}\n{}", row.name, outcome.stderr);
        assert!(network.refused() > 0, "{}: nothing was refused", row.name);
    }
}
