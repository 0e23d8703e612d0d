//! Texts that satisfy several claims at once, found by running automata of the claims in step.

use std::cmp::Ordering;
use std::collections::VecDeque;

use regex_automata::dfa::{Automaton as _, dense};
use regex_automata::util::primitives::StateID;
use regex_automata::{Anchored, util::start};
use rustc_hash::{FxHashMap, FxHashSet};

use super::super::Decimal;
use super::super::evaluate::Outcome;
use super::glob::Glob;
use super::number_order::NumberOrder;
use super::number_text;

/// Bounds the work of all searches of one comparison.
#[derive(Debug)]
pub(super) struct Budget {
    steps: u64,
}

impl Budget {
    pub(super) fn new(steps: u64) -> Self {
        Self { steps }
    }

    pub(super) fn spend(&mut self, steps: u64) -> bool {
        self.steps = self.steps.saturating_sub(steps);
        self.steps > 0
    }

    pub(super) fn is_exhausted(&self) -> bool {
        self.steps == 0
    }
}

/// The result of a search.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Found<T> {
    /// Something that satisfies every claim.
    Some(T),
    /// Proved: nothing does.
    None,
    /// The bound on work was reached.
    Unknown,
}

/// A deterministic automaton over characters whose end gives an outcome.
pub(super) struct Automaton<'a> {
    kind: Kind<'a>,
    /// Which outcomes at the end are accepted: what the claim says.
    accepts: Box<dyn Fn(Outcome) -> bool + 'a>,
    /// What the automaton's end means, told whether it matched.
    meaning: Box<dyn Fn(Outcome) -> Outcome + 'a>,
}

enum Kind<'a> {
    Glob(Glob),
    Regex(&'a dense::DFA<Vec<u32>>),
    /// The canonical text of a JSON number without exponent.
    NumberText,
    /// A number, by its order to another one.
    NumberOrder(NumberOrder, Box<dyn Fn(Ordering) -> bool + 'a>),
}

/// A state that only leads to itself.
pub(super) const DEAD: u32 = u32::MAX;
pub(super) const MATCHED: u32 = u32::MAX - 1;

impl<'a> Automaton<'a> {
    /// A text with optional wildcards at its ends.
    pub(super) fn glob(
        leading: bool,
        literal: &str,
        trailing: bool,
        meaning: impl Fn(Outcome) -> Outcome + 'a,
        accepts: impl Fn(Outcome) -> bool + 'a,
    ) -> Self {
        Self {
            kind: Kind::Glob(Glob::new(leading, literal, trailing)),
            accepts: Box::new(accepts),
            meaning: Box::new(meaning),
        }
    }

    /// A search for a regular expression.
    pub(super) fn regex(
        automaton: &'a dense::DFA<Vec<u32>>,
        meaning: impl Fn(Outcome) -> Outcome + 'a,
        accepts: impl Fn(Outcome) -> bool + 'a,
    ) -> Self {
        Self {
            kind: Kind::Regex(automaton),
            accepts: Box::new(accepts),
            meaning: Box::new(meaning),
        }
    }

    /// The text of a JSON number.
    pub(super) fn number_text() -> Self {
        Self {
            kind: Kind::NumberText,
            accepts: Box::new(|outcome| outcome == Outcome::Known(true)),
            meaning: Box::new(|outcome| outcome),
        }
    }

    /// A number whose order to another one is asked; `None` where that is too long.
    pub(super) fn number_order(
        value: &Decimal,
        holds: impl Fn(Ordering) -> bool + 'a,
        accepts: impl Fn(Outcome) -> bool + 'a,
    ) -> Option<Self> {
        Some(Self {
            kind: Kind::NumberOrder(NumberOrder::new(value)?, Box::new(holds)),
            accepts: Box::new(accepts),
            meaning: Box::new(|outcome| outcome),
        })
    }

    fn start(&self) -> Option<u32> {
        match &self.kind {
            Kind::NumberOrder(order, _) => Some(order.start()),
            Kind::Glob(glob) => Some(glob.start()),
            Kind::NumberText => Some(0),
            Kind::Regex(dfa) => {
                let config = start::Config::new().anchored(Anchored::No);
                let state = dfa.start_state(&config).ok()?;
                Some(if dfa.is_match_state(state) {
                    MATCHED
                } else {
                    state.as_u32()
                })
            }
        }
    }

    fn next(&self, state: u32, character: char) -> u32 {
        match &self.kind {
            Kind::Glob(glob) => glob.next(state, character),
            Kind::NumberText => number_text::next(state, character),
            Kind::NumberOrder(order, _) => order.next(state, character),
            Kind::Regex(dfa) => {
                if state >= MATCHED {
                    return state;
                }
                let mut bytes = [0; 4];
                let mut state = StateID::new_unchecked(state as usize);
                for byte in character.encode_utf8(&mut bytes).bytes() {
                    state = dfa.next_state(state, byte);
                    if dfa.is_match_state(state) {
                        return MATCHED;
                    }
                }
                if dfa.is_dead_state(state) {
                    DEAD
                } else {
                    state.as_u32()
                }
            }
        }
    }

    fn outcome(&self, state: u32) -> Outcome {
        let matched = match &self.kind {
            Kind::Glob(glob) => glob.outcome(state),
            Kind::NumberText => Outcome::Known(number_text::is_end(state)),
            Kind::NumberOrder(_, _) if state == DEAD => Outcome::Known(false),
            Kind::NumberOrder(order, holds) => Outcome::Known(holds(order.order(state))),
            Kind::Regex(_) if state >= MATCHED => Outcome::Known(state == MATCHED),
            Kind::Regex(dfa) => {
                let end = dfa.next_eoi_state(StateID::new_unchecked(state as usize));
                Outcome::Known(dfa.is_match_state(end))
            }
        };
        (self.meaning)(matched)
    }

    fn is_accepting(&self, state: u32) -> bool {
        (self.accepts)(self.outcome(state))
    }

    /// Whether the state never changes again and is not accepting.
    fn is_hopeless(&self, state: u32) -> bool {
        state >= MATCHED && !self.is_accepting(state)
    }

    fn literal_characters(&self) -> &[char] {
        match &self.kind {
            Kind::Glob(glob) => &glob.literal,
            Kind::NumberText | Kind::NumberOrder(..) => {
                &['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', '-', '.']
            }
            Kind::Regex(_) => &[],
        }
    }

    /// Characters with the same class are treated alike.
    fn class(&self, character: char) -> [u8; 4] {
        let mut classes = [0; 4];
        if let Kind::Regex(dfa) = &self.kind {
            let mut bytes = [0; 4];
            let encoded = character.encode_utf8(&mut bytes).len();
            for (class, byte) in classes.iter_mut().zip(bytes).take(encoded) {
                *class = dfa.byte_classes().get(byte).wrapping_add(1);
            }
        }
        classes
    }
}

/// One character of each kind the automata tell apart, the readable ones first.
fn alphabet(automata: &[Automaton<'_>]) -> Vec<char> {
    let readable = ('a'..='z')
        .chain('A'..='Z')
        .chain('0'..='9')
        .chain("-_./: @=,;#".chars())
        .chain('!'..='~')
        .chain('\0'..=' ')
        .chain('\u{7f}'..='\u{ff}')
        .chain(['\u{4e2d}']);
    let literal: Vec<char> = automata
        .iter()
        .flat_map(|automaton| automaton.literal_characters().iter().copied())
        .collect();
    // Literal characters stand for themselves alone, all others for their classes.
    let mut seen_literal = FxHashSet::default();
    let mut seen: FxHashSet<Vec<[u8; 4]>> = FxHashSet::default();
    let mut alphabet = Vec::new();
    let mut classes = Vec::with_capacity(automata.len());
    for character in readable.chain(literal.iter().copied()) {
        let new = if literal.contains(&character) {
            seen_literal.insert(character)
        } else {
            classes.clear();
            classes.extend(automata.iter().map(|automaton| automaton.class(character)));
            !seen.contains(&classes) && seen.insert(classes.clone())
        };
        if new {
            alphabet.push(character);
        }
    }
    alphabet
}

/// The shortest text that every automaton accepts.
pub(super) fn shortest(automata: &[Automaton<'_>], budget: &mut Budget) -> Found<String> {
    let Some(start) = automata
        .iter()
        .map(Automaton::start)
        .collect::<Option<Vec<u32>>>()
    else {
        return Found::Unknown;
    };
    let alphabet = alphabet(automata);
    let mut known: FxHashMap<Vec<u32>, usize> = FxHashMap::from_iter([(start.clone(), 0)]);
    // Where each state was reached from, and by which character.
    let mut origins: Vec<(usize, char)> = vec![(0, '\0')];
    let mut queue = VecDeque::from([(start, 0)]);
    while let Some((state, index)) = queue.pop_front() {
        let accepted = automata
            .iter()
            .zip(&state)
            .all(|(automaton, state)| automaton.is_accepting(*state));
        if accepted {
            let mut text = Vec::new();
            let mut at = index;
            while at != 0 {
                let Some((before, character)) = origins.get(at) else {
                    break;
                };
                text.push(*character);
                at = *before;
            }
            return Found::Some(text.into_iter().rev().collect());
        }
        let work = (alphabet.len() * automata.len()) as u64;
        if !budget.spend(work) {
            return Found::Unknown;
        }
        for character in &alphabet {
            let mut next = Vec::with_capacity(state.len());
            for (automaton, state) in automata.iter().zip(&state) {
                let state = automaton.next(*state, *character);
                if automaton.is_hopeless(state) {
                    break;
                }
                next.push(state);
            }
            if next.len() < automata.len() || known.contains_key(&next) {
                continue;
            }
            let at = origins.len();
            origins.push((index, *character));
            known.insert(next.clone(), at);
            queue.push_back((next, at));
        }
    }
    Found::None
}
