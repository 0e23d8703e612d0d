//! Comparisons where the service was tried about what AWS does not document.
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on has failed, and says why"
)]

use trailproof_pattern::{
    Answers, Comparison, Coverage, Event, Match, Pattern, Relation, Undocumented, Universe,
    compare_within, matches_knowing,
};

fn compared(required: &str, actual: &str, answers: &Answers) -> Comparison {
    let required = Pattern::parse(required).unwrap();
    let actual = Pattern::parse(actual).unwrap();
    let universe = Universe {
        answers: Some(answers),
        ..Universe::default()
    };
    let comparison = compare_within(&required, &[&actual], universe);
    let matched = |pattern: &Pattern, event: &serde_json::Value| {
        matches_knowing(pattern, &Event::from_value(event), answers)
    };
    if let Some(missed) = &comparison.missed {
        assert_eq!(matched(&required, missed), Match::Yes, "{missed}");
        assert_eq!(matched(&actual, missed), Match::No, "{missed}");
    }
    if let Some(extra) = &comparison.extra {
        assert_eq!(matched(&required, extra), Match::No, "{extra}");
        assert_eq!(matched(&actual, extra), Match::Yes, "{extra}");
    }
    comparison
}

/// What is required, the pattern, the question that decides, and the relation by its answer.
const DECIDED: &[(&str, &str, Undocumented, Relation, Relation)] = &[
    (
        "{ $.a IS TRUE }",
        "{ $.a = true }",
        Undocumented::BareEqualsBoolean,
        Relation::Disjoint,
        Relation::Broader,
    ),
    (
        "{ $.a IS TRUE }",
        r#"{ $.a = "true" }"#,
        Undocumented::TextEqualsBoolean,
        Relation::Disjoint,
        Relation::Broader,
    ),
    (
        r#"{ ($.a != "x") || ($.a IS TRUE) || ($.a IS FALSE) }"#,
        r#"{ $.a != "x" }"#,
        Undocumented::NotEqualOnBoolean,
        Relation::Narrower,
        Relation::Equivalent,
    ),
    (
        "{ $.a = 123 }",
        "{ $.a = %12% }",
        Undocumented::RegexOnNonText,
        // The text "123" is matched by both, whatever is said of the number.
        Relation::Overlapping,
        Relation::Broader,
    ),
    (
        r#"{ ($.a[0] = "y") && ($.a[1] = "x") }"#,
        r#"{ $.a[*] != "x" }"#,
        Undocumented::NotEqualAnyElement,
        Relation::Disjoint,
        Relation::Broader,
    ),
    (
        r#"{ ($.a[0].b = "y") && ($.a[1].c = "y") }"#,
        "{ $.a[*].b NOT EXISTS }",
        Undocumented::NotExistsAnyElement,
        Relation::Disjoint,
        Relation::Overlapping,
    ),
];

#[test]
fn what_was_tried_decides() {
    for (required, actual, question, if_false, if_true) in DECIDED {
        let unknown = compared(required, actual, &Answers::new());
        assert_ne!(unknown.coverage, Coverage::Covers, "{actual}");
        if unknown.relation == Relation::Inconclusive {
            assert!(
                unknown.open.contains(question),
                "{actual}: {:?}",
                unknown.open
            );
        }
        for (answer, expected) in [(false, if_false), (true, if_true)] {
            let comparison = compared(required, actual, &Answers::from([(*question, answer)]));
            assert_eq!(comparison.relation, *expected, "{actual} if {answer}");
            assert_eq!(comparison.open.len(), 0, "{actual} if {answer}");
        }
    }
}

#[test]
fn what_was_not_tried_stays_open() {
    let answers = Answers::from([(Undocumented::TextEqualsBoolean, true)]);
    let comparison = compared("{ $.a IS TRUE }", "{ $.a = true }", &answers);
    assert_eq!(comparison.relation, Relation::Inconclusive);
    assert!(comparison.open.contains(&Undocumented::BareEqualsBoolean));
}

#[test]
fn what_is_documented_opens_nothing() {
    let comparison = compared(
        "{ $.a = x }",
        r#"{ ($.a = "x") || ($.a = "y") }"#,
        &Answers::new(),
    );
    assert_eq!(comparison.relation, Relation::Broader);
    assert_eq!(comparison.open.len(), 0);
}
