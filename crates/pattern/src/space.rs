//! Space-delimited patterns: `[ip, user, ..., status = 4*, bytes]`.

use super::evaluate::{Scalar, test_text};
use super::{Decimal, Match, Number, Operand, Order};

/// The fields of a space-delimited pattern, in order.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SpacePattern {
    /// The fields.
    pub fields: Vec<Field>,
}

/// One place of a space-delimited pattern.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Field {
    /// `...`: any number of fields.
    Ellipsis,
    /// One field, with what it must satisfy.
    Named {
        /// The name.
        name: String,
        /// Alternatives (`||`) of conjunctions (`&&`); empty for a field that may be anything.
        tests: Vec<Vec<FieldTest>>,
    },
}

/// A test of a field.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum FieldTest {
    /// `=`.
    Equal(Operand),
    /// `!=`.
    NotEqual(Operand),
    /// `<`, `<=`, `>`, `>=`.
    Ordered(Order, Number),
}

impl Field {
    fn accepts(&self, text: &str) -> Match {
        let Self::Named { tests, .. } = self else {
            return Match::Yes;
        };
        if tests.is_empty() {
            return Match::Yes;
        }
        tests.iter().fold(Match::No, |any, conjunction| {
            any.or(conjunction
                .iter()
                .fold(Match::Yes, |all, test| all.and(test.holds(text))))
        })
    }
}

impl FieldTest {
    fn holds(&self, text: &str) -> Match {
        match self {
            Self::Equal(operand) => Self::equals(operand, text),
            Self::NotEqual(operand) => Self::equals(operand, text).negated(),
            Self::Ordered(order, number) => match Decimal::parse(text) {
                Some(value) => Match::from(order.holds(value.cmp(number.value()))),
                None => Match::No,
            },
        }
    }

    fn equals(operand: &Operand, text: &str) -> Match {
        let textual = match operand {
            Operand::Text(operand) => test_text(operand, text).into(),
            Operand::Regex(regex) => Match::from(regex.is_match(text)),
        };
        let Operand::Text(operand) = operand else {
            return textual;
        };
        // Whether `404.0` in the text equals the number 404 is not documented.
        match (textual, operand.number(), Scalar::number(text)) {
            (Match::No, Some(number), Some(value)) if *number.value() == value => {
                Match::Undocumented
            }
            _ => textual,
        }
    }
}

/// The fields of a message: separated by blanks; what stands in brackets or quotes is one field.
fn fields(message: &str) -> Vec<&str> {
    let mut fields = Vec::new();
    let mut rest = message.trim_start();
    while let Some(first) = rest.chars().next() {
        let closing = match first {
            '[' => Some(']'),
            '"' => Some('"'),
            _ => None,
        };
        let enclosed = closing.and_then(|closing| rest.get(1..)?.split_once(closing));
        let (field, after) =
            enclosed.unwrap_or_else(|| rest.split_once(char::is_whitespace).unwrap_or((rest, "")));
        fields.push(field);
        rest = after.trim_start();
    }
    fields
}

impl SpacePattern {
    pub(super) fn matches(&self, message: &str) -> Match {
        let texts = fields(message);
        // `reached[n]`: the fields of the pattern so far can stand for the first n fields.
        let mut reached = vec![Match::No; texts.len() + 1];
        if let Some(first) = reached.first_mut() {
            *first = Match::Yes;
        }
        for field in &self.fields {
            let mut next = vec![Match::No; texts.len() + 1];
            if matches!(field, Field::Ellipsis) {
                let mut so_far = Match::No;
                for (slot, before) in next.iter_mut().zip(&reached) {
                    so_far = so_far.or(*before);
                    *slot = so_far;
                }
            } else {
                for ((slot, before), text) in next.iter_mut().skip(1).zip(&reached).zip(&texts) {
                    *slot = before.and(field.accepts(text));
                }
            }
            reached = next;
        }
        reached.last().copied().unwrap_or(Match::No)
    }
}
