//! What is listed once for all controls: the filters of a log group, and the alarms beside it and
//! of monitoring accounts.

use std::collections::HashMap;
use std::sync::Arc;

use super::alarm_rule::Composites;
use super::coverage::tells_accounts_apart;
use super::firing;
use super::links::log_group::Place;
use super::origin;
use crate::account::AccountId;
use crate::evidence::{
    CallSite, CompositeAlarm, LogAlarm, MetricAlarm, MetricFilter, Reader, View,
};

/// The metric filters of a log group, gathered once for all controls.
#[derive(Debug)]
pub(super) struct Filters {
    pub(super) site: CallSite,
    /// Whether they treat accounts differently.
    pub(super) tell_accounts_apart: bool,
    /// One that looks at where log data comes from.
    pub(super) looks_at_origin: Option<Arc<MetricFilter>>,
    pub(super) view: View<MetricFilter>,
}

impl Filters {
    pub(super) fn of(evidence: &Reader<'_>, place: &Place) -> Self {
        let view = evidence.metric_filters(&place.site, &place.name);
        let tells = |filter: &MetricFilter| {
            let mut transformations = filter.metric_transformations.iter();
            origin::matters(filter)
                || tells_accounts_apart(&filter.filter_pattern)
                || transformations.any(|transformation| {
                    let mut selectors = transformation.dimensions.values();
                    selectors.any(|selector| tells_accounts_apart(selector))
                })
        };
        Self {
            site: place.site.clone(),
            looks_at_origin: view
                .items
                .iter()
                .find(|filter| origin::matters(filter))
                .cloned(),
            tell_accounts_apart: view.items.iter().any(|filter| tells(filter)),
            view,
        }
    }

    /// Whether nobody asked for them.
    pub(super) fn unasked(&self) -> bool {
        self.view.observed_at.is_none() && self.view.failure.is_none()
    }
}

/// The alarms of an account and region, gathered once for all log groups there, and for all whose
/// metrics they watch.
#[derive(Debug)]
pub(super) struct Alarms {
    pub(super) metric: View<MetricAlarm>,
    pub(super) composite: View<CompositeAlarm>,
    pub(super) log: View<LogAlarm>,
    pub(super) composites: Composites,
    /// The places of alarms that name another account as that of a metric.
    by_account: HashMap<AccountId, Vec<usize>>,
    /// The places of alarms that select metrics by a query.
    by_query: Vec<usize>,
}

impl Alarms {
    pub(super) fn of(evidence: &Reader<'_>, site: &CallSite) -> Self {
        let metric = evidence.metric_alarms(site);
        let composite = evidence.composite_alarms(site);
        let mut by_account: HashMap<AccountId, Vec<usize>> = HashMap::new();
        let mut by_query = Vec::new();
        for (place, alarm) in metric.items.iter().enumerate() {
            for account in alarm.other_accounts() {
                let places = by_account.entry(account).or_default();
                if places.last() != Some(&place) {
                    places.push(place);
                }
            }
            if firing::is_by_query(alarm) {
                by_query.push(place);
            }
        }
        Self {
            composites: Composites::new(&metric.items, &composite.items),
            metric,
            composite,
            log: evidence.log_alarms(site),
            by_account,
            by_query,
        }
    }

    /// Whether an alarm names an account as that of a metric.
    pub(super) fn name(&self, account: AccountId) -> bool {
        self.by_account.contains_key(&account)
    }

    /// The alarms that may watch metrics of another account.
    pub(super) fn on_metrics_of(&self, account: AccountId) -> View<MetricAlarm> {
        let named = self.by_account.get(&account).into_iter().flatten();
        let mut places: Vec<usize> = named.chain(&self.by_query).copied().collect();
        places.sort_unstable();
        places.dedup();
        let items = places
            .into_iter()
            .filter_map(|place| self.metric.items.get(place));
        self.metric.narrowed_to(items.cloned().collect())
    }
}
