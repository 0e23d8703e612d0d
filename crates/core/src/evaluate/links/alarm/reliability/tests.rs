//! Alarms that are there and cannot be relied on.

use serde_json::{Value, json};

use crate::evaluate::fixture::{MANAGEMENT, MEMBER, World, change_members, check};
use crate::finding::LinkName;
use crate::finding::Status::{Fail, Pass, Unknown};

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
        change_members(&mut record["response"]["MetricAlarms"][0], &change);
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
        change_members(alarm, &change);
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
