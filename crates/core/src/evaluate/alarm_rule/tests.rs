//! What rules mean for one alarm, and how they are read.

use std::sync::Arc;

use super::*;
use crate::evidence::{CompositeAlarm, MetricAlarm};

fn alarm() -> MetricAlarm {
    MetricAlarm {
        alarm_name: "signins".into(),
        alarm_arn: Some("arn:aws:cloudwatch:us-east-1:111111111111:alarm:signins".into()),
        ..MetricAlarm::default()
    }
}

fn composite(name: &str, rule: &str) -> CompositeAlarm {
    CompositeAlarm {
        alarm_name: name.into(),
        alarm_rule: rule.to_owned(),
        ..CompositeAlarm::default()
    }
}

/// What the alarm does to a composite alarm beside others that are quiet, in OK or without data.
fn drive(rule: &str) -> Drive {
    let quiet = ["other", "third", "third one", "deployment"];
    drive_beside(rule, &quiet.map(|name| (name, "INSUFFICIENT_DATA")))
}

/// What the alarm does to a composite alarm beside others in some states.
fn drive_beside(rule: &str, states: &[(&str, &str)]) -> Drive {
    let composites = [
        composite("inner", "ALARM(signins) OR ALARM(other)"),
        composite("unrelated", "ALARM(other)"),
        composite("cycle", "ALARM(cycle) OR ALARM(signins)"),
    ];
    let metric = states.iter().map(|(name, state)| MetricAlarm {
        alarm_name: (*name).into(),
        state_value: Some((*state).into()),
        ..MetricAlarm::default()
    });
    drive_among(
        &alarm(),
        &composite("outer", rule),
        metric.collect(),
        composites.to_vec(),
    )
}

/// What an alarm does to the last of some composite alarms, if that depends on it.
fn drive_among(
    alarm: &MetricAlarm,
    over: &CompositeAlarm,
    others: Vec<MetricAlarm>,
    composites: Vec<CompositeAlarm>,
) -> Drive {
    let metric: Vec<_> = [alarm.clone()]
        .into_iter()
        .chain(others)
        .map(Arc::new)
        .collect();
    let composites: Vec<_> = composites
        .into_iter()
        .chain([over.clone()])
        .map(Arc::new)
        .collect();
    let last = composites.len() - 1;
    let drives = Composites::new(&metric, &composites).drives(alarm, |_| Also::No);
    let found = drives.iter().find(|(index, _)| *index == last);
    found.map_or(Drive::No, |(_, drive)| drive.clone())
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
    let now = Drive::Now;
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

/// A rule may name alarms that were not listed, because of their kind or of an incomplete list.
#[test]
fn alarms_that_nobody_saw() {
    let held = Drive::Held("another alarm".to_owned());
    let needs = |names: &str| {
        Drive::Undecided(format!(
            "its rule depends on alarms that nobody has seen: {names}"
        ))
    };
    let either = "ALARM(signins) OR ALARM(logs)";
    let unless = "ALARM(signins) AND NOT ALARM(logs)";
    for (rule, own, state, expected) in [
        (either, Some("OK"), "OK", Drive::Now),
        (either, Some("OK"), "ALARM", held.clone()),
        (either, Some("ALARM"), "ALARM", Drive::Now),
        (either, None, "ALARM", Drive::Now),
        (
            "AT_LEAST(1, ALARM, (signins, logs))",
            Some("OK"),
            "OK",
            Drive::Now,
        ),
        (
            "AT_LEAST(2, ALARM, (signins, logs))",
            Some("OK"),
            "OK",
            Drive::No,
        ),
        (
            "ALARM(signins) AND ALARM(logs)",
            Some("OK"),
            "OK",
            Drive::No,
        ),
        (unless, Some("OK"), "OK", needs("`logs`")),
        (unless, Some("OK"), "ALARM", needs("`logs`")),
        (
            "ALARM(signins) AND OK(logs) AND OK(more)",
            Some("OK"),
            "OK",
            needs("`logs`, `more`"),
        ),
        ("ALARM(signins)", Some("OK"), "OK", Drive::Yes),
        ("ALARM(signins)", Some("OK"), "ALARM", held),
    ] {
        let alarm = MetricAlarm {
            state_value: own.map(Arc::from),
            ..alarm()
        };
        let over = CompositeAlarm {
            state_value: Some(state.into()),
            ..composite("over", rule)
        };
        let drive = drive_among(&alarm, &over, Vec::new(), Vec::new());
        assert_eq!(drive, expected, "{rule}: {own:?}, {state}");
    }
}

/// Ten layers of ten composite alarms, each over all of the layer below: ten thousand million ways
/// from the bottom to the top, and a hundred rules.
#[test]
fn layers_of_composite_alarms_cost_one_evaluation_each() {
    let name = |layer: usize, index: usize| format!("c{layer}-{index}");
    let mut layers: Vec<Arc<CompositeAlarm>> = Vec::new();
    for layer in 0..10 {
        for index in 0..10 {
            let below: Vec<String> = match layer {
                0 => vec!["ALARM(signins)".to_owned()],
                _ => (0..10)
                    .map(|index| format!("ALARM({})", name(layer - 1, index)))
                    .collect(),
            };
            layers.push(Arc::new(composite(
                &name(layer, index),
                &below.join(" OR "),
            )));
        }
    }
    let composites = Composites::new(&[Arc::new(alarm())], &layers);
    let drives = composites.drives(&alarm(), |_| Also::No);
    assert_eq!(drives.len(), 100);
    assert!(drives.iter().all(|(_, drive)| *drive == Drive::Yes));
    assert_eq!(composites.cost(&[true; 100]), 6 * (10 + 90 * 11));
}

#[test]
fn too_large_rules_are_not_evaluated() {
    let rule = vec!["ALARM(signins)"; 500].join(" OR ");
    let many: Vec<_> = (0..250)
        .map(|index| Arc::new(composite(&format!("c{index}"), &rule)))
        .collect();
    let drives = Composites::new(&[Arc::new(alarm())], &many).drives(&alarm(), |_| Also::No);
    assert!(
        drives
            .iter()
            .all(|(_, drive)| matches!(drive, Drive::Undecided(_)))
    );
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
