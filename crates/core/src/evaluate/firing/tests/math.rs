//! Alarms on metric math, and on queries by text.

use super::*;
use crate::evidence::{Metric, MetricDataQuery, MetricStat};

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

/// An alarm on metric math, where another filter writes the other metric for other events.
fn check_math(filter: &MetricFilter, alarm: &MetricAlarm) -> Firing {
    check_math_where(filter, alarm, Share::None, "1")
}

fn check_math_where(own: &MetricFilter, alarm: &MetricAlarm, events: Share, value: &str) -> Firing {
    let other = filter(|_, transformation| {
        transformation.metric_name = "Other".into();
        transformation.metric_value = value.into();
    });
    let writer = Writer {
        filter: &other,
        transformation: &other.metric_transformations[0],
        events,
        others: Share::Some,
    };
    let account = "111111111111".parse().unwrap();
    let signal = Signal::new(own, &own.metric_transformations[0], account).beside([writer]);
    only(analyse(alarm, &signal))
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
        match check_math(&plain(), &math(expression)) {
            Firing::Fires(fires) => assert_eq!(fires.events(), expected, "{expression}"),
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
    // One that nobody is known to write spoils the others.
    let stat = sum.metrics[0].metric_stat.as_mut().unwrap();
    stat.metric.dimensions.clear();
    assert!(matches!(
        only(analyse(&sum, &signal)),
        Firing::Undecided { .. }
    ));
}

/// What is read beside the metric takes part.
#[test]
fn metric_math_over_what_others_write() {
    let (none, some, all) = (Share::None, Share::Some, Share::All);
    for (expression, events, value, expected) in [
        ("FILL(m1, 0) - FILL(m2, 0)", all, "1", "cannot"),
        ("FILL(m1, 0) - FILL(m2, 0)", some, "1", "undecided"),
        ("FILL(m1, 0) - FILL(m2, 0)", none, "1", "undecided"),
        ("FILL(m1, 0) - FILL(m2, 0)", all, "0", "fires"),
        ("m1 - FILL(m1, 0)", none, "1", "cannot"),
        ("m1 + m1", none, "1", "fires"),
        ("MAX([m1, m2])", none, "-1", "fires"),
        ("SUM([m1, m2])", none, "-1", "undecided"),
        ("m1 * FILL(m2, 1)", none, "1", "fires"),
        ("m1 * FILL(m2, 0)", none, "1", "cannot"),
        ("m1 / (m1 + 1)", none, "1", "cannot"),
        ("m1 / (m2 + 1)", none, "1", "undecided"),
    ] {
        let firing = check_math_where(&plain(), &math(expression), events, value);
        let is = match firing {
            Firing::Fires(_) => "fires",
            Firing::Cannot { .. } => "cannot",
            Firing::Undecided { .. } => "undecided",
            Firing::Unrelated => "unrelated",
        };
        assert_eq!(is, expected, "{expression} {events:?} {value}: {firing:?}");
    }
}

#[test]
fn metrics_that_nobody_is_known_to_write() {
    for expression in [
        "SUM([m1, m2])",
        "MAX([m1, m2])",
        "FILL(m1, 0) + FILL(m2, 0)",
    ] {
        let firing = check(&plain(), &math(expression));
        let Firing::Undecided { why } = firing else {
            panic!("{expression}: {firing:?}")
        };
        assert!(why.contains("CISBenchmark/Other"), "{why}");
    }
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
        let firing = check_math(&plain(), &math(expression));
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
            check_math(&plain(), &math(expression)),
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
        check_math(&plain(), &math("FILL(m1, 1)")),
        Firing::Cannot { .. }
    ));
    assert!(matches!(
        check_math(&plain(), &math("m1 + 1")),
        Firing::Fires(_)
    ));
    assert!(matches!(
        check_math(&with_default(0.0), &math("m1 + 1")),
        Firing::Cannot { .. }
    ));
}

#[test]
fn expressions_that_refer_to_themselves_end() {
    let mut cyclic = math("result + inner");
    cyclic.metrics[2].expression = Some("result".to_owned());
    assert!(matches!(check_math(&plain(), &cyclic), Firing::Unrelated));
    cyclic.metrics[2].expression = Some("result + m1".to_owned());
    assert!(matches!(
        check_math(&plain(), &cyclic),
        Firing::Undecided { .. }
    ));
}

#[test]
fn queries_by_text_are_not_decided() {
    let insights = math("SELECT SUM(Failures) FROM SCHEMA(CISBenchmark)");
    assert!(matches!(
        check_math(&plain(), &insights),
        Firing::Undecided { .. }
    ));
}
