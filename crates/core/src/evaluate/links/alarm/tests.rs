//! Which alarms count, beside which filters.

use serde_json::{Value, json};

use crate::evaluate::fixture::{
    Case, MANAGEMENT, MEMBER, OTHER, PATTERN, World, check, table, verdict,
};
use crate::evaluate::monitoring_accounts::tests::monitored;
use crate::evidence::Call;
use crate::finding::Status::{Fail, Pass, Unknown};
use crate::policy::Assurance;

/// An alarm on the metric's name in another region is a near miss, where it was seen.
#[test]
fn the_same_alarm_in_another_region() {
    let none = World::healthy().set(
        "cloudwatch:DescribeAlarms",
        MANAGEMENT,
        "/MetricAlarms",
        json!([]),
    );
    let alarms = |region: &str, metric: &str| {
        none.clone().with(
            "cloudwatch:DescribeAlarms",
            MANAGEMENT,
            region,
            &json!({"AlarmTypes": ["MetricAlarm", "CompositeAlarm"]}),
            &json!({"CompositeAlarms": [], "MetricAlarms": [{
                "AlarmName": "there", "Namespace": "CISBenchmark", "MetricName": metric,
            }]}),
        )
    };
    for (world, named) in [
        (none.clone(), false),
        (alarms("us-east-1", "Failures"), true),
        (alarms("us-east-1", "Other"), false),
    ] {
        check(&world, Fail, Fail, Some("alarm.none"));
        let message = world.finding(MEMBER).message;
        let sentence = "alarm `there` in us-east-1 watches a metric of that name there";
        assert_eq!(message.contains(sentence), named, "{message}");
        let wanted = world.wanted(MEMBER);
        assert!(
            wanted
                .iter()
                .all(|request| request.call != Call::DescribeAlarms),
            "{wanted:?}"
        );
    }
}

/// A system field may be that of the event or that of the log group.
#[test]
fn system_fields_as_dimensions() {
    let undecided = Some("metric-filter.dimensions-not-decided");
    let cannot = Some("alarm.cannot-fire");
    for (fields, watched, owner, member) in [
        (
            json!(["@aws.account"]),
            json!([{"Name": "@aws.account", "Value": "111111111111"}]),
            (Pass, None),
            (Unknown, undecided),
        ),
        (
            json!(["@aws.account"]),
            json!([{"Name": "@aws.account", "Value": "222222222222"}]),
            (Fail, cannot),
            (Unknown, undecided),
        ),
        (
            json!(["@aws.account"]),
            json!([{"Name": "@aws.account", "Value": "333333333333"}]),
            (Fail, cannot),
            (Fail, cannot),
        ),
        (
            json!(["@aws.account"]),
            json!([]),
            (Fail, cannot),
            (Fail, cannot),
        ),
        (
            json!(["@aws.region"]),
            json!([{"Name": "@aws.region", "Value": "eu-west-1"}]),
            (Unknown, undecided),
            (Unknown, undecided),
        ),
        (
            json!(["@aws.region"]),
            json!([{"Name": "@aws.region", "Value": "nowhere-1"}]),
            (Fail, cannot),
            (Fail, cannot),
        ),
    ] {
        let world = World::healthy()
            .set(
                "logs:DescribeMetricFilters",
                MANAGEMENT,
                "/metricFilters/0/emitSystemFieldDimensions",
                fields,
            )
            .set(
                "cloudwatch:DescribeAlarms",
                MANAGEMENT,
                "/MetricAlarms/0/Dimensions",
                watched.clone(),
            );
        for (account, (effective, reason)) in [(MANAGEMENT, owner), (MEMBER, member)] {
            let finding = world.finding(account);
            assert_eq!(
                verdict(&finding),
                (Pass, effective, reason),
                "{watched} {account}: {}",
                finding.message
            );
        }
    }
}

/// Metric math may add up what a dimension tells apart.
#[test]
fn a_sum_over_the_accounts() {
    let of = |id: &str, account: &str| {
        json!({"Id": id, "ReturnData": false, "MetricStat": {
            "Period": 300, "Stat": "Sum",
            "Metric": {
                "Namespace": "CISBenchmark", "MetricName": "Failures",
                "Dimensions": [{"Name": "Account", "Value": account}],
            },
        }})
    };
    let world = World::healthy()
        .set(
            "logs:DescribeMetricFilters",
            MANAGEMENT,
            "/metricFilters/0/metricTransformations/0/dimensions",
            json!({"Account": "$.recipientAccountId"}),
        )
        .set(
            "cloudwatch:DescribeAlarms",
            MANAGEMENT,
            "/MetricAlarms/0/Metrics",
            json!([
                {"Id": "all", "Expression": "SUM(METRICS())", "ReturnData": true},
                of("m1", "111111111111"),
                of("m2", "222222222222"),
            ]),
        );
    for (account, effective, reason) in [
        (MANAGEMENT, Pass, None),
        (MEMBER, Pass, None),
        (OTHER, Fail, Some("metric-filter.misses-events")),
    ] {
        let finding = world.finding(account);
        assert_eq!(
            verdict(&finding),
            (Pass, effective, reason),
            "{account}: {}",
            finding.message
        );
    }
}

/// Another filter of the log group writes to the metric that the alarm watches.
#[test]
fn the_default_value_of_another_filter() {
    for (pattern, default, statistic, effective, reason) in [
        ("{ $.eventName = CreateUser }", json!(0), "Sum", Pass, None),
        (
            "{ $.eventName = CreateUser }",
            json!(1),
            "Sum",
            Fail,
            Some("alarm.cannot-fire"),
        ),
        (
            "{ $.eventName = CreateUser }",
            json!(0),
            "Average",
            Fail,
            Some("alarm.cannot-fire"),
        ),
        (
            "{ $.eventName = ConsoleLogin && $.userIdentity.type = Root }",
            json!(0),
            "Average",
            Unknown,
            Some("alarm.not-decided"),
        ),
        // It matches every event, so the alarm is in ALARM as long as there are any.
        ("", json!(null), "Sum", Fail, Some("alarm.cannot-fire")),
        (
            "{ $.eventName = CreateUser }",
            json!(null),
            "Average",
            Pass,
            None,
        ),
    ] {
        let filter = |name: &str, pattern: &str, default: &serde_json::Value| {
            json!({
                "filterName": name, "filterPattern": pattern, "logGroupName": "trail",
                "metricTransformations": [{
                    "metricName": "Failures", "metricNamespace": "CISBenchmark",
                    "metricValue": "1", "defaultValue": default,
                }],
            })
        };
        let filters = json!([
            filter("failures", PATTERN, &json!(null)),
            filter("other", pattern, &default),
        ]);
        let world = World::healthy()
            .set(
                "logs:DescribeMetricFilters",
                MANAGEMENT,
                "/metricFilters",
                filters,
            )
            .set(
                "cloudwatch:DescribeAlarms",
                MANAGEMENT,
                "/MetricAlarms/0/Statistic",
                json!(statistic),
            );
        check(&world, Pass, effective, reason);
        let observations = world.finding(MEMBER).observations;
        let shared = observations.iter().any(|seen| seen.code == "metric.shared");
        assert_eq!(shared, pattern == "{ $.eventName = CreateUser }");
    }
}

/// What is changed by itself.
pub(in crate::evaluate) fn cases() -> Vec<Case> {
    vec![
        Case(
            "logs:DescribeMetricFilters",
            MANAGEMENT,
            "/metricFilters/0/metricTransformations/0/metricName",
            json!("Other"),
            Fail,
            Fail,
            Some("alarm.none"),
        ),
        Case(
            "logs:DescribeMetricFilters",
            MANAGEMENT,
            "/metricFilters/0/metricTransformations/0/dimensions",
            json!({"User": "$.userIdentity.userName"}),
            Pass,
            Fail,
            Some("alarm.cannot-fire"),
        ),
        Case(
            "cloudwatch:DescribeAlarms",
            MANAGEMENT,
            "/MetricAlarms",
            json!([]),
            Fail,
            Fail,
            Some("alarm.none"),
        ),
        Case(
            "cloudwatch:DescribeAlarms",
            MANAGEMENT,
            "/MetricAlarms/0/Namespace",
            json!("Other"),
            Fail,
            Fail,
            Some("alarm.none"),
        ),
        Case(
            "cloudwatch:DescribeAlarms",
            MANAGEMENT,
            "/MetricAlarms/0/ComparisonOperator",
            json!("LessThanThreshold"),
            Pass,
            Fail,
            Some("alarm.cannot-fire"),
        ),
        Case(
            "cloudwatch:DescribeAlarms",
            MANAGEMENT,
            "/MetricAlarms/0/TreatMissingData",
            json!("breaching"),
            Pass,
            Fail,
            Some("alarm.cannot-fire"),
        ),
        Case(
            "cloudwatch:DescribeAlarms",
            MANAGEMENT,
            "/MetricAlarms/0/Unit",
            json!("Seconds"),
            Pass,
            Fail,
            Some("alarm.cannot-fire"),
        ),
        Case(
            "cloudwatch:DescribeAlarms",
            MANAGEMENT,
            "/MetricAlarms/0/Threshold",
            json!(5.0),
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

/// Each observation, and where it is made.
pub(in crate::evaluate) fn observed() -> Vec<(&'static str, World)> {
    let changed = |member: &str, value: Value| {
        let member = format!("/MetricAlarms/0/{member}");
        World::healthy().set("cloudwatch:DescribeAlarms", MANAGEMENT, &member, value)
    };
    let mut monitored = monitored();
    monitored.policy.assurance = Assurance::Effective;
    vec![
        ("alarm.of-monitoring-account", monitored),
        (
            "alarm.links-not-observed",
            World::healthy().set(
                "cloudwatch:DescribeAlarms",
                MANAGEMENT,
                "/MetricAlarms",
                json!([]),
            ),
        ),
        (
            "alarm.needs-several-events",
            World::healthy().set(
                "cloudwatch:DescribeAlarms",
                MANAGEMENT,
                "/MetricAlarms/0/Threshold",
                json!(5.0),
            ),
        ),
        (
            "alarm.latches",
            World::healthy().set(
                "cloudwatch:DescribeAlarms",
                MANAGEMENT,
                "/MetricAlarms/0/TreatMissingData",
                json!("ignore"),
            ),
        ),
        (
            "alarm.missing-data-breaching",
            World::healthy()
                .set(
                    "logs:DescribeMetricFilters",
                    MANAGEMENT,
                    "/metricFilters/0/metricTransformations/0/defaultValue",
                    json!(0),
                )
                .set(
                    "cloudwatch:DescribeAlarms",
                    MANAGEMENT,
                    "/MetricAlarms/0/TreatMissingData",
                    json!("breaching"),
                ),
        ),
        (
            "alarm.looks-the-wrong-way",
            World::healthy().set(
                "cloudwatch:DescribeAlarms",
                MANAGEMENT,
                "/MetricAlarms/0/ComparisonOperator",
                json!("LessThanOrEqualToThreshold"),
            ),
        ),
        (
            "alarm.period-below-a-minute",
            World::healthy().set(
                "cloudwatch:DescribeAlarms",
                MANAGEMENT,
                "/MetricAlarms/0/Period",
                json!(30),
            ),
        ),
        ("alarm.in-alarm", changed("StateValue", json!("ALARM"))),
        (
            "alarm.wall-clock-window",
            changed("EvaluationWindow", json!({"WallClockWindow": {}})),
        ),
        ("alarm.fires-late", changed("EvaluationPeriods", json!(24))),
    ]
}

/// Who looks at two names that differ by a blank sees one name.
#[test]
fn an_alarm_on_nearly_the_metric_is_told() {
    for (metric, namespace, hint) in [
        (
            "Failures ",
            "CISBenchmark",
            "; alarm `failures` watches `CISBenchmark/Failures `, whose name differs by blanks or case alone",
        ),
        (
            "failures",
            " cisbenchmark",
            "; alarm `failures` watches ` cisbenchmark/failures`, whose name differs by blanks or case alone",
        ),
        (
            "Failures",
            "Other",
            "; alarm `failures` watches a metric of that name in namespace `Other`",
        ),
        ("failures", "Other", ""),
        ("Other", "CISBenchmark", ""),
    ] {
        let world = World::healthy()
            .set(
                "cloudwatch:DescribeAlarms",
                MANAGEMENT,
                "/MetricAlarms/0/MetricName",
                json!(metric),
            )
            .set(
                "cloudwatch:DescribeAlarms",
                MANAGEMENT,
                "/MetricAlarms/0/Namespace",
                json!(namespace),
            );
        let message = world.finding(MEMBER).message;
        let (_, told) = message.split_once("`CISBenchmark/Failures`").unwrap();
        let (told, _) = told.split_once("; alarms that reach it").unwrap();
        assert_eq!(told, hint);
    }
}
