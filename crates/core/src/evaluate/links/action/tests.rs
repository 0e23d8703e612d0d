//! Whom alarms notify, and what keeps them from it.

use serde_json::{Value, json};

use crate::evaluate::fixture::{Case, MANAGEMENT, MEMBER, TOPIC, World, check, table};
use crate::finding::Status::{Fail, Pass, Unknown};

/// The alarm without actions of its own, another alarm, and a composite alarm that notifies.
fn over(rule: &str, other: &str, change: &Value) -> World {
    let mut composite = json!({
        "AlarmName": "over", "AlarmRule": rule, "AlarmActions": [TOPIC], "StateValue": "OK",
    });
    for (member, value) in change.as_object().unwrap() {
        composite[member] = value.clone();
    }
    World::healthy()
        .set(
            "cloudwatch:DescribeAlarms",
            MANAGEMENT,
            "/MetricAlarms/0/AlarmActions",
            json!([]),
        )
        .set(
            "cloudwatch:DescribeAlarms",
            MANAGEMENT,
            "/MetricAlarms/1",
            json!({"AlarmName": "other", "MetricName": "Other", "StateValue": other}),
        )
        .set(
            "cloudwatch:DescribeAlarms",
            MANAGEMENT,
            "/CompositeAlarms",
            json!([composite]),
        )
}

#[test]
fn other_alarms_may_keep_a_composite_alarm_from_changing() {
    for (rule, other, cis, effective, reason) in [
        (
            "ALARM(failures) AND NOT ALARM(other)",
            "OK",
            Pass,
            Pass,
            None,
        ),
        (
            "ALARM(failures) AND NOT ALARM(other)",
            "ALARM",
            Pass,
            Fail,
            Some("action.suppressed"),
        ),
        ("ALARM(failures) OR ALARM(other)", "OK", Pass, Pass, None),
        (
            "ALARM(failures) OR ALARM(other)",
            "ALARM",
            Pass,
            Unknown,
            Some("action.composite-alarm-in-alarm"),
        ),
        ("ALARM(failures) AND OK(other)", "OK", Pass, Pass, None),
        (
            "ALARM(failures) AND OK(other)",
            "INSUFFICIENT_DATA",
            Unknown,
            Unknown,
            Some("action.composite-alarm-not-decided"),
        ),
    ] {
        println!("{rule}, {other}");
        check(&over(rule, other, &json!({})), cis, effective, reason);
    }
}

#[test]
fn suppressors_may_only_delay() {
    for (by, effective, reason) in [
        ("WaitPeriod", Pass, None),
        ("ExtensionPeriod", Pass, None),
        ("Alarm", Fail, Some("action.suppressed")),
    ] {
        let change = json!({"ActionsSuppressor": "other", "ActionsSuppressedBy": by});
        let world = over("ALARM(failures)", "OK", &change);
        check(&world, Pass, effective, reason);
        let delayed = world
            .finding(MEMBER)
            .observations
            .iter()
            .any(|seen| seen.code == "action.suppressed-for-a-while");
        assert_eq!(delayed, effective == Pass, "{by}");
    }
    // One that was not listed may be at work; one that is not there is not.
    for (parameters, effective, reason) in [
        (
            json!({"AlarmTypes": ["MetricAlarm", "CompositeAlarm"]}),
            Pass,
            None,
        ),
        (
            json!({
                "AlarmTypes": ["MetricAlarm", "CompositeAlarm"],
                "AlarmNames": ["failures", "over"],
            }),
            Unknown,
            Some("action.suppressor-not-observed"),
        ),
    ] {
        let change = json!({"ActionsSuppressor": "maintenance"});
        let mut world = over("ALARM(failures)", "OK", &change);
        world.record_mut("cloudwatch:DescribeAlarms", MANAGEMENT)["parameters"] = parameters;
        check(&world, Pass, effective, reason);
    }
}

/// What is changed by itself.
pub(in crate::evaluate) fn cases() -> Vec<Case> {
    vec![
        Case(
            "cloudwatch:DescribeAlarms",
            MANAGEMENT,
            "/MetricAlarms/0/AlarmActions",
            json!([]),
            Fail,
            Fail,
            Some("action.none"),
        ),
        Case(
            "cloudwatch:DescribeAlarms",
            MANAGEMENT,
            "/MetricAlarms/0/AlarmActions",
            json!(["arn:aws:automate:eu-west-1:ec2:stop"]),
            Fail,
            Fail,
            Some("action.not-sns"),
        ),
        Case(
            "cloudwatch:DescribeAlarms",
            MANAGEMENT,
            "/MetricAlarms/0/AlarmActions",
            json!(["arn:aws:lambda:eu-west-1:111111111111:function:f"]),
            Fail,
            Unknown,
            Some("action.not-sns"),
        ),
        Case(
            "cloudwatch:DescribeAlarms",
            MANAGEMENT,
            "/MetricAlarms/0/AlarmActions",
            json!(["arn:aws:ssm:eu-west-1:111111111111:opsitem:1#CATEGORY=Security"]),
            Fail,
            Unknown,
            Some("action.not-sns"),
        ),
        Case(
            "cloudwatch:DescribeAlarms",
            MANAGEMENT,
            "/MetricAlarms/0/ActionsEnabled",
            json!(false),
            Pass,
            Fail,
            Some("action.disabled"),
        ),
    ]
}

#[test]
fn one_thing_is_not_as_it_should_be() {
    table(&cases());
}

/// Rules that will mute the alarm, and rules of which nobody knows what they do.
#[test]
fn mute_rules_that_are_not_active() {
    for (status, effective, reason, told) in [
        ("SCHEDULED", Pass, None, true),
        ("EXPIRED", Pass, None, false),
        (
            "PAUSED",
            Unknown,
            Some("action.mute-rules-not-observed"),
            false,
        ),
    ] {
        let rule = json!({"AlarmMuteRuleArn": "arn:aws:cloudwatch:eu-west-1:111111111111:alarm-mute-rule:nightly", "Status": status});
        let world = World::healthy().set(
            "cloudwatch:ListAlarmMuteRules",
            MANAGEMENT,
            "/AlarmMuteRuleSummaries",
            json!([rule]),
        );
        check(&world, Pass, effective, reason);
        let observations = world.finding(MEMBER).observations;
        let scheduled = observations
            .iter()
            .any(|seen| seen.code == "action.mute-scheduled");
        assert_eq!(scheduled, told, "{status}");
    }
}

/// Each observation, and where it is made.
pub(in crate::evaluate) fn observed() -> Vec<(&'static str, World)> {
    vec![
        (
            "action.suppressed-for-a-while",
            over(
                "ALARM(failures)",
                "OK",
                &json!({"ActionsSuppressor": "other", "ActionsSuppressedBy": "WaitPeriod"}),
            ),
        ),
        (
            "action.rests-on-other-alarms",
            over("ALARM(failures) AND OK(other)", "OK", &json!({})),
        ),
        (
            "action.no-mute-rules-there",
            World::healthy().fail(
                "cloudwatch:ListAlarmMuteRules",
                MANAGEMENT,
                &json!({"code": "InvalidAction", "message": "", "class": "invalid"}),
            ),
        ),
        (
            "action.mute-scheduled",
            World::healthy().set(
                "cloudwatch:ListAlarmMuteRules",
                MANAGEMENT,
                "/AlarmMuteRuleSummaries",
                json!([{"Status": "SCHEDULED"}]),
            ),
        ),
    ]
}
