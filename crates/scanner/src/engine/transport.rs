//! Sending one request as often as it takes: pace, cap, renewal of credentials, retries.
//!
//! Retries are made here and not by the SDK, so that they can be counted, slow down only the one
//! account, region and family of operations that was throttled, and hold no place among the calls
//! in flight while they wait.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use aws_credential_types::Credentials;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use futures::future::BoxFuture;
use jiff::Timestamp;
use tokio::time::Instant;
use trailproof_core::account::Region;
use trailproof_core::evidence::{Call, ErrorClass, Request};

use super::budget::{Budget, MAX_RENEWALS};
use super::endpoints::Endpoints;
use super::key::Key;
use super::places::{Place, Places};
use super::recorder::Recorder;
use super::roles::Role;
use super::session::{Held, Session, Source};
use super::stop::{Stop, Stopped};
use super::tally::Tally;
use crate::calls::{Answer, Ask, Clients, Entered, Failure, RetryAdvice, Target};
use crate::clock;
use crate::connection::ahead::{self, Opening};
use crate::connection::unsendable;
use crate::event::{Warning, WarningCode};
use crate::permissions::{Limit, SessionForm};

/// What gives the scan its credentials, among the endpoints that may be out of reach.
const CREDENTIALS: &str = "the source of credentials";

/// How much later than its turn a call may be made: less than the time in which quotas allow
/// another one.
const LATE: Duration = Duration::from_millis(20);

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum End {
    /// AWS, or the way to it, failed to the end of the retry budget.
    Failed(Failure),
    /// The run is ending.
    Stopped,
    /// It was refused wherever it was asked, and is not asked any more.
    NeverAsked,
}

impl From<Failure> for End {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl From<Stopped> for End {
    fn from(_: Stopped) -> Self {
        Self::Stopped
    }
}

/// The way to AWS that all accounts share.
#[derive(Debug)]
pub(crate) struct Transport {
    pub(crate) clients: Clients,
    /// The calls in flight.
    pub(crate) places: Places,
    pub(crate) stop: Stop,
    pub(crate) tally: Tally,
    pub(crate) recorder: Recorder,
    pub(crate) warnings: tokio::sync::mpsc::UnboundedSender<Warning>,
    endpoints: Endpoints,
    /// How often a request that fails is tried, where somebody set that.
    max_attempts: Option<u32>,
    /// Where roles are assumed.
    pub(crate) region: Region,
    /// What limits the sessions of roles.
    pub(crate) limits: Limits,
}

/// What limits sessions: the first way, until it is known to be too large.
#[derive(Debug)]
pub(crate) struct Limits {
    ways: Vec<(SessionForm, Limit)>,
    too_large: AtomicBool,
}

impl Limits {
    pub(crate) fn new(ways: Vec<(SessionForm, Limit)>) -> Self {
        Self {
            ways,
            too_large: AtomicBool::new(false),
        }
    }
}

impl Transport {
    pub(crate) fn new(
        clients: Clients,
        region: Region,
        places: Places,
        max_attempts: Option<u32>,
        recorder: Recorder,
        warnings: tokio::sync::mpsc::UnboundedSender<Warning>,
        limits: Limits,
    ) -> Self {
        Self {
            clients,
            places,
            stop: Stop::default(),
            tally: Tally::default(),
            recorder,
            warnings,
            endpoints: Endpoints::default(),
            max_attempts,
            region,
            limits,
        }
    }

    /// One page of an answer.
    pub(crate) async fn page(
        &self,
        session: &Session,
        region: &Region,
        ask: &Ask,
        token: Option<String>,
    ) -> Result<Answer, End> {
        let page = |target: Target| {
            let token = token.clone();
            async move { self.clients.page(&target, ask, token).await }
        };
        self.send(session, region, ask, page).await
    }

    /// Opens the connection that a question needs, as far as that takes no leave: nothing is sent.
    pub(crate) fn open_ahead<'a>(
        &'a self,
        session: &Session,
        region: &Region,
        ask: &'a Ask,
    ) -> Option<Opening<'a>> {
        if self.places.are_few() {
            return None;
        }
        let target = Target {
            region: region.clone(),
            credentials: session.at_hand()?,
        };
        ahead::open(async move {
            // It never comes that far.
            let _ = self.clients.page(&target, ask, None).await;
        })
    }

    /// Sends a request until it is answered or that is no use any more. What is sent is told anew
    /// for each attempt.
    pub(crate) async fn send<T, F>(
        &self,
        session: &Session,
        region: &Region,
        ask: &Ask,
        request: impl Fn(Target) -> F + Send + Sync,
    ) -> Result<T, End>
    where
        F: Future<Output = Result<T, Failure>> + Send,
    {
        let service = ask.name().split(':').next().unwrap_or_default();
        let mut budget = Budget::new(self.max_attempts);
        loop {
            let (credentials, place) = self.turn(session, service, region, ask).await?;
            let target = Target {
                region: region.clone(),
                credentials,
            };
            let used = target.credentials.clone();
            let sent = Instant::now();
            self.tally.sent(ask.name());
            let answer = request(target).await;
            drop(place);
            let failure = match answer {
                Ok(received) => {
                    session.pacer.succeeded(region, ask);
                    self.places.answered(service, region, sent.elapsed());
                    self.endpoints.answered(service, region);
                    return Ok(received);
                }
                Err(failure) => failure.in_region(region),
            };
            if failure.advice == RetryAdvice::Reconnect {
                let outage = self.endpoints.failed(service, region, Instant::now());
                if outage.new {
                    self.warn_of_outage(service, region, &failure);
                }
                if outage.hopeless {
                    return Err(failure.into());
                }
            } else {
                self.endpoints.answered(service, region);
            }
            if failure.advice == RetryAdvice::SlowDown {
                self.tally.throttled();
                session.pacer.throttled(region, ask, sent);
            }
            let Some(pause) = budget.pause(&failure, Instant::now()) else {
                return Err(failure.into());
            };
            if matches!(failure.advice, RetryAdvice::Renew | RetryAdvice::RenewOnce) {
                session.forget(&used).await;
            }
            tracing::debug!(
                operation = ask.name(), account = %session.account, %region,
                code = failure.error.code, ?pause, "asking again"
            );
            self.tally.retried();
            self.stop.sleep_until(Instant::now() + pause).await?;
        }
    }

    /// A turn within the quota, and a place among the calls in flight. Whoever waited long for a
    /// place takes another turn: others did the same, and would all call at this moment.
    async fn turn(
        &self,
        session: &Session,
        service: &'static str,
        region: &Region,
        ask: &Ask,
    ) -> Result<(Credentials, Place<'_>), End> {
        let mut turn = session.pacer.reserve(region, ask);
        loop {
            self.stop.sleep_until(turn).await?;
            let ready = self.ready(session, service, region, ask).await?;
            if turn.elapsed() <= LATE {
                return Ok(ready);
            }
            turn = session.pacer.reserve(region, ask);
            if turn <= Instant::now() {
                return Ok(ready);
            }
        }
    }

    /// A place among the calls in flight, and credentials that are good now: they may have
    /// expired while the place was waited for. A place is never held while renewing, which needs
    /// one, too.
    async fn ready(
        &self,
        session: &Session,
        service: &'static str,
        region: &Region,
        ask: &Ask,
    ) -> Result<(Credentials, Place<'_>), End> {
        let mut renewals = 0;
        loop {
            let credentials = self.credentials(session).await?;
            let place = match ask {
                Ask::Evidence(Call::ListAccounts) => self.places.take_for_listing().await,
                _ => self.places.take(service, region).await,
            };
            self.stop.check()?;
            // Credentials that never last until their turn are tried in the end.
            if renewals == MAX_RENEWALS || session.holds(&credentials, clock::now()) {
                return Ok((credentials, place));
            }
            renewals += 1;
        }
    }

    fn warn_of_outage(&self, service: &str, region: &Region, failure: &Failure) {
        // Nobody listens once the run is over.
        let _ = self.warnings.send(Warning {
            code: WarningCode::EndpointDown,
            message: format!(
                "cannot reach {service} in {region} at the moment: {}",
                failure.error.message
            ),
        });
    }

    /// Credentials of an account that are good for a while. Whoever comes first gets them; the
    /// others wait.
    pub(crate) async fn credentials(&self, session: &Session) -> Result<Credentials, End> {
        let mut held = session.held.lock().await;
        let now = clock::now();
        match &*held {
            Held::Credentials {
                credentials,
                renew_at,
            } if renew_at.is_none_or(|renew_at| now < renew_at) => {
                return Ok(credentials.clone());
            }
            Held::Refused(failure) => return Err(failure.clone().into()),
            Held::Credentials { .. } | Held::Nothing => {}
        }
        match &session.source {
            Source::Connection(provider) => {
                let credentials = self.provided(provider).await?;
                let expires_at = credentials
                    .expiry()
                    .and_then(|expiry| Timestamp::try_from(expiry).ok());
                *held = Held::credentials(credentials.clone(), expires_at, now);
                Ok(credentials)
            }
            Source::Roles {
                roles,
                via,
                entered_by,
            } => self.enter(roles, entered_by, via, &mut held).await,
        }
    }

    /// The credentials of the scan's own connection. Whoever gives them is waited for like any
    /// endpoint: with the credentials, everything would end.
    async fn provided(&self, provider: &SharedCredentialsProvider) -> Result<Credentials, End> {
        let mut budget = Budget::new(self.max_attempts);
        loop {
            let failure = match provider.provide_credentials().await {
                Ok(credentials) => {
                    self.endpoints.answered(CREDENTIALS, &self.region);
                    match unsendable(&credentials) {
                        None => return Ok(credentials),
                        Some(part) => Failure::unusable_credentials(part),
                    }
                }
                Err(error) => Failure::no_credentials(&error),
            };
            if failure.advice == RetryAdvice::Reconnect {
                let outage = self
                    .endpoints
                    .failed(CREDENTIALS, &self.region, Instant::now());
                if outage.new {
                    self.warn_of_outage(CREDENTIALS, &self.region, &failure);
                }
                if outage.hopeless {
                    return Err(failure.into());
                }
            }
            let Some(pause) = budget.pause(&failure, Instant::now()) else {
                return Err(failure.into());
            };
            self.tally.retried();
            self.stop.sleep_until(Instant::now() + pause).await?;
        }
    }

    /// Assumes the first role that lets in, and records how each attempt went before anyone can
    /// act on it.
    async fn enter(
        &self,
        roles: &[Role],
        entered_by: &OnceLock<usize>,
        via: &Session,
        held: &mut Held,
    ) -> Result<Credentials, End> {
        let mut refused = None;
        for (place, role) in roles.iter().enumerate() {
            if entered_by.get().is_some_and(|entered| *entered != place) {
                continue;
            }
            let request = Request {
                account: via.account,
                region: self.region.clone(),
                call: Call::AssumeRole {
                    role_arn: role.arn.clone(),
                },
            };
            // A renewal says nothing new.
            let first = !self.recorder.knows(Key::of_request(&request));
            match self.assume(role, via).await {
                Ok((form, entered)) => {
                    if first {
                        self.recorder.answered(&request, entered.answer);
                        self.tally.entered(&role.template, form);
                    }
                    // Set before only to the same place.
                    let _ = entered_by.set(place);
                    *held = Held::credentials(
                        entered.credentials.clone(),
                        entered.expires_at,
                        clock::now(),
                    );
                    return Ok(entered.credentials);
                }
                Err(End::Failed(failure)) => {
                    if first {
                        self.tally.failed();
                        self.recorder.failed(&request, failure.clone());
                        *held = Held::Refused(failure.clone());
                    }
                    // Another role is behind the same endpoint.
                    let out_of_reach = matches!(
                        failure.error.class,
                        ErrorClass::Unavailable | ErrorClass::Throttled
                    );
                    if out_of_reach || !first {
                        return Err(failure.into());
                    }
                    refused = Some(failure);
                }
                Err(other) => return Err(other),
            }
        }
        // Every account has at least one role.
        Err(refused.unwrap_or_else(Failure::no_role).into())
    }

    /// Assumes a role with its session limited. Never without a limit, unless none is wanted.
    async fn assume(&self, role: &Role, via: &Session) -> Result<(SessionForm, Entered), End> {
        let Limits { ways, too_large } = &self.limits;
        let mut last = None;
        for (place, (form, limit)) in ways.iter().enumerate() {
            // What is inherited is the same for every session of the run.
            if place == 0 && ways.len() > 1 && too_large.load(Ordering::Relaxed) {
                continue;
            }
            match self.assume_limited(role, via, limit).await {
                Ok(entered) => return Ok((*form, entered)),
                Err(End::Failed(failure)) if failure.is_policy_too_large() => {
                    too_large.store(true, Ordering::Relaxed);
                    last = Some(failure);
                }
                Err(other) => return Err(other),
            }
        }
        Err(last.unwrap_or_else(Failure::no_role).into())
    }

    /// Boxed, because sending needs credentials, and getting credentials needs sending.
    fn assume_limited<'a>(
        &'a self,
        role: &'a Role,
        via: &'a Session,
        limit: &'a Limit,
    ) -> BoxFuture<'a, Result<Entered, End>> {
        Box::pin(async move {
            let ask = Ask::Evidence(Call::AssumeRole {
                role_arn: role.arn.clone(),
            });
            let enter = |target: Target| async move {
                self.clients.assume_role(&target, role, limit).await
            };
            self.send(via, &self.region, &ask, enter).await
        })
    }
}
