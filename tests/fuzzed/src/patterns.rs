//! The language of filter patterns: parsing, evaluating, deciding.

use serde_json::Value;
use trailproof_pattern::{Coverage, Event, Form, Match, Pattern, Projection, Relation, obstacles};

use crate::text;

/// Any text is a pattern or an error that points into the text, and a pattern is printed so that
/// it parses to the same tree.
pub(crate) fn parse(data: &[u8]) {
    let text = text(data);
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
}

/// The first line is a pattern, the rest a message: whether it matches depends on neither layout
/// nor how much of the message is read.
pub(crate) fn matches(data: &[u8]) {
    use trailproof_pattern::matches;

    let Some((pattern, message)) = text(data).split_once('\n') else {
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
}

/// The first line is the required pattern, the others are a union: every witness is replayed
/// through the reference semantics, and every answer fits its witnesses.
pub(crate) fn compare(data: &[u8]) {
    use trailproof_pattern::{compare, matches};

    let mut lines = text(data).lines();
    let Some(Ok(required)) = lines.next().map(Pattern::parse) else {
        return;
    };
    let actual: Vec<Pattern> = lines.filter_map(|line| Pattern::parse(line).ok()).collect();
    if actual.is_empty() || actual.len() > 4 {
        return;
    }
    let comparison = compare(&required, &actual, None, None);
    let union = |event: &Value| {
        actual
            .iter()
            .map(|pattern| matches(pattern, &Event::from_value(event)))
            .fold(Match::No, Match::or)
    };
    if let Some(missed) = &comparison.missed {
        assert_eq!(
            matches(&required, &Event::from_value(missed)),
            Match::Yes,
            "{missed}"
        );
        assert_eq!(union(missed), Match::No, "{missed}");
    }
    if let Some(extra) = &comparison.extra {
        assert_eq!(
            matches(&required, &Event::from_value(extra)),
            Match::No,
            "{extra}"
        );
        assert_eq!(union(extra), Match::Yes, "{extra}");
    }
    let (missed, extra) = (comparison.missed.is_some(), comparison.extra.is_some());
    assert_eq!(comparison.coverage == Coverage::Misses, missed);
    match comparison.relation {
        Relation::Equivalent => assert!(!missed && !extra),
        Relation::Broader => assert!(!missed && extra),
        Relation::Narrower => assert!(missed && !extra),
        Relation::Overlapping => assert!(missed && extra),
        // What matches no event at all has nothing in common with anything.
        Relation::Disjoint => assert!(missed && (extra || comparison.matches_nothing())),
        Relation::Inconclusive => assert!(comparison.reason.is_some()),
    }
    // A pattern covers itself; where the union is one pattern, turning the question around turns
    // the answer around.
    let is_empty = comparison.matches_nothing() || comparison.required_is_unsatisfiable;
    if let [actual] = actual.as_slice()
        && !is_empty
    {
        let back = compare(actual, std::slice::from_ref(&required), None, None);
        let turned = match comparison.relation {
            Relation::Broader => Relation::Narrower,
            Relation::Narrower => Relation::Broader,
            other => other,
        };
        assert!(
            back.relation == turned
                || back.relation == Relation::Inconclusive
                || turned == Relation::Inconclusive,
            "{comparison:?} {back:?}"
        );
    }
    let itself = compare(&required, std::slice::from_ref(&required), None, None);
    assert!(
        matches!(
            itself.relation,
            Relation::Equivalent | Relation::Inconclusive
        ),
        "{itself:?}"
    );
}
