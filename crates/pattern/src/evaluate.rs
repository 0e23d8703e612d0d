//! The reference semantics: does a pattern match an event?

use std::borrow::Cow;

use serde_json::Value;

use super::{
    Answers, Condition, Decimal, Event, Expression, Form, Operand, Pattern, Selector, Step, Test,
    TextOperand, Undocumented, terms,
};

/// Whether a pattern matches an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Match {
    /// It matches.
    Yes,
    /// It does not match.
    No,
    /// It rests on a behaviour that AWS does not document.
    Undocumented,
}

impl Match {
    /// Both.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::No, _) | (_, Self::No) => Self::No,
            (Self::Yes, Self::Yes) => Self::Yes,
            _ => Self::Undocumented,
        }
    }

    /// Either.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        self.negated().and(other.negated()).negated()
    }

    /// The opposite.
    #[must_use]
    pub fn negated(self) -> Self {
        match self {
            Self::Yes => Self::No,
            Self::No => Self::Yes,
            Self::Undocumented => Self::Undocumented,
        }
    }

    /// `Some(true)`, `Some(false)`, or `None` where AWS documents nothing.
    pub fn as_bool(self) -> Option<bool> {
        match self {
            Self::Yes => Some(true),
            Self::No => Some(false),
            Self::Undocumented => None,
        }
    }
}

impl From<bool> for Match {
    fn from(yes: bool) -> Self {
        if yes { Self::Yes } else { Self::No }
    }
}

impl From<Outcome> for Match {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Known(known) => known.into(),
            Outcome::Depends(..) => Self::Undocumented,
        }
    }
}

/// Whether the pattern matches the event. JSON patterns match no message that is not JSON.
///
/// ```
/// use serde_json::json;
/// use trailproof_pattern::{Event, Match, Pattern, matches};
///
/// # fn main() -> Result<(), trailproof_pattern::PatternError> {
/// let without_mfa = Pattern::parse(r#"{ $.additionalEventData.MFAUsed != "Yes" }"#)?;
/// let said_no = json!({"additionalEventData": {"MFAUsed": "No"}});
/// let said_nothing = json!({"additionalEventData": {}});
/// assert_eq!(matches(&without_mfa, &Event::from_value(&said_no)), Match::Yes);
/// // An absent member satisfies neither `=` nor `!=`.
/// assert_eq!(matches(&without_mfa, &Event::from_value(&said_nothing)), Match::No);
/// # Ok(())
/// # }
/// ```
pub fn matches(pattern: &Pattern, event: &Event<'_>) -> Match {
    matches_knowing(pattern, event, &Answers::new())
}

/// As [`matches()`], where some of what AWS does not document is known.
pub fn matches_knowing(pattern: &Pattern, event: &Event<'_>, answers: &Answers) -> Match {
    match pattern.form() {
        Form::Everything => Match::Yes,
        Form::Json(expression) => match event.value() {
            Some(value) => expression_matches(expression, value, answers),
            None => Match::No,
        },
        Form::Space(pattern) => pattern.matches(event.message()),
        Form::Regex(regex) => regex.is_match(event.message()).into(),
        Form::Terms(parts) => terms::matches(parts, event.message()),
    }
}

fn expression_matches(expression: &Expression, event: &Value, answers: &Answers) -> Match {
    match expression {
        Expression::All(parts) => {
            let mut all = Match::Yes;
            for part in parts {
                all = all.and(expression_matches(part, event, answers));
                if all == Match::No {
                    break;
                }
            }
            all
        }
        Expression::Any(parts) => {
            let mut any = Match::No;
            for part in parts {
                any = any.or(expression_matches(part, event, answers));
                if any == Match::Yes {
                    break;
                }
            }
            any
        }
        Expression::Condition(condition) => condition_matches(condition, event, answers),
    }
}

pub(super) fn condition_matches(condition: &Condition, event: &Value, answers: &Answers) -> Match {
    let Condition { selector, test } = condition;
    if !selector.has_wildcard() {
        let outcome = match follow(event, &selector.steps) {
            Some(value) => test.outcome(&Scalar::of(value)),
            None => test.outcome_when_absent(),
        };
        return outcome.knowing(answers).into();
    }
    let targets = Targets::of(selector, event);
    let outcomes = targets
        .present
        .iter()
        .map(|value| Match::from(test.outcome(&Scalar::of(value)).knowing(answers)));
    match test {
        Test::NotExists => match (targets.present.is_empty(), targets.lacking) {
            (true, _) => Match::Yes,
            (false, 0) => Match::No,
            (false, _) => match answers.get(&Undocumented::NotExistsAnyElement) {
                Some(any_element) => (*any_element).into(),
                None => Match::Undocumented,
            },
        },
        Test::NotEqual(_) => {
            let (mut any, mut all) = (Match::No, Match::Yes);
            for outcome in outcomes {
                any = any.or(outcome);
                all = all.and(outcome);
            }
            let readings = readings(answers).map(|(any_element, skips_missing)| {
                let every = all.and((skips_missing || targets.lacking == 0).into());
                any.and(if any_element { Match::Yes } else { every })
            });
            agreed(readings)
        }
        _ => outcomes.fold(Match::No, Match::or),
    }
}

/// What `!=` over elements may mean: whether one element is enough, and whether elements without
/// the member are passed over.
fn readings(answers: &Answers) -> impl Iterator<Item = (bool, bool)> {
    let allowed = |question| {
        let answer = answers.get(&question).copied();
        [false, true]
            .into_iter()
            .filter(move |reading| answer.is_none_or(|answer| answer == *reading))
    };
    let skips = allowed(Undocumented::NotEqualSkipsMissing);
    allowed(Undocumented::NotEqualAnyElement)
        .flat_map(move |any_element| skips.clone().map(move |skips| (any_element, skips)))
}

/// The answer that every reading gives.
fn agreed(mut readings: impl Iterator<Item = Match>) -> Match {
    match readings.next() {
        Some(first) if readings.all(|other| other == first) => first,
        _ => Match::Undocumented,
    }
}

fn follow<'a>(value: &'a Value, steps: &[Step]) -> Option<&'a Value> {
    steps.iter().try_fold(value, |value, step| match step {
        Step::Member(name) => value.as_object()?.get(name),
        Step::Index(index) => value.as_array()?.get(*index),
        Step::AnyMember | Step::AnyIndex => None,
    })
}

/// What a selector with a wildcard points to.
struct Targets<'a> {
    present: Vec<&'a Value>,
    /// How many elements lack the rest of the path.
    lacking: usize,
}

impl<'a> Targets<'a> {
    /// Selectors have at most one wildcard.
    fn of(selector: &Selector, event: &'a Value) -> Self {
        let steps = selector.steps.as_slice();
        let at = steps.iter().position(Step::is_wildcard).unwrap_or(0);
        let (before, rest) = steps.split_at(at);
        let elements: Vec<&Value> = match (follow(event, before), rest.first()) {
            (Some(Value::Array(elements)), Some(Step::AnyIndex)) => elements.iter().collect(),
            (Some(Value::Object(members)), Some(Step::AnyMember)) => members.values().collect(),
            _ => Vec::new(),
        };
        let after = rest.get(1..).unwrap_or_default();
        let total = elements.len();
        let present: Vec<_> = elements
            .into_iter()
            .filter_map(|element| follow(element, after))
            .collect();
        Self {
            lacking: total - present.len(),
            present,
        }
    }
}

/// The outcome of a test: known, or resting on a question that AWS leaves open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    Known(bool),
    /// True if the proposition has the given truth.
    Depends(Undocumented, bool),
}

impl Outcome {
    /// The outcome where some open questions are answered.
    fn knowing(self, answers: &Answers) -> Self {
        match self {
            Self::Depends(question, holds_if) => match answers.get(&question) {
                Some(answer) => Self::Known(*answer == holds_if),
                None => self,
            },
            known @ Self::Known(_) => known,
        }
    }

    pub(super) fn negated(self) -> Self {
        match self {
            Self::Known(known) => Self::Known(!known),
            Self::Depends(question, truth) => Self::Depends(question, !truth),
        }
    }
}

/// A value as tests see it.
#[derive(Debug, Clone)]
pub(super) enum Scalar<'a> {
    Null,
    Boolean(bool),
    Number { text: Cow<'a, str>, value: Decimal },
    Text(&'a str),
    Container,
}

impl<'a> Scalar<'a> {
    pub(super) fn of(value: &'a Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(truth) => Self::Boolean(*truth),
            Value::String(text) => Self::Text(text),
            Value::Array(_) | Value::Object(_) => Self::Container,
            Value::Number(number) => {
                let text = number.to_string();
                let value = Decimal::parse(&text).unwrap_or_default();
                Self::Number {
                    text: Cow::Owned(text),
                    value,
                }
            }
        }
    }

    pub(super) fn number(text: &str) -> Option<Decimal> {
        Decimal::parse(text)
    }
}

impl Test {
    /// The outcome where the selector points to nothing: only `NOT EXISTS` holds. That `!=` does
    /// not hold was seen on the real service.
    pub(super) fn outcome_when_absent(&self) -> Outcome {
        Outcome::Known(matches!(self, Self::NotExists))
    }

    /// The outcome on a value that is present.
    pub(super) fn outcome(&self, value: &Scalar<'_>) -> Outcome {
        match self {
            Self::NotExists => Outcome::Known(false),
            Self::IsNull => Outcome::Known(matches!(value, Scalar::Null)),
            Self::IsTrue => Outcome::Known(matches!(value, Scalar::Boolean(true))),
            Self::IsFalse => Outcome::Known(matches!(value, Scalar::Boolean(false))),
            Self::Ordered(order, number) => match value {
                Scalar::Number { value, .. } => {
                    numeric(value, number.value(), |ordering| order.holds(ordering))
                }
                _ => Outcome::Known(false),
            },
            Self::Equal(operand) => equals(operand, value),
            Self::NotEqual(operand) => differs(operand, value),
        }
    }
}

fn numeric(
    value: &Decimal,
    literal: &Decimal,
    holds: impl Fn(std::cmp::Ordering) -> bool,
) -> Outcome {
    let exact = holds(value.cmp(literal));
    if literal.fits_double() && value.fits_double() {
        return Outcome::Known(exact);
    }
    // Beyond the precision of a double it matters how AWS reads numbers.
    let in_doubles = value.to_double().partial_cmp(&literal.to_double());
    if in_doubles.is_some_and(|ordering| holds(ordering) == exact) {
        Outcome::Known(exact)
    } else {
        Outcome::Depends(Undocumented::NumericPrecision, exact)
    }
}

fn equals(operand: &Operand, value: &Scalar<'_>) -> Outcome {
    match (operand, value) {
        (_, Scalar::Null | Scalar::Container) => Outcome::Known(false),
        (Operand::Text(operand), _) if operand.is_any() => Outcome::Known(true),
        (Operand::Text(operand), Scalar::Text(text)) => test_text(operand, text),
        (Operand::Regex(regex), Scalar::Text(text)) => Outcome::Known(regex.is_match(text)),
        (Operand::Text(operand), Scalar::Boolean(truth)) => {
            match test_text(operand, boolean_text(*truth)) {
                Outcome::Known(false) => Outcome::Known(false),
                _ => Outcome::Depends(boolean_question(operand), true),
            }
        }
        (Operand::Regex(regex), Scalar::Boolean(truth)) => {
            regex_on_non_text(regex.is_match(boolean_text(*truth)))
        }
        (Operand::Regex(regex), Scalar::Number { text, .. }) => {
            regex_on_non_text(regex.is_match(text))
        }
        (Operand::Text(operand), Scalar::Number { text, value }) => match operand.number() {
            Some(number) => numeric(value, number.value(), std::cmp::Ordering::is_eq),
            None => test_number_text(operand, text),
        },
    }
}

/// `= %regex%` on a number or boolean, by whether it is found in the value as text.
pub(super) fn regex_on_non_text(found: bool) -> Outcome {
    if found {
        Outcome::Depends(Undocumented::RegexOnNonText, true)
    } else {
        Outcome::Known(false)
    }
}

/// `!= %regex%` on a number or boolean, by whether it is found in the value as text.
pub(super) fn not_regex_on_non_text(found: bool) -> Outcome {
    let question = if found {
        Undocumented::NotRegexOnSameNonText
    } else {
        Undocumented::NotRegexOnNonText
    };
    Outcome::Depends(question, true)
}

fn differs(operand: &Operand, value: &Scalar<'_>) -> Outcome {
    match (operand, value) {
        (_, Scalar::Null | Scalar::Container) => Outcome::Known(false),
        (Operand::Text(operand), Scalar::Boolean(truth)) if !operand.is_any() => {
            match test_text(operand, boolean_text(*truth)) {
                Outcome::Known(false) => Outcome::Depends(Undocumented::NotEqualOnBoolean, true),
                _ => Outcome::Depends(Undocumented::NotEqualOnSameBoolean, true),
            }
        }
        (Operand::Regex(regex), Scalar::Boolean(truth)) => {
            not_regex_on_non_text(regex.is_match(boolean_text(*truth)))
        }
        (Operand::Regex(regex), Scalar::Number { text, .. }) => {
            not_regex_on_non_text(regex.is_match(text))
        }
        _ => match equals(operand, value) {
            Outcome::Depends(Undocumented::InnerWildcardOnNumber, _) => {
                Outcome::Depends(Undocumented::InnerWildcardNotEqualOnNumber, true)
            }
            other => other.negated(),
        },
    }
}

fn boolean_text(truth: bool) -> &'static str {
    if truth { "true" } else { "false" }
}

fn boolean_question(operand: &TextOperand) -> Undocumented {
    let (leading, _, trailing) = operand.wildcards();
    if operand.is_quoted() || leading || trailing {
        Undocumented::TextEqualsBoolean
    } else {
        Undocumented::BareEqualsBoolean
    }
}

/// A text operand on a text.
pub(super) fn test_text(operand: &TextOperand, text: &str) -> Outcome {
    let (leading, literal, trailing) = operand.wildcards();
    match (leading, trailing) {
        (false, false) => Outcome::Known(text == literal),
        (false, true) => Outcome::Known(text.starts_with(literal)),
        (true, true) => Outcome::Known(text.contains(literal)),
        (true, false) if !text.ends_with(literal) => Outcome::Known(false),
        (true, false) if ends_with_overlap(text, literal) => {
            Outcome::Depends(Undocumented::OverlappingSuffix, true)
        }
        (true, false) => Outcome::Known(true),
    }
}

/// Whether the occurrence at the end of the text overlaps an earlier one.
fn ends_with_overlap(text: &str, literal: &str) -> bool {
    let (text, literal) = (text.as_bytes(), literal.as_bytes());
    (1..literal.len()).any(|shift| {
        text.len()
            .checked_sub(literal.len() + shift)
            .and_then(|start| text.get(start..start + literal.len()))
            == Some(literal)
    })
}

/// A text operand on the text of a JSON number.
fn test_number_text(operand: &TextOperand, text: &str) -> Outcome {
    let (leading, literal, trailing) = operand.wildcards();
    if text.contains(['e', 'E']) {
        // Such a number may be written in several ways, all of digits and the like.
        let numeric = literal
            .bytes()
            .all(|byte| byte.is_ascii_digit() || b"+-.eE*".contains(&byte));
        let possible = match (leading || trailing, Decimal::parse(literal)) {
            (true, _) => numeric,
            (false, Some(value)) => Decimal::parse(text) == Some(value),
            (false, None) => false,
        };
        return if possible {
            Outcome::Depends(Undocumented::ExponentAsText, true)
        } else {
            Outcome::Known(false)
        };
    }
    if literal.contains('*') {
        return if glob(leading, literal, trailing, text) {
            Outcome::Depends(Undocumented::InnerWildcardOnNumber, true)
        } else {
            Outcome::Known(false)
        };
    }
    test_text(operand, text)
}

/// A text with every `*` a wildcard.
fn glob(leading: bool, literal: &str, trailing: bool, text: &str) -> bool {
    let mut parts: Vec<&str> = literal.split('*').collect();
    let last = if trailing {
        ""
    } else {
        parts.pop().unwrap_or("")
    };
    let mut rest = text;
    for (position, part) in parts.into_iter().enumerate() {
        if position == 0 && !leading {
            match rest.strip_prefix(part) {
                Some(after) => rest = after,
                None => return false,
            }
        } else {
            match rest.find(part).and_then(|at| rest.get(at + part.len()..)) {
                Some(after) => rest = after,
                None => return false,
            }
        }
    }
    rest.ends_with(last)
}
