//! AWS STS: who somebody is, and entering other accounts.

use jiff::SignedDuration;
use trailproof_core::arn::Arn;

use super::{Answer, Context, unsupported};
use crate::credentials;
use crate::document::Structure;
use crate::failure::Failure;
use crate::model::{AccountState, Organization};
use crate::operation::Operation;
use crate::session_policy::SessionLimit;

pub(super) fn read(
    organization: &Organization,
    operation: Operation,
    context: Context<'_>,
) -> Answer {
    match operation {
        Operation::GetCallerIdentity => {
            let caller = context.caller;
            let user = match &caller.session {
                Some((_, session)) => format!("AROA{}:{session}", caller.account),
                None => format!("AIDA{}", caller.account),
            };
            Ok(Structure::new()
                .with("UserId", user)
                .with("Account", caller.account.to_string())
                .with("Arn", caller.arn(organization)))
        }
        Operation::AssumeRole => assume(organization, context),
        _ => Err(unsupported()),
    }
}

fn assume(organization: &Organization, context: Context<'_>) -> Answer {
    let parameters = context.parameters;
    let role_arn = parameters.text("RoleArn").unwrap_or_default();
    let session = parameters.text("RoleSessionName").unwrap_or("session");
    let arn: Arn = role_arn
        .parse()
        .map_err(|_| invalid(format!("{role_arn} is invalid")))?;
    let session_is_valid = (2..=64).contains(&session.len())
        && session
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"_+=,.@-".contains(&byte));
    if !session_is_valid {
        return Err(invalid(
            "1 validation error detected: Value at 'roleSessionName' failed to satisfy constraint"
                .to_owned(),
        ));
    }
    // A role that chains may last an hour at most; nobody here asks for more than the default.
    let seconds = parameters.integer("DurationSeconds").unwrap_or(3600);
    if !(900..=43200).contains(&seconds) {
        return Err(invalid(
            "1 validation error detected: Value at 'durationSeconds' failed to satisfy constraint"
                .to_owned(),
        ));
    }
    let limit = SessionLimit::asked_for(parameters)?;
    let path_and_name = arn.resource().strip_prefix("role/").unwrap_or_default();
    let account = arn.account().and_then(|id| organization.account(id));
    let entered = account.and_then(|account| {
        let caller = context.caller.account;
        let role = account
            .roles
            .iter()
            .find(|role| role.path_and_name() == path_and_name)?;
        let trusted = if role.trusted.is_empty() {
            caller == organization.management
        } else {
            role.trusted.contains(&caller)
        };
        let external = role.external_id.is_empty()
            || parameters.text("ExternalId") == Some(role.external_id.as_str());
        let limited = limit.is_some() || !role.requires_session_policy;
        (trusted && external && limited && account.state == AccountState::Active)
            .then_some((account, role))
    });
    let Some((account, role)) = entered else {
        let caller = context.caller.arn(organization);
        return Err(Failure::denied(
            "AccessDenied",
            format!(
                "User: {caller} is not authorized to perform: sts:AssumeRole on resource: \
                 {role_arn}"
            ),
        )
        .status(403));
    };
    if role
        .packed_policy_limit
        .is_some_and(|most| SessionLimit::size(parameters) > most)
    {
        return Err(Failure::invalid(
            "PackedPolicyTooLarge",
            "Packed size of session tags consumes 112% of allotted space.",
        ));
    }
    let mut duration = SignedDuration::from_secs(seconds);
    if let Some(limit) = context.session_limit {
        duration = duration.min(limit);
    }
    let expiration = context.now + duration;
    let credentials = credentials::issue(
        account.id,
        expiration,
        path_and_name,
        session,
        limit.as_ref(),
    );
    let role_name = path_and_name.rsplit('/').next().unwrap_or_default();
    Ok(Structure::new()
        .with(
            "Credentials",
            Structure::new()
                .with("AccessKeyId", credentials.access_key)
                .with("SecretAccessKey", credentials.secret_key)
                .with("SessionToken", credentials.session_token)
                .with("Expiration", expiration),
        )
        .with(
            "AssumedRoleUser",
            Structure::new()
                .with("AssumedRoleId", format!("AROA{}:{session}", account.id))
                .with(
                    "Arn",
                    format!(
                        "arn:{}:sts::{}:assumed-role/{role_name}/{session}",
                        organization.partition(),
                        account.id
                    ),
                ),
        ))
}

fn invalid(message: String) -> Failure {
    Failure::invalid("ValidationError", message)
}
