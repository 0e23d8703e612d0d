//! What was seen: the records of completed AWS calls, in the words of the AWS API.
//!
//! Evidence is all that evaluation knows. It is not a model of AWS: nothing here is derived,
//! defaulted or guessed, and a failed call is kept as what it is.

pub mod age;
mod calls;
mod few;
mod key_name;
mod lines;
mod mark;
mod note;
mod operation;
mod pseudonym;
mod reader;
mod record;
mod request;
mod response;
mod shapes;
mod store;
mod table;
pub mod timestamp;
mod unambiguous;
mod unit_names;
mod view;

pub use calls::assume_role::Entry;
pub use calls::describe_log_groups::LogGroupAnswer;
pub(crate) use calls::describe_metric_filters::SeenFilter;
pub use calls::describe_trails::TrailsView;
pub use calls::list_alarm_mute_rules::ScheduledMute;
pub use calls::list_centralization_rules_for_organization::CentralizationRules;
pub use calls::list_telemetry_rules::TelemetryRules;
pub use calls::{Call, CallDefinition, Operation, Pages, Permission, Quota};
pub use key_name::KeyName;
pub use lines::{Line, Lines, ReadError, Reading};
pub(crate) use note::{Basis, Note};
pub use operation::UnknownOperation;
pub use pseudonym::{mask_answer, mask_endpoints, pseudonym};
pub use reader::Reader;
pub use record::{CallError, ErrorClass, Outcome, Record};
pub use request::Request;
pub use response::{Joined, Response};
pub use shapes::{
    AdvancedSelector, AlarmConfiguration, AttachedLink, AttachedLinks, CallerIdentity,
    CentralizationRule, CentralizationRuleDetails, CentralizationRuleSummary, CentralizationSource,
    CompositeAlarm, DataResource, DelegatedAdministrator, Dimension, EvaluationWindow, EventRule,
    EventSelector, EventSelectors, FieldSelector, KeyMetadata, KeyPolicy, Link, LinkConfiguration,
    LinkDetails, LogAlarm, LogGroup, Metric, MetricAlarm, MetricConfiguration, MetricDataQuery,
    MetricFilter, MetricStat, MetricTransformation, MuteRule, MuteRuleDetails, MuteSchedule,
    MuteTargets, MuteTimes, Organization, OrganizationAccount, OrganizationalUnit, RegionOption,
    ScheduledQueryConfiguration, SourceLogsConfiguration, Subscription, SubscriptionAttributes,
    TelemetryRule, TelemetryRuleDetails, TelemetryRuleSummary, TopicAttributes, Trail, TrailStatus,
    WarmUpConfiguration,
};
pub use store::{CallSite, Evidence, RecordId, UnreadableRecord};
pub use table::{Answer, Listing};
pub(crate) use unit_names::is_unit_id;
pub use view::View;

#[cfg(test)]
mod tests;
