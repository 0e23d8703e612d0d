//! A stand-in for AWS in tests: every request is answered by a closure, in the protocol of the
//! service it was meant for.

use std::fmt;
use std::sync::{Arc, Mutex};

use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpClient, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use serde_json::{Value, json};
use tokio::sync::Semaphore;

use crate::connection::{ConnectOptions, StaticCredentials, ahead};

/// A request as AWS would see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sent {
    /// Such as `cloudtrail:DescribeTrails`.
    pub(crate) operation: String,
    pub(crate) region: String,
    pub(crate) access_key: String,
    /// JSON, a form, or CBOR written as JSON.
    pub(crate) body: String,
}

impl Sent {
    /// Whether the body holds a text, form encoding undone.
    pub(crate) fn says(&self, text: &str) -> bool {
        self.body
            .replace("%3A", ":")
            .replace("%2F", "/")
            .contains(text)
    }
}

/// What to answer.
#[derive(Debug, Clone)]
pub(crate) enum Reply {
    /// A success, in the protocol of the service.
    Answer(Value),
    /// A success of the query protocol: the inside of the result element.
    Xml(&'static str),
    /// A success of the query protocol, made for the occasion.
    OwnedXml(String),
    /// An error, in the protocol of the service.
    Error(u16, &'static str, &'static str),
    /// Something that is not of the service.
    Raw(u16, &'static str),
    /// No answer at all.
    Disconnected,
    /// An answer once there is a permit.
    Later(Arc<Semaphore>, Box<Self>),
}

/// What was sent, in order.
pub(crate) type Journal = Arc<Mutex<Vec<Sent>>>;

/// A connection on which a closure answers, and what was sent on it.
pub(crate) fn connection(
    answer: impl Fn(&Sent) -> Reply + Send + Sync + 'static,
) -> (ConnectOptions, Journal) {
    let journal = Journal::default();
    let network = Network {
        answer: Arc::new(answer),
        journal: Arc::clone(&journal),
    };
    let options = ConnectOptions {
        network: Some(network.client()),
        ..caller_at("http://aws.test")
    };
    (options, journal)
}

/// A caller to whom all services are at one address.
pub(crate) fn caller_at(endpoint_url: &str) -> ConnectOptions {
    ConnectOptions {
        region: Some("us-east-1".to_owned()),
        endpoint_url: Some(endpoint_url.to_owned()),
        credentials: Some(StaticCredentials {
            access_key_id: "CALLER".to_owned(),
            secret_access_key: "secret".to_owned(),
            session_token: None,
        }),
        ..ConnectOptions::default()
    }
}

#[derive(Clone)]
struct Network {
    answer: Arc<dyn Fn(&Sent) -> Reply + Send + Sync>,
    journal: Journal,
}

impl fmt::Debug for Network {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Network")
    }
}

impl Network {
    fn client(self) -> SharedHttpClient {
        http_client_fn(move |_, _| SharedHttpConnector::new(self.clone()))
    }
}

impl HttpConnector for Network {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        if ahead::is_wanted_alone() {
            let reason = "there are no connections".into();
            return HttpConnectorFuture::ready(Err(ConnectorError::other(reason, None)));
        }
        let sent = read(&request);
        self.journal.lock().unwrap().push(sent.clone());
        match (self.answer)(&sent) {
            Reply::Later(when, reply) => HttpConnectorFuture::new(async move {
                let _permit = when.acquire().await;
                write(&sent, *reply)
            }),
            reply => HttpConnectorFuture::ready(write(&sent, reply)),
        }
    }
}

fn read(request: &HttpRequest) -> Sent {
    let authorization = request.headers().get("authorization").unwrap_or_default();
    let scope = authorization
        .split("Credential=")
        .nth(1)
        .and_then(|rest| rest.split(',').next())
        .unwrap_or_default();
    let mut scope = scope.split('/');
    let access_key = scope.next().unwrap_or_default().to_owned();
    let region = scope.nth(1).unwrap_or_default().to_owned();
    let service = match scope.next().unwrap_or_default() {
        "monitoring" => "cloudwatch",
        other => other,
    };
    let bytes = request.body().bytes().unwrap_or_default();
    let path = request.uri().split('/').next_back().unwrap_or_default();
    let (name, body) = if let Some(target) = request.headers().get("x-amz-target") {
        let name = target.split('.').next_back().unwrap_or_default();
        (name.to_owned(), text(bytes))
    } else if service == "cloudwatch" {
        let body = crate::calls::cbor_to_json(bytes).unwrap_or_default();
        (path.to_owned(), body.to_string())
    } else if service == "account" {
        ("ListRegions".to_owned(), text(bytes))
    } else if service == "oam" {
        (path.to_owned(), text(bytes))
    } else {
        let form = text(bytes);
        let action = form
            .split('&')
            .find_map(|field| field.strip_prefix("Action="));
        (action.unwrap_or_default().to_owned(), form)
    };
    Sent {
        operation: format!("{service}:{name}"),
        region,
        access_key,
        body,
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn write(sent: &Sent, reply: Reply) -> Result<HttpResponse, ConnectorError> {
    let service = sent.operation.split(':').next().unwrap_or_default();
    let name = sent.operation.split(':').nth(1).unwrap_or_default();
    let (status, body) = match reply {
        Reply::Later(_, reply) => return write(sent, *reply),
        Reply::Disconnected => {
            return Err(ConnectorError::io("connection refused".into()));
        }
        Reply::Raw(status, body) => (status, body.as_bytes().to_vec()),
        Reply::Answer(value) if service == "cloudwatch" => (200, cbor(&value)),
        Reply::Answer(value) => (200, value.to_string().into_bytes()),
        Reply::Xml(inside) => (200, result(name, inside)),
        Reply::OwnedXml(inside) => (200, result(name, &inside)),
        Reply::Error(status, code, message) => match service {
            "cloudwatch" => (
                status,
                cbor(
                    &json!({"__type": format!("com.amazonaws.cloudwatch#{code}"), "message": message}),
                ),
            ),
            "sts" | "sns" => (
                status,
                format!(
                    "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code>\
                     <Message>{message}</Message></Error><RequestId>r</RequestId></ErrorResponse>"
                )
                .into_bytes(),
            ),
            _ => (
                status,
                json!({"__type": code, "message": message})
                    .to_string()
                    .into_bytes(),
            ),
        },
    };
    let mut response = HttpResponse::new(status.try_into().unwrap(), SdkBody::from(body));
    if service == "cloudwatch" {
        response
            .headers_mut()
            .insert("smithy-protocol", "rpc-v2-cbor");
        response
            .headers_mut()
            .insert("content-type", "application/cbor");
    }
    response
        .headers_mut()
        .insert("x-amzn-requestid", "request-1");
    Ok(response)
}

fn result(name: &str, inside: &str) -> Vec<u8> {
    format!(
        "<{name}Response><{name}Result>{inside}</{name}Result>\
         <ResponseMetadata><RequestId>request-1</RequestId></ResponseMetadata></{name}Response>"
    )
    .into_bytes()
}

fn cbor(value: &Value) -> Vec<u8> {
    fn put(encoder: &mut minicbor::Encoder<Vec<u8>>, value: &Value) {
        match value {
            Value::Null => drop(encoder.null()),
            Value::Bool(bool) => drop(encoder.bool(*bool)),
            Value::Number(number) => match number.as_i64() {
                Some(whole) => drop(encoder.i64(whole)),
                None => drop(encoder.f64(number.as_f64().unwrap())),
            },
            Value::String(text) => drop(encoder.str(text)),
            Value::Array(items) => {
                drop(encoder.begin_array());
                for item in items {
                    put(encoder, item);
                }
                drop(encoder.end());
            }
            Value::Object(members) => {
                drop(encoder.begin_map());
                for (name, member) in members {
                    drop(encoder.str(name));
                    put(encoder, member);
                }
                drop(encoder.end());
            }
        }
    }
    let mut encoder = minicbor::Encoder::new(Vec::new());
    put(&mut encoder, value);
    encoder.into_writer()
}

/// The answer to `sts:AssumeRole`: credentials whose access key names the account of the role.
pub(crate) fn assumed(sent: &Sent, expires: &str) -> Reply {
    let account = sent
        .body
        .split("iam%3A%3A")
        .nth(1)
        .and_then(|rest| rest.get(..12))
        .unwrap_or_default();
    Reply::OwnedXml(format!(
        "<Credentials><AccessKeyId>MEMBER{account}</AccessKeyId>\
         <SecretAccessKey>TOPSECRET</SecretAccessKey><SessionToken>TOPSECRET</SessionToken>\
         <Expiration>{expires}</Expiration></Credentials><AssumedRoleUser>\
         <Arn>arn:aws:sts::{account}:assumed-role/Audit/trailproof</Arn>\
         <AssumedRoleId>AROA:trailproof</AssumedRoleId></AssumedRoleUser>"
    ))
}

/// The answer to `sts:GetCallerIdentity`.
pub(crate) const IDENTITY: Reply = Reply::Xml(
    "<Arn>arn:aws:iam::111111111111:user/auditor</Arn><UserId>AIDA</UserId>\
     <Account>111111111111</Account>",
);
