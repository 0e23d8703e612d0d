//! An AWS organization that exists only here: a declarative [`model`] with the verdicts that are
//! known by construction, read from [`scenario`] files, and answering in the words of AWS.
//!
//! It is for demonstrations, tests and measurements. It does not judge anything: expected
//! verdicts are written beside the resources, never derived from them.

mod answer;
mod credentials;
mod document;
mod failure;
pub mod generator;
pub mod in_process;
mod minimum;
pub mod model;
mod operation;
mod pagination;
mod parameters;
mod permission;
mod protocol;
pub mod scenario;
pub mod server;
mod service;
mod session_policy;

pub use in_process::Sweep;
pub use minimum::Minimum;
pub use scenario::{Scenario, ScenarioError};
pub use server::{Options, Running, Server};
