//! Roles that are assumed before those of the members, each with the credentials of the one
//! before: administrators often sign in to one account and may enter the members only from another.

use std::sync::Arc;

use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{
    ProvideCredentials, Result as ProviderResult, SharedCredentialsProvider, future,
};
use trailproof_core::account::{Partition, Region};

use crate::calls::{Clients, Failure, Target};
use crate::engine::{Role, SESSION_NAME};
use crate::permissions::{Holder, Limit, SessionForm, limits};
use crate::roles::{HubRole, RoleSettings};

/// A role that gives the credentials of the run, assumed anew whenever they end.
#[derive(Debug)]
pub(crate) struct Hub {
    pub(crate) role: Role,
    ways: Vec<(SessionForm, Limit)>,
    base: SharedCredentialsProvider,
    clients: Arc<Clients>,
    region: Region,
}

/// A failed attempt to assume it, among the causes of missing credentials.
#[derive(Debug, thiserror::Error)]
#[error("sts:AssumeRole of {arn} failed: {}: {}", .failure.error.code, .failure.error.message)]
pub(crate) struct HubFailure {
    pub(crate) arn: String,
    pub(crate) failure: Failure,
}

impl Hub {
    pub(crate) fn new(
        hub: &HubRole,
        settings: &RoleSettings,
        partition: Partition,
        base: SharedCredentialsProvider,
        clients: Arc<Clients>,
        region: Region,
    ) -> Self {
        let arn = hub.arn.replace("{partition}", partition.as_str());
        let session_name = settings.session_name.as_deref().unwrap_or(SESSION_NAME);
        Self {
            role: Role {
                template: arn.as_str().into(),
                arn,
                session_name: session_name.into(),
                external_id: hub.external_id.as_deref().map(Into::into),
            },
            ways: limits(&settings.session_policy, Holder::Hub),
            base,
            clients,
            region,
        }
    }

    async fn assume(&self) -> ProviderResult {
        let mut last = CredentialsError::not_loaded_no_source();
        for (_, limit) in &self.ways {
            let target = Target {
                region: self.region.clone(),
                credentials: self.base.provide_credentials().await?,
            };
            match self.clients.assume_role(&target, &self.role, limit).await {
                Ok(entered) => return Ok(entered.credentials),
                Err(failure) => {
                    let too_large = failure.is_policy_too_large();
                    last = CredentialsError::provider_error(HubFailure {
                        arn: self.role.arn.clone(),
                        failure,
                    });
                    if !too_large {
                        break;
                    }
                }
            }
        }
        Err(last)
    }
}

impl ProvideCredentials for Hub {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(self.assume())
    }
}
