//! Reading the body of an answer.

use serde_json::{Map, Value};

use super::cbor;

/// How a service writes its answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    Json,
    Cbor,
}

impl Encoding {
    /// An answer that says nothing.
    pub(super) fn empty(self) -> &'static [u8] {
        match self {
            Self::Json => b"{}",
            // A map without members.
            Self::Cbor => b"\xa0",
        }
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nesting_has_an_end() {
        let json = format!("{{\"a\":{}", "[".repeat(1 << 20));
        let cbor = [&b"\xa1\x61a"[..], &b"\x81".repeat(1 << 20)].concat();
        for (encoding, body) in [(Encoding::Json, json.into_bytes()), (Encoding::Cbor, cbor)] {
            let refused = decode(encoding, &body);
            assert!(refused.is_err(), "{encoding:?}");
        }
        let usual = format!("{{\"a\":{}{}}}", "[".repeat(60), "]".repeat(60));
        assert!(decode(Encoding::Json, usual.as_bytes()).is_ok());
    }
}
