//! `logs:DescribeMetricFilters`: the metric filters of a log group.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{
    CallDefinition, Changes, Operation, Parameters, Permission, Quota, Reader, Subject,
    describe_log_groups,
};
use crate::evidence::shapes::{MetricFilter, MetricFiltersResponse};
use crate::evidence::store::{CallSite, Filing, Pool, RecordId, Unreadable};
use crate::evidence::table::{BySelection, Listing};
use crate::evidence::view::{View, newest};
use crate::evidence::{CallError, ErrorClass};
use crate::finding::LinkName;

pub(super) const DEFINITION: CallDefinition = CallDefinition {
    name: "logs:DescribeMetricFilters",
    permission: Permission::Read,
    link: LinkName::MetricFilter,
    pages: describe_log_groups::PAGES,
    members: &["metricFilters"],
    quota: Quota::own(5.0, 5.0),
};

/// Which filters were asked for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::evidence) struct Selection {
    /// The log group; `None` for every log group.
    log_group: Option<Arc<str>>,
    /// Whether the answer leaves filters out: by name or by metric.
    rest: Option<Box<str>>,
}

impl Selection {
    fn of(parameters: &Parameters<'_>, pool: &mut Pool) -> Result<Self, Unreadable> {
        let log_group = parameters.text("logGroupName")?;
        let rest = parameters.rest(&["logGroupName"]);
        Ok(Self {
            log_group: log_group.map(|name| pool.text(&name)),
            rest: rest.map(String::into_boxed_str),
        })
    }
}

pub(in crate::evidence) type Answers = BySelection<Selection, Listing<Arc<MetricFilter>>>;

pub(super) fn parameters(log_group_name: &Option<String>) -> Value {
    match log_group_name {
        None => json!({}),
        Some(name) => json!({ "logGroupName": name }),
    }
}

pub(super) fn file(
    answers: &mut Answers,
    filing: Filing<'_>,
    pool: &mut Pool,
) -> Result<Changes, Unreadable> {
    let selection = Selection::of(&filing.parameters, pool)?;
    let site = filing.site.clone();
    let answer = filing.listing(&DEFINITION, |response: MetricFiltersResponse| {
        pool.keep_all(response.filters)
    })?;
    let mut changes = Changes::from(subject(&site));
    changes.and(Subject::all(Operation::DescribeMetricFilters));
    answers.file(site, selection, answer);
    Ok(changes)
}

pub(super) fn is_answered(
    reader: &Reader<'_>,
    site: &CallSite,
    log_group_name: &Option<String>,
) -> bool {
    if let Some(name) = log_group_name {
        let view = reader.metric_filters(site, name);
        return view.complete || view.failure.is_some();
    }
    reader.looks_up(|| subject(site));
    let mut answers = reader.selected(|tables| &tables.describe_metric_filters, site);
    let answer =
        answers.find(|(selection, _)| selection.log_group.is_none() && selection.rest.is_none());
    answer.map(|(_, answer)| reader.uses(answer)).is_some()
}

fn subject(site: &CallSite) -> Subject {
    Subject::site(Operation::DescribeMetricFilters, site)
}

/// A metric filter, wherever it was seen.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SeenFilter<'e> {
    pub(crate) site: &'e CallSite,
    /// The name of its log group.
    pub(crate) log_group: &'e str,
    pub(crate) filter: &'e Arc<MetricFilter>,
    record: RecordId,
}

impl SeenFilter<'_> {
    /// Notes that it was used.
    pub(crate) fn used(&self, reader: &Reader<'_>) {
        reader.rests_on(self.record);
    }
}

impl Reader<'_> {
    /// The metric filters of other log groups of the account and region, as far as they were seen,
    /// each with its log group: in the order of log groups, then of names.
    pub fn other_metric_filters(
        &self,
        site: &CallSite,
        log_group: &str,
    ) -> Vec<(String, Arc<MetricFilter>)> {
        self.looks_up(|| subject(site));
        let mut seen = BTreeMap::new();
        for (selection, answer) in self.selected(|tables| &tables.describe_metric_filters, site) {
            let Ok(listing) = &answer.outcome else {
                continue;
            };
            let mut used = false;
            for filter in &listing.items {
                let asked = selection.log_group.as_deref();
                let on = filter.log_group_name.as_deref().or(asked);
                if let Some(on) = on.filter(|on| *on != log_group && filter.lacks.is_none()) {
                    used = true;
                    seen.insert(
                        (on.to_owned(), filter.filter_name.clone()),
                        Arc::clone(filter),
                    );
                }
            }
            if used {
                self.uses(answer);
            }
        }
        seen.into_iter()
            .map(|((on, _), filter)| (on, filter))
            .collect()
    }

    /// Whether some metric filter of an account in a region was seen to write to a metric.
    pub fn feeds_metric(&self, site: &CallSite, namespace: &str, metric: &str) -> bool {
        self.looks_up(|| subject(site));
        self.selected(|tables| &tables.describe_metric_filters, site)
            .filter_map(|(_, answer)| self.uses(answer).outcome.as_ref().ok())
            .flat_map(|listing| &listing.items)
            .flat_map(|filter| &filter.metric_transformations)
            .any(|written| {
                *written.metric_namespace == *namespace && *written.metric_name == *metric
            })
    }

    /// The metric filters of a log group.
    pub fn metric_filters(&self, site: &CallSite, log_group: &str) -> View<MetricFilter> {
        self.looks_up(|| subject(site));
        let mut view = View::default();
        let mut seen: BTreeMap<&str, (Timestamp, &Arc<MetricFilter>)> = BTreeMap::new();
        for (selection, answer) in self.selected(|tables| &tables.describe_metric_filters, site) {
            let asked = selection.log_group.as_deref();
            if asked.is_some_and(|asked| asked != log_group) {
                continue;
            }
            match &self.uses(answer).outcome {
                Err(error) => view.failed(error),
                Ok(listing) => {
                    view.saw(answer.observed_at);
                    if selection.rest.is_none() && listing.complete {
                        view.whole(answer.observed_at);
                    }
                    for filter in &listing.items {
                        let on = filter.log_group_name.as_deref().or(asked);
                        if on == Some(log_group) {
                            newest(&mut seen, &filter.filter_name, answer.observed_at, filter);
                        }
                    }
                }
            }
        }
        let mut view = view.keep(seen);
        // A filter that is listed in part is not seen, and may do anything.
        let partial = view.items.iter().find_map(|filter| {
            let member = filter.lacks?;
            Some(CallError {
                code: "IncompleteAnswer".to_owned(),
                message: format!("metric filter `{}` has no `{member}`", filter.filter_name),
                class: ErrorClass::Other,
            })
        });
        if let Some(error) = partial {
            view.items.retain(|filter| filter.lacks.is_none());
            view.complete = false;
            view.failure = Some(Arc::new(error));
        }
        view
    }
}

impl<'e> Reader<'e> {
    /// Every metric filter that was seen anywhere, with where it was seen and its log group. Each is
    /// noted where it is used: [`SeenFilter::used`].
    pub(crate) fn all_metric_filters(&self) -> impl Iterator<Item = SeenFilter<'e>> + use<'e> {
        self.looks_up(|| Subject::all(Operation::DescribeMetricFilters));
        let rows = self.evidence().tables.describe_metric_filters.rows();
        rows.flat_map(|(site, row)| {
            row.iter()
                .map(move |(selection, answer)| (site, selection, answer))
        })
        .flat_map(|(site, selection, answer)| {
            let listing = answer.outcome.as_ref().ok();
            let filters = listing.into_iter().flat_map(|listing| &listing.items);
            filters.filter_map(move |filter| {
                let asked = selection.log_group.as_deref();
                Some(SeenFilter {
                    site,
                    log_group: filter.log_group_name.as_deref().or(asked)?,
                    filter,
                    record: answer.record,
                })
            })
        })
    }
}
