//! How many matching events it takes for one data point of an alarm to breach its threshold.

use super::reading::{Input, Reading};
use super::statistic::{Datapoint, Samples};
use super::writer::{Share, Writer};

/// More events than any window sees. A threshold that this many do not reach is out of reach.
const OUT_OF_REACH: f64 = 1e9;

/// Numbers of events that are all tried; of greater ones, those between which something changes.
const ALL_TRIED: u32 = 64;

/// How an alarm compares data points with its threshold. Anomaly detection bands are not
/// comparisons with a number and have no place here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Comparison {
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
}

impl Comparison {
    /// Reads `ComparisonOperator`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        match text {
            "GreaterThanThreshold" => Some(Self::Greater),
            "GreaterThanOrEqualToThreshold" => Some(Self::GreaterOrEqual),
            "LessThanThreshold" => Some(Self::Less),
            "LessThanOrEqualToThreshold" => Some(Self::LessOrEqual),
            _ => None,
        }
    }

    fn holds(self, value: f64, threshold: f64) -> bool {
        match self {
            Self::Greater => value > threshold,
            Self::GreaterOrEqual => value >= threshold,
            Self::Less => value < threshold,
            Self::LessOrEqual => value <= threshold,
        }
    }

    pub(super) fn in_words(self) -> &'static str {
        match self {
            Self::Greater => "greater than",
            Self::GreaterOrEqual => "greater than or equal to",
            Self::Less => "less than",
            Self::LessOrEqual => "less than or equal to",
        }
    }
}

/// How often a default value is written. AWS documents both: once for a minute in which logs
/// arrived and none matched (CloudWatch Logs User Guide, "Creating metrics from log events using
/// filters"), and once for every event that does not match (CloudWatch Logs API Reference,
/// `MetricTransformation`).
#[derive(Debug, Clone, Copy, PartialEq)]
enum Defaults {
    PerQuietMinute,
    /// For so many events of the period that do not match, besides those that do.
    PerEvent(f64),
}

/// Whether a data point breaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Breach {
    Missing,
    /// It is missing or does not breach.
    MissingOrNo,
    /// It is missing or breaches.
    MissingOrYes,
    No,
    Yes,
    /// Only bounds of it are known.
    Maybe,
}

/// What happens in a period.
#[derive(Debug, Clone, Copy)]
struct Happening {
    events: f64,
    /// The minutes in which they come.
    minutes: f64,
    /// Whether further filters may match other events in it.
    others: bool,
    defaults: Defaults,
}

impl Happening {
    fn nothing(defaults: Defaults) -> Self {
        Self {
            events: 0.0,
            minutes: 0.0,
            others: false,
            defaults,
        }
    }
}

/// How one period can come to breach.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Least {
    /// So many matching events make it breach, whatever else happens.
    Events(u64),
    /// No number of them does.
    Never,
    /// They do while nothing else happens, but other filters may keep it from breaching.
    UnlessOthers,
    /// That depends on how many default values there are.
    ByDefaults,
    /// That depends on what other filters write for the same events, or on a statistic of which
    /// only bounds are known.
    Undecided,
}

/// One period of an alarm: everything that decides whether its data point breaches.
#[derive(Debug)]
pub(super) struct Period<'r, 'a> {
    pub(super) reading: &'r Reading<'a>,
    pub(super) comparison: Comparison,
    pub(super) threshold: f64,
}

impl Period<'_, '_> {
    /// Whole minutes in a period, at least one: metric filters write once a minute.
    fn minutes(&self) -> f64 {
        let minutes = u32::try_from(self.reading.period / 60).unwrap_or(u32::MAX);
        f64::from(minutes.clamp(1, 10_080))
    }

    fn breach(&self, happening: Happening) -> Breach {
        let inputs = self.reading.inputs.iter();
        let inputs: Vec<Datapoint> = inputs.map(|input| self.input(input, happening)).collect();
        let Some(point) = self.reading.formula.value(&inputs) else {
            return Breach::Maybe;
        };
        let Some((low, high)) = point.value else {
            return Breach::Missing;
        };
        let breaches = [low, high].map(|value| self.comparison.holds(value, self.threshold));
        match (breaches, point.missing) {
            ([true, true], false) => Breach::Yes,
            ([false, false], false) => Breach::No,
            ([false, false], true) => Breach::MissingOrNo,
            ([true, true], true) => Breach::MissingOrYes,
            _ => Breach::Maybe,
        }
    }

    fn input(&self, input: &Input<'_>, happening: Happening) -> Datapoint {
        let writers = input.writers.iter();
        let samples: Vec<Samples> = writers
            .flat_map(|writer| self.samples(writer, happening))
            .collect();
        input.statistic.of(&samples)
    }

    /// What a filter writes for matching events, and where nothing matches.
    fn samples(&self, writer: &Writer<'_>, happening: Happening) -> [Samples; 2] {
        let Happening {
            events,
            minutes,
            others,
            defaults,
        } = happening;
        let everything = writer.others == Share::All;
        let others = everything || (others && writer.others == Share::Some);
        let (few, many) = match writer.events {
            Share::None => (0.0, 0.0),
            Share::Some => (0.0, events),
            Share::All => (events, events),
        };
        let least = if writer.is_from_event() && writer.events != Share::All {
            0.0
        } else {
            // Logs arrive, so one that matches everything has matched something.
            few.max(if everything { 1.0 } else { 0.0 })
        };
        let matched = Samples {
            value: writer.value(),
            count: (least, if others { f64::INFINITY } else { many }),
        };
        let (low, high) = match defaults {
            Defaults::PerQuietMinute => {
                let all = self.minutes();
                match writer.events {
                    Share::None => (all, all),
                    Share::Some => (all - minutes, all),
                    Share::All => (all - minutes, all - minutes),
                }
            }
            Defaults::PerEvent(more) => (more + events - many, more + events - few),
        };
        // Dimensions and default values exclude each other.
        let default = writer.transformation.default_value;
        let default = default.filter(|_| !everything);
        let value = default.unwrap_or_default();
        let count = match default {
            None => (0.0, 0.0),
            Some(_) if others => (0.0, high),
            Some(_) => (low, high),
        };
        [
            matched,
            Samples {
                value: (value, value),
                count,
            },
        ]
    }

    /// The data point of a period without a matching event; `None` where that depends on how many
    /// other events there are.
    pub(super) fn quiet(&self) -> Option<Breach> {
        let quiet = |defaults| self.breach(Happening::nothing(defaults));
        let breach = quiet(Defaults::PerQuietMinute);
        [1.0, OUT_OF_REACH]
            .into_iter()
            .all(|more| quiet(Defaults::PerEvent(more)) == breach)
            .then_some(breach)
    }

    /// Whether periods without a matching event have no data point or one that breaches, whatever
    /// else happens in them.
    pub(super) fn is_silent_or_breaches(&self) -> bool {
        let others = Happening {
            others: true,
            ..Happening::nothing(Defaults::PerQuietMinute)
        };
        matches!(
            self.breach(others),
            Breach::Missing | Breach::MissingOrYes | Breach::Yes
        )
    }

    /// What so many events come to at the best moments.
    fn best(&self, events: f64, others: bool, per_minute: bool) -> Breach {
        let with = |minutes: f64, defaults| {
            self.breach(Happening {
                events,
                minutes,
                others,
                defaults,
            })
        };
        if !per_minute {
            return with(1.0, Defaults::PerEvent(1.0));
        }
        let first = with(1.0, Defaults::PerQuietMinute);
        if first == Breach::Yes || events <= 1.0 {
            return first;
        }
        let spread = with(events.min(self.minutes()), Defaults::PerQuietMinute);
        match (first, spread) {
            (_, Breach::Yes) => Breach::Yes,
            (Breach::Maybe | Breach::MissingOrYes, _) | (_, Breach::Maybe) => Breach::Maybe,
            _ => spread,
        }
    }

    /// The least number of events in one period that makes its data point breach, whatever minutes
    /// they come in, whichever way default values are written, and whatever else happens.
    pub(super) fn least(&self) -> Least {
        let find =
            |others: bool, per_minute: bool| search(|events| self.best(events, others, per_minute));
        let (by_minute, by_event) = (find(true, true), find(true, false));
        if let (Found::Yes(events), Found::Yes(_)) = (by_minute, by_event) {
            return Least::Events(events);
        }
        match (find(false, true), find(false, false)) {
            (Found::Never, Found::Never) => Least::Never,
            (Found::Yes(_), Found::Yes(_)) => Least::UnlessOthers,
            (Found::Maybe, _) | (_, Found::Maybe) => Least::Undecided,
            _ => Least::ByDefaults,
        }
    }

    /// Whether still more events than the least number may not breach: the comparison then looks
    /// the wrong way for an alarm on too many events.
    pub(super) fn falls_silent(&self) -> bool {
        let many = self.best(OUT_OF_REACH, false, true);
        matches!(many, Breach::No | Breach::Missing | Breach::MissingOrNo)
    }
}

/// The least number of events that breaches. Up to a number all are tried. Beyond it, one step
/// from "no" to "yes" is looked for, as it is for everything that grows with the events; what
/// is found is right in any case, and the least where there is one step.
fn search(breach: impl Fn(f64) -> Breach) -> Found {
    let mut maybe = false;
    let mut breaches = |events: f64| {
        let breach = breach(events);
        // Of an expression there is no value while another metric is silent: it says nothing of
        // the events then, and may say something when the other one is not.
        maybe |= matches!(
            breach,
            Breach::Maybe | Breach::Missing | Breach::MissingOrYes
        );
        breach == Breach::Yes
    };
    for events in (1..=ALL_TRIED).map(f64::from) {
        if breaches(events) {
            return Found::Yes(count(events));
        }
    }
    let (mut no, mut yes) = (f64::from(ALL_TRIED), f64::from(ALL_TRIED) * 2.0);
    while !breaches(yes) {
        no = yes;
        yes *= 2.0;
        if yes > OUT_OF_REACH {
            return if maybe { Found::Maybe } else { Found::Never };
        }
    }
    while yes - no > 1.0 {
        let middle = f64::midpoint(no, yes).floor();
        if breaches(middle) {
            yes = middle;
        } else {
            no = middle;
        }
    }
    Found::Yes(count(yes))
}

#[derive(Debug, Clone, Copy)]
enum Found {
    Yes(u64),
    Maybe,
    Never,
}

/// Numbers of events are whole and far below the precision of a double.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "whole, positive and at most OUT_OF_REACH"
)]
fn count(events: f64) -> u64 {
    events as u64
}
