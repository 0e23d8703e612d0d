//! What `verify` says of bundles whose sums are right, and whose content is not.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that cannot go on has failed, and says why"
)]

use std::fs;

use serde_json::Value;
use trailproof_tests::binary::{Outcome, Trailproof};
use trailproof_tests::forgery::Forgery;

/// A demo in the folder `demo`, and its bundle `demo.tar.gz`.
fn bundled() -> (Trailproof, Forgery) {
    let trailproof = Trailproof::offline();
    let _ = trailproof
        .run(["demo", "--accounts", "9", "--regions", "2", "--out", "demo"])
        .exits(1);
    let _ = trailproof
        .run(["bundle", "demo", "--out", "demo.tar.gz"])
        .exits(0);
    let forgery = Forgery::of(&trailproof.home().join("demo.tar.gz"));
    (trailproof, forgery)
}

/// The sum and the name that `sha256sum` would print.
fn sum_of(outcome: &Outcome) -> String {
    let sum = outcome.stdout.split_whitespace().next();
    sum.expect("a sum").to_owned()
}

#[test]
fn a_bundle_is_consistent_until_something_from_outside_is_compared() {
    let (trailproof, forgery) = bundled();
    let bundled = trailproof
        .run(["bundle", "demo", "--out", "demo.tar.gz", "--overwrite"])
        .exits(0);
    let sum = sum_of(&bundled);
    let outcome = trailproof.run(["verify", "demo.tar.gz"]).exits(0);
    for words in [
        "CONSISTENT: 7 files are unchanged",
        "kind          demo: a simulated organization",
        "organization  o-traildemo00 of ",
        "caller        arn:aws:",
        "judged for    2",
        "policy        CIS 7.0.0, assurance both, deliveries within 1d",
        "controls      console-auth-failures\n",
        "mutes         0\n",
        "attestations  0\n",
        "recipients.csv (",
    ] {
        assert!(
            outcome.stdout.contains(words),
            "{words}: {}",
            outcome.stdout
        );
    }
    assert_eq!(outcome.stdout.matches(", made again)").count(), 4);
    assert!(!outcome.stdout.contains("VERIFIED"), "{}", outcome.stdout);
    assert!(!outcome.stdout.contains("rests on"), "{}", outcome.stdout);
    let outcome = trailproof.run(["verify", "-v", "demo.tar.gz"]).exits(0);
    assert!(
        outcome.stdout.contains("What each finding rests on"),
        "{}",
        outcome.stdout
    );

    // The same archive, packed by somebody else, is as good: only the sum tells them apart.
    forgery.pack(&trailproof.home().join("same.tar.gz"));
    let _ = trailproof.run(["verify", "same.tar.gz"]).exits(0);

    let outcome = trailproof
        .run([
            "verify",
            "demo.tar.gz",
            "--expect-sha256",
            &sum.to_uppercase(),
            "--expect-organization",
            "o-traildemo00",
        ])
        .exits(0);
    assert!(
        outcome.stdout.starts_with("VERIFIED: ")
            && outcome.stdout.contains("as expected: sha256, organization"),
        "{}",
        outcome.stdout
    );
    let other = "0".repeat(64);
    for expectation in [
        ["--expect-sha256", other.as_str()],
        ["--expect-organization", "o-a1b2c3d4e5"],
    ] {
        let arguments = ["verify", "demo.tar.gz"].into_iter().chain(expectation);
        let outcome = trailproof.run(arguments).exits(1);
        assert!(
            outcome.stdout.starts_with("NOT VERIFIED: ") && outcome.stdout.contains("was expected"),
            "{}",
            outcome.stdout
        );
    }
    let _ = trailproof
        .run(["verify", "demo.tar.gz", "--expect-sha256", "abc"])
        .exits(2);
}

#[test]
fn forgeries_with_right_sums_are_found() {
    let (trailproof, forgery) = bundled();
    let relabelled = |run: &mut Value| run["kind"] = "scan".into();
    let of_nobody = |run: &mut Value| run["scope"]["organization"] = Value::Null;
    let forgeries = [
        (
            forgery
                .clone()
                .text("findings.csv", |text| text.replace("FAIL", "PASS")),
            "findings.csv tells",
        ),
        (
            forgery
                .clone()
                .text("run.json", |_| "{\"garbage\": true}".to_owned()),
            "run.json tells of no run",
        ),
        (
            forgery.clone().json("findings.json", |document| {
                let zeros = document["summary"]["by_status"].as_object_mut();
                for count in zeros.into_iter().flat_map(|counts| counts.values_mut()) {
                    *count = 0.into();
                }
            }),
            "the counts of findings.json",
        ),
        (
            forgery
                .clone()
                .json("run.json", relabelled)
                .json("findings.json", |document| relabelled(&mut document["run"])),
            "the evidence is that of a demo",
        ),
        (
            forgery
                .clone()
                .json("run.json", of_nobody)
                .json("findings.json", |document| of_nobody(&mut document["run"])),
            "run.json names no organization, and the evidence o-traildemo00",
        ),
        (
            forgery.clone().text("controls.json", |text| {
                text.replacen(
                    "($.errorMessage = \\\"Failed authentication\\\")",
                    "($.errorMessage = \\\"Failed authentication\\\") && ($.eventSource = \\\"signin.amazonaws.com\\\")",
                    1,
                )
            }),
            "the control `console-auth-failures` has the pattern",
        ),
        (
            forgery.clone().text("recipients.csv", |text| {
                let header = text.lines().next().unwrap_or_default();
                format!("{header}\r\n")
            }),
            "`recipients.csv` is not what its evidence gives, from line 2 on",
        ),
        (
            forgery.clone().json("findings.json", |document| {
                document["summary"]["by_assurance"]["cis"]["FAIL"] = 0.into();
            }),
            "`findings.json` is not what its evidence gives, from line ",
        ),
    ];
    for (forged, words) in forgeries {
        forged.pack(&trailproof.home().join("forged.tar.gz"));
        let outcome = trailproof.run(["verify", "forged.tar.gz"]).exits(1);
        assert!(
            outcome.stdout.starts_with("NOT VERIFIED: ") && outcome.stdout.contains(words),
            "{words}\n{}",
            outcome.stdout
        );
        let outcome = trailproof
            .run(["verify", "forged.tar.gz", "--format", "json"])
            .exits(1);
        let document: Value = serde_json::from_str(&outcome.stdout).expect("JSON");
        assert_eq!(document["verified"], false);
        assert_eq!(document["result"], "not-verified");
    }
}

#[test]
fn other_versions_and_rules_are_told_apart() {
    let (trailproof, forgery) = bundled();
    let this = format!("\"version\": \"{}\"", env!("CARGO_PKG_VERSION"));
    let by = |forgery: Forgery, from: &str, to: &str| {
        forgery
            .text("run.json", |text| text.replacen(from, to, 1))
            .text("findings.json", |text| text.replacen(from, to, 1))
    };
    let path = trailproof.home().join("other.tar.gz");

    // A later version with the same rules may have another column.
    let later = by(forgery.clone(), &this, "\"version\": \"0.9.0\"");
    later.clone().pack(&path);
    let _ = trailproof.run(["verify", "other.tar.gz"]).exits(0);
    let another_column = |text: &str| text.replacen("protocol", "protocol_name", 1);
    later.text("recipients.csv", another_column).pack(&path);
    let outcome = trailproof.run(["verify", "other.tar.gz"]).exits(3);
    assert!(
        outcome.stdout.starts_with("OTHER VERSION: "),
        "{}",
        outcome.stdout
    );

    // By other rules it is told where the files do not agree among themselves.
    let earlier = by(forgery, "\"rules\": 2", "\"rules\": 1");
    earlier.clone().pack(&path);
    let outcome = trailproof.run(["verify", "other.tar.gz"]).exits(3);
    assert!(
        outcome.stdout.starts_with("OTHER RULES: "),
        "{}",
        outcome.stdout
    );
    let painted = |text: &str| text.replace("FAIL", "PASS");
    earlier.text("findings.csv", painted).pack(&path);
    let outcome = trailproof.run(["verify", "other.tar.gz"]).exits(3);
    assert!(
        outcome.stdout.contains("findings.csv tells"),
        "{}",
        outcome.stdout
    );
}

#[test]
fn the_policy_is_compared_with_one_from_elsewhere() {
    let (trailproof, _) = bundled();
    let write = |text: &str| {
        fs::write(trailproof.home().join("policy.toml"), text).expect("a file can be written");
    };
    let verify = |file: &str| trailproof.run(["verify", "demo.tar.gz", "--expect-policy", file]);
    write("");
    let outcome = verify("policy.toml").exits(0);
    assert!(
        outcome.stdout.contains("as expected: policy"),
        "{}",
        outcome.stdout
    );
    let _ = verify("demo/run.json").exits(0);
    for (text, words) in [
        (
            "max-window = \"30m\"",
            "max_window_seconds is 3600 and not 1800",
        ),
        (
            "assurance = \"cis\"",
            "assurance is \"both\" and not \"cis\"",
        ),
        ("controls = [\"all\"]", "controls is"),
        (
            "[[mute]]\ncontrols = [\"console-auth-failures\"]\njustification = \"accepted\"\n\
             owner = \"someone\"\nexpires = \"2099-01-01\"",
            "mutes is absent and not 1 table",
        ),
    ] {
        write(text);
        let outcome = verify("policy.toml").exits(1);
        assert!(
            outcome.stdout.contains(words),
            "{words}: {}",
            outcome.stdout
        );
    }
    let _ = verify("missing.toml").exits(2);
    let _ = verify("demo/findings.csv").exits(2);
}

#[test]
fn a_masked_bundle_is_consistent() {
    let (trailproof, _) = bundled();
    let _ = trailproof
        .run([
            "bundle",
            "demo",
            "--mask-endpoints",
            "--out",
            "masked.tar.gz",
        ])
        .exits(0);
    let outcome = trailproof.run(["verify", "masked.tar.gz"]).exits(0);
    assert!(
        outcome.stdout.starts_with("CONSISTENT: "),
        "{}",
        outcome.stdout
    );
}
