//! Seeing less never makes a verdict better or worse than what was seen: it makes it unknown. So
//! denying or removing a record never turns FAIL into PASS, by either yardstick.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::Evaluator;
use super::evaluator::Depth;
use super::fixture::{Case, MANAGEMENT, World, denied, id};
use super::links::{self, account};
use crate::finding::{Finding, Observation, Status};

/// One change to the healthy organization: operation, account, member of the response, its value.
type Change = (&'static str, u64, &'static str, Value);

/// Every row of every link's table, and what only matters together with other changes.
fn changes() -> Vec<Change> {
    let rows = links::cases()
        .into_iter()
        .map(|Case(operation, account, pointer, value, ..)| (operation, account, pointer, value));
    rows.chain(together()).collect()
}

/// Changes that no table has.
fn together() -> Vec<Change> {
    let m = MANAGEMENT;
    vec![
        ("cloudtrail:GetTrailStatus", m, "/IsLogging", json!(true)),
        ("logs:DescribeLogGroups", m, "/logGroups", json!([])),
        (
            "logs:DescribeMetricFilters",
            m,
            "/metricFilters/0/filterPattern",
            json!("{ $.eventName = Other }"),
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
            "cloudwatch:DescribeAlarms",
            m,
            "/MetricAlarms/1",
            json!({
            "AlarmName": "again", "MetricName": "Failures", "Namespace": "CISBenchmark",
            "Statistic": "Sum", "Period": 300, "EvaluationPeriods": 1, "Threshold": 1,
            "ComparisonOperator": "GreaterThanOrEqualToThreshold", "StateValue": "OK"}),
        ),
        (
            "cloudwatch:DescribeAlarms",
            m,
            "/CompositeAlarms/0",
            json!({
            "AlarmName": "both", "AlarmRule": "ALARM(failures) AND ALARM(again)",
            "AlarmActions": ["arn:aws:sns:eu-west-1:111111111111:alerts"]}),
        ),
        (
            "cloudtrail:DescribeTrails",
            m,
            "/trailList/0/CloudWatchLogsRoleArn",
            json!("arn:aws:iam::111111111111:role/logs"),
        ),
        (
            "logs:DescribeMetricFilters",
            m,
            "/metricFilters/0/filterPattern",
            json!("{ $.eventType != AwsServiceEvent }"),
        ),
        (
            "cloudwatch:ListAlarmMuteRules",
            m,
            "/AlarmMuteRuleSummaries/0",
            json!({"Status": "SCHEDULED"}),
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
            "/Attributes/Policy",
            json!("{\"Statement\":[]}"),
        ),
        (
            "sns:ListSubscriptionsByTopic",
            m,
            "/Subscriptions/0/SubscriptionArn",
            json!("PendingConfirmation"),
        ),
        (
            "sns:GetSubscriptionAttributes",
            m,
            "/Attributes/FilterPolicyScope",
            json!("MessageBody"),
        ),
        (
            "sns:GetSubscriptionAttributes",
            m,
            "/Attributes/FilterPolicy",
            json!("{\"severity\": [\"high\"]}"),
        ),
        (
            "cloudtrail:DescribeTrails",
            m,
            "/trailList/1",
            json!({
            "TrailARN": "arn:aws:cloudtrail:us-east-1:111111111111:trail/second", "HomeRegion": "us-east-1",
            "IsMultiRegionTrail": true, "IncludeGlobalServiceEvents": true}),
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

/// What is said where nobody looked for other ways to a person, and nothing looks as if there were
/// any.
const OTHER_SHAPES: [&str; 3] = [
    "trail.telemetry-rules-unseen",
    "metric-filter.central-copies-unseen",
    "action.event-rules-unseen",
];

/// A verdict may stay or become unknown; the account's name and the organization are not verdicts.
fn may_become(before: Status, after: Status) -> bool {
    before == after || after == Status::Unknown
}

/// What was judged, and what is judged after an answer to `operation` was lost.
fn compare(
    before: &[Finding],
    after: &[Finding],
    operation: &str,
    how: &str,
) -> Result<(), TestCaseError> {
    for finding in before {
        let Some(less) = after.iter().find(|other| other.id == finding.id) else {
            continue;
        };
        if finding.status == Status::NotApplicable && operation == account::tests::TOLD_BY {
            continue;
        }
        for (was, is) in [
            (finding.assurance.cis, less.assurance.cis),
            (finding.assurance.effective, less.assurance.effective),
            (finding.status, less.status),
        ] {
            let unseen = |observation: &std::sync::Arc<Observation>| {
                OTHER_SHAPES.contains(&observation.code.as_str())
            };
            // What only looks as if there were another way to a person may go unseen.
            if (was, is) == (Status::Unknown, Status::Fail)
                && ["logs:DescribeMetricFilters", "events:ListRules"].contains(&operation)
                && less.observations.iter().any(unseen)
            {
                continue;
            }
            prop_assert!(
                may_become(was, is),
                "{} of {} became {}: {} ({:?}) after {operation} was {how}",
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

/// Takes each record away, and denies each, in turn.
pub(super) fn seeing_less(evaluator: &Evaluator, world: &World) -> Result<(), TestCaseError> {
    let before = findings(evaluator, world);
    for (index, record) in world.records.iter().enumerate() {
        let operation = record["operation"].as_str().unwrap();
        let mut less = world.clone();
        let record = less.records[index].as_object_mut().unwrap();
        record.remove("response");
        record.insert("error".to_owned(), denied(operation));
        let after = findings(evaluator, &less);
        compare(&before, &after, operation, "denied")?;
        if !operation.starts_with("organizations:") {
            less.records.remove(index);
            let after = findings(evaluator, &less);
            compare(&before, &after, operation, "removed")?;
        }
    }
    Ok(())
}

/// Each change by itself.
#[test]
fn seeing_less_of_one_change_only_makes_verdicts_unknown() {
    let evaluator = Evaluator::new(World::healthy().policy);
    let wrong: Vec<String> = changes()
        .into_iter()
        .filter_map(|(operation, account, pointer, value)| {
            let row = format!("{operation} {pointer} {value}");
            let world = World::healthy().set(operation, account, pointer, value);
            let error = seeing_less(&evaluator, &world).err()?;
            Some(format!("{row}: {error}"))
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn seeing_less_only_makes_verdicts_unknown(
        chosen in proptest::collection::vec(0_usize..1 << 16, 0..5),
    ) {
        let before = world(&chosen);
        let evaluator = Evaluator::new(before.policy.clone());
        seeing_less(&evaluator, &before)?;
        prop_assert!(findings(&evaluator, &before).iter().any(|finding| finding.account.id == id(MANAGEMENT)));
    }

    /// Whatever is wanted is something that was not asked, and answering everything ends.
    #[test]
    fn what_is_wanted_was_never_asked(
        chosen in proptest::collection::vec(0_usize..1 << 16, 0..3),
        removed in proptest::collection::vec(0_usize..1 << 16, 0..6),
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
