//! A refusal in one account stops the work there alone, and a later apply goes on. Not for Moto,
//! which refuses nobody anything.

use trailproof_simulator::model::Denial;
use trailproof_tests::ground::Case;
use trailproof_tests::repair::{PHONE, id};
use trailproof_tests::server;

use super::{AUTHORIZING, BARE, Scenario, whole_repair};

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario {
        name: "logs:PutMetricFilter refused",
        accounts: &[BARE; 2],
        impossible: &[],
        run: |case| refused(case, "logs:PutMetricFilter", 0),
    },
    Scenario {
        name: "sns:CreateTopic refused",
        accounts: &[BARE; 2],
        impossible: &[],
        run: |case| refused(case, "sns:CreateTopic", 1),
    },
    Scenario {
        name: "sns:Subscribe refused",
        accounts: &[BARE; 2],
        impossible: &[],
        run: |case| refused(case, "sns:Subscribe", 2),
    },
    Scenario {
        name: "cloudwatch:PutMetricAlarm refused",
        accounts: &[BARE; 2],
        impossible: &[(
            AUTHORIZING,
            "it asks no policies in CloudWatch's CBOR protocol",
        )],
        run: |case| refused(case, "cloudwatch:PutMetricAlarm", 3),
    },
];

/// Lets the role that is assumed in the first account do everything but one action.
fn revoke(case: &Case<'_>, action: &str) {
    if let Some(running) = case.ground.simulator() {
        running.change(|organization| {
            let account = organization.account_mut(id(&case.accounts[0]));
            account.expect("it is there").denials = vec![Denial {
                operations: vec![action.to_owned()],
                ..Denial::default()
            }];
        });
        return;
    }
    let output = server::script("role_policy.py", case.trailproof.home())
        .args(["--endpoint", &case.ground.endpoint()])
        .args(["--all-but", action, &case.accounts[0]])
        .output()
        .expect("python starts");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
}

/// Refuses in the first of two accounts what comes after `made` changes.
fn refused(case: &Case<'_>, action: &str, made: usize) {
    let before = case.resources();
    let _ = case.plan(&["--subscribe", PHONE]);
    revoke(case, action);
    let applied = case.apply().exits(1);
    let expected = format!(
        "{} changes made, 0 there already; 1 of 2 sites done",
        4 + made
    );
    assert!(applied.stdout.contains(&expected), "{applied:?}");
    let failed = format!("{action} failed: ");
    assert!(applied.stdout.contains(&failed), "{applied:?}");
    let added = case.added(&before);
    assert_eq!((added[0].len(), &added[1]), (made, &whole_repair()));

    revoke(case, "none:None");
    let applied = case.apply().exits(0);
    let expected = format!(", {} there already; 2 of 2 sites done", 4 + made);
    assert!(applied.stdout.contains(&expected), "{applied:?}");
    assert_eq!(case.added(&before), [whole_repair(), whole_repair()]);
    case.undo_restores(&before);
}
