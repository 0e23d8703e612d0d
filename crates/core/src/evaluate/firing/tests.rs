//! What fires on which signal, and what cannot.

use super::*;
use crate::evidence::{Dimension, Metric, MetricDataQuery, MetricStat};

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
    let mut alarm = MetricAlarm {
        alarm_name: "signins".to_owned(),
        namespace: Some("CISBenchmark".to_owned()),
        metric_name: Some("Failures".to_owned()),
        statistic: Some("Sum".to_owned()),
        period: Some(300),
        evaluation_periods: Some(1),
        threshold: Some(1.0),
        comparison_operator: Some("GreaterThanOrEqualToThreshold".to_owned()),
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
        Firing::Fires(fires) => Ok(fires.events),
        Firing::Cannot { .. } => Err("cannot"),
        Firing::Undecided { .. } => Err("undecided"),
        Firing::Unrelated => Err("unrelated"),
    }
}

fn statistic(name: &str) -> impl FnOnce(&mut MetricAlarm) {
    move |alarm| alarm.statistic = Some(name.to_owned())
}

#[test]
fn the_benchmarks_alarm_fires_on_one_event() {
    let Firing::Fires(fires) = check(&plain(), &alarm(|_| {})) else {
        panic!("must fire")
    };
    assert_eq!(
        fires,
        Fires {
            events: 1,
            restrictions: vec![],
            observations: vec![]
        }
    );
}

#[test]
fn other_metrics_are_unrelated() {
    assert_eq!(
        events(&plain(), |alarm| alarm.namespace =
            Some("cisbenchmark".to_owned())),
        Err("unrelated")
    );
    assert_eq!(
        events(&plain(), |alarm| alarm.metric_name =
            Some("Other".to_owned())),
        Err("unrelated")
    );
}

#[test]
fn thresholds_cost_events() {
    assert_eq!(events(&plain(), |alarm| alarm.threshold = Some(5.0)), Ok(5));
    assert_eq!(events(&plain(), |alarm| alarm.threshold = Some(0.5)), Ok(1));
    assert_eq!(
        events(&plain(), |alarm| alarm.comparison_operator =
            Some("GreaterThanThreshold".to_owned())),
        Ok(2)
    );
    let ten = filter(|_, transformation| transformation.metric_value = "10".to_owned());
    assert_eq!(events(&ten, |alarm| alarm.threshold = Some(25.0)), Ok(3));
    assert_eq!(
        events(&plain(), |alarm| alarm.threshold = Some(1e12)),
        Err("cannot")
    );
}

#[test]
fn several_events_are_an_observation() {
    let Firing::Fires(fires) = check(&plain(), &alarm(|alarm| alarm.threshold = Some(3.0))) else {
        panic!("must fire")
    };
    assert_eq!(fires.observations[0].code, "alarm.needs-several-events");
    assert!(fires.observations[0].message.contains("3 matching events"));
}

#[test]
fn a_value_of_zero_never_adds_up() {
    let zero = filter(|_, transformation| transformation.metric_value = "0".to_owned());
    assert_eq!(events(&zero, |_| {}), Err("cannot"));
    assert_eq!(events(&zero, statistic("SampleCount")), Ok(1));
    let negative = filter(|_, transformation| transformation.metric_value = "-1".to_owned());
    assert_eq!(events(&negative, |_| {}), Err("cannot"));
}

#[test]
fn averages_never_exceed_the_value() {
    assert_eq!(events(&plain(), statistic("Average")), Ok(1));
    assert_eq!(
        events(&plain(), |alarm| {
            alarm.statistic = Some("Average".to_owned());
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
            alarm.statistic = Some("Average".to_owned());
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
            alarm.statistic = Some("SampleCount".to_owned());
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

/// Other filters write their default values to the metric that they share.
#[test]
fn default_values_of_other_filters() {
    let least = |other: &MetricFilter, unrelated: bool, change: &dyn Fn(&mut MetricAlarm)| {
        let own = plain();
        let transformation = &own.metric_transformations[0];
        let beside = Beside::default_of(&other.metric_transformations[0]).map(|beside| Beside {
            always: unrelated,
            ..beside
        });
        let signal = Signal::new(&own, transformation, "111111111111".parse().unwrap());
        match only(analyse(&alarm(change), &signal.beside(beside))) {
            Firing::Fires(fires) => Ok(fires.events),
            Firing::Cannot { .. } => Err("cannot"),
            Firing::Undecided { .. } => Err("undecided"),
            Firing::Unrelated => Err("unrelated"),
        }
    };
    let zero = with_default(0.0);
    let one = with_default(1.0);
    let in_seconds = filter(|_, transformation| {
        transformation.unit = Some("Seconds".to_owned());
        transformation.default_value = Some(1.0);
    });
    let sum = |_: &mut MetricAlarm| {};
    let statistic =
        |name: &'static str| move |alarm: &mut MetricAlarm| alarm.statistic = Some(name.to_owned());
    let without_unit = |alarm: &mut MetricAlarm| alarm.unit = Some("None".to_owned());
    let breaching =
        |alarm: &mut MetricAlarm| alarm.treat_missing_data = Some("breaching".to_owned());
    for (case, other, change, unrelated, overlapping) in [
        (
            "zeros",
            &zero,
            &sum as &dyn Fn(&mut MetricAlarm),
            Ok(1),
            Ok(1),
        ),
        ("ones", &one, &sum, Err("cannot"), Err("cannot")),
        ("all units", &in_seconds, &sum, Err("cannot"), Err("cannot")),
        ("one unit", &in_seconds, &without_unit, Ok(1), Ok(1)),
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
        assert_eq!(least(other, true, change), unrelated, "{case}");
        assert_eq!(least(other, false, change), overlapping, "{case}");
    }
}

#[test]
fn comparisons_that_look_down() {
    let less =
        |alarm: &mut MetricAlarm| alarm.comparison_operator = Some("LessThanThreshold".to_owned());
    assert_eq!(events(&plain(), less), Err("cannot"));
    assert_eq!(events(&with_default(0.0), less), Err("cannot"));
    let Firing::Fires(fires) = check(
        &plain(),
        &alarm(|alarm| alarm.comparison_operator = Some("LessThanOrEqualToThreshold".to_owned())),
    ) else {
        panic!("one event is one, and one is not more than one")
    };
    assert_eq!(fires.observations[0].code, "alarm.looks-the-wrong-way");
}

#[test]
fn missing_data() {
    let treat = |how: &str| {
        let how = how.to_owned();
        move |alarm: &mut MetricAlarm| alarm.treat_missing_data = Some(how)
    };
    assert_eq!(events(&plain(), treat("notBreaching")), Ok(1));
    assert_eq!(events(&plain(), treat("missing")), Ok(1));
    assert_eq!(events(&plain(), treat("ignore")), Ok(1));
    assert_eq!(events(&plain(), treat("breaching")), Err("cannot"));
    assert_eq!(events(&with_default(0.0), treat("breaching")), Ok(1));
    assert_eq!(events(&plain(), treat("hopeful")), Err("undecided"));
    let latched = |alarm: &mut MetricAlarm| {
        alarm.treat_missing_data = Some("ignore".to_owned());
        alarm.state_value = Some("ALARM".to_owned());
    };
    assert_eq!(events(&plain(), latched), Err("cannot"));
    assert_eq!(events(&with_default(0.0), latched), Ok(1));
}

#[test]
fn several_periods_have_to_breach() {
    let periods = |evaluated, needed, missing: &str| {
        let missing = missing.to_owned();
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

#[test]
fn units_have_to_agree() {
    let unit = |name: &str| {
        let name = name.to_owned();
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
        let name = name.to_owned();
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
    let selected = filter(|_, transformation| transformation.metric_value = "$.count".to_owned());
    assert_eq!(events(&selected, |_| {}), Err("undecided"));
    assert_eq!(events(&selected, statistic("SampleCount")), Ok(1));
}

#[test]
fn bands_are_not_decided() {
    assert_eq!(
        events(&plain(), |alarm| {
            alarm.threshold = None;
            alarm.comparison_operator = Some("GreaterThanUpperThreshold".to_owned());
            alarm.threshold_metric_id = Some("ad1".to_owned());
        }),
        Err("undecided")
    );
}

fn metric(id: &str, name: &str) -> MetricDataQuery {
    MetricDataQuery {
        id: id.to_owned(),
        metric_stat: Some(MetricStat {
            metric: Metric {
                namespace: Some("CISBenchmark".to_owned()),
                metric_name: Some(name.to_owned()),
                dimensions: vec![],
            },
            period: Some(300),
            stat: Some("Sum".to_owned()),
            unit: None,
        }),
        return_data: Some(false),
        ..MetricDataQuery::default()
    }
}

fn math(expression: &str) -> MetricAlarm {
    alarm(|alarm| {
        alarm.namespace = None;
        alarm.metric_name = None;
        alarm.statistic = None;
        alarm.period = None;
        alarm.metrics = vec![
            metric("m1", "Failures"),
            metric("m2", "Other"),
            MetricDataQuery {
                id: "inner".to_owned(),
                expression: Some("m1 * 2".to_owned()),
                return_data: Some(false),
                ..MetricDataQuery::default()
            },
            MetricDataQuery {
                id: "result".to_owned(),
                expression: Some(expression.to_owned()),
                ..MetricDataQuery::default()
            },
        ];
    })
}

#[test]
fn metric_math_over_the_metric() {
    for (expression, expected) in [
        ("m1", 1),
        ("(m1)", 1),
        ("SUM([m1, m2])", 1),
        ("SUM(METRICS())", 1),
        ("MAX([m1])", 1),
        ("MAX([m1, m2])", 1),
        ("MIN([m1])", 1),
        ("FILL(m1, 0)", 1),
        ("FILL(m1, 0) + FILL(m2, 0)", 1),
        ("SUM([FILL(m1,0),FILL(m2,0)])", 1),
        ("m1 / 3", 3),
        ("inner", 1),
        ("inner - 5", 3),
        ("-m1 * -1", 1),
    ] {
        match check(&plain(), &math(expression)) {
            Firing::Fires(fires) => assert_eq!(fires.events, expected, "{expression}"),
            other => panic!("{expression}: {other:?}"),
        }
    }
}

/// A metric that is told apart by a dimension may be added up again.
#[test]
fn metric_math_over_several_values_of_a_dimension() {
    let dimensioned = filter(|_, transformation| {
        transformation
            .dimensions
            .insert("Type".to_owned(), "$.userIdentity.type".to_owned());
    });
    let mut sum = math("SUM([m1, m2])");
    for (query, value) in sum.metrics.iter_mut().zip(["Root", "IAMUser"]) {
        let metric = &mut query.metric_stat.as_mut().unwrap().metric;
        metric.metric_name = Some("Failures".to_owned());
        metric.dimensions = vec![Dimension {
            name: "Type".to_owned(),
            value: value.to_owned(),
        }];
    }
    let signal = Signal::new(
        &dimensioned,
        &dimensioned.metric_transformations[0],
        "111111111111".parse().unwrap(),
    );
    let values = |alarm: &MetricAlarm| -> Vec<String> {
        let mut values: Vec<String> = analyse(alarm, &signal)
            .into_iter()
            .map(|firing| match firing {
                Firing::Fires(fires) => fires.restrictions[0].value.clone(),
                other => panic!("{other:?}"),
            })
            .collect();
        values.sort();
        values
    };
    assert_eq!(values(&sum), ["IAMUser", "Root"]);
    // One that reads nothing does not spoil the others.
    let stat = sum.metrics[0].metric_stat.as_mut().unwrap();
    stat.metric.dimensions.clear();
    assert_eq!(values(&sum), ["IAMUser"]);
}

#[test]
fn metric_math_that_is_not_analysed() {
    for expression in [
        "m1 + m2",
        "m1 * m2",
        "MIN([m1, m2])",
        "AVG(METRICS())",
        "IF(m1 > 5, 1, 0)",
        "RATE(m1)",
        "FILL(m1, REPEAT)",
        "SUM(m1)",
        "ANOMALY_DETECTION_BAND(m1, 2)",
        "m1 +",
        "m1 / 0",
        &format!("{}m1{}", "(".repeat(400), ")".repeat(400)),
    ] {
        let firing = check(&plain(), &math(expression));
        assert!(
            matches!(firing, Firing::Undecided { .. }),
            "{expression}: {firing:?}"
        );
    }
}

#[test]
fn metric_math_over_something_else() {
    for expression in ["m2", "FILL(m2, 0)", "1 + 1"] {
        assert_eq!(
            check(&plain(), &math(expression)),
            Firing::Unrelated,
            "{expression}"
        );
    }
    let mut elsewhere = math("m1");
    elsewhere.metrics[0].account_id = Some("222222222222".to_owned());
    assert_eq!(check(&plain(), &elsewhere), Firing::Unrelated);
}

#[test]
fn filled_gaps_can_breach_on_their_own() {
    assert!(matches!(
        check(&plain(), &math("FILL(m1, 1)")),
        Firing::Cannot { .. }
    ));
    assert!(matches!(check(&plain(), &math("m1 + 1")), Firing::Fires(_)));
    assert!(matches!(
        check(&with_default(0.0), &math("m1 + 1")),
        Firing::Cannot { .. }
    ));
}

#[test]
fn expressions_that_refer_to_themselves_end() {
    let mut cyclic = math("result + inner");
    cyclic.metrics[2].expression = Some("result".to_owned());
    assert!(matches!(check(&plain(), &cyclic), Firing::Unrelated));
    cyclic.metrics[2].expression = Some("result + m1".to_owned());
    assert!(matches!(check(&plain(), &cyclic), Firing::Undecided { .. }));
}

#[test]
fn queries_by_text_are_not_decided() {
    let insights = math("SELECT SUM(Failures) FROM SCHEMA(CISBenchmark)");
    assert!(matches!(
        check(&plain(), &insights),
        Firing::Undecided { .. }
    ));
}
