//! Evidence by what it is about.

use super::Record;

/// Everything that was seen, indexed by call. When a call repeats, the later record stands.
#[derive(Debug, Clone, Default)]
pub struct Evidence {
    records: Vec<Record>,
}

impl Evidence {
    /// Adds what was seen.
    pub fn insert(&mut self, record: Record) {
        self.records.push(record);
    }
}
