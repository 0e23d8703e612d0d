//! findings.json and plan.json follow their schemas, says a validator that is not ours.
#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on has failed, and says why"
)]

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::Stdio;

use serde_json::{Value, json};
use trailproof_tests::binary::Trailproof;
use trailproof_tests::server::script;

/// Something done to a document, after which it must not pass any more.
type Damage = (&'static str, fn(&mut Value));

/// What a pointer leads to.
fn at<'a>(document: &'a mut Value, pointer: &str) -> &'a mut Value {
    document
        .pointer_mut(pointer)
        .unwrap_or_else(|| panic!("{pointer} is there"))
}

fn remove(document: &mut Value, parent: &str, member: &str) {
    let members = at(document, parent).as_object_mut().expect("an object");
    members.remove(member).expect("it was there");
}

#[track_caller]
fn check(trailproof: &Trailproof, document: &str, file: &Path, ways: &[Damage]) {
    let schema = trailproof.run(["generate", document]).exits(0);
    let schema: Value = serde_json::from_str(&schema.stdout).expect("the schema is JSON");
    let document = fs::read(file).expect("it was written");
    let document: Value = serde_json::from_slice(&document).expect("the document is JSON");
    let damaged: serde_json::Map<String, Value> = ways
        .iter()
        .map(|(what, damage)| {
            let mut damaged = document.clone();
            damage(&mut damaged);
            ((*what).to_owned(), damaged)
        })
        .collect();

    let home = tempfile::tempdir().expect("a temporary folder can be made");
    let mut child = script("json_schema.py", home.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the script can be started");
    let question = json!({ "schema": schema, "document": document, "damaged": damaged });
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

mod with_python {
    use serde_json::json;
    use trailproof_tests::binary::Trailproof;
    use trailproof_tests::repair::{Bench, PHONE};
    use trailproof_tests::scenario;

    use super::{at, check, remove};

    #[test]
    fn findings_of_a_scan_follow_the_schema() {
        let trailproof = Trailproof::offline();
        let _ = trailproof
            .run(["demo", "--accounts", "24", "--regions", "3", "--out", "run"])
            .exits(1);
        check(
            &trailproof,
            "findings-schema",
            &trailproof.home().join("run/findings.json"),
            &[
                ("an unknown status", |document| {
                    *at(document, "/findings/0/status") = json!("GREEN");
                }),
                ("an unknown link", |document| {
                    *at(document, "/findings/0/broken_link") = json!("bucket");
                }),
                ("a number for an account", |document| {
                    *at(document, "/findings/0/account/id") = json!(111_111_111_111_u64);
                }),
                ("no chain", |document| {
                    remove(document, "/findings/0", "chain");
                }),
                ("no broken link", |document| {
                    remove(document, "/findings/0", "broken_link");
                }),
            ],
        );
    }

    #[test]
    fn plans_follow_the_schema() {
        let bench = Bench::of(scenario::named("mix").organization);
        // Every kind of change and of reused thing, and findings that no plan repairs.
        let plan = bench.plan(&[
            "--subscribe",
            PHONE,
            "--subscribe",
            "email:security@example.com",
            "--tag",
            "team=security",
        ]);
        for word in [
            "put-metric-filter",
            "create-topic",
            "subscribe",
            "put-metric-alarm",
            "metric-filter",
            "topic",
        ] {
            assert!(plan.to_string().contains(&format!("\"{word}\"")), "{word}");
        }
        check(
            &bench.trailproof,
            "plan-schema",
            &bench.file("plan.json"),
            &[
                ("a later version", |document| {
                    *at(document, "/schema_version") = json!(2);
                }),
                ("an operation that deletes", |document| {
                    *at(document, "/sites/0/steps/0/operation") = json!("delete-metric-filter");
                }),
                ("a step without its account", |document| {
                    remove(document, "/sites/0/steps/0", "account");
                }),
                ("a step that creates nothing", |document| {
                    remove(document, "/sites/0/steps/0", "creates");
                }),
                ("a number for an account", |document| {
                    *at(document, "/sites/0/account") = json!(111_111_111_111_u64);
                }),
                ("no digest", |document| {
                    remove(document, "", "digest");
                }),
                ("an unknown link", |document| {
                    *at(document, "/unrepairable/0/broken_link") = json!("bucket");
                }),
            ],
        );
    }
}
