//! What an evaluator worked out and may need again.

use std::collections::HashMap;
use std::sync::Arc;

use super::coverage::Decisions;
use super::links::log_group::Place;
use super::site::{Alarms, Filters, Judgement};
use crate::account::{AccountId, Partition, Region};
use crate::evidence::{Evidence, Mark, Site};

/// A log group, by ARN, and a control; also the account and its regions, where filters tell
/// accounts apart.
pub(super) type Question = (Arc<str>, usize, Option<(AccountId, Arc<[Region]>)>);

/// Decisions about patterns, for good; everything else, for one state of the evidence.
#[derive(Debug, Default)]
pub(super) struct Memory {
    /// They rest on texts alone.
    pub(super) decisions: Decisions,
    default_regions: HashMap<Partition, Arc<[Region]>>,
    /// The state of the evidence that the following was made from.
    mark: Option<Arc<Mark>>,
    alarms: HashMap<Site, Arc<Alarms>>,
    /// By the log group's ARN.
    filters: HashMap<Arc<str>, Arc<Filters>>,
    pub(super) judgements: HashMap<Question, Arc<Judgement>>,
}

impl Memory {
    /// Drops what was made from another state of the evidence.
    pub(super) fn begin(&mut self, evidence: &Evidence) {
        let mark = evidence.shared_mark();
        let same = |known: &Arc<Mark>| Arc::ptr_eq(known, mark);
        if !self.mark.as_ref().is_some_and(same) {
            self.mark = Some(Arc::clone(mark));
            self.alarms.clear();
            self.filters.clear();
            self.judgements.clear();
        }
    }

    /// Drops what is known of log groups at some sites, and what is of use for one account only.
    pub(super) fn forget(&mut self, is_of_no_use: impl Fn(&Site) -> bool) {
        self.alarms.retain(|site, _| !is_of_no_use(site));
        self.filters
            .retain(|_, filters| !is_of_no_use(&filters.site));
        let filters = &self.filters;
        self.judgements.retain(|(log_group, _, particular), _| {
            filters.contains_key(log_group) && particular.is_none()
        });
    }

    /// The regions that every account of a partition has, in order.
    pub(super) fn default_regions(&mut self, partition: Partition) -> &Arc<[Region]> {
        self.default_regions.entry(partition).or_insert_with(|| {
            let names = partition.default_regions().iter();
            let mut regions: Vec<Region> = names.map(|name| Region::new(name)).collect();
            regions.sort_unstable();
            regions.into()
        })
    }

    /// The alarms beside a log group.
    pub(super) fn alarms(&mut self, evidence: &Evidence, place: &Place) -> Arc<Alarms> {
        let known = self.alarms.entry(place.site.clone());
        Arc::clone(known.or_insert_with(|| Arc::new(Alarms::of(evidence, place))))
    }

    /// The metric filters of a log group.
    pub(super) fn filters(&mut self, evidence: &Evidence, place: &Place) -> Arc<Filters> {
        let known = self.filters.entry(Arc::clone(&place.arn));
        Arc::clone(known.or_insert_with(|| Arc::new(Filters::of(evidence, place))))
    }
}
