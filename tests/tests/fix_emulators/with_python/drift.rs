//! A site that is not any more what the plan took it to be is left alone, and others are not.

use serde_json::json;
use trailproof_tests::ground::Case;
use trailproof_tests::repair::{LOG_GROUP, QUEUE};

use super::{BARE, NAME, Scenario, whole_repair};

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
    let _ = case.plan(&["--subscribe", QUEUE]);
    drift();
    let before = case.resources();
    let applied = case.apply().exits(1);
    assert!(applied.stdout.contains(reason), "{applied:?}");
    assert!(applied.stdout.contains("1 of 2 sites done"), "{applied:?}");
    assert_eq!(case.added(&before), [Vec::new(), whole_repair()]);
    case.undo_restores(&before);
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
