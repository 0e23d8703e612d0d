//! Listing files.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| trailproof_fuzzed::run("listings", data));
