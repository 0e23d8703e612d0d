//! Repairs what findings say is broken: the fewest changes, each seen before it is made, recorded
//! while it is made, and possible to take back.
//!
//! [`Planning`] makes a [`Plan`] out of a run and calls nobody; [`plan_asking`] asks what the run did not
//! look at, and changes nothing. [`apply`] and [`undo`] are the only
//! code of trailproof that changes an AWS account; without the cargo feature `remediation` none
//! of this is compiled. What others made is never changed: a repair stands beside it.

pub mod apply;
pub mod aws;
pub mod cloud;
pub mod costs;
pub mod drill;
pub mod endpoint;
pub mod export;
pub mod journal;
pub mod naming;
pub mod options;
pub mod permissions;
mod plan;
mod plan_check;
mod planning;
mod present;
pub mod resources;
pub mod undo;
pub mod verification;

pub use plan::{
    CentralTopic, OwnerTask, Plan, PlanError, PlanRun, PlanSummary, ReliesOn, Repair, Reused,
    SCHEMA_VERSION, Site, Step, Unrepairable,
};
pub use planning::{Planning, PlanningError, plan_asking};
pub use resources::{
    Alarm, Change, METRIC_FILTERS_PER_LOG_GROUP, MetricFilter, Publishers, Subscription, TAG,
    Topic, TopicStatement,
};
