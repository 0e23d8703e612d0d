//! Seeing less never makes a verdict better or worse than what was seen: it makes it unknown.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::Evaluator;
use super::evaluator::Depth;
use super::fixture::{MANAGEMENT, World, denied, id};
use crate::finding::{Finding, Status};

/// A change that breaks something, or nothing.
fn changes() -> Vec<(&'static str, u64, &'static str, Value)> {
    let m = MANAGEMENT;
    vec![
        ("cloudtrail:GetTrailStatus", m, "/IsLogging", json!(true)),
        ("cloudtrail:GetTrailStatus", m, "/IsLogging", json!(false)),
        (
            "cloudtrail:GetTrailStatus",
            m,
            "/LatestCloudWatchLogsDeliveryError",
            json!("AccessDenied"),
        ),
        (
            "cloudtrail:GetEventSelectors",
            m,
            "/EventSelectors/0/ReadWriteType",
            json!("WriteOnly"),
        ),
        (
            "cloudtrail:GetEventSelectors",
            m,
            "/EventSelectors/0/ReadWriteType",
            json!("ReadOnly"),
        ),
        (
            "logs:DescribeLogGroups",
            m,
            "/logGroups/0/logGroupClass",
            json!("INFREQUENT_ACCESS"),
        ),
        ("logs:DescribeLogGroups", m, "/logGroups", json!([])),
        ("logs:DescribeMetricFilters", m, "/metricFilters", json!([])),
        (
            "logs:DescribeMetricFilters",
            m,
            "/metricFilters/0/filterPattern",
            json!("{ $.eventName = ConsoleLogin }"),
        ),
        (
            "logs:DescribeMetricFilters",
            m,
            "/metricFilters/0/filterPattern",
            json!("{ $.eventName = Other }"),
        ),
        (
            "logs:DescribeMetricFilters",
            m,
            "/metricFilters/0/applyOnTransformedLogs",
            json!(true),
        ),
        (
            "logs:DescribeMetricFilters",
            m,
            "/metricFilters/0/metricTransformations/0/metricValue",
            json!("0"),
        ),
        (
            "logs:DescribeMetricFilters",
            m,
            "/metricFilters/0/fieldSelectionCriteria",
            json!("@aws.region = \"us-east-1\""),
        ),
        (
            "cloudwatch:DescribeAlarms",
            m,
            "/MetricAlarms/0/Statistic",
            json!("SampleCount"),
        ),
        ("cloudwatch:DescribeAlarms", m, "/MetricAlarms", json!([])),
        (
            "cloudwatch:DescribeAlarms",
            m,
            "/MetricAlarms/0/AlarmActions",
            json!([]),
        ),
        (
            "cloudwatch:DescribeAlarms",
            m,
            "/MetricAlarms/0/ActionsEnabled",
            json!(false),
        ),
        (
            "cloudwatch:DescribeAlarms",
            m,
            "/MetricAlarms/0/TreatMissingData",
            json!("breaching"),
        ),
        (
            "cloudwatch:DescribeAlarms",
            m,
            "/CompositeAlarms/0",
            json!({
            "AlarmName": "over", "AlarmRule": "ALARM(failures)", "AlarmActions": ["arn:aws:sns:eu-west-1:111111111111:alerts"]}),
        ),
        (
            "cloudwatch:DescribeAlarms",
            m,
            "/MetricAlarms/1",
            json!({"AlarmName": "other", "StateValue": "ALARM"}),
        ),
        (
            "cloudwatch:DescribeAlarms",
            m,
            "/CompositeAlarms/0",
            json!({
            "AlarmName": "either", "AlarmRule": "ALARM(failures) OR ALARM(other)",
            "AlarmActions": ["arn:aws:sns:eu-west-1:111111111111:alerts"]}),
        ),
        (
            "logs:DescribeMetricFilters",
            m,
            "/metricFilters/0/metricTransformations/0/defaultValue",
            json!(0),
        ),
        (
            "logs:DescribeMetricFilters",
            m,
            "/metricFilters/1",
            json!({
            "filterName": "elsewhere", "filterPattern": super::fixture::PATTERN,
            "fieldSelectionCriteria": "@aws.region != \"us-east-1\"",
            "metricTransformations": [{
                "metricName": "Failures", "metricNamespace": "CISBenchmark", "metricValue": "1"}]}),
        ),
        (
            "cloudwatch:ListAlarmMuteRules",
            m,
            "/AlarmMuteRuleSummaries/0",
            json!({"Status": "ACTIVE"}),
        ),
        (
            "sns:GetTopicAttributes",
            m,
            "/Attributes/KmsMasterKeyId",
            json!("alias/aws/sns"),
        ),
        (
            "sns:GetTopicAttributes",
            m,
            "/Attributes/Policy",
            json!("{\"Statement\":[]}"),
        ),
        (
            "sns:GetTopicAttributes",
            m,
            "/Attributes/SubscriptionsConfirmed",
            json!("0"),
        ),
        (
            "cloudtrail:DescribeTrails",
            m,
            "/trailList/0/IsMultiRegionTrail",
            json!(false),
        ),
        (
            "cloudtrail:DescribeTrails",
            m,
            "/trailList/0/CloudWatchLogsLogGroupArn",
            Value::Null,
        ),
        (
            "cloudtrail:DescribeTrails",
            m,
            "/trailList/1",
            json!({
            "TrailARN": "arn:aws:cloudtrail:us-east-1:111111111111:trail/second", "HomeRegion": "us-east-1",
            "IsMultiRegionTrail": true, "IncludeGlobalServiceEvents": true}),
        ),
        (
            "cloudtrail:DescribeTrails",
            super::fixture::MEMBER,
            "/trailList",
            json!([]),
        ),
    ]
}

fn world(chosen: &[usize]) -> World {
    let changes = changes();
    let mut world = World::healthy();
    for index in chosen {
        let (operation, account, pointer, value) = changes[index % changes.len()].clone();
        let parent = pointer.rsplit_once('/').unwrap().0;
        if world.record_mut(operation, account)["response"]
            .pointer(parent)
            .is_some_and(|parent| {
                !parent.is_null()
                    && parent.as_array().is_none_or(|list| {
                        pointer
                            .rsplit_once('/')
                            .unwrap()
                            .1
                            .parse::<usize>()
                            .unwrap()
                            <= list.len()
                    })
            })
        {
            world = world.set(operation, account, pointer, value);
        }
    }
    world
}

fn findings(evaluator: &Evaluator, world: &World) -> Vec<Finding> {
    let mut findings = Vec::new();
    evaluator
        .on(&world.evidence())
        .for_each(|finding| findings.push(finding));
    findings
}

/// A verdict may stay or become unknown; the account's name and the organization are not verdicts.
fn may_become(before: Status, after: Status) -> bool {
    before == after || after == Status::Unknown
}

fn compare(
    evaluator: &Evaluator,
    before: &World,
    after: &World,
    what: &str,
) -> Result<(), TestCaseError> {
    let seen = findings(evaluator, after);
    for finding in findings(evaluator, before) {
        let Some(less) = seen.iter().find(|other| other.id == finding.id) else {
            continue;
        };
        for (was, is) in [
            (finding.assurance.cis, less.assurance.cis),
            (finding.assurance.effective, less.assurance.effective),
            (finding.status, less.status),
        ] {
            prop_assert!(
                may_become(was, is),
                "{} of {} became {}: {} ({:?}) after {what}",
                was,
                finding.id,
                is,
                less.message,
                less.reason
            );
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn seeing_less_only_makes_verdicts_unknown(
        chosen in proptest::collection::vec(0_usize..64, 0..5),
    ) {
        let before = world(&chosen);
        let evaluator = Evaluator::new(before.policy.clone());
        for index in 0..before.records.len() {
            let operation = before.records[index]["operation"].as_str().unwrap().to_owned();
            let what = format!("{operation} of {}", before.records[index]["account"]);
            if !operation.starts_with("organizations:") {
                let mut after = before.clone();
                after.records.remove(index);
                compare(&evaluator, &before, &after, &format!("{what} was removed"))?;
            }
            let mut after = before.clone();
            let record = after.records[index].as_object_mut().unwrap();
            record.remove("response");
            record.insert("error".to_owned(), denied(&operation));
            compare(&evaluator, &before, &after, &format!("{what} was denied"))?;
        }
        prop_assert!(findings(&evaluator, &before).iter().any(|finding| finding.account.id == id(MANAGEMENT)));
    }

    /// Whatever is wanted is something that was not asked, and answering everything ends.
    #[test]
    fn what_is_wanted_was_never_asked(
        chosen in proptest::collection::vec(0_usize..64, 0..3),
        removed in proptest::collection::vec(0_usize..64, 0..6),
    ) {
        let mut before = world(&chosen);
        for index in removed {
            let index = index % before.records.len();
            let record = &before.records[index];
            if !record["operation"].as_str().unwrap().starts_with("organizations:") && before.records.len() > 4 {
                before.records.remove(index);
            }
        }
        let evidence = before.evidence();
        let evaluator = Evaluator::new(before.policy.clone());
        let mut evaluation = evaluator.on(&evidence);
        for account in evidence.reader().accounts() {
            let wanted = evaluation.wanted(account);
            for request in &wanted {
                prop_assert!(!evidence.reader().has(request), "{request:?}");
            }
            prop_assert_eq!(wanted, evaluation.wanted_by(account, Depth::Whole));
        }
    }
}
