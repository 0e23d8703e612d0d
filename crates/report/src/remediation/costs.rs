//! What a plan costs by the public list prices, and how long it takes by the quotas. Both are for
//! the headline of a plan: a person is to see dollars before cents, and hours before minutes.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;
use trailproof_core::account::{AccountId, Region};

use super::plan::{Plan, Step};
use super::resources::Change;

/// List prices, first tier. Filters, topics and e-mail in these numbers cost nothing worth naming.
#[derive(Debug, Deserialize)]
struct Prices {
    source: String,
    region: String,
    read: String,
    currency: String,
    /// A standard-resolution alarm on one metric.
    alarm_per_month: f64,
    /// A custom metric that has values in every hour; hours without values are not charged.
    metric_per_month: f64,
}

/// What a plan costs a month.
#[derive(Debug, Clone, PartialEq)]
pub struct Costs {
    /// For its alarms.
    pub alarms: f64,
    /// At most, for its metrics: an hour without an event costs nothing.
    pub metrics: f64,
    /// The currency.
    pub currency: String,
    /// Whose prices these are, and of when.
    pub source: String,
}

/// What looking and changing take at a site for each step, beside the quota: some answers at the
/// distance of far regions.
const EACH_STEP: Duration = Duration::from_secs(1);
/// Entering an account and looking at a site.
const EACH_SITE: Duration = Duration::from_secs(2);

/// What a plan costs; `None` where it costs nothing.
pub fn monthly(plan: &Plan) -> Option<Costs> {
    let prices: Prices = serde_json::from_str(include_str!("../../data/prices.json")).ok()?;
    let count = |counts: fn(&Change) -> bool| {
        let number = plan.steps().filter(|step| counts(&step.change)).count();
        // Plans have far fewer steps than an f64 has exact whole numbers.
        f64::from(u32::try_from(number).unwrap_or(u32::MAX))
    };
    let alarms = count(|change| matches!(change, Change::PutMetricAlarm(_)));
    let metrics = count(|change| matches!(change, Change::PutMetricFilter(_)));
    (alarms + metrics > 0.0).then(|| Costs {
        alarms: alarms * prices.alarm_per_month,
        metrics: metrics * prices.metric_per_month,
        currency: prices.currency,
        source: format!("{}, {}, {}", prices.source, prices.region, prices.read),
    })
}

/// How long carrying a plan out takes, when this many accounts are worked on at once: the steps of
/// an account and region come one after the other, no faster than their quotas.
pub fn duration(plan: &Plan, concurrency: usize) -> Duration {
    let each = |step: &Step| {
        let each = Duration::from_secs_f64(1.0 / step.change.call().per_second);
        EACH_STEP.max(each)
    };
    // Central topics come before everything else.
    let central = plan.topics.iter().map(|topic| {
        let steps: Duration = topic.steps.iter().map(each).sum();
        EACH_SITE + steps
    });
    let central = central.max().unwrap_or_default();
    let mut places: BTreeMap<(AccountId, &Region), Duration> = BTreeMap::new();
    for site in &plan.sites {
        let place = places.entry((site.account, &site.region)).or_default();
        *place += EACH_SITE;
        *place += site.steps.iter().map(each).sum::<Duration>();
    }
    let longest = places.values().max().copied().unwrap_or_default();
    let workers = u32::try_from(concurrency.max(1)).unwrap_or(u32::MAX);
    central + longest.max(places.values().sum::<Duration>() / workers)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::remediation::export::tests::plan;

    #[test]
    fn alarms_and_metrics_cost_and_places_share_the_time() {
        let plan = plan();
        let alarms = plan
            .steps()
            .filter(|step| step.change.alarm_name().is_some())
            .count();
        let costs = monthly(&plan).unwrap();
        assert!((costs.alarms - 0.10 * f64::from(u32::try_from(alarms).unwrap())).abs() < 1e-9);
        assert!(
            costs.source.starts_with("https://aws.amazon.com/"),
            "{costs:?}"
        );
        let (one, many) = (duration(&plan, 1), duration(&plan, 1000));
        assert!(
            many >= EACH_SITE + EACH_STEP && many < one,
            "{many:?} {one:?}"
        );
        let nothing = Plan {
            sites: Vec::new(),
            ..plan
        };
        assert_eq!(monthly(&nothing), None);
        assert_eq!(duration(&nothing, 16), Duration::ZERO);
    }
}
