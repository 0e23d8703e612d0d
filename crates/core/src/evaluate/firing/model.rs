//! A second, naive model of alarms: streams of events, minute by minute, and the evaluation that
//! CloudWatch documents, compared with the analysis on random configurations.
//!
//! `PROPTEST_CASES=10000` makes it a long run.

use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed};

use super::*;
use crate::evidence::{AlarmConfiguration, Metric, MetricDataQuery, MetricFilter, MetricStat};

/// Some cases, always the same ones, unless the environment asks for another number.
pub(in crate::evaluate) fn config() -> Config {
    let mut config = Config::default();
    if config.cases == 256 {
        config.cases = 500;
    }
    config.rng_seed = RngSeed::Fixed(20_261_128);
    config.max_shrink_iters = 400;
    config.failure_persistence = None;
    config
}

/// A metric filter and which events it matches.
#[derive(Debug, Clone)]
struct Filter {
    metric: usize,
    value: f64,
    default: Option<f64>,
    events: Share,
    others: Share,
}

#[derive(Debug, Clone)]
struct Configuration {
    own: Filter,
    beside: Vec<Filter>,
    statistics: [&'static str; 2],
    expression: Option<&'static str>,
    operator: &'static str,
    threshold: f64,
    /// Whole minutes.
    minutes: usize,
    evaluated: usize,
    needed: usize,
    missing: &'static str,
}

const METRICS: [&str; 2] = ["Own", "Other"];

fn filter() -> impl Strategy<Value = Filter> {
    let share = || prop::sample::select(vec![Share::None, Share::Some, Share::All]);
    let others = prop::sample::select(vec![Share::None, Share::Some, Share::Some, Share::All]);
    let values = vec![1.0, 1.0, 0.0, -1.0, 2.0, 0.5];
    let defaults = vec![None, None, Some(0.0), Some(1.0), Some(-1.0)];
    (
        0_usize..2,
        prop::sample::select(values),
        prop::sample::select(defaults),
        share(),
        others,
    )
        .prop_map(|(metric, value, default, events, others)| Filter {
            metric,
            value,
            default,
            // One that matches everything matches the events in question.
            events: if others == Share::All {
                Share::All
            } else {
                events
            },
            others,
        })
}

fn configuration() -> impl Strategy<Value = Configuration> {
    let statistics = vec![
        "Sum",
        "Sum",
        "Average",
        "Minimum",
        "Maximum",
        "SampleCount",
        "p50",
        "p90",
    ];
    let statistic = move || prop::sample::select(statistics.clone());
    let expressions = vec![
        None,
        None,
        None,
        Some("m1"),
        Some("SUM([m1, m2])"),
        Some("MAX([m1, m2])"),
        Some("MIN([m1, m2])"),
        Some("AVG([m1, m2])"),
        Some("m1 + m2"),
        Some("m1 - m2"),
        Some("FILL(m1, 0) - FILL(m2, 0)"),
        Some("FILL(m1, 0) + FILL(m2, 0)"),
        Some("m1 - FILL(m1, 0)"),
        Some("m1 * FILL(m2, 1)"),
        Some("m1 / (FILL(m2, 0) + 1)"),
        Some("FILL(m1, 1) * 2"),
    ];
    let operators = vec![
        "GreaterThanOrEqualToThreshold",
        "GreaterThanOrEqualToThreshold",
        "GreaterThanThreshold",
        "LessThanThreshold",
        "LessThanOrEqualToThreshold",
    ];
    let treatments = vec!["missing", "notBreaching", "breaching", "ignore"];
    (
        (filter(), prop::collection::vec(filter(), 0..4)),
        [statistic(), statistic()],
        prop::sample::select(expressions),
        prop::sample::select(operators),
        prop::sample::select(vec![1.0, 1.0, 0.5, 0.0, 2.0, 3.0, -1.0]),
        1_usize..4,
        (1_usize..4, 1_usize..4),
        prop::sample::select(treatments),
    )
        .prop_map(
            |(
                (own, beside),
                statistics,
                expression,
                operator,
                threshold,
                minutes,
                counts,
                missing,
            )| {
                Configuration {
                    own: Filter {
                        metric: 0,
                        events: Share::All,
                        others: Share::None,
                        ..own
                    },
                    beside,
                    statistics,
                    expression,
                    operator,
                    threshold,
                    minutes,
                    evaluated: counts.0.max(counts.1),
                    needed: counts.0.min(counts.1),
                    missing,
                }
            },
        )
}

impl Configuration {
    fn filters(&self) -> impl Iterator<Item = &Filter> {
        std::iter::once(&self.own).chain(&self.beside)
    }

    /// The same as CloudWatch has it, as the analysis sees it.
    fn analysed(&self) -> Firing {
        let filters: Vec<MetricFilter> = self
            .filters()
            .map(|filter| {
                serde_json::from_value(serde_json::json!({
                    "filterName": "filter", "filterPattern": "",
                    "metricTransformations": [{
                        "metricName": METRICS[filter.metric], "metricNamespace": "Model",
                        "metricValue": filter.value.to_string(), "defaultValue": filter.default,
                    }],
                }))
                .unwrap()
            })
            .collect();
        let account = "111111111111".parse().unwrap();
        let own = Signal::new(&filters[0], &filters[0].metric_transformations[0], account);
        let beside = filters[1..]
            .iter()
            .zip(&self.beside)
            .map(|(filter, model)| Writer {
                filter,
                transformation: &filter.metric_transformations[0],
                events: model.events,
                others: model.others,
            });
        let period = u64::try_from(self.minutes * 60).unwrap();
        let mut alarm = MetricAlarm {
            alarm_name: "model".into(),
            ..MetricAlarm::default()
        };
        *alarm = AlarmConfiguration {
            comparison_operator: Some(self.operator.into()),
            threshold: Some(self.threshold),
            evaluation_periods: Some(u64::try_from(self.evaluated).unwrap()),
            datapoints_to_alarm: Some(u64::try_from(self.needed).unwrap()),
            treat_missing_data: Some(self.missing.into()),
            ..AlarmConfiguration::default()
        };
        if let Some(expression) = self.expression {
            alarm.metrics = ["m1", "m2"]
                .into_iter()
                .zip(METRICS)
                .zip(self.statistics)
                .map(|((id, name), statistic)| MetricDataQuery {
                    id: id.to_owned(),
                    metric_stat: Some(MetricStat {
                        metric: Metric {
                            namespace: Some("Model".to_owned()),
                            metric_name: Some(name.to_owned()),
                            dimensions: vec![],
                        },
                        period: Some(period),
                        stat: Some(statistic.to_owned()),
                        unit: None,
                    }),
                    return_data: Some(false),
                    ..MetricDataQuery::default()
                })
                .collect();
            alarm.metrics.push(MetricDataQuery {
                id: "result".to_owned(),
                expression: Some(expression.to_owned()),
                ..MetricDataQuery::default()
            });
        } else {
            alarm.namespace = Some("Model".into());
            alarm.metric_name = Some(METRICS[0].into());
            alarm.extended_statistic = Some(self.statistics[0].into());
            alarm.period = Some(period);
        }
        let mut all = analyse(&alarm, &own.beside(beside));
        assert_eq!(all.len(), 1);
        all.remove(0)
    }

    /// The data point of a period.
    fn datapoint(&self, period: &[Minute]) -> Option<f64> {
        let m = [0, 1].map(|metric| {
            let samples: Vec<f64> = period
                .iter()
                .flat_map(|minute| self.samples(metric, minute))
                .collect();
            statistic(self.statistics[metric], samples)
        });
        let both = |combine: fn(f64, f64) -> f64| Some(combine(m[0]?, m[1]?));
        let list = || m.into_iter().flatten();
        match self.expression {
            None | Some("m1") => m[0],
            Some("SUM([m1, m2])") => list().reduce(|one, other| one + other),
            Some("MAX([m1, m2])") => list().reduce(f64::max),
            Some("MIN([m1, m2])") => list().reduce(f64::min),
            Some("AVG([m1, m2])") => {
                let count = list().map(|_| 1.0).sum::<f64>();
                list()
                    .reduce(|one, other| one + other)
                    .map(|sum| sum / count)
            }
            Some("m1 + m2") => both(|one, other| one + other),
            Some("m1 - m2") => both(|one, other| one - other),
            Some("FILL(m1, 0) - FILL(m2, 0)") => Some(m[0].unwrap_or(0.0) - m[1].unwrap_or(0.0)),
            Some("FILL(m1, 0) + FILL(m2, 0)") => Some(m[0].unwrap_or(0.0) + m[1].unwrap_or(0.0)),
            Some("m1 - FILL(m1, 0)") => m[0].map(|_| 0.0),
            Some("m1 * FILL(m2, 1)") => m[0].map(|one| one * m[1].unwrap_or(1.0)),
            Some("m1 / (FILL(m2, 0) + 1)") => m[0]
                .map(|one| one / (m[1].unwrap_or(0.0) + 1.0))
                .filter(|value| value.is_finite()),
            Some("FILL(m1, 1) * 2") => Some(m[0].unwrap_or(1.0) * 2.0),
            Some(other) => panic!("{other}"),
        }
    }

    /// What the filters write to a metric in a minute: for each event the value of those that
    /// match it, and the default value of those that matched none, for logs arrive.
    fn samples(&self, metric: usize, minute: &Minute) -> Vec<f64> {
        let mut samples = Vec::new();
        for (index, filter) in self.filters().enumerate() {
            let events = minute.iter();
            let matched = events
                .filter(|event| event.is_matched(index, filter))
                .count();
            if filter.metric != metric {
                continue;
            }
            samples.extend(std::iter::repeat_n(filter.value, matched));
            samples.extend(filter.default.filter(|_| matched == 0));
        }
        samples
    }

    fn breaches(&self, value: f64) -> bool {
        match self.operator {
            "GreaterThanOrEqualToThreshold" => value >= self.threshold,
            "GreaterThanThreshold" => value > self.threshold,
            "LessThanThreshold" => value < self.threshold,
            _ => value <= self.threshold,
        }
    }

    /// The states of the alarm after each period, from a state on.
    fn states(&self, periods: &[Vec<Minute>]) -> Vec<State> {
        let points: Vec<Option<bool>> = periods
            .iter()
            .map(|period| self.datapoint(period).map(|value| self.breaches(value)))
            .collect();
        let mut state = State::InsufficientData;
        (1..=points.len())
            .map(|length| {
                state = evaluated(
                    &points[..length],
                    self.evaluated,
                    self.needed,
                    self.missing,
                    state,
                );
                state
            })
            .collect()
    }
}

/// An event of the log group.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Event {
    /// One in question, matched by those of the filters that match some whose bit is set.
    Matching(usize),
    /// Another one, matched by the filter with this number.
    OfFilter(usize),
    /// One that only filters match which match everything.
    Other,
}

type Minute = Vec<Event>;

impl Event {
    fn is_matched(self, index: usize, filter: &Filter) -> bool {
        match self {
            Self::Matching(bits) => match filter.events {
                Share::None => false,
                Share::Some => bits >> index & 1 == 1,
                Share::All => true,
            },
            Self::OfFilter(other) if other == index => filter.others != Share::None,
            Self::OfFilter(_) | Self::Other => filter.others == Share::All,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::evaluate) enum State {
    Ok,
    Alarm,
    InsufficientData,
}

pub(in crate::evaluate) fn statistic(name: &str, mut samples: Vec<f64>) -> Option<f64> {
    samples.sort_by(f64::total_cmp);
    let count = samples.iter().map(|_| 1.0).sum::<f64>();
    let sum: f64 = samples.iter().sum();
    let last = *samples.last()?;
    let percentile = |share: f64| {
        let mut rank = 0.0;
        let mut found = last;
        for sample in samples.iter().rev() {
            // The greatest sample that at least so many are not above.
            if rank / count <= 1.0 - share {
                found = *sample;
            }
            rank += 1.0;
        }
        found
    };
    Some(match name {
        "Sum" => sum,
        "Average" => sum / count,
        "Minimum" => samples[0],
        "Maximum" => last,
        "SampleCount" => count,
        "p50" => percentile(0.5),
        _ => percentile(0.9),
    })
}

/// One evaluation, over the points up to now: whether each breaches, `None` where there is none.
/// (CloudWatch User Guide, "Configuring how CloudWatch alarms treat missing data": more points are
/// fetched than are evaluated, fill-ins are only used as far as points lack.)
pub(in crate::evaluate) fn evaluated(
    points: &[Option<bool>],
    periods: usize,
    needed: usize,
    missing: &str,
    before: State,
) -> State {
    let range = &points[points.len().saturating_sub(periods + 2)..];
    let real: Vec<bool> = range.iter().rev().flatten().copied().collect();
    let count = |points: &[bool]| points.iter().filter(|breaches| **breaches).count();
    if real.len() >= periods {
        return if count(&real[..periods]) >= needed {
            State::Alarm
        } else {
            State::Ok
        };
    }
    let breaching = count(&real);
    let lacking = periods - real.len();
    if breaching >= needed {
        return State::Alarm;
    }
    match missing {
        "breaching" if breaching + lacking >= needed => State::Alarm,
        "missing" if real.is_empty() => State::InsufficientData,
        "ignore" if breaching == real.len() => before,
        "missing" if breaching == real.len() => {
            let oldest = range.iter().rev().rposition(Option::is_some).unwrap_or(0);
            if oldest + 1 >= needed {
                State::Alarm
            } else {
                before
            }
        }
        _ => State::Ok,
    }
}

/// The rows that the guide documents, the latest point last, for three evaluated periods.
#[test]
fn the_documented_evaluations() {
    use State::{Alarm, InsufficientData, Ok};
    let kept = InsufficientData;
    for (needed, row, expected) in [
        (3, "0-X-X", [Ok, Ok, Ok, Ok]),
        (3, "0----", [Ok, Ok, Ok, Ok]),
        (3, "-----", [InsufficientData, kept, Alarm, Ok]),
        (3, "0XX-X", [Alarm; 4]),
        (3, "--X--", [Alarm, kept, Alarm, Ok]),
        (2, "0-X-X", [Alarm; 4]),
        (2, "00X0X", [Alarm; 4]),
        (2, "0-X--", [Ok, Ok, Alarm, Ok]),
        (2, "----0", [Ok, Ok, Alarm, Ok]),
        (2, "---X-", [Alarm, kept, Alarm, Ok]),
    ] {
        let points: Vec<Option<bool>> = row
            .chars()
            .map(|point| (point != '-').then_some(point == 'X'))
            .collect();
        let treatments = ["missing", "ignore", "breaching", "notBreaching"];
        let states = treatments.map(|missing| evaluated(&points, 3, needed, missing, kept));
        assert_eq!(states, expected, "{needed} of 3: {row}");
    }
}

/// One period: so many events of a kind in the first minutes, and others.
fn period(
    minutes: usize,
    events: usize,
    spread: usize,
    kind: Event,
    noise: &[Event],
) -> Vec<Minute> {
    let mut period: Vec<Minute> = vec![vec![Event::Other]; minutes];
    for index in 0..events {
        period[index % spread.clamp(1, minutes)].push(kind);
    }
    for (index, event) in noise.iter().enumerate() {
        period[index % minutes].push(*event);
    }
    period
}

/// What else may happen in each period.
fn noises(configuration: &Configuration) -> Vec<Vec<Event>> {
    let mut noises = vec![Vec::new()];
    let filters = 1..=configuration.beside.len();
    for filter in filters.clone() {
        noises.push(vec![Event::OfFilter(filter)]);
        noises.push(vec![Event::OfFilter(filter); 6]);
    }
    noises.push(filters.map(Event::OfFilter).collect());
    noises
}

/// The states from quiet periods on, through `active` periods of events and those afterwards, in
/// which others may happen.
fn story(
    configuration: &Configuration,
    active: usize,
    period_of: &[Minute],
    afterwards: &[Event],
) -> Vec<State> {
    let quiet = |noise| period(configuration.minutes, 0, 1, Event::Other, noise);
    let before = vec![quiet(&[]); 6];
    let during = vec![period_of.to_vec(); active];
    let after = vec![quiet(afterwards); configuration.evaluated];
    let mut all = before;
    all.extend(during);
    all.extend(after);
    let mut states = configuration.states(&all);
    states.drain(..5);
    states
}

fn fires(states: &[State]) -> bool {
    states[0] != State::Alarm && states[1..].contains(&State::Alarm)
}

proptest! {
    #![proptest_config(config())]

    /// What is said to fire fires, whichever of the events others match and whatever else happens;
    /// and what is said never to fire does not while nothing else happens.
    #[test]
    fn the_analysis_agrees_with_streams_of_events(configuration in configuration()) {
        let kinds = 0..1_usize << (configuration.beside.len() + 1);
        match configuration.analysed() {
            Firing::Fires(fires_on) => {
                let each = usize::try_from(fires_on.each).unwrap();
                prop_assume!(each <= 200);
                let active = usize::try_from(fires_on.periods).unwrap();
                let at_some_moments = [1, each.min(configuration.minutes)].into_iter().any(|spread| {
                    kinds.clone().all(|bits| {
                        noises(&configuration).iter().all(|noise| {
                            let kind = Event::Matching(bits);
                            let period = period(configuration.minutes, each, spread, kind, noise);
                            let mut after = [&[], noise.as_slice()].into_iter();
                            after.all(|after| {
                                fires(&story(&configuration, active, &period, after))
                            })
                        })
                    })
                });
                prop_assert!(at_some_moments, "said to fire: {:?}", fires_on);
            }
            Firing::Cannot { why } => {
                for events in 1..=6 {
                    for spread in 1..=configuration.minutes {
                        for bits in kinds.clone() {
                            let kind = Event::Matching(bits);
                            let minutes = configuration.minutes;
                            let period = period(minutes, events, spread, kind, &[]);
                            let evaluated = configuration.evaluated;
                            let states = story(&configuration, evaluated, &period, &[]);
                            prop_assert!(!fires(&states), "said never to fire: {why}");
                        }
                    }
                }
            }
            Firing::Undecided { .. } | Firing::Unrelated => {}
        }
    }
}
