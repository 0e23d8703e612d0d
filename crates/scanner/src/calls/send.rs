//! Sending one request: with its own credentials, and keeping what AWS answered.
//!
//! The SDK can give a call a configuration of its own, but makes it anew for each call, which costs
//! a fifteenth of it. Here a client is shared by every call of a region, and its credentials provider
//! takes a call's credentials from the task that makes it.

use std::error::Error;

use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, future};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use aws_types::request_id::RequestId;

use super::body::{Encoding, decode};
use super::classify::Failure;
use super::{Answer, Target};
use crate::connection::as_sent::taken;

tokio::task_local! {
    static CREDENTIALS: Credentials;
}

/// What the SDK makes of an answer.
pub(crate) type Received<O, E> = Result<O, SdkError<E, HttpResponse>>;

/// Sends a request with the target's credentials.
fn send<O, E>(
    target: &Target,
    request: impl Future<Output = Received<O, E>>,
) -> impl Future<Output = Received<O, E>> {
    // The SDK's futures are large, and would be moved with every future that they are part of.
    CREDENTIALS.scope(target.credentials.clone(), Box::pin(request))
}

/// Sends a request and reads the answer from what the SDK made of it.
pub(crate) fn typed<O, E>(
    target: &Target,
    request: impl Future<Output = Received<O, E>>,
) -> impl Future<Output = Result<O, Failure>>
where
    E: ProvideErrorMetadata + Error + Send + Sync + 'static,
{
    let sent = send(target, request);
    async { sent.await.map_err(|error| Failure::from_sdk(&error)) }
}

/// Sends a request and takes the answer as the service sent it, past the SDK's types: members that
/// this SDK does not know stay in evidence, and a member it reads differently does not lose the
/// answer.
pub(super) fn as_sent<O, E>(
    target: &Target,
    encoding: Encoding,
    request: impl Future<Output = Received<O, E>>,
) -> impl Future<Output = Result<Answer, Failure>>
where
    O: RequestId,
    E: ProvideErrorMetadata + Error + Send + Sync + 'static,
{
    let sent = taken(encoding.empty(), send(target, request));
    async move {
        let (received, body) = sent.await;
        let request_id = match &received {
            Ok(output) => output.request_id(),
            Err(error) => error.request_id(),
        }
        .map(str::to_owned);
        match (received, body) {
            // Only bodies of successes are taken; what the SDK makes of an empty one does not matter.
            (_, Some(body)) => match decode(encoding, &body) {
                Ok(body) => Ok(Answer { body, request_id }),
                Err(reason) => Err(Failure::unreadable(reason).with_request_id(request_id)),
            },
            (Ok(_), None) => {
                let failure = Failure::unreadable("the response has no body".to_owned());
                Err(failure.with_request_id(request_id))
            }
            (Err(error), None) => Err(Failure::from_sdk(&error)),
        }
    }
}

/// Provides the credentials of the call at hand.
#[derive(Debug)]
pub(super) struct CallCredentials;

impl ProvideCredentials for CallCredentials {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        let credentials = CREDENTIALS
            .try_with(Clone::clone)
            .map_err(CredentialsError::not_loaded);
        future::ProvideCredentials::ready(credentials)
    }
}
