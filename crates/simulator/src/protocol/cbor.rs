//! smithy rpc-v2-cbor: maps of texts, times tagged as seconds, numbers by their kind.

use jiff::Timestamp;
use minicbor::data::{IanaTag, Type};
use minicbor::{Decoder, Encoder};
use serde_json::{Map, Number, Value};

use crate::document::{Document, Structure};
use crate::failure::Failure;

/// Nothing that a client sends here is nested deeper.
const DEPTH: usize = 16;

pub(super) fn read(body: &[u8]) -> Option<Value> {
    if body.is_empty() {
        return Some(super::none());
    }
    value(&mut Decoder::new(body), DEPTH)
}

fn value(decoder: &mut Decoder<'_>, depth: usize) -> Option<Value> {
    let depth = depth.checked_sub(1)?;
    Some(match decoder.datatype().ok()? {
        Type::Bool => decoder.bool().ok()?.into(),
        Type::Null => {
            decoder.null().ok()?;
            Value::Null
        }
        Type::Undefined => {
            decoder.undefined().ok()?;
            Value::Null
        }
        Type::U8
        | Type::U16
        | Type::U32
        | Type::U64
        | Type::I8
        | Type::I16
        | Type::I32
        | Type::I64 => decoder.i64().ok()?.into(),
        Type::F16 | Type::F32 | Type::F64 => {
            Number::from_f64(decoder.f64().ok()?).map_or(Value::Null, Value::Number)
        }
        Type::String | Type::StringIndef => {
            let mut text = String::new();
            for part in decoder.str_iter().ok()? {
                text.push_str(part.ok()?);
            }
            text.into()
        }
        Type::Tag => {
            decoder.tag().ok()?;
            value(decoder, depth)?
        }
        Type::Array | Type::ArrayIndef => {
            let mut items = Vec::new();
            let count = decoder.array().ok()?;
            while more(decoder, count, items.len())? {
                items.push(value(decoder, depth)?);
            }
            items.into()
        }
        Type::Map | Type::MapIndef => {
            let mut members = Map::new();
            let count = decoder.map().ok()?;
            let mut seen = 0;
            while more(decoder, count, seen)? {
                let key = value(decoder, depth)?.as_str()?.to_owned();
                members.insert(key, value(decoder, depth)?);
                seen += 1;
            }
            members.into()
        }
        _ => return None,
    })
}

/// Whether a collection of known or unknown length goes on.
fn more(decoder: &mut Decoder<'_>, count: Option<u64>, seen: usize) -> Option<bool> {
    if let Some(count) = count {
        return Some(u64::try_from(seen).ok()? < count);
    }
    if decoder.datatype().ok()? == Type::Break {
        decoder.skip().ok()?;
        return Some(false);
    }
    Some(true)
}

pub(super) fn write(answer: &Structure) -> Vec<u8> {
    let mut encoder = Encoder::new(Vec::with_capacity(512));
    // Writing to memory cannot fail.
    let _ = structure(&mut encoder, answer);
    encoder.into_writer()
}

pub(super) fn write_failure(failure: &Failure) -> Vec<u8> {
    write(
        &Structure::new()
            .with(
                "__type",
                format!("com.amazonaws.cloudwatch#{}", failure.code),
            )
            .with("message", failure.message.clone()),
    )
}

type Written = Result<(), minicbor::encode::Error<std::convert::Infallible>>;

fn structure(encoder: &mut Encoder<Vec<u8>>, structure: &Structure) -> Written {
    encoder.map(length(structure.members().len()))?;
    for (name, value) in structure.members() {
        encoder.str(name)?;
        document(encoder, value)?;
    }
    Ok(())
}

fn document(encoder: &mut Encoder<Vec<u8>>, value: &Document) -> Written {
    match value {
        Document::Bool(value) => encoder.bool(*value)?.ok(),
        Document::Integer(value) => encoder.i64(*value)?.ok(),
        Document::Float(value) => encoder.f64(*value)?.ok(),
        Document::Text(text) => encoder.str(text)?.ok(),
        Document::Time(time) => encoder.tag(IanaTag::Timestamp)?.f64(seconds(*time))?.ok(),
        Document::List(items) => {
            encoder.array(length(items.len()))?;
            items.iter().try_for_each(|item| document(encoder, item))
        }
        Document::Structure(members) => structure(encoder, members),
        Document::Map(entries) => {
            encoder.map(length(entries.len()))?;
            entries.iter().try_for_each(|(key, value)| {
                encoder.str(key)?;
                document(encoder, value)
            })
        }
    }
}

fn length(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}

/// Seconds since the epoch; AWS has milliseconds.
#[allow(
    clippy::cast_precision_loss,
    reason = "milliseconds of any date fit the mantissa"
)]
pub(super) fn seconds(time: Timestamp) -> f64 {
    time.as_millisecond() as f64 / 1000.0
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let time: Timestamp = "2026-11-22T22:00:00.25Z".parse().unwrap();
        let answer = Structure::new()
            .with("Name", "ünïcode")
            .with("Time", time)
            .with("Period", 300)
            .with("Threshold", 1.0)
            .with(
                "List",
                Document::from_iter([Structure::new().with("Yes", true)]),
            );
        assert_eq!(
            read(&write(&answer)),
            Some(json!({
                "Name": "ünïcode", "Time": 1_795_384_800.25, "Period": 300, "Threshold": 1.0,
                "List": [{"Yes": true}],
            }))
        );
    }

    #[test]
    fn collections_of_unknown_length_are_read() {
        let mut encoder = Encoder::new(Vec::new());
        encoder.begin_map().unwrap().str("AlarmNames").unwrap();
        encoder
            .begin_array()
            .unwrap()
            .str("a")
            .unwrap()
            .begin_str()
            .unwrap();
        encoder.str("b").unwrap().str("c").unwrap().end().unwrap();
        encoder.end().unwrap().end().unwrap();
        assert_eq!(
            read(&encoder.into_writer()),
            Some(json!({"AlarmNames": ["a", "bc"]}))
        );
    }

    #[test]
    fn garbage_is_refused() {
        assert_eq!(read(&[0xff]), None);
        assert_eq!(read(&[0x9f; 40]), None);
        assert_eq!(read(&[0xa1, 0x01, 0x02]), None);
    }

    #[test]
    fn times_carry_the_tag_that_clients_insist_on() {
        let answer = Structure::new().with("T", Timestamp::UNIX_EPOCH);
        assert_eq!(
            write(&answer),
            [0xa1, 0x61, b'T', 0xc1, 0xfb, 0, 0, 0, 0, 0, 0, 0, 0]
        );
    }
}
