//! What AWS documents of the values in CloudTrail events, as data with its sources.

use std::sync::LazyLock;

use serde::Deserialize;

use crate::pattern::{Documented, Form, Pattern, PatternError, Selector};

/// What AWS documents of some fields, and where.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Fact {
    fields: Vec<String>,
    pattern: String,
    /// In a clause without a full stop.
    #[cfg_attr(not(test), allow(dead_code, reason = "for whoever reads the data"))]
    statement: String,
    #[cfg_attr(not(test), allow(dead_code, reason = "for whoever checks the data"))]
    source: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    documented: Vec<Fact>,
}

const TEXT: &str = include_str!("../../facts/documented.toml");

fn read(text: &str) -> Result<Vec<Fact>, String> {
    toml::from_str::<File>(text)
        .map(|file| file.documented)
        .map_err(|error| error.to_string())
}

/// The field that a selector names: one can only be written within a condition.
fn selector(text: &str) -> Result<Selector, PatternError> {
    let pattern = Pattern::parse(&format!("{{ {text} NOT EXISTS }}"))?;
    let mut selectors = Vec::new();
    if let Form::Json(expression) = pattern.form() {
        expression.for_each_condition(&mut |condition| selectors.push(condition.selector.clone()));
    }
    Ok(selectors.swap_remove(0))
}

fn documented_in(facts: &[Fact]) -> Result<Vec<Documented>, PatternError> {
    facts
        .iter()
        .map(|fact| {
            let fields = fact.fields.iter().map(|field| selector(field));
            Ok(Documented {
                fields: fields.collect::<Result<_, _>>()?,
                pattern: Pattern::parse(&fact.pattern)?,
            })
        })
        .collect()
}

#[allow(
    clippy::expect_used,
    reason = "the file is part of this crate, and a test reads all of it"
)]
static DOCUMENTED: LazyLock<Vec<Documented>> = LazyLock::new(|| {
    let facts = read(TEXT).expect("the facts of this crate");
    documented_in(&facts).expect("filter patterns")
});

/// What AWS documents of the values in CloudTrail events: which values a field has, and which
/// fields a kind of identity has. The sources stand in the data.
pub fn documented() -> &'static [Documented] {
    &DOCUMENTED
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::control;
    use crate::pattern::{Event, Match, matches};

    #[test]
    fn every_fact_has_a_source_and_is_true_of_every_example() {
        let facts = read(TEXT).unwrap();
        assert_eq!(facts.len(), documented().len());
        for (fact, known) in facts.iter().zip(documented()) {
            assert!(!fact.source.is_empty() && !fact.statement.is_empty());
            assert!(!known.fields.is_empty(), "{}", fact.statement);
            for control in control::builtin() {
                assert_eq!(
                    matches(&known.pattern, &Event::from_value(&control.example)),
                    Match::Yes,
                    "{}: {}",
                    control.id,
                    fact.statement
                );
            }
        }
    }
}
