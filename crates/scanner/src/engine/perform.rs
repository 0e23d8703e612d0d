//! Performing a question: all its pages, once, into evidence.

use std::panic::AssertUnwindSafe;

use futures::FutureExt;
use serde_json::Value;
use trailproof_core::account::{AccountId, Region};
use trailproof_core::evidence::{Call, Request};

use super::flight::{Flights, Place};
use super::key::Key;
use super::session::{Session, Sessions};
use super::stop::Stopped;
use super::transport::{End, Transport};
use crate::calls::{Answer, Ask, Failure, Next, Pages};

/// Everything that asking needs.
#[derive(Debug)]
pub(crate) struct Engine {
    pub(crate) transport: Transport,
    pub(crate) sessions: Sessions,
    flights: Flights,
}

impl Engine {
    pub(crate) fn new(transport: Transport, sessions: Sessions) -> Self {
        Self {
            transport,
            sessions,
            flights: Flights::default(),
        }
    }

    /// Whether a question has its final answer.
    pub(crate) fn knows(&self, request: &Request) -> bool {
        self.transport.recorder.knows(Key::of_request(request))
    }

    /// Sees to it that evidence holds the answer to a question, or why there is none. When the
    /// account cannot be entered, that is what evidence will hold instead.
    pub(crate) async fn ask(&self, request: Request) -> Result<(), Stopped> {
        let key = Key::of_request(&request);
        if self.transport.recorder.knows(key) {
            self.transport.tally.reused();
            return Ok(());
        }
        self.transport.stop.check()?;
        match self.flights.board(key) {
            Place::Passenger(passenger) => {
                passenger.land().await;
                self.transport.stop.check()
            }
            // Someone may have landed between the two looks.
            Place::Pilot(_seat) if self.transport.recorder.knows(key) => Ok(()),
            Place::Pilot(_seat) => {
                let mut unseen = |_: &Value| ();
                let asked = AssertUnwindSafe(self.perform(&request, &mut unseen)).catch_unwind();
                match asked.await {
                    Ok(Err(End::Stopped)) => Err(Stopped),
                    // What panicked has recorded nothing: the verdict will say so.
                    Ok(Ok(()) | Err(End::Failed(_))) | Err(_) => Ok(()),
                }
            }
        }
    }

    /// Asks, records the answer, and shows each page of it as it arrives.
    pub(crate) async fn fetch(
        &self,
        request: &Request,
        on_page: &mut (dyn FnMut(&Value) + Send),
    ) -> Result<(), End> {
        self.perform(request, on_page).await
    }

    async fn perform(
        &self,
        request: &Request,
        on_page: &mut (dyn FnMut(&Value) + Send),
    ) -> Result<(), End> {
        let session = self.sessions.of(request.account);
        // An account that cannot be entered was recorded as such; its questions were never asked.
        self.transport.credentials(&session).await?;
        let ask = Ask::Evidence(request.call.clone());
        match self.pages(&session, &request.region, &ask, on_page).await {
            Ok(answer) => {
                self.transport.recorder.answered(request, answer);
                Ok(())
            }
            Err(End::Failed(failure)) => {
                self.transport.tally.failed();
                self.transport.recorder.failed(request, failure.clone());
                Err(failure.into())
            }
            Err(End::Stopped) => Err(End::Stopped),
        }
    }

    /// Asks a question and records nothing.
    pub(crate) async fn answer(&self, request: &Request) -> Result<Value, End> {
        let session = self.sessions.of(request.account);
        let ask = Ask::Evidence(request.call.clone());
        let answer = self
            .pages(&session, &request.region, &ask, &mut |_| ())
            .await?;
        Ok(answer.body)
    }

    /// Asks something that is not evidence, with the caller's credentials.
    pub(crate) async fn look_up(&self, region: &Region, ask: &Ask) -> Result<Value, End> {
        let caller = self.sessions.caller();
        let answer = self.pages(caller, region, ask, &mut |_| ()).await?;
        Ok(answer.body)
    }

    async fn pages(
        &self,
        session: &Session,
        region: &Region,
        ask: &Ask,
        on_page: &mut (dyn FnMut(&Value) + Send),
    ) -> Result<Answer, End> {
        let mut pages = Pages::new(ask);
        let mut token = None;
        loop {
            let answer = self.transport.page(session, region, ask, token).await?;
            on_page(&answer.body);
            match pages.add(answer) {
                Next::Done => return Ok(pages.finish()),
                Next::Page(next) => token = Some(next),
                Next::Loop => return Err(Failure::endless().into()),
                Next::NoAnswer(reason) => return Err(Failure::incomplete(reason).into()),
            }
        }
    }

    /// Enters an account, if that was not done yet. Evidence will hold how it went.
    pub(crate) async fn enter(&self, account: AccountId) -> Result<Entry, Stopped> {
        self.transport.stop.check()?;
        let session = self.sessions.of(account);
        match self.transport.credentials(&session).await {
            Ok(_) => Ok(Entry::Open),
            Err(End::Failed(failure)) => Ok(Entry::Refused(failure)),
            Err(End::Stopped) => Err(Stopped),
        }
    }

    /// Whether evidence says how entering an account went.
    pub(crate) fn was_entered(&self, account: AccountId) -> bool {
        self.knows(&Request {
            account: self.sessions.caller().account,
            region: self.transport.region.clone(),
            call: Call::AssumeRole {
                role_arn: self.sessions.role_arn(account),
            },
        })
    }
}

/// Whether an account could be entered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Entry {
    Open,
    Refused(Failure),
}
