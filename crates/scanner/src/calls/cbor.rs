//! CBOR as the rpc-v2-cbor protocol uses it, written as the JSON that the AWS CLI would print.

use jiff::Timestamp;
use minicbor::data::{Tag, Type};
use minicbor::decode::{Decoder, Error};
use serde_json::{Map, Number, Value};

/// How deeply values may be nested. AWS answers a handful of levels.
const MAX_DEPTH: usize = 64;

/// Reads one CBOR value.
pub(crate) fn to_json(bytes: &[u8]) -> Result<Value, String> {
    let mut decoder = Decoder::new(bytes);
    value(&mut decoder, MAX_DEPTH).map_err(|error| format!("the response is not CBOR: {error}"))
}

fn value(decoder: &mut Decoder<'_>, depth: usize) -> Result<Value, Error> {
    let Some(depth) = depth.checked_sub(1) else {
        return Err(Error::message("nested too deeply"));
    };
    Ok(match decoder.datatype()? {
        Type::Null | Type::Undefined => {
            decoder.skip()?;
            Value::Null
        }
        Type::Bool => decoder.bool()?.into(),
        Type::U8 | Type::U16 | Type::U32 | Type::U64 => decoder.u64()?.into(),
        Type::I8 | Type::I16 | Type::I32 | Type::I64 => decoder.i64()?.into(),
        Type::Int => {
            let number = i128::from(decoder.int()?);
            i64::try_from(number)
                .map(Value::from)
                .or_else(|_| u64::try_from(number).map(Value::from))
                .unwrap_or_else(|_| number.to_string().into())
        }
        Type::F16 => float(f64::from(decoder.f16()?)),
        Type::F32 => float(f64::from(decoder.f32()?)),
        Type::F64 => float(decoder.f64()?),
        Type::String => decoder.str()?.into(),
        Type::StringIndef => decoder
            .str_iter()?
            .collect::<Result<String, Error>>()?
            .into(),
        Type::Array | Type::ArrayIndef => {
            let length = decoder.array()?;
            let mut items = Vec::new();
            while more(decoder, length, items.len())? {
                items.push(value(decoder, depth)?);
            }
            items.into()
        }
        Type::Map | Type::MapIndef => {
            let length = decoder.map()?;
            let mut members = Map::new();
            let mut seen = 0;
            while more(decoder, length, seen)? {
                let name = match value(decoder, depth)? {
                    Value::String(name) => name,
                    // Written as text, each level of them would double the quotes of the one within.
                    Value::Object(_) | Value::Array(_) => {
                        return Err(Error::message("the name of a member is no text"));
                    }
                    other => other.to_string(),
                };
                let member = value(decoder, depth)?;
                // The CLI leaves out members without a value.
                if !member.is_null() {
                    members.insert(name, member);
                }
                seen += 1;
            }
            members.into()
        }
        Type::Tag => {
            let tag = decoder.tag()?;
            let inner = value(decoder, depth)?;
            if tag == Tag::new(1) {
                time(inner)
            } else {
                inner
            }
        }
        other => {
            return Err(Error::message(format!("unexpected {other}")));
        }
    })
}

/// Whether an array or map goes on; steps over the end of one of indefinite length.
fn more(decoder: &mut Decoder<'_>, length: Option<u64>, seen: usize) -> Result<bool, Error> {
    if let Some(length) = length {
        return Ok(u64::try_from(seen).is_ok_and(|seen| seen < length));
    }
    if decoder.datatype()? == Type::Break {
        decoder.skip()?;
        Ok(false)
    } else {
        Ok(true)
    }
}

/// JSON has no infinities; the CLI would print them as text, too.
fn float(number: f64) -> Value {
    Number::from_f64(number).map_or_else(|| number.to_string().into(), Value::Number)
}

/// Tag 1, seconds since the epoch, as ISO 8601 text.
fn time(seconds: Value) -> Value {
    // Services send milliseconds; the last digits of a double are noise.
    #[allow(
        clippy::cast_possible_truncation,
        reason = "a cast from float saturates, and then it is no time"
    )]
    let milliseconds = seconds
        .as_i64()
        .and_then(|whole| whole.checked_mul(1000))
        .or_else(|| Some((seconds.as_f64()? * 1000.0).round() as i64));
    milliseconds
        .and_then(|milliseconds| Timestamp::from_millisecond(milliseconds).ok())
        .map_or(seconds, |time| time.to_string().into())
}

#[cfg(test)]
mod tests {
    use minicbor::Encoder;
    use serde_json::json;

    use super::*;

    fn encoded(
        write: impl FnOnce(
            &mut Encoder<Vec<u8>>,
        ) -> Result<(), minicbor::encode::Error<std::convert::Infallible>>,
    ) -> Vec<u8> {
        let mut encoder = Encoder::new(Vec::new());
        write(&mut encoder).unwrap();
        encoder.into_writer()
    }

    #[test]
    fn reads_an_alarm_page() {
        let bytes = encoded(|e| {
            e.begin_map()?
                .str("MetricAlarms")?
                .begin_array()?
                .map(6)?
                .str("AlarmName")?
                .str("sign-in")?
                .str("Threshold")?
                .f64(1.0)?
                .str("Period")?
                .u32(300)?
                .str("ActionsEnabled")?
                .bool(true)?
                .str("Unit")?
                .null()?
                .str("StateUpdatedTimestamp")?
                .tag(Tag::new(1))?
                .f64(1_795_384_800.123)?
                .end()?
                .end()?;
            Ok(())
        });
        assert_eq!(
            to_json(&bytes).unwrap(),
            json!({"MetricAlarms": [{
                "AlarmName": "sign-in", "Threshold": 1.0, "Period": 300, "ActionsEnabled": true,
                "StateUpdatedTimestamp": "2026-11-22T22:00:00.123Z",
            }]})
        );
    }

    #[test]
    fn reads_every_number_and_piecewise_text() {
        let bytes = encoded(|e| {
            e.array(6)?
                .i64(-3)?
                .u64(u64::MAX)?
                .f16(0.5)?
                .f32(1.5)?
                .f64(f64::INFINITY)?
                .begin_str()?
                .str("a")?
                .str("b")?
                .end()?;
            Ok(())
        });
        assert_eq!(
            to_json(&bytes).unwrap(),
            json!([-3, u64::MAX, 0.5, 1.5, "inf", "ab"])
        );
    }

    #[test]
    fn whole_seconds_are_times_too() {
        let bytes = encoded(|e| {
            e.tag(Tag::new(1))?.u64(1_795_384_800)?;
            Ok(())
        });
        assert_eq!(to_json(&bytes).unwrap(), json!("2026-11-22T22:00:00Z"));
    }

    #[test]
    fn refuses_what_is_broken() {
        assert!(to_json(b"").is_err());
        assert!(to_json(&[0xbf, 0x61]).is_err());
        assert!(to_json(&[0x81; 1000]).is_err());
        assert!(to_json(&[0x9f, 0x01]).is_err());
        // Maps as the names of members, one in the other.
        assert!(to_json(&[0xa1; 60]).is_err());
        let names = [&[0xa1; 50][..], &[0x00; 51]].concat();
        assert!(to_json(&names).unwrap_err().contains("no text"));
        assert_eq!(to_json(&[0xa1, 0x01, 0x02]).unwrap(), json!({"1": 2}));
    }
}
