//! Who writes to the metrics that an alarm reads.

use crate::account::AccountId;
use crate::evidence::{MetricFilter, MetricTransformation};

/// How many of some events a metric filter matches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Share {
    /// None of them.
    None,
    /// Any number of them, nobody knows which.
    Some,
    /// All of them.
    All,
}

/// A metric filter of the log group.
#[derive(Debug, Clone, Copy)]
pub struct Writer<'a> {
    /// The filter.
    pub filter: &'a MetricFilter,
    /// What it writes.
    pub transformation: &'a MetricTransformation,
    /// Which of the events in question it matches.
    pub events: Share,
    /// Which other events it matches.
    pub others: Share,
}

impl Writer<'_> {
    /// The unit data points carry; `None` is the name of the absent unit.
    pub(super) fn unit(&self) -> &str {
        self.transformation.unit.as_deref().unwrap_or("None")
    }

    /// The value of one matching event: a number, or any where it is taken from the event.
    pub(super) fn value(&self) -> (f64, f64) {
        let number = self.transformation.metric_value.trim().parse::<f64>();
        match number {
            Ok(number) if number.is_finite() => (number, number),
            _ => (f64::NEG_INFINITY, f64::INFINITY),
        }
    }

    /// Whether the value is taken from the event, so that some events may have none.
    pub(super) fn is_from_event(&self) -> bool {
        let number = self.transformation.metric_value.trim().parse::<f64>();
        !number.is_ok_and(f64::is_finite)
    }
}

/// What a metric filter writes for the events in question, and what else is written beside it.
#[derive(Debug, Clone)]
pub struct Signal<'a> {
    pub(super) own: Writer<'a>,
    /// The account whose CloudWatch holds the metrics: the log group's.
    pub(super) account: AccountId,
    /// The account whose alarms read them.
    pub(super) watcher: AccountId,
    pub(super) others: Vec<Writer<'a>>,
}

impl<'a> Signal<'a> {
    /// What one transformation of a filter writes into the CloudWatch of the log group's account.
    pub fn new(
        filter: &'a MetricFilter,
        transformation: &'a MetricTransformation,
        account: AccountId,
    ) -> Self {
        Self {
            own: Writer {
                filter,
                transformation,
                events: Share::All,
                others: Share::None,
            },
            account,
            watcher: account,
            others: Vec::new(),
        }
    }

    /// What the filter writes for the events in question.
    pub fn transformation(&self) -> &'a MetricTransformation {
        self.own.transformation
    }

    /// The same signal as alarms of another account read it, with which its metrics are shared.
    #[must_use]
    pub fn watched_from(mut self, watcher: AccountId) -> Self {
        self.watcher = watcher;
        self
    }

    /// The same signal beside other filters of the log group, those that write to other metrics
    /// included: an alarm may read them, too.
    #[must_use]
    pub fn beside(mut self, others: impl IntoIterator<Item = Writer<'a>>) -> Self {
        self.others.extend(others);
        self
    }
}
