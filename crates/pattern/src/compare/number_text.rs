//! The automaton of the text of a JSON number as this program prints it:
//! `-?(0|[1-9][0-9]*)(\.(0|[0-9]*[1-9]))?`, without a negative zero.

use super::text::DEAD;

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
        (POINT | FIRST_ZERO | ZEROS | FRACTION | NEGATIVE_POINT | NEGATIVE_ZEROS, '1'..='9') => {
            FRACTION
        }
        _ => DEAD,
    }
}

pub(super) fn is_end(state: u32) -> bool {
    matches!(state, ZERO | WHOLE | FIRST_ZERO | FRACTION)
}
