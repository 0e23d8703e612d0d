//! The automaton of a text with wildcards at its ends.

use super::super::Undocumented;
use super::super::evaluate::Outcome;
use super::text::{DEAD, MATCHED};

/// The automaton of a text with wildcards at its ends.
pub(super) struct Glob {
    leading: bool,
    trailing: bool,
    pub(super) literal: Vec<char>,
    /// How much of the literal is still matched after a mismatch at each length.
    fallback: Vec<usize>,
    /// Whether an occurrence can overlap the one before it.
    overlaps: bool,
}

impl Glob {
    pub(super) fn new(leading: bool, literal: &str, trailing: bool) -> Self {
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

    pub(super) fn start(&self) -> u32 {
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
    pub(super) fn next(&self, state: u32, character: char) -> u32 {
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
            (true, true, _) if length > 1 => 1,
            (true, false, since) if since > 0 && since + 1 < length => since + 1,
            _ => 0,
        };
        (now + since * (length + 1)) as u32
    }

    pub(super) fn outcome(&self, state: u32) -> Outcome {
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
