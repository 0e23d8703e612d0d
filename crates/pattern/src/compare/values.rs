//! Finds a value that satisfies every claim about one place.

use std::borrow::Cow;

use serde_json::Value;

use super::super::evaluate::{Outcome, Scalar};
use super::super::{Decimal, Operand, Test, TextOperand};
use super::claim::Claim;
use super::mode::Mode;
use super::text::{Automaton, Budget, Found, shortest};

/// A text that satisfies the claims.
pub(super) fn text(claims: &[&Claim], mode: &Mode, budget: &mut Budget) -> Found<Value> {
    let accepted = |text: &str| {
        let value = Value::String(text.to_owned());
        claims
            .iter()
            .all(|claim| claim.accepts_value(&value, mode))
            .then_some(value)
    };
    let mut shape = Shape::default();
    for claim in claims {
        match constant_on_text(claim) {
            Some(outcome) => {
                if !claim_accepts(claim, outcome, mode) {
                    return Found::None;
                }
            }
            None => shape.learn(claim),
        }
    }
    if let Some(only) = shape.exact {
        return accepted(only).map_or(Found::None, Found::Some);
    }
    if let Some(value) = shape.candidates().iter().find_map(|text| accepted(text)) {
        return Found::Some(value);
    }
    let mut automata = Vec::new();
    for claim in claims.iter().copied() {
        if constant_on_text(claim).is_none() {
            match text_automaton(claim, mode) {
                Some(automaton) => automata.push(automaton),
                None => return Found::Unknown,
            }
        }
    }
    match shortest(&automata, budget) {
        Found::Some(text) => accepted(&text).map_or(Found::Unknown, Found::Some),
        Found::None => Found::None,
        Found::Unknown => Found::Unknown,
    }
}

fn claim_accepts(claim: &Claim, outcome: Outcome, mode: &Mode) -> bool {
    match claim {
        Claim::Test { truth, .. } => mode.accepts(outcome, *truth),
        _ => outcome == Outcome::Known(true),
    }
}

/// The operand of `=` or `!=`, and whether it is `=`.
fn operand(claim: &Claim) -> Option<(&Operand, bool, bool)> {
    match claim {
        Claim::Test { test, truth, .. } => match &**test {
            Test::Equal(operand) => Some((operand, true, *truth)),
            Test::NotEqual(operand) => Some((operand, false, *truth)),
            _ => None,
        },
        _ => None,
    }
}

/// The outcome where it is the same for every text.
fn constant_on_text(claim: &Claim) -> Option<Outcome> {
    match claim {
        Claim::Test { test, .. } => match &**test {
            Test::Equal(Operand::Text(operand)) | Test::NotEqual(Operand::Text(operand))
                if !operand.is_any() =>
            {
                None
            }
            Test::Equal(Operand::Regex(_)) | Test::NotEqual(Operand::Regex(_)) => None,
            test => Some(test.outcome(&Scalar::Text(""))),
        },
        Claim::Lacks { .. } => None,
        Claim::Object(_) | Claim::Array(_) => Some(Outcome::Known(false)),
        _ => Some(Outcome::Known(true)),
    }
}

/// What the claims say about the shape of a text.
#[derive(Default)]
struct Shape<'a> {
    exact: Option<&'a str>,
    prefix: &'a str,
    suffix: &'a str,
    inside: Vec<&'a str>,
}

impl<'a> Shape<'a> {
    fn learn(&mut self, claim: &'a Claim) {
        let Some((Operand::Text(operand), equal, truth)) = operand(claim) else {
            return;
        };
        if equal != truth {
            return;
        }
        let (leading, literal, trailing) = operand.wildcards();
        match (leading, trailing) {
            (false, false) => self.exact = Some(literal),
            (false, true) if literal.len() > self.prefix.len() => self.prefix = literal,
            (true, false) if literal.len() > self.suffix.len() => self.suffix = literal,
            (true, true) => self.inside.push(literal),
            _ => {}
        }
    }

    /// Texts worth trying before any search.
    fn candidates(&self) -> Vec<String> {
        let Self {
            prefix,
            suffix,
            inside,
            ..
        } = self;
        let mut candidates = Vec::new();
        if !prefix.is_empty() && prefix.ends_with(suffix) && inside.is_empty() {
            candidates.push((*prefix).to_owned());
        }
        if !suffix.is_empty() && suffix.starts_with(prefix) && inside.is_empty() {
            candidates.push((*suffix).to_owned());
        }
        let middle = inside.join("");
        let open = prefix.is_empty() && suffix.is_empty() && inside.is_empty();
        let fillings: &[&str] = if open {
            &["other", "x", "something else", ""]
        } else {
            &["", "x", "-other-", "0"]
        };
        for filling in fillings {
            candidates.push(format!("{prefix}{middle}{filling}{suffix}"));
            candidates.push(format!("{prefix}{filling}{middle}{suffix}"));
        }
        candidates
    }
}

fn text_automaton<'a>(claim: &'a Claim, mode: &'a Mode) -> Option<Automaton<'a>> {
    if let Claim::Lacks { text, .. } = claim {
        return Some(Automaton::glob(
            true,
            text,
            true,
            |outcome| outcome,
            |outcome| outcome == Outcome::Known(false),
        ));
    }
    let (operand, equal, truth) = operand(claim)?;
    let meaning = move |outcome: Outcome| if equal { outcome } else { outcome.negated() };
    let accepts = move |outcome| mode.accepts(outcome, truth);
    Some(match operand {
        Operand::Text(operand) => {
            let (leading, literal, trailing) = operand.wildcards();
            Automaton::glob(leading, literal, trailing, meaning, accepts)
        }
        Operand::Regex(regex) => Automaton::regex(regex.automaton()?, meaning, accepts),
    })
}

/// A number that satisfies the claims.
pub(super) fn number(claims: &[&Claim], mode: &Mode, budget: &mut Budget) -> Found<Value> {
    let accepted = |text: &str| {
        let value = canonical_number(text)?;
        claims
            .iter()
            .all(|claim| claim.accepts_value(&value, mode))
            .then_some(value)
    };
    let mut thresholds: Vec<&Decimal> = Vec::new();
    let mut textual: Vec<&Claim> = Vec::new();
    let mut pinned = None;
    let mut exact = None;
    for claim in claims.iter().copied() {
        match on_numbers(claim) {
            OnNumbers::Constant(outcome) => {
                if !claim_accepts(claim, outcome, mode) {
                    return Found::None;
                }
            }
            OnNumbers::ByValue(value, pins) => {
                thresholds.push(value);
                if pins {
                    pinned = Some(value);
                }
            }
            OnNumbers::ByText => {
                if let Some(text) = exact_text(claim) {
                    exact = Some(text);
                }
                textual.push(claim);
            }
        }
    }
    let precise = thresholds.iter().all(|threshold| threshold.fits_double());
    let proved = |found: bool| if found { Found::None } else { Found::Unknown };
    if let Some(value) = pinned {
        let forms = forms_of(value);
        return match forms.iter().find_map(|text| accepted(text)) {
            Some(value) => Found::Some(value),
            None => proved(precise && !forms.is_empty()),
        };
    }
    if let Some(text) = exact {
        return match accepted(text) {
            Some(value) => Found::Some(value),
            // The service may see a number written in a way that this program does not write.
            None => proved(precise && !is_uncommon_number(text)),
        };
    }
    thresholds.sort();
    thresholds.dedup();
    let (mut candidates, complete) = around(&thresholds);
    for claim in &textual {
        candidates.extend(suggested_by(claim));
    }
    budget.spend((candidates.len() * claims.len()) as u64);
    if let Some(value) = candidates.iter().find_map(|text| accepted(text)) {
        return Found::Some(value);
    }
    if textual.is_empty() {
        return proved(complete && precise);
    }
    if !precise {
        return Found::Unknown;
    }
    let mut automata = vec![Automaton::number_text()];
    for claim in claims {
        if matches!(on_numbers(claim), OnNumbers::Constant(_)) {
            continue;
        }
        match number_automaton(claim, mode) {
            Some(automaton) => automata.push(automaton),
            None => return Found::Unknown,
        }
    }
    match shortest(&automata, budget) {
        Found::Some(text) => accepted(&text).map_or(Found::Unknown, Found::Some),
        Found::None => Found::None,
        Found::Unknown => Found::Unknown,
    }
}

/// What decides a claim about a number.
enum OnNumbers<'a> {
    Constant(Outcome),
    /// The number's value beside this one; whether only this very value will do.
    ByValue(&'a Decimal, bool),
    /// How the number is written.
    ByText,
}

fn on_numbers(claim: &Claim) -> OnNumbers<'_> {
    let test = match claim {
        Claim::Test { test, .. } => &**test,
        Claim::Lacks { text, .. } if is_numeric(text) => return OnNumbers::ByText,
        Claim::Object(_) | Claim::Array(_) => return OnNumbers::Constant(Outcome::Known(false)),
        _ => return OnNumbers::Constant(Outcome::Known(true)),
    };
    if let Test::Ordered(_, number) = test {
        return OnNumbers::ByValue(number.value(), false);
    }
    match operand(claim) {
        Some((Operand::Text(operand), equal, truth)) if !operand.is_any() => {
            match operand.number() {
                Some(number) => OnNumbers::ByValue(number.value(), equal == truth),
                None if is_numeric(operand.text()) => OnNumbers::ByText,
                None => OnNumbers::Constant(test.outcome(&zero())),
            }
        }
        Some((Operand::Regex(_), ..)) => OnNumbers::ByText,
        _ => OnNumbers::Constant(test.outcome(&zero())),
    }
}

fn zero() -> Scalar<'static> {
    Scalar::Number {
        text: Cow::Borrowed("0"),
        value: Decimal::default(),
    }
}

/// Whether a text can be found in the text of a number.
fn is_numeric(text: &str) -> bool {
    text.bytes()
        .all(|byte| byte.is_ascii_digit() || b".-+eE*".contains(&byte))
}

/// The number as a JSON value, if it is written as it will be printed.
fn canonical_number(text: &str) -> Option<Value> {
    let value: Value = serde_json::from_str(text).ok()?;
    let printed = value.to_string();
    (value.is_number() && printed == text).then_some(value)
}

/// Every way in which a value is written.
fn forms_of(value: &Decimal) -> Vec<String> {
    let mut forms = Vec::new();
    if let Some(plain) = value.to_plain() {
        if !plain.contains('.') {
            forms.push(format!("{plain}.0"));
        }
        forms.insert(0, plain);
    }
    if let Ok(value @ Value::Number(_)) = serde_json::to_value(value.to_double()) {
        forms.push(value.to_string());
    }
    forms.retain(|form| canonical_number(form).is_some());
    forms
}

/// A number for every way to lie among the thresholds, and whether none was left out.
fn around(thresholds: &[&Decimal]) -> (Vec<String>, bool) {
    let mut candidates: Vec<String> = ["1", "0", "7", "42", "-1", "0.5", "100", "1.5"]
        .map(str::to_owned)
        .into();
    let (Some(first), Some(last)) = (thresholds.first(), thresholds.last()) else {
        return (candidates, true);
    };
    let mut complete = true;
    let mut add = |value: Option<Decimal>| {
        let forms = value.map(|value| forms_of(&value)).unwrap_or_default();
        complete &= !forms.is_empty();
        candidates.extend(forms);
    };
    add(first.below());
    add(last.above());
    for pair in thresholds.windows(2) {
        if let [low, high] = pair {
            add(Decimal::between(low, high));
        }
    }
    for threshold in thresholds {
        add(Some((*threshold).clone()));
    }
    (candidates, complete)
}

/// Numbers that a claim about their text suggests.
fn suggested_by(claim: &Claim) -> Vec<String> {
    let Some((Operand::Text(operand), ..)) = operand(claim) else {
        return Vec::new();
    };
    let literal = operand.wildcards().1;
    ["", "0", "1", "5", ".5", ".0"]
        .iter()
        .map(|ending| format!("{literal}{ending}"))
        .chain(
            ["1", "2", "-", "0."]
                .iter()
                .map(|beginning| format!("{beginning}{literal}")),
        )
        .collect()
}

fn number_automaton<'a>(claim: &'a Claim, mode: &'a Mode) -> Option<Automaton<'a>> {
    let Claim::Test { test, truth, .. } = claim else {
        return text_automaton(claim, mode);
    };
    let accepts = move |outcome| mode.accepts(outcome, *truth);
    let (Test::Equal(operand) | Test::NotEqual(operand)) = &**test else {
        let Test::Ordered(order, number) = &**test else {
            return None;
        };
        return Automaton::number_order(number.value(), |found| order.holds(found), accepts);
    };
    match operand {
        Operand::Text(text) if text.number().is_some() => {
            let equal = matches!(**test, Test::Equal(_));
            let value = text.number()?.value();
            Automaton::number_order(value, move |found| found.is_eq() == equal, accepts)
        }
        // A `*` in the middle means something else on numbers.
        Operand::Text(operand) if operand.wildcards().1.contains('*') => None,
        Operand::Text(_) => text_automaton(claim, mode),
        Operand::Regex(regex) => {
            let found = representative(test, true);
            let missing = representative(test, false);
            let meaning = move |outcome| match outcome {
                Outcome::Known(false) => missing,
                _ => found,
            };
            Some(Automaton::regex(regex.automaton()?, meaning, accepts))
        }
    }
}

/// The outcome of a regular expression on a number, by whether it is found in the number's text.
fn representative(test: &Test, found: bool) -> Outcome {
    match test {
        Test::NotEqual(_) => super::super::evaluate::not_regex_on_non_text(found),
        _ => super::super::evaluate::regex_on_non_text(found),
    }
}

/// Whether a claim admits one text or number only, so that others can be checked against it.
pub(super) fn pins(claim: &Claim) -> bool {
    match operand(claim) {
        Some((Operand::Text(operand), equal, truth)) => equal == truth && is_exact(operand),
        _ => false,
    }
}

/// The only text that a claim admits.
fn exact_text(claim: &Claim) -> Option<&str> {
    match operand(claim)? {
        (Operand::Text(operand), equal, truth)
            if equal == truth && !operand.text().contains('*') =>
        {
            Some(operand.text())
        }
        _ => None,
    }
}

/// Whether a text is a JSON number that would be written differently here.
fn is_uncommon_number(text: &str) -> bool {
    serde_json::from_str::<Value>(text).is_ok_and(|value| value.is_number())
        && canonical_number(text).is_none()
}

fn is_exact(operand: &TextOperand) -> bool {
    let (leading, _, trailing) = operand.wildcards();
    !leading && !trailing
}
