//! The way into accounts for those who are not a scan: single questions, asked afresh, and requests
//! of their own.
//!
//! Credentials, roles, pacing and retries are the scan's own. What is asked here is not evidence
//! of any run, and no answer is remembered.

use std::collections::{BTreeSet, HashSet};
use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use serde_json::Value;
use trailproof_core::account::{AccountId, Region};
use trailproof_core::evidence::{CallError, ErrorClass, Evidence, Outcome, Record, Request};

use crate::caller::Connected;
use crate::calls::{Ask, Failure, Received, RegionalClients, ServiceCall, Target, typed};
use crate::connection::ConnectOptions;
use crate::discovery::{Discovery, DiscoveryEnd};
use crate::engine::{End, Engine, KnownRoles, Recorder, Session, record_of};
use crate::error::ScanError;
use crate::outcome::Caller;
use crate::plan::{AccountFilter, Scope};
use crate::roles::RoleSettings;

/// A connection that can enter accounts.
#[derive(Debug, Clone)]
pub struct Access {
    engine: Arc<Engine>,
    caller: Caller,
}

/// A request that has no answer that says it was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallFailure {
    /// What AWS said in the end.
    pub error: CallError,
    /// Whether it may have been done all the same: an answer was lost, not the question.
    pub uncertain: bool,
}

impl Access {
    /// Connects and finds out who is calling.
    pub async fn connect(
        options: &ConnectOptions,
        role: &RoleSettings,
        concurrency: usize,
    ) -> Result<Self, ScanError> {
        role.check()?;
        let concurrency = options.connections.calls_at_once(concurrency);
        let connection = Connected::open(options, role).await?;
        let caller = connection.caller.clone();
        let recorder = Recorder::new(Evidence::default(), HashSet::new(), None);
        // Nobody is told of endpoints that are down: what fails says so itself.
        let (warn, _) = tokio::sync::mpsc::unbounded_channel();
        let engine = Arc::new(connection.engine(
            role,
            KnownRoles::default(),
            recorder,
            concurrency,
            warn.clone(),
            BTreeSet::new(),
        ));
        if engine.sessions.roles.need_organization() {
            let (found, _) = tokio::sync::mpsc::unbounded_channel();
            let (parents, _) = tokio::sync::mpsc::unbounded_channel();
            let discovery = Discovery {
                engine: Arc::clone(&engine),
                caller: caller.clone(),
                scope: Scope::Organization,
                filter: AccountFilter::default(),
                shard: None,
                listing: None,
                found,
                parents,
                warnings: warn,
            };
            // Which role goes with an account is all that is wanted of it.
            if let Err(DiscoveryEnd::Error(error)) = discovery.accounts(None).await {
                return Err(error);
            }
        }
        Ok(Self { engine, caller })
    }

    /// Who is calling.
    pub fn caller(&self) -> &Caller {
        &self.caller
    }

    /// Asks a question, all its pages.
    pub async fn read(&self, request: &Request) -> Record {
        let outcome = match self.engine.answer(request).await {
            Ok(body) => Outcome::Response(body),
            Err(end) => Outcome::Error(error_of(end)),
        };
        record_of(request, None, outcome)
    }

    /// Sends a request with an account's credentials, at the pace that its quota allows and as
    /// often as a question would be asked. It has to be one that can be sent twice with the effect
    /// of once. What is sent is told anew for each attempt.
    pub async fn send<O, E, F>(
        &self,
        account: AccountId,
        region: &Region,
        call: ServiceCall,
        request: impl Fn(Arc<RegionalClients>) -> F + Send + Sync,
    ) -> Result<O, CallFailure>
    where
        F: Future<Output = Received<O, E>> + Send,
        E: ProvideErrorMetadata + Error + Send + Sync + 'static,
    {
        let session = self.session_of(account).await?;
        self.send_in(&session, region, call, request).await
    }

    /// [`Self::send`] to a service that needs no client of the SDK: Security Hub. `path` is where
    /// the operation is found. The answer has the member names of the API.
    pub async fn send_json(
        &self,
        account: AccountId,
        region: &Region,
        call: ServiceCall,
        path: &'static str,
        body: &Value,
    ) -> Result<Value, CallFailure> {
        let clients = &self.engine.transport.clients;
        let body = body.to_string();
        let attempt = |target: Target| {
            let body = body.clone();
            async move {
                let sent = clients.json_request(&target, call.action, Some(path), body);
                sent.await.map(|answer| answer.body)
            }
        };
        let session = self.session_of(account).await?;
        self.attempt(&session, region, call, attempt).await
    }

    /// Asks something with the credentials that the caller came with, in its home region.
    pub(crate) async fn ask_as_caller<O, E, F>(
        &self,
        call: ServiceCall,
        request: impl Fn(Arc<RegionalClients>) -> F + Send + Sync,
    ) -> Result<O, CallError>
    where
        F: Future<Output = Received<O, E>> + Send,
        E: ProvideErrorMetadata + Error + Send + Sync + 'static,
    {
        let region = self.caller.partition.home_region();
        let session = self.engine.sessions.caller();
        let answer = self.send_in(session, &region, call, request).await;
        answer.map_err(|failure| failure.error)
    }

    /// The session by which an account is changed.
    async fn session_of(&self, account: AccountId) -> Result<Arc<Session>, CallFailure> {
        if account != self.caller.account {
            return Ok(self.engine.sessions.of(account));
        }
        // The caller's own account is changed as it is read: by a role, where one lets in.
        self.engine.own_session().await.map_err(|end| CallFailure {
            error: error_of(end),
            uncertain: false,
        })
    }

    async fn send_in<O, E, F>(
        &self,
        session: &Session,
        region: &Region,
        call: ServiceCall,
        request: impl Fn(Arc<RegionalClients>) -> F + Send + Sync,
    ) -> Result<O, CallFailure>
    where
        F: Future<Output = Received<O, E>> + Send,
        E: ProvideErrorMetadata + Error + Send + Sync + 'static,
    {
        let clients = &self.engine.transport.clients;
        let attempt = |target: Target| {
            let sent = request(clients.at(region));
            async move { typed(&target, sent).await }
        };
        self.attempt(session, region, call, attempt).await
    }

    async fn attempt<T, F>(
        &self,
        session: &Session,
        region: &Region,
        call: ServiceCall,
        request: impl Fn(Target) -> F + Send + Sync,
    ) -> Result<T, CallFailure>
    where
        F: Future<Output = Result<T, Failure>> + Send,
    {
        let transport = &self.engine.transport;
        // A lost answer says nothing about the request, and neither does what follows it.
        let lost = AtomicBool::new(false);
        let attempt = |target: Target| {
            let sent = request(target);
            let lost = &lost;
            async move {
                let answer = sent.await;
                if let Err(failure) = &answer
                    && failure.error.class == ErrorClass::Unavailable
                {
                    lost.store(true, Ordering::Relaxed);
                }
                answer
            }
        };
        let ask = Ask::Foreign(call);
        let answer = transport.send(session, region, &ask, attempt).await;
        answer.map_err(|end| CallFailure {
            error: error_of(end),
            uncertain: lost.load(Ordering::Relaxed),
        })
    }
}

fn error_of(end: End) -> CallError {
    match end {
        End::Failed(failure) => failure.error,
        End::Stopped | End::NeverAsked => CallError {
            code: "Stopped".to_owned(),
            message: "the connection was closed".to_owned(),
            class: ErrorClass::Other,
        },
    }
}
