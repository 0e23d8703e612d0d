//! An endpoint that cannot be reached is named: host, region, and the proxy on the way.
#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on has failed, and says why"
)]

use std::net::{SocketAddr, TcpListener};

use trailproof_tests::binary::{Outcome, Trailproof};

/// Where nobody listens: the port was free a moment ago.
fn nobody() -> SocketAddr {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port is free");
    listener.local_addr().expect("it is bound")
}

fn scan(endpoint: &str, proxy: Option<&str>) -> Outcome {
    let mut trailproof = Trailproof::against(endpoint, "111111111111");
    trailproof.set("AWS_REGION", "eu-central-1");
    if let Some(proxy) = proxy {
        trailproof.set("HTTP_PROXY", proxy);
    }
    trailproof.run(["scan", "--out", "run"]).exits(4)
}

/// The line that says what is wrong.
fn said(outcome: &Outcome) -> String {
    let line = outcome
        .stderr
        .lines()
        .find(|line| line.starts_with("error: cannot reach the endpoint"));
    line.unwrap_or_else(|| panic!("{outcome:?}")).to_owned()
}

#[test]
fn an_endpoint_that_refuses_connections() {
    let address = nobody();
    let outcome = scan(&format!("http://{address}"), None);
    let said = said(&outcome);
    let expected = format!(
        "error: cannot reach the endpoint for sts:GetCallerIdentity in eu-central-1: {address}: "
    );
    assert!(said.starts_with(&expected), "{said}");
    assert!(outcome.stderr.contains("AWS_ENDPOINT_URL"), "{outcome:?}");
}

#[test]
fn an_endpoint_that_has_no_address() {
    // No name has a part that long, so no server is asked for it.
    let host = format!("{}.invalid", "a".repeat(64));
    let said = said(&scan(&format!("http://{host}"), None));
    assert!(said.contains("in eu-central-1: "), "{said}");
    assert!(said.contains(&host), "{said}");
}

#[test]
fn a_proxy_that_refuses_connections() {
    let proxy = format!("http://{}", nobody());
    let said = said(&scan("http://sts.example.com", Some(&proxy)));
    assert!(said.contains("in eu-central-1: "), "{said}");
    assert!(
        said.contains(&proxy) && said.contains("HTTP_PROXY"),
        "{said}"
    );
}
