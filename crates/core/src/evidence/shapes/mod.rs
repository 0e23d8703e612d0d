//! The parts of AWS's answers that evaluation reads, with the member names of the AWS API.
//!
//! They load from what `aws ... --output json` prints: unknown members are skipped, optional ones
//! may be missing, lists may be null. What has the wrong type is an error, never a default.

mod alarm;
mod alarm_configuration;
mod central;
mod event_rule;
mod key;
mod lenient;
mod logs;
mod mute_rule;
mod observability;
mod organization;
mod texts;
mod topic;
mod trail;

pub use alarm::{CompositeAlarm, LogAlarm, MetricAlarm, ScheduledQueryConfiguration};
pub use alarm_configuration::{
    AlarmConfiguration, Dimension, EvaluationWindow, Metric, MetricDataQuery, MetricStat,
    WarmUpConfiguration,
};
pub use central::{
    CentralizationRule, CentralizationRuleDetails, CentralizationRuleSummary, CentralizationSource,
    SourceLogsConfiguration, TelemetryRule, TelemetryRuleDetails, TelemetryRuleSummary,
};
pub use event_rule::EventRule;
pub use key::{KeyMetadata, KeyPolicy};
pub use logs::{LogGroup, MetricFilter, MetricTransformation};
pub use mute_rule::{MuteRule, MuteRuleDetails, MuteSchedule, MuteTargets, MuteTimes};
pub use observability::{
    AttachedLink, AttachedLinks, Link, LinkConfiguration, LinkDetails, MetricConfiguration,
};
pub use organization::{
    CallerIdentity, DelegatedAdministrator, Organization, OrganizationAccount, OrganizationalUnit,
    RegionOption,
};
pub use topic::{Subscription, SubscriptionAttributes, TopicAttributes};
pub use trail::{
    AdvancedSelector, DataResource, EventSelector, EventSelectors, FieldSelector, Trail,
    TrailStatus,
};

pub(super) use alarm::AlarmsResponse;
pub(super) use central::{CentralizationRulesResponse, TelemetryRulesResponse};
pub(super) use event_rule::EventRulesResponse;
pub(super) use key::KeyResponse;
pub(super) use logs::{LogGroupsResponse, MetricFiltersResponse, TestMetricFilterResponse};
pub(super) use mute_rule::MuteRulesResponse;
pub(super) use observability::{AttachedLinksResponse, LinksResponse};
pub(super) use organization::{
    AdministratorsResponse, OrganizationResponse, RegionsResponse, TagsResponse, UnitsResponse,
};
pub(super) use texts::Texts;
pub(super) use topic::{
    SubscriptionAttributesResponse, SubscriptionsResponse, TopicAttributesResponse,
};
pub(super) use trail::TrailsResponse;
