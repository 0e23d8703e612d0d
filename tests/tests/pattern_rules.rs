//! Rules of the pattern language that AWS does not document, asked of the service.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on has failed, and says why"
)]

use serde_json::{Value, json};
use trailproof_simulator::{Options, Running, Server};
use trailproof_tests::binary::Trailproof;
use trailproof_tests::{evidence, findings, scenario};

const MANAGEMENT: &str = "111111111111";
const BARE: &str = "{ $.a = true }";

fn served() -> Running {
    let organization = scenario::named("pattern-rules").organization;
    Server::start(organization, Options::default())
        .expect("a port of the loopback interface is free")
}

/// The findings of a scan, and what the service was asked about rules.
fn scanned(server: &Running, flags: &[&str]) -> (Trailproof, Value, Vec<Value>) {
    let trailproof = Trailproof::against(&server.url(), MANAGEMENT);
    let directory = trailproof.home().join("run");
    let mut arguments = vec![
        "scan",
        "--out",
        directory.to_str().expect("a path in ASCII"),
    ];
    arguments.extend(flags);
    let _ = trailproof.run(&arguments).exits(1);
    let mut tries = evidence::records(&directory);
    tries.retain(|record| record["operation"] == "logs:TestMetricFilter");
    let document = findings::read(&directory);
    (trailproof, document, tries)
}

#[test]
fn a_scan_asks_about_each_rule_once_and_judges_by_the_answer() {
    let server = served();
    let (trailproof, document, tries) = scanned(&server, &[]);
    let scenario = scenario::named("pattern-rules");
    let expected = scenario::expectations(&scenario);
    let differences = scenario::differences(expected, &scenario::verdicts_of_document(&document));
    assert!(differences.is_empty(), "{differences}");
    let mut asked: Vec<&Value> = tries
        .iter()
        .map(|record| &record["parameters"]["filterPattern"])
        .collect();
    asked.sort_by_key(|pattern| pattern.as_str());
    assert_eq!(asked, [r#"{ $.a = "true" }"#, BARE]);
    assert!(tries.iter().all(|record| record["account"] == MANAGEMENT));
    // What was recorded is enough to judge again.
    let run = trailproof.home().join("run");
    let again = trailproof
        .run([
            "evaluate",
            "--evidence",
            run.to_str().expect("a path in ASCII"),
            "--format",
            "json",
        ])
        .exits(1);
    let again: Value = serde_json::from_str(&again.stdout).expect("findings");
    findings::assert_same(
        &findings::comparable(&again),
        &findings::comparable(&document),
    );
}

#[test]
fn nobody_is_asked_where_it_is_not_wanted() {
    let server = served();
    let (_, document, tries) = scanned(&server, &["--no-test-patterns"]);
    assert_eq!(tries, [] as [Value; 0]);
    let verdicts = scenario::verdicts_of_document(&document);
    let scenario = scenario::named("pattern-rules");
    let differences = scenario::differences(scenario::expectations(&scenario), &verdicts);
    for account in ["230000000001", "230000000002"] {
        assert!(
            differences.contains(account),
            "{account} is UNKNOWN: {differences}"
        );
    }
    assert!(!differences.contains("230000000003"), "{differences}");
}

#[test]
fn a_comparison_asks_the_service_where_it_may() {
    let server = served();
    let trailproof = Trailproof::against(&server.url(), MANAGEMENT);
    let compared = |actual: &str, flags: &[&str]| -> Value {
        let mut arguments = vec![
            "pattern",
            "compare",
            "--format",
            "json",
            "--required",
            "{ $.a IS TRUE }",
            "--actual",
            actual,
        ];
        arguments.extend(flags);
        let outcome = trailproof.run(&arguments).exits(0);
        serde_json::from_str(&outcome.stdout).expect("an answer")
    };
    let answer = compared(BARE, &[]);
    assert_eq!(answer["relation"], "inconclusive");
    assert_eq!(answer.get("tried"), None);
    let answer = compared(BARE, &["--test-patterns"]);
    assert_eq!(answer["relation"], "broader", "{answer}");
    let tried = json!([{"pattern": BARE, "message": r#"{"a":true}"#, "matched": true}]);
    assert_eq!(answer["tried"], tried);
    let answer = compared(r#"{ $.a = "true" }"#, &["--test-patterns"]);
    assert_eq!(answer["relation"], "disjoint", "{answer}");
    // What is documented is not asked about.
    let answer = compared("{ $.a IS TRUE }", &["--test-patterns"]);
    assert_eq!(answer["tried"], json!([]));
}
