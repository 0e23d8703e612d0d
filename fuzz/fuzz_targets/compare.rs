//! Deciding: the first line is the required pattern, the others are a union. Every witness is
//! replayed through the reference semantics, and every answer fits its witnesses.
#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use trailproof_pattern::{Coverage, Event, Match, Pattern, Relation, compare, matches};

fuzz_target!(|text: &str| {
    let mut lines = text.lines();
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
        Relation::Overlapping | Relation::Disjoint => assert!(missed && extra),
        Relation::Inconclusive => assert!(comparison.reason.is_some()),
    }
    // A pattern covers itself; where the union is one pattern, turning the question around turns
    // the answer around.
    if let [actual] = actual.as_slice() {
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
});
