//! What the provider documents of the events' values, and which of it bears on a question.

use std::collections::BTreeSet;

use super::super::{Form, Pattern, Selector};

/// What is documented of some fields. Events of which it is not true may exist all the same: values
/// are added without notice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Documented {
    /// The fields it says something about; it bears on questions that look at one of them.
    pub fields: Vec<Selector>,
    /// What is true of an event.
    pub pattern: Pattern,
}

/// The patterns of what bears on a question about some patterns, also by way of others.
pub(super) fn relevant<'d>(
    documented: &'d [Documented],
    patterns: &[&Pattern],
) -> Vec<&'d Pattern> {
    if documented.is_empty() {
        return Vec::new();
    }
    let mut fields = BTreeSet::new();
    for pattern in patterns {
        looks_at(pattern, &mut fields);
    }
    let mut chosen = Vec::new();
    let mut left: Vec<&Documented> = documented.iter().collect();
    loop {
        let (bearing, others): (Vec<_>, Vec<_>) = left
            .into_iter()
            .partition(|known| known.fields.iter().any(|field| fields.contains(field)));
        if bearing.is_empty() {
            return chosen;
        }
        for known in bearing {
            looks_at(&known.pattern, &mut fields);
            chosen.push(&known.pattern);
        }
        left = others;
    }
}

fn looks_at<'p>(pattern: &'p Pattern, fields: &mut BTreeSet<&'p Selector>) {
    if let Form::Json(expression) = pattern.form() {
        expression.for_each_condition(&mut |condition| {
            fields.insert(&condition.selector);
        });
    }
}
