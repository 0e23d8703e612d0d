//! Which metric an alarm reads, and whether it is the one that a filter writes: namespace, name,
//! account, dimensions and unit.

use std::collections::BTreeMap;

use super::Signal;
use super::expression::{self, Transform};
use crate::evidence::{Dimension, MetricAlarm, MetricDataQuery};

/// How an alarm reads the metric of a signal.
#[derive(Debug)]
pub(super) struct Reading {
    pub(super) statistic: String,
    /// Seconds.
    pub(super) period: u64,
    /// The unit that data points have to have.
    pub(super) unit: Option<String>,
    pub(super) restrictions: Vec<Restriction>,
    /// What metric math does to data points.
    pub(super) fill: Option<f64>,
    pub(super) factor: f64,
    pub(super) summand: f64,
}

/// A condition that confines an alarm to some of the filter's events: it watches the metric with
/// one value of a dimension.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Restriction {
    /// Where the dimension's value comes from.
    pub source: DimensionSource,
    /// The value the alarm watches.
    pub value: String,
}

/// Where a metric filter takes the value of a dimension from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum DimensionSource {
    /// A selector on the event, such as `$.userIdentity.type`.
    Selector(String),
    /// A system field of the log event, such as `@aws.account`.
    SystemField(String),
}

pub(super) enum Outcome {
    Unrelated,
    /// The alarm names the metric but reads data that the filter does not write.
    Mismatch(String),
    Undecided(String),
    Reads(Reading),
}

/// Whether an alarm names the metric that a filter writes, by namespace and name only, directly or
/// as an input of the expression it watches.
pub fn reads(alarm: &MetricAlarm, signal: &Signal<'_>) -> bool {
    if alarm.metrics.is_empty() {
        return is_metric(
            alarm.namespace.as_deref(),
            alarm.metric_name.as_deref(),
            signal,
        );
    }
    alarm
        .metrics
        .iter()
        .filter(|query| query.return_data.unwrap_or(true))
        .any(|query| {
            expression::inputs(query, &alarm.metrics)
                .iter()
                .any(|input| is_input(input, signal))
        })
}

fn is_metric(namespace: Option<&str>, name: Option<&str>, signal: &Signal<'_>) -> bool {
    namespace == Some(signal.transformation.metric_namespace.as_str())
        && name == Some(signal.transformation.metric_name.as_str())
}

fn is_input(query: &MetricDataQuery, signal: &Signal<'_>) -> bool {
    let here = query
        .account_id
        .as_deref()
        .is_none_or(|account| account == signal.account.to_string());
    here && query.metric_stat.as_ref().is_some_and(|stat| {
        is_metric(
            stat.metric.namespace.as_deref(),
            stat.metric.metric_name.as_deref(),
            signal,
        )
    })
}

/// Every way in which an alarm reads the metric of a signal, or why it does not.
pub(super) fn of(alarm: &MetricAlarm, signal: &Signal<'_>) -> Vec<Outcome> {
    if !reads(alarm, signal) {
        return vec![insights(alarm, signal)];
    }
    if alarm.threshold_metric_id.is_some() {
        return vec![Outcome::Undecided(
            "compares with another metric or a band instead of a fixed threshold".to_owned(),
        )];
    }
    if alarm.metrics.is_empty() {
        let statistic = alarm
            .statistic
            .as_ref()
            .or(alarm.extended_statistic.as_ref());
        return vec![reading(
            signal,
            &alarm.dimensions,
            alarm.unit.as_deref(),
            statistic.map(String::as_str),
            alarm.period,
            Transform::IDENTITY,
        )];
    }
    let mut watched = alarm
        .metrics
        .iter()
        .filter(|query| query.return_data.unwrap_or(true));
    let (Some(query), None) = (watched.next(), watched.next()) else {
        return vec![Outcome::Undecided(
            "returns more than one result of its metric math".to_owned(),
        )];
    };
    // Several inputs may read the same metric, each with dimensions of its own. Those that read
    // nothing the filter writes matter only where all do.
    let (missed, mut found): (Vec<Outcome>, Vec<Outcome>) =
        expression::inputs(query, &alarm.metrics)
            .into_iter()
            .filter(|input| is_input(input, signal))
            .map(|input| math(query, input, &alarm.metrics, signal))
            .partition(|outcome| matches!(outcome, Outcome::Mismatch(_)));
    if found.is_empty() {
        found.push(missed.into_iter().next().unwrap_or(Outcome::Unrelated));
    }
    found
}

fn math(
    query: &MetricDataQuery,
    input: &MetricDataQuery,
    queries: &[MetricDataQuery],
    signal: &Signal<'_>,
) -> Outcome {
    let Some(stat) = &input.metric_stat else {
        return Outcome::Unrelated;
    };
    match expression::transform(query, &input.id, queries) {
        Ok(transform) => reading(
            signal,
            &stat.metric.dimensions,
            stat.unit.as_deref(),
            stat.stat.as_deref(),
            stat.period,
            transform,
        ),
        Err(why) => Outcome::Undecided(why),
    }
}

/// Metrics Insights queries select metrics by text; whether one selects this metric is not decided.
fn insights(alarm: &MetricAlarm, signal: &Signal<'_>) -> Outcome {
    let name = signal.transformation.metric_name.as_str();
    let mentioned = alarm
        .metrics
        .iter()
        .filter_map(|query| query.expression.as_deref())
        .any(|expression| expression::is_query(expression) && expression.contains(name));
    if mentioned {
        Outcome::Undecided("watches a Metrics Insights query or a search expression".to_owned())
    } else {
        Outcome::Unrelated
    }
}

fn reading(
    signal: &Signal<'_>,
    dimensions: &[Dimension],
    unit: Option<&str>,
    statistic: Option<&str>,
    period: Option<u64>,
    transform: Transform,
) -> Outcome {
    let restrictions = match restrictions(signal, dimensions) {
        Ok(restrictions) => restrictions,
        Err(why) => return Outcome::Mismatch(why),
    };
    if let Some(unit) = unit
        && unit != signal.unit()
    {
        return Outcome::Mismatch(format!(
            "watches data points with the unit {unit}, but the filter writes them with the unit {}",
            signal.unit()
        ));
    }
    let (Some(statistic), Some(period)) = (statistic, period.filter(|period| *period > 0)) else {
        return Outcome::Undecided("has no statistic or no period in the evidence".to_owned());
    };
    Outcome::Reads(Reading {
        statistic: statistic.to_owned(),
        period,
        unit: unit.map(str::to_owned),
        restrictions,
        fill: transform.fill,
        factor: transform.factor,
        summand: transform.summand,
    })
}

/// A metric is told apart by the names and values of all its dimensions; CloudWatch adds nothing
/// up over them (CloudWatch User Guide, "Dimensions").
fn restrictions(signal: &Signal<'_>, dimensions: &[Dimension]) -> Result<Vec<Restriction>, String> {
    let emitted: BTreeMap<&str, DimensionSource> = signal
        .transformation
        .dimensions
        .iter()
        .map(|(name, selector)| (name.as_str(), DimensionSource::Selector(selector.clone())))
        .chain(
            signal
                .system_fields
                .iter()
                .map(|field| (field.as_str(), DimensionSource::SystemField(field.clone()))),
        )
        .collect();
    let watched: BTreeMap<&str, &str> = dimensions
        .iter()
        .map(|dimension| (dimension.name.as_str(), dimension.value.as_str()))
        .collect();
    if !emitted.keys().eq(watched.keys()) {
        let list = |names: Vec<&str>| {
            if names.is_empty() {
                "no dimensions".to_owned()
            } else {
                format!("the dimensions {}", names.join(", "))
            }
        };
        return Err(format!(
            "watches the metric with {}, but the filter writes it with {}",
            list(watched.into_keys().collect()),
            list(emitted.into_keys().collect()),
        ));
    }
    Ok(emitted
        .into_values()
        .zip(watched.into_values())
        .map(|(source, value)| Restriction {
            source,
            value: value.to_owned(),
        })
        .collect())
}
