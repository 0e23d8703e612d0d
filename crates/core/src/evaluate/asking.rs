//! Which calls are still wanted, tested: as few as the verdicts need, in the order that needs fewest.

use serde_json::{Value, json};

use super::fixture::{MANAGEMENT, MEMBER, World, check, denied, names};
use crate::finding::Status;

const PASS: Status = Status::Pass;
const FAIL: Status = Status::Fail;
const UNKNOWN: Status = Status::Unknown;

#[test]
fn calls_are_wanted_one_after_the_other() {
    let order = [
        (
            "cloudtrail:DescribeTrails",
            MEMBER,
            "cloudtrail:DescribeTrails 222222222222 us-east-1",
        ),
        (
            "cloudtrail:DescribeTrails",
            MANAGEMENT,
            "cloudtrail:DescribeTrails 111111111111 eu-west-1",
        ),
        (
            "cloudtrail:GetTrailStatus",
            MANAGEMENT,
            "cloudtrail:GetTrailStatus 111111111111 eu-west-1",
        ),
        (
            "cloudtrail:GetEventSelectors",
            MANAGEMENT,
            "cloudtrail:GetEventSelectors 111111111111 eu-west-1",
        ),
        (
            "logs:DescribeLogGroups",
            MANAGEMENT,
            "logs:DescribeLogGroups 111111111111 eu-west-1",
        ),
        (
            "logs:DescribeMetricFilters",
            MANAGEMENT,
            "logs:DescribeMetricFilters 111111111111 eu-west-1",
        ),
        (
            "cloudwatch:DescribeAlarms",
            MANAGEMENT,
            "cloudwatch:DescribeAlarms 111111111111 eu-west-1",
        ),
        (
            "sns:GetTopicAttributes",
            MANAGEMENT,
            "sns:GetTopicAttributes 111111111111 eu-west-1",
        ),
        (
            "sns:ListSubscriptionsByTopic",
            MANAGEMENT,
            "sns:ListSubscriptionsByTopic 111111111111 eu-west-1",
        ),
        (
            "sns:GetSubscriptionAttributes",
            MANAGEMENT,
            "sns:GetSubscriptionAttributes 111111111111 eu-west-1",
        ),
        (
            "cloudwatch:ListAlarmMuteRules",
            MANAGEMENT,
            "cloudwatch:ListAlarmMuteRules 111111111111 eu-west-1",
        ),
    ];
    let mut world = World::healthy();
    let mut missing: Vec<Value> = Vec::new();
    for (operation, account, _) in order {
        missing.push(world.record_mut(operation, account).clone());
        world = world.without(operation, account);
    }
    for (index, (_, _, expected)) in order.iter().enumerate() {
        assert_eq!(names(&world.wanted(MEMBER)).join(", "), *expected);
        assert_eq!(world.finding(MEMBER).status, UNKNOWN);
        world.records.push(missing[index].clone());
    }
    assert_eq!(world.wanted(MEMBER), []);
    assert_eq!(world.finding(MEMBER).status, PASS);
}

#[test]
fn a_proved_break_ends_the_asking() {
    let world = World::healthy()
        .set(
            "cloudtrail:GetTrailStatus",
            MANAGEMENT,
            "/IsLogging",
            json!(false),
        )
        .without("cloudtrail:GetEventSelectors", MANAGEMENT)
        .without("logs:DescribeMetricFilters", MANAGEMENT);
    assert_eq!(world.wanted(MEMBER), []);
    check(&world, FAIL, FAIL, Some("logging.stopped"));
    let world = World::healthy()
        .set(
            "logs:DescribeMetricFilters",
            MANAGEMENT,
            "/metricFilters/0/filterPattern",
            json!("{ $.eventName = PutObject }"),
        )
        .without("cloudwatch:DescribeAlarms", MANAGEMENT);
    // A log alarm needs no filter.
    assert_eq!(
        names(&world.wanted(MEMBER)),
        ["cloudwatch:DescribeAlarms 111111111111 eu-west-1"]
    );
    check(&world, FAIL, FAIL, Some("metric-filter.misses-events"));
}

#[test]
fn trails_are_asked_for_in_one_region_after_the_other() {
    let world = World::healthy().fail(
        "cloudtrail:DescribeTrails",
        MEMBER,
        &denied("cloudtrail:DescribeTrails"),
    );
    assert_eq!(
        names(&world.wanted(MEMBER)),
        ["cloudtrail:DescribeTrails 222222222222 ap-northeast-1"]
    );
    let world = World::healthy().without("cloudtrail:DescribeTrails", MEMBER);
    assert_eq!(
        names(&world.wanted(MEMBER)),
        ["cloudtrail:DescribeTrails 222222222222 us-east-1"]
    );
}
