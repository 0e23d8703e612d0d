//! Everything here needs boto3, which needs Python: somebody else looks at what is there.

use serde_json::{Value, json};
use trailproof_tests::ground::{Case, Ground, Kind, MANAGEMENT};
use trailproof_tests::provision::Emulator;

const MEMBER: &str = "222222222222";

/// Accounts of which the second has no chain.
const SCENARIO: &str = "title = \"two accounts\"\n\
    [[accounts]]\nid = \"111111111111\"\nchain = true\nsecurity_hub = [\"us-east-1\"]\n\
    [[accounts]]\nid = \"222222222222\"\nsecurity_hub = [\"us-east-1\"]\n";

fn seen(case: &Case<'_>) -> Vec<Value> {
    let answer = case.somebody("securityhub", "get_findings", json!({}));
    answer["Findings"].as_array().expect("a list").clone()
}

fn publishes(kind: Kind) {
    let ground = Ground::of(kind, SCENARIO);
    let case = ground.case(&[MANAGEMENT, MEMBER]);
    let member = ground.case(&[MEMBER]);
    if kind != Kind::Simulator {
        for case in [&case, &member] {
            case.somebody("securityhub", "enable_security_hub", json!({}));
        }
    }
    let _ = case.scan().exits(1);
    let publish = ["publish", "run", "--security-hub", "--yes"];
    let sent = case.trailproof.run(publish).exits(0);
    assert!(sent.stdout.contains("2 findings sent: 2 new"), "{sent:?}");
    for (case, status) in [(&case, "PASSED"), (&member, "FAILED")] {
        let findings = seen(case);
        assert_eq!(findings.len(), 1, "{findings:?}");
        let account = &case.accounts[0];
        let finding = &findings[0];
        assert_eq!(finding["AwsAccountId"], account.as_str());
        assert_eq!(
            finding["Id"],
            format!("trailproof/{account}/console-auth-failures")
        );
        assert_eq!(finding["Compliance"]["Status"], status);
        assert_eq!(finding["RecordState"], "ACTIVE");
    }
    // The next run finds the same, at a later time.
    let _ = case.scan().exits(1);
    let again = case.trailproof.run(publish).exits(0);
    assert!(
        again.stdout.contains("2 findings sent: 0 new, 2 updated"),
        "{again:?}"
    );
    assert_eq!(seen(&member).len(), 1);
}

#[test]
fn moto_has_the_findings() {
    publishes(Kind::Emulator(Emulator::Moto));
}

#[test]
fn boto3_finds_them_in_the_simulator() {
    publishes(Kind::Simulator);
}
