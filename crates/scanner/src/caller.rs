//! Who is calling: whose credentials a connection has, and the engine that asks over it. Below the
//! scan, and below those who are no scan.

use std::collections::HashMap;
use std::time::Duration;

use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use serde_json::Value;
use tokio::sync::mpsc::UnboundedSender;
use trailproof_core::account::{AccountId, Partition, Region};
use trailproof_core::arn::Arn;
use trailproof_core::evidence::{Call, ErrorClass, Request};

use crate::calls::{Answer, Ask, Clients, Failure, RetryAdvice, Target};
use crate::connection::{Cause, ConnectOptions, Connection, Described};
use crate::engine::{Engine, Key, Recorder, Roles, Sessions, Stop, Transport};
use crate::error::ScanError;
use crate::event::Warning;
use crate::outcome::Caller;
use crate::roles::RoleSettings;

/// Where global questions are asked when nothing names a region.
const DEFAULT_REGION: &str = "us-east-1";
/// The session name CloudTrail shows when the user gives none.
const SESSION_NAME: &str = "trailproof";
/// How often the very first request is tried. Nobody wants to wait long for the message that the
/// network is down.
const FIRST_ATTEMPTS: u32 = 3;

/// A connection whose credentials work.
pub(crate) struct Connected {
    pub(crate) caller: Caller,
    /// What AWS answered to the question who is calling.
    identity: Answer,
    clients: Clients,
    provider: SharedCredentialsProvider,
    max_attempts: Option<u32>,
}

impl Connected {
    /// Connects for so many calls at once, and finds out who is calling.
    pub(crate) async fn open(
        options: &ConnectOptions,
        concurrency: usize,
    ) -> Result<Self, ScanError> {
        let Connection {
            config,
            max_attempts,
            credentials,
            settings: _,
        } = options.load(concurrency).await?;
        let region = config.region().map_or(DEFAULT_REGION, AsRef::as_ref);
        let region = Region::new(region);
        let Some(provider) = config.credentials_provider() else {
            return Err(credentials.missing(
                &CredentialsError::not_loaded_no_source(),
                "no source is configured".to_owned(),
            ));
        };
        let clients = Clients::new(&config);
        let (caller, identity) = identify(&clients, &provider, &credentials, region).await?;
        Ok(Self {
            caller,
            identity,
            clients,
            provider,
            max_attempts,
        })
    }

    /// The engine that asks over it, entering accounts by a role. Who is calling was the first
    /// question, and is recorded.
    pub(crate) fn engine(
        self,
        role: &RoleSettings,
        refused: HashMap<AccountId, Failure>,
        recorder: Recorder,
        concurrency: usize,
        warnings: UnboundedSender<Warning>,
    ) -> Engine {
        let Self {
            caller,
            identity,
            clients,
            provider,
            max_attempts,
        } = self;
        let roles = Roles {
            template: role.role.clone(),
            partition: caller.partition,
            session_name: role.session_name.as_deref().unwrap_or(SESSION_NAME).into(),
            external_id: role.external_id.as_deref().map(Into::into),
        };
        let request = Request {
            account: caller.account,
            region: caller.region.clone(),
            call: Call::GetCallerIdentity,
        };
        let identified = recorder.knows(Key::of_request(&request));
        let stop = Stop::default();
        let transport = Transport::new(
            clients,
            caller.region,
            concurrency,
            max_attempts,
            stop,
            recorder,
            warnings,
        );
        transport
            .tally
            .sent(Ask::Evidence(Call::GetCallerIdentity).name());
        if !identified {
            transport.recorder.answered(&request, identity);
        }
        let sessions = Sessions::new(caller.account, provider, roles, refused);
        Engine::new(transport, sessions)
    }
}

/// Whose credentials these are.
async fn identify(
    clients: &Clients,
    provider: &SharedCredentialsProvider,
    described: &Described,
    region: Region,
) -> Result<(Caller, Answer), ScanError> {
    let credentials = provider.provide_credentials().await.map_err(|error| {
        described.missing(&error, Failure::no_credentials(&error).error.message)
    })?;
    let target = Target {
        region: region.clone(),
        credentials,
    };
    let ask = Ask::Evidence(Call::GetCallerIdentity);
    let mut attempt = 0;
    let answer = loop {
        attempt += 1;
        match clients.page(&target, &ask, None).await {
            Ok(answer) => break answer,
            Err(failure)
                if attempt < FIRST_ATTEMPTS
                    && !matches!(
                        failure.advice,
                        RetryAdvice::None | RetryAdvice::Renew | RetryAdvice::RenewOnce
                    ) =>
            {
                tokio::time::sleep(Duration::from_millis(300) * attempt).await;
            }
            Err(failure) => return Err(rejected(&ask, failure)),
        }
    };
    let text = |member: &str| answer.body.get(member).and_then(Value::as_str);
    let identity = text("Account")
        .and_then(|account| account.parse().ok())
        .zip(text("Arn").and_then(|arn| arn.parse::<Arn>().ok()));
    let Some((account, arn)) = identity else {
        return Err(ScanError::Connection {
            reason: "sts:GetCallerIdentity answered without an account and an ARN".to_owned(),
        });
    };
    let partition =
        Partition::named(arn.partition()).ok_or_else(|| ScanError::UnknownPartition {
            partition: arn.partition().to_owned(),
        })?;
    let caller = Caller {
        account,
        arn: arn.to_string(),
        partition,
        region,
    };
    Ok((caller, answer))
}

fn rejected(ask: &Ask, failure: Failure) -> ScanError {
    let error = failure.error;
    match error.class {
        ErrorClass::Denied | ErrorClass::RegionDisabled => ScanError::RejectedCredentials {
            code: error.code,
            message: error.message,
        },
        ErrorClass::Unavailable => ScanError::Unreachable {
            operation: ask.name(),
            cause: Cause::of_code(&error.code).map(Cause::remedy),
            reason: error.message,
        },
        _ => ScanError::Connection {
            reason: format!("{} failed: {}: {}", ask.name(), error.code, error.message),
        },
    }
}
