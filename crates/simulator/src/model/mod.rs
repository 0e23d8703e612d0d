//! The organization: accounts, what is in each of their regions, who may do what, and the verdicts
//! that are known by construction. Resources carry only what somebody configured; what AWS adds
//! (ARNs, request ids, times) is made when it is asked for.

mod account;
mod alarm;
mod central;
mod expected;
mod key;
mod link;
mod logs;
mod organization;
mod security_hub;
mod topic;
mod trail;
mod whole;

pub use account::{Account, AccountState, Contact, Denial, Role, Site};
pub use alarm::{Alarm, MetricQuery, MetricStatistic, MuteRule, Suppressor};
pub use central::{CentralizationRule, EventRule, TelemetryRule};
pub use expected::Expected;
pub use key::Key;
pub use link::Link;
pub use logs::{FieldDimensions, LogGroup, LogGroupClass, MetricFilter};
pub use organization::{Delegation, Organization};
pub use security_hub::SecurityHub;
pub use topic::{Subscription, SubscriptionState, Topic};
pub use trail::{AdvancedSelector, BasicSelector, FieldSelector, Selectors, Trail};
