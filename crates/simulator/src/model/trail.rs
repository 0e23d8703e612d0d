//! Trails and their event selectors.

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

/// A trail, in its home region. The default is the healthy kind: multi-region and logging.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[allow(clippy::struct_excessive_bools, reason = "the API has them")]
pub struct Trail {
    /// Its name.
    pub name: String,
    /// Whether it is the organization's, visible in every member.
    pub organization: bool,
    /// Whether it records every region.
    pub multi_region: bool,
    /// Whether it records the events of global services.
    pub global_events: bool,
    /// Whether it is logging.
    pub logging: bool,
    /// The log group it delivers to: a name in its own account and region, an ARN, or nothing.
    pub log_group: String,
    /// How long ago it last delivered to the log group; see `never_delivered`.
    #[serde(with = "duration")]
    pub delivery_age: SignedDuration,
    /// Whether it has no delivery time at all.
    pub never_delivered: bool,
    /// The error of the last delivery to the log group; empty when there is none.
    pub delivery_error: String,
    /// The error of the last delivery to the bucket; empty when there is none.
    pub bucket_error: String,
    /// The bucket.
    pub bucket: String,
    /// Whether the events of its own deliveries are recorded.
    pub recursive_logging: bool,
    /// The key that encrypts the log files.
    pub kms_key: String,
    /// Which events it records.
    pub selectors: Selectors,
}

impl Default for Trail {
    fn default() -> Self {
        Self {
            name: String::new(),
            organization: false,
            multi_region: true,
            global_events: true,
            logging: true,
            log_group: String::new(),
            delivery_age: SignedDuration::from_mins(5),
            never_delivered: false,
            delivery_error: String::new(),
            bucket_error: String::new(),
            bucket: String::new(),
            recursive_logging: true,
            kms_key: String::new(),
            selectors: Selectors::Default,
        }
    }
}

/// The selectors of a trail.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Selectors {
    /// Nobody touched them: one basic selector that records all management events.
    #[default]
    Default,
    /// Nobody touched them, and AWS answers one advanced selector for management events.
    AdvancedDefault,
    /// Two empty lists.
    None,
    /// Basic selectors.
    Basic(Vec<BasicSelector>),
    /// Advanced selectors.
    Advanced(Vec<AdvancedSelector>),
}

/// A basic event selector.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BasicSelector {
    /// `All`, `ReadOnly` or `WriteOnly`.
    pub read_write_type: String,
    /// Whether management events are recorded.
    pub include_management_events: bool,
    /// Services whose management events are not recorded.
    pub exclude_management_event_sources: Vec<String>,
}

impl Default for BasicSelector {
    fn default() -> Self {
        Self {
            read_write_type: "All".to_owned(),
            include_management_events: true,
            exclude_management_event_sources: Vec::new(),
        }
    }
}

/// An advanced event selector: all of its fields must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AdvancedSelector {
    /// A name for people; may be empty.
    pub name: String,
    /// The conditions.
    pub fields: Vec<FieldSelector>,
}

/// A condition on one field of an event.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FieldSelector {
    /// Such as `eventCategory`.
    pub field: String,
    /// `Equals`.
    pub equals: Vec<String>,
    /// `StartsWith`.
    pub starts_with: Vec<String>,
    /// `EndsWith`.
    pub ends_with: Vec<String>,
    /// `NotEquals`.
    pub not_equals: Vec<String>,
    /// `NotStartsWith`.
    pub not_starts_with: Vec<String>,
    /// `NotEndsWith`.
    pub not_ends_with: Vec<String>,
}

/// Durations as people write them: `48h`, `5m`.
mod duration {
    use jiff::SignedDuration;
    use jiff::fmt::friendly::SpanPrinter;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(
        duration: &SignedDuration,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&SpanPrinter::new().duration_to_string(duration))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<SignedDuration, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(|_| {
            serde::de::Error::custom(format_args!(
                "`{text}` is not a duration: write it like `5m` or `48h`"
            ))
        })
    }
}
