//! What a failed call means: the class that is recorded, and whether trying again can help.

use std::error::Error as StdError;

use aws_credential_types::provider::error::CredentialsError;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use aws_types::request_id::RequestId;
use trailproof_core::account::{AccountId, Region};
use trailproof_core::evidence::{CallError, ErrorClass};

use crate::connection::{ByProxy, Trouble, is_out_of_reach, is_too_large};

/// A failed request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) error: CallError,
    pub(crate) advice: RetryAdvice,
    pub(crate) request_id: Option<String>,
}

/// What can help against a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RetryAdvice {
    /// Nothing: the answer would be the same.
    None,
    /// Going slower.
    SlowDown,
    /// Asking again a little later.
    Again,
    /// Asking again later: not even a connection came about.
    Reconnect,
    /// New credentials, because these have expired.
    Renew,
    /// New credentials, but these may just as well never have been good.
    RenewOnce,
}

/// A call that permissions do not allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// No policy allows it.
    Implicit,
    /// A policy denies it, for one region often.
    Explicit,
}

impl Failure {
    /// Whether permissions of whoever asks are what is missing. What a resource's own policy
    /// refuses says nothing about other resources (IAM User Guide, "Troubleshoot access denied
    /// error messages", has the words).
    pub(crate) fn refusal(&self) -> Option<Refusal> {
        let CallError { code, message, .. } = &self.error;
        if !NOT_PERMITTED.contains(&code.as_str()) || message.contains("resource-based policy") {
            None
        } else if message.contains("explicit deny") {
            Some(Refusal::Explicit)
        } else {
            Some(Refusal::Implicit)
        }
    }

    /// Whether a session policy does not fit beside the tags which the session inherits (AWS STS
    /// API Reference, `AssumeRole`).
    pub(crate) fn is_policy_too_large(&self) -> bool {
        self.error.code.starts_with("PackedPolicyTooLarge")
    }

    fn new(code: &str, message: String, class: ErrorClass, advice: RetryAdvice) -> Self {
        Self {
            error: CallError {
                code: code.to_owned(),
                message,
                class,
            },
            advice,
            request_id: None,
        }
    }

    /// A response whose body is not what the protocol says, cut off for instance.
    pub(super) fn unreadable(reason: String) -> Self {
        Self::new(
            "UnreadableResponse",
            reason,
            ErrorClass::Unavailable,
            RetryAdvice::Again,
        )
    }

    /// An answer without the member that it has to have.
    pub(crate) fn incomplete(reason: String) -> Self {
        Self::new(
            "IncompleteAnswer",
            reason,
            ErrorClass::Other,
            RetryAdvice::None,
        )
    }

    /// An account that a chain names and that is not known to be ours: nobody tries to enter it.
    pub(crate) fn outside(account: AccountId) -> Self {
        Self::new(
            "OutsideAccount",
            format!(
                "nobody tried: account {account} is not known to be of this organization; \
                 [[trusted-account]] in the configuration lets it be entered"
            ),
            ErrorClass::Other,
            RetryAdvice::None,
        )
    }

    /// An answer that is longer than any of AWS.
    fn too_large() -> Self {
        Self::new(
            "TooLarge",
            "the answer is larger than 16 MiB, which no answer of AWS is".to_owned(),
            ErrorClass::Other,
            RetryAdvice::None,
        )
    }

    /// A list of more pages than any list of AWS has, or a page token that came twice.
    pub(crate) fn endless() -> Self {
        Self::new(
            "EndlessPages",
            "the service gave a page token twice, or more than 10000 pages".to_owned(),
            ErrorClass::Other,
            RetryAdvice::None,
        )
    }

    /// A question this crate does not ask this way.
    pub(super) fn unsupported(operation: &str) -> Self {
        Self::new(
            "Unsupported",
            format!("{operation} is not asked for as evidence"),
            ErrorClass::Invalid,
            RetryAdvice::None,
        )
    }

    /// An account for which no role is known.
    pub(crate) fn no_role() -> Self {
        Self::new(
            "NoRole",
            "no role is named for the account".to_owned(),
            ErrorClass::Invalid,
            RetryAdvice::None,
        )
    }

    /// Credentials that their source could not give.
    pub(crate) fn no_credentials(error: &CredentialsError) -> Self {
        let no = |code: &str, reason: String| {
            let reason = format!("no credentials: {reason}");
            Self::new(
                code,
                reason,
                ErrorClass::Unavailable,
                RetryAdvice::Reconnect,
            )
        };
        // Whoever gives credentials may be reached again soon.
        if let Some(trouble) = Trouble::of_credentials(error) {
            no(trouble.cause.code(), trouble.to_string())
        } else if is_out_of_reach(error) {
            no("ConnectionFailed", chain(error))
        } else {
            let reason = chain(error);
            // Not what AWS refuses: a resumed run, with new ones, asks again.
            Self::new(
                "NoCredentials",
                reason,
                ErrorClass::Unavailable,
                RetryAdvice::None,
            )
        }
    }

    /// Credentials of which some part cannot be sent.
    pub(crate) fn unusable_credentials(part: &str) -> Self {
        Self::new(
            "UnusableCredentials",
            format!("no credentials: the {part} has characters that no request can carry"),
            ErrorClass::Other,
            RetryAdvice::None,
        )
    }

    pub(super) fn with_request_id(mut self, request_id: Option<String>) -> Self {
        self.request_id = request_id;
        self
    }

    /// What the SDK reports.
    pub(crate) fn from_sdk<E>(error: &SdkError<E, HttpResponse>) -> Self
    where
        E: ProvideErrorMetadata + StdError + Send + Sync + 'static,
    {
        let request_id = error.request_id().map(str::to_owned);
        let status = error
            .raw_response()
            .map(|response| response.status().as_u16());
        let proxy = error
            .raw_response()
            .and_then(|response| response.extension::<ByProxy>());
        let failure = match error {
            SdkError::ServiceError(service) => match service.err().code() {
                Some(code) => {
                    let message = service.err().message().unwrap_or_default().to_owned();
                    Self::from_code(code, message, status.unwrap_or_default())
                }
                None => Self::from_status(status.unwrap_or_default(), proxy),
            },
            _ if is_too_large(error) => Self::too_large(),
            SdkError::ResponseError(_) => Self::from_status(status.unwrap_or_default(), proxy),
            SdkError::TimeoutError(_) => Self::new(
                "Timeout",
                chain(error),
                ErrorClass::Unavailable,
                RetryAdvice::Again,
            ),
            SdkError::DispatchFailure(_) => {
                let (code, reason) = match Trouble::in_causes_of(error) {
                    Some(trouble) => (trouble.cause.code(), trouble.to_string()),
                    None => ("ConnectionFailed", chain(error)),
                };
                Self::new(
                    code,
                    reason,
                    ErrorClass::Unavailable,
                    RetryAdvice::Reconnect,
                )
            }
            _ => Self::new(
                "RequestNotSent",
                chain(error),
                ErrorClass::Invalid,
                RetryAdvice::None,
            ),
        };
        failure.with_request_id(request_id)
    }

    fn from_code(code: &str, message: String, status: u16) -> Self {
        let (class, advice) = of_code(code, &message, status);
        Self::new(code, message, class, advice)
    }

    /// A response that is not of the service's protocol: a proxy's page, or an emulator that does
    /// not know the operation.
    fn from_status(status: u16, proxy: Option<&ByProxy>) -> Self {
        let (class, advice) = of_status(status);
        let by = proxy.map_or(String::new(), |ByProxy(proxy)| {
            format!("; it came through the proxy {proxy}")
        });
        Self::new(
            &format!("Http{status}"),
            format!("the response is not one of this service{by}"),
            class,
            advice,
        )
    }

    /// Refused tokens mean something else where the region has to be enabled first: there, AWS
    /// does not know the account's tokens.
    pub(crate) fn in_region(mut self, region: &Region) -> Self {
        let opt_in = !region
            .partition()
            .default_regions()
            .contains(&region.as_str());
        if opt_in && UNKNOWN_TOKEN.contains(&self.error.code.as_str()) {
            self.error.class = ErrorClass::RegionDisabled;
            self.advice = RetryAdvice::None;
        }
        self
    }
}

/// The causes, outermost first, without repeating one that already says the next.
fn chain(error: &dyn StdError) -> String {
    let mut text = String::new();
    let mut next = error.source();
    while let Some(cause) = next {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            if !text.is_empty() {
                text.push_str(": ");
            }
            text.push_str(&cause_text);
        }
        next = cause.source();
    }
    if text.is_empty() {
        error.to_string()
    } else {
        text
    }
}

/// The token is not known where it was used.
const UNKNOWN_TOKEN: &[&str] = &[
    "UnrecognizedClientException",
    "UnrecognizedClient",
    "InvalidClientTokenId",
    "InvalidClientTokenIdException",
    "AuthFailure",
    "InvalidAccessKeyId",
    "InvalidToken",
];

const EXPIRED: &[&str] = &[
    "ExpiredToken",
    "ExpiredTokenException",
    "RequestExpired",
    "TokenRefreshRequired",
];

/// Permissions do not allow it.
const NOT_PERMITTED: &[&str] = &[
    "AccessDenied",
    "AccessDeniedException",
    "AuthorizationError",
    "AuthorizationErrorException",
    "UnauthorizedOperation",
    "UnauthorizedException",
    "NotAuthorized",
    "NotAuthorizedException",
    "Forbidden",
    "ForbiddenException",
];

/// Refused for another reason.
const DENIED: &[&str] = &[
    "KMSAccessDenied",
    "KMSAccessDeniedException",
    "InsufficientDependencyServiceAccessPermissionException",
    "SubscriptionRequiredException",
    "SubscriptionRequired",
    "AccountProblem",
    "AccountSuspended",
    "MissingAuthenticationToken",
    "MissingAuthenticationTokenException",
    "SignatureDoesNotMatch",
    "InvalidSignatureException",
    "IncompleteSignature",
    "IncompleteSignatureException",
];

const REGION_DISABLED: &[&str] = &[
    "OptInRequired",
    "RegionDisabledException",
    "RegionDisabled",
    "DisabledRegion",
];

const THROTTLED: &[&str] = &[
    "Throttling",
    "ThrottlingException",
    "ThrottledException",
    "Throttled",
    "RequestThrottled",
    "RequestThrottledException",
    "RequestLimitExceeded",
    "TooManyRequests",
    "TooManyRequestsException",
    "BandwidthLimitExceeded",
    "SlowDown",
    "PriorRequestNotComplete",
    "EC2ThrottledException",
    "ProvisionedThroughputExceededException",
    "TransactionInProgressException",
];

const NOT_FOUND: &[&str] = &[
    "NotFound",
    "NotFoundException",
    "ResourceNotFound",
    "ResourceNotFoundException",
    "TrailNotFoundException",
    "NoSuchEntity",
    "NoSuchEntityException",
    "AccountNotFoundException",
    "ParentNotFoundException",
    "OrganizationalUnitNotFoundException",
    "TargetNotFoundException",
    "AWSOrganizationsNotInUseException",
];

const INVALID: &[&str] = &[
    "InvalidParameter",
    "InvalidParameterException",
    "InvalidParameterValue",
    "InvalidParameterValueException",
    "InvalidParameterCombination",
    "InvalidParameterCombinationException",
    "MissingParameter",
    "MissingRequiredParameterException",
    "ValidationError",
    "ValidationException",
    "InvalidInput",
    "InvalidInputException",
    "InvalidNextToken",
    "InvalidNextTokenException",
    "InvalidTrailNameException",
    "CloudTrailARNInvalidException",
    "InvalidArn",
    "InvalidArnException",
    "MalformedQueryString",
    "MalformedInput",
    "SerializationException",
];

const UNAVAILABLE: &[&str] = &[
    "InternalError",
    "InternalErrorException",
    "InternalFailure",
    "InternalServerError",
    "InternalServerException",
    "InternalServiceError",
    "InternalServiceException",
    "InternalServiceFault",
    "ServiceException",
    "ServiceFailure",
    "ServiceUnavailable",
    "ServiceUnavailableException",
    "RequestTimeout",
    "RequestTimeoutException",
    "OperationAborted",
];

/// What an endpoint says that does not know the operation: asking again cannot help.
const UNKNOWN_OPERATION: &[&str] = &[
    "UnknownOperation",
    "UnknownOperationException",
    "InvalidAction",
    "NotImplemented",
    "NotImplementedException",
    "UnsupportedOperationException",
    "UnsupportedOperation",
];

fn of_code(code: &str, message: &str, status: u16) -> (ErrorClass, RetryAdvice) {
    let is = |codes: &[&str]| codes.contains(&code);
    if is(EXPIRED) {
        (ErrorClass::Denied, RetryAdvice::Renew)
    } else if is(UNKNOWN_TOKEN) {
        (ErrorClass::Denied, RetryAdvice::RenewOnce)
    } else if is(NOT_PERMITTED) || is(DENIED) {
        (ErrorClass::Denied, RetryAdvice::None)
    } else if is(REGION_DISABLED) {
        (ErrorClass::RegionDisabled, RetryAdvice::None)
    } else if is(THROTTLED)
        || status == 429
        // A limit on things, not on the rate, has the same code.
        || (matches!(code, "LimitExceeded" | "LimitExceededException")
            && message.to_ascii_lowercase().contains("rate"))
    {
        (ErrorClass::Throttled, RetryAdvice::SlowDown)
    } else if is(NOT_FOUND) {
        (ErrorClass::NotFound, RetryAdvice::None)
    } else if is(INVALID) {
        (ErrorClass::Invalid, RetryAdvice::None)
    } else if is(UNKNOWN_OPERATION) {
        (ErrorClass::Other, RetryAdvice::None)
    } else if is(UNAVAILABLE) {
        (ErrorClass::Unavailable, RetryAdvice::Again)
    } else if status >= 500 {
        of_status(status)
    } else {
        (ErrorClass::Other, RetryAdvice::None)
    }
}

fn of_status(status: u16) -> (ErrorClass, RetryAdvice) {
    match status {
        429 => (ErrorClass::Throttled, RetryAdvice::SlowDown),
        501 => (ErrorClass::Other, RetryAdvice::None),
        401 | 403 => (ErrorClass::Denied, RetryAdvice::None),
        // A success that cannot be read was cut off on the way.
        200..=299 | 408 | 500.. => (ErrorClass::Unavailable, RetryAdvice::Again),
        _ => (ErrorClass::Other, RetryAdvice::None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_have_a_class_and_an_advice() {
        use ErrorClass as Class;
        for (code, message, status, class, advice) in [
            ("AccessDenied", "", 403, Class::Denied, RetryAdvice::None),
            (
                "AuthorizationError",
                "",
                403,
                Class::Denied,
                RetryAdvice::None,
            ),
            (
                "SubscriptionRequiredException",
                "",
                400,
                Class::Denied,
                RetryAdvice::None,
            ),
            ("ExpiredToken", "", 403, Class::Denied, RetryAdvice::Renew),
            (
                "ExpiredTokenException",
                "",
                400,
                Class::Denied,
                RetryAdvice::Renew,
            ),
            (
                "InvalidClientTokenId",
                "",
                403,
                Class::Denied,
                RetryAdvice::RenewOnce,
            ),
            (
                "OptInRequired",
                "",
                403,
                Class::RegionDisabled,
                RetryAdvice::None,
            ),
            (
                "RegionDisabledException",
                "",
                403,
                Class::RegionDisabled,
                RetryAdvice::None,
            ),
            (
                "ThrottlingException",
                "",
                400,
                Class::Throttled,
                RetryAdvice::SlowDown,
            ),
            (
                "TooManyRequestsException",
                "",
                400,
                Class::Throttled,
                RetryAdvice::SlowDown,
            ),
            (
                "LimitExceededException",
                "Rate exceeded",
                400,
                Class::Throttled,
                RetryAdvice::SlowDown,
            ),
            (
                "LimitExceededException",
                "too many filters",
                400,
                Class::Other,
                RetryAdvice::None,
            ),
            ("Whatever", "", 429, Class::Throttled, RetryAdvice::SlowDown),
            (
                "TrailNotFoundException",
                "",
                400,
                Class::NotFound,
                RetryAdvice::None,
            ),
            ("NotFound", "", 404, Class::NotFound, RetryAdvice::None),
            (
                "CloudTrailARNInvalidException",
                "",
                400,
                Class::Invalid,
                RetryAdvice::None,
            ),
            ("InvalidAction", "", 400, Class::Other, RetryAdvice::None),
            (
                "UnknownOperationException",
                "",
                404,
                Class::Other,
                RetryAdvice::None,
            ),
            (
                "InternalFailure",
                "",
                500,
                Class::Unavailable,
                RetryAdvice::Again,
            ),
            ("Whatever", "", 503, Class::Unavailable, RetryAdvice::Again),
            ("Whatever", "", 501, Class::Other, RetryAdvice::None),
            ("Whatever", "", 400, Class::Other, RetryAdvice::None),
        ] {
            assert_eq!(
                of_code(code, message, status),
                (class, advice),
                "{code} {status}"
            );
        }
    }

    #[test]
    fn unknown_tokens_mean_a_disabled_region_where_regions_are_enabled_by_hand() {
        let failure = || Failure::from_code("UnrecognizedClientException", String::new(), 400);
        let disabled = failure().in_region(&Region::new("af-south-1"));
        assert_eq!(disabled.error.class, ErrorClass::RegionDisabled);
        assert_eq!(disabled.advice, RetryAdvice::None);
        let refused = failure().in_region(&Region::new("eu-west-1"));
        assert_eq!(refused.error.class, ErrorClass::Denied);
        assert_eq!(refused.advice, RetryAdvice::RenewOnce);
    }
}
