//! A second, naive model of composite alarms: two metric alarms minute by minute on streams of
//! events, and the rule over their states, compared with verdicts on random configurations.
//!
//! `PROPTEST_CASES=10000` makes it a long run.

use proptest::prelude::*;
use serde_json::{Value, json};

use crate::evaluate::firing::model::{State, config, evaluated, statistic};
use crate::evaluate::fixture::{MANAGEMENT, MEMBER, PATTERN, TOPIC, World, verdict};
use crate::finding::Status;

/// Quiet minutes before events: a multiple of every period, and longer than every window.
const BEFORE: usize = 36;
/// Quiet minutes after them.
const AFTER: usize = 24;

const METRICS: [&str; 2] = ["Failures", "Other"];

#[derive(Debug, Clone)]
struct Alarm {
    metric: usize,
    statistic: &'static str,
    operator: &'static str,
    threshold: f64,
    minutes: usize,
    evaluated: usize,
    needed: usize,
    missing: &'static str,
}

#[derive(Debug, Clone)]
struct Configuration {
    alarms: [Alarm; 2],
    /// Whether the filter of the second metric matches the events, and its default value.
    matches: bool,
    default: Option<f64>,
    rule: &'static str,
}

/// What each rule means.
fn holds(rule: &str, a: State, b: State) -> bool {
    let [in_a, in_b] = [a, b].map(|state| state == State::Alarm);
    match rule {
        "ALARM(a)" => in_a,
        "ALARM(a) AND ALARM(b)" | "AT_LEAST(2, ALARM, (a, b))" => in_a && in_b,
        "ALARM(a) OR ALARM(b)" => in_a || in_b,
        "ALARM(a) AND NOT ALARM(b)" => in_a && !in_b,
        "ALARM(a) AND OK(b)" => in_a && b == State::Ok,
        "ALARM(a) AND NOT INSUFFICIENT_DATA(b)" => in_a && b != State::InsufficientData,
        "NOT ALARM(a)" => !in_a,
        "(ALARM(a) OR ALARM(b)) AND NOT (ALARM(a) AND ALARM(b))" => in_a != in_b,
        other => panic!("{other}"),
    }
}

const RULES: [&str; 9] = [
    "ALARM(a)",
    "ALARM(a) AND ALARM(b)",
    "AT_LEAST(2, ALARM, (a, b))",
    "ALARM(a) OR ALARM(b)",
    "ALARM(a) AND NOT ALARM(b)",
    "ALARM(a) AND OK(b)",
    "ALARM(a) AND NOT INSUFFICIENT_DATA(b)",
    "NOT ALARM(a)",
    "(ALARM(a) OR ALARM(b)) AND NOT (ALARM(a) AND ALARM(b))",
];

fn alarm() -> impl Strategy<Value = Alarm> {
    let statistics = vec!["Sum", "Sum", "Maximum", "SampleCount", "Average"];
    let operators = vec![
        "GreaterThanOrEqualToThreshold",
        "GreaterThanOrEqualToThreshold",
        "GreaterThanThreshold",
        "LessThanThreshold",
    ];
    let treatments = vec!["missing", "notBreaching", "breaching", "ignore"];
    (
        prop::sample::select(vec![0_usize, 0, 1]),
        prop::sample::select(statistics),
        prop::sample::select(operators),
        prop::sample::select(vec![1.0, 1.0, 2.0, 0.5, 0.0]),
        1_usize..4,
        (1_usize..4, 1_usize..4),
        prop::sample::select(treatments),
    )
        .prop_map(
            |(metric, statistic, operator, threshold, minutes, counts, missing)| Alarm {
                metric,
                statistic,
                operator,
                threshold,
                minutes,
                evaluated: counts.0.max(counts.1),
                needed: counts.0.min(counts.1),
                missing,
            },
        )
}

fn configuration() -> impl Strategy<Value = Configuration> {
    (
        [alarm(), alarm()],
        // Alike in everything, often enough: that is where alarms fire together.
        any::<bool>(),
        any::<bool>(),
        prop::sample::select(vec![None, None, Some(0.0), Some(1.0)]),
        prop::sample::select(RULES.to_vec()),
    )
        .prop_map(|([a, mut b], alike, matches, default, rule)| {
            if alike {
                b = Alarm {
                    threshold: b.threshold,
                    missing: b.missing,
                    evaluated: b.evaluated,
                    needed: b.needed,
                    ..a.clone()
                };
            }
            Configuration {
                alarms: [a, b],
                matches,
                default,
                rule,
            }
        })
}

impl Alarm {
    /// The state after each minute. Events of each minute, by metric, are its samples.
    fn states(&self, stream: &[[Vec<f64>; 2]]) -> Vec<State> {
        let points: Vec<Option<bool>> = stream
            .chunks(self.minutes)
            .map(|period| {
                let samples = period.iter().flat_map(|minute| minute[self.metric].clone());
                statistic(self.statistic, samples.collect()).map(|value| self.breaches(value))
            })
            .collect();
        let mut state = State::InsufficientData;
        let mut states = Vec::with_capacity(stream.len());
        for minute in 1..=stream.len() {
            if minute.is_multiple_of(self.minutes) {
                let points = &points[..minute / self.minutes];
                let (periods, needed) = (self.evaluated, self.needed);
                state = evaluated(points, periods, needed, self.missing, state);
            }
            states.push(state);
        }
        states
    }

    fn breaches(&self, value: f64) -> bool {
        match self.operator {
            "GreaterThanOrEqualToThreshold" => value >= self.threshold,
            "GreaterThanThreshold" => value > self.threshold,
            _ => value < self.threshold,
        }
    }

    fn described(&self, name: &str, state: State) -> Value {
        json!({
            "AlarmName": name, "Namespace": "CISBenchmark", "MetricName": METRICS[self.metric],
            "Statistic": self.statistic, "Period": self.minutes * 60,
            "EvaluationPeriods": self.evaluated, "DatapointsToAlarm": self.needed,
            "Threshold": self.threshold, "ComparisonOperator": self.operator,
            "TreatMissingData": self.missing, "ActionsEnabled": true, "AlarmActions": [],
            "StateTransitionedTimestamp": "2026-11-22T21:59:00Z",
            "StateValue": match state {
                State::Ok => "OK",
                State::Alarm => "ALARM",
                State::InsufficientData => "INSUFFICIENT_DATA",
            },
        })
    }
}

impl Configuration {
    /// What the filters write in a minute with so many events: logs arrive in every minute.
    fn minute(&self, events: usize) -> [Vec<f64>; 2] {
        let other = if self.matches { events } else { 0 };
        let mut written = [vec![1.0; events], vec![1.0; other]];
        if other == 0 {
            written[1].extend(self.default);
        }
        written
    }

    /// The states of both alarms after each minute of a stream.
    fn states(&self, stream: &[usize]) -> Vec<[State; 2]> {
        let stream: Vec<_> = stream.iter().map(|events| self.minute(*events)).collect();
        let [a, b] = self.alarms.each_ref().map(|alarm| alarm.states(&stream));
        a.into_iter().zip(b).map(|(a, b)| [a, b]).collect()
    }

    fn quiet(&self) -> [State; 2] {
        self.states(&[0; BEFORE])[BEFORE - 1]
    }

    /// Whether the composite alarm changes into ALARM after some events have come.
    fn notifies(&self, stream: &[usize]) -> bool {
        let values: Vec<bool> = self.states(stream)[BEFORE - 1..]
            .iter()
            .map(|[a, b]| holds(self.rule, *a, *b))
            .collect();
        values.windows(2).any(|pair| !pair[0] && pair[1])
    }

    /// Streams of so many events in each of so many periods of one of the alarms.
    fn streams(&self) -> Vec<Vec<usize>> {
        let mut streams = Vec::new();
        for events in 1..=4 {
            for periods in 1..=3 {
                for minutes in self.alarms.each_ref().map(|alarm| alarm.minutes) {
                    let mut stream = vec![0; BEFORE];
                    for _ in 0..periods {
                        stream.push(events);
                        stream.extend(vec![0; minutes - 1]);
                    }
                    stream.extend([0; AFTER]);
                    streams.push(stream);
                }
            }
        }
        streams
    }

    fn judged(&self) -> (Status, Option<String>) {
        let filter = |name: &str, pattern: &str, default: Option<f64>| {
            json!({
                "filterName": name, "filterPattern": pattern, "logGroupName": "trail",
                "metricTransformations": [{
                    "metricName": name, "metricNamespace": "CISBenchmark", "metricValue": "1",
                    "defaultValue": default,
                }],
            })
        };
        let pattern = if self.matches {
            PATTERN
        } else {
            "{ $.eventName = StopLogging }"
        };
        let [a, b] = self.quiet();
        let seen = holds(self.rule, a, b);
        let mut world = World::healthy();
        world.record_mut("logs:DescribeMetricFilters", MANAGEMENT)["response"] = json!({
            "metricFilters": [
                filter(METRICS[0], PATTERN, None), filter(METRICS[1], pattern, self.default),
            ],
        });
        world.record_mut("cloudwatch:DescribeAlarms", MANAGEMENT)["response"] = json!({
            "MetricAlarms": [
                self.alarms[0].described("a", a), self.alarms[1].described("b", b),
            ],
            "CompositeAlarms": [{
                "AlarmName": "over", "AlarmRule": self.rule, "AlarmActions": [TOPIC],
                "StateValue": if seen { "ALARM" } else { "OK" },
                "StateTransitionedTimestamp": "2026-11-22T21:59:00Z",
            }],
        });
        let finding = world.finding(MEMBER);
        let (_, effective, reason) = verdict(&finding);
        (effective, reason.map(str::to_owned))
    }
}

proptest! {
    #![proptest_config(config())]

    /// Where a verdict says that somebody is told, some events do tell somebody; where it says that
    /// nobody is, none do.
    #[test]
    fn verdicts_agree_with_streams_of_events(configuration in configuration()) {
        let (status, reason) = configuration.judged();
        let mut streams = configuration.streams().into_iter();
        let [a, b] = configuration.quiet();
        let loud = [a, b].contains(&State::Alarm) || holds(configuration.rule, a, b);
        match status {
            Status::Pass => {
                let told = streams.any(|stream| configuration.notifies(&stream));
                prop_assert!(told, "said to tell somebody");
            }
            // A rule that only holds while another alarm stays in ALARM counts for nothing: an alarm
            // has to be enough alone. So does one that holds while nothing happens, and again when
            // the events are over.
            Status::Fail if !loud => {
                let told = streams.find(|stream| configuration.notifies(stream));
                prop_assert!(told.is_none(), "said to tell nobody ({reason:?}): {told:?}");
            }
            _ => {}
        }
    }
}
