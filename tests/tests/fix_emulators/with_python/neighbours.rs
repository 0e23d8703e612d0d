//! What others have, had, or make meanwhile is left as it is.

use serde_json::{Value, json};
use trailproof_tests::ground::Case;
use trailproof_tests::repair::{LOG_GROUP, PHONE};

use super::{BARE, NAME, Scenario, repair, step, whole_repair};

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario {
        name: "names taken by other content",
        accounts: &[BARE],
        impossible: &[],
        run: names_taken_by_other_content,
    },
    Scenario {
        name: "names taken by the same content",
        accounts: &[BARE],
        impossible: &[],
        run: names_taken_by_the_same_content,
    },
    Scenario {
        name: "the same filter, made by somebody before the plan",
        accounts: &[BARE],
        impossible: &[],
        run: the_same_filter_before_the_plan,
    },
    Scenario {
        name: "the same filter, made by somebody since the plan",
        accounts: &[BARE],
        impossible: &[],
        run: the_same_filter_since_the_plan,
    },
    Scenario {
        name: "100 filters already there",
        accounts: &[BARE],
        impossible: &[],
        run: a_full_log_group,
    },
    Scenario {
        name: "an alarm of somebody else with actions disabled",
        accounts: &["chain.alarm.actions_enabled = false"],
        impossible: &[],
        run: an_alarm_with_actions_disabled,
    },
    Scenario {
        name: "a topic in another account",
        accounts: &[BARE; 2],
        impossible: &[],
        run: a_topic_in_another_account,
    },
    Scenario {
        name: "a topic that somebody deleted and made again",
        accounts: &[BARE],
        impossible: &[],
        run: a_topic_made_again,
    },
    Scenario {
        name: "what others changed or came to use",
        accounts: &[BARE],
        impossible: &[],
        run: what_others_changed_or_came_to_use,
    },
];

fn put_filter(case: &Case<'_>, name: &str, pattern: &str) {
    case.somebody(
        "logs",
        "put_metric_filter",
        json!({
            "logGroupName": LOG_GROUP,
            "filterName": name,
            "filterPattern": pattern,
            "metricTransformations": [
                { "metricName": "other", "metricNamespace": "Other", "metricValue": "1" },
            ],
        }),
    );
}

/// Puts a metric filter exactly as a plan would.
fn put_planned_filter(case: &Case<'_>, plan: &Value) {
    let filter = &step(plan, "put-metric-filter")["creates"];
    case.somebody(
        "logs",
        "put_metric_filter",
        json!({
            "logGroupName": filter["log_group"],
            "filterName": filter["name"],
            "filterPattern": filter["pattern"],
            "metricTransformations": [{
                "metricName": filter["metric"],
                "metricNamespace": filter["namespace"],
                "metricValue": filter["value"],
            }],
        }),
    );
}

/// Puts an alarm as a plan would, but for a threshold.
fn put_planned_alarm(case: &Case<'_>, plan: &Value, threshold: f64) {
    let alarm = &step(plan, "put-metric-alarm")["creates"];
    case.somebody(
        "cloudwatch",
        "put_metric_alarm",
        json!({
            "AlarmName": alarm["name"],
            "AlarmDescription": alarm["description"],
            "Namespace": alarm["namespace"],
            "MetricName": alarm["metric"],
            "Statistic": "Sum",
            "Period": alarm["period"],
            "EvaluationPeriods": 1,
            "Threshold": threshold,
            "ComparisonOperator": "GreaterThanOrEqualToThreshold",
            "TreatMissingData": "notBreaching",
            "ActionsEnabled": true,
            "AlarmActions": [alarm["topic_arn"]],
        }),
    );
}

fn names_taken_by_other_content(case: &Case<'_>) {
    put_filter(case, NAME, "{ $.eventName = StopLogging }");
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
            "Tags": [{ "Key": "team", "Value": "theirs" }],
        }),
    );
    case.somebody(
        "sns",
        "create_topic",
        json!({ "Name": "trailproof-alarms" }),
    );
    let before = case.resources();
    let _ = case.plan(&["--subscribe", PHONE]);
    let _ = case.apply().exits(0);
    let second = format!("{NAME}-2");
    let expected = repair(&second, &second, "trailproof-alarms-2");
    assert_eq!(case.added(&before), [expected]);
    let again = case.apply().exits(0);
    assert!(again.stdout.starts_with("0 changes made"), "{again:?}");
    case.undo_restores(&before);
}

/// Somebody applied the same plan from elsewhere.
fn names_taken_by_the_same_content(case: &Case<'_>) {
    let empty = case.resources();
    let plan = case.plan(&["--subscribe", PHONE]);
    put_planned_filter(case, &plan);
    let topic = &step(&plan, "create-topic")["creates"];
    let tags: Vec<_> = topic["tags"]
        .as_object()
        .expect("a topic has tags")
        .iter()
        .map(|(key, value)| json!({ "Key": key, "Value": value }))
        .collect();
    case.somebody(
        "sns",
        "create_topic",
        json!({ "Name": topic["name"], "Tags": tags }),
    );
    let subscription = &step(&plan, "subscribe")["creates"];
    case.somebody(
        "sns",
        "subscribe",
        json!({
            "TopicArn": subscription["topic_arn"],
            "Protocol": subscription["protocol"],
            "Endpoint": subscription["endpoint"],
        }),
    );
    put_planned_alarm(case, &plan, 1.0);
    assert_eq!(case.added(&empty), [whole_repair()]);
    let before = case.resources();
    let applied = case.apply().exits(0);
    assert!(
        applied.stdout.contains("0 changes made, 4 there already"),
        "{applied:?}"
    );
    case.is_again(&before, &applied);
    case.undo_restores(&before);
}

fn the_same_filter_before_the_plan(case: &Case<'_>) {
    let plan = case.plan(&["--subscribe", PHONE]);
    put_planned_filter(case, &plan);
    let before = case.resources();
    let plan = case.plan(&["--subscribe", PHONE]);
    assert_eq!(plan["summary"]["changes"], 3, "it is used: {plan:#}");
    let _ = case.apply().exits(0);
    let mut expected = whole_repair();
    expected.retain(|name| !name.starts_with("metric-filter"));
    assert_eq!(case.added(&before), [expected]);
    case.undo_restores(&before);
}

fn the_same_filter_since_the_plan(case: &Case<'_>) {
    let plan = case.plan(&["--subscribe", PHONE]);
    put_planned_filter(case, &plan);
    let before = case.resources();
    let applied = case.apply().exits(0);
    assert!(
        applied.stdout.contains("3 changes made, 1 there already"),
        "{applied:?}"
    );
    let mut expected = whole_repair();
    expected.retain(|name| !name.starts_with("metric-filter"));
    assert_eq!(case.added(&before), [expected]);
    case.undo_restores(&before);
}

fn a_full_log_group(case: &Case<'_>) {
    for number in 0..100 {
        put_filter(
            case,
            &format!("filter-{number}"),
            "{ $.eventName = StopLogging }",
        );
    }
    let before = case.resources();
    let plan = case.plan(&["--subscribe", PHONE]);
    assert_eq!(plan["summary"]["changes"], 0);
    let why = plan["unrepairable"][0]["why"].as_str().expect("a sentence");
    assert!(why.contains("100 metric filters"), "{why}");
    let applied = case.apply().exits(1);
    case.is_again(&before, &applied);
}

fn an_alarm_with_actions_disabled(case: &Case<'_>) {
    let before = case.resources();
    let _ = case.plan(&["--subscribe", PHONE]);
    let applied = case.apply().exits(0);
    assert!(applied.stdout.contains("after: 1 PASS"), "{applied:?}");
    assert_eq!(case.added(&before), [[format!("alarm {NAME}")]]);
    case.undo_restores(&before);
}

fn a_topic_in_another_account(case: &Case<'_>) {
    let policy = json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Effect": "Allow",
            "Principal": { "Service": "cloudwatch.amazonaws.com" },
            "Action": "sns:Publish",
            "Resource": "*",
        }],
    });
    let topic = case.somebody(
        "sns",
        "create_topic",
        json!({ "Name": "central", "Attributes": { "Policy": policy.to_string() } }),
    );
    let subscription =
        json!({ "TopicArn": topic["TopicArn"], "Protocol": "sms", "Endpoint": "+4915112345678" });
    case.somebody("sns", "subscribe", subscription);
    let before = case.resources();
    let central = topic["TopicArn"].as_str().expect("an ARN");
    let plan = case.plan(&["--topic", central]);
    assert_eq!(plan["summary"]["changes"], 4, "{plan:#}");
    let _ = case.apply().exits(0);
    let expected = vec![
        format!("alarm {NAME}"),
        format!("metric-filter {LOG_GROUP}/{NAME}"),
    ];
    assert_eq!(case.added(&before), [expected.clone(), expected]);
    let alarm = format!("{} us-east-1 alarm {NAME}", case.accounts[1]);
    assert_eq!(
        case.resources()[&alarm]["alarm"]["AlarmActions"],
        json!([central])
    );
    case.undo_restores(&before);
}

/// It has the name and the attributes of ours, and is not ours.
fn a_topic_made_again(case: &Case<'_>) {
    let before = case.resources();
    let plan = case.plan(&["--subscribe", PHONE]);
    let _ = case.apply().exits(0);
    let topic = &step(&plan, "create-topic")["creates"];
    case.somebody("sns", "delete_topic", json!({ "TopicArn": topic["arn"] }));
    case.somebody("sns", "create_topic", json!({ "Name": topic["name"] }));
    let after = case.resources();
    let again = case.apply().exits(1);
    assert!(again.stdout.contains("0 changes made"), "{again:?}");
    case.is_again(&after, &again);
    let undone = case.undo().exits(4);
    assert!(
        undone
            .stdout
            .contains("it does not carry this plan's tag, so it may not be trailproof's"),
        "{undone:?}"
    );
    assert_eq!(case.added(&before), [["topic trailproof-alarms"]]);
}

fn what_others_changed_or_came_to_use(case: &Case<'_>) {
    let before = case.resources();
    let plan = case.plan(&["--subscribe", PHONE]);
    let _ = case.apply().exits(0);
    put_planned_alarm(case, &plan, 3.0);
    let topic = &step(&plan, "create-topic")["creates"]["arn"];
    let theirs = case.somebody(
        "sns",
        "subscribe",
        json!({ "TopicArn": topic, "Protocol": "sms", "Endpoint": "+4915112345678" }),
    );
    let undone = case.undo().exits(4);
    for reason in [
        "it was changed after trailproof created it",
        "somebody else subscribed sms:+4915112345678",
    ] {
        assert!(undone.stdout.contains(reason), "{reason}: {undone:?}");
    }
    // Whoever changed the alarm uses it: what it needs is left as well.
    let mut left = whole_repair();
    left.push("subscription trailproof-alarms/sms:+4915112345678".to_owned());
    left.sort();
    assert_eq!(case.added(&before), [left]);
    // They take theirs back, and the undo can end.
    case.somebody(
        "sns",
        "unsubscribe",
        json!({ "SubscriptionArn": theirs["SubscriptionArn"] }),
    );
    put_planned_alarm(case, &plan, 1.0);
    case.undo_restores(&before);
}
