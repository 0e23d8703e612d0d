//! Events that a trail makes by itself keep alarms from being quiet.

use serde_json::json;

use crate::control;
use crate::evaluate::fixture::{MANAGEMENT, MEMBER, PATTERN, World, check, verdict};
use crate::finding::Status::{Fail, Pass, Unknown};

const BROAD: &str = r#"{ $.eventType != "AwsServiceEvent" }"#;

/// What the trail makes by itself keeps an alarm from being quiet.
#[test]
fn routine_events_are_noise() {
    let role = "arn:aws:iam::111111111111:role/logs";
    let key = "arn:aws:kms:eu-west-1:111111111111:key/1";
    let filter = |name: &str, pattern: &str, metric: &str| {
        json!({
            "filterName": name, "filterPattern": pattern, "logGroupName": "trail",
            "metricTransformations": [
                {"metricName": metric, "metricNamespace": "CISBenchmark", "metricValue": "1"},
            ],
        })
    };
    let noisy = Some("metric-filter.noisy");
    let routine = Some("metric-filter.matches-routine-events");
    for (filters, role, key, threshold, effective, reason) in [
        (vec![("f", BROAD, "Failures")], None, None, 1, Pass, None),
        (
            vec![("f", BROAD, "Failures")],
            Some(role),
            None,
            1,
            Unknown,
            noisy,
        ),
        (
            vec![("f", BROAD, "Failures")],
            Some(role),
            Some(key),
            1,
            Fail,
            routine,
        ),
        // Once in five minutes is not twice.
        (
            vec![("f", BROAD, "Failures")],
            None,
            Some(key),
            2,
            Unknown,
            noisy,
        ),
        // The key's events are recorded by whoever owns the key.
        (
            vec![("f", BROAD, "Failures")],
            None,
            Some("alias/own"),
            1,
            Pass,
            None,
        ),
        (
            vec![("f", "{ $.readOnly IS FALSE }", "Failures")],
            Some(role),
            Some(key),
            1,
            Pass,
            None,
        ),
        (
            vec![("f", "{ $.eventSource = \"*.amazonaws.com\" }", "Failures")],
            Some(role),
            None,
            1,
            Unknown,
            noisy,
        ),
        // An exact filter with an alarm of its own is enough.
        (
            vec![("a", BROAD, "Other"), ("f", PATTERN, "Failures")],
            Some(role),
            Some(key),
            1,
            Pass,
            None,
        ),
        // On the same metric the noise stays.
        (
            vec![("a", BROAD, "Failures"), ("f", PATTERN, "Failures")],
            Some(role),
            None,
            1,
            Unknown,
            noisy,
        ),
        (
            vec![("a", BROAD, "Failures"), ("f", PATTERN, "Failures")],
            None,
            Some(key),
            1,
            Fail,
            routine,
        ),
    ] {
        let described: Vec<_> = filters
            .iter()
            .map(|(name, pattern, metric)| filter(name, pattern, metric))
            .collect();
        let world = World::healthy()
            .set(
                "cloudtrail:DescribeTrails",
                MANAGEMENT,
                "/trailList/0/CloudWatchLogsRoleArn",
                json!(role),
            )
            .set(
                "cloudtrail:DescribeTrails",
                MANAGEMENT,
                "/trailList/0/KmsKeyId",
                json!(key),
            )
            .set(
                "logs:DescribeMetricFilters",
                MANAGEMENT,
                "/metricFilters",
                json!(described),
            )
            .set(
                "cloudwatch:DescribeAlarms",
                MANAGEMENT,
                "/MetricAlarms/0/Threshold",
                json!(threshold),
            );
        println!("{filters:?} {role:?} {key:?} {threshold}");
        check(&world, Pass, effective, reason);
        if reason.is_some() {
            let witness = world.finding(MEMBER).witness;
            assert!(
                witness.is_some_and(|event| event["sourceIPAddress"] == "cloudtrail.amazonaws.com")
            );
        }
    }
}

/// Only events that the trail records count.
#[test]
fn a_trail_that_records_writes_only_is_quiet() {
    let world = World::healthy()
        .set(
            "cloudtrail:DescribeTrails",
            MANAGEMENT,
            "/trailList/0/CloudWatchLogsRoleArn",
            json!("arn:aws:iam::111111111111:role/logs"),
        )
        .set(
            "logs:DescribeMetricFilters",
            MANAGEMENT,
            "/metricFilters/0/filterPattern",
            json!(BROAD),
        )
        .set(
            "cloudtrail:GetEventSelectors",
            MANAGEMENT,
            "/EventSelectors/0/ReadWriteType",
            json!("WriteOnly"),
        );
    check(
        &world,
        Fail,
        Pass,
        Some("selectors.not-all-management-events"),
    );
}

/// The data events of the trail's own log files count where its selectors admit them.
#[test]
fn log_files_are_noise_where_their_data_events_are_recorded() {
    let management =
        json!({"FieldSelectors": [{"Field": "eventCategory", "Equals": ["Management"]}]});
    let objects = |fields: serde_json::Value| {
        let mut all = vec![
            json!({"Field": "eventCategory", "Equals": ["Data"]}),
            json!({"Field": "resources.type", "Equals": ["AWS::S3::Object"]}),
        ];
        all.extend(fields.as_array().unwrap().iter().cloned());
        json!({"AdvancedEventSelectors": [management, {"FieldSelectors": all}]})
    };
    let basic = |kind: &str, resource: &str, start: &str| {
        json!({"EventSelectors": [
            {"ReadWriteType": "All", "IncludeManagementEvents": true},
            {"ReadWriteType": kind, "IncludeManagementEvents": false,
             "DataResources": [{"Type": resource, "Values": [start]}]},
        ]})
    };
    let arn = |operator: &str, value: &str| json!([{"Field": "resources.ARN", operator: [value]}]);
    for (selectors, recursive, noisy) in [
        (objects(json!([])), None, true),
        (objects(json!([])), Some(true), true),
        (objects(json!([])), Some(false), false),
        (
            objects(json!([{"Field": "readOnly", "Equals": ["false"]}])),
            None,
            true,
        ),
        (
            objects(json!([{"Field": "readOnly", "Equals": ["true"]}])),
            None,
            false,
        ),
        (
            objects(json!([{"Field": "eventName", "Equals": ["DeleteObject"]}])),
            None,
            false,
        ),
        (objects(arn("StartsWith", "arn:aws:s3:::logs/")), None, true),
        (
            objects(arn("StartsWith", "arn:aws:s3:::logs/AWSLogs/o-a/")),
            None,
            true,
        ),
        (
            objects(arn("StartsWith", "arn:aws:s3:::other/")),
            None,
            false,
        ),
        (
            objects(arn("NotStartsWith", "arn:aws:s3:::logs/")),
            None,
            false,
        ),
        (
            basic("All", "AWS::S3::Object", "arn:aws:s3:::logs/"),
            None,
            true,
        ),
        (basic("All", "AWS::S3::Object", "arn:aws:s3"), None, true),
        (
            basic("ReadOnly", "AWS::S3::Object", "arn:aws:s3"),
            None,
            false,
        ),
        (
            basic("All", "AWS::Lambda::Function", "arn:aws:lambda"),
            None,
            false,
        ),
        (json!({"AdvancedEventSelectors": [management]}), None, false),
    ] {
        let row = format!("{selectors} {recursive:?}");
        let mut world = World::healthy()
            .set(
                "cloudtrail:DescribeTrails",
                MANAGEMENT,
                "/trailList/0/RecursiveLogging",
                json!(recursive),
            )
            .set(
                "logs:DescribeMetricFilters",
                MANAGEMENT,
                "/metricFilters/0/filterPattern",
                json!("{ $.readOnly IS FALSE }"),
            );
        world.record_mut("cloudtrail:GetEventSelectors", MANAGEMENT)["response"] = selectors;
        let finding = world.finding(MEMBER);
        let (_, effective, reason) = verdict(&finding);
        let expected = if noisy {
            (Unknown, Some("metric-filter.noisy"))
        } else {
            (Pass, None)
        };
        assert_eq!((effective, reason), expected, "{row}");
        if noisy {
            assert!(
                finding.message.contains("s3:PutObject"),
                "{}",
                finding.message
            );
        }
    }
}

/// The healthy organization, judged for changes of buckets' policies by one filter.
pub(in crate::evaluate) fn buckets(pattern: &str) -> World {
    let mut world = World::healthy().set(
        "logs:DescribeMetricFilters",
        MANAGEMENT,
        "/metricFilters/0/filterPattern",
        json!(pattern),
    );
    let controls = control::builtin().iter();
    let mut buckets = controls.filter(|control| control.id == "s3-bucket-policy-changes");
    world.policy.controls = vec![buckets.next().unwrap().clone()];
    world
}

/// Whether the trail records the bucket's account is never seen: it is told, and decides nothing.
#[test]
fn reading_the_buckets_permissions_may_be_noise() {
    let observed = |pattern: &str| {
        let world = buckets(pattern);
        check(&world, Pass, Pass, None);
        let observations = world.finding(MEMBER).observations;
        observations
            .iter()
            .any(|seen| seen.code == "metric-filter.may-match-routine-events")
    };
    assert!(observed("{ $.eventSource = s3.amazonaws.com }"));
    assert!(!observed(
        "{ ($.eventSource = s3.amazonaws.com) && ($.readOnly IS FALSE) }"
    ));
}

/// An alarm that reads a noisy filter's metric through its metric math is not quiet either.
#[test]
fn noise_is_heard_through_metric_math() {
    let role = "arn:aws:iam::111111111111:role/logs";
    let filter = |pattern: &str, metric: &str, unit: Option<&str>| {
        json!({
            "filterName": metric, "filterPattern": pattern, "logGroupName": "trail",
            "metricTransformations": [{
                "metricName": metric, "metricNamespace": "CISBenchmark", "metricValue": "1",
                "unit": unit,
            }],
        })
    };
    let query = |id: &str, metric: &str, unit: Option<&str>| {
        json!({"Id": id, "ReturnData": false, "MetricStat": {
            "Metric": {"Namespace": "CISBenchmark", "MetricName": metric},
            "Period": 300, "Stat": "Sum", "Unit": unit,
        }})
    };
    let seconds = Some("Seconds");
    for (expression, other, written, read, expected) in [
        (
            "m1 + FILL(m2, 0)",
            BROAD,
            None,
            None,
            Some("metric-filter.noisy"),
        ),
        (
            "SUM([m1, m2])",
            BROAD,
            None,
            None,
            Some("metric-filter.noisy"),
        ),
        (
            "SUM([m1, m2])",
            BROAD,
            seconds,
            seconds,
            Some("metric-filter.noisy"),
        ),
        ("SUM([m1, m2])", "{ $.readOnly IS FALSE }", None, None, None),
        // The noisy metric is fetched and not used.
        ("m1", BROAD, None, None, None),
    ] {
        let result = json!({"Id": "e1", "Expression": expression});
        let world = World::healthy()
            .set(
                "cloudtrail:DescribeTrails",
                MANAGEMENT,
                "/trailList/0/CloudWatchLogsRoleArn",
                json!(role),
            )
            .set(
                "logs:DescribeMetricFilters",
                MANAGEMENT,
                "/metricFilters",
                json!([
                    filter(PATTERN, "Failures", None),
                    filter(other, "Other", written)
                ]),
            )
            .set(
                "cloudwatch:DescribeAlarms",
                MANAGEMENT,
                "/MetricAlarms/0/Metrics",
                json!([
                    query("m1", "Failures", None),
                    query("m2", "Other", read),
                    result
                ]),
            );
        let finding = world.finding(MEMBER);
        let (_, effective, reason) = verdict(&finding);
        let status = if expected.is_some() { Unknown } else { Pass };
        assert_eq!(
            (effective, reason),
            (status, expected),
            "{expression} {other}"
        );
        if expected.is_some() {
            assert!(
                finding
                    .message
                    .contains("`Other`, whose metric alarm `failures` reads")
            );
        }
    }
}
