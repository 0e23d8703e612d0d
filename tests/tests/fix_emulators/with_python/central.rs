//! One topic for several accounts, in an account of its own.

use trailproof_tests::ground::Case;
use trailproof_tests::repair::{LOG_GROUP, PHONE};

use super::{BARE, NAME, Scenario};

/// An account that is told by a chain of its own, and has a topic for others that lets nobody but
/// itself publish.
const OWNER: &str = r#"chain = true
topics = [{ name = "security", policy = '{"Version": "2012-10-17", "Statement": [{"Sid": "owner", "Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "SNS:Publish", "Resource": "*", "Condition": {"StringEquals": {"AWS:SourceOwner": "222222222222"}}}]}' }]"#;

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario {
        name: "a new topic in an account of its own",
        accounts: &[BARE, BARE, "chain = true"],
        impossible: &[],
        run: a_new_topic,
    },
    Scenario {
        name: "a topic of an account of its own that is there",
        accounts: &[BARE, BARE, OWNER],
        impossible: &[],
        run: a_topic_that_is_there,
    },
];

fn a_new_topic(case: &Case<'_>) {
    repaired_by(case, &[], "trailproof-alarms", true);
}

fn a_topic_that_is_there(case: &Case<'_>) {
    repaired_by(case, &["--topic", "security"], "security", false);
}

/// Repairs two accounts by the topic of the third, twice, and takes everything back.
fn repaired_by(case: &Case<'_>, arguments: &[&str], topic: &str, is_new: bool) {
    let before = case.resources();
    let central = ["--subscribe", PHONE, "--central", &case.accounts[2]];
    let plan = case.plan(&[&central[..], arguments].concat());
    assert_eq!(plan["summary"]["turns_green"], 2, "{plan:#}");
    let applied = case.apply().exits(0);
    assert!(applied.stdout.contains("6 changes made"), "{applied:?}");
    // The policy of a topic that is there is changed, which is no addition.
    if is_new {
        let of_site = vec![
            format!("alarm {NAME}"),
            format!("metric-filter {LOG_GROUP}/{NAME}"),
        ];
        let of_owner = vec![
            format!("subscription {topic}/{PHONE}"),
            format!("topic {topic}"),
        ];
        assert_eq!(case.added(&before), [of_site.clone(), of_site, of_owner]);
    }
    let after = case.resources();
    let again = case.apply().exits(0);
    assert!(
        again.stdout.contains("0 changes made, 6 there already"),
        "{again:?}"
    );
    case.is_again(&after, &again);
    let _ = case.scan().exits(0);
    case.undo_restores(&before);
}
