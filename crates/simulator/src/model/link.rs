//! Links of Observability Access Manager: what an account shares with a monitoring account.

use serde::{Deserialize, Serialize};

/// A link, in the account that shares.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Link {
    /// Its id.
    pub id: String,
    /// The account it leads to, whose one sink of the region is meant; or the ARN of a sink, as it
    /// is to be told.
    pub sink: String,
    /// `ResourceTypes`.
    pub resource_types: Vec<String>,
    /// The `Filter` of the metric configuration; empty for none.
    pub metric_filter: String,
}

impl Default for Link {
    fn default() -> Self {
        Self {
            id: "link".to_owned(),
            sink: String::new(),
            resource_types: vec!["AWS::CloudWatch::Metric".to_owned()],
            metric_filter: String::new(),
        }
    }
}
