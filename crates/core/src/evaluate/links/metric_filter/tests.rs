use serde_json::{Value, json};

use crate::control;
use crate::evaluate::fixture::{
    Case, MANAGEMENT, MEMBER, OTHER, PATTERN, World, check, denied, names, table,
};
use crate::finding::Status::{Fail, Pass, Unknown};

/// Filters that look at some regions each cover the control together, if all are live. Whose region
/// it is, the event's or the log group's, must not matter: the group is in eu-west-1, of another
/// account.
#[test]
fn filters_may_share_the_regions_out() {
    const NOT_DECIDED: &str = "metric-filter.field-selection-not-decided";
    let filter = |name: &str, metric: &str, criteria: &str| {
        json!({
            "filterName": name, "filterPattern": PATTERN, "logGroupName": "trail",
            "fieldSelectionCriteria": criteria,
            "metricTransformations": [{
                "metricName": metric, "metricNamespace": "CISBenchmark", "metricValue": "1",
            }],
        })
    };
    let here = r#"@aws.region = "us-east-1""#;
    let elsewhere = r#"@aws.region != "us-east-1""#;
    let some = r#"@aws.region IN ["eu-west-1", "eu-central-1"]"#;
    let account = r#"@aws.account = "222222222222" AND @aws.region != "us-east-1""#;
    let other = r#"@aws.account != "222222222222" AND @aws.region != "us-east-1""#;
    for (second, metric, status, reason) in [
        (elsewhere, "Failures", Pass, None),
        (account, "Failures", Unknown, Some(NOT_DECIDED)),
        (some, "Failures", Unknown, Some(NOT_DECIDED)),
        (other, "Failures", Unknown, Some(NOT_DECIDED)),
        (
            here,
            "Failures",
            Fail,
            Some("metric-filter.excludes-account"),
        ),
        (elsewhere, "Unwatched", Fail, Some("alarm.none")),
        (
            r#"@data.source = "x""#,
            "Failures",
            Unknown,
            Some("metric-filter.field-selection-not-decided"),
        ),
    ] {
        let world = World::healthy().set(
            "logs:DescribeMetricFilters",
            MANAGEMENT,
            "/metricFilters",
            json!([
                filter("here", "Failures", here),
                filter("second", metric, second),
            ]),
        );
        println!("{second} {metric}");
        check(&world, status, status, reason);
        let apart = world
            .finding(MEMBER)
            .observations
            .iter()
            .any(|seen| seen.code == "metric-filter.regions-apart");
        assert_eq!(
            apart,
            reason != Some(NOT_DECIDED) || second.starts_with("@data")
        );
    }
}

/// Whether `= true` matches the JSON value `true` is not documented.
const BY_RULE: &str = r#"{ ($.eventName = ConsoleLogin) && ($.errorMessage = "Failed authentication") && (($.managementEvent = true) || ($.managementEvent IS FALSE) || ($.managementEvent NOT EXISTS)) }"#;
const TRY: &str = "logs:TestMetricFilter";

fn by_rule() -> World {
    World::healthy()
        .set(
            "logs:DescribeMetricFilters",
            MANAGEMENT,
            "/metricFilters/0/filterPattern",
            json!(BY_RULE),
        )
        .with(
            "sts:GetCallerIdentity",
            MANAGEMENT,
            "us-east-1",
            &json!({}),
            &json!({"Account": "111111111111", "Arn": "arn:aws:iam::111111111111:user/u", "UserId": "U"}),
        )
}

fn parameters() -> Value {
    json!({"filterPattern": "{ $.a = true }", "logEventMessages": [r#"{"a":true}"#]})
}

#[test]
fn the_service_is_asked_about_rules_that_decide_and_are_not_documented() {
    let undecided = Some("metric-filter.undocumented");
    let world = by_rule();
    check(&world, Unknown, Unknown, undecided);
    let tried = ["logs:TestMetricFilter 111111111111 us-east-1"];
    assert_eq!(names(&world.wanted(MEMBER)), tried);
    let [request] = world.wanted(MEMBER).try_into().unwrap();
    assert_eq!(Value::Object(request.call.parameters()), parameters());
    // Not where nobody may, nor where all is documented.
    let mut silent = world.clone();
    silent.policy.test_patterns = false;
    check(&silent, Unknown, Unknown, undecided);
    assert_eq!(silent.wanted(MEMBER), []);
    assert_eq!(World::healthy().wanted(MEMBER), []);
    // A chain that is broken further on does not hang on it.
    let broken = world.clone().set(
        "cloudwatch:DescribeAlarms",
        MANAGEMENT,
        "/MetricAlarms/0/AlarmActions",
        json!([]),
    );
    let wanted = names(&broken.wanted(MEMBER));
    assert!(!wanted.contains(&tried[0].to_owned()), "{wanted:?}");
}

#[test]
fn what_the_service_says_about_a_rule_holds_whoever_asked() {
    let matched =
        json!({"matches": [{"eventNumber": 1, "eventMessage": "x", "extractedValues": {}}]});
    let told = |answer: &Value| by_rule().with(TRY, OTHER, "eu-central-1", &parameters(), answer);
    let missed = Some("metric-filter.misses-events");
    check(&told(&matched), Pass, Pass, None);
    check(&told(&json!({"matches": []})), Fail, Fail, missed);
    // No list of matches is no answer, and another message asks another question.
    let undecided = Some("metric-filter.undocumented");
    check(&told(&json!({})), Unknown, Unknown, undecided);
    let mut other = parameters();
    other["logEventMessages"] = json!([r#"{"a":false}"#]);
    let world = by_rule().with(TRY, OTHER, "eu-central-1", &other, &matched);
    check(&world, Unknown, Unknown, undecided);
    assert_eq!(names(&world.wanted(MEMBER)).len(), 1);
    // A refusal is not asked about again.
    let mut refused = told(&matched);
    let record = refused.record_mut(TRY, OTHER);
    record.as_object_mut().unwrap().remove("response");
    record["error"] = denied(TRY);
    check(&refused, Unknown, Unknown, undecided);
    assert_eq!(refused.wanted(MEMBER), []);
}

/// What is changed by itself.
pub(in crate::evaluate) fn cases() -> Vec<Case> {
    vec![
        Case(
            "logs:DescribeMetricFilters",
            MANAGEMENT,
            "/metricFilters",
            json!([]),
            Fail,
            Fail,
            Some("metric-filter.none"),
        ),
        Case(
            "logs:DescribeMetricFilters",
            MANAGEMENT,
            "/metricFilters/0/filterPattern",
            json!("{ $.eventName = ConsoleLogin }"),
            Pass,
            Pass,
            None,
        ),
        Case(
            "logs:DescribeMetricFilters",
            MANAGEMENT,
            "/metricFilters/0/filterPattern",
            json!(
                r#"{ ($.eventName = ConsoleLogin) && ($.errorMessage = "Failed authentication") && ($.userIdentity.type = "Root") }"#
            ),
            Fail,
            Fail,
            Some("metric-filter.misses-events"),
        ),
        Case(
            "logs:DescribeMetricFilters",
            MANAGEMENT,
            "/metricFilters/0/filterPattern",
            json!("{ $.eventName != ConsoleLogin }"),
            Fail,
            Fail,
            Some("metric-filter.misses-events"),
        ),
        Case(
            "logs:DescribeMetricFilters",
            MANAGEMENT,
            "/metricFilters/0/filterPattern",
            json!(""),
            Fail,
            Fail,
            Some("metric-filter.matches-everything"),
        ),
        Case(
            "logs:DescribeMetricFilters",
            MANAGEMENT,
            "/metricFilters/0/filterPattern",
            json!("{ $.eventName = ConsoleLogin"),
            Unknown,
            Unknown,
            Some("metric-filter.unreadable-pattern"),
        ),
        Case(
            "logs:DescribeMetricFilters",
            MANAGEMENT,
            "/metricFilters/0/applyOnTransformedLogs",
            json!(true),
            Unknown,
            Unknown,
            Some("metric-filter.transformed-logs"),
        ),
        Case(
            "logs:DescribeMetricFilters",
            MANAGEMENT,
            "/metricFilters/0/fieldSelectionCriteria",
            json!("@aws.account = \"333333333333\""),
            Fail,
            Fail,
            Some("metric-filter.excludes-account"),
        ),
        Case(
            "logs:DescribeMetricFilters",
            MANAGEMENT,
            "/metricFilters/0/fieldSelectionCriteria",
            json!("@aws.account = \"222222222222\""),
            Unknown,
            Unknown,
            Some("metric-filter.field-selection-not-decided"),
        ),
        // The event's account and the log group's.
        Case(
            "logs:DescribeMetricFilters",
            MANAGEMENT,
            "/metricFilters/0/fieldSelectionCriteria",
            json!("@aws.account IN [\"111111111111\", \"222222222222\"]"),
            Pass,
            Pass,
            None,
        ),
        Case(
            "logs:DescribeMetricFilters",
            MANAGEMENT,
            "/metricFilters/0/filterPattern",
            json!("{ $.eventName = ConsoleLogin && $.eventName = CreateUser }"),
            Fail,
            Fail,
            Some("metric-filter.misses-events"),
        ),
        // Another control's own filter is no filter of this control.
        Case(
            "logs:DescribeMetricFilters",
            MANAGEMENT,
            "/metricFilters/0/filterPattern",
            json!(
                "{ ($.eventSource = kms.amazonaws.com) && (($.eventName = DisableKey) || ($.eventName = ScheduleKeyDeletion)) }"
            ),
            Fail,
            Fail,
            Some("metric-filter.none"),
        ),
        // The account in whatever form.
        Case(
            "logs:DescribeMetricFilters",
            MANAGEMENT,
            "/metricFilters/0/filterPattern",
            json!("\"ConsoleLogin\" \"Failed authentication\" \"222222222222\""),
            Pass,
            Pass,
            None,
        ),
        Case(
            "logs:DescribeMetricFilters",
            MANAGEMENT,
            "/metricFilters/0/filterPattern",
            json!("\"ConsoleLogin\" \"Failed authentication\" \"333333333333\""),
            Fail,
            Fail,
            Some("metric-filter.misses-events"),
        ),
        Case(
            "logs:DescribeMetricFilters",
            MANAGEMENT,
            "/metricFilters/0/filterPattern",
            json!(
                "{ $.eventName = ConsoleLogin && $.errorMessage = \"Failed authentication\" && $.userIdentity.accountId = 222222222222 }"
            ),
            Pass,
            Pass,
            None,
        ),
    ]
}

#[test]
fn one_thing_is_not_as_it_should_be() {
    table(&cases());
}

/// A filter that is another control's own, or a part of it, is not blamed for missing this one's
/// events, not even where a few events belong to both.
#[test]
fn filters_of_other_controls_are_no_candidates() {
    let root = r#"{ ($.eventName = ConsoleLogin) && ($.errorMessage = "Failed authentication") && ($.userIdentity.type = Root) }"#;
    let none = "metric-filter.none";
    for (id, pattern, reason) in [
        ("root-usage", PATTERN, none),
        ("unauthorized-api-calls", PATTERN, none),
        ("console-signin-without-mfa", PATTERN, none),
        ("iam-policy-changes", PATTERN, none),
        ("iam-policy-changes", root, none),
        ("console-auth-failures", root, "metric-filter.misses-events"),
        (
            "root-usage",
            "{ $.userIdentity.type = Root && $.eventName = ConsoleLogin }",
            "metric-filter.misses-events",
        ),
    ] {
        let mut world = World::healthy().set(
            "logs:DescribeMetricFilters",
            MANAGEMENT,
            "/metricFilters/0/filterPattern",
            json!(pattern),
        );
        let mut controls = control::builtin().iter();
        let control = controls.find(|control| control.id == id).unwrap();
        world.policy.controls = vec![control.clone()];
        println!("{id} {pattern}");
        check(&world, Fail, Fail, Some(reason));
    }
}

/// Absent is not empty: a filter without its pattern or without what it writes was not seen. What
/// others prove by the benchmark stands; whether the alarm is ever quiet is not known.
#[test]
fn filters_that_are_listed_in_part() {
    let listed = |member: &str, value: Option<Value>| {
        let mut filter = json!({
            "filterName": "f", "filterPattern": PATTERN,
            "metricTransformations": [{
                "metricName": "Failures", "metricNamespace": "CISBenchmark", "metricValue": "1",
            }],
        });
        match value {
            Some(value) => filter[member] = value,
            None => drop(filter.as_object_mut().unwrap().remove(member)),
        }
        filter
    };
    let no_value = json!([{"metricName": "Failures", "metricNamespace": "CISBenchmark"}]);
    for (member, value) in [
        ("filterPattern", None),
        ("filterPattern", Some(Value::Null)),
        ("metricTransformations", None),
        ("metricTransformations", Some(Value::Null)),
        ("metricTransformations", Some(no_value)),
    ] {
        let partial = listed(member, value);
        let filters = |filters: Value| {
            World::healthy().set(
                "logs:DescribeMetricFilters",
                MANAGEMENT,
                "/metricFilters",
                filters,
            )
        };
        let alone = filters(json!([partial]));
        check(&alone, Unknown, Unknown, Some("metric-filter.not-observed"));
        assert!(
            alone
                .finding(MEMBER)
                .message
                .contains("metric filter `f` has no")
        );
        assert!(alone.wanted(MEMBER).is_empty());
        let whole = listed("filterName", Some(json!("whole")));
        let beside = filters(json!([partial, whole]));
        check(&beside, Pass, Unknown, Some("metric-filter.not-observed"));
    }
}

/// Who reads that filters miss events sees which filters, and what they match instead.
#[test]
fn filters_that_miss_events_are_named() {
    let told = |patterns: &[&str]| {
        let filters: Vec<Value> = patterns
            .iter()
            .enumerate()
            .map(|(number, pattern)| {
                json!({
                    "filterName": format!("f{number}"), "filterPattern": pattern,
                    "logGroupName": "trail", "metricTransformations": [{"metricName": "Failures",
                        "metricNamespace": "CISBenchmark", "metricValue": "1"}],
                })
            })
            .collect();
        let world = World::healthy().set(
            "logs:DescribeMetricFilters",
            MANAGEMENT,
            "/metricFilters",
            json!(filters),
        );
        check(&world, Fail, Fail, Some("metric-filter.misses-events"));
        world.finding(MEMBER).message.to_string()
    };
    let never = "{ ($.eventName = ConsoleLogin) && ($.eventName = CheckMfa) }";
    let other = r#"{ ($.eventName = ConsoleLogin) && ($.errorMessage = "Other") }"#;
    let another = r#"{ ($.eventName = ConsoleLogin) && ($.errorMessage = "Another") }"#;
    let some = r#"{ ($.eventName = ConsoleLogin) && ($.errorMessage = "Failed authentication") && ($.sourceIPAddress = "10.*") }"#;
    let more = r#"{ ($.eventName = ConsoleLogin) && ($.errorMessage = "Failed authentication") && ($.sourceIPAddress = "11.*") }"#;
    let one = "metric filter `f0` of log group `trail`";
    let both = "the 2 metric filters of log group `trail`";
    for (patterns, expected) in [
        (
            &[never][..],
            format!(
                "{one} matches no event at all: its conditions contradict each other; its pattern is {never}"
            ),
        ),
        (
            &[never, never],
            format!("{both} match no event at all: their conditions contradict each other"),
        ),
        (
            &[other],
            format!("{one} matches none of the control's events"),
        ),
        (
            &[other, another],
            format!("{both} match none of the control's events"),
        ),
        (
            &[some],
            format!(
                "{one} misses events of the control; its pattern is {some}, of the event shown "
            ),
        ),
        (&[some, more], format!("{both} miss events of the control")),
    ] {
        let message = told(patterns);
        let ends = !patterns.contains(&some) || patterns.len() > 1;
        assert!(message.starts_with(&expected), "{message}\n{expected}");
        assert_eq!(message == expected, ends, "{message}");
    }
}

/// Each observation, and where it is made.
pub(in crate::evaluate) fn observed() -> Vec<(&'static str, World)> {
    let part = |user: &str| PATTERN.replace(" }", &format!(" && ($.userIdentity.type {user}) }}"));
    let filter = |pattern: &str, criteria: &str| {
        json!({
            "filterName": format!("{pattern} {criteria}"), "filterPattern": pattern, "logGroupName": "trail",
            "fieldSelectionCriteria": criteria,
            "metricTransformations": [{
                "metricName": "Failures", "metricNamespace": "CISBenchmark", "metricValue": "1"}]})
    };
    let mut undocumented = World::healthy().set(
        "logs:DescribeMetricFilters",
        MANAGEMENT,
        "/metricFilters/0/filterPattern",
        json!("{ $.eventName = ConsoleLogin && $.additionalEventData.MFAUsed = No }"),
    );
    let control = control::builtin()
        .iter()
        .find(|control| control.id == "console-signin-without-mfa");
    undocumented.policy.controls = vec![control.unwrap().clone()];
    vec![
        (
            "metric-filter.regions-apart",
            World::healthy().set(
                "logs:DescribeMetricFilters",
                MANAGEMENT,
                "/metricFilters",
                json!([
                    filter(PATTERN, r#"@aws.region = "us-east-1""#),
                    filter(PATTERN, r#"@aws.region != "us-east-1""#),
                ]),
            ),
        ),
        (
            "metric-filter.together",
            World::healthy().set(
                "logs:DescribeMetricFilters",
                MANAGEMENT,
                "/metricFilters",
                json!([
                    filter(&part("= Root"), ""),
                    filter(&part("!= Root"), ""),
                    filter(&part("NOT EXISTS"), ""),
                ]),
            ),
        ),
        (
            "metric-filter.matches-nearly-everything",
            World::healthy().set(
                "logs:DescribeMetricFilters",
                MANAGEMENT,
                "/metricFilters/0/filterPattern",
                json!("{ $.eventName != CreateTags }"),
            ),
        ),
        (
            "metric-filter.may-match-routine-events",
            super::noise::tests::buckets("{ $.eventSource = s3.amazonaws.com }"),
        ),
        (
            "metric-filter.broader",
            World::healthy().set(
                "logs:DescribeMetricFilters",
                MANAGEMENT,
                "/metricFilters/0/filterPattern",
                json!("{ $.eventName = ConsoleLogin }"),
            ),
        ),
        ("metric-filter.misses-related-events", World::healthy()),
        ("metric-filter.misses-undocumented-values", undocumented),
        (
            "metric-filter.central-copies-unseen",
            World::healthy().set(
                "cloudwatch:DescribeAlarms",
                MANAGEMENT,
                "/MetricAlarms",
                json!([]),
            ),
        ),
    ]
}

/// A filter for the control's events on a log group that the trail does not write to.
#[test]
fn a_filter_elsewhere_is_named() {
    let elsewhere = json!({"filterName": "left", "filterPattern": PATTERN, "logGroupName": "old",
        "metricTransformations": []});
    let all = |world: World, filters: &Value| {
        world.with(
            "logs:DescribeMetricFilters",
            MANAGEMENT,
            "eu-west-1",
            &json!({}),
            &json!({ "metricFilters": filters }),
        )
    };
    let none = World::healthy().set(
        "logs:DescribeMetricFilters",
        MANAGEMENT,
        "/metricFilters",
        json!([]),
    );
    check(&none, Fail, Fail, Some("metric-filter.none"));
    assert_eq!(
        names(&none.wanted(MEMBER)),
        ["logs:DescribeMetricFilters 111111111111 eu-west-1"]
    );
    let found = all(none.clone(), &json!([elsewhere]));
    check(&found, Fail, Fail, Some("metric-filter.elsewhere"));
    assert!(found.finding(MEMBER).message.contains("`old`"));
    assert_eq!(found.without_other_shapes().wanted(MEMBER), []);
    let nothing = all(none.without_other_shapes(), &json!([]));
    check(&nothing, Fail, Fail, Some("metric-filter.none"));
    assert_eq!(nothing.wanted(MEMBER), []);
}
