//! Evaluating: the first line is a pattern, the rest a message.
#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use trailproof_pattern::{Event, Form, Match, Pattern, Projection, matches, obstacles};

fuzz_target!(|text: &str| {
    let Some((pattern, message)) = text.split_once('\n') else {
        return;
    };
    let Ok(pattern) = Pattern::parse(pattern) else {
        return;
    };
    let outcome = matches(&pattern, &Event::from_message(message));
    let value: Option<Value> = serde_json::from_str(message).ok();
    if let (Form::Json(_), Some(value)) = (pattern.form(), &value) {
        // JSON patterns see the value only, however it is laid out.
        assert_eq!(outcome, matches(&pattern, &Event::from_value(value)));
        let compact = value.to_string();
        assert_eq!(outcome, matches(&pattern, &Event::from_message(&compact)));
        if outcome == Match::No {
            let _ = obstacles(&pattern, value);
        }
    }
    if value.is_some() {
        // Reading less of the event changes nothing.
        let kept = Projection::of([&pattern]).read(message);
        let event = Event::from_parts(kept.as_ref(), message.into());
        assert_eq!(outcome, matches(&pattern, &event));
    }
    if let (Form::Json(_), None) = (pattern.form(), &value) {
        assert_eq!(outcome, Match::No);
    }
    let printed = pattern.to_string();
    if let Ok(again) = Pattern::parse(&printed) {
        assert_eq!(outcome, matches(&again, &Event::from_message(message)));
    }
});
