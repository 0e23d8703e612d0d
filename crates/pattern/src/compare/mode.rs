//! How a search treats behaviour that AWS does not document.

use super::super::evaluate::Outcome;
use super::super::{Answers, Undocumented};

/// How a search treats behaviour that AWS does not document. Questions that are answered here are
/// answered so throughout.
#[derive(Debug, Clone)]
pub(super) enum Mode {
    /// Only known behaviour counts: what is found is certain.
    Definite(Answers),
    /// Anything that may be: what is not found is certain not to be.
    Possible {
        answers: Answers,
        /// Whether some answers are not known, but assumed.
        assumed: bool,
    },
}

impl Mode {
    /// Whether an outcome may have a truth.
    pub(super) fn accepts(&self, outcome: Outcome, truth: bool) -> bool {
        match outcome {
            Outcome::Known(known) => known == truth,
            Outcome::Depends(question, holds_if) => match self.answer(question) {
                Some(answer) => (answer == holds_if) == truth,
                None => !self.is_definite(),
            },
        }
    }

    /// The answer to a question, known or assumed.
    pub(super) fn answer(&self, question: Undocumented) -> Option<bool> {
        let (Self::Definite(answers) | Self::Possible { answers, .. }) = self;
        answers.get(&question).copied()
    }

    /// Whether an open question is taken as answered.
    pub(super) fn assumes_answers(&self) -> bool {
        matches!(self, Self::Possible { assumed: true, .. })
    }

    pub(super) fn is_definite(&self) -> bool {
        matches!(self, Self::Definite(_))
    }
}
