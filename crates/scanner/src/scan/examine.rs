//! One account, from entering it to its verdict.

use std::collections::HashSet;
use std::sync::Arc;

use futures::StreamExt;
use futures::stream::FuturesUnordered;
use tokio::sync::mpsc::UnboundedSender;
use trailproof_core::account::{AccountId, Region};
use trailproof_core::evaluate::{Evaluation, Evaluator};
use trailproof_core::evidence::{Call, CallError, Request};
use trailproof_core::finding::{Finding, Status};
use trailproof_core::mute::{Mute, needs_tags};

use crate::engine::{Engine, Entry, Stopped};
use crate::event::ScanEvent;
use crate::outcome::Caller;
use crate::plan::Sweep;
use crate::regions::Regions;

/// What examining any account needs.
#[derive(Debug)]
pub(super) struct Examination {
    pub(super) engine: Arc<Engine>,
    pub(super) regions: Arc<Regions>,
    pub(super) sweep: Sweep,
    /// Kept for the whole run, because it remembers what it decided about patterns.
    pub(super) evaluator: Evaluator,
    /// Who asks about the organization.
    pub(super) caller: Caller,
    pub(super) mutes: Vec<Mute>,
    pub(super) events: UnboundedSender<ScanEvent>,
}

/// How an account turned out.
#[derive(Debug)]
pub(super) struct Examined {
    pub(super) statuses: Vec<Status>,
    /// Why it could not be entered.
    pub(super) refused: Option<CallError>,
}

impl Examination {
    /// Asks everything that the verdict of an account needs.
    pub(super) async fn examine(&self, account: AccountId) -> Result<Examined, Stopped> {
        let refused = match self.enter(account).await? {
            Entry::Refused(failure) => Some(failure.error),
            Entry::Open => {
                match self.sweep {
                    Sweep::Full => self.sweep_all(account).await?,
                    Sweep::Adaptive => self.sweep_until_answered(account).await?,
                }
                None
            }
        };
        let findings = self.follow_up(account).await?;
        self.engine.sessions.leave(account);
        if findings
            .iter()
            .any(|finding| needs_tags(&self.mutes, finding))
        {
            self.engine.ask(self.tags(account)).await?;
        }
        Ok(Examined {
            statuses: findings.iter().map(|finding| finding.status).collect(),
            refused,
        })
    }

    /// Enters an account, unless an earlier run did: then it is entered again only if something is
    /// left to ask.
    async fn enter(&self, account: AccountId) -> Result<Entry, Stopped> {
        let refused = self.engine.sessions.is_refused(account);
        if !refused && self.engine.was_entered(account) {
            return Ok(Entry::Open);
        }
        self.engine.enter(account).await
    }

    /// Asks every enabled region for its trails, all at once.
    async fn sweep_all(&self, account: AccountId) -> Result<(), Stopped> {
        let regions = self.regions.of(account).await?;
        self.tell(ScanEvent::RegionsFound {
            account,
            regions: regions.len(),
        });
        let mut asked: FuturesUnordered<_> = regions
            .into_iter()
            .map(|region| async move {
                let result = self.engine.ask(trails(account, &region)).await;
                (region, result)
            })
            .collect();
        while let Some((region, result)) = asked.next().await {
            result?;
            self.tell(ScanEvent::RegionDone { account, region });
        }
        Ok(())
    }

    /// Asks one region after the other until one answers: any of them shows every trail that can
    /// cover the account.
    async fn sweep_until_answered(&self, account: AccountId) -> Result<(), Stopped> {
        let first = self.regions.everywhere();
        let mut tried: HashSet<Region> = first.iter().cloned().collect();
        for region in first {
            if self.answers(account, region).await? {
                return Ok(());
            }
        }
        // Only regions that had to be enabled are left.
        for region in self.regions.of(account).await? {
            if tried.insert(region.clone()) && self.answers(account, region).await? {
                return Ok(());
            }
        }
        Ok(())
    }

    async fn answers(&self, account: AccountId, region: Region) -> Result<bool, Stopped> {
        self.tell(ScanEvent::RegionsFound {
            account,
            regions: 1,
        });
        self.engine.ask(trails(account, &region)).await?;
        let answers = self
            .engine
            .transport
            .recorder
            .evidence()
            .trails(account)
            .answered
            .contains(&region);
        self.tell(ScanEvent::RegionDone { account, region });
        Ok(answers)
    }

    /// Asks what the verdict still rests on, until it rests on nothing more.
    async fn follow_up(&self, account: AccountId) -> Result<Vec<Finding>, Stopped> {
        let mut questions = Questions::default();
        loop {
            let judged = self.judge(|evaluation| {
                let wanted = evaluation.wanted(account);
                let open = questions.next(wanted, |request| self.engine.knows(request));
                open.ok_or_else(|| {
                    let findings = evaluation.findings(account);
                    evaluation.forget(account);
                    findings
                })
            });
            let open = match judged {
                Ok(open) => open,
                Err(findings) => return Ok(findings),
            };
            let mut asked: FuturesUnordered<_> = open
                .into_iter()
                .map(|request| {
                    if request.account != account {
                        self.engine.sessions.of(request.account).share();
                    }
                    self.engine.ask(request)
                })
                .collect();
            while let Some(result) = asked.next().await {
                result?;
            }
        }
    }

    /// The question for an account's tags, which its organization answers.
    fn tags(&self, account: AccountId) -> Request {
        Request {
            account: self.caller.account,
            region: self.caller.region.clone(),
            call: Call::ListTagsForResource { account },
        }
    }

    /// Judges the evidence as it is now.
    fn judge<T>(&self, judgement: impl FnOnce(&mut Evaluation<'_>) -> T) -> T {
        let evidence = self.engine.transport.recorder.evidence();
        judgement(&mut self.evaluator.on(&evidence))
    }

    fn tell(&self, event: ScanEvent) {
        // The receiver lives as long as the run.
        let _ = self.events.send(event);
    }
}

/// The questions of one account so far.
#[derive(Debug, Default)]
struct Questions(HashSet<Request>);

impl Questions {
    /// Which of the wanted questions to ask before judging again; `None` when judging again would
    /// want nothing new. What was wanted before and did not become known rests on an account that
    /// cannot be entered; asking again would not help.
    ///
    /// A question that is wanted and known already was answered for somebody else since the
    /// judgement was made. It is not asked, and the judgement is out of date.
    fn next(
        &mut self,
        wanted: Vec<Request>,
        knows: impl Fn(&Request) -> bool,
    ) -> Option<Vec<Request>> {
        let mut new = wanted;
        new.retain(|request| self.0.insert(request.clone()));
        if new.is_empty() {
            return None;
        }
        new.retain(|request| !knows(request));
        Some(new)
    }
}

fn trails(account: AccountId, region: &Region) -> Request {
    Request {
        account,
        region: region.clone(),
        call: Call::DescribeTrails {
            include_shadow_trails: true,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_somebody_else_asked_meanwhile_is_judged_again() {
        let [one, other] = ["eu-west-1", "eu-west-2"]
            .map(|region| trails("111111111111".parse().unwrap(), &Region::new(region)));
        let both = || vec![one.clone(), other.clone()];
        let mut questions = Questions::default();
        // Answered between the judgement and the look at what is known.
        assert_eq!(questions.next(vec![one.clone()], |_| true), Some(vec![]));
        assert_eq!(questions.next(both(), |_| false), Some(vec![other.clone()]));
        // Asked, and still wanted: no answer will come.
        assert_eq!(questions.next(both(), |_| false), None);
        assert_eq!(questions.next(Vec::new(), |_| false), None);
    }
}
