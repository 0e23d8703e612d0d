//! What is absent is not empty: an answer without what it always has shows nothing.

use serde_json::{Value, json};

use super::fixture::{MANAGEMENT, MEMBER, TOPIC, World, check, names, record, verdict};
use crate::control::AccountScope;
use crate::evidence::Operation;
use crate::finding::Status::{self, Fail, NotApplicable, Pass, Unknown};

/// The verdicts of every account, without the words.
fn verdicts(world: &World) -> Vec<(String, Status, Status)> {
    let findings = world.findings().into_iter();
    findings
        .map(|finding| {
            let (cis, effective, _) = verdict(&finding);
            (finding.id, cis, effective)
        })
        .collect()
}

/// A response without the members that it has to have, in each of the ways in which that happens.
fn hollow(operation: Operation) -> Vec<Value> {
    let members = operation.definition().members;
    let nulls: serde_json::Map<String, Value> = members
        .iter()
        .map(|member| ((*member).to_owned(), Value::Null))
        .collect();
    vec![
        json!({}),
        Value::Object(nulls),
        json!({"__type": "InternalFailure", "message": "try again"}),
        json!({"Error": {"Code": "AccessDenied"}}),
    ]
}

#[test]
fn an_answer_without_its_member_is_none() {
    let healthy = World::healthy();
    for index in 0..healthy.records.len() {
        let name = healthy.records[index]["operation"].as_str().unwrap();
        let operation: Operation = name.parse().unwrap();
        if operation.definition().members.is_empty() {
            continue;
        }
        let mut denied = healthy.clone();
        let members = denied.records[index].as_object_mut().unwrap();
        members.remove("response");
        members.insert("error".to_owned(), super::fixture::denied(name));
        for response in hollow(operation) {
            let mut world = healthy.clone();
            world.records[index]["response"] = response.clone();
            assert_eq!(verdicts(&world), verdicts(&denied), "{name} {response}");
        }
    }
}

#[test]
fn one_list_of_alarms_says_nothing_of_the_other() {
    let operation = "cloudwatch:DescribeAlarms";
    // The alarm itself notifies: composite alarms are not needed for that.
    let mut world = World::healthy();
    let response = &mut world.record_mut(operation, MANAGEMENT)["response"];
    response.as_object_mut().unwrap().remove("CompositeAlarms");
    check(&world, Pass, Pass, None);
    let world = world.set(
        operation,
        MANAGEMENT,
        "/MetricAlarms/0/AlarmActions",
        json!([]),
    );
    let reason = Some("action.composite-alarms-not-observed");
    check(&world, Unknown, Unknown, reason);
    let mut world = World::healthy();
    let response = &mut world.record_mut(operation, MANAGEMENT)["response"];
    response.as_object_mut().unwrap().remove("MetricAlarms");
    check(&world, Unknown, Unknown, Some("alarm.not-observed"));
}

/// A filter on a page that was not fetched may write to the same metric; alarms and subscriptions
/// do not change what those on the page prove.
#[test]
fn a_page_proves_no_more_than_it_can() {
    let partial = |operation: &str, token: &str| {
        World::healthy().set(operation, MANAGEMENT, &format!("/{token}"), json!("more"))
    };
    let world = partial("logs:DescribeMetricFilters", "nextToken");
    check(&world, Pass, Unknown, Some("metric-filter.not-observed"));
    let world = partial("cloudwatch:DescribeAlarms", "NextToken");
    check(&world, Pass, Pass, None);
    let world = partial("cloudwatch:ListAlarmMuteRules", "NextToken");
    check(
        &world,
        Pass,
        Unknown,
        Some("action.mute-rules-not-observed"),
    );
    let missing = |operation: &str, token: &str, list: &str| {
        partial(operation, token).set(operation, MANAGEMENT, list, json!([]))
    };
    for (operation, token, list, reason) in [
        (
            "logs:DescribeLogGroups",
            "nextToken",
            "/logGroups",
            "log-group.not-observed",
        ),
        (
            "cloudwatch:DescribeAlarms",
            "NextToken",
            "/MetricAlarms",
            "alarm.not-observed",
        ),
    ] {
        let world = missing(operation, token, list);
        check(&world, Unknown, Unknown, Some(reason));
    }
    let mut world = World::healthy();
    let trails = &mut world.record_mut("cloudtrail:DescribeTrails", MEMBER)["response"];
    *trails = json!({"trailList": [], "NextToken": "more"});
    check(&world, Unknown, Unknown, Some("trail.not-observed"));
}

#[test]
fn what_its_home_no_longer_lists_is_gone() {
    let trails = |account, region: &str, at: &str, list: Value| {
        let mut record = record(
            "cloudtrail:DescribeTrails",
            account,
            region,
            &json!({"includeShadowTrails": true}),
            &json!({ "trailList": list }),
        );
        record["observed_at"] = json!(at);
        record
    };
    for (account, at, cis, reason) in [
        // The member's shadow of it is gone, or the trail itself.
        (MEMBER, "2026-11-22T22:00:01Z", Fail, Some("trail.none")),
        (
            MANAGEMENT,
            "2026-11-22T22:00:01Z",
            Unknown,
            Some("trail.not-covering"),
        ),
        // It was made between the two.
        (MEMBER, "2026-11-22T21:59:59Z", Pass, None),
        (MANAGEMENT, "2026-11-22T22:00:00Z", Pass, None),
    ] {
        let mut world = World::healthy();
        world
            .records
            .push(trails(account, "eu-west-1", at, json!([])));
        check(&world, cis, cis, reason);
    }
    // Another region need not know of it yet.
    let mut world = World::healthy();
    let later = trails(MEMBER, "eu-west-3", "2026-11-22T22:00:09Z", json!([]));
    world.records.push(later);
    check(&world, Pass, Pass, None);
}

#[test]
fn a_topic_that_its_owner_no_longer_has_is_gone() {
    let mut world = World::healthy().fail(
        "sns:GetTopicAttributes",
        MANAGEMENT,
        &json!({"code": "NotFound", "message": "Topic does not exist", "class": "not-found"}),
    );
    let mut earlier = World::healthy()
        .record_mut("sns:GetTopicAttributes", MANAGEMENT)
        .clone();
    earlier["account"] = json!("333333333333");
    earlier["observed_at"] = json!("2026-11-22T21:00:00Z");
    world.records.push(earlier);
    let finding = world.finding(MEMBER);
    assert_eq!(finding.assurance.effective, Fail, "{}", finding.message);
}

#[test]
fn a_topic_of_another_partition_is_no_target() {
    let mut world = World::healthy();
    for record in &mut world.records {
        let text = record.to_string();
        let text = text.replace(TOPIC, &TOPIC.replace("arn:aws:", "arn:aws-cn:"));
        *record = serde_json::from_str(&text).unwrap();
    }
    check(&world, Pass, Fail, Some("topic.other-region"));
}

#[test]
fn selectors_that_are_told_of_and_not_shown_are_not_known() {
    let world = World::healthy()
        .set(
            "cloudtrail:DescribeTrails",
            MANAGEMENT,
            "/trailList/0/HasCustomEventSelectors",
            json!(true),
        )
        .set(
            "cloudtrail:GetEventSelectors",
            MANAGEMENT,
            "/EventSelectors",
            json!([]),
        );
    check(&world, Unknown, Unknown, Some("selectors.not-observed"));
}

/// A control that is about the management account alone: whether an account is one has to be known.
#[test]
fn a_control_of_the_management_account_applies_to_no_other() {
    let scoped = |mut world: World| {
        let control = &mut world.policy.controls[0];
        control.scope = AccountScope::ManagementAccount;
        control.elsewhere = Some("what happens here".to_owned());
        world
    };
    let silent = |world: World| {
        world.set(
            "logs:DescribeMetricFilters",
            MANAGEMENT,
            "/metricFilters",
            json!([]),
        )
    };
    let describe = "organizations:DescribeOrganization";
    let world = scoped(silent(World::healthy()));
    check(&world, NotApplicable, NotApplicable, None);
    let finding = world.finding(MEMBER);
    assert_eq!(finding.observations[0].code, "control.management-account");
    assert!(world.wanted(MEMBER).is_empty());
    assert_eq!(world.finding(MANAGEMENT).status, Fail);
    for world in [
        world.clone().without(describe, MANAGEMENT),
        world.fail(describe, MANAGEMENT, &super::fixture::denied(describe)),
    ] {
        let reason = Some("account.management-account-not-observed");
        check(&world, Unknown, Unknown, reason);
        assert_eq!(names(&world.wanted(MEMBER)).len(), 1);
        assert_eq!(world.finding(MANAGEMENT).status, Unknown);
        let world = world.with(
            describe,
            MEMBER,
            "us-east-1",
            &json!({}),
            &json!({"Organization": {"MasterAccountId": "111111111111"}}),
        );
        check(&world, NotApplicable, NotApplicable, None);
    }
    // Where the account is watched all the same, nobody has to know.
    let world = scoped(World::healthy()).without(describe, MANAGEMENT);
    check(&world, Pass, Pass, None);
}

#[test]
fn accounts_that_nobody_listed_are_told() {
    let problems = |world: &World| world.evidence().reader().listing_problems().len();
    let list = "organizations:ListAccounts";
    assert_eq!(problems(&World::healthy()), 0);
    let world = World::healthy().set(list, MANAGEMENT, "/NextToken", json!("more"));
    assert_eq!(problems(&world), 1);
    let world = World::healthy().set(list, MANAGEMENT, "/Accounts/3", json!({"Id": "12"}));
    assert_eq!(problems(&world), 1);
    // The others are judged.
    assert_eq!(verdicts(&world), verdicts(&World::healthy()));
    let world = World::healthy().fail(list, MANAGEMENT, &super::fixture::denied(list));
    assert_eq!(problems(&world), 1);
}
