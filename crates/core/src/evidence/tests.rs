//! What is kept of records, and found again by what was asked.

#![allow(
    clippy::needless_pass_by_value,
    reason = "literals read better at the place of use"
)]

mod sharing;
mod unreadable;

use serde_json::{Value, json};

use super::*;
use crate::account::{AccountId, Region};

fn account(number: u64) -> AccountId {
    format!("{number:012}").parse().unwrap()
}

fn site(number: u64, region: &str) -> CallSite {
    CallSite {
        account: account(number),
        region: Region::new(region),
    }
}

fn line(operation: &str, number: u64, region: &str, parameters: Value, response: Value) -> String {
    let mut record = json!({
        "operation": operation, "account": account(number), "region": region,
        "parameters": parameters, "observed_at": "2026-11-22T22:00:00Z",
    });
    let key = if response.get("class").is_some() {
        "error"
    } else {
        "response"
    };
    record[key] = response;
    record.to_string() + "\n"
}

fn denied() -> Value {
    json!({"code": "AccessDenied", "message": "no", "class": "denied"})
}

fn read(text: &str) -> Evidence {
    Evidence::read(text.as_bytes()).unwrap().evidence
}

const TRAIL: &str = "arn:aws:cloudtrail:eu-west-1:000000000001:trail/org";

#[test]
fn one_region_proves_the_trails_of_an_account() {
    let trails = json!({"trailList": [{"Name": "org", "TrailARN": TRAIL, "HomeRegion": "eu-west-1",
        "IsMultiRegionTrail": true, "S3KeyPrefix": null, "Later": {"invented": true}}]});
    let evidence = read(
        &[
            line(
                "cloudtrail:DescribeTrails",
                2,
                "eu-west-1",
                json!({}),
                trails,
            ),
            line(
                "cloudtrail:DescribeTrails",
                2,
                "us-east-1",
                json!({}),
                denied(),
            ),
        ]
        .concat(),
    );
    let view = evidence.reader().trails(account(2));
    assert!(view.complete);
    assert_eq!(view.trails.len(), 1);
    assert_eq!(view.failures.len(), 1);
    assert_eq!(view.trails[0].owner(), Some(account(1)));
}

#[test]
fn without_replications_or_by_name_nothing_is_proved() {
    for parameters in [
        json!({"includeShadowTrails": false}),
        json!({"trailNameList": ["org"]}),
    ] {
        let evidence = read(&line(
            "cloudtrail:DescribeTrails",
            2,
            "eu-west-1",
            parameters,
            json!({"trailList": []}),
        ));
        assert!(!evidence.reader().trails(account(2)).complete);
    }
}

#[test]
fn the_later_record_stands() {
    let status = |logging| {
        line(
            "cloudtrail:GetTrailStatus",
            1,
            "eu-west-1",
            json!({"Name": TRAIL}),
            json!({"IsLogging": logging}),
        )
    };
    let evidence = read(&[status(true), status(false)].concat());
    let answer = evidence
        .reader()
        .trail_status(TRAIL, &site(1, "eu-west-1"))
        .unwrap();
    assert_eq!(answer.outcome.as_ref().unwrap().is_logging, Some(false));

    // Whatever the order in which they stand in the file.
    let earlier = status(true).replace("22:00:00", "21:00:00");
    let evidence = read(&[status(false), earlier].concat());
    let reader = evidence.reader();
    let answer = reader.trail_status(TRAIL, &site(1, "eu-west-1")).unwrap();
    assert_eq!(answer.outcome.as_ref().unwrap().is_logging, Some(false));
}

/// The same question in other words has another key, and its answer is no less true.
#[test]
fn what_a_later_whole_answer_does_not_have_is_gone() {
    let filters = |names: &[&str]| {
        let filters: Vec<Value> = names
            .iter()
            .map(|name| json!({"filterName": name, "logGroupName": "trail", "filterPattern": "", "metricTransformations": []}))
            .collect();
        json!({"metricFilters": filters})
    };
    let alarms = |names: &[&str]| {
        let alarms: Vec<Value> = names
            .iter()
            .map(|name| json!({"AlarmName": name}))
            .collect();
        json!({"MetricAlarms": alarms})
    };
    let at = |time: &str, line: String| line.replace("22:00:00", time);
    let ask =
        |operation, parameters, response| line(operation, 1, "eu-west-1", parameters, response);
    let filters_asked = "logs:DescribeMetricFilters";
    let alarms_asked = "cloudwatch:DescribeAlarms";
    let evidence = read(
        &[
            at(
                "22:00:01",
                ask(
                    filters_asked,
                    json!({"logGroupName": "trail"}),
                    filters(&["a", "b"]),
                ),
            ),
            at("22:00:02", ask(filters_asked, json!({}), filters(&["b"]))),
            // A part of the list proves nothing of the rest.
            at(
                "22:00:03",
                ask(
                    filters_asked,
                    json!({"filterNamePrefix": "c"}),
                    filters(&["c"]),
                ),
            ),
            at(
                "22:00:02",
                ask(
                    alarms_asked,
                    json!({"AlarmTypes": ["MetricAlarm", "CompositeAlarm"]}),
                    alarms(&["b"]),
                ),
            ),
            at(
                "22:00:01",
                ask(alarms_asked, json!({}), alarms(&["a", "b"])),
            ),
            at(
                "22:00:03",
                ask(alarms_asked, json!({"AlarmNames": ["c"]}), alarms(&["c"])),
            ),
        ]
        .concat(),
    );
    let site = site(1, "eu-west-1");
    let filters = evidence.reader().metric_filters(&site, "trail");
    let names: Vec<&str> = filters
        .items
        .iter()
        .map(|filter| &*filter.filter_name)
        .collect();
    assert_eq!(names, ["b", "c"]);
    let alarms = evidence.reader().metric_alarms(&site);
    let names: Vec<&str> = alarms
        .items
        .iter()
        .map(|alarm| &*alarm.alarm_name)
        .collect();
    assert_eq!(names, ["b", "c"]);
}

#[test]
fn a_trail_may_be_named_instead_of_its_arn() {
    let evidence = read(&line(
        "cloudtrail:GetTrailStatus",
        1,
        "eu-west-1",
        json!({"Name": "org"}),
        json!({"IsLogging": true, "LatestDeliveryTime": 1_795_384_800.25, "LatestCloudWatchLogsDeliveryTime": ""}),
    ));
    assert!(
        evidence
            .reader()
            .trail_status(TRAIL, &site(1, "eu-west-1"))
            .is_some()
    );
}

#[test]
fn log_groups_are_found_by_any_question_that_covers_them() {
    let groups = json!({"logGroups": [{"logGroupName": "trail"}, {"logGroupName": "trail/old"}]});
    for (parameters, name, exists) in [
        (json!({"logGroupNamePrefix": "trail"}), "trail", Some(true)),
        (
            json!({"logGroupNamePrefix": "trail"}),
            "trail/new",
            Some(false),
        ),
        (json!({}), "other", Some(false)),
        (json!({"logGroupNamePrefix": "x"}), "other", None),
        (json!({"logGroupNamePattern": "oth"}), "other", Some(false)),
        (json!({"logGroupClass": "STANDARD"}), "other", None),
        (json!({"logGroupClass": "STANDARD"}), "trail", Some(true)),
        (
            json!({"logGroupIdentifiers": ["arn:aws:logs:us-east-1:000000000001:log-group:other:*"]}),
            "other",
            Some(false),
        ),
    ] {
        let evidence = read(&line(
            "logs:DescribeLogGroups",
            1,
            "us-east-1",
            parameters.clone(),
            groups.clone(),
        ));
        let seen = match evidence.reader().log_group(&site(1, "us-east-1"), name) {
            LogGroupAnswer::Exists(..) => Some(true),
            LogGroupAnswer::Missing(_) => Some(false),
            LogGroupAnswer::Failed(..) | LogGroupAnswer::NotAsked => None,
        };
        assert_eq!(seen, exists, "{parameters} {name}");
    }
}

#[test]
fn a_page_with_a_token_is_not_the_whole_list() {
    let evidence = read(&line(
        "logs:DescribeMetricFilters",
        1,
        "us-east-1",
        json!({"logGroupName": "trail"}),
        json!({"metricFilters": [], "NextToken": "more"}),
    ));
    assert!(
        !evidence
            .reader()
            .metric_filters(&site(1, "us-east-1"), "trail")
            .complete
    );
}

#[test]
fn a_page_after_other_pages_is_not_the_whole_list() {
    let topic = "arn:aws:sns:eu-west-1:000000000001:alerts";
    let evidence = read(
        &[
            line(
                "logs:DescribeMetricFilters",
                1,
                "eu-west-1",
                json!({"logGroupName": "trail"}),
                json!({"metricFilters": [{"filterName": "a", "filterPattern": "", "metricTransformations": []}], "NextToken": "more"}),
            ),
            line(
                "logs:DescribeMetricFilters",
                1,
                "eu-west-1",
                json!({"logGroupName": "trail", "StartingToken": "more"}),
                json!({"metricFilters": [{"filterName": "b", "filterPattern": "", "metricTransformations": []}]}),
            ),
            line(
                "sns:ListSubscriptionsByTopic",
                1,
                "eu-west-1",
                json!({"TopicArn": topic, "NextToken": "more"}),
                json!({"Subscriptions": []}),
            ),
        ]
        .concat(),
    );
    let filters = evidence
        .reader()
        .metric_filters(&site(1, "eu-west-1"), "trail");
    assert_eq!((filters.items.len(), filters.complete), (2, false));
    let (_, answer) = evidence.reader().subscriptions(topic)[0];
    assert!(!answer.outcome.as_ref().unwrap().complete);
}

#[test]
fn alarms_without_a_type_are_metric_alarms() {
    for (parameters, metric, composite) in [
        (json!({}), true, false),
        (
            json!({"AlarmTypes": ["CompositeAlarm", "MetricAlarm"], "MaxRecords": 100}),
            true,
            true,
        ),
        (json!({"AlarmTypes": ["CompositeAlarm"]}), false, true),
        (json!({"AlarmNamePrefix": "cis"}), false, false),
    ] {
        let evidence = read(&line(
            "cloudwatch:DescribeAlarms",
            1,
            "us-east-1",
            parameters.clone(),
            json!({"MetricAlarms": [], "CompositeAlarms": []}),
        ));
        let site = site(1, "us-east-1");
        assert_eq!(
            evidence.reader().metric_alarms(&site).complete,
            metric,
            "{parameters}"
        );
        assert_eq!(
            evidence.reader().composite_alarms(&site).complete,
            composite,
            "{parameters}"
        );
    }
}

#[test]
fn entering_is_known_from_roles_and_from_calls() {
    let role = |outcome| {
        line(
            "sts:AssumeRole",
            1,
            "us-east-1",
            json!({"RoleArn": "arn:aws:iam::000000000002:role/Audit"}),
            outcome,
        )
    };
    assert_eq!(read("").reader().entry(account(2)), Entry::NotTried);
    assert!(matches!(
        read(&role(denied())).reader().entry(account(2)),
        Entry::Failed { .. }
    ));
    assert_eq!(
        read(&role(json!({}))).reader().entry(account(2)),
        Entry::Entered
    );
    let used = line(
        "cloudtrail:DescribeTrails",
        2,
        "us-east-1",
        json!({}),
        denied(),
    );
    assert_eq!(
        read(&[role(denied()), used].concat())
            .reader()
            .entry(account(2)),
        Entry::Entered
    );
}

#[test]
fn states_stand_before_statuses() {
    let evidence = read(&line(
        "organizations:ListAccounts",
        1,
        "us-east-1",
        json!({}),
        json!({"Accounts": [
            {"Id": "000000000001", "Name": "root", "Status": "ACTIVE", "Paths": ["o-a/r-b/ou-c/000000000001/"]},
            {"Id": "000000000002", "Status": "ACTIVE", "State": "PENDING_CLOSURE"},
            {"Id": "000000000003", "Status": "SUSPENDED"},
        ]}),
    ));
    let accounts = evidence.reader().listed_accounts();
    let closing: Vec<bool> = accounts
        .values()
        .map(|account| account.is_unusable())
        .collect();
    assert_eq!(closing, [false, true, true]);
    assert_eq!(
        accounts[&account(1)].ou_path().as_deref(),
        Some("o-a/r-b/ou-c")
    );
}

#[test]
fn mute_rules_of_other_alarms_do_not_count() {
    let rule = json!({"AlarmMuteRuleSummaries": [{"AlarmMuteRuleArn": "arn:aws:cloudwatch:us-east-1:1:alarm-mute-rule:night", "Status": "ACTIVE"}]});
    let all = line(
        "cloudwatch:ListAlarmMuteRules",
        1,
        "us-east-1",
        json!({}),
        rule.clone(),
    );
    let named = |rules| {
        line(
            "cloudwatch:ListAlarmMuteRules",
            1,
            "us-east-1",
            json!({"AlarmName": "cis"}),
            rules,
        )
    };
    let seen = |text: &str| {
        let view = read(text)
            .reader()
            .active_mute_rules(&site(1, "us-east-1"), "cis");
        view.items.iter().map(|rule| rule.1).collect::<Vec<_>>()
    };
    assert_eq!(seen(&all), [false]);
    assert_eq!(seen(&[all.clone(), named(rule)].concat()), [true]);
    assert!(seen(&[all, named(json!({"AlarmMuteRuleSummaries": []}))].concat()).is_empty());
}

#[test]
fn requests_are_recognized_however_they_were_asked() {
    let evidence = read(
        &[
            line(
                "cloudtrail:DescribeTrails",
                1,
                "us-east-1",
                json!({}),
                json!({"trailList": []}),
            ),
            line(
                "logs:DescribeLogGroups",
                1,
                "us-east-1",
                json!({}),
                denied(),
            ),
        ]
        .concat(),
    );
    let request = |call| Request {
        account: account(1),
        region: Region::new("us-east-1"),
        call,
    };
    assert!(evidence.reader().has(&request(Call::DescribeTrails {
        include_shadow_trails: true
    })));
    assert!(!evidence.reader().has(&request(Call::DescribeTrails {
        include_shadow_trails: false
    })));
    assert!(evidence.reader().has(&request(Call::DescribeLogGroups {
        log_group_name: "a".into()
    })));
    assert!(!evidence.reader().has(&request(Call::DescribeAlarms)));
}

#[test]
fn evidence_without_lists_or_trails_is_its_callers() {
    let status = line(
        "cloudtrail:GetTrailStatus",
        1,
        "eu-west-1",
        json!({"Name": TRAIL}),
        json!({"IsLogging": true}),
    );
    let evidence = read(&status);
    assert!(evidence.reader().accounts().into_iter().eq([account(1)]));
    assert!(read("").reader().accounts().is_empty());
}

#[test]
fn tags_are_the_latest_that_anybody_was_told() {
    let of = |by: u64, outcome: Value| {
        let subject = json!({"ResourceId": account(3)});
        line(
            "organizations:ListTagsForResource",
            by,
            "us-east-1",
            subject,
            outcome,
        )
    };
    let tags = |value: &str| json!({"Tags": [{"Key": "team", "Value": value}]});
    let evidence = read(&[of(1, tags("old")), of(1, tags("new")), of(2, denied())].concat());
    let found = evidence.reader().account_tags(account(3)).unwrap();
    assert_eq!(found.get("team").map(String::as_str), Some("new"));
    assert!(evidence.reader().account_tags_failure(account(3)).is_some());
    assert!(evidence.reader().account_tags(account(1)).is_none());
    // What is tagged besides accounts is nobody's business.
    let unit = json!({"ResourceId": "ou-ab12-11111111"});
    let unit = line(
        "organizations:ListTagsForResource",
        1,
        "us-east-1",
        unit,
        tags("x"),
    );
    assert!(read(&unit).reader().account_tags(account(3)).is_none());
}

#[test]
fn organization_trails_do_not_depend_on_the_order_of_records() {
    let list = |by: u64, region: &str, trails: Value| {
        line(
            "cloudtrail:DescribeTrails",
            by,
            region,
            json!({}),
            json!({ "trailList": trails }),
        )
    };
    let trail =
        |bucket: &str| json!([{"TrailARN": TRAIL, "IsOrganizationTrail": true, "Name": bucket}]);
    let first = list(2, "eu-west-1", trail("first"));
    let second = list(2, "us-east-1", trail("second"));
    let names = |evidence: &Evidence| -> Vec<String> {
        let reader = evidence.reader();
        let trails = reader.organization_trails().into_iter();
        trails
            .map(|trail| trail.name.as_deref().unwrap_or_default().to_owned())
            .collect()
    };
    for lines in [[&first, &second], [&second, &first]] {
        let mut evidence = Evidence::default();
        for line in lines {
            evidence.add(line.as_bytes(), |_, _| ()).unwrap();
            // Asking makes the index, which later records have to keep right.
            assert_eq!(names(&evidence).len(), 1);
        }
        assert_eq!(names(&evidence), ["first"]);
        evidence
            .insert(serde_json::from_str(&list(2, "eu-west-1", json!([]))).unwrap())
            .unwrap();
        assert_eq!(names(&evidence), ["second"]);
        evidence
            .insert(serde_json::from_str(&list(1, "us-east-1", trail("earlier"))).unwrap())
            .unwrap();
        assert_eq!(names(&evidence), ["earlier"]);
    }
}
