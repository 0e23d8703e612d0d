//! The automaton that reads the text of a number and knows its order to a given number.

use std::cmp::Ordering;

use super::super::Decimal;
use super::text::DEAD;

/// The automaton that reads the text of a number and knows its order to a given number.
pub(super) struct NumberOrder {
    negative: bool,
    whole: Vec<u32>,
    fraction: Vec<u32>,
}

/// Where the reading is.
#[derive(Clone, Copy)]
struct State {
    negative: bool,
    in_fraction: bool,
    /// How many digits of this part were read, up to one more than the given number has.
    read: usize,
    /// The order of what was read, the sign left aside.
    order: Ordering,
}

impl NumberOrder {
    /// `None` where the number is too long to be written out.
    pub(super) fn new(value: &Decimal) -> Option<Self> {
        let plain = value.to_plain()?;
        let (negative, unsigned) = match plain.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, plain.as_str()),
        };
        let digits = |text: &str| {
            text.chars()
                .filter_map(|digit| digit.to_digit(10))
                .collect()
        };
        let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
        Some(Self {
            negative,
            whole: digits(whole),
            fraction: digits(fraction),
        })
    }

    fn span(&self) -> usize {
        self.whole.len().max(self.fraction.len()) + 2
    }

    fn encode(&self, state: State) -> u32 {
        let order = match state.order {
            Ordering::Less => 0,
            Ordering::Equal => 1,
            Ordering::Greater => 2,
        };
        let code = (state.read.min(self.span() - 1) * 3 + order) * 4
            + usize::from(state.negative) * 2
            + usize::from(state.in_fraction);
        u32::try_from(code).unwrap_or(DEAD)
    }

    fn decode(state: u32) -> State {
        let order = match state / 4 % 3 {
            0 => Ordering::Less,
            1 => Ordering::Equal,
            _ => Ordering::Greater,
        };
        State {
            negative: state & 2 != 0,
            in_fraction: state & 1 != 0,
            read: (state / 12) as usize,
            order,
        }
    }

    pub(super) fn start(&self) -> u32 {
        self.encode(State {
            negative: false,
            in_fraction: false,
            read: 0,
            order: Ordering::Equal,
        })
    }

    pub(super) fn next(&self, state: u32, character: char) -> u32 {
        if state == DEAD {
            return DEAD;
        }
        let mut state = Self::decode(state);
        match (character.to_digit(10), character) {
            (Some(digit), _) => {
                let digits = if state.in_fraction {
                    &self.fraction
                } else {
                    &self.whole
                };
                let other = digits.get(state.read).copied().unwrap_or(0);
                state.order = state.order.then(digit.cmp(&other));
                state.read = (state.read + 1).min(digits.len() + 1);
            }
            (None, '-') if state.read == 0 => state.negative = true,
            (None, '.') if !state.in_fraction => {
                state.order = self.order_of_whole(state);
                state.in_fraction = true;
                state.read = 0;
            }
            _ => return DEAD,
        }
        self.encode(state)
    }

    fn order_of_whole(&self, state: State) -> Ordering {
        state.read.cmp(&self.whole.len()).then(state.order)
    }

    /// The order of the number that was read to the given one.
    pub(super) fn order(&self, state: u32) -> Ordering {
        let state = Self::decode(state);
        let magnitude = if state.in_fraction {
            let rest = self.fraction.get(state.read..).unwrap_or_default();
            let more = rest.iter().any(|digit| *digit > 0);
            state.order.then(if more {
                Ordering::Less
            } else {
                Ordering::Equal
            })
        } else {
            let more = self.fraction.iter().any(|digit| *digit > 0);
            self.order_of_whole(state).then(if more {
                Ordering::Less
            } else {
                Ordering::Equal
            })
        };
        match (state.negative, self.negative) {
            (false, false) => magnitude,
            (true, true) => magnitude.reverse(),
            (true, false) => Ordering::Less,
            (false, true) => Ordering::Greater,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reading_a_number_tells_its_order() {
        let numbers = [
            "0", "1", "5", "9.5", "10", "10.25", "12", "100", "-1", "-0.5", "-12", "0.001", "99",
            "101.5",
        ];
        for given in numbers {
            let given = Decimal::parse(given).unwrap();
            let automaton = NumberOrder::new(&given).unwrap();
            for text in numbers {
                let end = text
                    .chars()
                    .fold(automaton.start(), |state, next| automaton.next(state, next));
                let expected = Decimal::parse(text).unwrap().cmp(&given);
                assert_eq!(automaton.order(end), expected, "{text} to {given:?}");
            }
        }
    }
}
