//! Decimal numbers, compared exactly: what numeric literals and JSON numbers are.

use std::cmp::Ordering;
use std::hash::{Hash, Hasher};

/// A decimal number: `0.DIGITS * 10^exponent`, normalized so that equal numbers are equal values.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Decimal {
    negative: bool,
    /// Without leading or trailing zeros; empty for zero.
    digits: String,
    exponent: i64,
}

impl Decimal {
    /// Reads an optional sign, digits with an optional fraction, and an optional exponent.
    pub fn parse(text: &str) -> Option<Self> {
        let (negative, unsigned) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, parse_exponent(exponent)?),
            None => (unsigned, 0),
        };
        let (whole, fraction) = match mantissa.split_once('.') {
            Some((_, "")) => return None,
            Some(parts) => parts,
            None => (mantissa, ""),
        };
        let all_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if whole.len() + fraction.len() == 0 || !all_digits(whole) || !all_digits(fraction) {
            return None;
        }
        let joined = format!("{whole}{fraction}");
        let significant = joined.trim_start_matches('0');
        let leading_zeros = joined.len() - significant.len();
        let digits = significant.trim_end_matches('0').to_owned();
        if digits.is_empty() {
            return Some(Self::default());
        }
        let point = i64::try_from(whole.len()).ok()? - i64::try_from(leading_zeros).ok()?;
        Some(Self {
            negative,
            digits,
            exponent: point.saturating_add(exponent),
        })
    }

    /// How many digits the number needs.
    pub fn significant_digits(&self) -> usize {
        self.digits.len()
    }

    /// The position of the decimal point: the number lies in `[10^(exponent-1), 10^exponent)`,
    /// leaving its sign aside.
    pub fn exponent(&self) -> i64 {
        self.exponent
    }

    /// Whether a double, which is what most JSON readers turn numbers into, certainly keeps it.
    pub fn fits_double(&self) -> bool {
        self.digits.len() <= 15 && (-290..=290).contains(&self.exponent)
    }

    /// The nearest double.
    pub fn to_double(&self) -> f64 {
        let sign = if self.negative { "-" } else { "" };
        format!("{sign}0.{}0e{}", self.digits, self.exponent)
            .parse()
            .unwrap_or(0.0)
    }

    /// Plain decimal notation as JSON has it, where it is reasonably short.
    pub fn to_plain(&self) -> Option<String> {
        if self.digits.is_empty() {
            return Some("0".to_owned());
        }
        let sign = if self.negative { "-" } else { "" };
        let length = i64::try_from(self.digits.len()).ok()?;
        if !(-20..=25).contains(&self.exponent) {
            return None;
        }
        let zeros = |count: i64| "0".repeat(usize::try_from(count).unwrap_or_default());
        Some(if self.exponent <= 0 {
            format!("{sign}0.{}{}", zeros(-self.exponent), self.digits)
        } else if self.exponent >= length {
            format!("{sign}{}{}", self.digits, zeros(self.exponent - length))
        } else {
            let point = usize::try_from(self.exponent).ok()?;
            let (whole, fraction) = self.digits.split_at_checked(point)?;
            format!("{sign}{whole}.{fraction}")
        })
    }

    /// The number times `10^scale` as an integer, where it is one and not too large.
    fn scaled(&self, scale: i64) -> Option<i128> {
        if self.digits.is_empty() {
            return Some(0);
        }
        let zeros = self.exponent - i64::try_from(self.digits.len()).ok()? + scale;
        let zeros = u32::try_from(zeros).ok().filter(|zeros| *zeros <= 34)?;
        let magnitude = self
            .digits
            .parse::<i128>()
            .ok()?
            .checked_mul(10_i128.checked_pow(zeros)?)?;
        Some(if self.negative { -magnitude } else { magnitude })
    }

    fn from_scaled(value: i128, scale: i64) -> Option<Self> {
        Self::parse(&format!("{value}e-{scale}"))
    }

    /// How many digits follow the decimal point.
    fn fraction_digits(&self) -> i64 {
        let length = i64::try_from(self.digits.len()).unwrap_or(i64::MAX);
        (length - self.exponent).max(0)
    }

    /// A short number between two numbers.
    pub(super) fn between(low: &Self, high: &Self) -> Option<Self> {
        let mut scale = low.fraction_digits().max(high.fraction_digits());
        loop {
            let (from, to) = (low.scaled(scale)?, high.scaled(scale)?);
            if to - from >= 2 {
                // The roundest one.
                let mut step = 10_i128.pow(20);
                loop {
                    let candidate = from.div_euclid(step).checked_add(1)?.checked_mul(step)?;
                    if candidate < to || step == 1 {
                        return Self::from_scaled(candidate, scale);
                    }
                    step /= 10;
                }
            }
            scale += 1;
        }
    }

    /// An integer below the number.
    pub(super) fn below(&self) -> Option<Self> {
        let scale = self.fraction_digits();
        let one = 10_i128.checked_pow(u32::try_from(scale).ok()?)?;
        let below = self.scaled(scale)?.checked_sub(1)?.div_euclid(one);
        Self::from_scaled(below, 0)
    }

    /// An integer above the number.
    pub(super) fn above(&self) -> Option<Self> {
        let scale = self.fraction_digits();
        let one = 10_i128.checked_pow(u32::try_from(scale).ok()?)?;
        let above = self.scaled(scale)?.div_euclid(one).checked_add(1)?;
        Self::from_scaled(above, 0)
    }

    fn magnitude_cmp(&self, other: &Self) -> Ordering {
        match (self.digits.is_empty(), other.digits.is_empty()) {
            (true, true) => Ordering::Equal,
            (true, false) => Ordering::Less,
            (false, true) => Ordering::Greater,
            (false, false) => self
                .exponent
                .cmp(&other.exponent)
                .then_with(|| self.digits.cmp(&other.digits)),
        }
    }
}

fn parse_exponent(text: &str) -> Option<i64> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let magnitude = digits.parse::<i64>().unwrap_or(i64::MAX).min(1_000_000);
    Some(if text.starts_with('-') {
        -magnitude
    } else {
        magnitude
    })
}

impl Ord for Decimal {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self.negative, other.negative) {
            (false, true) => Ordering::Greater,
            (true, false) => Ordering::Less,
            (false, false) => self.magnitude_cmp(other),
            (true, true) => other.magnitude_cmp(self),
        }
    }
}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// A numeric literal of a pattern. Two literals are the same when they are written the same.
#[derive(Debug, Clone, Eq)]
pub struct Number {
    text: String,
    value: Decimal,
}

impl Number {
    /// Reads a literal.
    pub fn parse(text: &str) -> Option<Self> {
        Some(Self {
            text: text.to_owned(),
            value: Decimal::parse(text)?,
        })
    }

    /// As it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What it means.
    pub fn value(&self) -> &Decimal {
        &self.value
    }
}

impl PartialEq for Number {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Hash for Number {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.text.hash(state);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decimal(text: &str) -> Decimal {
        Decimal::parse(text).unwrap()
    }

    #[test]
    fn equal_numbers_are_equal_values() {
        for (left, right) in [
            ("12", "12.0"),
            ("1e3", "1000"),
            ("0.001", "1e-3"),
            ("-0", "0"),
            ("+5", "5.00"),
            (".5", "0.5"),
        ] {
            assert_eq!(decimal(left), decimal(right), "{left} {right}");
        }
    }

    #[test]
    fn order_is_numeric() {
        let ordered = [
            "-1e9", "-12", "-1.5", "-0.01", "0", "1e-9", "0.5", "9", "10", "1e3",
        ];
        for (left, right) in ordered.iter().zip(ordered.iter().skip(1)) {
            assert!(decimal(left) < decimal(right), "{left} {right}");
        }
    }

    #[test]
    fn other_texts_are_no_numbers() {
        for text in [
            "", "-", ".", "5.", "1e", "1.2.3", "0x1", "1_0", "e5", "--1", "1e+",
        ] {
            assert_eq!(Decimal::parse(text), None, "{text}");
        }
    }

    #[test]
    fn plain_notation_reads_back() {
        for text in ["0", "12", "-3.25", "0.001", "1200", "100000"] {
            assert_eq!(decimal(text).to_plain().as_deref(), Some(text));
        }
    }
}
