//! The simulator speaks AWS well enough that boto3 and the AWS CLI read what was put there.
#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on has failed, and says why"
)]

use std::fmt::Write as _;
use std::io::Write as _;
use std::process::Stdio;

use serde_json::json;
use trailproof_simulator::{Options, Scenario, Server, server};
use trailproof_tests::server::script;

/// A management account with an organization trail, a member with everything, a suspended
/// account, and enough others for a second page.
fn scenario() -> Scenario {
    let mut text = r#"
        [organization]
        delegations = [{ account = "333333333333" }]
        [[accounts]]
        id = "111111111111"
        chain.trail = { name = "everything", organization = true, selectors = { advanced = [
          { name = "all", fields = [{ field = "eventCategory", equals = ["Management"] }] },
        ] } }
        [[accounts]]
        id = "222222222222"
        unit = "Workloads/Production"
        opted_in = ["me-south-1"]
        chain.trail.selectors = { basic = [{ read_write_type = "WriteOnly" }] }
        mute_rules = [{ name = "night", alarms = ["console-auth-failures"] }]
        [[accounts]]
        id = "333333333333"
        state = "SUSPENDED"
    "#
    .to_owned();
    for number in 0..23 {
        let _ = write!(text, "\n[[accounts]]\nid = \"4444444444{number:02}\"");
    }
    Scenario::parse(&text).expect("the scenario is valid")
}

#[test]
fn boto3_and_the_command_line_find_what_was_put_there() {
    let running = Server::start(scenario().organization, Options::default())
        .expect("a port of the loopback interface is free");
    let home = tempfile::tempdir().expect("a temporary folder can be made");
    let mut child = script("simulator_fidelity.py", home.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the script can be started");
    let question = json!({ "endpoint": running.url(), "operations": server::operations() });
    child
        .stdin
        .take()
        .expect("stdin is a pipe")
        .write_all(question.to_string().as_bytes())
        .expect("the script reads its question");
    let output = child.wait_with_output().expect("the script ends");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    let wrong: Vec<String> =
        serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {errors}"));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
