//! Reads an AWS organization and records what it saw: AWS in, evidence out.
//!
//! [`scan`] finds the accounts, enters each with a role, performs the calls on which the verdicts
//! rest, and appends every answer to the run's evidence file as it arrives. Which calls those are
//! is decided by [`trailproof_core::evaluate::wanted`]; this crate never judges, it only asks, and
//! an answer it could not get is recorded as the reason why. It prints nothing: what happens is
//! told as [`ScanEvent`]s.

mod access;
mod caller;
mod calls;
mod clock;
mod connection;
mod contacts;
mod discovery;
pub mod doctor;
mod engine;
mod error;
mod event;
mod hub;
mod listing;
mod log;
mod outcome;
mod pacing;
pub mod permissions;
mod plan;
mod regions;
mod roles;
mod scan;
mod shard;
#[cfg(test)]
mod testing;

pub use access::{Access, CallFailure};
pub use calls::clock_skew::is_worth_mending;
pub use calls::{RegionalClients, ServiceCall};
pub use connection::{
    ConnectOptions, Connections, Environment, MfaPrompt, NetworkSetting, Origin, StaticCredentials,
};
pub use contacts::CONTACT_ACTION;
pub use error::ScanError;
pub use event::{Organization, ScanEvent, Warning, WarningCode};
pub use listing::list_accounts;
pub use outcome::{
    Caller, DeniedAccount, FoundAccount, NeverAsked, OwnAccount, Refused, ScanOutcome, SessionUse,
    SlowAccount, Statistics,
};
pub use plan::{AccountFilter, EvidenceFile, KnownListing, RegionFilter, ScanPlan, Scope, Sweep};
pub use roles::{
    HubRole, InvalidRoleTemplate, MemberRole, RoleSettings, RoleTemplate, SessionPolicy,
};
pub use scan::scan;
pub use shard::{InvalidShard, Shard};
