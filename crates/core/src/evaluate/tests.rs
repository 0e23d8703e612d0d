//! Whole chains: what a verdict is when one thing is not as it should be.

mod access;
mod reasons;

use serde_json::{Value, json};

use super::fixture::{
    MANAGEMENT, MEMBER, OTHER, TOPIC, World, check, denied, names, spelled, verdict,
};
use crate::finding::{LinkName, LinkStatus, Status};
use crate::policy::Assurance;

const PASS: Status = Status::Pass;
const FAIL: Status = Status::Fail;
const UNKNOWN: Status = Status::Unknown;

#[test]
fn a_whole_chain_passes_for_every_account() {
    let world = World::healthy();
    for account in [MANAGEMENT, MEMBER, OTHER] {
        let finding = world.finding(account);
        assert_eq!(verdict(&finding), (PASS, PASS, None), "{}", finding.message);
        let links: Vec<LinkName> = finding.chain.iter().map(|link| link.link).collect();
        assert_eq!(links, LinkName::CHAIN);
        assert!(
            finding
                .chain
                .iter()
                .all(|link| link.status == LinkStatus::Pass)
        );
        assert_eq!(world.wanted(account), []);
    }
}

#[test]
fn findings_are_the_same_byte_for_byte() {
    let mut world = World::healthy();
    let text = |world: &World| serde_json::to_string(&world.findings()).unwrap();
    let before = text(&world);
    world.records.reverse();
    assert_eq!(text(&world), before);
}

#[test]
fn the_first_broken_link_counts_even_behind_an_unseen_one() {
    let world = World::healthy()
        .fail(
            "cloudtrail:GetTrailStatus",
            MANAGEMENT,
            &denied("cloudtrail:GetTrailStatus"),
        )
        .set(
            "cloudwatch:DescribeAlarms",
            MANAGEMENT,
            "/MetricAlarms",
            json!([]),
        );
    check(&world, FAIL, FAIL, Some("alarm.none"));
}

#[test]
fn two_filters_cover_the_control_together() {
    let mut world = World::healthy();
    let filter = |name: &str, condition: &str| {
        json!({
        "filterName": name, "logGroupName": "trail",
        "filterPattern": format!("{{ $.eventName = ConsoleLogin && $.errorMessage = \"Failed authentication\" && {condition} }}"),
        "metricTransformations": [{"metricName": name, "metricNamespace": "CISBenchmark", "metricValue": "1"}]})
    };
    world = world.set(
        "logs:DescribeMetricFilters",
        MANAGEMENT,
        "/metricFilters",
        json!([
            filter("root", "$.userIdentity.type = \"Root\""),
            filter(
                "rest",
                "($.userIdentity.type != \"Root\" || $.userIdentity.type NOT EXISTS)"
            ),
        ]),
    );
    let alarm =
        world.record_mut("cloudwatch:DescribeAlarms", MANAGEMENT)["response"]["MetricAlarms"][0]
            .clone();
    let named = |name: &str| {
        let mut alarm = alarm.clone();
        alarm["AlarmName"] = json!(name);
        alarm["AlarmArn"] = json!(format!(
            "arn:aws:cloudwatch:eu-west-1:111111111111:alarm:{name}"
        ));
        alarm["MetricName"] = json!(name);
        alarm
    };
    let both = world.clone().set(
        "cloudwatch:DescribeAlarms",
        MANAGEMENT,
        "/MetricAlarms",
        json!([named("root"), named("rest")]),
    );
    check(&both, PASS, PASS, None);
    assert!(
        both.finding(MEMBER)
            .observations
            .iter()
            .any(|seen| seen.code == "metric-filter.together")
    );
    // One filter's alarm does not satisfy the other filter.
    let one = world.clone().set(
        "cloudwatch:DescribeAlarms",
        MANAGEMENT,
        "/MetricAlarms",
        json!([named("root")]),
    );
    check(&one, FAIL, FAIL, Some("alarm.none"));
    let mut disabled = named("rest");
    disabled["ActionsEnabled"] = json!(false);
    let half = world.set(
        "cloudwatch:DescribeAlarms",
        MANAGEMENT,
        "/MetricAlarms",
        json!([named("root"), disabled]),
    );
    check(&half, PASS, FAIL, Some("action.disabled"));
}

#[test]
fn the_second_trail_may_carry_the_proof() {
    let own = "arn:aws:cloudtrail:us-east-1:222222222222:trail/own";
    let mut world = World::healthy();
    let mut trail =
        world.record_mut("cloudtrail:DescribeTrails", MANAGEMENT)["response"]["trailList"][0]
            .clone();
    trail["TrailARN"] = json!(own);
    trail["HomeRegion"] = json!("us-east-1");
    trail["IsOrganizationTrail"] = json!(false);
    trail["CloudWatchLogsLogGroupArn"] = Value::Null;
    let world = world.set("cloudtrail:DescribeTrails", MEMBER, "/trailList/1", trail);
    check(&world, PASS, PASS, None);
    let world = world.set(
        "cloudtrail:GetTrailStatus",
        MANAGEMENT,
        "/IsLogging",
        json!(false),
    );
    let world = world.without_other_shapes();
    assert_eq!(names(&world.wanted(MEMBER)), [] as [&str; 0]);
    // The chain that got furthest is shown.
    check(&world, FAIL, FAIL, Some("log-group.none"));
}

#[test]
fn a_composite_alarm_that_the_alarm_drives_is_its_action() {
    let composite = |rule: &str, actions: Value| {
        json!({
        "AlarmName": "over", "AlarmArn": "arn:aws:cloudwatch:eu-west-1:111111111111:alarm:over",
        "AlarmRule": rule, "ActionsEnabled": true, "AlarmActions": actions, "StateValue": "OK"})
    };
    for (rule, cis, effective, reason) in [
        ("ALARM(failures)", PASS, PASS, None),
        ("ALARM(\"failures\") OR ALARM(other)", PASS, PASS, None),
        (
            "ALARM(failures) AND ALARM(other)",
            FAIL,
            FAIL,
            Some("action.none"),
        ),
        ("ALARM(other)", FAIL, FAIL, Some("action.none")),
        ("TRUE", FAIL, FAIL, Some("action.none")),
    ] {
        let world = World::healthy()
            .set(
                "cloudwatch:DescribeAlarms",
                MANAGEMENT,
                "/MetricAlarms/0/AlarmActions",
                json!([]),
            )
            .set(
                "cloudwatch:DescribeAlarms",
                MANAGEMENT,
                "/CompositeAlarms",
                json!([composite(rule, json!([TOPIC]))]),
            );
        println!("{rule}");
        check(&world, cis, effective, reason);
    }
    // A suppressor that fires together with the alarm never lets the composite alarm speak.
    for (suppressor, effective, reason) in [
        ("maintenance", PASS, None),
        ("failures", FAIL, Some("action.suppressed")),
        ("quiet", FAIL, Some("action.suppressed")),
    ] {
        let mut over = composite("ALARM(failures)", json!([TOPIC]));
        over["ActionsSuppressor"] = json!(format!(
            "arn:aws:cloudwatch:eu-west-1:111111111111:alarm:{suppressor}"
        ));
        let mut quiet = composite("ALARM(failures) OR ALARM(other)", json!([]));
        quiet["AlarmName"] = json!("quiet");
        let world = World::healthy()
            .set(
                "cloudwatch:DescribeAlarms",
                MANAGEMENT,
                "/MetricAlarms/0/AlarmActions",
                json!([]),
            )
            .set(
                "cloudwatch:DescribeAlarms",
                MANAGEMENT,
                "/CompositeAlarms",
                json!([over, quiet]),
            );
        check(&world, PASS, effective, reason);
    }
    let unlisted = |world: World| {
        let mut world = world;
        world.record_mut("cloudwatch:DescribeAlarms", MANAGEMENT)["parameters"] = json!({});
        world
    };
    let world = unlisted(World::healthy().set(
        "cloudwatch:DescribeAlarms",
        MANAGEMENT,
        "/MetricAlarms/0/AlarmActions",
        json!([]),
    ));
    check(
        &world,
        UNKNOWN,
        UNKNOWN,
        Some("action.composite-alarms-not-observed"),
    );
    assert_eq!(
        names(&world.wanted(MEMBER)),
        ["cloudwatch:DescribeAlarms 111111111111 eu-west-1"]
    );
    check(&unlisted(World::healthy()), PASS, PASS, None);
}

#[test]
fn mute_rules_count_when_they_target_the_alarm() {
    let rules = json!([{"AlarmMuteRuleArn": "arn:aws:cloudwatch:eu-west-1:111111111111:alarm-mute-rule:night", "Status": "ACTIVE"}]);
    let world = World::healthy().set(
        "cloudwatch:ListAlarmMuteRules",
        MANAGEMENT,
        "/AlarmMuteRuleSummaries",
        rules.clone(),
    );
    check(
        &world,
        PASS,
        UNKNOWN,
        Some("action.mute-rules-not-observed"),
    );
    assert_eq!(
        names(&world.wanted(MEMBER)),
        ["cloudwatch:ListAlarmMuteRules 111111111111 eu-west-1"]
    );
    let named = |rules: Value| {
        world.clone().with(
            "cloudwatch:ListAlarmMuteRules",
            MANAGEMENT,
            "eu-west-1",
            &json!({"AlarmName": "failures"}),
            &json!({"AlarmMuteRuleSummaries": rules}),
        )
    };
    check(&named(rules), PASS, FAIL, Some("action.muted"));
    check(&named(json!([])), PASS, PASS, None);
}

#[test]
fn the_yardstick_decides_the_status() {
    let mut world = World::healthy().set(
        "cloudwatch:DescribeAlarms",
        MANAGEMENT,
        "/MetricAlarms/0/ActionsEnabled",
        json!(false),
    );
    for (assurance, status) in [
        (Assurance::Cis, PASS),
        (Assurance::Effective, FAIL),
        (Assurance::Both, FAIL),
    ] {
        world.policy.assurance = assurance;
        assert_eq!(world.finding(MEMBER).status, status);
    }
    let mut world = World::healthy().set(
        "cloudtrail:GetEventSelectors",
        MANAGEMENT,
        "/EventSelectors/0/ReadWriteType",
        json!("WriteOnly"),
    );
    for (assurance, status) in [
        (Assurance::Cis, FAIL),
        (Assurance::Effective, PASS),
        (Assurance::Both, FAIL),
    ] {
        world.policy.assurance = assurance;
        assert_eq!(world.finding(MEMBER).status, status);
    }
}

#[test]
fn advanced_selectors_are_evaluated_against_the_event() {
    for (fields, cis, effective, reason) in [
        (json!([]), PASS, PASS, None),
        (
            json!([{"Field": "readOnly", "Equals": ["false"]}]),
            FAIL,
            PASS,
            Some("selectors.not-all-management-events"),
        ),
        (
            json!([{"Field": "readOnly", "Equals": ["true"]}]),
            FAIL,
            FAIL,
            Some("selectors.exclude-events"),
        ),
        (
            json!([{"Field": "eventSource", "NotEquals": ["kms.amazonaws.com", "rdsdata.amazonaws.com"]}]),
            PASS,
            PASS,
            None,
        ),
        (
            json!([{"Field": "eventSource", "NotEquals": ["signin.amazonaws.com"]}]),
            PASS,
            FAIL,
            Some("selectors.exclude-events"),
        ),
        (
            json!([{"Field": "eventSource", "NotStartsWith": ["sign"]}]),
            PASS,
            FAIL,
            Some("selectors.exclude-events"),
        ),
        (
            json!([{"Field": "eventName", "Equals": ["ConsoleLogin"]}]),
            FAIL,
            PASS,
            Some("selectors.not-all-management-events"),
        ),
        (
            json!([{"Field": "eventName", "EndsWith": ["Login"], "NotEquals": ["X"]}]),
            FAIL,
            PASS,
            Some("selectors.not-all-management-events"),
        ),
        (
            json!([{"Field": "userIdentity.arn", "NotStartsWith": ["arn:aws:iam::222222222222:user/ci"]}]),
            FAIL,
            FAIL,
            Some("selectors.exclude-events"),
        ),
        (
            json!([{"Field": "invented", "Equals": ["x"]}]),
            FAIL,
            UNKNOWN,
            Some("selectors.not-all-management-events"),
        ),
    ] {
        let mut all = vec![json!({"Field": "eventCategory", "Equals": ["Management"]})];
        all.extend(fields.as_array().unwrap().iter().cloned());
        let world = World::healthy()
            .set("cloudtrail:GetEventSelectors", MANAGEMENT, "/EventSelectors", json!([]))
            .set("cloudtrail:GetEventSelectors", MANAGEMENT, "/AdvancedEventSelectors", json!([
                {"Name": "data", "FieldSelectors": [{"Field": "eventCategory", "Equals": ["Data"]}]},
                {"Name": "management", "FieldSelectors": all},
            ]));
        println!("{fields}");
        check(&world, cis, effective, reason);
    }
}

#[test]
fn a_topic_that_does_not_exist_fails_by_both_yardsticks() {
    let gone = json!({"code": "NotFound", "message": "Topic does not exist", "class": "not-found"});
    let world = World::healthy().fail("sns:GetTopicAttributes", MANAGEMENT, &gone);
    check(&world, FAIL, FAIL, Some("topic.missing"));
}

#[test]
fn a_log_group_of_the_same_name_elsewhere_proves_nothing() {
    let group = "arn:aws:logs:eu-west-1:333333333333:log-group:trail:*";
    let world = World::healthy().set(
        "cloudtrail:DescribeTrails",
        MANAGEMENT,
        "/trailList/0/CloudWatchLogsLogGroupArn",
        json!(group),
    );
    check(&world, UNKNOWN, UNKNOWN, Some("log-group.not-observed"));
    assert_eq!(
        names(&world.wanted(MEMBER)),
        ["logs:DescribeLogGroups 333333333333 eu-west-1"]
    );
    let world = world.with(
        "logs:DescribeLogGroups",
        OTHER,
        "eu-west-1",
        &json!({}),
        &json!({"logGroups": []}),
    );
    check(&world, FAIL, FAIL, Some("log-group.missing"));
}

#[test]
fn hand_made_evidence_may_ask_in_other_words() {
    let mut world = World::healthy();
    for record in &mut world.records {
        match record["operation"].as_str().unwrap() {
            "cloudtrail:DescribeTrails"
            | "cloudwatch:DescribeAlarms"
            | "logs:DescribeLogGroups"
            | "logs:DescribeMetricFilters" => {
                record["parameters"] = json!({});
            }
            "cloudtrail:GetTrailStatus" => record["parameters"] = json!({"Name": "org"}),
            "cloudtrail:GetEventSelectors" => record["parameters"] = json!({"TrailName": "org"}),
            _ => {}
        }
        record["observed_at"] = json!(1_795_384_800);
    }
    check(&world, PASS, PASS, None);
}

/// An alarm confined to one value of a dimension sees the events that have it.
#[test]
fn dimensions_confine_an_alarm() {
    let world = World::healthy()
        .set(
            "logs:DescribeMetricFilters",
            MANAGEMENT,
            "/metricFilters/0/metricTransformations/0/dimensions",
            json!({"Account": "$.recipientAccountId"}),
        )
        .set(
            "cloudwatch:DescribeAlarms",
            MANAGEMENT,
            "/MetricAlarms/0/Dimensions",
            json!([{"Name": "Account", "Value": "222222222222"}]),
        );
    check(&world, PASS, PASS, None);
    let finding = world.finding(OTHER);
    assert_eq!(
        verdict(&finding),
        (PASS, FAIL, Some("metric-filter.misses-events")),
        "{}",
        finding.message
    );
}

#[test]
fn a_missing_filter_is_answered_with_the_four_steps() {
    let world = World::healthy()
        .set(
            "cloudtrail:DescribeTrails",
            MANAGEMENT,
            "/trailList/0/CloudWatchLogsLogGroupArn",
            json!("arn:aws:logs:eu-west-1:111111111111:log-group:trail:*"),
        )
        .set(
            "logs:DescribeMetricFilters",
            MANAGEMENT,
            "/metricFilters",
            json!([]),
        );
    let remediation = world.finding(MEMBER).remediation.unwrap();
    assert!(remediation.automatic);
    insta::assert_snapshot!(spelled(&remediation), @r#"
    aws logs put-metric-filter --region eu-west-1 --log-group-name trail --filter-name trailproof-console-auth-failures --filter-pattern '{ ($.eventName = ConsoleLogin) && ($.errorMessage = "Failed authentication") }' --metric-transformations metricName=console-auth-failures,metricNamespace=CISBenchmark,metricValue=1
    aws sns create-topic --region eu-west-1 --name trailproof-alarms
    aws sns subscribe --region eu-west-1 --topic-arn arn:aws:sns:eu-west-1:111111111111:trailproof-alarms --protocol email --notification-endpoint "$EMAIL"
    aws cloudwatch put-metric-alarm --region eu-west-1 --alarm-name trailproof-console-auth-failures --namespace CISBenchmark --metric-name console-auth-failures --statistic Sum --period 300 --evaluation-periods 1 --threshold 1 --comparison-operator GreaterThanOrEqualToThreshold --treat-missing-data notBreaching --alarm-actions arn:aws:sns:eu-west-1:111111111111:trailproof-alarms
    "#);
}

/// Somebody who copied the benchmark's own text passes, and is told what is wrong with it.
#[test]
fn broken_texts_of_the_benchmark_pass_with_an_observation() {
    let control = crate::control::builtin()
        .iter()
        .find(|control| control.id == "unauthorized-api-calls")
        .unwrap();
    for (version, expected) in [
        ("1.2.0", vec![]),
        (
            "1.3.0",
            vec![
                "control.benchmark-text",
                "metric-filter.matches-nearly-everything",
            ],
        ),
        (
            "1.5.0",
            vec![
                "control.benchmark-text",
                "metric-filter.matches-nearly-everything",
            ],
        ),
        // `&&` binds tighter than `||`: the first error code is matched without the exclusions.
        (
            "6.0.0",
            vec!["control.benchmark-text", "metric-filter.broader"],
        ),
    ] {
        let mut world = World::healthy().set(
            "logs:DescribeMetricFilters",
            MANAGEMENT,
            "/metricFilters/0/filterPattern",
            json!(control.texts_for(version)[0]),
        );
        world.policy.controls = vec![control.clone()];
        world.policy.benchmark = version.to_owned();
        check(&world, PASS, PASS, None);
        let finding = world.finding(MEMBER);
        let codes: Vec<&str> = finding
            .observations
            .iter()
            .map(|observation| observation.code.as_str())
            .filter(|code| *code != "metric-filter.misses-related-events")
            .collect();
        assert_eq!(codes, expected, "{version}");
    }
}

#[test]
fn a_filter_of_every_event_that_has_a_name_tells_none_from_another() {
    let world = World::healthy().set(
        "logs:DescribeMetricFilters",
        MANAGEMENT,
        "/metricFilters/0/filterPattern",
        json!("{ $.eventName = \"*\" }"),
    );
    check(&world, FAIL, FAIL, Some("metric-filter.matches-everything"));
}
