//! Who may do what: regions that are off, accounts that are suspended, what roles and service
//! control policies refuse. Everything else is allowed.

use trailproof_core::account::{AccountId, Region};

use crate::failure::Failure;
use crate::model::{AccountState, Denial, Organization};
use crate::operation::{Operation, Service};
use crate::session_policy::SessionLimit;
use trailproof_core::evidence::ErrorClass;

/// Whose credentials make a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Caller {
    pub(crate) account: AccountId,
    /// The role, path and name, and the session's name; `None` for a user of the account.
    pub(crate) session: Option<(String, String)>,
    /// What the session's own policy allows; `None` where it has none.
    pub(crate) limit: Option<SessionLimit>,
}

impl Caller {
    /// The ARN of the caller.
    pub(crate) fn arn(&self, organization: &Organization) -> String {
        let partition = organization.partition();
        match &self.session {
            Some((role, session)) => {
                let name = role.rsplit('/').next().unwrap_or_default();
                format!(
                    "arn:{partition}:sts::{}:assumed-role/{name}/{session}",
                    self.account
                )
            }
            None => format!("arn:{partition}:iam::{}:user/auditor", self.account),
        }
    }
}

/// Whether a caller may make a call in a region at all. `resource` completes the message.
pub(crate) fn check(
    organization: &Organization,
    caller: &Caller,
    region: &Region,
    operation: Operation,
) -> Result<(), Failure> {
    let Some(account) = organization.account(caller.account) else {
        return Err(invalid_token(operation.service()));
    };
    if account.state != AccountState::Active {
        return Err(denied(organization, caller, operation, SUSPENDED));
    }
    // GetCallerIdentity and everything else needs a token that the region accepts; Organizations
    // is a global service that lives in the home region.
    let global = operation.service() == Service::Organizations;
    if !global && !organization.is_enabled(account, region) {
        return Err(invalid_token(operation.service()));
    }
    // No permission is needed, and none can be refused (AWS STS API, GetCallerIdentity).
    if operation == Operation::GetCallerIdentity {
        return Ok(());
    }
    let role = caller.session.as_ref().and_then(|(role, _)| {
        account
            .roles
            .iter()
            .find(|candidate| candidate.path_and_name() == *role)
    });
    let role_denials = role.map_or(&[][..], |role| role.denials.as_slice());
    let limited = caller.limit.as_ref();
    if limited.is_some_and(|limit| !limit.allows(operation)) {
        let why = "because no session policy allows the action";
        return Err(denied(organization, caller, operation, why));
    }
    if account.denials.is_empty() && role_denials.is_empty() {
        return Ok(());
    }
    let action = operation.action();
    let refusing: Option<&Denial> = account
        .denials
        .iter()
        .chain(role_denials)
        .find(|denial| denial.refuses(&action, region));
    match refusing {
        None => Ok(()),
        Some(denial) if denial.service_control_policy => Err(denied(
            organization,
            caller,
            operation,
            "with an explicit deny in a service control policy",
        )),
        Some(_) => Err(denied(
            organization,
            caller,
            operation,
            "because no identity-based policy allows the action",
        )),
    }
}

const SUSPENDED: &str = "because the account is suspended";

/// A refusal in the words of the service.
pub(crate) fn denied(
    organization: &Organization,
    caller: &Caller,
    operation: Operation,
    why: &str,
) -> Failure {
    let code = match operation.service() {
        Service::Organizations
        | Service::Account
        | Service::CloudTrail
        | Service::Logs
        | Service::Kms
        | Service::Oam
        | Service::ObservabilityAdmin
        | Service::Events
        | Service::SecurityHub => "AccessDeniedException",
        Service::Sts | Service::CloudWatch => "AccessDenied",
        Service::Sns => "AuthorizationError",
    };
    let status = match operation.service() {
        Service::Sts
        | Service::CloudWatch
        | Service::Sns
        | Service::Account
        | Service::Oam
        | Service::ObservabilityAdmin
        | Service::SecurityHub => 403,
        Service::Organizations
        | Service::CloudTrail
        | Service::Logs
        | Service::Kms
        | Service::Events => 400,
    };
    let arn = caller.arn(organization);
    let action = match operation.service() {
        Service::Sns => format!("SNS:{}", operation.wire_name()),
        _ => operation.action(),
    };
    Failure::denied(
        code,
        format!("User: {arn} is not authorized to perform: {action} {why}"),
    )
    .status(status)
}

/// What a service says to a token that its region does not know: that of an account which has
/// not opted into the region.
fn invalid_token(service: Service) -> Failure {
    let message = "The security token included in the request is invalid.";
    let (code, status) = match service {
        Service::Sts | Service::Sns | Service::CloudWatch => ("InvalidClientTokenId", 403),
        Service::SecurityHub => ("UnrecognizedClientException", 403),
        Service::Organizations
        | Service::Account
        | Service::CloudTrail
        | Service::Logs
        | Service::Kms
        | Service::Oam
        | Service::ObservabilityAdmin
        | Service::Events => ("UnrecognizedClientException", 400),
    };
    Failure::new(ErrorClass::RegionDisabled, code, message).status(status)
}
