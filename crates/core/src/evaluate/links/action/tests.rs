//! Whom alarms notify, and what keeps them from it.

use serde_json::{Value, json};

use crate::evaluate::fixture::{
    Case, MANAGEMENT, MEMBER, TOPIC, World, change_members, check, denied, names, table,
};
use crate::evidence::Call;
use crate::finding::Status::{Fail, Pass, Unknown};

/// The alarm without actions of its own, another alarm, and a composite alarm that notifies.
fn over(rule: &str, other: &str, change: &Value) -> World {
    let mut composite = json!({
        "AlarmName": "over", "AlarmRule": rule, "AlarmActions": [TOPIC], "StateValue": "OK",
    });
    change_members(&mut composite, change);
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
            "/MetricAlarms/0/AlarmActions",
            json!(["arn:aws:ssm-incidents::111111111111:response-plan/security"]),
            Fail,
            Unknown,
            Some("action.not-sns"),
        ),
        // Nothing that Systems Manager does but an OpsItem is for people.
        Case(
            "cloudwatch:DescribeAlarms",
            MANAGEMENT,
            "/MetricAlarms/0/AlarmActions",
            json!(["arn:aws:ssm:eu-west-1:111111111111:automation-definition/stop"]),
            Fail,
            Fail,
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

/// What would act through another channel does not act.
#[test]
fn other_channels_of_a_disabled_alarm_tell_nobody() {
    let world = World::healthy()
        .set(
            "cloudwatch:DescribeAlarms",
            MANAGEMENT,
            "/MetricAlarms/0/AlarmActions",
            json!(["arn:aws:lambda:eu-west-1:111111111111:function:f"]),
        )
        .set(
            "cloudwatch:DescribeAlarms",
            MANAGEMENT,
            "/MetricAlarms/0/ActionsEnabled",
            json!(false),
        );
    check(&world, Fail, Fail, Some("action.not-sns"));
}

/// Who reads that nobody is notified looks for the composite alarm that should.
#[test]
fn a_composite_alarm_that_is_not_driven_is_named() {
    let told = |rule: &str, change: &Value| {
        let world = over(rule, "OK", change);
        check(&world, Fail, Fail, Some("action.none"));
        world.finding(MEMBER).message.to_string()
    };
    let rule = "ALARM(failures) AND ALARM(other)";
    let named = |rule: &str| {
        format!(
            "alarm `failures` has no action for ALARM; composite alarm `over` names it, but does \
             not go into ALARM with it alone: its rule is `{rule}`"
        )
    };
    assert_eq!(told(rule, &json!({})), named(rule));
    let long = format!("{rule}{}", " AND ALARM(other)".repeat(20));
    let shown: String = long.chars().take(200).collect();
    assert_eq!(told(&long, &json!({})), named(&format!("{shown}...")));
    // One that tells nobody is no help.
    assert_eq!(
        told(rule, &json!({"AlarmActions": []})),
        "alarm `failures` has no action for ALARM"
    );
}

/// A suppressor is named by its name or its ARN, and is a metric alarm or a composite one.
#[test]
fn suppressors_that_are_at_work() {
    let arn = "arn:aws:cloudwatch:eu-west-1:111111111111:alarm:other";
    for (suppressor, state, effective) in [
        ("other", "OK", Pass),
        ("other", "ALARM", Fail),
        (arn, "OK", Pass),
        (arn, "ALARM", Fail),
    ] {
        for with_arn in [false, true] {
            let change = json!({"ActionsSuppressor": suppressor});
            let mut world = over("ALARM(failures)", state, &change);
            if with_arn {
                world = world.set(
                    "cloudwatch:DescribeAlarms",
                    MANAGEMENT,
                    "/MetricAlarms/1/AlarmArn",
                    json!(arn),
                );
            }
            println!("{suppressor} {state} {with_arn}");
            let reason = (effective == Fail).then_some("action.suppressed");
            check(&world, Pass, effective, reason);
        }
    }
    for (rule, effective) in [("ALARM(failures)", Fail), ("ALARM(other)", Pass)] {
        let change = json!({"ActionsSuppressor": "watch"});
        let world = over("ALARM(failures)", "OK", &change).set(
            "cloudwatch:DescribeAlarms",
            MANAGEMENT,
            "/CompositeAlarms/1",
            json!({"AlarmName": "watch", "AlarmRule": rule, "StateValue": "OK"}),
        );
        println!("{rule}");
        let reason = (effective == Fail).then_some("action.suppressed");
        check(&world, Pass, effective, reason);
    }
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

/// Alarms on one metric go into ALARM together where both fire on one event at once; what a
/// composite alarm over them does is decided then, and else not.
#[test]
fn alarms_that_fire_on_the_same_event() {
    let undecided = Some("action.composite-alarm-not-decided");
    let same = json!({});
    let slow = json!({"Threshold": 5.0});
    let longer = json!({"Period": 600});
    let other = json!({"MetricName": "Other"});
    let silent = json!({"ComparisonOperator": "LessThanThreshold"});
    let both = "ALARM(failures) AND ALARM(again)";
    let unless = "ALARM(failures) AND NOT ALARM(again)";
    let none = Some("action.none");
    for (rule, change, cis, effective, reason) in [
        (both, &same, Pass, Pass, None),
        (both, &slow, Unknown, Unknown, undecided),
        (both, &longer, Unknown, Unknown, undecided),
        (both, &other, Fail, Fail, none),
        (both, &silent, Fail, Fail, none),
        (unless, &same, Unknown, Unknown, undecided),
        (unless, &slow, Unknown, Unknown, undecided),
        (unless, &other, Pass, Pass, None),
        ("ALARM(failures) OR ALARM(again)", &slow, Pass, Pass, None),
    ] {
        let mut world = over(rule, "OK", &json!({}));
        let alarms = world.record_mut("cloudwatch:DescribeAlarms", MANAGEMENT);
        let mut again = alarms["response"]["MetricAlarms"][0].clone();
        again["AlarmName"] = json!("again");
        again["AlarmArn"] = Value::Null;
        change_members(&mut again, change);
        alarms["response"]["MetricAlarms"][1] = again;
        println!("{rule} {change}");
        check(&world, cis, effective, reason);
    }
}

/// A suppressor that may fire on the same event may keep the composite alarm quiet.
#[test]
fn suppressors_that_may_fire_on_the_same_event() {
    let reason = Some("action.composite-alarm-not-decided");
    for (change, effective, reason) in [
        (json!({}), Unknown, reason),
        (json!({"Threshold": 5.0}), Unknown, reason),
        (json!({"MetricName": "Other"}), Pass, None),
    ] {
        let suppressed = json!({"ActionsSuppressor": "later"});
        let mut world = over("ALARM(failures)", "OK", &suppressed);
        let alarms = world.record_mut("cloudwatch:DescribeAlarms", MANAGEMENT);
        let mut later = alarms["response"]["MetricAlarms"][0].clone();
        later["AlarmName"] = json!("later");
        later["AlarmArn"] = Value::Null;
        change_members(&mut later, &change);
        alarms["response"]["MetricAlarms"][1] = later;
        check(&world, Pass, effective, reason);
    }
}

/// A scheduled rule is asked about where everything else is proved; no verdict rests on the answer.
#[test]
fn scheduled_mute_rules_are_read() {
    let rule = json!({"AlarmMuteRuleArn": "arn:aws:cloudwatch:eu-west-1:111111111111:alarm-mute-rule:nightly", "Status": "SCHEDULED"});
    let listed = World::healthy().set(
        "cloudwatch:ListAlarmMuteRules",
        MANAGEMENT,
        "/AlarmMuteRuleSummaries",
        json!([rule]),
    );
    let told = |world: &World| {
        check(world, Pass, Pass, None);
        let observations = world.finding(MEMBER).observations.into_iter();
        let mut scheduled = observations.filter(|seen| seen.code == "action.mute-scheduled");
        scheduled.next().map(|seen| seen.message.clone())
    };
    let called =
        "mute rule arn:aws:cloudwatch:eu-west-1:111111111111:alarm-mute-rule:nightly is scheduled";
    let until = "while it is active, nobody is told";
    let may = format!("{called} and may mute alarm `failures`: {until}");
    assert_eq!(told(&listed), Some(may.clone()));
    assert_eq!(
        names(&listed.wanted(MEMBER)),
        ["cloudwatch:GetAlarmMuteRule 111111111111 eu-west-1"]
    );
    let answered = |response: &Value| {
        listed.clone().with(
            "cloudwatch:GetAlarmMuteRule",
            MANAGEMENT,
            "eu-west-1",
            &json!({"AlarmMuteRuleName": "nightly"}),
            response,
        )
    };
    let schedule = json!({"Schedule": {
        "Expression": "cron(0 2 * * *)", "Duration": "PT4H", "Timezone": "Europe/Berlin",
    }});
    for (response, expected) in [
        (
            json!({"Name": "nightly", "Rule": schedule, "MuteTargets": {"AlarmNames": ["failures"]}}),
            Some(format!(
                "{called} and will mute alarm `failures`, by the schedule cron(0 2 * * *) in time \
                 zone Europe/Berlin, for PT4H each time: {until}"
            )),
        ),
        (
            json!({"Name": "nightly", "MuteTargets": {"AlarmNames": ["failures", "disk-full"]}}),
            Some(format!("{called} and will mute alarm `failures`: {until}")),
        ),
        (
            json!({"Name": "nightly", "Rule": schedule, "MuteTargets": {"AlarmNames": ["disk-full"]}}),
            None,
        ),
        // Absent is not empty.
        (
            json!({"Name": "nightly", "MuteTargets": null}),
            Some(may.clone()),
        ),
        (json!({}), Some(may.clone())),
    ] {
        let world = answered(&response);
        assert_eq!(told(&world), expected, "{response}");
        assert!(world.wanted(MEMBER).is_empty());
    }
    let refused = answered(&json!({})).fail_last(&denied("cloudwatch:GetAlarmMuteRule"));
    assert_eq!(told(&refused), Some(may));
    assert!(refused.wanted(MEMBER).is_empty());
    // Where nothing is proved, nobody asks.
    let disabled = listed.set(
        "cloudwatch:DescribeAlarms",
        MANAGEMENT,
        "/MetricAlarms/0/ActionsEnabled",
        json!(false),
    );
    let wanted = disabled.wanted(MEMBER);
    assert!(
        wanted
            .iter()
            .all(|request| !matches!(request.call, Call::GetAlarmMuteRule { .. })),
        "{wanted:?}"
    );
}

/// Each observation, and where it is made.
pub(in crate::evaluate) fn observed() -> Vec<(&'static str, World)> {
    vec![
        (
            "action.event-rules-unseen",
            World::healthy().set(
                "cloudwatch:DescribeAlarms",
                MANAGEMENT,
                "/MetricAlarms",
                json!([]),
            ),
        ),
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
