//! What a repair comes to: judged as things are, and as they are once everybody whom the plan asks
//! has confirmed.

use trailproof_core::account::AccountId;
use trailproof_core::control::Control;
use trailproof_core::finding::{Finding, Status};

use super::candidates::Candidate;
use super::planned_state::{Changes, Changing, People, PlannedState};
use super::planner::Planner;

/// What a repair came to when it was tried out, the best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Effect {
    Green,
    Waits,
    Nothing,
}

/// A finding in some state, and what it means.
pub(super) struct Judged {
    pub(super) effect: Effect,
    /// The finding; where it only waits for people whom the plan asks, as it is when they have
    /// confirmed: its chain is the one that they are to hear of.
    pub(super) finding: Finding,
}

impl Effect {
    pub(super) fn of(finding: &Finding) -> Self {
        match finding.status {
            Status::Pass => Self::Green,
            Status::Fail if finding.reason.as_deref() == Some("subscription.pending") => {
                Self::Waits
            }
            // A machine that the user asked for: what it does is for the user to say.
            Status::Unknown if finding.reason.as_deref() == Some("subscription.machines-only") => {
                Self::Waits
            }
            _ => Self::Nothing,
        }
    }
}

impl Planner<'_> {
    /// Judges one account by one control with everything that the plan does so far, and with a
    /// repair that is tried out.
    pub(super) fn judge(
        &self,
        tried: Option<&Candidate>,
        account: AccountId,
        control: &Control,
    ) -> Option<Judged> {
        let finding = self.judge_with(People::AsTheyAre, tried, account, control)?;
        let effect = Effect::of(&finding);
        let asks = tried.is_some_and(Candidate::asks_people) || self.planned.ask_people();
        if effect == Effect::Nothing && asks {
            // The finding may name a chain that somebody else's topic ends, and not the planned one.
            let confirmed = self.judge_with(People::Confirmed, tried, account, control);
            if let Some(finding) = confirmed.filter(|finding| Effect::of(finding) == Effect::Green)
            {
                let effect = Effect::Waits;
                return Some(Judged { effect, finding });
            }
        }
        Some(Judged { effect, finding })
    }

    fn judge_with(
        &self,
        people: People,
        tried: Option<&Candidate>,
        account: AccountId,
        control: &Control,
    ) -> Option<Finding> {
        let planned = self.planned.of(people);
        let changes = tried.map(|candidate| {
            let mut tried = Changes::default();
            let changing = Changing {
                changes: &mut tried,
                seen: self.seen,
                planned: Some(planned),
                people,
            };
            candidate.put_into(changing);
            tried
        });
        let state = PlannedState {
            seen: self.seen,
            planned,
            tried: changes.as_ref(),
        };
        let evaluator = self.evaluators(people).get(&control.id)?;
        let mut evaluation = evaluator.reading(state.reader());
        let finding = evaluation.findings(account).into_iter().next()?;
        if tried.is_some() && finding.status != Status::Pass {
            // What a repair rests on may never have been asked: the chain ended before.
            for request in evaluation.wanted(account) {
                self.seen.wants(request);
            }
        }
        Some(finding)
    }
}
