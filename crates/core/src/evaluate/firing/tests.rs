//! What fires on which signal, and what cannot.

mod math;

use std::sync::Arc;

use super::*;
use crate::evidence::{AlarmConfiguration, Dimension, MetricFilter, MetricTransformation};

fn filter(change: impl FnOnce(&mut MetricFilter, &mut MetricTransformation)) -> MetricFilter {
    let mut filter: MetricFilter = serde_json::from_value(serde_json::json!({
        "filterName": "signins", "filterPattern": "{ $.a = 1 }",
    }))
    .unwrap();
    let mut transformation: MetricTransformation = serde_json::from_value(serde_json::json!({
        "metricName": "Failures", "metricNamespace": "CISBenchmark", "metricValue": "1",
    }))
    .unwrap();
    change(&mut filter, &mut transformation);
    filter.metric_transformations = vec![transformation];
    filter
}

fn plain() -> MetricFilter {
    filter(|_, _| {})
}

fn with_default(value: f64) -> MetricFilter {
    filter(|_, transformation| transformation.default_value = Some(value))
}

fn alarm(change: impl FnOnce(&mut MetricAlarm)) -> MetricAlarm {
    let configuration = AlarmConfiguration {
        namespace: Some("CISBenchmark".into()),
        metric_name: Some("Failures".into()),
        statistic: Some("Sum".into()),
        period: Some(300),
        evaluation_periods: Some(1),
        threshold: Some(1.0),
        comparison_operator: Some("GreaterThanOrEqualToThreshold".into()),
        ..AlarmConfiguration::default()
    };
    let mut alarm = MetricAlarm {
        alarm_name: "signins".into(),
        configuration: Arc::new(configuration),
        ..MetricAlarm::default()
    };
    change(&mut alarm);
    alarm
}

fn check(filter: &MetricFilter, alarm: &MetricAlarm) -> Firing {
    let account = "111111111111".parse().unwrap();
    only(analyse(
        alarm,
        &Signal::new(filter, &filter.metric_transformations[0], account),
    ))
}

fn only(mut all: Vec<Firing>) -> Firing {
    assert_eq!(all.len(), 1, "{all:?}");
    all.remove(0)
}

/// The least number of events, or the first word of what else was said.
fn events(
    filter: &MetricFilter,
    change: impl FnOnce(&mut MetricAlarm),
) -> Result<u64, &'static str> {
    match check(filter, &alarm(change)) {
        Firing::Fires(fires) => Ok(fires.events()),
        Firing::Cannot { .. } => Err("cannot"),
        Firing::Undecided { .. } => Err("undecided"),
        Firing::Unrelated => Err("unrelated"),
    }
}

fn statistic(name: &str) -> impl FnOnce(&mut MetricAlarm) {
    move |alarm| alarm.statistic = Some(name.into())
}

#[test]
fn the_benchmarks_alarm_fires_on_one_event() {
    let Firing::Fires(fires) = check(&plain(), &alarm(|_| {})) else {
        panic!("must fire")
    };
    assert_eq!(
        fires,
        Fires {
            each: 1,
            periods: 1,
            evaluated: 1,
            period: 300,
            delay: 0,
            wall_clock: false,
            restrictions: vec![],
            observations: vec![]
        }
    );
}

#[test]
fn other_metrics_are_unrelated() {
    assert_eq!(
        events(&plain(), |alarm| alarm.namespace =
            Some("cisbenchmark".into())),
        Err("unrelated")
    );
    assert_eq!(
        events(&plain(), |alarm| alarm.metric_name = Some("Other".into())),
        Err("unrelated")
    );
}

#[test]
fn thresholds_cost_events() {
    assert_eq!(events(&plain(), |alarm| alarm.threshold = Some(5.0)), Ok(5));
    assert_eq!(events(&plain(), |alarm| alarm.threshold = Some(0.5)), Ok(1));
    assert_eq!(
        events(&plain(), |alarm| alarm.comparison_operator =
            Some("GreaterThanThreshold".into())),
        Ok(2)
    );
    let ten = filter(|_, transformation| transformation.metric_value = "10".into());
    assert_eq!(events(&ten, |alarm| alarm.threshold = Some(25.0)), Ok(3));
    // Few are all tried, of many those between which something changes; the last number that is
    // tried is 128 times a power of two.
    for number in [
        63_u32,
        64,
        65,
        127,
        128,
        129,
        200,
        1_000,
        123_456,
        536_870_912,
    ] {
        assert_eq!(
            events(&plain(), |alarm| alarm.threshold = Some(f64::from(number))),
            Ok(u64::from(number)),
            "{number}"
        );
    }
    for number in [536_870_913.0, 1e12] {
        assert_eq!(
            events(&plain(), |alarm| alarm.threshold = Some(number)),
            Err("cannot"),
            "{number}"
        );
    }
}

#[test]
fn a_value_of_zero_never_adds_up() {
    let zero = filter(|_, transformation| transformation.metric_value = "0".into());
    assert_eq!(events(&zero, |_| {}), Err("cannot"));
    assert_eq!(events(&zero, statistic("SampleCount")), Ok(1));
    let negative = filter(|_, transformation| transformation.metric_value = "-1".into());
    assert_eq!(events(&negative, |_| {}), Err("cannot"));
}

#[test]
fn averages_never_exceed_the_value() {
    assert_eq!(events(&plain(), statistic("Average")), Ok(1));
    assert_eq!(
        events(&plain(), |alarm| {
            alarm.statistic = Some("Average".into());
            alarm.threshold = Some(2.0);
        }),
        Err("cannot")
    );
    // An event in each of five minutes, if one default value is written for each minute; never, if
    // one is written for every event that does not match.
    for name in ["Average", "Minimum"] {
        assert_eq!(
            events(&with_default(0.0), statistic(name)),
            Err("undecided"),
            "{name}"
        );
    }
    assert_eq!(events(&with_default(0.0), statistic("Maximum")), Ok(1));
    assert_eq!(
        events(&with_default(0.0), |alarm| {
            alarm.statistic = Some("Average".into());
            alarm.threshold = Some(0.5);
        }),
        Ok(3)
    );
}

#[test]
fn default_values_can_breach_on_their_own() {
    assert_eq!(events(&with_default(0.0), |_| {}), Ok(1));
    assert_eq!(events(&with_default(1.0), |_| {}), Err("cannot"));
    // Counting samples counts the default values too.
    assert_eq!(
        events(&with_default(0.0), statistic("SampleCount")),
        Err("cannot")
    );
    assert_eq!(
        events(&with_default(0.0), |alarm| {
            alarm.statistic = Some("SampleCount".into());
            alarm.threshold = Some(6.0);
        }),
        Err("undecided")
    );
    // Two in one minute, or as many as there are events.
    assert_eq!(
        events(&with_default(2.0), |alarm| alarm.threshold = Some(12.0)),
        Err("undecided")
    );
}

/// The least number of events beside another filter that writes to the same metric.
fn beside(
    other: &MetricFilter,
    events: Share,
    others: Share,
    change: impl FnOnce(&mut MetricAlarm),
) -> Result<u64, &'static str> {
    let own = plain();
    let signal = Signal::new(
        &own,
        &own.metric_transformations[0],
        "111111111111".parse().unwrap(),
    );
    let writer = Writer {
        filter: other,
        transformation: &other.metric_transformations[0],
        events,
        others,
    };
    match only(analyse(&alarm(change), &signal.beside([writer]))) {
        Firing::Fires(fires) => Ok(fires.events()),
        Firing::Cannot { .. } => Err("cannot"),
        Firing::Undecided { .. } => Err("undecided"),
        Firing::Unrelated => Err("unrelated"),
    }
}

/// Other filters write their default values to the metric that they share.
#[test]
fn default_values_of_other_filters() {
    let zero = with_default(0.0);
    let one = with_default(1.0);
    let in_seconds = filter(|_, transformation| {
        transformation.unit = Some("Seconds".to_owned());
        transformation.default_value = Some(1.0);
    });
    let sum = |_: &mut MetricAlarm| {};
    let statistic =
        |name: &'static str| move |alarm: &mut MetricAlarm| alarm.statistic = Some(name.into());
    let with_unit = |alarm: &mut MetricAlarm| alarm.unit = Some("None".into());
    let breaching = |alarm: &mut MetricAlarm| alarm.treat_missing_data = Some("breaching".into());
    for (case, other, change, unrelated, overlapping) in [
        (
            "zeros",
            &zero,
            &sum as &dyn Fn(&mut MetricAlarm),
            Ok(1),
            Ok(1),
        ),
        ("ones", &one, &sum, Err("cannot"), Err("cannot")),
        (
            "two units",
            &in_seconds,
            &sum,
            Err("undecided"),
            Err("undecided"),
        ),
        ("one unit", &in_seconds, &with_unit, Ok(1), Ok(1)),
        // The zero of the minute is there beside the event, if the other filter does not match it.
        (
            "mean",
            &zero,
            &statistic("Average"),
            Err("cannot"),
            Err("undecided"),
        ),
        (
            "least",
            &zero,
            &statistic("Minimum"),
            Err("cannot"),
            Err("undecided"),
        ),
        ("greatest", &zero, &statistic("Maximum"), Ok(1), Ok(1)),
        (
            "count",
            &zero,
            &statistic("SampleCount"),
            Err("cannot"),
            Err("cannot"),
        ),
        // Nothing is missing while zeros arrive.
        ("no gaps", &zero, &breaching, Ok(1), Ok(1)),
    ] {
        assert_eq!(
            beside(other, Share::None, Share::Some, change),
            unrelated,
            "{case}"
        );
        assert_eq!(
            beside(other, Share::Some, Share::Some, change),
            overlapping,
            "{case}"
        );
    }
}

/// Other filters write their values for the same events, or for others.
#[test]
fn values_of_other_filters() {
    let (none, some, all) = (Share::None, Share::Some, Share::All);
    let (cannot, undecided) = (Err("cannot"), Err("undecided"));
    for (value, how, threshold, events, others, expected) in [
        // Whatever is added only helps.
        ("1", "Sum", 1.0, all, none, Ok(1)),
        ("1", "Sum", 2.0, all, none, Ok(1)),
        ("1", "Sum", 2.0, some, some, Ok(2)),
        ("0", "Sum", 1.0, some, some, Ok(1)),
        ("5", "Maximum", 1.0, some, some, Ok(1)),
        ("-5", "Maximum", 1.0, some, some, Ok(1)),
        ("0", "SampleCount", 2.0, all, none, Ok(1)),
        ("0", "SampleCount", 2.0, some, some, Ok(2)),
        // It takes away what is there.
        ("-1", "Sum", 1.0, all, none, cannot),
        ("-1", "Sum", 1.0, some, none, undecided),
        ("-1", "Sum", 1.0, none, some, undecided),
        ("-0.5", "Sum", 1.0, all, none, Ok(2)),
        ("-0.5", "Sum", 1.0, some, none, Ok(2)),
        ("0", "Average", 1.0, all, none, cannot),
        ("0", "Average", 0.5, all, none, Ok(1)),
        ("0", "Average", 0.5, all, some, undecided),
        ("0", "Average", 1.0, none, some, undecided),
        ("1", "Average", 1.0, some, some, Ok(1)),
        ("0", "Minimum", 1.0, some, none, undecided),
        ("0", "Minimum", 1.0, all, none, cannot),
        ("0", "p50", 1.0, all, none, undecided),
        ("$.n", "Sum", 1.0, some, some, undecided),
        ("$.n", "Maximum", 1.0, some, some, Ok(1)),
        ("$.n", "SampleCount", 1.0, all, none, Ok(1)),
        // It matches every event.
        ("1", "Sum", 1.0, all, all, cannot),
        ("0", "Sum", 1.0, all, all, Ok(1)),
        ("0", "Average", 1.0, all, all, cannot),
        ("0.1", "Sum", 1.0, all, all, undecided),
    ] {
        let other = filter(|_, transformation| transformation.metric_value = value.into());
        let change = |alarm: &mut MetricAlarm| {
            alarm.threshold = Some(threshold);
            alarm.statistic = None;
            alarm.extended_statistic = Some(how.into());
        };
        assert_eq!(
            beside(&other, events, others, change),
            expected,
            "{value} {how} {threshold} {events:?} {others:?}"
        );
    }
}

/// Those whose values nobody knows are named, the first few of them.
#[test]
fn other_filters_are_named() {
    let own = plain();
    let account = "111111111111".parse().unwrap();
    for (number, named) in [
        (1, "metric filter `other-0` writes"),
        (2, "metric filters `other-0`, `other-1` write"),
        (3, "metric filters `other-0`, `other-1`, `other-2` write"),
        (
            5,
            "metric filters `other-0`, `other-1`, `other-2` and 2 more write",
        ),
    ] {
        for (events, others, sentence) in [
            (Share::None, Share::Some, "by the values that"),
            (Share::Some, Share::None, "by what"),
        ] {
            let beside: Vec<MetricFilter> = (0..number)
                .map(|index| {
                    filter(|filter, transformation| {
                        filter.filter_name = format!("other-{index}").into();
                        transformation.metric_value = "-1".into();
                    })
                })
                .collect();
            let writers = beside.iter().map(|filter| Writer {
                filter,
                transformation: &filter.metric_transformations[0],
                events,
                others,
            });
            let signal = Signal::new(&own, &own.metric_transformations[0], account);
            let writers: Vec<Writer<'_>> = writers.collect();
            let Firing::Undecided { why } = only(analyse(&alarm(|_| {}), &signal.beside(writers)))
            else {
                panic!("{number} {events:?} {others:?}")
            };
            let expected = format!("may be kept from ALARM {sentence} {named} for ");
            assert!(why.contains(&expected), "{why}");
        }
    }
}

#[test]
fn comparisons_that_look_down() {
    let less =
        |alarm: &mut MetricAlarm| alarm.comparison_operator = Some("LessThanThreshold".into());
    assert_eq!(events(&plain(), less), Err("cannot"));
    assert_eq!(events(&with_default(0.0), less), Err("cannot"));
    let Firing::Fires(fires) = check(
        &plain(),
        &alarm(|alarm| alarm.comparison_operator = Some("LessThanOrEqualToThreshold".into())),
    ) else {
        panic!("one event is one, and one is not more than one")
    };
    assert_eq!(fires.observations[0].code, "alarm.looks-the-wrong-way");
}

#[test]
fn missing_data() {
    let treat = |how: &str| {
        let how = Arc::from(how);
        move |alarm: &mut MetricAlarm| alarm.treat_missing_data = Some(how)
    };
    assert_eq!(events(&plain(), treat("notBreaching")), Ok(1));
    assert_eq!(events(&plain(), treat("missing")), Ok(1));
    assert_eq!(events(&plain(), treat("ignore")), Ok(1));
    assert_eq!(events(&plain(), treat("breaching")), Err("cannot"));
    assert_eq!(events(&with_default(0.0), treat("breaching")), Ok(1));
    assert_eq!(events(&plain(), treat("hopeful")), Err("undecided"));
    let latched = |alarm: &mut MetricAlarm| {
        alarm.treat_missing_data = Some("ignore".into());
        alarm.state_value = Some("ALARM".into());
    };
    assert_eq!(events(&plain(), latched), Err("cannot"));
    assert_eq!(events(&with_default(0.0), latched), Ok(1));
}

#[test]
fn several_periods_have_to_breach() {
    let periods = |evaluated, needed, missing: &str| {
        let missing = Arc::from(missing);
        move |alarm: &mut MetricAlarm| {
            alarm.evaluation_periods = Some(evaluated);
            alarm.datapoints_to_alarm = needed;
            alarm.treat_missing_data = Some(missing);
        }
    };
    assert_eq!(events(&plain(), periods(3, None, "notBreaching")), Ok(3));
    assert_eq!(events(&plain(), periods(3, Some(2), "notBreaching")), Ok(2));
    assert_eq!(events(&plain(), periods(3, Some(1), "notBreaching")), Ok(1));
    assert_eq!(events(&plain(), periods(3, None, "ignore")), Ok(3));
    // Missing data points are left out, so one breaching data point suffices.
    assert_eq!(events(&plain(), periods(3, None, "missing")), Ok(1));
    assert_eq!(
        events(&with_default(0.0), periods(3, None, "missing")),
        Ok(3)
    );
    assert_eq!(
        events(&plain(), |alarm| {
            periods(2, None, "notBreaching")(alarm);
            alarm.period = Some(10);
        }),
        Err("undecided")
    );
}

/// What the words say, and over which time events have to keep coming.
#[test]
fn count_and_rhythm() {
    for (threshold, evaluated, needed, missing, rhythm, span, delay) in [
        (1.0, 1, 1, "notBreaching", "one matching event", 0, 0),
        (5.0, 1, 1, "notBreaching", "5 matching events", 0, 0),
        (
            1.0,
            5,
            5,
            "notBreaching",
            "one matching event in each of 5 periods of 5 minutes in a row",
            1500,
            0,
        ),
        (
            2.0,
            5,
            3,
            "notBreaching",
            "2 matching events in each of 3 among 5 periods of 5 minutes in a row",
            900,
            0,
        ),
        (1.0, 24, 24, "missing", "one matching event", 0, 7200),
    ] {
        let alarm = alarm(|alarm| {
            alarm.threshold = Some(threshold);
            alarm.evaluation_periods = Some(evaluated);
            alarm.datapoints_to_alarm = Some(needed);
            alarm.treat_missing_data = Some(missing.into());
        });
        let Firing::Fires(fires) = check(&plain(), &alarm) else {
            panic!("must fire")
        };
        assert_eq!(fires.rhythm(), rhythm);
        assert_eq!((fires.span(), fires.delay), (span, delay), "{rhythm}");
    }
}

#[test]
fn units_have_to_agree() {
    let unit = |name: &str| {
        let name = Arc::from(name);
        move |alarm: &mut MetricAlarm| alarm.unit = Some(name)
    };
    assert_eq!(events(&plain(), unit("Count")), Err("cannot"));
    assert_eq!(events(&plain(), unit("None")), Ok(1));
    let counted = filter(|_, transformation| transformation.unit = Some("Count".to_owned()));
    assert_eq!(events(&counted, unit("Count")), Ok(1));
    assert_eq!(events(&counted, |_| {}), Ok(1));
    assert_eq!(events(&counted, unit("Bytes")), Err("cannot"));
}

#[test]
fn dimensions_have_to_agree() {
    let dimension = |name: &str| Dimension {
        name: name.to_owned(),
        value: "Root".to_owned(),
    };
    assert_eq!(
        events(&plain(), |alarm| alarm.dimensions = vec![dimension("Type")]),
        Err("cannot")
    );
    let dimensioned = filter(|filter, transformation| {
        transformation
            .dimensions
            .insert("Type".to_owned(), "$.userIdentity.type".to_owned());
        filter.emit_system_field_dimensions = vec!["@aws.account".to_owned()];
    });
    assert_eq!(events(&dimensioned, |_| {}), Err("cannot"));
    assert_eq!(
        events(&dimensioned, |alarm| alarm.dimensions =
            vec![dimension("Type")]),
        Err("cannot")
    );
    let both = alarm(|alarm| alarm.dimensions = vec![dimension("Type"), dimension("@aws.account")]);
    let Firing::Fires(fires) = check(&dimensioned, &both) else {
        panic!("must fire")
    };
    assert_eq!(
        fires.restrictions,
        [
            Restriction {
                source: DimensionSource::SystemField("@aws.account".to_owned()),
                value: "Root".to_owned(),
            },
            Restriction {
                source: DimensionSource::Selector("$.userIdentity.type".to_owned()),
                value: "Root".to_owned(),
            },
        ]
    );
}

#[test]
fn statistics_beyond_the_five() {
    let extended = |name: &str| {
        let name = Arc::from(name);
        move |alarm: &mut MetricAlarm| {
            alarm.statistic = None;
            alarm.extended_statistic = Some(name);
        }
    };
    for name in ["p99", "p99.9", "tm90", "tm(10%:90%)", "wm95", "IQM"] {
        assert_eq!(events(&plain(), extended(name)), Ok(1), "{name}");
        assert_eq!(
            events(&with_default(0.0), extended(name)),
            Err("undecided"),
            "{name}"
        );
    }
    for name in ["tc90", "ts90", "PR(:300)", "tm(2:3)", "p101", "p"] {
        assert_eq!(events(&plain(), extended(name)), Err("undecided"), "{name}");
    }
}

#[test]
fn values_from_the_event_are_not_known() {
    let selected = filter(|_, transformation| transformation.metric_value = "$.count".into());
    assert_eq!(events(&selected, |_| {}), Err("undecided"));
    assert_eq!(events(&selected, statistic("SampleCount")), Ok(1));
}

#[test]
fn bands_are_not_decided() {
    assert_eq!(
        events(&plain(), |alarm| {
            alarm.threshold = None;
            alarm.comparison_operator = Some("GreaterThanUpperThreshold".into());
            alarm.threshold_metric_id = Some("ad1".into());
        }),
        Err("undecided")
    );
}
