//! Answers as they were sent: taken before the SDK reads them.
//!
//! Evidence has what AWS sent, not what the types of this SDK keep of it. Reading each answer in both
//! ways would cost twice; so its body is taken where it arrives, and the SDK reads an empty one.

use std::cell::RefCell;

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use futures::stream;
use http_body_util::{BodyExt as _, StreamBody};

tokio::task_local! {
    /// There while a call is made whose answer is taken.
    static CALL: Call;
}

struct Call {
    /// What the SDK reads in place of the answer.
    empty: &'static [u8],
    body: RefCell<Option<Vec<u8>>>,
}

/// Makes a call with the SDK, which reads an empty body where the answer is a success; also gives the
/// body that was sent.
pub(crate) fn taken<T>(
    empty: &'static [u8],
    call: impl Future<Output = T>,
) -> impl Future<Output = (T, Option<Vec<u8>>)> {
    let at_hand = Call {
        empty,
        body: RefCell::default(),
    };
    CALL.scope(at_hand, async {
        let received = call.await;
        (received, CALL.with(|call| call.body.take()))
    })
}

/// A client whose answers can be taken.
pub(super) fn client(inner: SharedHttpClient) -> SharedHttpClient {
    SharedHttpClient::new(Client(inner))
}

#[derive(Debug)]
struct Client(SharedHttpClient);

impl HttpClient for Client {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(Connector(self.0.http_connector(settings, components)))
    }
}

#[derive(Debug)]
struct Connector(SharedHttpConnector);

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let answer = self.0.call(request);
        if CALL.try_with(|_| ()).is_err() {
            return answer;
        }
        HttpConnectorFuture::new(async {
            let mut response = answer.await?;
            if response.status().is_success() {
                take_body(&mut response).await;
            }
            Ok(response)
        })
    }
}

async fn take_body(response: &mut HttpResponse) {
    let sent = response.take_body().collect().await;
    // It speaks of the body that was sent.
    response.headers_mut().remove("content-length");
    *response.body_mut() = match sent {
        Ok(body) => CALL.with(|call| {
            call.body.replace(Some(body.to_bytes().into()));
            SdkBody::from(call.empty)
        }),
        // The SDK finds what would have kept it from reading the answer.
        Err(error) => SdkBody::from_body_1_x(StreamBody::new(stream::iter([Err(error)]))),
    };
}

#[cfg(test)]
mod tests {
    use aws_smithy_runtime_api::client::http::http_client_fn;
    use aws_smithy_runtime_api::client::runtime_components::RuntimeComponentsBuilder;
    use aws_smithy_runtime_api::http::StatusCode;

    use super::*;

    /// Answers with a status, and with a body or its failure.
    #[derive(Debug, Clone)]
    struct Service(u16, Result<&'static str, &'static str>);

    impl HttpConnector for Service {
        fn call(&self, _: HttpRequest) -> HttpConnectorFuture {
            let body = match self.1 {
                Ok(text) => SdkBody::from(text),
                Err(error) => SdkBody::from_body_1_x(StreamBody::new(stream::iter([Err(error)]))),
            };
            let status = StatusCode::try_from(self.0).unwrap();
            let mut response = HttpResponse::new(status, body);
            response.headers_mut().insert("content-length", "17");
            HttpConnectorFuture::ready(Ok(response))
        }
    }

    fn connector(service: Service) -> SharedHttpConnector {
        let inner = http_client_fn(move |_, _| SharedHttpConnector::new(service.clone()));
        let components = RuntimeComponentsBuilder::for_tests().build().unwrap();
        client(inner).http_connector(&HttpConnectorSettings::default(), &components)
    }

    /// What a call reads: the length that it is told, and the body or why it cannot be read.
    async fn read(connector: &SharedHttpConnector) -> (Option<String>, Result<String, String>) {
        let mut response = connector.call(HttpRequest::empty()).await.unwrap();
        let length = response.headers().get("content-length").map(str::to_owned);
        let body = response.take_body().collect().await;
        let text = body.map(|body| String::from_utf8(body.to_bytes().to_vec()).unwrap());
        (length, text.map_err(|error| error.to_string()))
    }

    #[tokio::test]
    async fn successes_are_taken_and_leave_nothing_to_read() {
        let connector = connector(Service(200, Ok("{\"trailList\": []}")));
        let (read_of, body) = taken(b"{}", read(&connector)).await;
        assert_eq!(read_of, (None, Ok("{}".to_owned())));
        assert_eq!(body.unwrap(), b"{\"trailList\": []}");
        // Whoever does not take the answer reads it.
        let (length, text) = read(&connector).await;
        assert_eq!(length.as_deref(), Some("17"));
        assert_eq!(text.unwrap(), "{\"trailList\": []}");
    }

    #[tokio::test]
    async fn errors_and_what_cannot_be_read_are_left_to_the_sdk() {
        for (service, expected) in [
            (Service(400, Ok("denied")), Ok("denied")),
            (Service(200, Err("too long")), Err("too long")),
        ] {
            let connector = connector(service);
            let ((_, text), body) = taken(b"{}", read(&connector)).await;
            assert_eq!(text.as_deref().map_err(String::as_str), expected);
            assert_eq!(body, None);
        }
    }
}
