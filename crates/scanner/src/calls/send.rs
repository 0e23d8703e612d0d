//! Sending one request: with its own credentials, and keeping what AWS answered.
//!
//! The SDK can give a call a configuration of its own, but makes it anew for each call, which costs
//! a fifteenth of it. Here a client is shared by every call of a region, and what is one call's
//! alone is held by the task that makes it: the client's credentials provider takes the credentials
//! from there, and its interceptor leaves the body there.

use std::cell::RefCell;
use std::error::Error;

use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, future};
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::AfterDeserializationInterceptorContextRef;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use aws_types::request_id::RequestId;

use super::body::{Encoding, decode};
use super::classify::Failure;
use super::{Answer, Target};

tokio::task_local! {
    static CALL: Call;
}

/// What is one call's alone.
struct Call {
    credentials: Credentials,
    /// The body of a successful response.
    body: RefCell<Option<Vec<u8>>>,
}

/// What the SDK makes of an answer.
pub(crate) type Received<O, E> = Result<O, SdkError<E, HttpResponse>>;

/// Sends a request with the target's credentials. Also gives the body of a successful response.
fn send<O, E>(
    target: &Target,
    request: impl Future<Output = Received<O, E>>,
) -> impl Future<Output = (Received<O, E>, Option<Vec<u8>>)> {
    let call = Call {
        credentials: target.credentials.clone(),
        body: RefCell::default(),
    };
    // The SDK's futures are large, and would be moved with every future that they are part of.
    let request = Box::pin(request);
    CALL.scope(call, async {
        let received = request.await;
        (received, CALL.with(|call| call.body.take()))
    })
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
    async { sent.await.0.map_err(|error| Failure::from_sdk(&error)) }
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
    let sent = send(target, request);
    async move {
        let (received, body) = sent.await;
        let request_id = match &received {
            Ok(output) => output.request_id(),
            Err(error) => error.request_id(),
        }
        .map(str::to_owned);
        match (received, body) {
            // Only bodies of successes are kept: with one, what the SDK made of it does not matter.
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
        let credentials = CALL
            .try_with(|call| call.credentials.clone())
            .map_err(CredentialsError::not_loaded);
        future::ProvideCredentials::ready(credentials)
    }
}

/// Keeps the body of a successful response for the call at hand.
#[derive(Debug)]
pub(super) struct KeepBody;

#[aws_smithy_runtime_api::client::interceptors::dyn_dispatch_hint]
impl Intercept for KeepBody {
    fn name(&self) -> &'static str {
        "KeepBody"
    }

    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _runtime_components: &RuntimeComponents,
        _cfg: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let response = context.response();
        if response.status().is_success() {
            let body = response.body().bytes().map(<[u8]>::to_vec);
            CALL.try_with(|call| call.body.replace(body))?;
        }
        Ok(())
    }
}
