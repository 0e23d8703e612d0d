//! CloudTrail.

use std::sync::Arc;

use jiff::Timestamp;
use serde::Deserialize;

use super::lenient::{list, text, time};
use super::texts::Texts;
use crate::account::{AccountId, Region};
use crate::arn::Arn;

#[derive(Deserialize)]
pub(in crate::evidence) struct TrailsResponse {
    #[serde(rename = "trailList", default, deserialize_with = "list")]
    pub(in crate::evidence) trails: Vec<Trail>,
}

/// A trail, or its replication in another region or in a member of its organization.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "PascalCase", expecting = "a trail")]
pub struct Trail {
    /// The trail's identity, the same wherever the trail is replicated.
    #[serde(rename = "TrailARN")]
    pub trail_arn: Arc<str>,
    /// Its name.
    #[serde(default)]
    pub name: Option<Arc<str>>,
    /// Whether it records in every region.
    #[serde(default)]
    pub is_multi_region_trail: Option<bool>,
    /// Whether it records in every account of the organization.
    #[serde(default)]
    pub is_organization_trail: Option<bool>,
    /// Whether it records the events of global services, console sign-ins among them.
    #[serde(default)]
    pub include_global_service_events: Option<bool>,
    /// Where it was created.
    #[serde(default)]
    pub home_region: Option<Region>,
    /// The log group it delivers to.
    #[serde(default)]
    pub cloud_watch_logs_log_group_arn: Option<Arc<str>>,
    /// The role by which it writes to the log group.
    #[serde(default, deserialize_with = "text")]
    pub cloud_watch_logs_role_arn: Option<String>,
    /// Whether somebody chose which events it records; absent where AWS does not tell.
    #[serde(default)]
    pub has_custom_event_selectors: Option<bool>,
    /// The bucket of its log files.
    #[serde(rename = "S3BucketName", default, deserialize_with = "text")]
    pub s3_bucket_name: Option<String>,
    /// What the names of its log files begin with.
    #[serde(rename = "S3KeyPrefix", default, deserialize_with = "text")]
    pub s3_key_prefix: Option<String>,
    /// Whether the events of its own deliveries are recorded; absent is true.
    #[serde(default)]
    pub recursive_logging: Option<bool>,
    /// The key that encrypts its log files.
    #[serde(default, deserialize_with = "text")]
    pub kms_key_id: Option<String>,
}

impl Texts for Trail {
    fn texts(&mut self) -> impl Iterator<Item = &mut Arc<str>> {
        std::iter::once(&mut self.trail_arn)
            .chain(&mut self.name)
            .chain(&mut self.cloud_watch_logs_log_group_arn)
    }
}

impl Trail {
    /// The account of the trail's ARN. For an organization trail that is the management account,
    /// even when a delegated administrator created it.
    pub fn owner(&self) -> Option<AccountId> {
        Arn::account_in(&self.trail_arn)
    }

    /// The region where the trail was created: where its status and selectors are asked for.
    pub fn home(&self) -> Option<Region> {
        self.home_region
            .clone()
            .or_else(|| self.trail_arn.parse::<Arn>().ok()?.region())
    }

    /// Whether the trail was created in a region.
    pub fn is_of(&self, region: &Region) -> bool {
        match &self.home_region {
            Some(home) => home == region,
            None => self.home().as_ref() == Some(region),
        }
    }

    /// The log group's ARN, where the trail has one.
    pub fn log_group_arn(&self) -> Option<&Arc<str>> {
        self.cloud_watch_logs_log_group_arn
            .as_ref()
            .filter(|arn| !arn.is_empty())
    }
}

/// `cloudtrail:GetTrailStatus`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", expecting = "the status of a trail")]
pub struct TrailStatus {
    /// Whether the trail records.
    #[serde(default)]
    pub is_logging: Option<bool>,
    /// Why the last delivery to CloudWatch Logs failed; absent when it did not.
    #[serde(default, deserialize_with = "text")]
    pub latest_cloud_watch_logs_delivery_error: Option<String>,
    /// When the last delivery to CloudWatch Logs happened.
    #[serde(default, deserialize_with = "time")]
    pub latest_cloud_watch_logs_delivery_time: Option<Timestamp>,
    /// When somebody started it last.
    #[serde(default, deserialize_with = "time")]
    pub start_logging_time: Option<Timestamp>,
}

/// `cloudtrail:GetEventSelectors`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Deserialize)]
#[serde(
    rename_all = "PascalCase",
    expecting = "the event selectors of a trail"
)]
pub struct EventSelectors {
    /// Basic selectors.
    #[serde(default, deserialize_with = "list")]
    pub event_selectors: Vec<EventSelector>,
    /// Advanced selectors; a trail has one kind or the other.
    #[serde(default, deserialize_with = "list")]
    pub advanced_event_selectors: Vec<AdvancedSelector>,
}

/// A basic selector.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "PascalCase", expecting = "an event selector")]
pub struct EventSelector {
    /// `All`, `ReadOnly` or `WriteOnly`; absent is `All`.
    #[serde(default, deserialize_with = "text")]
    pub read_write_type: Option<String>,
    /// Whether management events are recorded; absent is true.
    #[serde(default)]
    pub include_management_events: Option<bool>,
    /// Event sources whose management events are not recorded.
    #[serde(default, deserialize_with = "list")]
    pub exclude_management_event_sources: Vec<String>,
    /// Resources whose data events are recorded.
    #[serde(default, deserialize_with = "list")]
    pub data_resources: Vec<DataResource>,
}

/// Resources of one type.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "PascalCase", expecting = "a data resource")]
pub struct DataResource {
    /// The type, such as `AWS::S3::Object`.
    #[serde(default, rename = "Type", deserialize_with = "text")]
    pub kind: Option<String>,
    /// What their ARNs begin with.
    #[serde(default, deserialize_with = "list")]
    pub values: Vec<String>,
}

/// An advanced selector: all of its field selectors have to match.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "PascalCase", expecting = "an advanced event selector")]
pub struct AdvancedSelector {
    /// Its name. Untrusted text.
    #[serde(default)]
    pub name: Option<String>,
    /// What has to hold of an event.
    #[serde(default, deserialize_with = "list")]
    pub field_selectors: Vec<FieldSelector>,
}

/// What has to hold of one field: any value of any positive operator matches, if there are any, and
/// no value of a negative one does.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Deserialize)]
#[serde(rename_all = "PascalCase", expecting = "a field selector")]
pub struct FieldSelector {
    /// Such as `eventCategory`.
    pub field: String,
    /// The field is one of these.
    #[serde(default, deserialize_with = "list")]
    pub equals: Vec<String>,
    /// The field begins with one of these.
    #[serde(default, deserialize_with = "list")]
    pub starts_with: Vec<String>,
    /// The field ends with one of these.
    #[serde(default, deserialize_with = "list")]
    pub ends_with: Vec<String>,
    /// The field is none of these.
    #[serde(default, deserialize_with = "list")]
    pub not_equals: Vec<String>,
    /// The field begins with none of these.
    #[serde(default, deserialize_with = "list")]
    pub not_starts_with: Vec<String>,
    /// The field ends with none of these.
    #[serde(default, deserialize_with = "list")]
    pub not_ends_with: Vec<String>,
}
