//! Parsing: any text is a pattern or an error that points into the text, and a pattern is printed
//! so that it parses to the same tree.
#![no_main]

use libfuzzer_sys::fuzz_target;
use trailproof_pattern::Pattern;

fuzz_target!(|text: &str| {
    match Pattern::parse(text) {
        Ok(pattern) => {
            let printed = pattern.to_string();
            // Printing may add quotes or blanks, and so leave the longest accepted length.
            if printed.chars().count() <= Pattern::MAX_LENGTH {
                assert_eq!(Pattern::parse(&printed), Ok(pattern), "{printed}");
            }
        }
        Err(error) => {
            assert!(!error.message.is_empty());
            assert!(error.span.start <= error.span.end, "{error:?}");
            assert!(
                text.get(error.span.start..error.span.end).is_some(),
                "{error:?}"
            );
        }
    }
});
