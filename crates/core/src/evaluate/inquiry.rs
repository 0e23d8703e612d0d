//! The loop "ask what is wanted, record, judge again". It does not care who answers: AWS, a
//! simulated organization, or a file.

use std::collections::HashSet;

use super::evaluator::{Evaluation, Evaluator};
use crate::account::AccountId;
use crate::evidence::{Evidence, Record, Request, UnreadableRecord};

/// What the verdicts of an account still rest on, asked step by step.
#[derive(Debug)]
pub struct Inquiry {
    account: AccountId,
    asked: HashSet<Request>,
}

impl Inquiry {
    /// An inquiry about an account of which nothing was asked yet.
    pub fn about(account: AccountId) -> Self {
        Self {
            account,
            asked: HashSet::new(),
        }
    }

    /// The calls to make before judging again, all at once. None when judging again would want
    /// nothing new: what was wanted before and did not become known rests on an account that
    /// nobody can enter, and asking again would not help.
    pub fn next(&mut self, evaluation: &mut Evaluation<'_>) -> Vec<Request> {
        let mut wanted = evaluation.wanted(self.account);
        wanted.retain(|request| self.asked.insert(request.clone()));
        wanted
    }

    /// Asks until nothing is wanted any more. Whoever answers gives the records to add: the answer,
    /// and the attempt to enter the account where that was made for it.
    pub fn run(
        mut self,
        evaluator: &Evaluator,
        evidence: &mut Evidence,
        mut answer: impl FnMut(&Request) -> Vec<Record>,
    ) -> Result<(), UnreadableRecord> {
        loop {
            let wanted = self.next(&mut evaluator.on(evidence));
            if wanted.is_empty() {
                return Ok(());
            }
            for record in wanted.iter().flat_map(&mut answer) {
                evidence.insert(record)?;
            }
        }
    }
}
