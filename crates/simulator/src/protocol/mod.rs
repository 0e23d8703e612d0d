//! The wire protocols of AWS: which operation a request asks for, with what parameters, and how
//! an answer or an error is written. What operations do is elsewhere.

mod cbor;
mod json;
mod query;

use hyper::body::Bytes;
use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use serde_json::{Map, Value};

use crate::document::Structure;
use crate::failure::Failure;
use crate::operation::{Operation, Service};

/// How a request is written, and how its answer must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Protocol {
    /// `awsJson1_0`.
    Json10,
    /// `awsJson1_1`.
    Json11,
    /// `restJson1`.
    RestJson,
    /// `awsQuery`.
    Query,
    /// Smithy's `rpc-v2-cbor`.
    Cbor,
}

/// Who signed a request, for where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Signature<'a> {
    pub(crate) access_key: &'a str,
    pub(crate) region: &'a str,
    pub(crate) service: &'a str,
}

impl<'a> Signature<'a> {
    /// Reads `Authorization: AWS4-HMAC-SHA256 Credential=KEY/DATE/REGION/SERVICE/aws4_request,`.
    pub(crate) fn read(headers: &'a HeaderMap) -> Option<Self> {
        let value = headers.get(hyper::header::AUTHORIZATION)?.to_str().ok()?;
        let (_, credential) = value.split_once("Credential=")?;
        let mut parts = credential.split(',').next()?.split('/');
        let access_key = parts.next()?;
        let (_date, region, service) = (parts.next()?, parts.next()?, parts.next()?);
        Some(Self {
            access_key,
            region,
            service,
        })
    }
}

/// A request that is understood.
#[derive(Debug)]
pub(crate) struct Incoming {
    pub(crate) operation: Operation,
    pub(crate) protocol: Protocol,
    pub(crate) parameters: Value,
}

/// A request that is not: how its error must be written, and the error.
#[derive(Debug)]
pub(crate) struct Misunderstood {
    pub(crate) protocol: Protocol,
    pub(crate) service: Service,
    pub(crate) failure: Failure,
}

const CBOR_PATH: &str = "/service/GraniteServiceVersion20100801/operation/";
const TARGETS: [(&str, Service); 6] = [
    ("AWSOrganizationsV20161128", Service::Organizations),
    (
        "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101",
        Service::CloudTrail,
    ),
    ("Logs_20140328", Service::Logs),
    ("GraniteServiceVersion20100801", Service::CloudWatch),
    ("TrentService", Service::Kms),
    ("AWSEvents", Service::Events),
];

/// Understands a request.
pub(crate) fn read(
    path: &str,
    headers: &HeaderMap,
    signature: Option<Signature<'_>>,
    body: &[u8],
) -> Result<Incoming, Misunderstood> {
    if let Some(name) = path.strip_prefix(CBOR_PATH) {
        return incoming(Service::CloudWatch, Protocol::Cbor, name, || {
            cbor::read(body)
        });
    }
    let target = headers
        .get("x-amz-target")
        .and_then(|target| target.to_str().ok())
        .and_then(|target| target.rsplit_once('.'));
    if let Some((prefix, name)) = target {
        // Other names of the same targets are in use: only the last part counts.
        let service = TARGETS.iter().find(|(target, _)| {
            *target == prefix || target.rsplit('.').next() == prefix.rsplit('.').next()
        });
        if let Some((_, service)) = service {
            let protocol = if *service == Service::CloudWatch {
                Protocol::Json10
            } else {
                Protocol::Json11
            };
            return incoming(*service, protocol, name, || json::read(body));
        }
    }
    let of_account = match path {
        "/listRegions" => Some("ListRegions"),
        "/getAlternateContact" => Some("GetAlternateContact"),
        _ => None,
    };
    if let Some(name) = of_account {
        return incoming(Service::Account, Protocol::RestJson, name, || {
            json::read(body)
        });
    }
    if signature.is_some_and(|signature| signature.service == "oam") {
        let name = path.trim_start_matches('/');
        return incoming(Service::Oam, Protocol::RestJson, name, || json::read(body));
    }
    if signature.is_some_and(|signature| signature.service == "observabilityadmin") {
        let name = path.trim_start_matches('/');
        return incoming(
            Service::ObservabilityAdmin,
            Protocol::RestJson,
            name,
            || json::read(body),
        );
    }
    if signature.is_some_and(|signature| signature.service == "securityhub") {
        let name = match path {
            "/findings" => "GetFindings",
            "/findings/import" => "BatchImportFindings",
            other => other,
        };
        return incoming(Service::SecurityHub, Protocol::RestJson, name, || {
            json::read(body)
        });
    }
    let service = match signature.map(|signature| signature.service) {
        Some("sns") => Service::Sns,
        Some("monitoring") => Service::CloudWatch,
        _ => Service::Sts,
    };
    let mut parameters = query::read(body);
    let name = parameters
        .remove("Action")
        .and_then(|name| name.as_str().map(str::to_owned))
        .unwrap_or_default();
    incoming(service, Protocol::Query, &name, || {
        Some(Value::Object(parameters))
    })
}

fn incoming(
    service: Service,
    protocol: Protocol,
    name: &str,
    parameters: impl FnOnce() -> Option<Value>,
) -> Result<Incoming, Misunderstood> {
    let misunderstood = |failure| Misunderstood {
        protocol,
        service,
        failure,
    };
    let operation = Operation::named(service, name).ok_or_else(|| {
        misunderstood(match protocol {
            Protocol::Query => Failure::invalid(
                "InvalidAction",
                format!("Could not find operation {name} for this service"),
            ),
            _ => Failure::invalid("UnknownOperationException", String::new()),
        })
    })?;
    let parameters = parameters().ok_or_else(|| {
        misunderstood(Failure::invalid(
            "SerializationException",
            "the body of the request cannot be read",
        ))
    })?;
    Ok(Incoming {
        operation,
        protocol,
        parameters,
    })
}

/// An answer ready to be sent.
#[derive(Debug)]
pub(crate) struct Outgoing {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
    pub(crate) body: Bytes,
}

const X_AMZN_ERROR_TYPE: HeaderName = HeaderName::from_static("x-amzn-errortype");
const X_AMZN_QUERY_ERROR: HeaderName = HeaderName::from_static("x-amzn-query-error");
const SMITHY_PROTOCOL: HeaderName = HeaderName::from_static("smithy-protocol");

/// Writes what an operation answers.
pub(crate) fn write(
    operation: Operation,
    protocol: Protocol,
    answer: &Structure,
    request_id: &str,
) -> Outgoing {
    let body = match protocol {
        Protocol::Json10 | Protocol::Json11 | Protocol::RestJson => json::write(answer),
        Protocol::Query => query::write(operation, answer, request_id),
        Protocol::Cbor => cbor::write(answer),
    };
    Outgoing {
        status: 200,
        headers: headers(protocol, request_id),
        body: body.into(),
    }
}

/// Writes an error.
pub(crate) fn write_failure(
    service: Service,
    protocol: Protocol,
    failure: &Failure,
    request_id: &str,
) -> Outgoing {
    let mut headers = headers(protocol, request_id);
    let fault = if failure.status >= 500 {
        "Receiver"
    } else {
        "Sender"
    };
    // Clients that knew CloudWatch when it spoke awsQuery find the code of then in a header.
    let query_code = format!("{};{fault}", failure.code);
    let compatible = service == Service::CloudWatch;
    let body = match protocol {
        Protocol::Json10 | Protocol::Json11 => json::write_failure(failure),
        Protocol::RestJson => {
            headers.extend(header(X_AMZN_ERROR_TYPE, failure.code));
            json::write_failure(failure)
        }
        Protocol::Query => query::write_failure(service, failure, fault, request_id),
        Protocol::Cbor => cbor::write_failure(failure),
    };
    if compatible && matches!(protocol, Protocol::Json10 | Protocol::Cbor) {
        headers.extend(header(X_AMZN_QUERY_ERROR, &query_code));
    }
    Outgoing {
        status: failure.status,
        headers,
        body: body.into(),
    }
}

fn headers(protocol: Protocol, request_id: &str) -> Vec<(HeaderName, HeaderValue)> {
    let content_type = match protocol {
        Protocol::Json10 => "application/x-amz-json-1.0",
        Protocol::Json11 => "application/x-amz-json-1.1",
        Protocol::RestJson => "application/json",
        Protocol::Query => "text/xml",
        Protocol::Cbor => "application/cbor",
    };
    let mut headers = vec![(
        hyper::header::CONTENT_TYPE,
        HeaderValue::from_static(content_type),
    )];
    headers.extend(header(
        HeaderName::from_static("x-amzn-requestid"),
        request_id,
    ));
    if protocol == Protocol::Cbor {
        headers.push((SMITHY_PROTOCOL, HeaderValue::from_static("rpc-v2-cbor")));
    }
    headers
}

fn header(name: HeaderName, value: &str) -> Option<(HeaderName, HeaderValue)> {
    Some((name, HeaderValue::from_str(value).ok()?))
}

/// The parameters of a request without a body.
fn none() -> Value {
    Value::Object(Map::new())
}
