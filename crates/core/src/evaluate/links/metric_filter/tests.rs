use serde_json::{Value, json};

use crate::control;
use crate::evaluate::fixture::{Case, MANAGEMENT, MEMBER, PATTERN, World, check, names, table};
use crate::finding::Status::{Fail, Pass, Unknown};

/// Filters that look at some regions each cover the control together, if all are live. Whose region
/// it is, the event's or the log group's, must not matter: the group is in eu-west-1, of another
/// account.
#[test]
fn filters_may_share_the_regions_out() {
    const NOT_DECIDED: &str = "metric-filter.field-selection-not-decided";
    let filter = |name: &str, metric: &str, criteria: &str| {
        json!({
            "filterName": name, "filterPattern": PATTERN, "logGroupName": "trail",
            "fieldSelectionCriteria": criteria,
            "metricTransformations": [{
                "metricName": metric, "metricNamespace": "CISBenchmark", "metricValue": "1",
            }],
        })
    };
    let here = r#"@aws.region = "us-east-1""#;
    let elsewhere = r#"@aws.region != "us-east-1""#;
    let some = r#"@aws.region IN ["eu-west-1", "eu-central-1"]"#;
    let account = r#"@aws.account = "222222222222" AND @aws.region != "us-east-1""#;
    let other = r#"@aws.account != "222222222222" AND @aws.region != "us-east-1""#;
    for (second, metric, status, reason) in [
        (elsewhere, "Failures", Pass, None),
        (account, "Failures", Unknown, Some(NOT_DECIDED)),
        (some, "Failures", Unknown, Some(NOT_DECIDED)),
        (other, "Failures", Unknown, Some(NOT_DECIDED)),
        (
            here,
            "Failures",
            Fail,
            Some("metric-filter.excludes-account"),
        ),
        (elsewhere, "Unwatched", Fail, Some("alarm.none")),
        (
            r#"@data.source = "x""#,
            "Failures",
            Unknown,
            Some("metric-filter.field-selection-not-decided"),
        ),
    ] {
        let world = World::healthy().set(
            "logs:DescribeMetricFilters",
            MANAGEMENT,
            "/metricFilters",
            json!([
                filter("here", "Failures", here),
                filter("second", metric, second),
            ]),
        );
        println!("{second} {metric}");
        check(&world, status, status, reason);
        let apart = world
            .finding(MEMBER)
            .observations
            .iter()
            .any(|seen| seen.code == "metric-filter.regions-apart");
        assert_eq!(
            apart,
            reason != Some(NOT_DECIDED) || second.starts_with("@data")
        );
    }
}

/// What is changed by itself.
pub(in crate::evaluate) fn cases() -> Vec<Case> {
    vec![
        Case(
            "logs:DescribeMetricFilters",
            MANAGEMENT,
            "/metricFilters",
            json!([]),
            Fail,
            Fail,
            Some("metric-filter.none"),
        ),
        Case(
            "logs:DescribeMetricFilters",
            MANAGEMENT,
            "/metricFilters/0/filterPattern",
            json!("{ $.eventName = ConsoleLogin }"),
            Pass,
            Pass,
            None,
        ),
        Case(
            "logs:DescribeMetricFilters",
            MANAGEMENT,
            "/metricFilters/0/filterPattern",
            json!(
                r#"{ ($.eventName = ConsoleLogin) && ($.errorMessage = "Failed authentication") && ($.userIdentity.type = "Root") }"#
            ),
            Fail,
            Fail,
            Some("metric-filter.misses-events"),
        ),
        Case(
            "logs:DescribeMetricFilters",
            MANAGEMENT,
            "/metricFilters/0/filterPattern",
            json!("{ $.eventName != ConsoleLogin }"),
            Fail,
            Fail,
            Some("metric-filter.misses-events"),
        ),
        Case(
            "logs:DescribeMetricFilters",
            MANAGEMENT,
            "/metricFilters/0/filterPattern",
            json!(""),
            Fail,
            Fail,
            Some("metric-filter.matches-everything"),
        ),
        Case(
            "logs:DescribeMetricFilters",
            MANAGEMENT,
            "/metricFilters/0/filterPattern",
            json!("{ $.eventName = ConsoleLogin"),
            Unknown,
            Unknown,
            Some("metric-filter.unreadable-pattern"),
        ),
        Case(
            "logs:DescribeMetricFilters",
            MANAGEMENT,
            "/metricFilters/0/applyOnTransformedLogs",
            json!(true),
            Unknown,
            Unknown,
            Some("metric-filter.transformed-logs"),
        ),
        Case(
            "logs:DescribeMetricFilters",
            MANAGEMENT,
            "/metricFilters/0/fieldSelectionCriteria",
            json!("@aws.account = \"333333333333\""),
            Fail,
            Fail,
            Some("metric-filter.excludes-account"),
        ),
        Case(
            "logs:DescribeMetricFilters",
            MANAGEMENT,
            "/metricFilters/0/fieldSelectionCriteria",
            json!("@aws.account = \"222222222222\""),
            Unknown,
            Unknown,
            Some("metric-filter.field-selection-not-decided"),
        ),
        // The event's account and the log group's.
        Case(
            "logs:DescribeMetricFilters",
            MANAGEMENT,
            "/metricFilters/0/fieldSelectionCriteria",
            json!("@aws.account IN [\"111111111111\", \"222222222222\"]"),
            Pass,
            Pass,
            None,
        ),
        Case(
            "logs:DescribeMetricFilters",
            MANAGEMENT,
            "/metricFilters/0/filterPattern",
            json!("{ $.eventName = ConsoleLogin && $.eventName = CreateUser }"),
            Fail,
            Fail,
            Some("metric-filter.misses-events"),
        ),
        // Another control's own filter is no filter of this control.
        Case(
            "logs:DescribeMetricFilters",
            MANAGEMENT,
            "/metricFilters/0/filterPattern",
            json!(
                "{ ($.eventSource = kms.amazonaws.com) && (($.eventName = DisableKey) || ($.eventName = ScheduleKeyDeletion)) }"
            ),
            Fail,
            Fail,
            Some("metric-filter.none"),
        ),
        // The account in whatever form.
        Case(
            "logs:DescribeMetricFilters",
            MANAGEMENT,
            "/metricFilters/0/filterPattern",
            json!("\"ConsoleLogin\" \"Failed authentication\" \"222222222222\""),
            Pass,
            Pass,
            None,
        ),
        Case(
            "logs:DescribeMetricFilters",
            MANAGEMENT,
            "/metricFilters/0/filterPattern",
            json!("\"ConsoleLogin\" \"Failed authentication\" \"333333333333\""),
            Fail,
            Fail,
            Some("metric-filter.misses-events"),
        ),
        Case(
            "logs:DescribeMetricFilters",
            MANAGEMENT,
            "/metricFilters/0/filterPattern",
            json!(
                "{ $.eventName = ConsoleLogin && $.errorMessage = \"Failed authentication\" && $.userIdentity.accountId = 222222222222 }"
            ),
            Pass,
            Pass,
            None,
        ),
    ]
}

#[test]
fn one_thing_is_not_as_it_should_be() {
    table(&cases());
}

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

/// Each observation, and where it is made.
pub(in crate::evaluate) fn observed() -> Vec<(&'static str, World)> {
    let part = |user: &str| PATTERN.replace(" }", &format!(" && ($.userIdentity.type {user}) }}"));
    let filter = |pattern: &str, criteria: &str| {
        json!({
            "filterName": format!("{pattern} {criteria}"), "filterPattern": pattern, "logGroupName": "trail",
            "fieldSelectionCriteria": criteria,
            "metricTransformations": [{
                "metricName": "Failures", "metricNamespace": "CISBenchmark", "metricValue": "1"}]})
    };
    let mut undocumented = World::healthy().set(
        "logs:DescribeMetricFilters",
        MANAGEMENT,
        "/metricFilters/0/filterPattern",
        json!("{ $.eventName = ConsoleLogin && $.additionalEventData.MFAUsed = No }"),
    );
    let control = control::builtin()
        .iter()
        .find(|control| control.id == "console-signin-without-mfa");
    undocumented.policy.controls = vec![control.unwrap().clone()];
    vec![
        (
            "metric-filter.regions-apart",
            World::healthy().set(
                "logs:DescribeMetricFilters",
                MANAGEMENT,
                "/metricFilters",
                json!([
                    filter(PATTERN, r#"@aws.region = "us-east-1""#),
                    filter(PATTERN, r#"@aws.region != "us-east-1""#),
                ]),
            ),
        ),
        (
            "metric-filter.together",
            World::healthy().set(
                "logs:DescribeMetricFilters",
                MANAGEMENT,
                "/metricFilters",
                json!([
                    filter(&part("= Root"), ""),
                    filter(&part("!= Root"), ""),
                    filter(&part("NOT EXISTS"), ""),
                ]),
            ),
        ),
        (
            "metric-filter.matches-nearly-everything",
            World::healthy().set(
                "logs:DescribeMetricFilters",
                MANAGEMENT,
                "/metricFilters/0/filterPattern",
                json!("{ $.eventName != CreateTags }"),
            ),
        ),
        (
            "metric-filter.broader",
            World::healthy().set(
                "logs:DescribeMetricFilters",
                MANAGEMENT,
                "/metricFilters/0/filterPattern",
                json!("{ $.eventName = ConsoleLogin }"),
            ),
        ),
        ("metric-filter.misses-related-events", World::healthy()),
        ("metric-filter.misses-undocumented-values", undocumented),
    ]
}

/// A filter for the control's events on a log group that the trail does not write to.
#[test]
fn a_filter_elsewhere_is_named() {
    let elsewhere = json!({"filterName": "left", "filterPattern": PATTERN, "logGroupName": "old",
        "metricTransformations": []});
    let all = |world: World, filters: &Value| {
        world.with(
            "logs:DescribeMetricFilters",
            MANAGEMENT,
            "eu-west-1",
            &json!({}),
            &json!({ "metricFilters": filters }),
        )
    };
    let none = World::healthy().set(
        "logs:DescribeMetricFilters",
        MANAGEMENT,
        "/metricFilters",
        json!([]),
    );
    check(&none, Fail, Fail, Some("metric-filter.none"));
    assert_eq!(
        names(&none.wanted(MEMBER)),
        ["logs:DescribeMetricFilters 111111111111 eu-west-1"]
    );
    let found = all(none.clone(), &json!([elsewhere]));
    check(&found, Fail, Fail, Some("metric-filter.elsewhere"));
    assert!(found.finding(MEMBER).message.contains("`old`"));
    assert_eq!(found.wanted(MEMBER), []);
    let nothing = all(none, &json!([]));
    check(&nothing, Fail, Fail, Some("metric-filter.none"));
    assert_eq!(nothing.wanted(MEMBER), []);
}
