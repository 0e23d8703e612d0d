//! What may not be asked: calls that are denied, accounts that cannot be entered, and who is asked in
//! their place.

use serde_json::json;

use super::{PASS, UNKNOWN};
use crate::evaluate::fixture::{MANAGEMENT, MEMBER, OTHER, World, check, denied, id, names};

#[test]
fn one_call_is_denied() {
    for (operation, account, cis, effective, reason) in [
        (
            "cloudtrail:DescribeTrails",
            MEMBER,
            UNKNOWN,
            UNKNOWN,
            "trail.not-observed",
        ),
        (
            "cloudtrail:DescribeTrails",
            MANAGEMENT,
            UNKNOWN,
            UNKNOWN,
            "log-group.not-observed",
        ),
        (
            "cloudtrail:GetTrailStatus",
            MANAGEMENT,
            UNKNOWN,
            UNKNOWN,
            "logging.not-observed",
        ),
        (
            "cloudtrail:GetEventSelectors",
            MANAGEMENT,
            UNKNOWN,
            UNKNOWN,
            "selectors.not-observed",
        ),
        (
            "logs:DescribeLogGroups",
            MANAGEMENT,
            UNKNOWN,
            UNKNOWN,
            "log-group.not-observed",
        ),
        (
            "logs:DescribeMetricFilters",
            MANAGEMENT,
            UNKNOWN,
            UNKNOWN,
            "metric-filter.not-observed",
        ),
        (
            "cloudwatch:DescribeAlarms",
            MANAGEMENT,
            UNKNOWN,
            UNKNOWN,
            "alarm.not-observed",
        ),
        (
            "cloudwatch:ListAlarmMuteRules",
            MANAGEMENT,
            PASS,
            UNKNOWN,
            "action.mute-rules-not-observed",
        ),
        (
            "sns:GetTopicAttributes",
            MANAGEMENT,
            PASS,
            UNKNOWN,
            "topic.not-observed",
        ),
        (
            "sns:ListSubscriptionsByTopic",
            MANAGEMENT,
            UNKNOWN,
            UNKNOWN,
            "subscription.not-observed",
        ),
        (
            "sns:GetSubscriptionAttributes",
            MANAGEMENT,
            PASS,
            UNKNOWN,
            "subscription.filter-policy-not-observed",
        ),
    ] {
        let world = World::healthy().fail(operation, account, &denied(operation));
        println!("{operation}");
        check(&world, cis, effective, Some(reason));
        let message = world.finding(MEMBER).message;
        assert!(
            message.contains(operation) && message.contains("AccessDenied"),
            "{message}"
        );
    }
}

#[test]
fn an_account_that_cannot_be_entered_is_unknown() {
    let mut world = World::healthy()
        .without("cloudtrail:DescribeTrails", MEMBER)
        .fail("sts:AssumeRole", MANAGEMENT, &denied("sts:AssumeRole"));
    check(&world, UNKNOWN, UNKNOWN, Some("account.not-entered"));
    assert_eq!(world.wanted(MEMBER), []);
    world.policy.trust_organization_trail = true;
    check(&world, PASS, PASS, None);
    let finding = world.finding(MEMBER);
    assert_eq!(
        finding.observations[0].code,
        "account.trusted-organization-trail"
    );
    let stopped = world.set(
        "cloudtrail:GetTrailStatus",
        MANAGEMENT,
        "/IsLogging",
        json!(false),
    );
    check(&stopped, UNKNOWN, UNKNOWN, Some("account.not-entered"));
}

#[test]
fn a_delegated_administrator_stands_in_for_an_owner_that_cannot_be_entered() {
    let mut world = World::healthy();
    world.policy.accounts = Some([id(MEMBER)].into());
    // Somebody else scans: the management account cannot be entered.
    for record in &mut world.records {
        let operation = record["operation"].as_str().unwrap().to_owned();
        let lent = operation.starts_with("cloudtrail:") || operation.starts_with("organizations:");
        if lent && record["account"] == "111111111111" || operation == "sts:AssumeRole" {
            record["account"] = json!(id(OTHER));
        }
        if operation == "sts:AssumeRole" {
            record["parameters"]["RoleArn"] = json!("arn:aws:iam::444444444444:role/Audit");
        }
    }
    world
        .records
        .retain(|record| record["account"] != "111111111111");
    let world = world
        .with(
            "sts:AssumeRole",
            OTHER,
            "eu-west-1",
            &json!({"RoleArn": "arn:aws:iam::111111111111:role/Audit"}),
            &json!({}),
        )
        .fail_last(&denied("sts:AssumeRole"));
    assert_eq!(
        names(&world.wanted(MEMBER)),
        ["organizations:ListDelegatedAdministrators 333333333333 eu-west-1"]
    );
    check(&world, UNKNOWN, UNKNOWN, Some("selectors.not-observed"));
    let world = world.with(
        "organizations:ListDelegatedAdministrators",
        OTHER,
        "eu-west-1",
        &json!({"ServicePrincipal": "cloudtrail.amazonaws.com"}),
        &json!({"DelegatedAdministrators": [{"Id": "333333333333"}]}),
    );
    // The trail is known now; its log group is still behind the closed door.
    check(&world, UNKNOWN, UNKNOWN, Some("log-group.not-observed"));
    assert_eq!(world.wanted(MEMBER), []);
}

#[test]
fn topics_of_other_accounts_are_read_as_their_owner() {
    let topic = "arn:aws:sns:eu-west-1:333333333333:central";
    let allowed = json!({"Statement": [{"Effect": "Allow", "Principal": {"Service": "cloudwatch.amazonaws.com"}, "Action": "sns:Publish", "Resource": topic}]}).to_string();
    let world = World::healthy().set(
        "cloudwatch:DescribeAlarms",
        MANAGEMENT,
        "/MetricAlarms/0/AlarmActions",
        json!([topic]),
    );
    assert_eq!(
        names(&world.wanted(MEMBER)),
        ["sns:GetTopicAttributes 333333333333 eu-west-1"]
    );
    let answer = json!({"Attributes": {"Policy": allowed, "SubscriptionsConfirmed": "2"}});
    let parameters = json!({"TopicArn": topic});
    let subscription = format!("{topic}:1");
    let listed = |account: u64| {
        let list = json!({"Subscriptions": [
            {"SubscriptionArn": subscription, "Protocol": "email", "Owner": "333333333333"},
        ]});
        world
            .clone()
            .with(
                "sns:ListSubscriptionsByTopic",
                account,
                "eu-west-1",
                &parameters,
                &list,
            )
            .with_subscription(OTHER, &subscription, &json!({}))
    };
    let topics = "sns:GetTopicAttributes";
    let seen = listed(OTHER).with(topics, OTHER, "eu-west-1", &parameters, &answer);
    check(&seen, PASS, PASS, None);
    // What others are shown is true, and may be less than all there is.
    let lent = listed(MANAGEMENT).with(topics, OTHER, "eu-west-1", &parameters, &answer);
    check(&lent, PASS, PASS, None);
    let closed = listed(OTHER)
        .with(topics, OTHER, "eu-west-1", &parameters, &json!({}))
        .fail_last(&denied(topics));
    assert_eq!(
        names(&closed.wanted(MEMBER)),
        ["sns:GetTopicAttributes 111111111111 eu-west-1"]
    );
    let lent = closed.with(topics, MANAGEMENT, "eu-west-1", &parameters, &answer);
    check(&lent, PASS, PASS, None);
}
