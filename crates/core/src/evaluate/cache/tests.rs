//! An evaluator that keeps what it worked out says what one that starts anew would say, whatever became known in
//! the meantime, and in whatever order.

use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::{Value, json};

use crate::account::AccountId;
use crate::evaluate::fixture::{
    MANAGEMENT, MEMBER, OTHER, TOPIC, TRAIL, World, denied, id, record,
};
use crate::evaluate::{Evaluation, Evaluator};
use crate::evidence::{Evidence, Record, Request};
use crate::finding::{Finding, Status};

const OWN_TRAIL: &str = "arn:aws:cloudtrail:eu-west-1:222222222222:trail/own";
const OWN_TOPIC: &str = "arn:aws:sns:eu-west-1:222222222222:own";
const FAR_TOPIC: &str = "arn:aws:sns:eu-west-1:333333333333:far";

/// Everything that one account may tell about another's resources, and chains that cross: the
/// member's own trail ends in another account's log group, whose alarm notifies the member's topic.
/// It counts where the organization trail is stopped.
fn crossing(is_logging: bool) -> World {
    let own_trail = json!({
        "Name": "own", "TrailARN": OWN_TRAIL, "HomeRegion": "eu-west-1",
        "IncludeGlobalServiceEvents": true, "IsMultiRegionTrail": true,
        "CloudWatchLogsLogGroupArn": "arn:aws:logs:eu-west-1:333333333333:log-group:central:*",
    });
    let mut world = World::healthy();
    let mut filters =
        world.record_mut("logs:DescribeMetricFilters", MANAGEMENT)["response"].clone();
    filters["metricFilters"][0]["logGroupName"] = json!("central");
    let attributes = json!({"Attributes": {
        "Policy": json!({"Statement": [{
            "Effect": "Allow", "Principal": {"Service": "cloudwatch.amazonaws.com"},
            "Action": "sns:Publish", "Resource": "*",
        }]}).to_string(),
        "SubscriptionsConfirmed": "0", "SubscriptionsPending": "0",
    }});
    let alarms = world.record_mut("cloudwatch:DescribeAlarms", MANAGEMENT)["response"].clone();
    let mut far_alarms = alarms.clone();
    far_alarms["MetricAlarms"][0]["AlarmActions"] = json!([OWN_TOPIC]);
    far_alarms["CompositeAlarms"] = json!([
        {"AlarmName": "over", "AlarmRule": "ALARM(failures)", "AlarmActions": [FAR_TOPIC]},
    ]);
    let selectors = json!({"EventSelectors": [
        {"ReadWriteType": "All", "IncludeManagementEvents": true},
    ]});
    let subscriptions = |topic: &str| {
        json!({"Subscriptions": [
            {"SubscriptionArn": format!("{topic}:1"), "Protocol": "email"},
        ]})
    };
    // A shadow that tells what others are not told.
    world.record_mut("cloudtrail:DescribeTrails", OTHER)["response"]["trailList"][0]["CloudWatchLogsLogGroupArn"] =
        json!("arn:aws:logs:eu-west-1:111111111111:log-group:trail:*");
    let mut add = |operation: &str, account: u64, parameters: Value, response: &Value| {
        let record = record(operation, account, "eu-west-1", &parameters, response);
        world.records.push(record);
    };
    for account in [MANAGEMENT, MEMBER, OTHER] {
        for trail in [TRAIL, OWN_TRAIL] {
            add(
                "cloudtrail:GetTrailStatus",
                account,
                json!({"Name": trail}),
                &json!({
                    "IsLogging": is_logging || trail == OWN_TRAIL,
                    "LatestCloudWatchLogsDeliveryTime": "2026-11-22T21:55:00Z",
                }),
            );
            add(
                "cloudtrail:GetEventSelectors",
                account,
                json!({"TrailName": trail}),
                &selectors,
            );
        }
        for topic in [TOPIC, OWN_TOPIC, FAR_TOPIC] {
            add(
                "sns:GetTopicAttributes",
                account,
                json!({"TopicArn": topic}),
                &attributes,
            );
            add(
                "sns:ListSubscriptionsByTopic",
                account,
                json!({"TopicArn": topic}),
                &subscriptions(topic),
            );
        }
        for topic in [TOPIC, OWN_TOPIC, FAR_TOPIC] {
            let subscription = format!("{topic}:1");
            add(
                "sns:GetSubscriptionAttributes",
                account,
                json!({ "SubscriptionArn": subscription }),
                &json!({"Attributes": {"SubscriptionArn": subscription}}),
            );
        }
        add(
            "cloudwatch:ListAlarmMuteRules",
            account,
            json!({}),
            &json!({"AlarmMuteRuleSummaries": []}),
        );
    }
    add(
        "organizations:ListDelegatedAdministrators",
        MANAGEMENT,
        json!({"ServicePrincipal": "cloudtrail.amazonaws.com"}),
        &json!({"DelegatedAdministrators": [{"Id": id(OTHER)}]}),
    );
    add(
        "cloudtrail:DescribeTrails",
        MEMBER,
        json!({"includeShadowTrails": true}),
        &json!({"trailList": [own_trail]}),
    );
    add(
        "account:ListRegions",
        MEMBER,
        json!({}),
        &json!({"Regions": []}),
    );
    let group = json!({"logGroupName": "central", "logGroupClass": "STANDARD"});
    add(
        "logs:DescribeLogGroups",
        OTHER,
        json!({"logGroupNamePrefix": "central"}),
        &json!({"logGroups": [group]}),
    );
    add(
        "logs:DescribeMetricFilters",
        OTHER,
        json!({"logGroupName": "central"}),
        &filters,
    );
    add("cloudwatch:DescribeAlarms", OTHER, json!({}), &far_alarms);
    world
}

/// What an evaluator says of every account.
fn says(evaluation: &mut Evaluation<'_>) -> Vec<(AccountId, Vec<Request>, Vec<Finding>)> {
    [MANAGEMENT, MEMBER, OTHER]
        .map(|account| {
            let account = id(account);
            let wanted = evaluation.wanted(account);
            (account, wanted, evaluation.findings(account))
        })
        .into()
}

/// What is known from the start: one account could not be entered, perhaps, and of the others each
/// record is known or not.
fn start() -> impl Strategy<Value = (bool, usize, Vec<bool>)> {
    let known = prop::collection::vec(prop::bool::weighted(0.95), 64);
    (any::<bool>(), 0_usize..4, known)
}

/// What becomes known next: which record, whether it is an error, and whether the account that
/// made the call is done with.
fn events() -> impl Strategy<Value = Vec<(Index, bool, bool)>> {
    let event = (
        any::<Index>(),
        prop::bool::weighted(0.4),
        prop::bool::weighted(0.1),
    );
    prop::collection::vec(event, 1..40)
}

fn failed(mut record: Value) -> Value {
    record["error"] = denied(record["operation"].as_str().unwrap());
    record.as_object_mut().unwrap().remove("response");
    record
}

fn insert(evidence: &mut Evidence, value: Value) -> AccountId {
    let record: Record = serde_json::from_value(value).unwrap();
    let caller = record.account;
    evidence.insert(record).unwrap();
    caller
}

#[test]
fn the_chains_that_cross_are_whole() {
    let world = crossing(false);
    let finding = world.finding(MEMBER);
    assert_eq!(finding.status, Status::Pass, "{}", finding.message);
    assert!(
        finding
            .chain
            .iter()
            .any(|link| link.resource.as_deref() == Some(OWN_TOPIC))
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn what_is_remembered_still_stands((is_logging, absent, known) in start(), events in events()) {
        let world = crossing(is_logging);
        let remembering = Evaluator::new(world.policy.clone());
        let mut evidence = Evidence::default();
        let absent = [MANAGEMENT, MEMBER, OTHER].get(absent).map(|account| id(*account).to_string());
        for (value, known) in world.records.iter().zip(known) {
            let role = value["parameters"]["RoleArn"].as_str();
            if absent.as_ref().is_some_and(|absent| role.is_some_and(|role| role.contains(absent))) {
                insert(&mut evidence, failed(value.clone()));
            } else if known && value["account"].as_str() != absent.as_deref() {
                insert(&mut evidence, value.clone());
            }
        }
        for (count, (index, fails, done)) in events.into_iter().enumerate() {
            let mut value = index.get(&world.records).clone();
            let operation = value["operation"].as_str().unwrap().to_owned();
            value["observed_at"] = json!(format!("2026-11-22T22:01:{count:02}Z"));
            if fails {
                value = failed(value);
            }
            let caller = insert(&mut evidence, value);
            let anew = Evaluator::new(world.policy.clone());
            let mut evaluation = remembering.on(&evidence);
            prop_assert_eq!(says(&mut evaluation), says(&mut anew.on(&evidence)), "{}", operation);
            if done {
                evaluation.forget(caller);
            }
        }
    }
}

#[test]
fn states_of_different_evidence_are_never_mixed_up() {
    let healthy = World::healthy();
    let stopped = World::healthy().set(
        "cloudtrail:GetTrailStatus",
        MANAGEMENT,
        "/IsLogging",
        json!(false),
    );
    let remembering = Evaluator::new(healthy.policy.clone());
    for world in [&healthy, &stopped, &healthy] {
        let anew = Evaluator::new(world.policy.clone());
        let evidence = world.evidence();
        assert_eq!(
            says(&mut remembering.on(&evidence)),
            says(&mut anew.on(&evidence))
        );
    }
    let mut merged = healthy.evidence();
    let before = says(&mut remembering.on(&merged));
    for value in &stopped.records {
        insert(&mut merged, value.clone());
    }
    assert_ne!(says(&mut remembering.on(&merged)), before);
}

#[test]
fn what_one_account_alone_needs_is_dropped_when_it_is_done() {
    let world = crossing(true);
    let evidence = world.evidence();
    let remembering = Evaluator::new(world.policy.clone());
    let mut evaluation = remembering.on(&evidence);
    evaluation.findings(id(MANAGEMENT));
    let shared = evaluation.remembers();
    assert!(shared > 0);
    evaluation.findings(id(MEMBER));
    evaluation.findings(id(OTHER));
    assert!(evaluation.remembers() > shared);
    evaluation.forget(id(MEMBER));
    evaluation.forget(id(OTHER));
    assert_eq!(evaluation.remembers(), shared);
}
