//! `trailproof iam-policy`: complete, and valid for the tools that read it.

use insta::assert_snapshot;
use serde_json::Value;

use crate::harness::Place;

#[cfg(feature = "remediation")]
fn actions(policy: &Value) -> Vec<String> {
    let statements = policy["Statement"].as_array().unwrap();
    let actions = statements
        .iter()
        .flat_map(|statement| statement["Action"].as_array().unwrap());
    actions
        .map(|action| action.as_str().unwrap().to_owned())
        .collect()
}

fn policy(arguments: &[&str]) -> Value {
    let output = Place::new().run(&[&["iam-policy"], arguments].concat());
    assert_eq!(output.status.code(), Some(0));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn the_callers_policy() {
    assert_snapshot!(Place::new().transcript(&["iam-policy"]));
}

#[test]
fn the_members_role_for_a_stack_set() {
    assert_snapshot!(Place::new().transcript(&[
        "iam-policy",
        "--who",
        "member",
        "--format",
        "cloudformation"
    ]));
}

#[test]
fn the_members_role_for_terraform() {
    assert_snapshot!(Place::new().transcript(&[
        "iam-policy",
        "--who",
        "member",
        "--role",
        "security/Audit",
        "--format",
        "terraform"
    ]));
}

#[test]
fn partitions_have_their_own_arns() {
    let policy = policy(&["--partition", "aws-cn", "--role", "security/Audit"]);
    assert_eq!(
        policy["Statement"][1]["Resource"],
        "arn:aws-cn:iam::*:role/security/Audit"
    );
}

#[cfg(feature = "remediation")]
#[test]
fn a_fix_may_do_all_that_a_scan_may() {
    for who in ["caller", "member"] {
        let fix = actions(&policy(&["fix", "--who", who]));
        for action in actions(&policy(&["scan", "--who", who])) {
            assert!(fix.contains(&action), "{action}");
        }
    }
}
