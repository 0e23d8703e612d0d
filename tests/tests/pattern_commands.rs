//! `trailproof pattern compare` and `trailproof pattern match`, as their users see them.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on has failed, and says why"
)]

use std::fs;
use std::io::Write as _;
use std::process::Stdio;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use trailproof_tests::binary::{Outcome, Trailproof};

const LOGIN: &str = "{ $.eventName = ConsoleLogin }";
const ROOT_ONLY: &str = r#"{ $.eventName = "ConsoleLogin" && $.errorMessage = "Failed authentication" && $.userIdentity.type = "Root" }"#;

fn with_stdin(trailproof: &Trailproof, arguments: &[&str], input: &[u8]) -> Outcome {
    let mut child = trailproof
        .command(arguments)
        .stdin(Stdio::piped())
        .spawn()
        .expect("the binary starts");
    child
        .stdin
        .take()
        .expect("stdin is a pipe")
        .write_all(input)
        .expect("the input is read");
    child.wait_with_output().expect("the binary ends").into()
}

fn lines(text: &str) -> Vec<Value> {
    text.lines()
        .map(|line| serde_json::from_str(line).expect("JSON lines"))
        .collect()
}

fn compared(arguments: &[&str]) -> Value {
    let mut all = vec!["pattern", "compare", "--format", "json"];
    all.extend(arguments);
    let outcome = Trailproof::offline().run(all).exits(0);
    let [answer] = <[Value; 1]>::try_from(lines(&outcome.stdout)).expect("one line");
    answer
}

fn login(time: &str) -> Value {
    json!({"eventName": "ConsoleLogin", "eventTime": time})
}

fn other() -> Value {
    json!({"eventName": "DescribeTrails", "eventTime": "2026-01-01T00:00:00Z"})
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).expect("memory takes it");
    encoder.finish().expect("memory takes it")
}

#[test]
fn a_narrowed_filter_is_explained_by_the_sign_in_that_nobody_would_hear_of() {
    let outcome = Trailproof::offline()
        .run([
            "pattern",
            "compare",
            "--control",
            "console-auth-failures",
            "--actual",
            ROOT_ONLY,
        ])
        .exits(0);
    let text = outcome.stdout;
    assert!(
        text.starts_with("narrower: only part of the required events is matched\n"),
        "{text}"
    );
    assert!(
        text.contains("Nobody would hear of this event:\n"),
        "{text}"
    );
    assert!(
        text.contains("\n    \"eventName\": \"ConsoleLogin\",\n"),
        "{text}"
    );
    assert!(
        text.contains(
            "It is missed because `$.userIdentity.type = \"Root\"` does not hold of \"IAMUser\"."
        ),
        "{text}"
    );
    assert!(!text.contains("not required"), "{text}");
}

#[test]
fn relations_come_with_their_witnesses() {
    for (required, actual, relation, missed, extra) in [
        (
            "{ $.a = x }",
            "{ ($.a = \"x\") }",
            "equivalent",
            false,
            false,
        ),
        ("{ $.a = x }", "{ $.a = x* }", "broader", false, true),
        ("{ $.a = x* }", "{ $.a = x }", "narrower", true, false),
        ("{ $.a = x* }", "{ $.a = *y }", "overlapping", true, true),
        ("{ $.a = x }", "{ $.a = y }", "disjoint", true, true),
        (LOGIN, "ConsoleLogin", "broader", false, true),
    ] {
        let answer = compared(&["--required", required, "--actual", actual]);
        assert_eq!(answer["relation"], relation, "{answer}");
        assert_eq!(answer["missed"].is_object(), missed, "{answer}");
        assert_eq!(answer["extra"].is_object(), extra, "{answer}");
        assert_eq!(answer["reason"], Value::Null, "{answer}");
    }
}

#[test]
fn several_patterns_are_one_union() {
    let above = compared(&[
        "--required",
        "{ $.n = 5 || $.n = 1 }",
        "--actual",
        "{ $.n = 5 }",
    ]);
    assert_eq!(above["relation"], "narrower");
    let both = compared(&[
        "--required",
        "{ $.n = 5 || $.n = 1 }",
        "--actual",
        "{ $.n = 5 }",
        "--actual",
        "{ $.n = 1 }",
    ]);
    assert_eq!(both["relation"], "equivalent");
}

#[test]
fn what_cannot_be_decided_is_inconclusive_and_says_why() {
    let answer = compared(&[
        "--required",
        "{ $.a IS TRUE }",
        "--actual",
        "{ $.a = true }",
    ]);
    assert_eq!(answer["relation"], "inconclusive");
    assert!(
        answer["reason"]
            .as_str()
            .is_some_and(|reason| reason.contains("AWS does not document")),
        "{answer}"
    );
}

#[test]
fn a_control_brings_facts_and_no_control_brings_none() {
    // Every sign-in comes from this source, but only who knows the control knows that.
    let actual = r#"{ $.eventSource = "signin.amazonaws.com" && $.eventName = "ConsoleLogin" && $.errorMessage = "Failed authentication" }"#;
    let known = compared(&["--control", "console-auth-failures", "--actual", actual]);
    assert_eq!(known["relation"], "equivalent", "{known}");
    let required =
        r#"{ $.eventName = "ConsoleLogin" && $.errorMessage = "Failed authentication" }"#;
    let unknown = compared(&["--required", required, "--actual", actual]);
    assert_eq!(unknown["relation"], "narrower", "{unknown}");
    assert_ne!(unknown["missed"]["eventSource"], "signin.amazonaws.com");
}

#[test]
fn a_pattern_that_is_none_is_shown_with_its_place() {
    let outcome = Trailproof::offline()
        .run([
            "pattern",
            "compare",
            "--required",
            "{ $.a == 1 }",
            "--actual",
            LOGIN,
        ])
        .exits(2);
    assert!(
        outcome.stderr.contains("\n  { $.a == 1 }\n        ^^\n"),
        "{}",
        outcome.stderr
    );
    assert!(outcome.stderr.contains("write `=`"), "{}", outcome.stderr);
    for arguments in [
        ["pattern", "compare", "--actual", LOGIN],
        ["pattern", "compare", "--required", LOGIN],
    ] {
        let outcome = Trailproof::offline().run(arguments).exits(2);
        assert_eq!(outcome.stdout, "");
    }
}

#[test]
fn a_batch_is_answered_line_by_line() {
    let questions = [
        json!({"required": "{ $.a = x }", "actual": "{ $.a = x }"}).to_string(),
        json!({"required": "{ $.a = x }", "actual": "{ $.a == x }"}).to_string(),
        "nonsense".to_owned(),
        json!({"actual": LOGIN}).to_string(),
        json!({"required": "{ $.a = * }", "actual": ["{ $.a < 1 }", "{ $.a >= 1 }"]}).to_string(),
    ];
    let outcome = with_stdin(
        &Trailproof::offline(),
        &["pattern", "compare", "--batch"],
        questions.join("\n").as_bytes(),
    )
    .exits(0);
    let answers = lines(&outcome.stdout);
    assert_eq!(answers.len(), questions.len());
    assert_eq!(
        answers[0],
        json!({"relation": "equivalent", "missed": null, "extra": null, "reason": null})
    );
    assert_eq!(answers[1]["error"]["span"], json!({"start": 6, "end": 8}));
    assert_eq!(answers[1]["error"]["field"], "actual");
    assert_eq!(answers[1]["error"]["message"], "`==` is no operator");
    assert_eq!(answers[2]["error"]["span"], Value::Null);
    assert_eq!(answers[3]["error"]["message"], "`required` is missing");
    assert_eq!(answers[4]["relation"], "narrower");

    // With a control, lines need not say what is required.
    let line = json!({"actual": ROOT_ONLY}).to_string();
    let outcome = with_stdin(
        &Trailproof::offline(),
        &[
            "pattern",
            "compare",
            "--batch",
            "--control",
            "console-auth-failures",
        ],
        line.as_bytes(),
    )
    .exits(0);
    assert_eq!(lines(&outcome.stdout)[0]["relation"], "narrower");
}

/// The same three events in every layout that is read: a sign-in, another event, a sign-in.
fn layouts() -> Vec<(&'static str, Vec<u8>)> {
    let events = json!([
        login("2026-01-01T00:00:10Z"),
        other(),
        login("2026-01-01T01:00:00Z")
    ]);
    let list = events.as_array().expect("a list");
    let by_line = list.iter().fold(String::new(), |text, event| {
        text + &event.to_string() + "\n"
    });
    let records = json!({"Records": events});
    let pretty = serde_json::to_vec_pretty(&records).expect("JSON");
    vec![
        ("array.json", events.to_string().into_bytes()),
        ("lines.ndjson", by_line.clone().into_bytes()),
        ("lines.ndjson.gz", gzip(by_line.as_bytes())),
        ("pretty.json", pretty),
        ("records.json", records.to_string().into_bytes()),
        ("records.json.gz", gzip(records.to_string().as_bytes())),
    ]
}

#[test]
fn every_layout_of_events_is_read() {
    let trailproof = Trailproof::offline();
    for (name, bytes) in layouts() {
        fs::write(trailproof.home().join(name), &bytes).expect("a file can be written");
        let arguments = ["pattern", "match", "--pattern", LOGIN, "--format", "json"];
        let expected = |file: &str| {
            [true, false, true]
                .into_iter()
                .enumerate()
                .map(|(index, matched)| json!({"file": file, "index": index, "match": matched}))
                .collect::<Vec<_>>()
        };
        let outcome = trailproof.run(arguments.iter().chain([&name])).exits(0);
        assert_eq!(lines(&outcome.stdout), expected(name), "{name}");
        let outcome = with_stdin(&trailproof, &arguments, &bytes).exits(0);
        assert_eq!(lines(&outcome.stdout), expected("-"), "{name} on stdin");
    }
}

#[test]
fn a_folder_is_read_in_order_and_summed_up() {
    let trailproof = Trailproof::offline();
    let folder = trailproof.home().join("logs");
    fs::create_dir_all(folder.join("2026/01")).expect("a folder can be made");
    let layouts = layouts();
    for (name, bytes) in &layouts {
        fs::write(folder.join("2026/01").join(name), bytes).expect("a file can be written");
    }
    fs::write(folder.join("broken.log"), "not JSON\n").expect("a file can be written");
    let outcome = trailproof
        .run(["pattern", "match", "-p", LOGIN, "logs"])
        .exits(0);
    let sign_ins = lines(&outcome.stdout);
    assert_eq!(sign_ins.len(), 2 * layouts.len());
    assert_eq!(sign_ins[0], login("2026-01-01T00:00:10Z"));
    assert_eq!(sign_ins[1], login("2026-01-01T01:00:00Z"));
    assert!(
        outcome
            .stderr
            .contains("19 events read, 12 matched, 1 unreadable as JSON"),
        "{}",
        outcome.stderr
    );
    let outcome = trailproof
        .run(["pattern", "match", "-p", LOGIN, "--format", "json", "logs"])
        .exits(0);
    let files: Vec<String> = lines(&outcome.stdout)
        .iter()
        .map(|line| line["file"].as_str().expect("a name").to_owned())
        .collect();
    assert!(files.is_sorted(), "{files:?}");
}

#[test]
fn several_patterns_are_told_apart() {
    let trailproof = Trailproof::offline();
    let input = format!("{}\n{}\n", login("2026-01-01T00:00:00Z"), other());
    let outcome = with_stdin(
        &trailproof,
        &[
            "pattern",
            "match",
            "-p",
            LOGIN,
            "-p",
            "DescribeTrails",
            "-p",
            "{ $.eventName != %^C% }",
            "--format",
            "json",
        ],
        input.as_bytes(),
    )
    .exits(0);
    let matched: Vec<Value> = lines(&outcome.stdout)
        .iter()
        .map(|line| json!([line["index"], line["pattern"], line["match"]]))
        .collect();
    assert_eq!(
        json!(matched),
        json!([
            [0, 0, true],
            [0, 1, false],
            [0, 2, false],
            [1, 0, false],
            [1, 1, true],
            [1, 2, true]
        ])
    );
}

#[test]
fn what_is_not_documented_is_null() {
    let outcome = with_stdin(
        &Trailproof::offline(),
        &[
            "pattern",
            "match",
            "-p",
            "{ $.a = true }",
            "--format",
            "json",
        ],
        b"{\"a\":true}\n{\"a\":\"true\"}\n{\"a\":1}\n",
    )
    .exits(0);
    let matched: Vec<Value> = lines(&outcome.stdout)
        .iter()
        .map(|line| line["match"].clone())
        .collect();
    assert_eq!(matched, [Value::Null, json!(true), json!(false)]);
}

#[test]
fn a_control_lends_its_pattern() {
    let failed = json!({"eventName": "ConsoleLogin", "errorMessage": "Failed authentication"});
    let input = format!("{}\n{failed}\n", login("2026-01-01T00:00:00Z"));
    let outcome = with_stdin(
        &Trailproof::offline(),
        &["pattern", "match", "--control", "console-auth-failures"],
        input.as_bytes(),
    )
    .exits(0);
    assert_eq!(lines(&outcome.stdout), [failed]);
}

#[test]
fn an_alarm_is_tried_out_before_it_is_deployed() {
    let trailproof = Trailproof::offline();
    // Three in one period, one in the next, and after a pause two.
    let times = [
        "2026-01-01T00:00:10Z",
        "2026-01-01T00:01:00Z",
        "2026-01-01T00:04:59Z",
        "2026-01-01T00:05:00Z",
        "2026-01-01T02:00:00Z",
        "2026-01-01T02:00:01Z",
    ];
    let mut input = times.iter().fold(String::new(), |text, time| {
        text + &login(time).to_string() + "\n"
    });
    input += "{\"eventName\":\"ConsoleLogin\"}\n";
    let alarm = |threshold: &str| {
        let arguments = [
            "pattern",
            "match",
            "-p",
            LOGIN,
            "--count",
            "--format",
            "json",
            "--period",
            "300",
            "--threshold",
            threshold,
        ];
        let outcome = with_stdin(&trailproof, &arguments, input.as_bytes()).exits(0);
        let summary = lines(&outcome.stdout);
        assert_eq!(summary.len(), 1);
        assert_eq!(summary[0]["matched"], 7);
        summary[0]["alarm"].clone()
    };
    for (threshold, fired, periods) in [("1", 2, 3), ("2", 2, 2), ("3", 1, 1), ("4", 0, 0)] {
        let alarm = alarm(threshold);
        assert_eq!(alarm["fired"], fired, "{alarm}");
        assert_eq!(alarm["breaching_periods"], periods, "{alarm}");
        assert_eq!(alarm["undated"], 1);
    }
    assert_eq!(alarm("1")["first"], "2026-01-01T00:00:00Z");
    assert_eq!(alarm("1")["last"], "2026-01-01T02:00:00Z");
    let outcome = with_stdin(
        &trailproof,
        &[
            "pattern",
            "match",
            "-p",
            LOGIN,
            "--period",
            "300",
            "--threshold",
            "2",
        ],
        input.as_bytes(),
    )
    .exits(0);
    assert!(
        outcome.stderr.contains(
            "an alarm on 2 or more within 300 seconds would have fired 2 times, from 2026-01-01T00:00:00Z to 2026-01-01T02:00:00Z"
        ),
        "{}",
        outcome.stderr
    );
}

#[test]
fn what_cannot_be_read_is_an_error_that_names_it() {
    let trailproof = Trailproof::offline();
    let outcome = trailproof
        .run(["pattern", "match", "-p", LOGIN, "missing.json"])
        .exits(2);
    assert!(
        outcome.stderr.contains("`missing.json`"),
        "{}",
        outcome.stderr
    );
    let whole = gzip(other().to_string().repeat(400).as_bytes());
    fs::write(trailproof.home().join("torn.gz"), &whole[..whole.len() / 2])
        .expect("a file can be written");
    let outcome = trailproof.run(["pattern", "match", "-p", LOGIN, "torn.gz"]);
    assert!(outcome.code.is_some_and(|code| code > 1), "{outcome:?}");
    assert!(outcome.stderr.contains("`torn.gz`"), "{}", outcome.stderr);
}

/// What a control is asked of: how many events match, the exit code, and words on stderr.
#[test]
fn what_no_answer_comes_from_is_named_and_changes_the_exit_code() {
    let sign_in = json!({
        "eventVersion": "1.08", "eventName": "ConsoleLogin", "errorMessage": "Failed authentication",
    });
    let mut large = sign_in.clone();
    large["requestParameters"] = json!({"x": "y".repeat(300_000)});
    let digest = json!({"digestStartTime": "2026-01-01T00:00:00Z", "logFiles": []});
    let insight = json!({"Records": [{"eventVersion": "1.08", "eventCategory": "Insight"}]});
    let zipped = gzip(format!("{sign_in}\n").repeat(2000).as_bytes());
    let text = |value: &Value| value.to_string().into_bytes();
    for (name, bytes, fewest, code, words) in [
        (
            "sign-ins",
            format!("{sign_in}\n{sign_in}").into_bytes(),
            2,
            0,
            "",
        ),
        (
            "large",
            format!("{large}\n{sign_in}").into_bytes(),
            1,
            0,
            "1 event over 256 KB",
        ),
        ("large-alone", text(&large), 0, 0, "1 event over 256 KB"),
        ("digest", text(&digest), 0, 4, "1 digest file"),
        ("insight", text(&insight), 0, 4, "Insights event"),
        (
            "empty",
            b"{\"Records\":[]}".to_vec(),
            0,
            4,
            "no event of CloudTrail was read",
        ),
        ("text", b"plain\nlines\n".to_vec(), 0, 4, "`text`"),
        (
            "foreign",
            b"{\"level\":\"info\"}\n".to_vec(),
            0,
            4,
            "looks like a CloudTrail event",
        ),
        ("zip", b"PK\x03\x04junk".to_vec(), 0, 4, "unpack it first"),
        ("page", b"<html><body>".to_vec(), 0, 4, "HTML"),
        ("cut", zipped[..zipped.len() - 9].to_vec(), 1, 4, "cut off"),
        (
            "history",
            b"Event ID,Event name,Error code\n1,ConsoleLogin,\n".to_vec(),
            0,
            4,
            "no column for errorMessage",
        ),
    ] {
        let trailproof = Trailproof::offline();
        fs::write(trailproof.home().join(name), bytes).expect("a file can be written");
        let arguments = [
            "pattern",
            "match",
            "--control",
            "console-auth-failures",
            "--count",
            "--format",
            "json",
            name,
        ];
        let outcome = trailproof.run(arguments).exits(code);
        let totals = lines(&outcome.stdout).remove(0);
        let matched = totals["matched"].as_u64().expect("a count");
        assert!(
            matched >= fewest && (name == "cut" || matched == fewest),
            "{name}: {totals}"
        );
        assert!(outcome.stderr.contains(words), "{name}: {}", outcome.stderr);
    }
}
