//! A list that several answers may have shown in part.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;

use super::CallError;

/// What is known of a list that several calls may have shown in part.
#[derive(Debug, Clone)]
pub struct View<T> {
    /// What was seen, each thing once, in a stable order.
    pub items: Vec<Arc<T>>,
    /// Whether nothing can be missing.
    pub complete: bool,
    /// Why the list is not complete, where a call failed.
    pub failure: Option<Arc<CallError>>,
    /// The latest observation.
    pub observed_at: Option<Timestamp>,
    /// The latest answer from which nothing can be missing.
    whole_at: Option<Timestamp>,
}

impl<T> Default for View<T> {
    fn default() -> Self {
        Self {
            items: Vec::new(),
            complete: false,
            failure: None,
            observed_at: None,
            whole_at: None,
        }
    }
}

impl<T> View<T> {
    /// The same view, of some of what was seen.
    pub(crate) fn narrowed_to(&self, items: Vec<Arc<T>>) -> Self {
        Self {
            items,
            complete: self.complete,
            failure: self.failure.clone(),
            observed_at: self.observed_at,
            whole_at: self.whole_at,
        }
    }

    pub(super) fn whole(&mut self, at: Timestamp) {
        self.complete = true;
        self.whole_at = self.whole_at.max(Some(at));
    }

    /// Takes what was seen. What a later, complete answer does not have is gone.
    pub(super) fn keep(mut self, seen: BTreeMap<&str, (Timestamp, &Arc<T>)>) -> Self {
        self.items = seen
            .into_values()
            .filter(|(at, _)| Some(*at) >= self.whole_at)
            .map(|(_, item)| Arc::clone(item))
            .collect();
        self
    }

    pub(super) fn saw(&mut self, at: Timestamp) {
        self.observed_at = self.observed_at.max(Some(at));
    }

    pub(super) fn failed(&mut self, error: &Arc<CallError>) {
        if self.failure.is_none() {
            self.failure = Some(Arc::clone(error));
        }
    }
}

/// Takes an item, unless a later answer had one of that name.
pub(super) fn newest<'a, T>(
    seen: &mut BTreeMap<&'a str, (Timestamp, &'a Arc<T>)>,
    name: &'a str,
    at: Timestamp,
    item: &'a Arc<T>,
) {
    match seen.get(name) {
        Some((known, _)) if *known > at => {}
        _ => {
            seen.insert(name, (at, item));
        }
    }
}
