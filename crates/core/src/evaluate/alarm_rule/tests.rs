//! What rules mean for one alarm, and how they are read.

use std::sync::Arc;

use super::*;
use crate::evidence::{CompositeAlarm, MetricAlarm};

fn alarm() -> MetricAlarm {
    MetricAlarm {
        alarm_name: "signins".to_owned(),
        alarm_arn: Some("arn:aws:cloudwatch:us-east-1:111111111111:alarm:signins".to_owned()),
        ..MetricAlarm::default()
    }
}

fn composite(name: &str, rule: &str) -> CompositeAlarm {
    CompositeAlarm {
        alarm_name: name.to_owned(),
        alarm_rule: rule.to_owned(),
        ..CompositeAlarm::default()
    }
}

fn drive(rule: &str) -> Drive {
    drive_beside(rule, &[])
}

/// What the alarm does to a composite alarm beside others in some states.
fn drive_beside(rule: &str, states: &[(&str, &str)]) -> Drive {
    let composite_alarms = [
        composite("inner", "ALARM(signins) OR ALARM(other)"),
        composite("unrelated", "ALARM(other)"),
        composite("cycle", "ALARM(cycle)"),
    ];
    let metric: Vec<Arc<MetricAlarm>> = states
        .iter()
        .map(|(name, state)| {
            Arc::new(MetricAlarm {
                alarm_name: (*name).to_owned(),
                state_value: Some((*state).to_owned()),
                ..MetricAlarm::default()
            })
        })
        .collect();
    let others = Others {
        metric: &metric,
        composite: &composite_alarms,
    };
    drives(&alarm(), &composite("outer", rule), others)
}

#[test]
fn one_alarm_drives_a_composite() {
    for rule in [
        "ALARM(signins)",
        "ALARM(\"signins\")",
        " ( ALARM ( signins ) ) ",
        "ALARM(arn:aws:cloudwatch:us-east-1:111111111111:alarm:signins)",
        "ALARM(signins) OR ALARM(other)",
        "ALARM(signins) AND NOT ALARM(deployment)",
        "ALARM(signins) AND TRUE",
        "ALARM(inner)",
        "NOT (NOT ALARM(signins))",
        "FALSE OR ALARM(unrelated) OR ALARM(signins)",
        "AT_LEAST(1, ALARM, (signins, other, third))",
        "AT_LEAST(33%, ALARM, (signins, other, \"third one\"))",
        "AT_LEAST(1, NOT ALARM, (other)) AND ALARM(signins)",
    ] {
        assert_eq!(drive(rule), Drive::Yes, "{rule}");
    }
}

#[test]
fn what_one_alarm_does_not_drive() {
    for rule in [
        "ALARM(other)",
        "ALARM(signins) AND ALARM(other)",
        "ALARM(signins) AND FALSE",
        "NOT ALARM(signins)",
        "TRUE",
        "ALARM(signins) OR TRUE",
        "ALARM(signins) OR NOT ALARM(other)",
        "ALARM(unrelated)",
        "AT_LEAST(2, ALARM, (signins, other))",
        "AT_LEAST(50%, ALARM, (signins, other, third))",
        "ALARM(Signins)",
        "OK(signins)",
    ] {
        assert_eq!(drive(rule), Drive::No, "{rule}");
    }
}

#[test]
fn what_depends_on_unknown_states_or_is_not_read_is_undecided() {
    for rule in [
        "ALARM(signins) AND OK(other)",
        "ALARM(signins) AND NOT INSUFFICIENT_DATA(other)",
        "ALARM(signins) AND ALARM(",
        "ALARM(signins) XOR ALARM(other)",
        "",
        "ALARM(cycle)",
        "NOT OK(signins)",
    ] {
        assert!(
            matches!(drive(rule), Drive::Undecided(_)),
            "{rule}: {:?}",
            drive(rule)
        );
    }
}

/// Others are not always quiet, and what was seen of them counts.
#[test]
fn the_states_of_other_alarms() {
    let held = |by: &str| Drive::Held(format!("`{by}`"));
    let blocked = |by: &str| Drive::Blocked(format!("`{by}`"));
    let now = Drive::Now("outer".to_owned());
    let undecided = Drive::Undecided("its rule depends on the states of other alarms".to_owned());
    let but_not = "ALARM(signins) AND NOT ALARM(other)";
    let either = "ALARM(signins) OR ALARM(other)";
    let both = "ALARM(signins) AND ALARM(other)";
    let while_ok = "ALARM(signins) AND OK(other)";
    let unless_missing = "ALARM(signins) AND NOT INSUFFICIENT_DATA(other)";
    for (rule, state, expected) in [
        (but_not, "OK", Drive::Yes),
        (but_not, "INSUFFICIENT_DATA", Drive::Yes),
        (but_not, "ALARM", blocked("other")),
        (
            "ALARM(signins) AND NOT ALARM(unrelated)",
            "ALARM",
            blocked("other"),
        ),
        ("ALARM(signins) AND OK(unrelated)", "OK", Drive::Yes),
        (
            "ALARM(signins) AND OK(unrelated)",
            "ALARM",
            blocked("other"),
        ),
        (either, "OK", Drive::Yes),
        (either, "ALARM", held("other")),
        ("ALARM(inner)", "ALARM", held("other")),
        (both, "OK", Drive::No),
        // Alone it does not, whatever the other one does at the moment.
        (both, "ALARM", Drive::No),
        (while_ok, "OK", now.clone()),
        (while_ok, "INSUFFICIENT_DATA", undecided.clone()),
        (while_ok, "ALARM", blocked("other")),
        (unless_missing, "OK", now),
        (unless_missing, "INSUFFICIENT_DATA", undecided),
        (unless_missing, "ALARM", Drive::Yes),
        ("ALARM(signins) OR NOT ALARM(other)", "ALARM", Drive::No),
    ] {
        assert_eq!(
            drive_beside(rule, &[("other", state)]),
            expected,
            "{rule} beside {state}"
        );
    }
}

/// A rule may name alarms of kinds that were not listed.
#[test]
fn a_composite_alarm_may_be_in_alarm_for_reasons_unseen() {
    let others = Others {
        metric: &[],
        composite: &[],
    };
    for (own, state, expected) in [
        (Some("OK"), "OK", Drive::Yes),
        (Some("OK"), "ALARM", Drive::Held("another alarm".to_owned())),
        (Some("ALARM"), "ALARM", Drive::Yes),
        (None, "ALARM", Drive::Yes),
    ] {
        let alarm = MetricAlarm {
            state_value: own.map(str::to_owned),
            ..alarm()
        };
        let over = CompositeAlarm {
            state_value: Some(state.to_owned()),
            ..composite("over", "ALARM(signins) OR ALARM(logs)")
        };
        assert_eq!(drives(&alarm, &over, others), expected, "{own:?}, {state}");
    }
}

#[test]
fn and_binds_tighter_than_or() {
    let rule = parse("ALARM(a) OR ALARM(b) AND ALARM(c)").unwrap();
    assert!(matches!(rule, Rule::Or(alternatives) if matches!(alternatives[1], Rule::And(_))));
}

#[test]
fn deep_nesting_is_an_error() {
    let rule = format!("{}TRUE{}", "(".repeat(5000), ")".repeat(5000));
    assert_eq!(parse(&rule).unwrap_err().expected, "less nesting");
}

#[test]
fn errors_name_the_place() {
    let error = parse("ALARM(a) AND BROKEN(b)").unwrap_err();
    assert_eq!(error.offset, 13);
}
