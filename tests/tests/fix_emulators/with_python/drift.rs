//! A site that is not any more what the plan took it to be is left alone, and others are not.

use serde_json::json;
use trailproof_simulator::model::Trail;
use trailproof_tests::ground::Case;
use trailproof_tests::repair::{LOG_GROUP, PHONE, id};

use super::{BARE, MINISTACK, MOTO, NAME, Scenario, whole_repair};

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario {
        name: "the name of the filter was taken",
        accounts: &[BARE; 2],
        impossible: &[],
        run: |case| {
            drifts(case, "came since the plan was made", || {
                put_filter(case, NAME, "{ $.eventName = StopLogging }", "1");
            });
        },
    },
    Scenario {
        // The plan saw the alarms, because there is a filter.
        name: "the name of the alarm was taken",
        accounts: &["chain = { alarm = false, topic = false }", BARE],
        impossible: &[],
        run: |case| {
            drifts(case, "came since the plan was made", || put_alarm(case));
        },
    },
    Scenario {
        name: "the log group is gone",
        accounts: &[BARE; 2],
        impossible: &[],
        run: |case| {
            drifts(case, "does not exist any more", || {
                case.somebody(
                    "logs",
                    "delete_log_group",
                    json!({ "logGroupName": LOG_GROUP }),
                );
            });
        },
    },
    Scenario {
        name: "the trail is gone",
        accounts: &[BARE; 2],
        impossible: &[],
        run: |case| {
            drifts(case, "is gone since the plan was made", || {
                delete_trail(case);
            });
        },
    },
    Scenario {
        name: "the trail delivers elsewhere",
        accounts: &[BARE; 2],
        impossible: &[(MINISTACK, WITHOUT_ROLES), (MOTO, WITHOUT_ROLES)],
        run: |case| {
            drifts(case, "delivers to another log group since", || {
                change_trails(case, |trails| {
                    "elsewhere".clone_into(&mut trails[0].log_group);
                });
            });
        },
    },
    Scenario {
        name: "100 filters came",
        accounts: &[BARE; 2],
        impossible: &[],
        run: |case| {
            drifts(case, "100 is the most that AWS allows", || {
                for number in 0..100 {
                    let name = format!("filter-{number}");
                    put_filter(case, &name, "{ $.eventName = StopLogging }", "1");
                }
            });
        },
    },
    Scenario {
        name: "somebody repaired it",
        accounts: &[BARE; 2],
        impossible: &[],
        run: |case| {
            drifts(case, "scan and plan again", || {
                put_filter(case, "theirs", COVERING, "1");
            });
        },
    },
    Scenario {
        name: "what the repair builds on was changed",
        accounts: &["chain = { alarm = false, topic = false }", BARE],
        impossible: &[],
        run: |case| {
            drifts(case, "was changed since the plan was made", || {
                let name = "console-auth-failures";
                // One emulator would keep both.
                case.somebody(
                    "logs",
                    "delete_metric_filter",
                    json!({ "logGroupName": LOG_GROUP, "filterName": name }),
                );
                put_filter(case, name, COVERING, "0");
            });
        },
    },
];

const COVERING: &str =
    r#"{ ($.errorMessage = "Failed authentication") && ($.eventName = "ConsoleLogin") }"#;

/// Of two sites, the first drifts between plan and apply.
fn drifts(case: &Case<'_>, reason: &str, drift: impl FnOnce()) {
    let _ = case.plan(&["--subscribe", PHONE]);
    drift();
    let before = case.resources();
    let applied = case.apply().exits(1);
    assert!(applied.stdout.contains(reason), "{applied:?}");
    assert!(applied.stdout.contains("1 of 2 sites done"), "{applied:?}");
    assert_eq!(case.added(&before), [Vec::new(), whole_repair()]);
    case.undo_restores(&before);
}

const WITHOUT_ROLES: &str = "it would need a log group and a role";

fn delete_trail(case: &Case<'_>) {
    if case.ground.simulator().is_some() {
        change_trails(case, Vec::clear);
        return;
    }
    let answer = case.somebody("cloudtrail", "describe_trails", json!({}));
    let name = &answer["trailList"][0]["Name"];
    case.somebody("cloudtrail", "delete_trail", json!({ "Name": name }));
}

/// Changes the trails of the first account, in the simulator.
fn change_trails(case: &Case<'_>, change: impl FnOnce(&mut Vec<Trail>)) {
    let running = case.ground.simulator().expect("it runs in the simulator");
    running.change(|organization| {
        let account = organization.account_mut(id(&case.accounts[0]));
        let account = account.expect("it is there");
        let mut sites = account.sites.values_mut();
        let site = sites.find(|site| !site.trails.is_empty());
        change(&mut site.expect("it has a trail").trails);
    });
}

fn put_filter(case: &Case<'_>, name: &str, pattern: &str, value: &str) {
    case.somebody(
        "logs",
        "put_metric_filter",
        json!({
            "logGroupName": LOG_GROUP,
            "filterName": name,
            "filterPattern": pattern,
            "metricTransformations": [
                { "metricName": "other", "metricNamespace": "Other", "metricValue": value },
            ],
        }),
    );
}

fn put_alarm(case: &Case<'_>) {
    case.somebody(
        "cloudwatch",
        "put_metric_alarm",
        json!({
            "AlarmName": NAME,
            "Namespace": "Other",
            "MetricName": "other",
            "Statistic": "Sum",
            "Period": 60,
            "EvaluationPeriods": 1,
            "Threshold": 9.0,
            "ComparisonOperator": "GreaterThanThreshold",
        }),
    );
}
