//! Filter policies of subscriptions.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| trailproof_fuzzed::run("filter_policies", data));
