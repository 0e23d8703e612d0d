//! Performing a question: all its pages, once, into evidence.

use std::panic::AssertUnwindSafe;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use futures::FutureExt;
use serde_json::Value;
use tokio::time::timeout;
use trailproof_core::account::{AccountId, Region};
use trailproof_core::evidence::{Call, ErrorClass, Outcome, Permission, Record, Request, Response};

use super::in_flight::{Asking, InFlight};
use super::key::Key;
use super::recorder::record_of;
use super::refusals::{Leave, Refusals};
use super::session::{Session, Sessions};
use super::stop::Stopped;
use super::territory::Territory;
use super::transport::{End, Transport};
use crate::calls::{Answer, Ask, Failure, Next, Pages};
use crate::outcome::OwnAccount;

/// How long regions take to answer at most that need no connections ahead.
const NEAR: Duration = Duration::from_millis(100);

/// Everything that asking needs.
#[derive(Debug)]
pub(crate) struct Engine {
    pub(crate) transport: Transport,
    pub(crate) sessions: Sessions,
    pub(crate) refusals: Refusals,
    in_flight: InFlight,
    /// The accounts that may be entered.
    pub(crate) territory: Territory,
    /// How the caller's own account was read, once it was.
    own_account: OnceLock<OwnAccount>,
}

impl Engine {
    pub(crate) fn new(transport: Transport, sessions: Sessions, refusals: Refusals) -> Self {
        Self {
            transport,
            sessions,
            refusals,
            in_flight: InFlight::default(),
            territory: Territory::default(),
            own_account: OnceLock::new(),
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
        match self.in_flight.join(key) {
            Asking::Follower(follower) => {
                follower.wait().await;
                self.transport.stop.check()
            }
            // Someone may have asked between the two looks.
            Asking::Leader(_leader) if self.transport.recorder.knows(key) => Ok(()),
            Asking::Leader(_leader) => {
                let mut unseen = |_: &Value| ();
                let asked = AssertUnwindSafe(self.perform(&request, &mut unseen)).catch_unwind();
                match asked.await {
                    Ok(Err(End::Stopped)) => Err(Stopped),
                    // What panicked has recorded nothing: the verdict will say so.
                    Ok(Ok(()) | Err(End::Failed(_) | End::NeverAsked)) | Err(_) => Ok(()),
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
        // An account that cannot be entered was recorded as such; its questions were never asked.
        let session = self.session_for(request.account, &request.call).await?;
        let ask = Ask::Evidence(request.call.clone());
        // The scan's own account is one account, and does not ask in vain for long.
        let mut leave = match session.role() {
            None => None,
            Some(role) => Some(self.leave(role, &session, request, &ask).await?),
        };
        let answer = self.pages(&session, &request.region, &ask, on_page);
        let answered = match &mut leave {
            Some(leave) => leave.until(answer).await,
            None => answer.await,
        };
        match (leave, &answered) {
            (Some(leave), Ok(_)) => leave.settle(Ok(())),
            (Some(leave), Err(End::Failed(failure))) => leave.settle(Err(failure)),
            (Some(_), Err(_)) | (None, _) => {}
        }
        match answered {
            Ok(answer) => {
                self.transport.recorder.answered(request, answer);
                Ok(())
            }
            Err(End::Failed(failure)) => {
                self.transport.tally.failed();
                self.transport.recorder.failed(request, failure.clone());
                Err(failure.into())
            }
            Err(other) => Err(other),
        }
    }

    /// Waits for leave to ask with a role. Whoever waits longer than near regions take to answer has
    /// the connection opened meanwhile: from far ones it would come a second later.
    async fn leave(
        &self,
        role: &Arc<str>,
        session: &Session,
        request: &Request,
        ask: &Ask,
    ) -> Result<Leave<'_>, End> {
        let operation = request.call.operation();
        let leave = self
            .refusals
            .leave(role, request.account, operation, &request.region);
        let leave = self.transport.stop.or(leave);
        tokio::pin!(leave);
        let leave = if let Ok(leave) = timeout(NEAR, &mut leave).await {
            leave
        } else {
            let _opening = self.transport.open_ahead(session, &request.region, ask);
            leave.await
        };
        leave?.ok_or(End::NeverAsked)
    }

    /// The session to ask a question with. The caller's own account is read by a role where one
    /// lets in; what only the caller may ask, about the organization and its members, is asked
    /// with the caller's own credentials.
    pub(crate) async fn session_for(
        &self,
        account: AccountId,
        call: &Call,
    ) -> Result<Arc<Session>, End> {
        let session = self.sessions.of(account);
        let about_others = matches!(call, Call::ListRegions { account: Some(_) });
        let reads = call.operation().definition().permission == Permission::Read && !about_others;
        if account == self.sessions.caller().account && reads {
            return self.own_session().await;
        }
        self.transport.credentials(&session).await?;
        Ok(session)
    }

    /// The session by which the caller's own account is read.
    pub(crate) async fn own_session(&self) -> Result<Arc<Session>, End> {
        if let Some(own) = self.sessions.own() {
            match self.transport.credentials(own).await {
                Ok(_) => {
                    let _ = self.own_account.set(OwnAccount::Role);
                    return Ok(Arc::clone(own));
                }
                // There is no such role, or it does not trust its own account.
                Err(End::Failed(failure)) if failure.error.class == ErrorClass::Denied => {}
                Err(other) => return Err(other),
            }
        }
        let caller = self.sessions.caller();
        self.transport.credentials(caller).await?;
        // Set before only to the same.
        let _ = self.own_account.set(OwnAccount::OwnCredentials);
        Ok(Arc::clone(caller))
    }

    /// How the caller's own account was read, where it was.
    pub(crate) fn own_account(&self) -> Option<OwnAccount> {
        self.own_account.get().copied()
    }

    /// Asks a question and records nothing.
    pub(crate) async fn answer(&self, request: &Request) -> Result<Value, End> {
        let session = self.session_for(request.account, &request.call).await?;
        let ask = Ask::Evidence(request.call.clone());
        let answer = self
            .pages(&session, &request.region, &ask, &mut |_| ())
            .await?;
        Ok(answer.body.into_value())
    }

    /// Asks a question and gives its answer as a record, which evidence does not hold.
    pub(crate) async fn recorded(&self, request: &Request) -> Result<Record, End> {
        let session = self.session_for(request.account, &request.call).await?;
        let ask = Ask::Evidence(request.call.clone());
        let answer = self
            .pages(&session, &request.region, &ask, &mut |_| ())
            .await?;
        let outcome = Outcome::Response(answer.body.into_value());
        Ok(record_of(request, answer.request_id, outcome))
    }

    /// Asks for the first page of an answer and records nothing.
    pub(crate) async fn first_page(&self, request: &Request) -> Result<(), End> {
        let session = self.session_for(request.account, &request.call).await?;
        let ask = Ask::Evidence(request.call.clone());
        let page = self.transport.page(&session, &request.region, &ask, None);
        page.await.map(drop)
    }

    /// Asks something that is not evidence, with the caller's credentials.
    pub(crate) async fn look_up(&self, region: &Region, ask: &Ask) -> Result<Value, End> {
        let caller = self.sessions.caller();
        let answer = self.pages(caller, region, ask, &mut |_| ()).await?;
        Ok(answer.body.into_value())
    }

    async fn pages(
        &self,
        session: &Session,
        region: &Region,
        ask: &Ask,
        on_page: &mut (dyn FnMut(&Value) + Send),
    ) -> Result<Answer<Response>, End> {
        let mut pages = Pages::new(ask);
        let mut token = None;
        loop {
            let answer = self.transport.page(session, region, ask, token).await?;
            on_page(&answer.body);
            match pages.add(answer) {
                Next::Done => return Ok(pages.finish()),
                Next::Page(next) => token = Some(next),
                Next::Endless => return Err(Failure::endless().into()),
                Next::NoAnswer(reason) => return Err(Failure::incomplete(reason).into()),
            }
        }
    }

    /// Enters an account, if that was not done yet. Evidence will hold how it went.
    pub(crate) async fn enter(&self, account: AccountId) -> Result<Entry, Stopped> {
        self.transport.stop.check()?;
        let entered = if account == self.sessions.caller().account {
            self.own_session().await.map(drop)
        } else {
            let session = self.sessions.of(account);
            self.transport.credentials(&session).await.map(drop)
        };
        match entered {
            Ok(()) | Err(End::NeverAsked) => Ok(Entry::Open),
            Err(End::Failed(failure)) => Ok(Entry::Refused(failure)),
            Err(End::Stopped) => Err(Stopped),
        }
    }
}

/// Whether an account could be entered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Entry {
    Open,
    Refused(Failure),
}
