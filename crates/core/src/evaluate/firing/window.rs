//! From breaching data points to the ALARM state: evaluation periods, data points to alarm, and
//! the treatment of missing data (CloudWatch User Guide, "Configuring how CloudWatch alarms treat
//! missing data").

use super::Fires;
use super::datapoint::{Breach, Comparison, Least, Period};
use super::reading::{Input, Reading};
use super::statistic::Statistic;
use crate::evidence::{EvaluationWindow, MetricAlarm};
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
pub(super) fn fires(alarm: &MetricAlarm, reading: &Reading<'_>) -> Result<Fires, Obstacle> {
    let period = period(alarm, reading)?;
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
    let wall_clock = match alarm.evaluation_window {
        None | Some(EvaluationWindow::Sliding) => false,
        Some(EvaluationWindow::WallClock) => true,
        Some(EvaluationWindow::Other) => {
            return Err(Obstacle::Undecided(
                "has an evaluation window that trailproof does not know".to_owned(),
            ));
        }
    };

    let quiet = quiet(&period, missing_data)?;
    let each = least_events(&period)?;
    // Missing data points are left out of the evaluation: one breaching data point is enough, once
    // it is old enough (same page, "Avoiding premature transitions to alarm state"). In every
    // other case as many data points have to breach as the alarm asks for.
    let one_suffices = quiet == Breach::Missing && missing_data == MissingData::Missing;
    let periods = if one_suffices { 1 } else { needed };
    if one_suffices && needed > 1 && !period.is_silent_or_breaches() {
        return Err(Obstacle::Undecided(format!(
            "may be kept from ALARM by the values that {} for other events in the {needed} \
             periods that have to pass",
            others(&period)
        )));
    }
    if periods > 1 && reading.period < 60 {
        return Err(Obstacle::Undecided(format!(
            "needs {periods} data points of {} seconds each, but a metric filter writes once a \
             minute",
            reading.period
        )));
    }
    let delay = if one_suffices && needed > 1 {
        needed.saturating_mul(reading.period)
    } else {
        0
    };
    Ok(Fires {
        each,
        periods,
        evaluated,
        period: reading.period,
        delay,
        wall_clock,
        restrictions: reading.restrictions.clone(),
        observations: observations(alarm, &period, quiet, missing_data, each)?,
    })
}

/// The data point of a quiet period, unless it keeps the alarm in ALARM.
fn quiet(period: &Period<'_, '_>, missing_data: MissingData) -> Result<Breach, Obstacle> {
    let Some(quiet) = period.quiet() else {
        return Err(Obstacle::Undecided(format!(
            "may be in ALARM while nothing happens; that depends on {HOW_MANY}"
        )));
    };
    let gaps = missing_data == MissingData::Breaching;
    match quiet {
        Breach::Yes => Err(Obstacle::Cannot(
            "is in ALARM while nothing happens, because the value of a quiet period already \
             breaches its threshold; it never changes state, so it never notifies"
                .to_owned(),
        )),
        Breach::Missing if gaps => Err(Obstacle::Cannot(
            "treats missing data as breaching and so is in ALARM while nothing happens; it never \
             changes state, so it never notifies"
                .to_owned(),
        )),
        Breach::MissingOrNo if gaps => Err(Obstacle::Undecided(
            "treats missing data as breaching, and may have none while nothing happens".to_owned(),
        )),
        Breach::Maybe | Breach::MissingOrYes => Err(Obstacle::Undecided(
            "may be in ALARM while nothing happens; that depends on values of which only bounds \
             are known"
                .to_owned(),
        )),
        Breach::Missing | Breach::MissingOrNo | Breach::No => Ok(quiet),
    }
}

fn observations(
    alarm: &MetricAlarm,
    period: &Period<'_, '_>,
    quiet: Breach,
    missing_data: MissingData,
    each: u64,
) -> Result<Vec<Observation>, Obstacle> {
    let name = &alarm.alarm_name;
    let mut observations = Vec::new();
    let falls_silent = period.falls_silent();
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
            "the alarm `{name}` ignores missing data: once in ALARM it stays there and does \
                 not notify again"
        )));
    }
    if quiet == Breach::No && missing_data == MissingData::Breaching {
        observations.push(MISSING_DATA_BREACHES.observation(format!(
            "the alarm `{name}` goes into ALARM while no logs arrive, and does not notify of \
                 events until it is back"
        )));
    }
    if falls_silent {
        observations.push(WRONG_WAY.observation(format!(
            "the alarm `{name}` fires on few events, but not on many: its comparison is {}",
            alarm.comparison_operator.as_deref().unwrap_or_default()
        )));
    }
    if period.reading.period < 60 {
        observations.push(BELOW_A_MINUTE.observation(format!(
            "the alarm `{name}` has a period of {} seconds, but a metric filter writes once a \
                 minute",
            period.reading.period
        )));
    }
    Ok(observations)
}

/// What nobody knows of the values that are there without a matching event.
const HOW_MANY: &str = "how many values other events add (AWS documents default values as one for \
                        a minute without a match, and as one for every event without one)";

/// The least number of events in one period.
fn least_events(period: &Period<'_, '_>) -> Result<u64, Obstacle> {
    let undecided = |why: String| Err(Obstacle::Undecided(why));
    match period.least() {
        Least::Events(events) => Ok(events),
        Least::Never => Err(Obstacle::Cannot(out_of_reach(period))),
        Least::ByDefaults => undecided(format!("may be kept from ALARM by {HOW_MANY}")),
        Least::UnlessOthers => undecided(format!(
            "may be kept from ALARM by the values that {} for other events",
            others(period)
        )),
        Least::Undecided if others(period).is_empty() => {
            let from_event = writers(period).find(|writer| writer.is_from_event());
            undecided(match from_event {
                Some(writer) => format!(
                    "watches a metric whose value is taken from the event (`{}`)",
                    writer.transformation.metric_value
                ),
                None => {
                    "watches a statistic or an expression of which only bounds are known".to_owned()
                }
            })
        }
        Least::Undecided => undecided(format!(
            "may be kept from ALARM by what {} for the same events",
            others(period)
        )),
    }
}

fn writers<'p>(period: &'p Period<'_, '_>) -> impl Iterator<Item = &'p super::Writer<'p>> {
    let inputs = period.reading.inputs.iter();
    inputs.flat_map(|input: &Input<'_>| input.writers.iter())
}

/// The other filters in a sentence, the first few of them; nothing where there are none.
fn others(period: &Period<'_, '_>) -> String {
    const SHOWN: usize = 3;
    let mut names: Vec<String> = writers(period)
        .filter(|writer| writer.events != super::Share::All || writer.others != super::Share::None)
        .map(|writer| format!("`{}`", writer.filter.filter_name))
        .collect();
    names.sort_unstable();
    names.dedup();
    let more = names.len().saturating_sub(SHOWN);
    names.truncate(SHOWN);
    match (names.len(), more) {
        (0, _) => String::new(),
        (1, 0) => format!("metric filter {} writes", names.join("")),
        (_, 0) => format!("metric filters {} write", names.join(", ")),
        _ => format!("metric filters {} and {more} more write", names.join(", ")),
    }
}

fn period<'r, 'a>(
    alarm: &MetricAlarm,
    reading: &'r Reading<'a>,
) -> Result<Period<'r, 'a>, Obstacle> {
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
    let within = |input: &Input<'_>| input.statistic == Statistic::Within;
    if alarm.evaluate_low_sample_count_percentile.as_deref() == Some("ignore")
        && reading.inputs.iter().any(within)
    {
        return Err(Obstacle::Undecided(
            "ignores percentiles of few samples, and failed events are few".to_owned(),
        ));
    }
    Ok(Period {
        reading,
        comparison,
        threshold,
    })
}

fn out_of_reach_of_math(period: &Period<'_, '_>) -> String {
    format!(
        "can never breach: no number of matching events makes the result of its metric math {} {}",
        period.comparison.in_words(),
        period.threshold
    )
}

fn out_of_reach(period: &Period<'_, '_>) -> String {
    let input = match period.reading.inputs.as_slice() {
        [input] if !period.reading.is_math => input,
        _ => return out_of_reach_of_math(period),
    };
    let values: Vec<&str> = input
        .writers
        .iter()
        .filter(|writer| writer.events != super::Share::None)
        .map(|writer| writer.transformation.metric_value.trim())
        .collect();
    format!(
        "can never breach: no number of matching events makes the {} of the value {} {} {}",
        input.statistic.in_words(),
        values.join(" and "),
        period.comparison.in_words(),
        period.threshold
    )
}
