//! `trailproof demo`: the whole way from credentials to reports, through real HTTP.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::harness::Place;

fn demo(place: &Place, out: &str) {
    let output = place
        .command(&["demo", "--accounts", "12", "--regions", "4", "--out", out])
        // Nothing of this may matter: not one of these leads anywhere.
        .env("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
        .env("AWS_ENDPOINT_URL_STS", "http://127.0.0.1:9")
        .env("AWS_PROFILE", "nobody")
        .env("AWS_ACCESS_KEY_ID", "AKIAREALREALREALREAL")
        .env("AWS_SECRET_ACCESS_KEY", "real")
        .env("AWS_REGION", "cn-north-1")
        .env("AWS_USE_FIPS_ENDPOINT", "true")
        .env("HTTP_PROXY", "http://127.0.0.1:9")
        .env("HTTPS_PROXY", "http://127.0.0.1:9")
        .env("ALL_PROXY", "http://127.0.0.1:9")
        .output()
        .unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert!(stderr.contains("Look at next"), "{stderr}");
}

fn json(place: &Place, name: &str) -> Value {
    serde_json::from_str(&place.read(name)).unwrap()
}

#[test]
fn a_demo_needs_nothing_and_writes_everything() {
    let place = Place::new();
    demo(&place, "demo");
    let document = json(&place, "demo/findings.json");
    let findings = document["findings"].as_array().unwrap();
    assert_eq!(findings.len(), 12);
    let statuses: BTreeSet<&str> = findings
        .iter()
        .map(|finding| finding["status"].as_str().unwrap())
        .collect();
    assert!(statuses.is_superset(&BTreeSet::from(["PASS", "FAIL"])));
    for format in [
        "report.html",
        "report.md",
        "junit.xml",
        "findings.ocsf.json",
    ] {
        assert!(place.path().join("demo").join(format).is_file(), "{format}");
    }

    // Whatever was called is in the policy that is said to be enough.
    let policy = place.run(&["iam-policy"]);
    let policy = String::from_utf8(policy.stdout).unwrap();
    let calls = document["run"]["statistics"]["calls_by_operation"]
        .as_object()
        .unwrap();
    assert!(calls.len() > 5, "{calls:?}");
    for operation in calls.keys().filter(|name| *name != "sts:GetCallerIdentity") {
        assert!(policy.contains(&format!("\"{operation}\"")), "{operation}");
    }

    // The evidence gives the same findings without AWS, and no secret is in it.
    let output = place.run(&["evaluate", "--evidence", "demo", "--format", "json"]);
    assert_eq!(output.status.code(), Some(1));
    let again: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(again["findings"], document["findings"]);
    assert!(
        !place
            .read("demo/evidence.ndjson")
            .contains("SecretAccessKey")
    );

    // A second demo replaces the first; nothing else is ever replaced.
    demo(&place, "demo");
    place.write("thesis/chapter.txt", "irreplaceable");
    let foreign = place.run(&["demo", "--accounts", "2", "--out", "thesis"]);
    assert_eq!(foreign.status.code(), Some(2));
    assert_eq!(place.read("thesis/chapter.txt"), "irreplaceable");
}
