//! Who is calling: whose credentials a connection has, and the engine that asks over it. Below the
//! scan, and below those who are no scan.

use std::collections::BTreeSet;
use std::error::Error as _;
use std::sync::Arc;
use std::time::Duration;

use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use jiff::SignedDuration;
use serde_json::Value;
use tokio::sync::mpsc::UnboundedSender;
use trailproof_core::account::{Partition, Region};
use trailproof_core::arn::Arn;
use trailproof_core::evidence::{Call, ErrorClass, Request};

use crate::calls::{Answer, Ask, Clients, Failure, RetryAdvice, Target};
use crate::connection::{Cause, ConnectOptions, Connection, Described, NetworkSetting, unsendable};
use crate::engine::{
    Engine, Key, KnownRoles, Limits, Places, Recorder, Refusals, Roles, Sessions, Transport,
};
use crate::error::ScanError;
use crate::event::Warning;
use crate::hub::{Hub, HubFailure};
use crate::outcome::Caller;
use crate::permissions::{Holder, limits};
use crate::roles::RoleSettings;

/// Where global questions are asked when nothing names a region.
const DEFAULT_REGION: &str = "us-east-1";
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
    /// How many connections may be open to each endpoint.
    per_host: usize,
    max_attempts: Option<u32>,
    /// What is set about the network.
    pub(crate) network: Vec<NetworkSetting>,
}

impl Connected {
    /// Connects, and finds out who is calling: the last hub role, where there is one.
    pub(crate) async fn open(
        options: &ConnectOptions,
        roles: &RoleSettings,
    ) -> Result<Self, ScanError> {
        let Connection {
            config,
            per_host,
            max_attempts,
            credentials,
            settings,
        } = options.load().await?;
        let region = config.region().map_or(DEFAULT_REGION, AsRef::as_ref);
        let region = Region::new(region);
        let Some(provider) = config.credentials_provider() else {
            return Err(credentials.missing(
                &CredentialsError::not_loaded_no_source(),
                "no source is configured".to_owned(),
            ));
        };
        let clients = Clients::new(&config);
        let (mut caller, mut identity) =
            identify(&clients, &provider, &credentials, region.clone()).await?;
        let mut provider = provider;
        if !roles.hubs.is_empty() {
            let of_hubs = Arc::new(Clients::new(&config));
            for hub in &roles.hubs {
                let hub = Hub::new(
                    hub,
                    roles,
                    caller.partition,
                    provider,
                    Arc::clone(&of_hubs),
                    region.clone(),
                );
                // Kept until they end: each attempt to renew begins with those before.
                provider = SharedCredentialsProvider::new(hub);
            }
            (caller, identity) = identify(&clients, &provider, &credentials, region).await?;
        }
        Ok(Self {
            caller,
            identity,
            clients,
            provider,
            per_host,
            max_attempts,
            network: settings,
        })
    }

    /// How far this computer's clock is ahead of AWS's, where an answer said the time.
    pub(crate) fn clock_skew(&self) -> Option<SignedDuration> {
        self.clients.clock_skew()
    }

    /// The engine that asks over it, entering accounts by roles. Who is calling was the first
    /// question, and is recorded.
    pub(crate) fn engine(
        self,
        roles: &RoleSettings,
        known: KnownRoles,
        recorder: Recorder,
        concurrency: usize,
        warnings: UnboundedSender<Warning>,
        named_regions: BTreeSet<Region>,
    ) -> Engine {
        let Self {
            caller,
            identity,
            clients,
            provider,
            per_host,
            max_attempts,
            network: _,
        } = self;
        let request = Request {
            account: caller.account,
            region: caller.region.clone(),
            call: Call::GetCallerIdentity,
        };
        let identified = recorder.knows(Key::of_request(&request));
        let sessions = Sessions::new(
            &caller,
            provider,
            Roles::new(roles, caller.partition),
            known,
        );
        let transport = Transport::new(
            clients,
            caller.region,
            Places::new(concurrency, per_host),
            max_attempts,
            recorder,
            warnings,
            Limits::new(limits(&roles.session_policy, Holder::Member)),
        );
        transport
            .tally
            .sent(Ask::Evidence(Call::GetCallerIdentity).name());
        if !identified {
            transport.recorder.answered(&request, identity);
        }
        Engine::new(transport, sessions, Refusals::except_in(named_regions))
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
        let mut causes = std::iter::successors(error.source(), |&cause| cause.source());
        match causes.find_map(|cause| cause.downcast_ref()) {
            Some(HubFailure { arn, failure }) => ScanError::HubRole {
                arn: arn.clone(),
                code: failure.error.code.clone(),
                message: failure.error.message.clone(),
            },
            None => described.missing(&error, Failure::no_credentials(&error).error.message),
        }
    })?;
    if let Some(part) = unsendable(&credentials) {
        return Err(ScanError::MissingCredentials {
            reason: format!(
                "the {part} has characters that no request can carry, such as a line break"
            ),
            remedy: "copy it again in one piece: it stands in the environment or the profile that \
                     gives the credentials"
                .to_owned(),
        });
    }
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
            Err(failure) => return Err(rejected(&ask, region, failure)),
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

fn rejected(ask: &Ask, region: Region, failure: Failure) -> ScanError {
    let error = failure.error;
    match error.class {
        ErrorClass::Denied | ErrorClass::RegionDisabled => ScanError::RejectedCredentials {
            code: error.code,
            message: error.message,
        },
        ErrorClass::Unavailable => ScanError::Unreachable {
            operation: ask.name(),
            region,
            cause: Cause::of_code(&error.code).map(Cause::remedy),
            reason: error.message,
        },
        _ => ScanError::Connection {
            reason: format!("{} failed: {}: {}", ask.name(), error.code, error.message),
        },
    }
}
