//! Alarms of monitoring accounts: which count, and what is said where nobody could see them.

use serde_json::{Value, json};

use crate::evaluate::fixture::{
    MANAGEMENT, MEMBER, OTHER, World, check, denied, id, names, record, verdict,
};
use crate::evaluate::monotonicity::seeing_less;
use crate::evaluate::{Evaluator, monitoring_accounts};
use crate::evidence::Evidence;
use crate::finding::Status::{self, Fail, Pass, Unknown};
use crate::policy::Assurance;

const SINK: &str = "arn:aws:oam:eu-west-1:333333333333:sink/s";
const LINK: &str = "arn:aws:oam:eu-west-1:111111111111:link/l";
const FAR_TOPIC: &str = "arn:aws:sns:eu-west-1:333333333333:central";
const METRIC: &str = "AWS::CloudWatch::Metric";

/// An alarm of the monitoring account on the metric of an account.
fn alarm(account: u64) -> Value {
    json!({
        "AlarmName": "central", "AlarmArn": "arn:aws:cloudwatch:eu-west-1:333333333333:alarm:central",
        "ActionsEnabled": true, "AlarmActions": [FAR_TOPIC], "StateValue": "OK",
        "Threshold": 1.0, "ComparisonOperator": "GreaterThanOrEqualToThreshold",
        "EvaluationPeriods": 1,
        "Metrics": [{
            "Id": "m", "AccountId": id(account), "ReturnData": true,
            "MetricStat": {
                "Metric": {"Namespace": "CISBenchmark", "MetricName": "Failures", "Dimensions": []},
                "Period": 300, "Stat": "Sum",
            },
        }],
    })
}

fn link(sink: &str) -> Value {
    json!({"Arn": LINK, "Id": "l", "Label": "source", "ResourceTypes": [METRIC], "SinkArn": sink})
}

/// The log group's account has no alarm of its own and a link to the account that has one.
pub(in crate::evaluate) fn monitored() -> World {
    let mut world = World::healthy().set(
        "cloudwatch:DescribeAlarms",
        MANAGEMENT,
        "/MetricAlarms",
        json!([]),
    );
    let mut add = |operation: &str, account: u64, parameters: Value, response: Value| {
        let record = record(operation, account, "eu-west-1", &parameters, &response);
        world.records.push(record);
    };
    add(
        "oam:ListLinks",
        MANAGEMENT,
        json!({}),
        json!({"Items": [link(SINK)]}),
    );
    add(
        "oam:GetLink",
        MANAGEMENT,
        json!({"Identifier": LINK}),
        json!({"Arn": LINK, "Id": "l", "SinkArn": SINK, "ResourceTypes": [METRIC],
            "LinkConfiguration": {"MetricConfiguration": {"Filter": "Namespace NOT LIKE 'AWS/%'"}}}),
    );
    add(
        "cloudwatch:DescribeAlarms",
        OTHER,
        json!({"AlarmTypes": ["MetricAlarm", "CompositeAlarm", "LogAlarm"]}),
        json!({"MetricAlarms": [alarm(MANAGEMENT)], "CompositeAlarms": [], "LogAlarms": []}),
    );
    add(
        "cloudwatch:ListAlarmMuteRules",
        OTHER,
        json!({}),
        json!({"AlarmMuteRuleSummaries": []}),
    );
    let policy = json!({"Statement": [{
        "Effect": "Allow", "Principal": {"Service": "cloudwatch.amazonaws.com"},
        "Action": "sns:Publish", "Resource": "*",
    }]});
    add(
        "sns:GetTopicAttributes",
        OTHER,
        json!({"TopicArn": FAR_TOPIC}),
        json!({"Attributes": {"Policy": policy.to_string()}}),
    );
    let subscription = format!("{FAR_TOPIC}:1");
    add(
        "sns:ListSubscriptionsByTopic",
        OTHER,
        json!({"TopicArn": FAR_TOPIC}),
        json!({"Subscriptions": [{
            "SubscriptionArn": subscription, "Owner": id(OTHER), "Protocol": "email",
            "Endpoint": "soc@example.com", "TopicArn": FAR_TOPIC}]}),
    );
    add(
        "sns:GetSubscriptionAttributes",
        OTHER,
        json!({"SubscriptionArn": subscription}),
        json!({"Attributes": {"SubscriptionArn": subscription}}),
    );
    world
}

fn effective(world: &World) -> (Status, Option<String>, Vec<String>) {
    let finding = world.finding(MEMBER);
    let (_, effective, _) = verdict(&finding);
    let observed = finding.observations.iter().map(|seen| seen.code.clone());
    (
        effective,
        finding.reason.clone().map(|reason| reason.to_string()),
        observed.collect(),
    )
}

#[test]
fn an_alarm_of_a_monitoring_account_counts() {
    let world = monitored();
    // To the letter, there is no alarm beside the filter.
    check(&world, Fail, Pass, Some("alarm.none"));
    assert_eq!(world.wanted(MEMBER), []);
    let mut world = monitored();
    world.policy.assurance = Assurance::Effective;
    let finding = world.finding(MEMBER);
    assert_eq!(finding.status, Pass);
    let far = finding
        .chain
        .iter()
        .any(|link| link.resource.as_deref() == Some(FAR_TOPIC));
    assert!(far, "{:#?}", finding.chain);
    let mut observed = finding.observations.iter();
    assert!(observed.any(|seen| seen.code == "alarm.of-monitoring-account"));
}

#[test]
fn it_is_judged_like_any_other() {
    let alarms = "cloudwatch:DescribeAlarms";
    for (operation, account, pointer, value, expected) in [
        (
            alarms,
            OTHER,
            "/MetricAlarms/0/ComparisonOperator",
            json!("LessThanThreshold"),
            Fail,
        ),
        (
            alarms,
            OTHER,
            "/MetricAlarms/0/ActionsEnabled",
            json!(false),
            Fail,
        ),
        (
            alarms,
            OTHER,
            "/MetricAlarms/0/EvaluationState",
            json!("PARTIAL_DATA"),
            Unknown,
        ),
        (alarms, OTHER, "/MetricAlarms/0", alarm(MEMBER), Fail),
        (alarms, OTHER, "/MetricAlarms", json!([]), Fail),
        // Its own metric of that name.
        (
            alarms,
            OTHER,
            "/MetricAlarms/0/Metrics/0/AccountId",
            json!(null),
            Fail,
        ),
        (
            alarms,
            OTHER,
            "/MetricAlarms/0/Metrics/0/AccountId",
            json!("nobody"),
            Fail,
        ),
        (
            alarms,
            OTHER,
            "/MetricAlarms/0/Metrics/0",
            json!({"Id": "q", "Expression": "SELECT SUM(Failures) FROM CISBenchmark", "Period": 300}),
            Unknown,
        ),
        (
            "sns:ListSubscriptionsByTopic",
            OTHER,
            "/Subscriptions/0/SubscriptionArn",
            json!("PendingConfirmation"),
            Fail,
        ),
        (
            "sns:GetTopicAttributes",
            OTHER,
            "/Attributes/Policy",
            json!("{\"Statement\":[]}"),
            Fail,
        ),
        (
            "cloudwatch:ListAlarmMuteRules",
            OTHER,
            "/AlarmMuteRuleSummaries/0",
            json!({"Status": "ACTIVE"}),
            Unknown,
        ),
    ] {
        let world = monitored().set(operation, account, pointer, value.clone());
        let (effective, reason, _) = effective(&world);
        assert_eq!(
            effective, expected,
            "{operation} {pointer} {value} {reason:?}"
        );
    }
}

#[test]
fn a_metric_has_to_be_shared() {
    let filter = "/LinkConfiguration/MetricConfiguration/Filter";
    for (operation, pointer, value, expected) in [
        (
            "oam:GetLink",
            filter,
            json!("Namespace IN ('AWS/EC2', 'CISBenchmark')"),
            Pass,
        ),
        ("oam:GetLink", filter, json!("Namespace = 'AWS/EC2'"), Fail),
        (
            "oam:GetLink",
            filter,
            json!("Namespace REGEXP 'x'"),
            Unknown,
        ),
        ("oam:GetLink", "/LinkConfiguration", json!(null), Pass),
        (
            "oam:GetLink",
            "/ResourceTypes",
            json!(["AWS::Logs::LogGroup"]),
            Fail,
        ),
        // The alarm names the account: what it watches may be shared in another way.
        (
            "oam:ListLinks",
            "/Items/0/ResourceTypes",
            json!(["AWS::Logs::LogGroup"]),
            Unknown,
        ),
        ("oam:ListLinks", "/Items", json!([]), Unknown),
        ("oam:ListLinks", "/Items/0/Arn", json!("no ARN"), Unknown),
    ] {
        let world = monitored().set(operation, MANAGEMENT, pointer, value.clone());
        let (effective, reason, _) = effective(&world);
        assert_eq!(
            effective, expected,
            "{operation} {pointer} {value} {reason:?}"
        );
    }
    let world = monitored().fail("oam:GetLink", MANAGEMENT, &denied("oam:GetLink"));
    assert_eq!(effective(&world).0, Unknown);
}

#[test]
fn links_that_lead_nowhere_are_named() {
    for sink in [
        "arn:aws-cn:oam:eu-west-1:333333333333:sink/s",
        "arn:aws:oam:us-east-1:333333333333:sink/s",
        "arn:aws:sns:eu-west-1:333333333333:sink/s",
        "arn:aws:oam:eu-west-1:nobody:sink/s",
        "arn:aws:oam:eu-west-1:333333333333:link/s",
        "nonsense",
        "",
    ] {
        let world = monitored()
            .set(
                "cloudwatch:DescribeAlarms",
                OTHER,
                "/MetricAlarms",
                json!([]),
            )
            .set("oam:ListLinks", MANAGEMENT, "/Items/0/SinkArn", json!(sink));
        let mut world = world;
        world.policy.assurance = Assurance::Effective;
        let finding = world.finding(MEMBER);
        assert_eq!(finding.status, Unknown, "{sink}");
        assert_eq!(
            finding.reason.as_deref(),
            Some("alarm.monitoring-account-not-observed")
        );
        assert!(finding.message.contains(sink), "{}", finding.message);
        assert!(
            !world
                .wanted(MEMBER)
                .iter()
                .any(|request| request.account == id(OTHER))
        );
    }
    let many: Vec<Value> = (0..2_000)
        .map(|number| link(&format!("nonsense {number} ").repeat(40)))
        .collect();
    let world = monitored().set("oam:ListLinks", MANAGEMENT, "/Items", json!(many));
    assert!(world.finding(MEMBER).message.len() < 2_000);
}

/// Nothing of the kind is known: the verdict is about the account's own alarms, and says so. As
/// soon as somebody is known to watch, what nobody saw is unknown.
#[test]
fn what_nobody_saw_is_observed_or_unknown() {
    let refused = denied("oam:ListLinks");
    let alone = || {
        monitored().set(
            "cloudwatch:DescribeAlarms",
            OTHER,
            "/MetricAlarms",
            json!([]),
        )
    };
    for world in [
        alone().fail("oam:ListLinks", MANAGEMENT, &refused),
        alone().without("oam:ListLinks", MANAGEMENT),
    ] {
        let (effective, reason, observed) = effective(&world);
        assert_eq!((effective, reason.as_deref()), (Fail, Some("alarm.none")));
        assert!(
            observed
                .iter()
                .any(|code| code == "alarm.links-not-observed"),
            "{observed:?}"
        );
    }
    // The alarm names the account.
    let world = monitored().fail("oam:ListLinks", MANAGEMENT, &refused);
    assert_eq!(effective(&world).0, Unknown);
    // Unread behind a known sink.
    let world = monitored().fail(
        "cloudwatch:DescribeAlarms",
        OTHER,
        &denied("cloudwatch:DescribeAlarms"),
    );
    assert_eq!(effective(&world).0, Unknown);
    // Told by the configuration.
    let mut world = alone().without("cloudwatch:DescribeAlarms", OTHER);
    world = world.fail("oam:ListLinks", MANAGEMENT, &refused);
    assert_eq!(effective(&world).0, Fail);
    world.policy.monitoring_accounts.insert(id(OTHER));
    assert_eq!(effective(&world).0, Unknown);
    assert_eq!(
        names(&world.wanted(MEMBER)),
        ["cloudwatch:DescribeAlarms 333333333333 eu-west-1"]
    );
    // The log group's account is no monitoring account of its own.
    world.policy.monitoring_accounts = [id(MANAGEMENT)].into();
    assert_eq!(effective(&world).0, Fail);
}

/// A member's link makes the sink known, and the sink's owner says who else shares.
#[test]
fn the_owner_of_a_known_sink_says_who_shares() {
    let world = |attached: &[Value]| {
        monitored()
            .fail("oam:ListLinks", MANAGEMENT, &denied("oam:ListLinks"))
            .set("cloudwatch:DescribeAlarms", OTHER, "/MetricAlarms", json!([]))
            .with("oam:ListLinks", MEMBER, "eu-west-1", &json!({}), &json!({"Items": [
                {"Arn": "arn:aws:oam:eu-west-1:222222222222:link/l", "SinkArn": SINK, "ResourceTypes": [METRIC]},
            ]}))
            .with(
                "oam:ListAttachedLinks",
                OTHER,
                "eu-west-1",
                &json!({"SinkIdentifier": SINK}),
                &json!({"Items": attached}),
            )
    };
    let own = json!({"LinkArn": LINK, "ResourceTypes": [METRIC]});
    let unasked = world(&[]).without("oam:ListAttachedLinks", OTHER);
    assert_eq!(effective(&unasked).0, Unknown);
    assert_eq!(
        names(&unasked.wanted(MEMBER)),
        ["oam:ListAttachedLinks 333333333333 eu-west-1"]
    );
    assert_eq!(effective(&world(&[])).0, Fail);
    assert_eq!(
        effective(&world(&[json!({"LinkArn": "nonsense"})])).0,
        Unknown
    );
    let watched = |world: World| {
        world.set(
            "cloudwatch:DescribeAlarms",
            OTHER,
            "/MetricAlarms",
            json!([alarm(MANAGEMENT)]),
        )
    };
    assert_eq!(
        effective(&watched(world(std::slice::from_ref(&own)))).0,
        Pass
    );
    assert_eq!(effective(&watched(world(&[]))).0, Unknown);
    let unread = world(&[own]).fail(
        "cloudwatch:DescribeAlarms",
        OTHER,
        &denied("cloudwatch:DescribeAlarms"),
    );
    assert_eq!(effective(&unread).0, Unknown);
}

/// Asked only where a filter for the events has no alarm that is good enough, one after the other.
#[test]
fn links_are_asked_for_where_a_filter_has_no_alarm() {
    let bare = |world: World| {
        ["oam:ListLinks", "oam:GetLink"]
            .into_iter()
            .fold(world, |world, operation| {
                world.without(operation, MANAGEMENT)
            })
    };
    let far = [
        "cloudwatch:DescribeAlarms",
        "sns:GetTopicAttributes",
        "sns:ListSubscriptionsByTopic",
        "sns:GetSubscriptionAttributes",
        "cloudwatch:ListAlarmMuteRules",
    ];
    let whole = monitored();
    let mut world = far
        .into_iter()
        .fold(bare(whole.clone()), |world, operation| {
            world.without(operation, OTHER)
        });
    for operation in ["oam:ListLinks", "cloudwatch:DescribeAlarms", "oam:GetLink"]
        .into_iter()
        .chain(far.into_iter().skip(1))
    {
        let wanted = names(&world.wanted(MEMBER));
        let account = if operation.starts_with("oam:") {
            MANAGEMENT
        } else {
            OTHER
        };
        assert_eq!(wanted, [format!("{operation} {} eu-west-1", id(account))]);
        let record = whole.records.iter().find(|record| {
            record["operation"] == operation && record["account"] == id(account).to_string()
        });
        world.records.push(record.unwrap().clone());
    }
    assert_eq!(world.wanted(MEMBER), []);
    assert_eq!(effective(&world).0, Pass);
    // Another pattern cannot be mended by an alarm.
    let world = bare(monitored()).set(
        "logs:DescribeMetricFilters",
        MANAGEMENT,
        "/metricFilters/0/filterPattern",
        json!("{ $.eventName = PutObject }"),
    );
    assert_eq!(world.without_other_shapes().wanted(MEMBER), []);
    // Nor is a break before it.
    let world = bare(monitored()).set(
        "cloudtrail:GetTrailStatus",
        MANAGEMENT,
        "/IsLogging",
        json!(false),
    );
    assert_eq!(world.wanted(MEMBER), []);
    assert_eq!(bare(World::healthy()).wanted(MEMBER), []);
}

#[test]
fn seeing_less_of_a_monitoring_account_only_makes_verdicts_unknown() {
    for world in [
        monitored(),
        monitored().set(
            "oam:GetLink",
            MANAGEMENT,
            "/LinkConfiguration/MetricConfiguration/Filter",
            json!("Namespace = 'AWS/EC2'"),
        ),
        monitored().set(
            "sns:GetTopicAttributes",
            OTHER,
            "/Attributes/Policy",
            json!("{\"Statement\":[]}"),
        ),
    ] {
        seeing_less(&Evaluator::new(world.policy.clone()), &world).unwrap();
    }
}

/// What else is recorded of a monitoring account, or of other links, leaves what was worked out for
/// its members as it is.
#[test]
fn the_marks_of_a_monitoring_account_leave_its_members_alone() {
    let world = monitored();
    let mut evidence: Evidence = world.evidence();
    let basis = {
        let reader = evidence.reader();
        let site = crate::evidence::CallSite {
            account: id(MANAGEMENT),
            region: crate::account::Region::new("eu-west-1"),
        };
        let (_, basis) = reader.with_basis(|| {
            monitoring_accounts::of(&reader, &world.policy, &site);
            reader.topic_attributes(FAR_TOPIC).len()
                + reader.active_mute_rules(&site, "central").items.len()
        });
        basis
    };
    let insert = |evidence: &mut Evidence, record: &Value| {
        evidence
            .insert(serde_json::from_value(record.clone()).unwrap())
            .unwrap();
    };
    let other = "arn:aws:sns:eu-west-1:333333333333:another";
    for (operation, account, parameters, response) in [
        (
            "sns:GetTopicAttributes",
            OTHER,
            json!({"TopicArn": other}),
            json!({"Attributes": {}}),
        ),
        (
            "cloudwatch:ListAlarmMuteRules",
            MANAGEMENT,
            json!({"AlarmName": "another"}),
            json!({"AlarmMuteRuleSummaries": []}),
        ),
        (
            "oam:ListLinks",
            MEMBER,
            json!({}),
            json!({"Items": [link(SINK)]}),
        ),
        (
            "cloudwatch:DescribeAlarms",
            MEMBER,
            json!({}),
            json!({"MetricAlarms": [alarm(OTHER)], "CompositeAlarms": []}),
        ),
    ] {
        insert(
            &mut evidence,
            &record(operation, account, "eu-west-1", &parameters, &response),
        );
        assert!(basis.holds(&evidence.reader()), "{operation}");
    }
    // An alarm that names the account is news.
    insert(
        &mut evidence,
        &record(
            "cloudwatch:DescribeAlarms",
            MEMBER,
            "eu-west-1",
            &json!({}),
            &json!({"MetricAlarms": [alarm(MANAGEMENT)], "CompositeAlarms": []}),
        ),
    );
    assert!(!basis.holds(&evidence.reader()));
}
