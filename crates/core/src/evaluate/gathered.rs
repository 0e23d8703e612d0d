//! What is listed once for all controls: the filters of a log group and the alarms beside it.

use std::sync::Arc;

use super::alarm_rule::Composites;
use super::coverage::tells_accounts_apart;
use super::links::log_group::Place;
use super::origin;
use crate::evidence::{self, CompositeAlarm, LogAlarm, MetricAlarm, MetricFilter, Reader, View};

/// The metric filters of a log group, gathered once for all controls.
#[derive(Debug)]
pub(super) struct Filters {
    pub(super) site: evidence::CallSite,
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

/// The alarms of an account and region, gathered once for all log groups there.
#[derive(Debug)]
pub(super) struct Alarms {
    pub(super) metric: View<MetricAlarm>,
    pub(super) composite: View<CompositeAlarm>,
    pub(super) log: View<LogAlarm>,
    pub(super) composites: Composites,
}

impl Alarms {
    pub(super) fn of(evidence: &Reader<'_>, place: &Place) -> Self {
        let metric = evidence.metric_alarms(&place.site);
        let composite = evidence.composite_alarms(&place.site);
        Self {
            composites: Composites::new(&metric.items, &composite.items),
            metric,
            composite,
            log: evidence.log_alarms(&place.site),
        }
    }
}
