//! What the user wants, from flags and from `trailproof.toml`.
//!
//! Each group of settings is one type that is read from both: a flag `--exclude-regions` is the
//! key `exclude-regions` of the file, and a flag wins over the file. A new setting is a new field.

mod connection;
mod file;
mod listing;
mod origin;
mod policy;
mod recorded;
mod report;
mod roles;
mod schema;
mod scope;
mod values;

pub(crate) use connection::ConnectionSettings;
pub(crate) use file::{ConfigurationArguments, check};
pub(crate) use listing::ListingSettings;
pub(crate) use origin::{Given, Origin, Setting};
pub(crate) use policy::PolicySettings;
pub(crate) use recorded::{recorded_policy, recorded_scope};
pub(crate) use report::{Destination, ReportSettings};
pub(crate) use schema::schema;
pub(crate) use scope::{ExecutionSettings, ScopeSettings};
pub(crate) use values::{RegionName, SweepName, Tag};

/// A setting that was not given as a flag is taken from the file.
fn or_file<T>(flag: &mut Option<T>, file: Option<T>) {
    if flag.is_none() {
        *flag = file;
    }
}

/// A list that was not given as a flag is taken from the file; lists are never joined.
fn list_or_file<T>(flag: &mut Vec<T>, file: Vec<T>) {
    if flag.is_empty() {
        *flag = file;
    }
}
