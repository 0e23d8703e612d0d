//! What was seen: the records of completed AWS calls, in the words of the AWS API.
//!
//! Evidence is all that evaluation knows. It is not a model of AWS: nothing here is derived,
//! defaulted or guessed, and a failed call is kept as what it is.

mod few;
mod mark;
mod operation;
mod query;
mod read;
mod record;
mod request;
mod selection;
mod shapes;
mod store;
pub mod timestamp;

pub(crate) use mark::{Basis, Part};
pub use operation::{Operation, UnknownOperation};
pub use query::{Entry, LogGroupAnswer, TrailsView, View};
pub use read::{ReadError, Reading, read_records};
pub use record::{CallError, ErrorClass, Outcome, Record};
pub use request::{Call, Request};
pub use shapes::{
    AdvancedSelector, CallerIdentity, CompositeAlarm, DelegatedAdministrator, Dimension,
    EventSelector, EventSelectors, FieldSelector, LogGroup, Metric, MetricAlarm, MetricDataQuery,
    MetricFilter, MetricStat, MetricTransformation, MuteRule, MuteTargets, Organization,
    OrganizationAccount, RegionOption, Subscription, TopicAttributes, Trail, TrailStatus,
};
pub use store::{Alarms, Answer, Evidence, Listing, Site, UnreadableRecord};

#[cfg(test)]
mod tests;
