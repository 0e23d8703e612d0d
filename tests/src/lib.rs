//! What the end-to-end tests stand on: emulators and simulators as child processes, the binary
//! under test in a scrubbed environment, and the scenarios with their expected verdicts.
//!
//! Nothing here judges anything: expected verdicts are written by hand in the scenario files.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that cannot go on has failed, and says why"
)]

pub mod binary;
pub mod comparison;
pub mod cutting;
pub mod evidence;
pub mod findings;
pub mod forgery;
pub mod ground;
pub mod network;
pub mod owner;
pub mod provision;
pub mod repair;
pub mod scenario;
pub mod server;
pub mod vectors;
pub mod witness;
