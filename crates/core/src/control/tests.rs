//! The catalogue against the published numbers, and controls that users write.

use super::*;
use crate::pattern::{Event, Match, matches};

/// Control, then its number in 1.2.0, in 1.3.0 to 5.0.0, in 6.0.0 and later, its level before and
/// from 2.0.0, and its Security Hub control.
type Row = (
    &'static str,
    Option<&'static str>,
    Option<&'static str>,
    Option<&'static str>,
    u8,
    u8,
    Option<&'static str>,
);

const NUMBERS: &[Row] = &[
    (
        "unauthorized-api-calls",
        Some("3.1"),
        Some("4.1"),
        Some("5.1"),
        1,
        2,
        Some("CloudWatch.2"),
    ),
    (
        "console-signin-without-mfa",
        Some("3.2"),
        Some("4.2"),
        Some("5.2"),
        1,
        1,
        Some("CloudWatch.3"),
    ),
    (
        "root-usage",
        Some("3.3"),
        Some("4.3"),
        Some("5.3"),
        1,
        1,
        Some("CloudWatch.1"),
    ),
    (
        "iam-policy-changes",
        Some("3.4"),
        Some("4.4"),
        Some("5.4"),
        1,
        1,
        Some("CloudWatch.4"),
    ),
    (
        "cloudtrail-changes",
        Some("3.5"),
        Some("4.5"),
        Some("5.5"),
        1,
        1,
        Some("CloudWatch.5"),
    ),
    (
        "console-auth-failures",
        Some("3.6"),
        Some("4.6"),
        Some("5.6"),
        2,
        2,
        Some("CloudWatch.6"),
    ),
    (
        "cmk-disable-or-delete",
        Some("3.7"),
        Some("4.7"),
        Some("5.7"),
        2,
        2,
        Some("CloudWatch.7"),
    ),
    (
        "s3-bucket-policy-changes",
        Some("3.8"),
        Some("4.8"),
        Some("5.8"),
        1,
        1,
        Some("CloudWatch.8"),
    ),
    (
        "aws-config-changes",
        Some("3.9"),
        Some("4.9"),
        Some("5.9"),
        2,
        2,
        Some("CloudWatch.9"),
    ),
    (
        "security-group-changes",
        Some("3.10"),
        Some("4.10"),
        Some("5.10"),
        2,
        2,
        Some("CloudWatch.10"),
    ),
    (
        "nacl-changes",
        Some("3.11"),
        Some("4.11"),
        Some("5.11"),
        2,
        2,
        Some("CloudWatch.11"),
    ),
    (
        "network-gateway-changes",
        Some("3.12"),
        Some("4.12"),
        Some("5.12"),
        1,
        1,
        Some("CloudWatch.12"),
    ),
    (
        "route-table-changes",
        Some("3.13"),
        Some("4.13"),
        Some("5.13"),
        1,
        1,
        Some("CloudWatch.13"),
    ),
    (
        "vpc-changes",
        Some("3.14"),
        Some("4.14"),
        Some("5.14"),
        1,
        1,
        Some("CloudWatch.14"),
    ),
    (
        "organizations-changes",
        None,
        Some("4.15"),
        Some("5.15"),
        1,
        1,
        None,
    ),
];

#[test]
fn numbers_and_levels_are_the_published_ones() {
    assert_eq!(builtin().len(), NUMBERS.len());
    for (control, row) in builtin().iter().zip(NUMBERS) {
        let (id, first, middle, last, level_before, level_since, hub) = *row;
        let mut expected = 0;
        assert_eq!(control.id, id);
        for version in VERSIONS {
            let number = match version {
                "1.2.0" => first,
                "6.0.0" | "7.0.0" => last,
                _ => middle,
            };
            expected += usize::from(number.is_some());
            let level = if version < "2" {
                level_before
            } else {
                level_since
            };
            let entry = control.entry(version);
            assert_eq!(
                entry.map(|entry| (entry.number.as_str(), entry.level)),
                number.map(|number| (number, level)),
                "{id} in {version}"
            );
        }
        let entries: usize = control
            .benchmarks
            .iter()
            .map(|entry| entry.versions.len())
            .sum();
        assert_eq!(entries, expected, "{id}: a version twice or unknown");
        assert_eq!(
            control
                .security_hub
                .as_ref()
                .map(|hub| hub.control.as_str()),
            hub,
            "{id}"
        );
    }
}

#[test]
fn every_entry_says_where_it_was_read() {
    for control in builtin() {
        for entry in &control.benchmarks {
            assert!(
                !entry.sources.is_empty(),
                "{} {:?}",
                control.id,
                entry.versions
            );
            assert_eq!(
                entry.note.is_some(),
                !entry.texts.is_empty(),
                "{} {:?}: a text that is not taken to the letter needs a reason",
                control.id,
                entry.versions
            );
        }
        for mapping in &control.mappings {
            assert!(!mapping.requirements.is_empty() && !mapping.source.is_empty());
        }
    }
}

#[test]
fn a_control_round_trips_through_its_file_format() {
    for control in builtin() {
        let text = toml::to_string(control).unwrap();
        assert_eq!(
            Control::from_toml(&text).as_ref(),
            Ok(control),
            "{}",
            control.id
        );
    }
}

#[test]
fn versions_differ_where_the_benchmark_does() {
    let control = |id: &str| builtin().iter().find(|control| control.id == id).unwrap();
    let groups = control("security-group-changes");
    assert!(
        !groups
            .pattern_for("4.0.1")
            .contains("ModifySecurityGroupRules")
    );
    assert!(
        groups
            .pattern_for("5.0.0")
            .contains("ModifySecurityGroupRules")
    );
    let calls = control("unauthorized-api-calls");
    assert!(!calls.pattern_for("1.2.0").contains("HeadBucket"));
    assert_eq!(calls.observation("1.2.0"), None);
    assert!(
        calls
            .observation("1.5.0")
            .unwrap()
            .message
            .starts_with("The benchmark's text joins")
    );
    let summary = calls.summary("1.5.0");
    assert_eq!(summary.benchmark, "CIS AWS Foundations Benchmark 1.5.0");
    assert_eq!(summary.number.as_deref(), Some("4.1"));
    assert!(summary.title.starts_with("Ensure a log metric filter"));
    assert_eq!(
        control("organizations-changes").summary("1.2.0").number,
        None
    );
    assert_eq!(
        control("console-signin-without-mfa")
            .texts_for("6.0.0")
            .len(),
        2
    );
}

fn custom(id: &str) -> Control {
    Control::from_toml(&format!(
        "id = {id:?}\ntitle = 'Backups deleted'\npattern = '{{ $.eventName = DeleteBackupVault }}'"
    ))
    .unwrap()
}

#[test]
fn custom_controls_join_the_catalogue() {
    let catalogue = with_custom(vec![custom("backup-deletions")]).unwrap();
    assert_eq!(catalogue.len(), builtin().len() + 1);
    let chosen = select(&catalogue, &["backup-deletions".to_owned()]).unwrap();
    assert_eq!(chosen.len(), 1);
    assert_eq!(chosen[0].severity, Severity::Medium);
    let summary = chosen[0].summary("6.0.0");
    assert_eq!(
        (summary.benchmark.as_str(), summary.number),
        (CUSTOM_BENCHMARK, None)
    );
    assert_eq!(
        select(&catalogue, &["all".to_owned()]).unwrap().len(),
        builtin().len() + 1
    );
    assert_eq!(
        with_custom(vec![custom("root-usage")]),
        Err(CatalogueError::Duplicate("root-usage".to_owned()))
    );
}

#[test]
fn unknown_controls_are_refused_with_a_hint() {
    for (wanted, nearest) in [
        (
            "console_auth_failures",
            "; did you mean `console-auth-failures`?",
        ),
        ("CloudWatch.6", "; did you mean `console-auth-failures`?"),
        ("5.6", "; did you mean `console-auth-failures`?"),
        ("CIS 5.10", "; did you mean `security-group-changes`?"),
        ("zebra", "; `trailproof controls list` shows all of them"),
    ] {
        let error = select(builtin(), &[wanted.to_owned()]).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("there is no control `{wanted}`{nearest}")
        );
    }
}

#[test]
fn broken_controls_are_refused() {
    for (text, expected) in [
        (
            "id = 'A b'\ntitle = 't'\npattern = 'x'",
            "`A b` is not a control id",
        ),
        (
            "id = 'a--b'\ntitle = 't'\npattern = 'x'",
            "`a--b` is not a control id",
        ),
        (
            "id = 'all'\ntitle = 't'\npattern = 'x'",
            "`all` is not a control id",
        ),
        (
            "id = 'a'\ntitle = ' '\npattern = 'x'",
            "control `a`: `title` is empty",
        ),
        (
            "id = 'a'\ntitle = 't'\npattern = ''",
            "control `a`: `pattern` is empty",
        ),
        ("id = 'a'\ntitle = 't'", "missing field `pattern`"),
        (
            "id = 'a'\ntitle = 't'\npattern = 'x'\ncolour = 1",
            "unknown field `colour`",
        ),
        (
            "id = 'a'\ntitle = 't'\npattern = 'x'\n[[related]]\ntitle = 'r'\npattern = '{ $.a = '",
            "control `a`: `related.pattern` is not a filter pattern: ",
        ),
    ] {
        let error = Control::from_toml(text).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
}

/// The answer to whether a pattern matches an event.
fn answer(pattern: &str, event: &serde_json::Value) -> Match {
    let pattern = Pattern::parse(pattern).unwrap_or_else(|error| panic!("{pattern}: {error}"));
    matches(&pattern, &Event::from_value(event))
}

#[test]
fn examples_are_events_of_their_control_and_of_no_narrower_kind() {
    for control in builtin() {
        let facts = control.facts.as_deref().unwrap();
        assert_eq!(
            answer(facts, &control.example),
            Match::Yes,
            "{}: facts",
            control.id
        );
        for version in VERSIONS {
            if control.entry(version).is_none() {
                continue;
            }
            let required = control.pattern_for(version);
            assert_eq!(
                answer(required, &control.example),
                Match::Yes,
                "{} {version}",
                control.id
            );
            for text in control.texts_for(version) {
                assert_eq!(
                    answer(text, &control.example),
                    Match::Yes,
                    "{} {version}",
                    control.id
                );
            }
        }
    }
}

#[test]
fn a_sign_in_that_works_is_an_event_of_no_control() {
    let failures = builtin()
        .iter()
        .find(|control| control.id == "console-auth-failures")
        .unwrap();
    let mut event = failures.example.clone();
    event["responseElements"]["ConsoleLogin"] = "Success".into();
    event["additionalEventData"]["MFAUsed"] = "Yes".into();
    event.as_object_mut().unwrap().remove("errorMessage");
    for control in builtin() {
        assert_eq!(
            answer(&control.pattern, &event),
            Match::No,
            "{}",
            control.id
        );
    }
}

#[test]
fn every_text_fits_into_a_filter() {
    for control in builtin() {
        for version in VERSIONS {
            assert!(
                control.pattern_for(version).len() <= 1024,
                "{} {version}",
                control.id
            );
        }
    }
}

/// Evaluates every benchmark text, and the pattern that is required in its place, on events that
/// tell them apart.
#[test]
fn broken_texts_are_judged_by_what_they_mean() {
    let control = |id: &str| builtin().iter().find(|control| control.id == id).unwrap();
    let calls = control("unauthorized-api-calls");
    let mut head_bucket = calls.example.clone();
    head_bucket["eventName"] = "HeadBucket".into();
    let mut delivery = calls.example.clone();
    delivery["sourceIPAddress"] = "delivery.logs.amazonaws.com".into();
    let mut allowed = calls.example.clone();
    allowed.as_object_mut().unwrap().remove("errorCode");
    for (version, head, log_delivery) in [
        ("1.2.0", Match::Yes, Match::Yes),
        ("1.5.0", Match::No, Match::No),
        ("6.0.0", Match::No, Match::No),
    ] {
        let required = calls.pattern_for(version);
        assert_eq!(answer(required, &head_bucket), head, "{version}");
        assert_eq!(answer(required, &delivery), log_delivery, "{version}");
        assert_eq!(answer(required, &allowed), Match::No, "{version}");
    }
    // To the letter, the text of 1.5.0 matches calls that were allowed.
    assert_eq!(answer(calls.texts_for("1.5.0")[0], &allowed), Match::Yes);

    let routes = control("route-table-changes");
    let mut other_service = routes.example.clone();
    other_service["eventSource"] = "apigateway.amazonaws.com".into();
    assert_eq!(
        answer(routes.texts_for("6.0.0")[0], &other_service),
        Match::No
    );
    assert_eq!(
        answer(routes.facts.as_deref().unwrap(), &other_service),
        Match::No
    );
}

#[test]
fn a_pattern_that_does_not_parse_is_shown() {
    let error = Control::from_toml("id = 'a'\ntitle = 't'\npattern = '{ $.a = '").unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("control `a`: `pattern` is not a filter pattern: "),
        "{error}"
    );
}

/// What nothing can match would be met by any filter: it is refused, chosen or not.
#[test]
fn controls_that_no_event_can_match_are_refused() {
    let own = |rest: &str| {
        Control::from_toml(&format!("id = 'own'\ntitle = 'Own'\n{rest}"))
            .and_then(|control| control.validate_possible().map(|()| control.warnings()))
    };
    let impossible = |field| {
        Err(InvalidControl::Impossible {
            control: "own".to_owned(),
            field,
        })
    };
    for (text, expected) in [
        ("pattern = '{ $.eventName = CreateUser }'", Ok(0)),
        (
            "pattern = '{ $.eventName = CreateUser && $.eventName = DeleteUser }'",
            impossible("pattern"),
        ),
        (
            "pattern = '{ $.eventSource = kms.amazonaws.com }'\nfacts = '{ $.eventSource = \"kms.amazonaws.cm\" }'",
            impossible("pattern"),
        ),
        // Of the types of CloudTrail's fields.
        ("pattern = '{ $.readOnly = 17 }'", impossible("pattern")),
        (
            "pattern = '{ $.eventName NOT EXISTS }'",
            impossible("pattern"),
        ),
        (
            "pattern = '{ $.eventName = A }'\n[[related]]\ntitle = 'b'\npattern = '{ $.a = 1 && $.a = 2 }'",
            impossible("related.pattern"),
        ),
        // One alternative of two, and a value that AWS does not document.
        (
            "pattern = '{ $.eventName = A && ($.a = 1 || $.eventName = B) }'",
            Ok(1),
        ),
        ("pattern = '{ $.eventType = AwsApicall }'", Ok(1)),
    ] {
        assert_eq!(own(text).map(|warnings| warnings.len()), expected, "{text}");
    }
}

#[test]
fn related_patterns_have_to_parse() {
    let error = Control::from_toml(
        "id = 'own'\ntitle = 'Own'\npattern = '{ $.a = 1 }'\n[[related]]\ntitle = 'b'\npattern = '{ $.a = '",
    )
    .unwrap_err();
    assert!(error.to_string().contains("related.pattern"), "{error}");
}
