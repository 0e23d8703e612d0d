//! findings.json follows its schema, says a validator that is not ours.
#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on has failed, and says why"
)]

use std::fs;
use std::io::Write as _;
use std::process::Stdio;

use serde_json::{Value, json};
use trailproof_tests::binary::Trailproof;
use trailproof_tests::server::script;

#[test]
fn findings_of_a_scan_follow_the_schema() {
    let trailproof = Trailproof::offline();
    let _ = trailproof
        .run(["demo", "--accounts", "24", "--regions", "3", "--out", "run"])
        .exits(1);
    let schema = trailproof.run(["generate", "findings-schema"]).exits(0);
    let schema: Value = serde_json::from_str(&schema.stdout).expect("the schema is JSON");
    let document = fs::read(trailproof.home().join("run/findings.json")).expect("it was written");
    let document: Value = serde_json::from_slice(&document).expect("findings.json is JSON");

    let home = tempfile::tempdir().expect("a temporary folder can be made");
    let mut child = script("findings_schema.py", home.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the script can be started");
    let question = json!({ "schema": schema, "document": document });
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
