//! The binary as a person meets it: exit code, stdout and stderr, word for word.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that cannot go on has failed, and says why"
)]

mod configuration;
mod demo;
mod evaluate;
mod harness;
mod permissions;
mod recorded;
mod scan;
mod usage;
