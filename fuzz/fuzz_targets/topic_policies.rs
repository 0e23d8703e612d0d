//! Policies of topics.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| trailproof_fuzzed::run("topic_policies", data));
