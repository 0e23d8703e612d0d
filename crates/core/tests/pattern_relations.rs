//! Patterns whose relation is known: the ordinary ways to write a filter for failed sign-ins, and
//! the benchmark patterns against one another.
#![allow(
    clippy::panic,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test stops at the first surprise"
)]

use serde_json::Value;
use trailproof_core::control;
use trailproof_core::pattern::{
    Comparison, Coverage, Event, Match, Pattern, Relation, compare, matches, matches_every_event,
};

use Relation::{Broader, Disjoint, Equivalent, Narrower, Overlapping};

const CANONICAL: &str =
    r#"{ ($.eventName = ConsoleLogin) && ($.errorMessage = "Failed authentication") }"#;

fn parse(text: &str) -> Pattern {
    Pattern::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// Compares, and checks the witnesses by evaluating both sides.
fn checked(required: &Pattern, actual: &[Pattern], facts: Option<&Pattern>) -> Comparison {
    let comparison = compare(required, actual, facts, None);
    let matched = |event: &Value| {
        actual
            .iter()
            .map(|pattern| matches(pattern, &Event::from_value(event)))
            .fold(Match::No, Match::or)
    };
    let is_required = |event: &Value| matches(required, &Event::from_value(event));
    let misses = matches!(comparison.relation, Narrower | Overlapping | Disjoint);
    let exceeds = matches!(comparison.relation, Broader | Overlapping | Disjoint);
    assert_eq!(comparison.missed.is_some(), misses, "{required} {actual:?}");
    assert_eq!(comparison.extra.is_some(), exceeds, "{required} {actual:?}");
    if let Some(missed) = &comparison.missed {
        assert_eq!(
            (is_required(missed), matched(missed)),
            (Match::Yes, Match::No)
        );
    }
    if let Some(extra) = &comparison.extra {
        assert_eq!(
            (is_required(extra), matched(extra)),
            (Match::No, Match::Yes)
        );
    }
    comparison
}

#[test]
fn ways_to_write_a_filter_for_failed_sign_ins() {
    for (actual, expected) in [
        (CANONICAL, Equivalent),
        (
            r#"{($.eventName=ConsoleLogin)&&($.errorMessage="Failed authentication")}"#,
            Equivalent,
        ),
        (
            r#"{ $.eventName = ConsoleLogin && $.errorMessage = "Failed authentication" }"#,
            Equivalent,
        ),
        (
            r#"{ ($.eventName = "ConsoleLogin") && ($.errorMessage = "Failed authentication") }"#,
            Equivalent,
        ),
        (
            r#"{ ($.errorMessage = "Failed authentication") && ($.eventName = ConsoleLogin) }"#,
            Equivalent,
        ),
        (
            r#"{ ($.eventName = ConsoleLogin) && ($.errorMessage = "Failed authentication") && ($.userIdentity.type = "Root") }"#,
            Narrower,
        ),
        (
            r#"{ ($.eventName = ConsoleLogin) && ($.errorMessage = "Failed authentication") && ($.awsRegion = "nowhere") }"#,
            Narrower,
        ),
        (
            r#"{ ($.eventName != ConsoleLogin) && ($.errorMessage = "Failed authentication") }"#,
            Disjoint,
        ),
        (
            r#"{ ($.eventName = ConsoleLogin) && ($.errorMessage = "Failed authentication for X") }"#,
            Disjoint,
        ),
        (
            r#"{ ($.eventName = ConsoleLogin) || ($.errorMessage = "Failed authentication") }"#,
            Broader,
        ),
        (
            r#"{ ($.eventName = ConsoleLogin) && ($.errorMessage = "Failed*") }"#,
            Broader,
        ),
        (
            r"{ ($.eventName = ConsoleLogin) && ($.errorMessage = %authentication$%) }",
            Broader,
        ),
        (r#""ConsoleLogin" "Failed authentication""#, Broader),
        ("", Broader),
    ] {
        let comparison = checked(&parse(CANONICAL), &[parse(actual)], None);
        assert_eq!(
            comparison.relation, expected,
            "{actual}: {:?}",
            comparison.reason
        );
    }
}

#[test]
fn several_filters_are_compared_as_their_union() {
    let with = |more: &str| {
        parse(&format!(
            "{} && {more} }}",
            CANONICAL.trim_end_matches(" }")
        ))
    };
    let union = [
        with("$.userIdentity.type = Root"),
        with("$.userIdentity.type = IAMUser"),
    ];
    assert_eq!(checked(&parse(CANONICAL), &union, None).relation, Narrower);
    let union = [
        with("$.userIdentity.accountId = 1*"),
        with("$.userIdentity.accountId NOT EXISTS"),
    ];
    assert_eq!(checked(&parse(CANONICAL), &union, None).relation, Narrower);
}

#[test]
fn facts_are_taken_for_granted() {
    for control in control::builtin() {
        let required = parse(&control.pattern);
        let facts = control.facts.as_deref().map(parse);
        let comparison = checked(&required, std::slice::from_ref(&required), facts.as_ref());
        assert_eq!(comparison.relation, Equivalent, "{}", control.id);
        assert!(!comparison.matches_everything, "{}", control.id);
        assert!(!comparison.required_is_unsatisfiable, "{}", control.id);
    }
    let facts = parse(
        r#"{ $.eventSource = "signin.amazonaws.com" && $.readOnly IS FALSE && $.recipientAccountId = * }"#,
    );
    let actual = parse(
        r#"{ ($.eventName = ConsoleLogin) && ($.errorMessage = "Failed authentication") && ($.eventSource = signin.*) && ($.readOnly IS FALSE) && ($.recipientAccountId = *) }"#,
    );
    let comparison = checked(&parse(CANONICAL), &[actual], Some(&facts));
    assert_eq!(comparison.relation, Equivalent);
    let actual = parse(r"{ ($.eventName = ConsoleLogin) && ($.readOnly = false) }");
    let comparison = compare(&parse(CANONICAL), &[actual], Some(&facts), None);
    assert_eq!(comparison.coverage, Coverage::Undecided);
}

#[test]
fn patterns_that_match_every_event_are_recognized() {
    for (pattern, expected) in [
        ("", true),
        ("{ $.eventName = * }", true),
        ("{ $.eventName != x || $.eventName = x }", true),
        ("{ $.a NOT EXISTS || $.eventVersion = * }", true),
        (CANONICAL, false),
        ("{ $.errorCode = * }", false),
        (
            "{ $.eventName != HeadBucket || $.sourceIPAddress != x }",
            false,
        ),
        ("-nothing", false),
    ] {
        assert_eq!(matches_every_event(&parse(pattern)), expected, "{pattern}");
    }
}

#[test]
fn benchmark_patterns_against_one_another() {
    let mut corpus: Vec<Pattern> = Vec::new();
    for control in control::builtin() {
        let texts = std::iter::once(control.pattern.as_str()).chain(
            control
                .benchmarks
                .iter()
                .filter_map(|entry| entry.pattern.as_deref()),
        );
        for pattern in texts.map(parse) {
            if !corpus.contains(&pattern) {
                corpus.push(pattern);
            }
        }
    }
    for required in &corpus {
        for actual in &corpus {
            let comparison = checked(required, std::slice::from_ref(actual), None);
            assert_ne!(
                comparison.relation,
                Relation::Inconclusive,
                "{required} {actual}"
            );
            // The same question asked the other way around has the mirrored answer.
            let mirrored =
                match compare(actual, std::slice::from_ref(required), None, None).relation {
                    Broader => Narrower,
                    Narrower => Broader,
                    same => same,
                };
            assert_eq!(comparison.relation, mirrored, "{required} {actual}");
            assert_eq!(
                comparison.relation == Equivalent,
                required == actual,
                "{required} {actual}"
            );
        }
    }
}
