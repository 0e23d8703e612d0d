//! Controls: what has to be watched, by which pattern, and how each benchmark version calls it.
//!
//! Controls are data. The built-in ones are TOML files embedded in this crate; users add their own
//! in the same form.

use serde::{Deserialize, Serialize};

/// A control: events that have to end as a message in front of a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Control {
    /// Such as `console-auth-failures`.
    pub id: String,
    /// What the benchmark calls it.
    pub title: String,
    /// What it is for, in a sentence or two.
    #[serde(default)]
    pub description: String,
    /// The filter pattern that has to be covered, unless a benchmark version says otherwise.
    pub pattern: String,
    /// What is true of every event of the control, written as a filter pattern.
    #[serde(default)]
    pub facts: Option<String>,
    /// A complete event of the control, as CloudTrail writes it: the skeleton of witnesses.
    #[serde(default)]
    pub example: serde_json::Value,
    /// How each benchmark version numbers it.
    #[serde(default, rename = "benchmark")]
    pub benchmarks: Vec<BenchmarkEntry>,
}

/// A control in one or more benchmark versions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BenchmarkEntry {
    /// Versions of the CIS AWS Foundations Benchmark, such as `6.0.0`.
    pub versions: Vec<String>,
    /// The recommendation's number, such as `5.6`.
    pub number: String,
    /// The profile level, 1 or 2.
    pub level: u8,
    /// The pattern of these versions, where it differs from the control's.
    #[serde(default)]
    pub pattern: Option<String>,
}
