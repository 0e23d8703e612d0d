//! Which alarms count, beside which filters.

use serde_json::{Value, json};

use crate::evaluate::fixture::{
    Case, MANAGEMENT, MEMBER, OTHER, PATTERN, TOPIC, World, check, table, verdict,
};
use crate::evaluate::monitoring_accounts::tests::monitored;
use crate::evidence::Call;
use crate::finding::LinkName;
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

/// A change to the one alarm of the healthy organization, seen at 22:00, and the verdict then.
#[test]
fn alarms_that_cannot_be_relied_on() {
    let (week_ago, days_ago) = ("2026-11-15T21:00:00Z", "2026-11-20T22:00:00Z");
    let warm_up = |waits: bool, updated: Value, state: &str| {
        json!({
            "WarmUpConfiguration": {
                "WarmUpPeriodDurationInMinutes": 120,
                "OnlyStartEvaluatingAfterWarmUpPeriodEnds": waits,
            },
            "AlarmConfigurationUpdatedTimestamp": updated, "StateValue": state,
        })
    };
    let (early, late) = (json!("2026-11-22T19:00:00Z"), json!("2026-11-22T21:00:00Z"));
    let wall_clock = json!({"WallClockWindow": {"Timezone": "UTC"}});
    let rhythm = |periods: u64, period: u64, missing: &str| json!({"EvaluationPeriods": periods, "Period": period, "TreatMissingData": missing});
    for (change, effective, reason, observation) in [
        // What CloudWatch says of its evaluation.
        (
            json!({"EvaluationState": "EVALUATION_ERROR"}),
            Unknown,
            Some("alarm.not-evaluated"),
            None,
        ),
        (
            json!({"EvaluationState": "EVALUATION_FAILURE"}),
            Unknown,
            Some("alarm.not-evaluated"),
            None,
        ),
        (
            json!({"EvaluationState": "PARTIAL_DATA"}),
            Unknown,
            Some("alarm.not-evaluated"),
            None,
        ),
        (
            json!({"EvaluationState": "SOMETHING_NEW"}),
            Unknown,
            Some("alarm.not-evaluated"),
            None,
        ),
        (
            json!({"EvaluationState": "IN_WARM_UP"}),
            Fail,
            Some("alarm.warming-up"),
            None,
        ),
        // Warm-up.
        (
            warm_up(true, late.clone(), "INSUFFICIENT_DATA"),
            Fail,
            Some("alarm.warming-up"),
            None,
        ),
        (warm_up(true, early, "INSUFFICIENT_DATA"), Pass, None, None),
        (
            warm_up(true, json!(null), "INSUFFICIENT_DATA"),
            Unknown,
            Some("alarm.warm-up-not-observed"),
            None,
        ),
        (
            warm_up(false, late.clone(), "INSUFFICIENT_DATA"),
            Unknown,
            Some("alarm.warm-up-not-observed"),
            None,
        ),
        (warm_up(false, late, "OK"), Pass, None, None),
        // The state.
        (
            json!({"StateValue": "ALARM", "StateTransitionedTimestamp": week_ago}),
            Fail,
            Some("alarm.stuck"),
            None,
        ),
        (
            json!({"StateValue": "ALARM", "StateTransitionedTimestamp": days_ago}),
            Pass,
            None,
            Some("alarm.in-alarm"),
        ),
        (
            json!({"StateValue": "ALARM", "StateTransitionedTimestamp": "2026-11-15T22:00:00Z"}),
            Pass,
            None,
            Some("alarm.in-alarm"),
        ),
        (
            json!({"StateValue": "ALARM", "StateUpdatedTimestamp": week_ago}),
            Fail,
            Some("alarm.stuck"),
            None,
        ),
        (
            json!({"StateValue": "ALARM", "StateUpdatedTimestamp": week_ago, "StateTransitionedTimestamp": days_ago}),
            Pass,
            None,
            Some("alarm.in-alarm"),
        ),
        (
            json!({"StateValue": "ALARM"}),
            Pass,
            None,
            Some("alarm.in-alarm"),
        ),
        (
            json!({"StateValue": "OK", "StateTransitionedTimestamp": week_ago}),
            Pass,
            None,
            None,
        ),
        (
            json!({"StateValue": "PENDING"}),
            Unknown,
            Some("alarm.state-not-known"),
            None,
        ),
        (
            json!({"StateValue": null}),
            Unknown,
            Some("alarm.state-not-known"),
            None,
        ),
        // How many events, over which time.
        (
            json!({"Threshold": 10}),
            Pass,
            None,
            Some("alarm.needs-several-events"),
        ),
        (json!({"Threshold": 11}), Fail, Some("alarm.too-slow"), None),
        (
            rhythm(5, 60, "notBreaching"),
            Pass,
            None,
            Some("alarm.needs-several-events"),
        ),
        (
            rhythm(10, 60, "notBreaching"),
            Pass,
            None,
            Some("alarm.needs-several-events"),
        ),
        (
            rhythm(11, 60, "notBreaching"),
            Fail,
            Some("alarm.too-slow"),
            None,
        ),
        (
            rhythm(2, 1800, "notBreaching"),
            Pass,
            None,
            Some("alarm.needs-several-events"),
        ),
        (
            rhythm(3, 1800, "notBreaching"),
            Fail,
            Some("alarm.too-slow"),
            None,
        ),
        (rhythm(1, 86_400, "notBreaching"), Pass, None, None),
        (
            rhythm(24, 3600, "missing"),
            Pass,
            None,
            Some("alarm.fires-late"),
        ),
        (
            json!({"Period": 604_800, "EvaluationWindow": wall_clock}),
            Fail,
            Some("alarm.too-slow"),
            None,
        ),
        (
            json!({"Period": 3600, "EvaluationWindow": wall_clock}),
            Pass,
            None,
            Some("alarm.wall-clock-window"),
        ),
        (
            json!({"EvaluationWindow": {"SlidingWindow": {}}}),
            Pass,
            None,
            None,
        ),
        (
            json!({"EvaluationWindow": {"NewWindow": {}}}),
            Unknown,
            Some("alarm.not-decided"),
            None,
        ),
    ] {
        let mut world = World::healthy();
        let record = world.record_mut("cloudwatch:DescribeAlarms", MANAGEMENT);
        for (member, value) in change.as_object().unwrap() {
            record["response"]["MetricAlarms"][0][member] = value.clone();
        }
        println!("{change}");
        check(&world, Pass, effective, reason);
        let observations = world.finding(MEMBER).observations;
        let told = |code: &str| observations.iter().any(|seen| seen.code == code);
        if let Some(code) = observation {
            assert!(told(code), "{code}: {observations:?}");
        } else if reason.is_none() {
            let mut codes = observations.iter().map(|seen| &seen.code);
            assert_eq!(codes.find(|code| code.starts_with("alarm.")), None);
        }
    }
}

/// The alarm that counts is the one whose action carries the message.
#[test]
fn stuck_alarms_under_composite_alarms() {
    let (week_ago, days_ago) = ("2026-11-15T21:00:00Z", "2026-11-20T22:00:00Z");
    let quiet = ("OK", week_ago);
    for (own, over, acts, effective, reason) in [
        (quiet, ("ALARM", week_ago), true, Pass, None),
        (("ALARM", week_ago), quiet, true, Fail, Some("alarm.stuck")),
        (quiet, ("ALARM", week_ago), false, Fail, Some("alarm.stuck")),
        (("ALARM", days_ago), ("ALARM", days_ago), false, Pass, None),
        (
            ("ALARM", week_ago),
            ("ALARM", week_ago),
            false,
            Fail,
            Some("alarm.stuck"),
        ),
        (
            ("ALARM", week_ago),
            quiet,
            false,
            Unknown,
            Some("alarm.not-decided"),
        ),
        (
            quiet,
            ("STRANGE", days_ago),
            false,
            Unknown,
            Some("alarm.state-not-known"),
        ),
        (quiet, quiet, false, Pass, None),
    ] {
        let mut world = World::healthy();
        let record = world.record_mut("cloudwatch:DescribeAlarms", MANAGEMENT);
        let response = &mut record["response"];
        response["MetricAlarms"][0]["StateValue"] = json!(own.0);
        response["MetricAlarms"][0]["StateTransitionedTimestamp"] = json!(own.1);
        if !acts {
            response["MetricAlarms"][0]["AlarmActions"] = json!([]);
        }
        response["CompositeAlarms"] = json!([{
            "AlarmName": "over", "AlarmRule": "ALARM(failures)", "StateValue": over.0,
            "StateTransitionedTimestamp": over.1,
            "AlarmActions": if acts { json!([]) } else { json!([crate::evaluate::fixture::TOPIC]) },
        }]);
        println!("{own:?} {over:?} {acts}");
        check(&world, Pass, effective, reason);
    }
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

/// A query over the log group may tell somebody, and the benchmark knows nothing of it.
#[test]
fn log_alarms_over_the_log_group() {
    let alarm = |change: &Value| {
        let mut alarm = json!({
            "AlarmName": "query", "ActionsEnabled": true, "AlarmActions": [TOPIC],
            "ScheduledQueryConfiguration": {"QueryString": "filter x", "LogGroupIdentifiers": ["trail"]},
        });
        for (name, value) in change.as_object().unwrap() {
            alarm[name] = value.clone();
        }
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

/// Since when an alarm is in ALARM, as well as it is known, and how many events move it.
#[test]
fn states_and_events_are_told_in_words() {
    let at = "2026-11-22T21:00:00Z";
    for (change, since) in [
        (
            json!({"StateTransitionedTimestamp": at}),
            format!("since {at}"),
        ),
        (
            json!({"StateUpdatedTimestamp": at}),
            format!("at least since {at}"),
        ),
        (json!({}), "since a time that is not told".to_owned()),
    ] {
        let mut world = World::healthy();
        let answer = world.record_mut("cloudwatch:DescribeAlarms", MANAGEMENT);
        let alarm = &mut answer["response"]["MetricAlarms"][0];
        alarm["StateValue"] = json!("ALARM");
        for (member, value) in change.as_object().unwrap() {
            alarm[member] = value.clone();
        }
        let seen = world.finding(MEMBER).observations;
        let told = seen.iter().find(|one| one.code == "alarm.in-alarm");
        let expected = format!(
            "alarm `failures` is in ALARM {since}: until it is back, further events notify nobody"
        );
        assert_eq!(told.unwrap().message, expected);
    }
    for (threshold, expected) in [
        (1.0, "one matching event moves alarm `failures` into ALARM"),
        (2.0, "move alarm `failures` into ALARM"),
    ] {
        let world = World::healthy().set(
            "cloudwatch:DescribeAlarms",
            MANAGEMENT,
            "/MetricAlarms/0/Threshold",
            json!(threshold),
        );
        let chain = world.finding(MEMBER).chain;
        let alarm = chain.iter().find(|link| link.link == LinkName::Alarm);
        let detail = &alarm.unwrap().detail;
        assert!(detail.ends_with(expected), "{detail}");
    }
}
