//! The way into accounts for those who are not a scan: single questions, asked afresh, and
//! credentials.
//!
//! Credentials, roles, pacing and retries are the scan's own. What is asked here is not evidence
//! of any run, and no answer is remembered.

use std::sync::Arc;

use aws_config::SdkConfig;
use aws_credential_types::Credentials;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use trailproof_core::account::AccountId;
use trailproof_core::evidence::{CallError, ErrorClass, Outcome, Record, Request};
use trailproof_core::policy::Policy;

use super::preflight;
use crate::calls::{Failure, Remedy};
use crate::clock;
use crate::connect::ConnectOptions;
use crate::engine::{End, Engine};
use crate::error::ScanError;
use crate::outcome::Caller;
use crate::plan::{ScanPlan, Scope};
use crate::roles::RoleSettings;

/// A connection that can enter accounts.
#[derive(Debug, Clone)]
pub struct Access {
    engine: Arc<Engine>,
    caller: Caller,
    config: SdkConfig,
}

/// A call of somebody else's that failed, and what can help.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SendFailure {
    /// What AWS said.
    pub error: CallError,
    /// What can help.
    pub cure: Cure,
}

/// What can help against a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cure {
    /// Nothing: the answer would be the same.
    None,
    /// Going slower.
    SlowDown,
    /// Trying again: the call may have had its effect all the same.
    Again,
    /// New credentials: [`Access::renew`].
    Renew,
}

impl Access {
    /// Connects and finds out who is calling.
    pub async fn connect(
        options: &ConnectOptions,
        role: RoleSettings,
        concurrency: usize,
    ) -> Result<Self, ScanError> {
        let mut plan = ScanPlan::new(Policy::new(Vec::new()));
        plan.connection = options.clone();
        plan.role = role;
        // Nothing is looked for, so the organization is not needed.
        plan.scope = Scope::CurrentAccount;
        let concurrency = options.connections.calls_at_once(concurrency);
        let ready = preflight::prepare(&plan, concurrency).await?;
        Ok(Self {
            engine: ready.engine,
            caller: ready.caller,
            config: options.load(concurrency).await?,
        })
    }

    /// Who is calling.
    pub fn caller(&self) -> &Caller {
        &self.caller
    }

    /// The configuration to make clients from: one HTTPS client, time-outs, no retries. Region and
    /// credentials go with each call.
    pub fn config(&self) -> &SdkConfig {
        &self.config
    }

    /// Asks a question, all its pages.
    pub async fn read(&self, request: &Request) -> Record {
        let outcome = match self.engine.answer(request).await {
            Ok(body) => Outcome::Response(body),
            Err(end) => Outcome::Error(error_of(end)),
        };
        Record {
            operation: request.call.operation(),
            account: request.account,
            region: request.region.clone(),
            parameters: request.call.parameters(),
            observed_at: clock::now(),
            request_id: None,
            outcome,
        }
    }

    /// Credentials of an account that are good for a while.
    pub async fn credentials(&self, account: AccountId) -> Result<Credentials, CallError> {
        let session = self.engine.sessions.of(account);
        self.engine
            .transport
            .credentials(&session)
            .await
            .map_err(error_of)
    }

    /// Forgets credentials that AWS did not accept, so that the next ones are new.
    pub async fn renew(&self, account: AccountId, refused: &Credentials) {
        self.engine.sessions.of(account).forget(refused).await;
    }
}

impl SendFailure {
    /// What the SDK reports.
    pub fn of<E>(error: &SdkError<E, HttpResponse>) -> Self
    where
        E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    {
        let failure = Failure::from_sdk(error);
        Self {
            cure: match failure.remedy {
                Remedy::None => Cure::None,
                Remedy::SlowDown => Cure::SlowDown,
                Remedy::Again | Remedy::Reconnect => Cure::Again,
                Remedy::Renew | Remedy::RenewOnce => Cure::Renew,
            },
            error: failure.error,
        }
    }
}

fn error_of(end: End) -> CallError {
    match end {
        End::Failed(failure) => failure.error,
        End::Stopped => CallError {
            code: "Stopped".to_owned(),
            message: "the connection was closed".to_owned(),
            class: ErrorClass::Other,
        },
    }
}
