//! `awsJson1_0`, `awsJson1_1` and `restJson1`: times are numbers of seconds.

use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::{Value, json};

use crate::document::{Document, Structure};
use crate::failure::Failure;

pub(super) fn read(body: &[u8]) -> Option<Value> {
    if body.is_empty() {
        return Some(super::none());
    }
    serde_json::from_slice(body).ok()
}

pub(super) fn write(answer: &Structure) -> Vec<u8> {
    serde_json::to_vec(answer).unwrap_or_default()
}

pub(super) fn write_failure(failure: &Failure) -> Vec<u8> {
    json!({ "__type": failure.code, "message": failure.message })
        .to_string()
        .into_bytes()
}

impl Serialize for Structure {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.members().len()))?;
        for (name, value) in self.members() {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

impl Serialize for Document {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Bool(value) => serializer.serialize_bool(*value),
            Self::Integer(value) => serializer.serialize_i64(*value),
            Self::Float(value) => serializer.serialize_f64(*value),
            Self::Text(text) => serializer.serialize_str(text),
            Self::Time(time) => serializer.serialize_f64(super::cbor::seconds(*time)),
            Self::List(items) => items.serialize(serializer),
            Self::Structure(structure) => structure.serialize(serializer),
            Self::Map(entries) => {
                let mut map = serializer.serialize_map(Some(entries.len()))?;
                for (key, value) in entries {
                    map.serialize_entry(key, value)?;
                }
                map.end()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_seconds() {
        let time: jiff::Timestamp = "2026-11-22T22:00:00.25Z".parse().unwrap();
        let answer = Structure::new()
            .with("Name", "a \"quoted\" name\n")
            .with("Time", time)
            .with("Threshold", 1.0)
            .with(
                "Attributes",
                Document::Map(vec![("k".to_owned(), "v".into())]),
            )
            .with("List", Document::from_iter([true, false]));
        assert_eq!(
            String::from_utf8(write(&answer)).unwrap(),
            r#"{"Name":"a \"quoted\" name\n","Time":1795384800.25,"Threshold":1.0,"Attributes":{"k":"v"},"List":[true,false]}"#
        );
    }

    #[test]
    fn an_empty_body_has_no_parameters() {
        assert_eq!(read(b""), Some(json!({})));
        assert_eq!(read(b"{\"a\":1}"), Some(json!({"a": 1})));
        assert_eq!(read(b"{"), None);
    }
}
