//! The tree of a JSON pattern.

use super::{Number, Operand, Selector};

/// A boolean combination of conditions.
///
/// Groups have at least two parts and never contain a group of their own kind, so that an
/// expression has one tree however it was parenthesized.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Expression {
    /// `&&`.
    All(Vec<Expression>),
    /// `||`.
    Any(Vec<Expression>),
    /// A test of one selector.
    Condition(Condition),
}

impl Expression {
    pub(super) fn all(parts: Vec<Self>) -> Self {
        Self::group(parts, true)
    }

    pub(super) fn any(parts: Vec<Self>) -> Self {
        Self::group(parts, false)
    }

    fn group(parts: Vec<Self>, conjunction: bool) -> Self {
        let mut flat = Vec::with_capacity(parts.len());
        for part in parts {
            match part {
                Self::All(inner) if conjunction => flat.extend(inner),
                Self::Any(inner) if !conjunction => flat.extend(inner),
                other => flat.push(other),
            }
        }
        if flat.len() == 1
            && let Some(only) = flat.pop()
        {
            return only;
        }
        if conjunction {
            Self::All(flat)
        } else {
            Self::Any(flat)
        }
    }

    /// Visits every condition, in the order they were written.
    pub fn for_each_condition<'a>(&'a self, visit: &mut impl FnMut(&'a Condition)) {
        match self {
            Self::All(parts) | Self::Any(parts) => {
                for part in parts {
                    part.for_each_condition(visit);
                }
            }
            Self::Condition(condition) => visit(condition),
        }
    }
}

/// A test of what a selector points to.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Condition {
    /// Where to look.
    pub selector: Selector,
    /// What to look for.
    pub test: Test,
}

/// What a condition looks for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Test {
    /// `=`.
    Equal(Operand),
    /// `!=`: present, and something else.
    NotEqual(Operand),
    /// `<`, `<=`, `>` or `>=`.
    Ordered(Order, Number),
    /// `IS NULL`.
    IsNull,
    /// `IS TRUE`.
    IsTrue,
    /// `IS FALSE`.
    IsFalse,
    /// `NOT EXISTS`.
    NotExists,
}

/// An ordering operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Order {
    /// `<`.
    Less,
    /// `<=`.
    LessOrEqual,
    /// `>`.
    Greater,
    /// `>=`.
    GreaterOrEqual,
}

impl Order {
    /// The operator as it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
        }
    }

    /// Whether the operator holds for the order of the left side to the right side.
    pub fn holds(self, order: std::cmp::Ordering) -> bool {
        match self {
            Self::Less => order.is_lt(),
            Self::LessOrEqual => order.is_le(),
            Self::Greater => order.is_gt(),
            Self::GreaterOrEqual => order.is_ge(),
        }
    }
}
