//! Field selections of metric filters.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| trailproof_fuzzed::run("field_selections", data));
