//! Reading the body of an answer.

use serde_json::{Map, Value};

use super::cbor;

/// How a service writes its answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    Json,
    Cbor,
}

pub(super) fn decode(encoding: Encoding, body: &[u8]) -> Result<Value, String> {
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
