//! AWS STS, whose query protocol answers in XML: the typed output is written out by hand, without
//! credentials.

use std::time::Duration;

use aws_credential_types::Credentials;
use aws_sdk_sts::types::PolicyDescriptorType;
use aws_types::request_id::RequestId;
use jiff::Timestamp;
use serde_json::{Map, Value};
use trailproof_core::account::Partition;
use trailproof_core::arn::Arn;

use super::send::typed;
use super::{Answer, Clients, Failure, Target};
use crate::connection::unsendable;
use crate::engine::Role;
use crate::permissions::{Limit, managed_arn};

/// How long assumed credentials live, in seconds: the most that role chaining allows, and the
/// least that a role can be limited to.
const DURATION: i32 = 3600;

/// A role session: credentials, and what may be written down about it.
#[derive(Debug)]
pub(crate) struct Entered {
    pub(crate) credentials: Credentials,
    pub(crate) expires_at: Option<Timestamp>,
    pub(crate) answer: Answer,
}

impl Clients {
    pub(super) async fn get_caller_identity(&self, target: &Target) -> Result<Answer, Failure> {
        let clients = self.at(&target.region);
        let request = clients.sts().get_caller_identity();
        let output = typed(target, request.send()).await?;
        let members = [
            ("UserId", output.user_id()),
            ("Account", output.account()),
            ("Arn", output.arn()),
        ];
        Ok(Answer {
            body: strings(members),
            request_id: output.request_id().map(str::to_owned),
        })
    }

    /// Assumes a role. Sends exactly one request.
    pub(crate) async fn assume_role(
        &self,
        target: &Target,
        role: &Role,
        limit: &Limit,
    ) -> Result<Entered, Failure> {
        let clients = self.at(&target.region);
        let request = clients
            .sts()
            .assume_role()
            .role_arn(&role.arn)
            .role_session_name(&*role.session_name)
            .set_external_id(role.external_id.as_deref().map(str::to_owned))
            .set_policy(limit.policy.clone())
            .duration_seconds(DURATION);
        // AWS's own policies are there in every account of the role's partition.
        let partition = role
            .arn
            .parse::<Arn>()
            .ok()
            .and_then(|arn| Partition::named(arn.partition()))
            .unwrap_or(Partition::Aws);
        let request = limit.managed.iter().fold(request, |request, name| {
            let arn = managed_arn(partition, name);
            request.policy_arns(PolicyDescriptorType::builder().arn(arn).build())
        });
        let output = typed(target, request.send()).await?;
        let Some(given) = output.credentials() else {
            return Err(Failure::unreadable(
                "the response has no credentials".to_owned(),
            ));
        };
        let expires_at = Timestamp::from_second(given.expiration().secs()).ok();
        let credentials = Credentials::new(
            given.access_key_id(),
            given.secret_access_key(),
            Some(given.session_token().to_owned()),
            u64::try_from(given.expiration().secs())
                .ok()
                .and_then(|seconds| {
                    std::time::UNIX_EPOCH.checked_add(Duration::from_secs(seconds))
                }),
            "trailproof",
        );
        if let Some(part) = unsendable(&credentials) {
            return Err(Failure::unusable_credentials(part));
        }
        let mut body = Map::new();
        if let Some(user) = output.assumed_role_user() {
            let members = [
                ("AssumedRoleId", Some(user.assumed_role_id())),
                ("Arn", Some(user.arn())),
            ];
            body.insert("AssumedRoleUser".to_owned(), strings(members));
        }
        Ok(Entered {
            credentials,
            expires_at,
            answer: Answer {
                body: body.into(),
                request_id: output.request_id().map(str::to_owned),
            },
        })
    }
}

fn strings<'a>(members: impl IntoIterator<Item = (&'a str, Option<&'a str>)>) -> Value {
    members
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), Value::from(value?))))
        .collect::<Map<_, _>>()
        .into()
}
