//! Texts that satisfy several claims at once, found by running automata of the claims in step.

use std::collections::{HashMap, VecDeque};

use regex_automata::dfa::{Automaton as _, dense};
use regex_automata::util::primitives::StateID;
use regex_automata::{Anchored, util::start};

use super::super::Undocumented;
use super::super::evaluate::Outcome;

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
}

/// A state that only leads to itself.
const DEAD: u32 = u32::MAX;
const MATCHED: u32 = u32::MAX - 1;

struct Glob {
    leading: bool,
    trailing: bool,
    literal: Vec<char>,
    /// How much of the literal is still matched after a mismatch at each length.
    fallback: Vec<usize>,
    /// Whether an occurrence can overlap the one before it.
    overlaps: bool,
}

impl Glob {
    fn new(leading: bool, literal: &str, trailing: bool) -> Self {
        let literal: Vec<char> = literal.chars().collect();
        let mut fallback = vec![0; literal.len() + 1];
        let mut length = 0;
        for position in 1..literal.len() {
            while length > 0 && literal.get(position) != literal.get(length) {
                length = fallback.get(length).copied().unwrap_or(0);
            }
            if literal.get(position) == literal.get(length) {
                length += 1;
            }
            if let Some(slot) = fallback.get_mut(position + 1) {
                *slot = length;
            }
        }
        let overlaps = leading && !trailing && fallback.last().copied().unwrap_or(0) > 0;
        Self {
            leading,
            trailing,
            literal,
            fallback,
            overlaps,
        }
    }

    fn length(&self) -> usize {
        self.literal.len()
    }

    fn search(&self, mut matched: usize, character: char) -> usize {
        if matched == self.length() {
            matched = self.fallback.get(matched).copied().unwrap_or(0);
        }
        loop {
            if self.literal.get(matched) == Some(&character) {
                return matched + 1;
            }
            if matched == 0 {
                return 0;
            }
            matched = self.fallback.get(matched).copied().unwrap_or(0);
        }
    }

    fn start(&self) -> u32 {
        if self.trailing && self.literal.is_empty() {
            MATCHED
        } else {
            0
        }
    }

    #[allow(
        clippy::cast_possible_truncation,
        reason = "a literal has at most 1,024 characters, so a state is below 2^21"
    )]
    fn next(&self, state: u32, character: char) -> u32 {
        if state >= MATCHED {
            return state;
        }
        let length = self.length();
        let (matched, since) = (state as usize % (length + 1), state as usize / (length + 1));
        if !self.leading {
            if self.literal.get(matched) != Some(&character) {
                return DEAD;
            }
            if self.trailing && matched + 1 == length {
                return MATCHED;
            }
            return (matched + 1) as u32;
        }
        let now = self.search(matched, character);
        if self.trailing && now == length {
            return MATCHED;
        }
        // `since` counts the characters after the latest occurrence, while it can be overlapped.
        let since = match (self.overlaps, matched == length, since) {
            (false, ..) | (true, false, 0) => 0,
            (true, true, _) if length > 1 => 1,
            (true, true, _) => 0,
            (true, false, since) if since + 1 < length => since + 1,
            (true, false, _) => 0,
        };
        (now + since * (length + 1)) as u32
    }

    fn outcome(&self, state: u32) -> Outcome {
        let length = self.length();
        match state {
            MATCHED => Outcome::Known(true),
            DEAD => Outcome::Known(false),
            state => {
                let (matched, since) =
                    (state as usize % (length + 1), state as usize / (length + 1));
                if matched != length {
                    Outcome::Known(false)
                } else if since > 0 {
                    Outcome::Depends(Undocumented::OverlappingSuffix, true)
                } else {
                    Outcome::Known(true)
                }
            }
        }
    }
}

mod number_text {
    //! States of `-?(0|[1-9][0-9]*)(\.(0|[0-9]*[1-9]))?`, without a negative zero.

    use super::DEAD;

    const START: u32 = 0;
    const SIGN: u32 = 1;
    const ZERO: u32 = 2;
    const WHOLE: u32 = 3;
    const POINT: u32 = 4;
    const FIRST_ZERO: u32 = 5;
    const ZEROS: u32 = 6;
    const FRACTION: u32 = 7;
    const NEGATIVE_ZERO: u32 = 8;
    const NEGATIVE_POINT: u32 = 9;
    const NEGATIVE_ZEROS: u32 = 10;

    pub(super) fn next(state: u32, character: char) -> u32 {
        match (state, character) {
            (START, '-') => SIGN,
            (START, '0') => ZERO,
            (SIGN, '0') => NEGATIVE_ZERO,
            (START | SIGN, '1'..='9') | (WHOLE, '0'..='9') => WHOLE,
            (ZERO | WHOLE, '.') => POINT,
            (NEGATIVE_ZERO, '.') => NEGATIVE_POINT,
            (NEGATIVE_POINT | NEGATIVE_ZEROS, '0') => NEGATIVE_ZEROS,
            (POINT, '0') => FIRST_ZERO,
            (FIRST_ZERO | ZEROS | FRACTION, '0') => ZEROS,
            (
                POINT | FIRST_ZERO | ZEROS | FRACTION | NEGATIVE_POINT | NEGATIVE_ZEROS,
                '1'..='9',
            ) => FRACTION,
            _ => DEAD,
        }
    }

    pub(super) fn is_end(state: u32) -> bool {
        matches!(state, ZERO | WHOLE | FIRST_ZERO | FRACTION)
    }
}

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

    fn start(&self) -> Option<u32> {
        match &self.kind {
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
            Kind::NumberText => &['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', '-', '.'],
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
    let mut seen = std::collections::HashSet::new();
    let mut alphabet = Vec::new();
    for character in readable.chain(literal.iter().copied()) {
        let own = literal.contains(&character).then_some(character);
        let classes: Vec<[u8; 4]> = automata
            .iter()
            .map(|automaton| automaton.class(character))
            .collect();
        if seen.insert((own, classes)) {
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
    let mut known: HashMap<Vec<u32>, usize> = HashMap::from([(start.clone(), 0)]);
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
