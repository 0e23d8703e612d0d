//! Decides how the events of some patterns relate to the events of another one.

use serde_json::Value;

use super::Pattern;

/// How the events that some patterns match relate to the events of a required pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Relation {
    /// The same events.
    Equivalent,
    /// All of them and more.
    Broader,
    /// Only part of them.
    Narrower,
    /// Some of them, and others.
    Overlapping,
    /// None of them.
    Disjoint,
    /// Not decided; [`Comparison::reason`] says why.
    Inconclusive,
}

impl Relation {
    /// The word in machine output.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Equivalent => "equivalent",
            Self::Broader => "broader",
            Self::Narrower => "narrower",
            Self::Overlapping => "overlapping",
            Self::Disjoint => "disjoint",
            Self::Inconclusive => "inconclusive",
        }
    }
}

/// Whether every required event is matched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Coverage {
    /// Proved: every required event is matched.
    Covers,
    /// Refuted: [`Comparison::missed`] is a required event that is not matched.
    Misses,
    /// Not decided; [`Comparison::reason`] says why.
    Undecided,
}

/// The answer of [`compare`].
#[derive(Debug, Clone, PartialEq)]
pub struct Comparison {
    /// The relation of the actual patterns to the required one.
    pub relation: Relation,
    /// Whether every required event is matched. This may be decided where the relation is not.
    pub coverage: Coverage,
    /// A required event that no actual pattern matches.
    pub missed: Option<Value>,
    /// An event that an actual pattern matches though it is not required.
    pub extra: Option<Value>,
    /// Why something was not decided.
    pub reason: Option<String>,
    /// Whether the actual patterns together match every CloudTrail event, required or not.
    pub matches_everything: bool,
    /// Whether the required pattern itself matches every CloudTrail event.
    pub required_matches_everything: bool,
    /// Whether no event at all is required: the pattern contradicts itself or the facts.
    pub required_is_unsatisfiable: bool,
}

/// What is known of the events in question.
#[derive(Debug, Clone, Copy, Default)]
pub struct Universe<'a> {
    /// What is true of every required event, written as a pattern. Where it is given, events are
    /// CloudTrail events: their common fields have the types CloudTrail gives them.
    pub facts: Option<&'a Pattern>,
    /// A complete event to start witnesses from.
    pub example: Option<&'a Value>,
}

/// Compares the union of the actual patterns with the required one.
pub fn compare(
    required: &Pattern,
    actual: &[Pattern],
    facts: Option<&Pattern>,
    example: Option<&Value>,
) -> Comparison {
    let actual: Vec<&Pattern> = actual.iter().collect();
    compare_within(required, &actual, Universe { facts, example })
}

/// As [`compare`], for patterns held elsewhere.
pub fn compare_within(
    _required: &Pattern,
    _actual: &[&Pattern],
    _universe: Universe<'_>,
) -> Comparison {
    Comparison {
        relation: Relation::Inconclusive,
        coverage: Coverage::Undecided,
        missed: None,
        extra: None,
        reason: Some("not decided yet".to_owned()),
        matches_everything: false,
        required_matches_everything: false,
        required_is_unsatisfiable: false,
    }
}

/// Whether a pattern provably matches every CloudTrail event, and so tells none from another.
pub fn matches_every_event(pattern: &Pattern) -> bool {
    matches!(pattern.form(), super::Form::Everything)
}
