//! Every documented example of the filter-pattern language, and what was seen of the real service.
#![allow(
    clippy::panic,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test stops at the first surprise"
)]

use serde_json::{Value, json};
use trailproof_pattern::{Event, Match, Pattern, matches};

fn check(event: &Value, cases: &[(&str, Match)]) {
    for (pattern, expected) in cases {
        let parsed = Pattern::parse(pattern).unwrap_or_else(|error| panic!("{pattern}: {error}"));
        let event = Event::from_value(event);
        assert_eq!(matches(&parsed, &event), *expected, "{pattern}");
        let again = Pattern::parse(&parsed.to_string());
        assert_eq!(again.as_ref(), Ok(&parsed), "{pattern}");
    }
}

fn check_message(message: &str, cases: &[(&str, Match)]) {
    for (pattern, expected) in cases {
        let parsed = Pattern::parse(pattern).unwrap_or_else(|error| panic!("{pattern}: {error}"));
        let event = Event::from_message(message);
        assert_eq!(
            matches(&parsed, &event),
            *expected,
            "{pattern} on {message}"
        );
        let again = Pattern::parse(&parsed.to_string());
        assert_eq!(again.as_ref(), Ok(&parsed), "{pattern}");
    }
}

use Match::{No, Undocumented, Yes};

#[test]
fn the_documented_cloudtrail_event() {
    let event = json!({
        "eventType": "UpdateTrail", "sourceIPAddress": "111.111.111.111",
        "arrayKey": ["value", "another value"],
        "objectList": [{"name": "a", "id": 1}, {"name": "b", "id": 2}], "SomeObject": null
    });
    check(
        &event,
        &[
            (r#"{ $.eventType = "UpdateTrail" }"#, Yes),
            ("{ $.sourceIPAddress != 123.123.* }", Yes),
            (r#"{ $.arrayKey[0] = "value" }"#, Yes),
            ("{ $.objectList[1].id = 2 }", Yes),
            ("{ $.SomeObject IS NULL }", Yes),
            ("{ $.SomeOtherObject NOT EXISTS }", Yes),
            ("{ $.SomeObject NOT EXISTS }", No),
            ("{ $.SomeOtherObject IS NULL }", No),
            ("{ $.SomeObject = x }", No),
            ("{ $.SomeObject != x }", No),
            ("{ $.SomeOtherObject != x }", No),
            (r#"{ $.arrayKey[*] = "another value" }"#, Yes),
            (r#"{ $.arrayKey[*] = "third" }"#, No),
            (r#"{ $.arrayKey[*] != "third" }"#, Yes),
            (r#"{ $.arrayKey[*] != "value" }"#, Undocumented),
            ("{ $.objectList[*].id > 1 }", Yes),
            ("{ $.eventtype = UpdateTrail }", No),
            ("{ $.eventType = updateTrail }", No),
            ("", Yes),
        ],
    );
}

#[test]
fn the_documented_compound_expressions() {
    let event = json!({
        "user": {"id": 1, "email": "John.Stiles@example.com"},
        "users": [{"id": 2, "email": "John.Doe@example.com"}, {"id": 3, "email": "Jane.Doe@example.com"}],
        "actions": ["GET", "PUT", "DELETE"], "coordinates": [[0, 1, 2], [4, 5, 6], [7, 8, 9]]
    });
    check(
        &event,
        &[
            (
                r#"{ ($.user.id = 1) && ($.users[0].email = "John.Doe@example.com") }"#,
                Yes,
            ),
            (
                r#"{ $.user.email = "John.Stiles@example.com" || $.coordinates[0][1] = "nonmatch" && $.actions[2] = "nonmatch" }"#,
                Yes,
            ),
            (
                r#"{ ($.user.email = "John.Stiles@example.com" || $.coordinates[0][1] = "nonmatch") && $.actions[2] = "nonmatch" }"#,
                No,
            ),
            (
                r#"{ ($.user.id = 2 && $.users[0].email = "nonmatch") || $.actions[2] = "GET" }"#,
                No,
            ),
            ("{ $.users = 1 }", No),
            ("{ $.users != 1 }", No),
            ("{ $.coordinates[1][2] = 6 }", Yes),
            ("{ $.user = * }", No),
        ],
    );
}

/// Answers of the real service, as others have published them.
#[test]
fn what_was_seen_of_the_real_service() {
    let event = json!({
        "someString": "111.111.111.111", "emptyString": "", "someInt": 123, "someFloat": 12.34,
        "someFloat2": 12.0, "someObject": {}, "someArray": [], "someNull": null, "yes": true
    });
    check(
        &event,
        &[
            (r#"{ $.someString = "111.111.111.111" }"#, Yes),
            ("{ $.someString != 111*111 }", Yes),
            ("{ $.someString = 111*111 }", No),
            (r#"{ $.someString = "*" }"#, Yes),
            ("{ $.emptyString = * }", Yes),
            ("{ $.someString = *.111.111.111 }", Yes),
            ("{ $.someString = *111.111.111 }", Undocumented),
            ("{ $.someString = 111* }", Yes),
            ("{ $.someString != *222 }", Yes),
            (r#"{ $.someInt = "123" }"#, Yes),
            (r#"{ $.someInt != "123.0" }"#, Yes),
            (r#"{ $.someInt = "1*" }"#, Yes),
            (r#"{ $.someInt = "*23" }"#, Yes),
            (r#"{ $.someInt != "1*3" }"#, Undocumented),
            (r#"{ $.someFloat != "4*1" }"#, Yes),
            (r#"{ $.someFloat2 != "12" }"#, Yes),
            (r#"{ $.someFloat2 = "12" }"#, No),
            ("{ $.someFloat2 = 12 }", Yes),
            ("{ $.someInt = 123.0 }", Yes),
            (r#"{ $.someFloat = "12.3*" }"#, Yes),
            (r#"{ $.someFloat = "*.34" }"#, Yes),
            ("{ $.someInt >= 123 }", Yes),
            ("{ $.someInt < 1e3 }", Yes),
            ("{ $.someString > 1 }", No),
            (r#"{ $.someInt != "abc" }"#, Yes),
            ("{ $.someString != 111 }", Yes),
            ("{ $.someObject != 123 }", No),
            ("{ $.someArray != 123 }", No),
            ("{ $.someArray NOT EXISTS }", No),
            ("{ $.yes IS TRUE }", Yes),
            ("{ $.yes IS FALSE }", No),
            ("{ $.yes = true }", Undocumented),
            (r#"{ $.yes = "true" }"#, Undocumented),
            ("{ $.yes = false }", No),
            ("{ $.yes != x }", Undocumented),
            ("{ $.yes = * }", Yes),
            (r"{ $.someString = %^111\.% }", Yes),
            (r"{ $.someString != %222% }", Yes),
        ],
    );
}

#[test]
fn terms_and_space_delimited_fields() {
    check_message(
        "[ERROR 419] MISSING ARGUMENTS",
        &[
            ("ERROR ARGUMENTS", Yes),
            ("?ERROR ?ARGUMENTS", Yes),
            (r#""MISSING ARGUMENTS""#, Yes),
            ("ERROR -EXITING", Yes),
            ("ERROR -MISSING", No),
            ("{ $.a = 1 }", No),
        ],
    );
    check_message(
        "[ERROR 400] BAD REQUEST",
        &[
            ("ERROR ARGUMENTS", No),
            ("?ERROR ?ARGUMENTS", Yes),
            ("?WARN BAD", Yes),
            ("{ $.a = 1 }", No),
            ("%AUTHORIZED%", No),
        ],
    );
    check_message(
        r#"127.0.0.1 Prod frank [10/Oct/2000:13:25:15 -0700] "GET /index.html HTTP/1.0" 404 1534"#,
        &[
            (
                "[ip, user, username, timestamp, request =*.html*, status_code = 4*, bytes]",
                Yes,
            ),
            ("[..., request =*.html*, status_code = 4*, bytes]", Yes),
            (
                "[ip, user, username, timestamp, request =*.html*, status_code = 404 || status_code = 410, bytes]",
                Yes,
            ),
            ("[ip, ..., bytes > 1000]", Yes),
            ("[ip, ..., bytes > 2000]", No),
            ("[ip, user]", No),
            ("[ip=%127\\.0\\.0\\.[1-9]%, ...]", Yes),
        ],
    );
    let event = json!({"eventName": "ConsoleLogin", "errorMessage": "Failed authentication"});
    check(
        &event,
        &[
            (r#""ConsoleLogin" "Failed authentication""#, Yes),
            ("%Console%", Yes),
        ],
    );
}

#[test]
fn what_aws_rejects_is_an_error_with_place_and_remedy() {
    for (pattern, start, end, suggested) in [
        ("{ $.a = 'x' }", 8, 11, "\"x\""),
        ("{ $.a = 1", 9, 9, "}"),
        ("{ ($.a = 1 }", 2, 3, ")"),
        ("{ $.a = 1) }", 9, 10, ""),
        ("{ !($.a = 1) }", 2, 3, "!="),
        ("{ $.a IS NOT NULL }", 6, 12, "= *"),
        ("{ $.a EXISTS }", 6, 12, "= *"),
        ("{ $.a > \"5\" }", 8, 11, "5"),
        ("{ $.a >= x }", 9, 10, ""),
        ("{ $.a == 1 }", 6, 8, "="),
        ("{ $.a = 1 & $.b = 2 }", 10, 11, "&&"),
        ("{ $.a = 1 and $.b = 2 }", 10, 13, "&&"),
        ("{ eventName = x }", 2, 11, "$.eventName"),
        ("{ $eventName = x }", 3, 12, "$.eventName"),
        (
            "{ $.m = Failed authentication }",
            15,
            31,
            "\"Failed authentication\"",
        ),
        ("{ $.a = \"x }", 8, 12, "\""),
        ("{ $.a = }", 8, 9, "*"),
        ("{ $.a[*].b[*] = 1 }", 2, 13, ""),
        ("{ $.a = %x% && $.b = %x% && $.c = %x% }", 32, 37, ""),
        ("{ $.a = %a(b)% }", 10, 11, "\\x28"),
        ("{ }", 2, 3, ""),
        ("[a, b", 0, 5, "]"),
        ("%abc", 1, 4, "%"),
        ("$.a = 1", 0, 3, "{"),
    ] {
        let error = Pattern::parse(pattern).expect_err(pattern);
        assert_eq!(
            (error.span.start, error.span.end),
            (start, end),
            "{pattern}: {error}"
        );
        let suggestion = error.suggestion.unwrap_or_default();
        assert!(suggestion.contains(suggested), "{pattern}: {suggestion}");
    }
}

#[test]
fn length_and_nesting_are_bounded() {
    let deep = format!("{{{}$.a=1{}}}", "(".repeat(509), ")".repeat(508));
    assert!(Pattern::parse(&deep).is_err());
    let deep = format!("{{{}$.a=1{}}}", "(".repeat(508), ")".repeat(508));
    assert_eq!(deep.len(), 1023);
    assert!(Pattern::parse(&deep).is_ok());
    let mut alternating = "$.a=1".to_owned();
    let mut operator = "&&";
    while alternating.len() < 1000 {
        alternating = format!("$.a=1{operator}({alternating})");
        operator = if operator == "&&" { "||" } else { "&&" };
    }
    let pattern = Pattern::parse(&format!("{{{alternating}}}")).unwrap();
    assert_eq!(
        Pattern::parse(&pattern.to_string()).ok(),
        Some(pattern).filter(|pattern| pattern.to_string().len() <= 1024)
    );
    assert!(Pattern::parse(&"x".repeat(1024)).is_ok());
    assert!(Pattern::parse(&"x".repeat(1025)).is_err());
    assert!(Pattern::parse(&"ü".repeat(1024)).is_ok());
}

/// Read all the same: a filter that is stored was accepted.
#[test]
fn what_the_service_was_seen_to_refuse_is_named() {
    for (pattern, named) in [
        ("?Status: timeout", Some("\"Status:\"")),
        ("\"Status:\" timeout", None),
        ("{ $.a = \"b:c\" }", None),
    ] {
        let refusal = Pattern::parse(pattern).unwrap().refusal();
        assert_eq!(refusal.is_some(), named.is_some(), "{pattern}");
        assert!(refusal.is_none_or(|text| named.is_some_and(|named| text.contains(named))));
    }
}
