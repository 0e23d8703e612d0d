//! Taking the answer as the service sent it, past the SDK's types: members that this SDK does not
//! know stay in evidence, and a member it reads differently does not lose the answer.

use std::sync::{Arc, Mutex, PoisonError};

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::AfterDeserializationInterceptorContextRef;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use aws_types::request_id::RequestId;
use serde_json::{Map, Value};

use super::classify::Failure;
use super::{Answer, cbor};

/// How a service writes its answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    Json,
    Cbor,
}

/// Keeps the body of a successful response.
#[derive(Debug, Clone, Default)]
pub(super) struct Capture(Arc<Mutex<Option<Vec<u8>>>>);

impl Capture {
    fn take(&self) -> Option<Vec<u8>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// The answer of a finished call.
    pub(super) fn answer<O, E>(
        &self,
        encoding: Encoding,
        result: Result<O, SdkError<E, HttpResponse>>,
    ) -> Result<Answer, Failure>
    where
        O: RequestId,
        E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    {
        let request_id = match &result {
            Ok(output) => output.request_id(),
            Err(error) => error.request_id(),
        }
        .map(str::to_owned);
        let body = self.take();
        match (result, body) {
            // Only bodies of successes are kept: with one, what the SDK made of it does not
            // matter.
            (_, Some(body)) => {
                let body = decode(encoding, &body).map_err(|reason| {
                    Failure::unreadable(reason).with_request_id(request_id.clone())
                })?;
                Ok(Answer { body, request_id })
            }
            (Ok(_), None) => Err(Failure::unreadable("the response has no body".to_owned())
                .with_request_id(request_id)),
            (Err(error), None) => Err(Failure::from_sdk(&error)),
        }
    }
}

fn decode(encoding: Encoding, body: &[u8]) -> Result<Value, String> {
    let value = match encoding {
        // An operation without anything to say may answer nothing at all.
        _ if body.is_empty() => Value::Object(Map::new()),
        Encoding::Json => serde_json::from_slice(body).map_err(|error| error.to_string())?,
        Encoding::Cbor => cbor::to_json(body)?,
    };
    if value.is_object() {
        Ok(value)
    } else {
        Err("the response is not an object".to_owned())
    }
}

#[aws_smithy_runtime_api::client::interceptors::dyn_dispatch_hint]
impl Intercept for Capture {
    fn name(&self) -> &'static str {
        "Capture"
    }

    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _runtime_components: &RuntimeComponents,
        _cfg: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let response = context.response();
        if response.status().is_success() {
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) =
                response.body().bytes().map(<[u8]>::to_vec);
        }
        Ok(())
    }
}

/// Sends a request with the target's region and credentials and keeps the body of the response.
///
/// The credentials are held by the session already: a cache of identities, which the SDK would
/// otherwise set up for every call, has nothing to do.
macro_rules! send_captured {
    ($encoding:expr, $sdk:ident, $target:expr, $request:expr) => {{
        let capture = $crate::calls::body::Capture::default();
        let settings = $sdk::config::Builder::new()
            .region($sdk::config::Region::new(
                $target.region.as_str().to_owned(),
            ))
            .credentials_provider($target.credentials.clone())
            .identity_cache($sdk::config::IdentityCache::no_cache());
        let result = $request
            .customize()
            .config_override(settings)
            .interceptor(capture.clone())
            .send()
            .await;
        capture.answer($encoding, result)
    }};
}

/// Sends a request with the target's region and credentials.
macro_rules! send_typed {
    ($sdk:ident, $target:expr, $request:expr) => {{
        let settings = $sdk::config::Builder::new()
            .region($sdk::config::Region::new(
                $target.region.as_str().to_owned(),
            ))
            .credentials_provider($target.credentials.clone())
            .identity_cache($sdk::config::IdentityCache::no_cache());
        $request
            .customize()
            .config_override(settings)
            .send()
            .await
            .map_err(|error| $crate::calls::classify::Failure::from_sdk(&error))
    }};
}

pub(super) use {send_captured, send_typed};
