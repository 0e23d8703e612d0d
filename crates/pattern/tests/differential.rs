//! The decision procedure against a naive search: every event of a small world is evaluated.
//!
//! `PROPTEST_CASES=100000` makes it a long run.
#![allow(
    clippy::panic,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test stops at the first surprise"
)]

use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed};
use serde_json::{Value, json};
use trailproof_pattern::{Coverage, Event, Match, Pattern, Relation, compare, matches};

/// Some cases, always the same ones, unless the environment asks for another number.
fn config() -> Config {
    let mut config = Config::default();
    if config.cases == 256 {
        config.cases = 400;
    }
    config.rng_seed = RngSeed::Fixed(20_261_123);
    config.max_shrink_iters = 60;
    config.failure_persistence = None;
    config
}

/// How many events are evaluated for one pair of patterns.
const LARGEST_WORLD: usize = 700;

const SELECTORS: [&str; 10] = [
    "$.a", "$.a", "$.a", "$.b", "$.b", "$.a.c", "$.d[0]", "$.d[1]", "$.d[*]", "$.e.*",
];

fn operand() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => prop_oneof![
            Just("x"), Just("xy"), Just("\"x\""), Just("\"xy\""), Just("x*"), Just("*y"),
            Just("\"x*\""), Just("\"*y\""), Just("*x*"), Just("\"\""), Just("*"), Just("\"*\""),
        ].prop_map(str::to_owned),
        3 => prop_oneof![
            Just("1"), Just("2"), Just("12"), Just("1.0"), Just("\"1\""), Just("\"12\""),
            Just("1*"), Just("*2"), Just("\"1.0\""), Just("1e0"),
        ].prop_map(str::to_owned),
        1 => prop_oneof![Just("true"), Just("\"true\""), Just("tr*"), Just("false")]
            .prop_map(str::to_owned),
        1 => prop_oneof![Just("%^x%"), Just("%y$%"), Just("%[xy]+%"), Just("%^1?2?$%")]
            .prop_map(str::to_owned),
    ]
}

fn condition() -> impl Strategy<Value = String> {
    let selector = prop::sample::select(SELECTORS.to_vec());
    let test = prop_oneof![
        6 => operand().prop_map(|operand| format!("= {operand}")),
        4 => operand().prop_map(|operand| format!("!= {operand}")),
        2 => (
            prop::sample::select(vec!["<", "<=", ">", ">="]),
            prop::sample::select(vec!["1", "2", "12", "1.5"]),
        )
            .prop_map(|(operator, number)| format!("{operator} {number}")),
        1 => prop::sample::select(vec!["IS NULL", "IS TRUE", "IS FALSE"]).prop_map(str::to_owned),
        2 => Just("NOT EXISTS".to_owned()),
    ];
    (selector, test).prop_map(|(selector, test)| format!("{selector} {test}"))
}

fn expression() -> impl Strategy<Value = String> {
    condition().prop_recursive(3, 8, 3, |inner| {
        (
            prop::collection::vec(inner, 2..4),
            prop::sample::select(vec![" && ", " || "]),
        )
            .prop_map(|(parts, operator)| format!("({})", parts.join(operator)))
    })
}

/// Patterns AWS accepts: quotas of wildcards and regular expressions are the parser's business.
fn pattern() -> impl Strategy<Value = String> {
    expression()
        .prop_map(|expression| format!("{{ {expression} }}"))
        .prop_filter("accepted", |text| Pattern::parse(text).is_ok())
}

fn parse(text: &str) -> Pattern {
    Pattern::parse(text).unwrap()
}

/// Every value a single place of the small world may hold.
fn scalars() -> Vec<Option<Value>> {
    let mut scalars: Vec<Option<Value>> = vec![None];
    scalars.extend(
        [
            json!(null),
            json!(true),
            json!(false),
            json!(1),
            json!(1.0),
            json!(1.25),
            json!(1.5),
            json!(2),
            json!(12),
            json!(13),
            json!(7),
            json!("x"),
            json!("xy"),
            json!("y"),
            json!(""),
            json!("1"),
            json!("12"),
            json!("zz"),
        ]
        .map(Some),
    );
    scalars
}

/// Every event of the small world that the patterns can tell apart by the fields they mention.
fn world(mentioned: &str) -> Vec<Value> {
    let mut a = scalars();
    a.extend([json!({}), json!(["x"])].map(Some));
    if mentioned.contains("$.a.c") {
        a.extend(
            scalars()
                .into_iter()
                .flatten()
                .map(|c| Some(json!({"c": c}))),
        );
    }
    let only = |field: &str, values: Vec<Option<Value>>| {
        if mentioned.contains(field) {
            values
        } else {
            vec![None]
        }
    };
    let b = only("$.b", scalars());
    let mut d = vec![
        None,
        Some(json!([])),
        Some(json!([{}, 2])),
        Some(json!(["zz", null])),
    ];
    for first in [
        json!(null),
        json!(true),
        json!(1),
        json!(2),
        json!(12),
        json!("x"),
        json!("xy"),
    ] {
        d.push(Some(json!([first])));
        for second in [json!(true), json!(1), json!(2), json!("x"), json!("zz")] {
            d.push(Some(json!([first, second])));
        }
    }
    let d = only("$.d", d);
    let mut e = vec![
        None,
        Some(json!({})),
        Some(json!("x")),
        Some(json!({"p": 1, "q": "xy"})),
    ];
    e.extend(
        scalars()
            .into_iter()
            .flatten()
            .map(|value| Some(json!({"p": value}))),
    );
    let e = only("$.e", e);
    // A large world is sampled, evenly and always alike.
    let size = a.len() * b.len() * d.len() * e.len();
    let stride = size.div_ceil(LARGEST_WORLD) | 1;
    (0..size)
        .step_by(stride)
        .map(|number| {
            let mut event = serde_json::Map::new();
            let mut rest = number;
            for (name, values) in [("a", &a), ("b", &b), ("d", &d), ("e", &e)] {
                if let Some(value) = &values[rest % values.len()] {
                    event.insert(name.to_owned(), value.clone());
                }
                rest /= values.len();
            }
            Value::Object(event)
        })
        .collect()
}

fn outcome(pattern: &Pattern, event: &Value) -> Match {
    matches(pattern, &Event::from_value(event))
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn compare_agrees_with_a_naive_search(required in pattern(), actual in prop::collection::vec(pattern(), 1..3)) {
        let mentioned = format!("{required} {actual:?}");
        let required = parse(&required);
        let actual: Vec<Pattern> = actual.iter().map(|text| parse(text)).collect();
        let comparison = compare(&required, &actual, None, None);
        let union = |event: &Value| {
            actual
                .iter()
                .map(|pattern| outcome(pattern, event))
                .fold(Match::No, Match::or)
        };
        if let Some(missed) = &comparison.missed {
            prop_assert_eq!(outcome(&required, missed), Match::Yes);
            prop_assert_eq!(union(missed), Match::No);
        }
        if let Some(extra) = &comparison.extra {
            prop_assert_eq!(outcome(&required, extra), Match::No);
            prop_assert_eq!(union(extra), Match::Yes);
        }
        let (mut missed, mut extra, mut both) = (None, None, None);
        // Without these, nothing in the patterns is undocumented, and everything is decided.
        let open = ["!=", "tr", "fa", "%", "[*]", ".*"]
            .iter()
            .any(|doubtful| mentioned.contains(doubtful));
        let world = world(&mentioned);
        for event in &world {
            match (outcome(&required, event), union(event)) {
                (Match::Yes, Match::No) => missed = Some(event),
                (Match::No, Match::Yes) => extra = Some(event),
                (Match::Yes, Match::Yes) => both = Some(event),
                (Match::No, Match::No) => {}
                _ => prop_assert!(open, "undocumented: {}", event),
            }
        }
        match comparison.coverage {
            Coverage::Covers => prop_assert_eq!(missed, None),
            Coverage::Misses => prop_assert!(comparison.missed.is_some()),
            Coverage::Undecided => {
                prop_assert_eq!(missed, None);
                prop_assert!(open, "undecided: {:?}", comparison.reason);
            }
        }
        match comparison.relation {
            Relation::Equivalent => prop_assert_eq!((missed, extra), (None, None)),
            Relation::Broader => prop_assert_eq!(missed, None),
            Relation::Narrower => prop_assert_eq!(extra, None),
            Relation::Disjoint => prop_assert_eq!(both, None),
            Relation::Overlapping => {}
            Relation::Inconclusive => prop_assert!(open, "{:?}", comparison.reason),
        }
    }

    #[test]
    fn printing_and_parsing_gives_the_same_tree(pattern in pattern()) {
        let pattern = parse(&pattern);
        let printed = pattern.to_string();
        prop_assert_eq!(Pattern::parse(&printed).unwrap(), pattern);
    }

    #[test]
    fn a_pattern_is_equivalent_to_itself(pattern in pattern()) {
        let pattern = parse(&pattern);
        let comparison = compare(&pattern, std::slice::from_ref(&pattern), None, None);
        prop_assert_eq!(comparison.relation, Relation::Equivalent, "{:?}", comparison.reason);
    }
}
