//! What accounts have in common, and is in memory once.

use std::sync::Arc;

use serde_json::json;

use super::*;

/// An organization repeats the same names in every account: each is in memory once.
#[test]
fn what_accounts_repeat_is_kept_once() {
    let alarms = |number: u64| {
        let topic = "arn:aws:sns:us-east-1:111111111111:central";
        let alarm = json!({
            "AlarmName": "signins", "MetricName": "Signins", "Namespace": "CISBenchmark",
            "StateValue": "OK", "AlarmActions": [topic],
        });
        let response = json!({ "MetricAlarms": [alarm], "CompositeAlarms": [] });
        line(
            "cloudwatch:DescribeAlarms",
            number,
            "us-east-1",
            json!({}),
            response,
        )
    };
    let filters = |number: u64| {
        let filter = json!({
            "filterName": "signins", "filterPattern": "{ $.eventName = ConsoleLogin }",
            "metricTransformations": [{
                "metricName": "Signins", "metricNamespace": "CISBenchmark", "metricValue": "1",
            }],
        });
        let group = json!({ "logGroupName": "trail" });
        let response = json!({ "metricFilters": [filter] });
        line(
            "logs:DescribeMetricFilters",
            number,
            "us-east-1",
            group,
            response,
        )
    };
    let evidence = read(&[alarms(1), alarms(2), filters(1), filters(2)].concat());
    let reader = evidence.reader();
    let [one, other] = [1, 2].map(|number| {
        let site = site(number, "us-east-1");
        let alarm = Arc::clone(&reader.metric_alarms(&site).items[0]);
        let filter = Arc::clone(&reader.metric_filters(&site, "trail").items[0]);
        let written = filter.metric_transformations[0].clone();
        vec![
            Arc::clone(&alarm.alarm_name),
            alarm.metric_name.clone().unwrap(),
            alarm.namespace.clone().unwrap(),
            alarm.state_value.clone().unwrap(),
            Arc::clone(&alarm.alarm_actions[0]),
            Arc::clone(&filter.filter_pattern),
            written.metric_name,
            written.metric_value,
        ]
    });
    assert_eq!(one, other);
    for (one, other) in one.iter().zip(&other) {
        assert!(Arc::ptr_eq(one, other), "{one}");
    }
    let [one, other] = [1, 2].map(|number| {
        let alarms = reader.metric_alarms(&site(number, "us-east-1"));
        Arc::clone(&alarms.items[0].configuration)
    });
    assert!(Arc::ptr_eq(&one, &other));
}

/// Alarms differ by all that they were configured with, in whatever order it is written.
#[test]
fn configurations_of_alarms_are_shared_only_where_they_are_equal() {
    let alarms = json!([
        { "AlarmName": "a", "Threshold": 1.0, "MetricName": "M", "StateValue": "OK" },
        { "MetricName": "M", "StateValue": "ALARM", "Threshold": 1, "AlarmName": "b" },
        { "AlarmName": "c", "Threshold": 2.0, "MetricName": "M" },
        { "AlarmName": "d", "Threshold": 1.0, "MetricName": "M", "ActionsEnabled": false },
        { "AlarmName": "e", "Threshold": 0.0 },
        { "AlarmName": "f", "Threshold": -0.0 },
    ]);
    let response = json!({ "MetricAlarms": alarms, "CompositeAlarms": [] });
    let operation = "cloudwatch:DescribeAlarms";
    let evidence = read(&line(operation, 1, "us-east-1", json!({}), response));
    let alarms = evidence.reader().metric_alarms(&site(1, "us-east-1")).items;
    let groups = alarms.chunk_by(|one, next| Arc::ptr_eq(&one.configuration, &next.configuration));
    let groups: Vec<String> = groups
        .map(|group| group.iter().map(|alarm| &*alarm.alarm_name).collect())
        .collect();
    assert_eq!(groups, ["ab", "c", "d", "ef"]);
    assert_eq!(alarms[1].state_value.as_deref(), Some("ALARM"));
    assert_eq!(alarms[1].threshold, Some(1.0));
}
