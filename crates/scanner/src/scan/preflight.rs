//! Everything that has to hold before the first account is looked for: credentials that work, a
//! role that can be named, a file that can be written.

use std::sync::Arc;
use std::time::Duration;

use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use serde_json::Value;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender};
use trailproof_core::account::{Partition, Region};
use trailproof_core::arn::Arn;
use trailproof_core::evidence::{Call, ErrorClass, Request};

use crate::calls::{Answer, Ask, Clients, Failure, Remedy, Target};
use crate::engine::{Engine, Key, Recorder, Resumed, Roles, Sessions, Stop, Transport};
use crate::error::ScanError;
use crate::event::Warning;
use crate::log::EvidenceLog;
use crate::outcome::Caller;
use crate::plan::{ScanPlan, Scope};
use crate::roles::RoleSettings;

/// Where global questions are asked when nothing names a region.
const DEFAULT_REGION: &str = "us-east-1";
/// The session name CloudTrail shows when the user gives none.
const SESSION_NAME: &str = "trailproof";
/// How often the very first request is tried. Nobody wants to wait long for the message that the
/// network is down.
const FIRST_ATTEMPTS: u32 = 3;

/// What the run starts with.
pub(super) struct Ready {
    pub(super) engine: Arc<Engine>,
    pub(super) caller: Caller,
    pub(super) resumed: Start,
    pub(super) warnings: UnboundedReceiver<Warning>,
    pub(super) warn: UnboundedSender<Warning>,
}

/// What an earlier run leaves to this one.
pub(super) struct Start {
    /// How many records were loaded, when a run is resumed.
    pub(super) records: Option<usize>,
}

pub(super) async fn prepare(plan: &ScanPlan, concurrency: usize) -> Result<Ready, ScanError> {
    check_role(&plan.role)?;
    let without_organization = plan.scope != Scope::Organization;
    let filter = &plan.accounts;
    if without_organization
        && !(filter.organizational_units.is_empty()
            && filter.exclude_organizational_units.is_empty()
            && filter.tags.is_empty())
    {
        return Err(ScanError::FilterNeedsOrganization);
    }
    let mut resumed = Resumed::default();
    let mut records = None;
    let log = match &plan.evidence {
        None => None,
        Some(file) => {
            let (log, loaded) = EvidenceLog::open(file, |record| resumed.add(record))?;
            records = file.resume.then_some(loaded);
            Some(log)
        }
    };

    let config = plan.connection.load(concurrency).await?;
    let region = config.region().map_or(DEFAULT_REGION, AsRef::as_ref);
    let region = Region::new(region);
    let Some(provider) = config.credentials_provider() else {
        return Err(ScanError::MissingCredentials {
            reason: "no source is configured".to_owned(),
        });
    };
    let clients = Clients::new(&config);
    let (caller, identity) = identify(&clients, &provider, region).await?;
    if let Some(recorded) = resumed.caller
        && recorded != caller.account
    {
        return Err(ScanError::OtherCaller {
            recorded,
            caller: caller.account,
        });
    }

    let roles = Roles {
        template: plan.role.role.clone(),
        partition: caller.partition,
        session_name: plan
            .role
            .session_name
            .as_deref()
            .unwrap_or(SESSION_NAME)
            .into(),
        external_id: plan.role.external_id.as_deref().map(Into::into),
    };
    let (warn, warnings) = tokio::sync::mpsc::unbounded_channel();
    let recorder = Recorder::new(resumed.evidence, resumed.known, log);
    let request = Request {
        account: caller.account,
        region: caller.region.clone(),
        call: Call::GetCallerIdentity,
    };
    let identified = recorder.knows(Key::of_request(&request));
    let transport = Transport::new(
        clients,
        caller.region.clone(),
        concurrency,
        Stop::default(),
        recorder,
        warn.clone(),
    );
    transport
        .tally
        .sent(Ask::Evidence(Call::GetCallerIdentity).name());
    if !identified {
        transport.recorder.answered(&request, identity);
    }
    let sessions = Sessions::new(caller.account, provider, roles, resumed.refused);
    Ok(Ready {
        engine: Arc::new(Engine::new(transport, sessions)),
        caller,
        resumed: Start { records },
        warnings,
        warn,
    })
}

/// Whose credentials these are.
async fn identify(
    clients: &Clients,
    provider: &SharedCredentialsProvider,
    region: Region,
) -> Result<(Caller, Answer), ScanError> {
    let credentials =
        provider
            .provide_credentials()
            .await
            .map_err(|error| ScanError::MissingCredentials {
                reason: Failure::no_credentials(&error).error.message,
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
                        failure.remedy,
                        Remedy::None | Remedy::Renew | Remedy::RenewOnce
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
    let partition = Partition::ALL
        .into_iter()
        .find(|partition| partition.as_str() == arn.partition())
        .ok_or_else(|| ScanError::Connection {
            reason: format!("partition `{}` is not supported", arn.partition()),
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
            reason: error.message,
        },
        _ => ScanError::Connection {
            reason: format!("{} failed: {}: {}", ask.name(), error.code, error.message),
        },
    }
}

/// What STS would refuse is refused here, once and not for every account.
fn check_role(role: &RoleSettings) -> Result<(), ScanError> {
    let invalid = |what, value: &str, reason| {
        Err(ScanError::InvalidRoleSetting {
            what,
            value: value.to_owned(),
            reason,
        })
    };
    let named = |extra: &'static [u8]| {
        move |byte: u8| {
            byte.is_ascii_alphanumeric() || b"_+=,.@-".contains(&byte) || extra.contains(&byte)
        }
    };
    if let Some(name) = &role.session_name
        && !((2..=64).contains(&name.len()) && name.bytes().all(named(b"")))
    {
        return invalid(
            "session name",
            name,
            "it has 2 to 64 letters, digits or characters of _+=,.@-",
        );
    }
    if let Some(id) = &role.external_id
        && !((2..=1224).contains(&id.len()) && id.bytes().all(named(b":/")))
    {
        return invalid(
            "external id",
            id,
            "it has 2 to 1,224 letters, digits or characters of _+=,.@:/-",
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn role_settings_are_checked() {
        let with = |session_name: Option<&str>, external_id: Option<&str>| {
            check_role(&RoleSettings {
                session_name: session_name.map(str::to_owned),
                external_id: external_id.map(str::to_owned),
                ..RoleSettings::default()
            })
        };
        assert!(with(Some("audit@example.com"), Some("a:b/c-1")).is_ok());
        assert!(with(None, None).is_ok());
        for (name, id) in [
            (Some("a"), None),
            (Some("a b"), None),
            (None, Some("x")),
            (None, Some("a b")),
        ] {
            let error = with(name, id).unwrap_err();
            assert!(matches!(error, ScanError::InvalidRoleSetting { .. }));
        }
    }
}
