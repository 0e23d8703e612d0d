//! Alarms on queries over the log group.

use serde_json::{Value, json};

use crate::evaluate::fixture::{MANAGEMENT, TOPIC, World, change_members, check};
use crate::finding::Status::{Fail, Unknown};

/// A query over the log group may tell somebody, and the benchmark knows nothing of it.
#[test]
fn log_alarms_over_the_log_group() {
    let alarm = |change: &Value| {
        let mut alarm = json!({
            "AlarmName": "query", "ActionsEnabled": true, "AlarmActions": [TOPIC],
            "ScheduledQueryConfiguration": {"QueryString": "filter x", "LogGroupIdentifiers": ["trail"]},
        });
        change_members(&mut alarm, change);
        World::healthy()
            .set(
                "cloudwatch:DescribeAlarms",
                MANAGEMENT,
                "/MetricAlarms",
                json!([]),
            )
            .set(
                "cloudwatch:DescribeAlarms",
                MANAGEMENT,
                "/LogAlarms",
                json!([alarm]),
            )
    };
    let over =
        |groups: &Value| json!({"ScheduledQueryConfiguration": {"LogGroupIdentifiers": groups}});
    let query = |text: &str, groups: &[&str]| {
        json!({"ScheduledQueryConfiguration": {
            "QueryString": text, "LogGroupIdentifiers": groups}})
    };
    let arn = "arn:aws:logs:eu-west-1:111111111111:log-group:trail:*";
    for (change, effective) in [
        (json!({}), Unknown),
        (over(&json!([arn])), Unknown),
        (over(&json!(["other"])), Fail),
        (
            over(&json!([
                "arn:aws:logs:eu-west-1:222222222222:log-group:trail"
            ])),
            Fail,
        ),
        (
            over(&json!([
                "arn:aws:logs:us-east-1:111111111111:log-group:trail"
            ])),
            Fail,
        ),
        (
            over(&json!([
                "arn:aws:logs:eu-west-1:111111111111:log-group:other"
            ])),
            Fail,
        ),
        (query("filter x", &[]), Fail),
        (query("SOURCE logGroups(namePrefix: ['t'])", &[]), Unknown),
        (
            query("SOURCE logGroups(namePrefix: ['t'])", &["other"]),
            Fail,
        ),
        (json!({"AlarmActions": []}), Fail),
        (json!({"ActionsEnabled": false}), Fail),
    ] {
        check(&alarm(&change), Fail, effective, Some("alarm.none"));
    }
    let mut world = alarm(&json!({}));
    world.policy.assurance = crate::policy::Assurance::Effective;
    check(&world, Fail, Unknown, Some("alarm.log-alarm"));
}
