//! Looks for an event that some patterns match and others do not.

use std::collections::BTreeSet;

use serde_json::Value;

use super::super::{Answers, Event, Match, Pattern, Undocumented, matches_knowing};
use super::claim::Claim;
use super::formula::{Formula, Problem};
use super::mode::Mode;
use super::places::{Content, Places};
use super::solver::Outcome;
use super::text::{Budget, Found};
use super::witness::{self, Draft};

/// What an event has to be.
#[derive(Debug, Clone, Default)]
pub(super) struct Goal<'a> {
    /// All of these match it.
    pub(super) all: Vec<&'a Pattern>,
    /// At least one of these matches it, unless there are none.
    pub(super) any: Option<Vec<&'a Pattern>>,
    /// None of these matches it.
    pub(super) none: Vec<&'a Pattern>,
    /// What is known of open questions; `None` where nothing is.
    pub(super) answers: Option<&'a Answers>,
}

impl Goal<'_> {
    /// Whether an event is certainly one.
    pub(super) fn is_met_by(&self, event: &Value) -> bool {
        let event = Event::from_value(event);
        let answers = self.known();
        let certainly = |expected: Match| {
            move |pattern: &&Pattern| matches_knowing(pattern, &event, answers) == expected
        };
        self.all.iter().all(certainly.clone()(Match::Yes))
            && self.none.iter().all(certainly.clone()(Match::No))
            && self
                .any
                .as_ref()
                .is_none_or(|any| any.iter().any(certainly(Match::Yes)))
    }

    fn known(&self) -> &Answers {
        static NOTHING: Answers = Answers::new();
        self.answers.unwrap_or(&NOTHING)
    }
}

/// How a search ended.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Answer {
    /// An event, confirmed by the reference semantics.
    Event(Value),
    /// Proved: there is none.
    Nothing,
    /// Not decided.
    Undecided(Undecided),
}

/// Why a search was not decided.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Undecided {
    pub(super) reason: String,
    /// The questions whose answers might decide it.
    pub(super) open: BTreeSet<Undocumented>,
}

/// The work one search may do.
const BUDGET: u64 = 600_000;
const TOO_MUCH_WORK: &str = "the comparison exceeds the bound on work";
const NO_COMMON_VALUE: &str =
    "some conditions on one field are too involved to be decided together";
const NOT_CONFIRMED: &str = "no event could be confirmed by evaluating the patterns";

/// Looks for an event. `typed` events have the fields and types of CloudTrail.
pub(super) fn search(goal: &Goal<'_>, typed: bool, example: Option<&Value>) -> Answer {
    let mut budget = Budget::new(BUDGET);
    let definite = attempt(
        goal,
        &Mode::Definite(goal.known().clone()),
        typed,
        example,
        &mut budget,
    );
    if let Attempt::Event(event) = definite {
        return Answer::Event(event);
    }
    possible(goal, &Answers::new(), typed, example, &mut budget)
}

/// Looks for an event under assumed answers to open questions, and for the questions that matter.
fn possible(
    goal: &Goal<'_>,
    assumed: &Answers,
    typed: bool,
    example: Option<&Value>,
    budget: &mut Budget,
) -> Answer {
    let mut answers = goal.known().clone();
    answers.extend(assumed);
    let mode = Mode::Possible {
        answers: answers.clone(),
        assumed: !assumed.is_empty(),
    };
    let undecided = |reason| {
        Answer::Undecided(Undecided {
            reason,
            open: assumed.keys().copied().collect(),
        })
    };
    let questions = match attempt(goal, &mode, typed, example, budget) {
        Attempt::Event(event) => return Answer::Event(event),
        Attempt::Nothing => return Answer::Nothing,
        Attempt::Unknown(reason) => return undecided(reason.to_owned()),
        Attempt::Depends(questions) => questions,
    };
    let open = questions
        .iter()
        .find(|question| question.is_uniform() && !answers.contains_key(question));
    let Some(open) = open else {
        let unknown = questions
            .iter()
            .filter(|question| !goal.known().contains_key(question));
        return undecided(reason(unknown.chain(assumed.keys())));
    };
    let mut undecided: Option<Undecided> = None;
    for truth in [false, true] {
        let mut assumed = assumed.clone();
        assumed.insert(*open, truth);
        match possible(goal, &assumed, typed, example, budget) {
            Answer::Event(event) => return Answer::Event(event),
            Answer::Nothing => {}
            Answer::Undecided(further) => match &mut undecided {
                None => undecided = Some(further),
                Some(first) => first.open.extend(further.open),
            },
        }
    }
    undecided.map_or(Answer::Nothing, Answer::Undecided)
}

fn reason<'q>(mut questions: impl Iterator<Item = &'q Undocumented>) -> String {
    let first = questions.next();
    first
        .map_or(NOT_CONFIRMED, |question| question.reason())
        .to_owned()
}

/// How one attempt ended.
enum Attempt {
    Event(Value),
    Nothing,
    /// There is a solution, but it rests on these questions.
    Depends(BTreeSet<Undocumented>),
    Unknown(&'static str),
}

fn attempt(
    goal: &Goal<'_>,
    mode: &Mode,
    typed: bool,
    example: Option<&Value>,
    budget: &mut Budget,
) -> Attempt {
    let mut patterns: Vec<&Pattern> = goal.all.clone();
    patterns.extend(goal.any.iter().flatten());
    patterns.extend(&goal.none);
    let mut problem = Problem::new(&patterns, mode, typed);
    for pattern in &goal.all {
        let formula = problem.pattern(pattern, true);
        problem.require(formula);
    }
    for pattern in &goal.none {
        let formula = problem.pattern(pattern, false);
        problem.require(formula);
    }
    if let Some(any) = &goal.any {
        let parts = any.iter().map(|pattern| problem.pattern(pattern, true));
        let formula = Formula::Any(parts.collect());
        problem.require(formula);
    }
    problem.finish();
    if let Some(failure) = problem.failure {
        return Attempt::Unknown(failure);
    }
    let Problem {
        mut solver,
        claims,
        tree,
        questions,
        ..
    } = problem;
    let mut places = Places::new(&tree, &claims, mode, typed, example, budget);
    match solver.solve(&mut places) {
        Outcome::Unsatisfiable => return Attempt::Nothing,
        Outcome::Exhausted => return Attempt::Unknown(TOO_MUCH_WORK),
        Outcome::Satisfiable => {}
    }
    let mut contents = Vec::with_capacity(tree.len());
    for node in 0..tree.len() {
        match places.content(node) {
            Found::Some(content) => contents.push(content),
            Found::None | Found::Unknown => return Attempt::Unknown(NO_COMMON_VALUE),
        }
    }
    let mut rests_on = questions;
    for (node, claim) in places.made() {
        let value = match contents.get(node) {
            Some(Content::Value(value)) => Some(value),
            _ => None,
        };
        rests_on.extend(claim.question(value));
    }
    let mut texts: Vec<&str> = Vec::new();
    for (variable, claim) in claims.iter().enumerate() {
        match claim {
            Claim::Opaque { question, .. } if solver.is_true(variable) => {
                rests_on.insert(*question);
            }
            Claim::Contains(text) if solver.is_true(variable) => texts.push(text),
            _ => {}
        }
    }
    let draft = Draft {
        tree: &tree,
        contents: &contents,
        texts: &texts,
        places: &places,
    };
    match witness::confirm(goal, &draft, typed, example) {
        Some(event) => Attempt::Event(event),
        // Where answers were assumed, it is they that the solution rests on.
        None if rests_on.is_empty() && !mode.assumes_answers() => Attempt::Unknown(NOT_CONFIRMED),
        None => Attempt::Depends(rests_on),
    }
}
