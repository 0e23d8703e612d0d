//! How a search treats behaviour that AWS does not document.

use std::collections::BTreeMap;

use super::super::Undocumented;
use super::super::evaluate::Outcome;

/// How a search treats behaviour that AWS does not document.
#[derive(Debug, Clone)]
pub(super) enum Mode {
    /// Only documented behaviour counts: what is found is certain.
    Definite,
    /// Anything that may be: what is not found is certain not to be. Questions that are answered
    /// here are answered so throughout.
    Possible(BTreeMap<Undocumented, bool>),
}

impl Mode {
    /// Whether an outcome may have a truth.
    pub(super) fn accepts(&self, outcome: Outcome, truth: bool) -> bool {
        match (outcome, self) {
            (Outcome::Known(known), _) => known == truth,
            (Outcome::Depends(..), Self::Definite) => false,
            (Outcome::Depends(question, holds_if), Self::Possible(answers)) => {
                match answers.get(&question) {
                    Some(answer) => (*answer == holds_if) == truth,
                    None => true,
                }
            }
        }
    }

    /// The answer assumed for a question.
    pub(super) fn answer(&self, question: Undocumented) -> Option<bool> {
        match self {
            Self::Definite => None,
            Self::Possible(answers) => answers.get(&question).copied(),
        }
    }

    /// Whether an open question is taken as answered.
    pub(super) fn assumes_answers(&self) -> bool {
        matches!(self, Self::Possible(answers) if !answers.is_empty())
    }

    pub(super) fn is_definite(&self) -> bool {
        matches!(self, Self::Definite)
    }
}
