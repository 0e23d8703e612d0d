//! Decides how the events of some patterns relate to the events of another one.
//!
//! The question is always whether an event exists that some patterns match and others do not. The
//! patterns become clauses over claims about single places of the event; a solver chooses claims,
//! and a theory of JSON values says whether the claims about one place have a value in common.
//! What is found is put together as an event and confirmed by the reference semantics; what is not
//! found is proved not to be, or the answer is that nothing was decided.

mod claim;
mod cloudtrail;
mod documented;
mod formula;
mod glob;
mod mode;
mod number_order;
mod number_text;
mod places;
mod search;
mod solver;
mod text;
mod tree;
mod values;
mod witness;

use std::collections::BTreeSet;

use serde_json::Value;

use super::{Answers, Expression, Form, Pattern, Undocumented};
pub use documented::Documented;
use search::{Answer, Goal, search};

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
    /// Where every documented event is matched: a required event that is not, with a value that is
    /// not documented.
    pub missed_undocumented: Option<Value>,
    /// An event that an actual pattern matches though it is not required.
    pub extra: Option<Value>,
    /// Why something was not decided.
    pub reason: Option<String>,
    /// The questions that AWS leaves open whose answers might decide what was not decided.
    pub open: BTreeSet<Undocumented>,
    /// Whether the actual patterns together match every CloudTrail event, required or not.
    pub matches_everything: bool,
    /// Whether the required pattern itself matches every CloudTrail event.
    pub required_matches_everything: bool,
    /// Whether no event at all is required: the pattern contradicts itself or the facts.
    pub required_is_unsatisfiable: bool,
}

impl Comparison {
    /// Whether no event at all can match an actual pattern: they contradict themselves.
    pub fn matches_nothing(&self) -> bool {
        self.relation == Relation::Disjoint && self.extra.is_none()
    }
}

/// What is known of the events in question.
#[derive(Debug, Clone, Copy, Default)]
pub struct Universe<'a> {
    /// What is true of every required event, written as a pattern. Where it is given, events are
    /// CloudTrail events: their common fields have the types CloudTrail gives them.
    pub facts: Option<&'a Pattern>,
    /// A complete event to start witnesses from.
    pub example: Option<&'a Value>,
    /// What is documented of the values of events. Where anything is, events are CloudTrail events.
    pub documented: &'a [Documented],
    /// What is known of questions that AWS leaves open.
    pub answers: Option<&'a Answers>,
}

impl Universe<'_> {
    fn is_typed(self) -> bool {
        self.facts.is_some() || !self.documented.is_empty()
    }
}

/// Compares the union of the actual patterns with the required one.
///
/// ```
/// use trailproof_pattern::{Coverage, Event, Match, Pattern, Relation, compare, matches};
///
/// # fn main() -> Result<(), trailproof_pattern::PatternError> {
/// let required = Pattern::parse("{ $.eventName = ConsoleLogin }")?;
/// let actual = Pattern::parse("{ $.eventName = ConsoleLogin && $.userIdentity.type = Root }")?;
/// let comparison = compare(&required, &[actual.clone()], None, None);
/// assert_eq!(comparison.relation, Relation::Narrower);
/// assert_eq!(comparison.coverage, Coverage::Misses);
///
/// // What is missed is an event, and the plain semantics agree that it is.
/// let missed = comparison.missed.expect("a sign-in of somebody else");
/// let missed = Event::from_value(&missed);
/// assert_eq!(matches(&required, &missed), Match::Yes);
/// assert_eq!(matches(&actual, &missed), Match::No);
///
/// // What is known of every event counts: here, that only Root signs in.
/// let facts = Pattern::parse("{ $.userIdentity.type = Root }")?;
/// let comparison = compare(&required, &[actual], Some(&facts), None);
/// assert_eq!(comparison.relation, Relation::Equivalent);
/// # Ok(())
/// # }
/// ```
pub fn compare(
    required: &Pattern,
    actual: &[Pattern],
    facts: Option<&Pattern>,
    example: Option<&Value>,
) -> Comparison {
    let actual: Vec<&Pattern> = actual.iter().collect();
    let universe = Universe {
        facts,
        example,
        ..Universe::default()
    };
    compare_within(required, &actual, universe)
}

/// As [`compare`], for patterns held elsewhere. Only events whose values are documented count,
/// unless there is no such event among those required.
pub fn compare_within(
    required: &Pattern,
    actual: &[&Pattern],
    universe: Universe<'_>,
) -> Comparison {
    let mut question = vec![required];
    question.extend(actual);
    let documented = documented::relevant(universe.documented, &question);
    let answer = compare_among(required, actual, universe, &documented);
    if documented.is_empty() {
        return answer;
    }
    if answer.required_is_unsatisfiable {
        return compare_among(required, actual, universe, &[]);
    }
    let missed_undocumented = (answer.coverage == Coverage::Covers)
        .then(|| {
            let goal = Goal {
                all: std::iter::once(required).chain(universe.facts).collect(),
                none: actual.to_vec(),
                any: None,
                answers: universe.answers,
            };
            event(search(&goal, universe.is_typed(), universe.example))
        })
        .flatten();
    Comparison {
        missed_undocumented,
        ..answer
    }
}

/// Compares among the events of which some patterns are true.
fn compare_among(
    required: &Pattern,
    actual: &[&Pattern],
    universe: Universe<'_>,
    among: &[&Pattern],
) -> Comparison {
    let mut in_question: Vec<&Pattern> = std::iter::once(required).chain(universe.facts).collect();
    in_question.extend(among);
    let find = |goal: &Goal<'_>| search(goal, universe.is_typed(), universe.example);
    let missed = find(&Goal {
        all: in_question.clone(),
        none: actual.to_vec(),
        any: None,
        answers: universe.answers,
    });
    // Facts are known of required events only, so an extra event need not satisfy them.
    let extra = find(&Goal {
        all: among.to_vec(),
        none: vec![required],
        any: Some(actual.to_vec()),
        answers: universe.answers,
    });
    let matched = |all: &[&Pattern]| {
        find(&Goal {
            all: all.to_vec(),
            none: Vec::new(),
            any: Some(actual.to_vec()),
            answers: universe.answers,
        })
    };
    let mut open = BTreeSet::new();
    for answer in [&missed, &extra] {
        if let Answer::Undecided(undecided) = answer {
            open.extend(&undecided.open);
        }
    }
    let (relation, mut reason) = match (&missed, &extra) {
        (Answer::Nothing, Answer::Nothing) => (Relation::Equivalent, None),
        (Answer::Nothing, Answer::Event(_)) => (Relation::Broader, None),
        // What matches no event is not part of anything.
        (Answer::Event(_), Answer::Nothing) => match matched(among) {
            Answer::Nothing => (Relation::Disjoint, None),
            Answer::Event(_) | Answer::Undecided(_) => (Relation::Narrower, None),
        },
        (Answer::Event(_), Answer::Event(_)) => match matched(&in_question) {
            Answer::Event(_) => (Relation::Overlapping, None),
            Answer::Nothing => (Relation::Disjoint, None),
            Answer::Undecided(undecided) => {
                open.extend(undecided.open);
                (Relation::Inconclusive, Some(undecided.reason))
            }
        },
        (Answer::Undecided(undecided), _) | (_, Answer::Undecided(undecided)) => {
            (Relation::Inconclusive, Some(undecided.reason.clone()))
        }
    };
    let coverage = match &missed {
        Answer::Nothing => Coverage::Covers,
        Answer::Event(_) => Coverage::Misses,
        Answer::Undecided(_) => Coverage::Undecided,
    };
    // A pattern that no event can match is covered by anything.
    let required_is_unsatisfiable = coverage == Coverage::Covers
        && find(&Goal {
            all: in_question,
            answers: universe.answers,
            ..Goal::default()
        }) == Answer::Nothing;
    if required_is_unsatisfiable && reason.is_none() {
        reason = Some("no event can match the required pattern".to_owned());
    }
    Comparison {
        relation,
        coverage,
        missed: event(missed),
        missed_undocumented: None,
        extra: event(extra),
        reason,
        open,
        matches_everything: coverage != Coverage::Misses && match_every_event(actual),
        required_matches_everything: match_every_event(&[required]),
        required_is_unsatisfiable,
    }
}

/// Whether no event can match all of some patterns and be what is known of it.
pub fn is_unsatisfiable(patterns: &[&Pattern], documented: &[Documented]) -> bool {
    let mut all = patterns.to_vec();
    all.extend(documented::relevant(documented, patterns));
    search(
        &Goal {
            all,
            ..Goal::default()
        },
        true,
        None,
    ) == Answer::Nothing
}

/// The alternatives of a pattern that no event can match, as they are written, where the pattern as
/// a whole can be matched.
pub fn impossible_alternatives(pattern: &Pattern, facts: Option<&Pattern>) -> Vec<String> {
    let Form::Json(expression) = pattern.form() else {
        return Vec::new();
    };
    let mut variants = Vec::new();
    each_alternative(expression, &|chosen| chosen, &mut variants);
    variants
        .into_iter()
        .filter(|(_, whole)| {
            let whole = Pattern::of(Form::Json(whole.clone()));
            let all: Vec<&Pattern> = std::iter::once(&whole).chain(facts).collect();
            is_unsatisfiable(&all, &[])
        })
        .map(|(alternative, _)| alternative.to_string())
        .collect()
}

/// Every alternative, and the whole expression with it alone in the place of its group.
fn each_alternative<'e>(
    expression: &'e Expression,
    around: &dyn Fn(Expression) -> Expression,
    found: &mut Vec<(&'e Expression, Expression)>,
) {
    match expression {
        Expression::Condition(_) => {}
        Expression::Any(parts) => {
            for part in parts {
                found.push((part, around(part.clone())));
                each_alternative(part, around, found);
            }
        }
        Expression::All(parts) => {
            for (at, part) in parts.iter().enumerate() {
                let around = |chosen: Expression| {
                    let parts = parts.iter().enumerate().map(|(other, part)| {
                        if other == at {
                            chosen.clone()
                        } else {
                            part.clone()
                        }
                    });
                    around(Expression::all(parts.collect()))
                };
                each_alternative(part, &around, found);
            }
        }
    }
}

fn event(answer: Answer) -> Option<Value> {
    match answer {
        Answer::Event(event) => Some(event),
        Answer::Nothing | Answer::Undecided(_) => None,
    }
}

/// Whether a pattern provably matches every CloudTrail event, and so tells none from another.
pub fn matches_every_event(pattern: &Pattern) -> bool {
    match_every_event(&[pattern])
}

fn match_every_event(patterns: &[&Pattern]) -> bool {
    patterns
        .iter()
        .any(|pattern| matches!(pattern.form(), Form::Everything))
        || search(
            &Goal {
                none: patterns.to_vec(),
                ..Goal::default()
            },
            true,
            None,
        ) == Answer::Nothing
}
