//! What an account's events may take: chains, each by both yardsticks and with the next calls to
//! make for it, and which of them counts.

use std::sync::Arc;

use super::verdict::{Chain, Standing, Step, Yardstick, rank, standing};
use crate::evidence::Request;
use crate::finding::{LinkName, Observation};

/// A chain by one yardstick, and the next calls to make for it.
#[derive(Debug, Clone)]
pub(super) struct CandidateChain {
    pub(super) chain: Chain,
    pub(super) wants: Vec<Request>,
}

/// The best chain by each yardstick.
pub(super) struct Outcome {
    cis: Chain,
    effective: Chain,
}

impl Outcome {
    pub(super) fn by(&self, yardstick: Yardstick) -> &Chain {
        match yardstick {
            Yardstick::Cis => &self.cis,
            Yardstick::Effective => &self.effective,
        }
    }
}

/// A broken chain with something more to be said about it.
pub(super) fn observing(chain: &[Arc<Step>], more: &[Arc<Observation>]) -> Chain {
    let mut chain = chain.to_vec();
    if let Some(first) = chain.first_mut().filter(|_| !more.is_empty()) {
        let mut step = Step::clone(first);
        step.observations.extend(more.iter().cloned());
        *first = Arc::new(step);
    }
    chain
}

pub(super) fn only(step: Step) -> [CandidateChain; 2] {
    let wants = step.wants.clone();
    let chain = vec![Arc::new(step)];
    let candidate = CandidateChain { chain, wants };
    [candidate.clone(), candidate]
}

/// What one yardstick says of each candidate.
fn by(
    candidates: &[[CandidateChain; 2]],
    yardstick: Yardstick,
) -> impl Iterator<Item = &CandidateChain> {
    candidates
        .iter()
        .map(move |[cis, effective]| match yardstick {
            Yardstick::Cis => cis,
            Yardstick::Effective => effective,
        })
}

/// The chain of the best candidate by each yardstick; the first of equals.
pub(super) fn best(candidates: &[[CandidateChain; 2]]) -> Outcome {
    let best = |yardstick| {
        let mut best: Option<((Standing, LinkName), &Chain)> = None;
        for CandidateChain { chain, .. } in by(candidates, yardstick) {
            let value = rank(chain, yardstick);
            if best.as_ref().is_none_or(|(known, _)| *known < value) {
                best = Some((value, chain));
            }
        }
        best.map(|(_, chain)| chain.clone()).unwrap_or_default()
    };
    Outcome {
        cis: best(Yardstick::Cis),
        effective: best(Yardstick::Effective),
    }
}

/// Whether a candidate is proved.
pub(super) fn proved(candidates: &[[CandidateChain; 2]], yardstick: Yardstick) -> bool {
    by(candidates, yardstick)
        .any(|candidate| standing(&candidate.chain, yardstick) == Standing::Proved)
}

/// The calls that the first open candidate wants; where a candidate is proved, those that tell more
/// of the chain that is shown.
pub(super) fn next_calls(candidates: &[[CandidateChain; 2]], yardstick: Yardstick) -> Vec<Request> {
    let proved = by(candidates, yardstick)
        .find(|candidate| standing(&candidate.chain, yardstick) == Standing::Proved);
    if let Some(proved) = proved {
        let steps = proved
            .chain
            .iter()
            .filter(|_| yardstick == Yardstick::Effective);
        return steps.flat_map(|step| step.worth_asking.clone()).collect();
    }
    // What is asked about a broken chain only tells more of it: those that may be whole come first.
    let open = || by(candidates, yardstick).filter(|candidate| !candidate.wants.is_empty());
    open()
        .find(|candidate| standing(&candidate.chain, yardstick) != Standing::Broken)
        .or_else(|| open().next())
        .map_or_else(Vec::new, |candidate| candidate.wants.clone())
}
