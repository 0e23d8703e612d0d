//! Other ways to a person: what is asked, and what is made of the answers.

use serde_json::{Value, json};

use super::super::fixture::{
    MANAGEMENT, MEMBER, OTHER, PATTERN, World, check, denied, names, record,
};
use crate::finding::Status::{Fail, Pass, Unknown};

const CENTRAL: &str = "observabilityadmin:ListCentralizationRulesForOrganization";
const CENTRAL_RULE: &str = "observabilityadmin:GetCentralizationRuleForOrganization";
const TELEMETRY: &str = "observabilityadmin:ListTelemetryRulesForOrganization";
const TELEMETRY_RULE: &str = "observabilityadmin:GetTelemetryRuleForOrganization";
const OWN_TELEMETRY: &str = "observabilityadmin:ListTelemetryRules";
const EVENTS: &str = "events:ListRules";

/// The log group has no filter, and nobody has one elsewhere in its account and region.
fn without_filter() -> World {
    let none = json!({"metricFilters": []});
    World::healthy()
        .set(
            "logs:DescribeMetricFilters",
            MANAGEMENT,
            "/metricFilters",
            json!([]),
        )
        .with(
            "logs:DescribeMetricFilters",
            MANAGEMENT,
            "eu-west-1",
            &json!({}),
            &none,
        )
}

/// A filter for the control's events on a log group of an account.
fn filter_on(world: World, account: u64, log_group: &str) -> World {
    let filters = json!({"metricFilters": [{
        "filterName": "failures", "filterPattern": PATTERN, "logGroupName": log_group,
        "metricTransformations": [{"metricName": "Failures", "metricNamespace": "CISBenchmark", "metricValue": "1"}]}]});
    world.with(
        "logs:DescribeMetricFilters",
        account,
        "eu-west-1",
        &json!({}),
        &filters,
    )
}

fn codes(world: &World) -> Vec<String> {
    let observations = world.finding(MEMBER).observations;
    let codes = observations.iter().map(|seen| seen.code.clone());
    codes.filter(|code| code.ends_with("-unseen")).collect()
}

#[test]
fn every_way_is_asked_for_once_nothing_is_left_to_ask_about_the_chain() {
    let world = without_filter();
    assert_eq!(
        names(&world.wanted(MEMBER)),
        [
            "events:ListRules 111111111111 eu-west-1",
            "observabilityadmin:ListCentralizationRulesForOrganization 111111111111 us-east-1",
            "observabilityadmin:ListTelemetryRulesForOrganization 111111111111 us-east-1",
            "observabilityadmin:ListTelemetryRules 222222222222 us-east-1",
        ]
    );
    // What nobody asked changes nothing while nothing looks like it, and is told.
    check(&world, Fail, Fail, Some("metric-filter.none"));
    let unseen = [
        "action.event-rules-unseen",
        "metric-filter.central-copies-unseen",
        "trail.telemetry-rules-unseen",
    ];
    assert_eq!(codes(&world), unseen);
    let none = world.clone().without_other_shapes();
    check(&none, Fail, Fail, Some("metric-filter.none"));
    assert_eq!(names(&none.wanted(MEMBER)), [] as [&str; 0]);
    assert_eq!(codes(&none), [] as [&str; 0]);
    // Denied is not seen, and not asked again.
    let mut refused = none;
    for record in &mut refused.records {
        let operation = record["operation"].as_str().unwrap().to_owned();
        if operation.starts_with("observabilityadmin:") || operation == EVENTS {
            let record = record.as_object_mut().unwrap();
            record.remove("response");
            record.insert("error".to_owned(), denied(&operation));
        }
    }
    check(&refused, Fail, Fail, Some("metric-filter.none"));
    assert_eq!(names(&refused.wanted(MEMBER)), [] as [&str; 0]);
    assert_eq!(codes(&refused), unseen);
    // A chain that is complete needs none of it, and one that fails before has no use for it.
    assert_eq!(World::healthy().wanted(MEMBER), []);
    let stopped = World::healthy().set(
        "cloudtrail:GetTrailStatus",
        MANAGEMENT,
        "/IsLogging",
        json!(false),
    );
    assert_eq!(stopped.wanted(MEMBER), []);
    assert_eq!(codes(&stopped), [] as [&str; 0]);
}

/// The list of centralization rules, with one.
fn rule(world: World, health: &str) -> World {
    let rules = json!({"CentralizationRuleSummaries": [{
        "RuleName": "central", "RuleArn": "arn:aws:observabilityadmin:eu-west-1:111111111111:organization-centralization-rule/central",
        "CreatedRegion": "eu-west-1", "RuleHealth": health,
        "DestinationAccountId": "333333333333", "DestinationRegion": "eu-west-1"}]});
    let asked = json!({"AllRegions": true});
    world
        .without(CENTRAL, MANAGEMENT)
        .with(CENTRAL, MANAGEMENT, "us-east-1", &asked, &rules)
}

/// Rules are listed where they were made: a list of one region is whole for log groups of that region.
#[test]
fn a_list_of_rules_is_of_its_region_or_of_all() {
    let all = json!({"AllRegions": true});
    for (region, asked, whole) in [
        ("eu-west-1", json!({}), true),
        ("us-east-1", json!({}), false),
        ("us-east-1", all, true),
    ] {
        let none = json!({"CentralizationRuleSummaries": []});
        let world = without_filter().without_other_shapes();
        let world = world
            .without(CENTRAL, MANAGEMENT)
            .with(CENTRAL, MANAGEMENT, region, &asked, &none);
        check(&world, Fail, Fail, Some("metric-filter.none"));
        let unseen = codes(&world);
        assert_eq!(unseen.is_empty(), whole, "{region} {asked}: {unseen:?}");
    }
}

/// Who was refused a rule is not asked for it again, and whether it copies is not known.
#[test]
fn a_rule_that_nobody_may_read_may_copy() {
    let listed = rule(without_filter().without_other_shapes(), "Healthy");
    let refused = details(listed, "central", &json!({})).fail_last(&denied(CENTRAL_RULE));
    check(&refused, Fail, Unknown, Some("metric-filter.none"));
    assert_eq!(refused.wanted(MEMBER), []);
}

fn details(world: World, identifier: &str, source: &Value) -> World {
    let rule =
        json!({"CentralizationRule": {"Source": source, "Destination": {"Region": "eu-west-1"}}});
    let asked = json!({ "RuleIdentifier": identifier });
    world.with(CENTRAL_RULE, MANAGEMENT, "eu-west-1", &asked, &rule)
}

#[test]
fn a_rule_may_copy_the_log_group() {
    let reason = Some("metric-filter.none");
    let listed = rule(without_filter().without_other_shapes(), "Healthy");
    // By the benchmark it fails, whatever the rule does.
    check(&listed, Fail, Unknown, reason);
    assert_eq!(
        names(&listed.wanted(MEMBER)),
        ["observabilityadmin:GetCentralizationRuleForOrganization 111111111111 eu-west-1"]
    );
    let mut effective = listed.clone();
    effective.policy.assurance = crate::policy::Assurance::Effective;
    let finding = effective.finding(MEMBER);
    assert_eq!(finding.reason.as_deref(), Some("metric-filter.centralized"));
    assert!(
        finding.message.contains("account 333333333333"),
        "{}",
        finding.message
    );
    check(&rule(listed.clone(), "Provisioning"), Fail, Unknown, reason);
    check(&rule(listed.clone(), "Unhealthy"), Fail, Fail, reason);
    for (source, expected) in [
        (json!({"Regions": ["eu-west-1"]}), Unknown),
        (json!({}), Unknown),
        (json!({"Regions": ["us-east-1"]}), Fail),
        (
            json!({"Regions": ["eu-west-1"], "Scope": "AccountId = '111111111111'"}),
            Unknown,
        ),
        (
            json!({"Regions": ["eu-west-1"], "Scope": "AccountId IN ('444444444444')"}),
            Fail,
        ),
        (
            json!({"Regions": ["eu-west-1"], "Scope": "OrganizationId = 'o-a'"}),
            Unknown,
        ),
        (
            json!({"Regions": ["eu-west-1"], "Scope": "OrganizationUnitId = 'ou-abcd-1'"}),
            Unknown,
        ),
        (
            json!({"Regions": ["eu-west-1"], "SourceLogsConfiguration": {"LogGroupSelectionCriteria": "LogGroupName LIKE 'app%'"}}),
            Fail,
        ),
        (
            json!({"Regions": ["eu-west-1"], "SourceLogsConfiguration": {"LogGroupSelectionCriteria": "*"}}),
            Unknown,
        ),
    ] {
        let arn = "arn:aws:observabilityadmin:eu-west-1:111111111111:organization-centralization-rule/central";
        for identifier in [arn, "central"] {
            let world = details(listed.clone(), identifier, &source);
            check(&world, Fail, expected, reason);
            assert_eq!(world.wanted(MEMBER), []);
        }
    }
    // Where the chain is complete, a rule is nobody's business.
    check(&rule(World::healthy(), "Healthy"), Pass, Pass, None);
}

#[test]
fn a_copy_with_a_filter_looks_like_centralization() {
    let reason = Some("metric-filter.none");
    let copied = filter_on(without_filter(), OTHER, "trail");
    check(&copied, Fail, Unknown, reason);
    let mut effective = copied.clone();
    effective.policy.assurance = crate::policy::Assurance::Effective;
    let finding = effective.finding(MEMBER);
    assert_eq!(
        finding.reason.as_deref(),
        Some("metric-filter.centralization-not-observed")
    );
    // Once somebody looked, there is no rule.
    check(&copied.clone().without_other_shapes(), Fail, Fail, reason);
    // A trail writes to it.
    let mut fed = copied;
    let trail = "arn:aws:cloudtrail:eu-west-1:333333333333:trail/own";
    let own = json!({"trailList": [{
        "Name": "own", "TrailARN": trail, "HomeRegion": "eu-west-1", "IsMultiRegionTrail": true,
        "CloudWatchLogsLogGroupArn": "arn:aws:logs:eu-west-1:333333333333:log-group:trail:*"}]});
    fed.records.push(record(
        "cloudtrail:DescribeTrails",
        OTHER,
        "eu-west-1",
        &json!({}),
        &own,
    ));
    check(&fed, Fail, Fail, reason);
    check(
        &filter_on(without_filter(), OTHER, "application"),
        Fail,
        Fail,
        reason,
    );
}

/// No account has a trail.
fn without_trails() -> World {
    let mut world = World::healthy();
    for record in &mut world.records {
        if record["operation"] == "cloudtrail:DescribeTrails" {
            record["response"] = json!({"trailList": []});
        }
    }
    world.without("logs:DescribeMetricFilters", MANAGEMENT)
}

#[test]
fn a_telemetry_rule_needs_no_trail() {
    let none = Some("trail.none");
    let world = without_trails();
    check(&world, Fail, Fail, none);
    assert_eq!(codes(&world), ["trail.telemetry-rules-unseen"]);
    assert_eq!(
        names(&world.wanted(MEMBER)),
        [
            "observabilityadmin:ListTelemetryRulesForOrganization 111111111111 us-east-1",
            "observabilityadmin:ListTelemetryRules 222222222222 us-east-1",
        ]
    );
    let asked = world.clone().without_other_shapes();
    check(&asked, Fail, Fail, none);
    assert_eq!(asked.wanted(MEMBER), []);
    let rules = |kind: &str| {
        json!({"TelemetryRuleSummaries": [{
            "RuleName": "trails", "ResourceType": kind, "TelemetryType": "Logs"}]})
    };
    let of_organization = |kind: &str| {
        let world = asked.clone().without(TELEMETRY, MANAGEMENT);
        world.with(TELEMETRY, MANAGEMENT, "us-east-1", &json!({}), &rules(kind))
    };
    check(&of_organization("AWS::EC2::VPC"), Fail, Fail, none);
    let listed = of_organization("AWS::CloudTrail");
    check(&listed, Fail, Unknown, none);
    assert_eq!(
        names(&listed.wanted(MEMBER)),
        ["observabilityadmin:GetTelemetryRuleForOrganization 111111111111 us-east-1"]
    );
    for (rule, expected) in [
        (json!({"TelemetryType": "Logs"}), Unknown),
        (json!({"Scope": "AccountId = '222222222222'"}), Unknown),
        (json!({"Scope": "AccountId = '333333333333'"}), Fail),
    ] {
        let asked = json!({"RuleIdentifier": "trails"});
        let rule = json!({ "TelemetryRule": rule });
        let world = listed
            .clone()
            .with(TELEMETRY_RULE, MANAGEMENT, "us-east-1", &asked, &rule);
        check(&world, Fail, expected, none);
        assert_eq!(world.wanted(MEMBER), []);
    }
    let own = asked.clone().without(OWN_TELEMETRY, MEMBER).with(
        OWN_TELEMETRY,
        MEMBER,
        "us-east-1",
        &json!({}),
        &rules("AWS::CloudTrail"),
    );
    check(&own, Fail, Unknown, none);
    assert_eq!(own.wanted(MEMBER), []);
    // A filter on a log group that no trail feeds looks like one: the account's own or the
    // management account's.
    for (account, expected) in [(MEMBER, Unknown), (OTHER, Fail)] {
        let unfed = filter_on(without_trails(), account, "aws/cloudtrail");
        check(&unfed, Fail, expected, none);
    }
    let unfed = filter_on(without_trails(), MANAGEMENT, "aws/cloudtrail");
    check(&unfed, Fail, Unknown, none);
    check(&unfed.without_other_shapes(), Fail, Fail, none);
}

#[test]
fn a_rule_of_eventbridge_may_tell_somebody() {
    let reason = Some("metric-filter.none");
    let asked = without_filter().without_other_shapes();
    let with = |state: &str, pattern: &Value| {
        let rules = json!({"Rules": [
            {"Name": "nightly", "ScheduleExpression": "rate(1 day)", "State": "ENABLED"},
            {"Name": "tells", "State": state, "EventPattern": pattern.to_string()}]});
        let world = asked.clone().without(EVENTS, MANAGEMENT);
        world.with(EVENTS, MANAGEMENT, "eu-west-1", &json!({}), &rules)
    };
    let alarms =
        json!({"source": ["aws.cloudwatch"], "detail-type": ["CloudWatch Alarm State Change"]});
    let sign_ins = json!({"detail-type": ["AWS Console Sign In via CloudTrail"]});
    for (pattern, expected) in [
        (&alarms, Unknown),
        (&sign_ins, Unknown),
        (
            &json!({"detail-type": ["AWS Console Sign In via CloudTrail"], "detail": {"responseElements": {"ConsoleLogin": ["Success"]}}}),
            Fail,
        ),
        (&json!({"source": ["aws.ec2"]}), Fail),
        (
            &json!({"source": ["aws.cloudwatch"], "detail": {"state": {"value": ["OK"]}}}),
            Fail,
        ),
    ] {
        check(&with("ENABLED", pattern), Fail, expected, reason);
    }
    check(&with("DISABLED", &alarms), Fail, Fail, reason);
    let mut effective = with("ENABLED", &alarms);
    effective.policy.assurance = crate::policy::Assurance::Effective;
    let finding = effective.finding(MEMBER);
    assert_eq!(finding.reason.as_deref(), Some("action.event-rule"));
    assert!(finding.message.contains("`tells`"), "{}", finding.message);
    // Known of another account, and not of this one.
    let rules = json!({"Rules": [{"Name": "tells", "EventPattern": alarms.to_string()}]});
    let elsewhere = asked
        .clone()
        .with(EVENTS, OTHER, "eu-west-1", &json!({}), &rules);
    check(&elsewhere, Fail, Fail, reason);
    let unseen = elsewhere.without(EVENTS, MANAGEMENT);
    check(&unseen, Fail, Unknown, reason);
}
