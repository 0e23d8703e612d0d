//! From breaching data points to the ALARM state: evaluation periods, data points to alarm, and
//! the treatment of missing data (CloudWatch User Guide, "Configuring how CloudWatch alarms treat
//! missing data").

use super::datapoint::{Breach, Comparison, Period};
use super::reading::Reading;
use super::statistic::Statistic;
use super::{Beside, Signal};
use crate::evidence::MetricAlarm;
use crate::finding::Observation;
use crate::observation::ObservationKind;

pub(in crate::evaluate) static LATCHES: ObservationKind = ObservationKind {
    code: "alarm.latches",
    meaning: "The alarm ignores missing data: once in ALARM it stays there and does not notify again.",
};
pub(in crate::evaluate) static MISSING_DATA_BREACHES: ObservationKind = ObservationKind {
    code: "alarm.missing-data-breaching",
    meaning: "The alarm goes into ALARM while no logs arrive, and does not notify of events until it is back.",
};
pub(in crate::evaluate) static WRONG_WAY: ObservationKind = ObservationKind {
    code: "alarm.looks-the-wrong-way",
    meaning: "The alarm fires on few events, but not on many.",
};
pub(in crate::evaluate) static BELOW_A_MINUTE: ObservationKind = ObservationKind {
    code: "alarm.period-below-a-minute",
    meaning: "The alarm's period is shorter than a minute, but a metric filter writes once a minute.",
};

/// How the alarm fires.
#[derive(Debug)]
pub(super) struct Result {
    pub(super) events: u64,
    pub(super) observations: Vec<Observation>,
}

/// Why it does not, or why nobody knows.
#[derive(Debug)]
pub(super) enum Obstacle {
    Cannot(String),
    Undecided(String),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum MissingData {
    Missing,
    NotBreaching,
    Breaching,
    Ignore,
}

impl MissingData {
    fn parse(text: Option<&str>) -> Option<Self> {
        match text {
            None | Some("missing") => Some(Self::Missing),
            Some("notBreaching") => Some(Self::NotBreaching),
            Some("breaching") => Some(Self::Breaching),
            Some("ignore") => Some(Self::Ignore),
            Some(_) => None,
        }
    }
}

/// The least number of matching events that moves the quiet alarm into ALARM.
pub(super) fn least_events(
    alarm: &MetricAlarm,
    reading: &Reading,
    signal: &Signal<'_>,
) -> std::result::Result<Result, Obstacle> {
    let period = period(alarm, reading, signal)?;
    let evaluated = alarm.evaluation_periods.unwrap_or(1).max(1);
    let needed = alarm
        .datapoints_to_alarm
        .unwrap_or(evaluated)
        .clamp(1, evaluated);
    let missing_data =
        MissingData::parse(alarm.treat_missing_data.as_deref()).ok_or_else(|| {
            Obstacle::Undecided(format!(
                "treats missing data as `{}`, which trailproof does not know",
                alarm.treat_missing_data.as_deref().unwrap_or_default()
            ))
        })?;

    let Some(quiet) = period.quiet() else {
        return Err(Obstacle::Undecided(format!(
            "may be in ALARM while nothing happens; that depends on {HOW_MANY}"
        )));
    };
    match (quiet, missing_data) {
        (Breach::Yes, _) => {
            return Err(Obstacle::Cannot(
                "is in ALARM while nothing happens, because the value of a quiet period already \
                 breaches its threshold; it never changes state, so it never notifies"
                    .to_owned(),
            ));
        }
        (Breach::Missing, MissingData::Breaching) => {
            return Err(Obstacle::Cannot(
                "treats missing data as breaching and so is in ALARM while nothing happens; it \
                 never changes state, so it never notifies"
                    .to_owned(),
            ));
        }
        (Breach::Maybe, _) => {
            return Err(Obstacle::Undecided(
                "may be in ALARM while nothing happens; that depends on a statistic that \
                 trailproof cannot compute"
                    .to_owned(),
            ));
        }
        _ => {}
    }

    let each = least_events_of_a_period(alarm, &period)?;
    // Missing data points are left out of the evaluation: one breaching data point is enough, once
    // it is old enough (same page, "Avoiding premature transitions to alarm state"). In every
    // other case as many data points have to breach as the alarm asks for.
    let one_suffices = quiet == Breach::Missing && missing_data == MissingData::Missing;
    let periods = if one_suffices { 1 } else { needed };
    if periods > 1 && reading.period < 60 {
        return Err(Obstacle::Undecided(format!(
            "needs {periods} data points of {} seconds each, but a metric filter writes once a \
             minute",
            reading.period
        )));
    }

    let mut observations = Vec::new();
    let falls_silent = period.falls_silent(each);
    let always_breaches = each == 1 && !falls_silent;
    if quiet == Breach::Missing && missing_data == MissingData::Ignore && always_breaches {
        if alarm.state_value.as_deref() == Some("ALARM") {
            return Err(Obstacle::Cannot(
                "is in ALARM and stays there: it ignores missing data, and every value the filter \
                 writes breaches its threshold; it never changes state again, so it never notifies"
                    .to_owned(),
            ));
        }
        observations.push(LATCHES.observation(format!(
            "the alarm `{}` ignores missing data: once in ALARM it stays there and does not \
             notify again",
            alarm.alarm_name
        )));
    }
    if quiet == Breach::No && missing_data == MissingData::Breaching {
        observations.push(MISSING_DATA_BREACHES.observation(format!(
            "the alarm `{}` goes into ALARM while no logs arrive, and does not notify of \
             events until it is back",
            alarm.alarm_name
        )));
    }
    if falls_silent {
        observations.push(WRONG_WAY.observation(format!(
            "the alarm `{}` fires on few events, but not on many: its comparison is {}",
            alarm.alarm_name,
            alarm.comparison_operator.as_deref().unwrap_or_default()
        )));
    }
    if reading.period < 60 {
        observations.push(BELOW_A_MINUTE.observation(format!(
            "the alarm `{}` has a period of {} seconds, but a metric filter writes once a \
             minute",
            alarm.alarm_name, reading.period
        )));
    }
    Ok(Result {
        events: each.saturating_mul(periods),
        observations,
    })
}

/// What nobody knows of the values that are there without a matching event.
const HOW_MANY: &str = "how many values other events add (AWS documents default values as one for \
                        a minute without a match, and as one for every event without one)";

/// The least number of events in one period, whichever way default values are written, and
/// whether or not further filters match the same events.
fn least_events_of_a_period(
    alarm: &MetricAlarm,
    period: &Period,
) -> std::result::Result<u64, Obstacle> {
    let least = period.least_events();
    if least.is_some() != period.breaches_among_others(least) {
        return Err(Obstacle::Undecided(format!(
            "may be kept from ALARM by {HOW_MANY}"
        )));
    }
    if !period.overlapping.is_empty() {
        let mut together = period.clone();
        together.beside.append(&mut together.overlapping);
        let other = together.least_events();
        if other.is_some() != least.is_some()
            || other.is_some() != together.breaches_among_others(other)
        {
            return Err(Obstacle::Undecided(
                "watches a metric that several filters write, and what they write for the same \
                 event was not decided"
                    .to_owned(),
            ));
        }
    }
    least.ok_or_else(|| Obstacle::Cannot(out_of_reach(alarm, period)))
}

fn period(
    alarm: &MetricAlarm,
    reading: &Reading,
    signal: &Signal<'_>,
) -> std::result::Result<Period, Obstacle> {
    let operator = alarm.comparison_operator.as_deref().unwrap_or_default();
    let comparison = Comparison::parse(operator).ok_or_else(|| {
        Obstacle::Undecided(format!(
            "compares with `{operator}`, an anomaly detection band that trailproof cannot compute"
        ))
    })?;
    let threshold = alarm
        .threshold
        .filter(|threshold| threshold.is_finite())
        .ok_or_else(|| Obstacle::Undecided("has no fixed threshold to compare with".to_owned()))?;
    let statistic = Statistic::parse(&reading.statistic).ok_or_else(|| {
        Obstacle::Undecided(format!(
            "uses the statistic `{}`, which trailproof does not analyse",
            reading.statistic
        ))
    })?;
    if statistic == Statistic::Within
        && alarm.evaluate_low_sample_count_percentile.as_deref() == Some("ignore")
    {
        return Err(Obstacle::Undecided(
            "ignores percentiles of few samples, and failed events are few".to_owned(),
        ));
    }
    let value = match (signal.value(), statistic) {
        (Some(value), _) => value,
        (None, Statistic::SampleCount) => 0.0,
        (None, _) => {
            return Err(Obstacle::Undecided(format!(
                "watches a metric whose value is taken from the event (`{}`)",
                signal.transformation.metric_value
            )));
        }
    };
    let of_unit = |other: &&Beside<'_>| {
        let unit = super::unit(other.transformation);
        reading.unit.as_deref().is_none_or(|wanted| wanted == unit)
    };
    // They write without dimensions, so an alarm with dimensions sees none of it.
    let beside = |always: bool| {
        signal
            .beside
            .iter()
            .filter(|other| other.always == always && reading.restrictions.is_empty())
            .filter(of_unit)
            .map(|other| other.value)
            .collect()
    };
    let minutes = u32::try_from(reading.period / 60)
        .unwrap_or(u32::MAX)
        .clamp(1, 10_080);
    Ok(Period {
        statistic,
        comparison,
        threshold,
        minutes,
        value,
        default: signal.default_value(),
        beside: beside(true),
        overlapping: beside(false),
        fill: reading.fill,
        factor: reading.factor,
        summand: reading.summand,
    })
}

fn out_of_reach(alarm: &MetricAlarm, period: &Period) -> String {
    format!(
        "can never breach: no number of matching events makes the {} of the value {} {} {}",
        alarm
            .statistic
            .as_deref()
            .or(alarm.extended_statistic.as_deref())
            .unwrap_or("result of its metric math"),
        period.value,
        match period.comparison {
            Comparison::Greater => "greater than",
            Comparison::GreaterOrEqual => "greater than or equal to",
            Comparison::Less => "less than",
            Comparison::LessOrEqual => "less than or equal to",
        },
        period.threshold
    )
}
