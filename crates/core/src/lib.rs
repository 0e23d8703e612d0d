//! The pure heart of trailproof: what an AWS organization was seen to be ([`evidence`]), what it
//! should be ([`control`]), and the judgement of one by the other ([`evaluate`]).
//!
//! This crate knows no async runtime, no AWS SDK, no file, no clock and no terminal. The same
//! evidence and policy give the same findings, byte for byte; only mutes end with time.

pub mod account;
pub mod arn;
pub mod attestation;
pub mod contact;
pub mod control;
pub mod evaluate;
pub mod evidence;
pub mod field_selection;
pub mod finding;
pub mod forwarder;
pub mod mute;
pub mod observation;
pub mod policy;
pub mod remedy;
pub mod selection;
pub mod units;
pub mod words;

pub use trailproof_pattern as pattern;

/// The number of the rules by which this version judges: raised with every change of a verdict, or
/// of a sentence that a finding has. Two runs with the same number say the same of the same
/// evidence. The rules of version 0.1.0, whose runs do not tell a number, are 1.
pub const RULES: u32 = 2;
