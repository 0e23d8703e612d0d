//! Every envelope that events come in, with what has to come out of it.
#![allow(
    clippy::panic,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test stops at the first surprise"
)]

use std::io::{BufReader, Write};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use trailproof_pattern::Pattern;
use trailproof_pattern::logs::{Kind, LARGEST_DELIVERED, LogError, Search, Tally, read};

const LOGIN: &str = r#"{ $.eventName = ConsoleLogin && $.errorMessage = "Failed authentication" }"#;

fn failed(id: u32) -> String {
    format!(
        r#"{{"eventVersion":"1.08","eventName":"ConsoleLogin","errorMessage":"Failed authentication","userAgent":"a}}{{b {{\"x\": [1]}}","eventID":"{id}"}}"#
    )
}

fn other() -> String {
    r#"{"eventVersion":"1.08","eventName":"DescribeTrails","eventID":"o"}"#.to_owned()
}

/// A failed sign-in, another event, a failed sign-in.
fn three() -> [String; 3] {
    [failed(1), other(), failed(2)]
}

fn values() -> Vec<Value> {
    three()
        .iter()
        .map(|event| serde_json::from_str(event).unwrap())
        .collect()
}

fn each(shape: impl Fn(&str) -> Value) -> Value {
    three().iter().map(|event| shape(event)).collect()
}

fn lines(shape: impl Fn(&str) -> String) -> Vec<u8> {
    three()
        .iter()
        .fold(String::new(), |text, event| text + &shape(event) + "\n")
        .into_bytes()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn wide(text: &str, unit: fn(u16) -> [u8; 2]) -> Vec<u8> {
    text.encode_utf16().flat_map(unit).collect()
}

fn pretty(value: &Value) -> Vec<u8> {
    serde_json::to_vec_pretty(value).unwrap()
}

fn joined(parts: &[&[u8]]) -> Vec<u8> {
    parts.concat()
}

fn search(input: &[u8]) -> (Tally, Option<LogError>) {
    Search::new(vec![Pattern::parse(LOGIN).unwrap()]).run(input, |_| Ok(()))
}

/// A name, and input that holds a failed sign-in, another event, and a failed sign-in.
fn envelopes() -> Vec<(&'static str, Vec<u8>)> {
    let records = json!({"Records": values()});
    let text = records.to_string();
    let message = |event: &str| json!({"logStreamName": "s", "timestamp": 1, "message": event, "eventId": "1"});
    let subscription = json!({
        "messageType": "DATA_MESSAGE", "owner": "111122223333", "logGroup": "g", "logStream": "s",
        "subscriptionFilters": ["f"],
        "logEvents": each(|event| json!({"id": "1", "timestamp": 1, "message": event})),
    })
    .to_string();
    let packed = STANDARD.encode(gzip(subscription.as_bytes()));
    let csv_cell = |event: &str| format!("\"{}\"", event.replace('"', "\"\""));
    vec![
        ("log file", text.clone().into_bytes()),
        ("log file, compressed", gzip(text.as_bytes())),
        ("compressed twice", gzip(&gzip(text.as_bytes()))),
        (
            "several members and padding",
            joined(&[
                &gzip(&lines(str::to_owned)[..100]),
                &[0; 7],
                &gzip(&lines(str::to_owned)[100..]),
                &[0; 512],
            ]),
        ),
        ("byte order mark", joined(&[b"\xef\xbb\xbf", text.as_bytes()])),
        (
            "byte order mark where files were joined",
            joined(&[
                b"\xef\xbb\xbf",
                failed(1).as_bytes(),
                b"\n\xef\xbb\xbf",
                other().as_bytes(),
                b"\n",
                failed(2).as_bytes(),
            ]),
        ),
        ("UTF-16", wide(&format!("\u{feff}{text}"), u16::to_le_bytes)),
        ("UTF-16, the other way", wide(&format!("\u{feff}{text}"), u16::to_be_bytes)),
        ("UTF-16 without a mark", wide(&text, u16::to_le_bytes)),
        ("laid out", pretty(&records)),
        ("blanks before", format!("\n\n  \t{text}").into_bytes()),
        ("padding", joined(&[text.as_bytes(), &[0; 100]])),
        ("small letters", json!({"records": values()}).to_string().into_bytes()),
        (
            "not the first member",
            json!({"a": [1], "Records": values()}).to_string().into_bytes(),
        ),
        ("lines", lines(str::to_owned)),
        ("lines with commas", lines(|event| format!("{event},"))),
        ("joined without a blank", three().concat().into_bytes()),
        ("joined by tabs", three().join("\t").into_bytes()),
        ("array", json!(values()).to_string().into_bytes()),
        ("comma after the last", format!("[\n{},\n]", three().join(",\n")).into_bytes()),
        (
            "array of log files",
            json!([{"Records": [values()[0]]}, {"Records": [values()[1], values()[2]]}])
                .to_string()
                .into_bytes(),
        ),
        (
            "objects laid out",
            values().iter().map(pretty).collect::<Vec<_>>().join(&b'\n'),
        ),
        ("array of texts", each(|event| json!(event)).to_string().into_bytes()),
        ("export task", lines(|event| format!("2026-07-08T17:40:00.123Z {event}"))),
        ("logs tail", lines(|event| format!("2026-07-08T17:35:00.123000+00:00 1_CloudTrail_us-east-1 {event}"))),
        ("text output", lines(|event| format!("EVENTS\t38\t1783532130000\t{event}\tstream\t1783532127000"))),
        (
            "filter-log-events",
            pretty(&json!({"events": each(message), "searchedLogStreams": []})),
        ),
        (
            "filter-log-events, the list last",
            json!({"searchedLogStreams": [], "events": each(message)}).to_string().into_bytes(),
        ),
        (
            "get-log-events",
            pretty(&json!({
                "events": each(|event| json!({"timestamp": 1, "message": event, "ingestionTime": 2})),
                "nextForwardToken": "f/1", "nextBackwardToken": "b/1",
            })),
        ),
        (
            "Insights results",
            pretty(&json!({
                "results": each(|event| json!([
                    {"field": "@timestamp", "value": "2026-07-08 17:35:01.000"},
                    {"field": "@message", "value": event},
                    {"field": "@ptr", "value": "x"},
                ])),
                "statistics": {"recordsMatched": 3.0}, "status": "Complete",
            })),
        ),
        (
            "Insights CSV",
            joined(&[b"@timestamp,@message\n", &lines(|event| format!("2026-07-08,{}", csv_cell(event)))]),
        ),
        ("subscription", subscription.clone().into_bytes()),
        ("subscription in Lambda", json!({"awslogs": {"data": packed}}).to_string().into_bytes()),
        (
            "Kinesis records",
            json!({"Records": [{"kinesis": {"partitionKey": "1", "data": packed}}]}).to_string().into_bytes(),
        ),
        (
            "Firehose",
            json!({"invocationId": "i", "region": "us-east-1", "records": [{"recordId": "1", "data": packed}]})
                .to_string()
                .into_bytes(),
        ),
        (
            "base64 of events",
            json!({"records": each(|event| json!({"data": STANDARD.encode(event)}))}).to_string().into_bytes(),
        ),
        (
            "lookup-events",
            pretty(&json!({"Events": each(|event| json!({
                "EventId": "1", "EventName": "n", "Resources": [], "CloudTrailEvent": event
            }))})),
        ),
        (
            "EventBridge",
            lines(|event| format!(r#"{{"version":"0","detail-type":"AWS API Call via CloudTrail","source":"aws.signin","detail":{event}}}"#)),
        ),
        (
            "SNS in SQS",
            json!({"Records": [{"body": json!({"Type": "Notification", "Message": text}).to_string()}]})
                .to_string()
                .into_bytes(),
        ),
        (
            "Lake",
            pretty(&json!({"QueryStatus": "FINISHED", "QueryResultRows": each(|event| json!([{"eventJson": event}]))})),
        ),
        ("Lake CSV", joined(&[b"eventJson\n", &lines(csv_cell)])),
        (
            "Athena",
            b"\"eventversion\",\"eventname\",\"errormessage\"\n\"1.08\",\"ConsoleLogin\",\"Failed authentication\"\n\
              \"1.08\",\"DescribeTrails\",\"\"\n\"1.08\",\"ConsoleLogin\",\"Failed authentication\"\n"
                .to_vec(),
        ),
        ("hits", lines(|event| json!({"_index": "i", "_source": {"event": {"original": event}}}).to_string())),
        (
            "answer of a search engine",
            pretty(&json!({"took": 3, "timed_out": false, "hits": {"total": {"value": 3}, "hits": each(|event| json!({
                "_index": "i", "_source": serde_json::from_str::<Value>(event).unwrap()
            }))}})),
        ),
        ("Docker", lines(|event| json!({"log": format!("{event}\n"), "stream": "stdout"}).to_string())),
    ]
}

#[test]
fn every_envelope_gives_its_events() {
    for (name, input) in envelopes() {
        let (tally, error) = search(&input);
        assert!(error.is_none(), "{name}: {error:?}");
        assert_eq!((tally.read, tally.matched[0]), (3, 2), "{name}: {tally:?}");
        assert_eq!(
            (tally.cloudtrail, tally.unreadable),
            (3, 0),
            "{name}: {tally:?}"
        );
    }
}

#[test]
fn reading_in_small_pieces_changes_nothing() {
    let messages = |input: BufReader<&[u8]>| {
        let mut messages = Vec::new();
        read(input, |event| {
            messages.push(event.message.into_owned());
            Ok(())
        })
        .unwrap();
        messages
    };
    for (name, input) in envelopes() {
        let whole = messages(BufReader::new(&input));
        for size in [1, 2, 3, 7, 16, 65, 257] {
            let pieces = messages(BufReader::with_capacity(size, &input));
            assert_eq!(pieces, whole, "{name} in pieces of {size}");
        }
    }
}

/// What is no log of events, or is not whole: how many events match, and what is said.
#[test]
fn what_cannot_be_read_is_named() {
    let log = json!({"Records": values()}).to_string();
    let zipped = gzip(log.repeat(200).as_bytes());
    let cut = &zipped[..zipped.len() - 9];
    for (name, input, least, words) in [
        ("zip", b"PK\x03\x04junk".to_vec(), 0, "unpack it first"),
        ("zstd", b"\x28\xb5\x2f\xfdjunk".to_vec(), 0, "zstd -d"),
        ("error page", b"<?xml version=\"1.0\"?><Error/>".to_vec(), 0, "get the file again"),
        ("page", b"\n<!DOCTYPE html><html>".to_vec(), 0, "HTML"),
        ("cut gzip", cut.to_vec(), 300, "cut off"),
        ("cut gzip of joined objects", gzip(&three().concat().repeat(400).into_bytes())[..900].to_vec(), 1, "cut off"),
        ("cut list", log.as_bytes()[..log.len() - 2].to_vec(), 2, "never closed"),
        ("cut event", log.as_bytes()[..log.len() - 20].to_vec(), 1, "not whole"),
        ("bytes after gzip", joined(&[&gzip(log.as_bytes()), b"tail"]), 2, "other bytes"),
        (
            "Event history",
            b"Event ID,Event time,User name,Event name,Error code\n1,2026-07-08T17:35:27Z,J,ConsoleLogin,\n".to_vec(),
            0,
            "no column for errorMessage",
        ),
    ] {
        let (tally, error) = search(&input);
        let error = error.unwrap_or_else(|| panic!("{name} was read")).to_string();
        assert!(error.contains(words), "{name}: {error}");
        assert!(tally.matched[0] >= least, "{name}: {tally:?}");
    }
}

/// Deliveries join objects without line breaks, in files of any size.
#[test]
fn joined_objects_are_read_one_by_one() {
    let large = format!(
        r#"{{"eventVersion":"1.08","eventName":"ConsoleLogin","errorMessage":"Failed authentication","x":"{}"}}"#,
        "}{".repeat(60_000)
    );
    let (tally, error) = search(large.repeat(150).as_bytes());
    assert!(error.is_none(), "{error:?}");
    assert_eq!((tally.read, tally.matched[0]), (150, 150));
}

/// What stands apart: the kinds of the events of an input.
#[test]
fn kinds_are_told_apart() {
    let large = |size| json!({"eventVersion": "1.08", "eventName": "X", "x": "y".repeat(size)});
    let frame = large(0).to_string().len();
    let latin = br#"{"eventVersion":"1.08","eventName":"M\xfcller"}"#;
    for (name, input, expected) in [
        (
            "as large as may be",
            large(LARGEST_DELIVERED - frame).to_string(),
            vec![Kind::CloudTrail],
        ),
        (
            "larger",
            large(LARGEST_DELIVERED - frame + 1).to_string(),
            vec![Kind::Oversized],
        ),
        (
            "Insights",
            json!({"Records": [{"eventVersion": "1.08", "eventType": "AwsCloudTrailInsight"}]})
                .to_string(),
            vec![Kind::Insight],
        ),
        (
            "digest",
            json!({"digestStartTime": "t", "logFiles": []}).to_string(),
            vec![Kind::Digest],
        ),
        ("no records", json!({"Records": []}).to_string(), vec![]),
        ("nothing", String::new(), vec![]),
        (
            "other JSON",
            "{\"a\":1}\n{\"message\":\"{\\\"b\\\":2}\"}\n[ERROR 419] x\nplain".to_owned(),
            vec![Kind::Other; 4],
        ),
        (
            "broken",
            "{\"a\":\n{\"a\":2}\n".to_owned(),
            vec![Kind::Other; 2],
        ),
    ] {
        let mut kinds = Vec::new();
        read(input.as_bytes(), |event| {
            kinds.push(event.kind);
            Ok(())
        })
        .unwrap();
        assert_eq!(kinds, expected, "{name}");
    }
    let latin: Vec<u8> = String::from_utf8_lossy(latin)
        .split("\\xfc")
        .map(|part| part.as_bytes().to_vec())
        .collect::<Vec<_>>()
        .join(&0xfc);
    let mut messages = Vec::new();
    read(latin.as_slice(), |event| {
        messages.push(event.message.into_owned());
        Ok(())
    })
    .unwrap();
    assert_eq!(
        messages,
        [r#"{"eventVersion":"1.08","eventName":"Müller"}"#]
    );
}
