//! Which metrics an alarm reads, and who writes to them: namespace, name, account, dimensions and
//! unit.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::expression::{self, Formula};
use super::statistic::Statistic;
use super::writer::{Share, Signal, Writer};
use crate::account::AccountId;
use crate::evidence::{Dimension, MetricAlarm, MetricDataQuery, MetricTransformation};

/// How an alarm reads the metric of a signal.
#[derive(Debug)]
pub(super) struct Reading<'a> {
    /// Seconds.
    pub(super) period: u64,
    /// The metrics that it is computed from.
    pub(super) inputs: Vec<Input<'a>>,
    pub(super) formula: Formula,
    /// Whether the formula is more than the one input.
    pub(super) is_math: bool,
    pub(super) restrictions: Vec<Restriction>,
}

/// A metric that an alarm reads.
#[derive(Debug)]
pub(super) struct Input<'a> {
    pub(super) statistic: Statistic,
    pub(super) writers: Vec<Writer<'a>>,
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

pub(super) enum Outcome<'a> {
    Unrelated,
    /// The alarm names the metric but reads data that the filter does not write.
    Mismatch(String),
    Undecided(String),
    Reads(Reading<'a>),
}

/// One metric as an alarm names it.
#[derive(Debug, Clone, Copy)]
struct Series<'a> {
    namespace: Option<&'a str>,
    name: Option<&'a str>,
    dimensions: &'a [Dimension],
    unit: Option<&'a str>,
    statistic: Option<&'a str>,
    period: Option<u64>,
    /// Whether it is a metric of the signal's account.
    here: bool,
}

/// Whose metrics are in question, and whose alarms read them.
#[derive(Debug, Clone, Copy)]
pub struct Owner {
    /// The account that has the metrics.
    pub account: AccountId,
    /// The account that has the alarms.
    pub watcher: AccountId,
}

impl Owner {
    fn of(signal: &Signal<'_>) -> Self {
        Self {
            account: signal.account,
            watcher: signal.watcher,
        }
    }

    /// Whether an alarm names the account as that of a metric; without a name it is the alarm's.
    fn is_named(self, name: Option<&str>) -> bool {
        match name {
            Some(name) => name == self.account.to_string(),
            None => self.account == self.watcher,
        }
    }
}

impl<'a> Series<'a> {
    fn of_alarm(alarm: &'a MetricAlarm, owner: Owner) -> Self {
        let statistic = alarm
            .statistic
            .as_deref()
            .or(alarm.extended_statistic.as_deref());
        Self {
            namespace: alarm.namespace.as_deref(),
            name: alarm.metric_name.as_deref(),
            dimensions: &alarm.dimensions,
            unit: alarm.unit.as_deref(),
            statistic,
            period: alarm.period,
            here: owner.is_named(None),
        }
    }

    fn of_query(query: &'a MetricDataQuery, owner: Owner) -> Option<Self> {
        let stat = query.metric_stat.as_ref()?;
        Some(Self {
            namespace: stat.metric.namespace.as_deref(),
            name: stat.metric.metric_name.as_deref(),
            dimensions: &stat.metric.dimensions,
            unit: stat.unit.as_deref(),
            statistic: stat.stat.as_deref(),
            period: stat.period,
            here: owner.is_named(query.account_id.as_deref()),
        })
    }

    fn is_of(&self, transformation: &MetricTransformation) -> bool {
        self.here
            && self.namespace == Some(&*transformation.metric_namespace)
            && self.name == Some(&*transformation.metric_name)
    }

    fn named(&self) -> String {
        format!(
            "{}/{}",
            self.namespace.unwrap_or_default(),
            self.name.unwrap_or_default()
        )
    }

    fn watched(&self) -> BTreeMap<&'a str, &'a str> {
        self.dimensions
            .iter()
            .map(|dimension| (dimension.name.as_str(), dimension.value.as_str()))
            .collect()
    }
}

/// The query that an alarm watches, where it is one.
fn result(alarm: &MetricAlarm) -> Option<&MetricDataQuery> {
    let mut watched = alarm
        .metrics
        .iter()
        .filter(|query| query.return_data.unwrap_or(true));
    match (watched.next(), watched.next()) {
        (Some(query), None) => Some(query),
        _ => None,
    }
}

/// The metrics an alarm reads.
fn series(alarm: &MetricAlarm, owner: Owner) -> Vec<Series<'_>> {
    if alarm.metrics.is_empty() {
        return vec![Series::of_alarm(alarm, owner)];
    }
    alarm
        .metrics
        .iter()
        .filter(|query| query.return_data.unwrap_or(true))
        .flat_map(|query| expression::inputs(query, &alarm.metrics))
        .filter_map(|input| Series::of_query(input, owner))
        .collect()
}

/// Whether an alarm names the metric that a filter writes, by namespace and name only, directly or
/// as an input of the expression it watches.
pub fn reads(alarm: &MetricAlarm, signal: &Signal<'_>) -> bool {
    let own = signal.own.transformation;
    if alarm.metrics.is_empty() {
        return Series::of_alarm(alarm, Owner::of(signal)).is_of(own);
    }
    series(alarm, Owner::of(signal))
        .iter()
        .any(|series| series.is_of(own))
}

/// Whether an alarm reads what a filter writes without dimensions, directly or as an input of the
/// expression it watches.
pub fn reads_plainly(
    alarm: &MetricAlarm,
    transformation: &MetricTransformation,
    owner: Owner,
) -> bool {
    let written = transformation.unit.as_deref().unwrap_or("None");
    series(alarm, owner).iter().any(|series| {
        series.is_of(transformation)
            && series.dimensions.is_empty()
            && series.unit.is_none_or(|unit| unit == written)
    })
}

/// Namespace and name of every metric that alarms read together with that of a transformation,
/// itself included.
pub fn metrics_beside<'a>(
    alarms: impl IntoIterator<Item = &'a MetricAlarm>,
    transformation: &MetricTransformation,
    owner: Owner,
) -> BTreeSet<(Arc<str>, Arc<str>)> {
    let of = |namespace: &str, name: &str| (namespace.into(), name.into());
    let mut metrics = BTreeSet::from([of(
        &transformation.metric_namespace,
        &transformation.metric_name,
    )]);
    for alarm in alarms {
        if alarm.metrics.is_empty() {
            continue;
        }
        let read = series(alarm, owner);
        if read.iter().any(|series| series.is_of(transformation)) {
            metrics.extend(
                read.iter()
                    .filter_map(|series| Some(of(series.namespace?, series.name?))),
            );
        }
    }
    metrics
}

/// Every way in which an alarm reads the metric of a signal, or why it does not.
pub(super) fn of<'a>(alarm: &MetricAlarm, signal: &Signal<'a>) -> Vec<Outcome<'a>> {
    if !reads(alarm, signal) {
        return vec![by_text(alarm, signal)];
    }
    if alarm.threshold_metric_id.is_some() {
        return vec![Outcome::Undecided(
            "compares with another metric or a band instead of a fixed threshold".to_owned(),
        )];
    }
    if alarm.metrics.is_empty() {
        let series = Series::of_alarm(alarm, Owner::of(signal));
        return match restrictions(&signal.own, &series) {
            Err(why) => vec![Outcome::Mismatch(why)],
            Ok(restrictions) => vec![reading(
                signal,
                &[series],
                Formula::identity(),
                restrictions,
            )],
        };
    }
    let Some(query) = result(alarm) else {
        return vec![Outcome::Undecided(
            "returns more than one result of its metric math".to_owned(),
        )];
    };
    let inputs = expression::inputs(query, &alarm.metrics);
    let all: Vec<Series<'_>> = inputs
        .iter()
        .filter_map(|input| Series::of_query(input, Owner::of(signal)))
        .collect();
    // Several inputs may read the same metric, each with dimensions of its own.
    let mut confined: BTreeSet<Vec<Restriction>> = BTreeSet::new();
    let mut mismatch = None;
    for series in all
        .iter()
        .filter(|series| series.is_of(signal.own.transformation))
    {
        match restrictions(&signal.own, series) {
            Ok(restrictions) => {
                confined.insert(restrictions);
            }
            Err(why) => mismatch = mismatch.or(Some(why)),
        }
    }
    if confined.is_empty() {
        return vec![mismatch.map_or(Outcome::Unrelated, Outcome::Mismatch)];
    }
    confined
        .into_iter()
        .map(
            |restrictions| match Formula::of(query, &inputs, &alarm.metrics) {
                Ok(formula) => reading(signal, &all, formula, restrictions),
                Err(why) => Outcome::Undecided(why),
            },
        )
        .collect()
}

/// Whether an alarm selects metrics by a text: a query of Metrics Insights, a search expression, or
/// `PromQL`.
pub(in crate::evaluate) fn is_by_query(alarm: &MetricAlarm) -> bool {
    let mut expressions = alarm
        .metrics
        .iter()
        .filter_map(|query| query.expression.as_deref());
    expressions.any(expression::is_query) || alarm.promql().is_some()
}

/// Metrics Insights, search expressions and `PromQL` select metrics by text; whether one selects
/// this metric is not decided.
fn by_text<'a>(alarm: &MetricAlarm, signal: &Signal<'a>) -> Outcome<'a> {
    let name = &*signal.own.transformation.metric_name;
    let mentioned = alarm
        .metrics
        .iter()
        .filter_map(|query| query.expression.as_deref())
        .any(|expression| expression::is_query(expression) && expression.contains(name));
    if mentioned {
        return Outcome::Undecided(
            "watches a Metrics Insights query or a search expression".to_owned(),
        );
    }
    if alarm.promql().is_some_and(|query| query.contains(name)) {
        return Outcome::Undecided("watches a PromQL query that names the metric".to_owned());
    }
    Outcome::Unrelated
}

/// An alarm's inputs and their writers, for those of the signal's events that have some values of
/// its dimensions.
fn reading<'a>(
    signal: &Signal<'a>,
    all: &[Series<'_>],
    formula: Formula,
    restrictions: Vec<Restriction>,
) -> Outcome<'a> {
    let mut inputs = Vec::with_capacity(all.len());
    let mut period = None;
    for series in all {
        let (Some(statistic), Some(seconds)) = (
            series.statistic,
            series.period.filter(|seconds| *seconds > 0),
        ) else {
            return Outcome::Undecided("has no statistic or no period in the evidence".to_owned());
        };
        if *period.get_or_insert(seconds) != seconds {
            return Outcome::Undecided("reads metrics in periods of several lengths".to_owned());
        }
        let Some(statistic) = Statistic::parse(statistic) else {
            return Outcome::Undecided(format!(
                "uses the statistic `{statistic}`, which trailproof does not analyse"
            ));
        };
        let is_own = series.is_of(signal.own.transformation)
            && restrictions_of(&signal.own, series).as_ref() == Some(&restrictions);
        let mut writers: Vec<Writer<'a>> = std::iter::once(&signal.own)
            .chain(&signal.others)
            .filter(|writer| series.is_of(writer.transformation))
            .filter_map(|writer| on_series(writer, signal, series, &restrictions))
            .collect();
        if let Some(unit) = series.unit {
            if is_own && unit != signal.own.unit() {
                return Outcome::Mismatch(format!(
                    "watches data points with the unit {unit}, but the filter writes them with \
                     the unit {}",
                    signal.own.unit()
                ));
            }
            writers.retain(|writer| writer.unit() == unit);
        } else {
            let units: BTreeSet<&str> = writers.iter().map(Writer::unit).collect();
            if units.len() > 1 {
                return Outcome::Undecided(format!(
                    "names no unit, but metric filters write `{}` with the units {}: what an \
                     alarm does then is not defined",
                    series.named(),
                    units.into_iter().collect::<Vec<_>>().join(" and ")
                ));
            }
        }
        if writers.is_empty() {
            return Outcome::Undecided(format!(
                "reads `{}` as well, which no metric filter of the log group writes: what its \
                 values are is not known",
                series.named()
            ));
        }
        inputs.push(Input { statistic, writers });
    }
    match period {
        Some(period) => Outcome::Reads(Reading {
            period,
            inputs,
            is_math: !formula.is_identity(),
            formula,
            restrictions,
        }),
        None => Outcome::Unrelated,
    }
}

/// What a filter does to one metric with its dimensions, for the events in question.
fn on_series<'a>(
    writer: &Writer<'a>,
    signal: &Signal<'a>,
    series: &Series<'_>,
    of_events: &[Restriction],
) -> Option<Writer<'a>> {
    let written = restrictions_of(writer, series)?;
    let mut writer = *writer;
    if written.is_empty() {
        return Some(writer);
    }
    let is_own = std::ptr::eq(writer.transformation, signal.own.transformation);
    let known = |source: &DimensionSource| {
        let known = of_events.iter().find(|known| known.source == *source);
        known.map(|known| known.value.as_str())
    };
    for Restriction { source, value } in &written {
        match known(source) {
            Some(known) if known == value => {}
            Some(_) => writer.events = Share::None,
            None => writer.events = writer.events.min(Share::Some),
        }
    }
    // Other events have this value of the dimension as often as they like.
    if !is_own || writer.events != Share::All {
        writer.others = Share::Some;
    }
    Some(writer)
}

/// The values of a filter's dimensions that a metric has; `None` where it has other dimensions.
fn restrictions_of(writer: &Writer<'_>, series: &Series<'_>) -> Option<Vec<Restriction>> {
    restrictions(writer, series).ok()
}

/// A metric is told apart by the names and values of all its dimensions; CloudWatch adds nothing
/// up over them (CloudWatch User Guide, "Dimensions").
fn restrictions(writer: &Writer<'_>, series: &Series<'_>) -> Result<Vec<Restriction>, String> {
    let system_fields = &writer.filter.emit_system_field_dimensions;
    let emitted: BTreeMap<&str, DimensionSource> = writer
        .transformation
        .dimensions
        .iter()
        .map(|(name, selector)| (name.as_str(), DimensionSource::Selector(selector.clone())))
        .chain(
            system_fields
                .iter()
                .map(|field| (field.as_str(), DimensionSource::SystemField(field.clone()))),
        )
        .collect();
    let watched = series.watched();
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
