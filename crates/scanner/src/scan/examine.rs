//! One account, from entering it to its verdict.

use std::collections::HashSet;
use std::sync::Arc;

use futures::StreamExt;
use futures::stream::FuturesUnordered;
use tokio::sync::mpsc::UnboundedSender;
use trailproof_core::account::{AccountId, Region};
use trailproof_core::attestation::{self, Attestation};
use trailproof_core::evaluate::inquiry::Inquiry;
use trailproof_core::evaluate::{Evaluation, Evaluator};
use trailproof_core::evidence::{Call, CallError, Request};
use trailproof_core::finding::Status;
use trailproof_core::mute::{Mute, needs_tags};

use super::admission::Pulse;
use crate::engine::{Engine, Entry, Stopped};
use crate::event::{Organization, ScanEvent};
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
    pub(super) attestations: Vec<Attestation>,
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
    pub(super) async fn examine(
        &self,
        account: AccountId,
        pulse: &Pulse,
    ) -> Result<Examined, Stopped> {
        let entry = self.enter(account).await?;
        pulse.beat();
        let refused = match entry {
            Entry::Refused(failure) => Some(failure.error),
            Entry::Open => {
                match self.sweep {
                    Sweep::Full => self.sweep_all(account, pulse).await?,
                    Sweep::Adaptive => self.sweep_until_answered(account, pulse).await?,
                }
                None
            }
        };
        self.follow_up(account, pulse).await?;
        self.engine.sessions.leave(account);
        let (statuses, needs_tags) = self.judge(|evaluation| {
            let statuses = evaluation.statuses(account);
            // Whether a mute by tag may apply takes the finding itself.
            let by_tags = self.mutes.iter().any(Mute::goes_by_tags)
                || self.attestations.iter().any(Attestation::goes_by_tags);
            let needs_tags = by_tags
                && evaluation.findings(account).iter().any(|finding| {
                    needs_tags(&self.mutes, finding)
                        || attestation::needs_tags(&self.attestations, finding)
                });
            evaluation.forget(account);
            (statuses, needs_tags)
        });
        if needs_tags {
            self.engine.ask(self.tags(account)).await?;
        }
        Ok(Examined { statuses, refused })
    }

    /// Enters an account, unless an earlier run did: then it is entered again only if something is
    /// left to ask.
    async fn enter(&self, account: AccountId) -> Result<Entry, Stopped> {
        let refused = self.engine.sessions.is_refused(account);
        if !refused && self.engine.sessions.was_entered(account) {
            return Ok(Entry::Open);
        }
        self.engine.enter(account).await
    }

    /// Asks every enabled region for its trails, all at once, the farthest first.
    async fn sweep_all(&self, account: AccountId, pulse: &Pulse) -> Result<(), Stopped> {
        let mut regions = self.regions.of(account).await?;
        pulse.beat();
        self.engine
            .transport
            .places
            .farthest_first("cloudtrail", &mut regions);
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
            pulse.beat();
            self.tell(ScanEvent::RegionDone { account, region });
        }
        Ok(())
    }

    /// Asks one region after the other until one answers: any of them shows every trail that can
    /// cover the account.
    async fn sweep_until_answered(&self, account: AccountId, pulse: &Pulse) -> Result<(), Stopped> {
        let first = self.regions.everywhere();
        let mut tried: HashSet<Region> = first.iter().cloned().collect();
        for region in first {
            if self.answers(account, region).await? {
                return Ok(());
            }
            pulse.beat();
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
            .reader()
            .trails(account)
            .answered
            .contains(&region);
        self.tell(ScanEvent::RegionDone { account, region });
        Ok(answers)
    }

    /// Asks what the verdict still rests on, until it rests on nothing more.
    async fn follow_up(&self, account: AccountId, pulse: &Pulse) -> Result<(), Stopped> {
        let mut inquiry = Inquiry::about(account);
        loop {
            let wanted = self.judge(|evaluation| inquiry.next(evaluation));
            if wanted.is_empty() {
                return Ok(());
            }
            let mut asked: FuturesUnordered<_> = wanted
                .into_iter()
                .map(|request| self.ask(account, request))
                .collect();
            while let Some(result) = asked.next().await {
                result?;
                pulse.beat();
            }
        }
    }

    /// Asks for an account, with the credentials of whichever account may be asked.
    async fn ask(&self, account: AccountId, request: Request) -> Result<(), Stopped> {
        if request.account != account {
            if !self.engine.may_enter(request.account).await? {
                return Ok(());
            }
            self.engine.sessions.of(request.account).share();
        }
        self.engine.ask(request).await
    }

    /// Tells which organization it is.
    pub(super) fn tell_of_organization(&self) {
        let organization = {
            let evidence = self.engine.transport.recorder.evidence();
            evidence
                .reader()
                .organization()
                .map(|organization| Organization {
                    id: organization.id.clone(),
                    management: organization.management_account,
                })
        };
        self.tell(ScanEvent::Organization(organization));
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

fn trails(account: AccountId, region: &Region) -> Request {
    Request {
        account,
        region: region.clone(),
        call: Call::DescribeTrails {
            include_shadow_trails: true,
        },
    }
}
