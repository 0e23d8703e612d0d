//! Three-valued judgements of single links, and how they add up along a chain.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::Value;

use crate::account::{AccountId, Region};
use crate::evidence::Request;
use crate::finding::{LinkName, Observation, Status};
use crate::observation::ObservationKind;

/// The two measures that every chain is held against.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Yardstick {
    /// The benchmark's audit steps, to the letter.
    Cis,
    /// Would the message arrive?
    Effective,
}

impl Yardstick {
    pub(super) const ALL: [Self; 2] = [Self::Effective, Self::Cis];
}

/// A reason code: why a link is broken or cannot be judged. The codes are a contract.
#[derive(Debug, PartialEq, Eq)]
pub struct Reason {
    /// `LINK.what`.
    pub code: &'static str,
    /// FAIL or UNKNOWN.
    pub status: Status,
    /// What it means, in a sentence.
    pub meaning: &'static str,
    /// What a person should do about it, in a sentence.
    pub remedy: &'static str,
}

/// Why a link is not proved.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Cause {
    pub(super) reason: &'static Reason,
    /// What was seen, in a sentence a person understands.
    pub(super) message: Arc<str>,
    /// An event that shows it.
    pub(super) witness: Option<Arc<Value>>,
}

impl Cause {
    pub(super) fn new(reason: &'static Reason, message: impl Into<Arc<str>>) -> Self {
        Self {
            reason,
            message: message.into(),
            witness: None,
        }
    }
}

/// What one yardstick says of one link.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Verdict {
    /// The yardstick does not ask for this link.
    NotAsked,
    /// Proved.
    Proved,
    /// Could not be seen.
    Unseen(Cause),
    /// Broken, whatever else is true.
    Broken(Cause),
}

impl Verdict {
    /// Broken or unseen, as the reason's own status says.
    pub(super) fn because(cause: Cause) -> Self {
        if cause.reason.status == Status::Fail {
            Self::Broken(cause)
        } else {
            Self::Unseen(cause)
        }
    }

    pub(super) fn cause(&self) -> Option<&Cause> {
        match self {
            Self::NotAsked | Self::Proved => None,
            Self::Unseen(cause) | Self::Broken(cause) => Some(cause),
        }
    }

    /// The worse of two, the first one where they are equally bad.
    #[must_use]
    pub(super) fn or_worse(self, other: Self) -> Self {
        if other.standing() < self.standing() {
            other
        } else {
            self
        }
    }

    pub(super) fn standing(&self) -> Standing {
        match self {
            Self::NotAsked | Self::Proved => Standing::Proved,
            Self::Unseen(_) => Standing::Possible,
            Self::Broken(_) => Standing::Broken,
        }
    }
}

/// How far something is from being proved. The better one is the greater one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Standing {
    Broken,
    Possible,
    Proved,
}

/// One link of a chain as both yardsticks judge it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Step {
    pub(super) link: LinkName,
    pub(super) cis: Verdict,
    pub(super) effective: Verdict,
    pub(super) resource: Option<Arc<str>>,
    pub(super) account: Option<AccountId>,
    pub(super) region: Option<Region>,
    /// What was seen where it is as it should be.
    pub(super) detail: Arc<str>,
    pub(super) observations: Vec<Arc<Observation>>,
    pub(super) observed_at: Option<Timestamp>,
    /// The calls, never made, that may change the judgement.
    pub(super) wants: Vec<Request>,
    /// Whether the wanted calls are worth making only when nothing else is open.
    pub(super) last: bool,
    /// Calls, never made, that no verdict rests on: a person should know what they show, so they
    /// are made where everything else is proved.
    pub(super) worth_asking: Vec<Request>,
}

impl Step {
    pub(super) fn new(link: LinkName) -> Self {
        Self {
            link,
            cis: Verdict::Proved,
            effective: Verdict::Proved,
            resource: None,
            account: None,
            region: None,
            detail: Arc::default(),
            observations: Vec::new(),
            observed_at: None,
            wants: Vec::new(),
            last: false,
            worth_asking: Vec::new(),
        }
    }

    pub(super) fn on(
        mut self,
        resource: impl Into<Arc<str>>,
        account: Option<AccountId>,
        region: Option<Region>,
    ) -> Self {
        self.resource = Some(resource.into());
        self.account = account;
        self.region = region;
        self
    }

    pub(super) fn seen(mut self, at: Option<Timestamp>) -> Self {
        self.observed_at = self.observed_at.max(at);
        self
    }

    pub(super) fn detail(mut self, text: impl Into<Arc<str>>) -> Self {
        self.detail = text.into();
        self
    }

    /// Judges by both yardsticks.
    pub(super) fn because(mut self, cause: Cause) -> Self {
        self.cis = Verdict::because(cause.clone());
        self.effective = Verdict::because(cause);
        self
    }

    /// Judges by the effective yardstick alone.
    pub(super) fn effective(mut self, verdict: Verdict) -> Self {
        self.effective = verdict;
        self
    }

    /// Judges by the benchmark alone.
    pub(super) fn cis(mut self, verdict: Verdict) -> Self {
        self.cis = verdict;
        self
    }

    pub(super) fn wanting(mut self, wants: impl IntoIterator<Item = Request>) -> Self {
        self.wants.extend(wants);
        self
    }

    pub(super) fn observe(
        mut self,
        kind: &'static ObservationKind,
        message: impl Into<String>,
    ) -> Self {
        self.observations.push(Arc::new(kind.observation(message)));
        self
    }

    pub(super) fn verdict(&self, yardstick: Yardstick) -> &Verdict {
        match yardstick {
            Yardstick::Cis => &self.cis,
            Yardstick::Effective => &self.effective,
        }
    }

    /// The standing, where a break that an unmade call may mend counts as open.
    pub(super) fn open_standing(&self, yardstick: Yardstick) -> Standing {
        let standing = self.verdict(yardstick).standing();
        if standing == Standing::Broken && !self.wants.is_empty() {
            Standing::Possible
        } else {
            standing
        }
    }
}

/// Links in order. Judged by the worst of them.
pub(super) type Chain = Vec<Arc<Step>>;

pub(super) fn standing(chain: &[Arc<Step>], yardstick: Yardstick) -> Standing {
    chain
        .iter()
        .map(|step| step.verdict(yardstick).standing())
        .min()
        .unwrap_or(Standing::Proved)
}

pub(super) fn open_standing(chain: &[Arc<Step>], yardstick: Yardstick) -> Standing {
    chain
        .iter()
        .map(|step| step.open_standing(yardstick))
        .min()
        .unwrap_or(Standing::Proved)
}

/// The link that decides: the first broken one of a broken chain, the first unseen one of a
/// possible chain.
pub(super) fn decisive(chain: &[Arc<Step>], yardstick: Yardstick) -> Option<&Arc<Step>> {
    let standing = standing(chain, yardstick);
    if standing == Standing::Proved {
        return None;
    }
    chain
        .iter()
        .find(|step| step.verdict(yardstick).standing() == standing)
}

/// Which of two chains to show: the one that is closer to proved, then the one that got further.
pub(super) fn rank(chain: &[Arc<Step>], yardstick: Yardstick) -> (Standing, LinkName) {
    (
        standing(chain, yardstick),
        decisive(chain, yardstick).map_or(LinkName::Subscription, |step| step.link),
    )
}

/// The next calls to make for a chain: those of the first open link, in order.
pub(super) fn wants(chain: &[Arc<Step>], yardstick: Yardstick) -> Vec<Request> {
    if open_standing(chain, yardstick) != Standing::Possible {
        return Vec::new();
    }
    let open = || {
        chain.iter().filter(|step| {
            !step.wants.is_empty() && step.open_standing(yardstick) == Standing::Possible
        })
    };
    open()
        .find(|step| !step.last)
        .or_else(|| open().next())
        .map(|step| step.wants.clone())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    static REASON: Reason = Reason {
        code: "alarm.none",
        status: Status::Fail,
        meaning: "",
        remedy: "",
    };

    /// Which of two equally bad verdicts is told must not hang on how they are compared.
    #[test]
    fn of_two_that_are_equally_bad_the_first_stands() {
        let cause = |message: &'static str| Cause::new(&REASON, message);
        let [one, other] = ["one", "other"].map(|message| Verdict::Broken(cause(message)));
        let unseen = Verdict::Unseen(cause("unseen"));
        for (first, second, worse) in [
            (&one, &other, &one),
            (&other, &one, &other),
            (&one, &unseen, &one),
            (&unseen, &one, &one),
            (&Verdict::Proved, &unseen, &unseen),
            (&unseen, &Verdict::Proved, &unseen),
        ] {
            assert_eq!(first.clone().or_worse(second.clone()), *worse);
        }
    }
}
