//! What has to hold whatever others wrote: one function for each reader of untrusted text, which
//! panics when it does not.
//!
//! The targets in `fuzz/` call these functions with what a fuzzer makes up, and an ordinary test
//! calls them with the checked-in corpus. They read as the binary reads; there are no readers here.
#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a panic is how a target says what it found"
)]

mod alarm_rules;
mod bundles;
mod cbor;
#[cfg(feature = "with-sdk")]
mod configuration;
mod evidence;
mod field_selections;
mod listings;
mod patterns;
mod policies;
#[cfg(feature = "with-sdk")]
mod repairs;
mod scratch;

/// A reader of untrusted text, and what is tried of it.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// Its name: of the target, of its source file in `fuzz/fuzz_targets`, and of its folder in
    /// `fuzz/corpus`.
    pub name: &'static str,
    /// Tries one input.
    pub run: fn(&[u8]),
}

/// Every target.
pub const TARGETS: &[Target] = &[
    target("alarm_rules", alarm_rules::alarm_rules),
    target("bundles", bundles::bundles),
    target("cbor", cbor::cbor),
    target("compare", patterns::compare),
    #[cfg(feature = "with-sdk")]
    target("configuration", configuration::configuration),
    target("evidence", evidence::evidence),
    target("field_selections", field_selections::field_selections),
    target("filter_policies", policies::filter_policies),
    #[cfg(feature = "with-sdk")]
    target("journals", repairs::journals),
    target("key_policies", policies::key_policies),
    target("listings", listings::listings),
    target("matches", patterns::matches),
    target("parse", patterns::parse),
    #[cfg(feature = "with-sdk")]
    target("plans", repairs::plans),
    target("topic_policies", policies::topic_policies),
];

const fn target(name: &'static str, run: fn(&[u8])) -> Target {
    Target { name, run }
}

/// Tries an input on the target of a name.
///
/// # Panics
///
/// When something does not hold, and when there is no such target.
pub fn run(name: &str, data: &[u8]) {
    let target = TARGETS.iter().find(|target| target.name == name);
    let target = target.unwrap_or_else(|| panic!("there is no target `{name}`"));
    (target.run)(data);
}

/// The input as far as it is text.
fn text(data: &[u8]) -> &str {
    let text = data.utf8_chunks().next();
    text.map_or("", |chunk| chunk.valid())
}
