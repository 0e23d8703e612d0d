//! Exports of a plan that has everything, awkward texts included.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::*;
use crate::remediation::endpoint::Protocol;
use crate::remediation::plan::{PlanRun, PlanSummary, ReliesOn, Repair, SCHEMA_VERSION};
use crate::remediation::resources::{Alarm, Change, MetricFilter, Subscription, TAG, Topic};

fn step(id: &str, account: &str, change: Change) -> Step {
    Step {
        id: id.to_owned(),
        account: account.parse().unwrap(),
        region: trailproof_core::account::Region::new("eu-central-1"),
        change,
        name_seen_free: true,
    }
}

fn filter(name: &str) -> Change {
    Change::PutMetricFilter(MetricFilter {
        log_group: "cloud/trail".to_owned(),
        name: name.to_owned(),
        pattern:
            r#"{ ($.eventName = ConsoleLogin) && ($.errorMessage = "Failed authentication") }"#
                .to_owned(),
        namespace: "CISBenchmark".to_owned(),
        metric: "console-auth-failures".to_owned(),
        value: "1".to_owned(),
    })
}

fn alarm(name: &str, topic: &str) -> Change {
    Change::PutMetricAlarm(Alarm {
        name: name.to_owned(),
        description: "CIS 5.6: it's \"monitored\". trailproof:plan=abc".to_owned(),
        namespace: "CISBenchmark".to_owned(),
        metric: "console-auth-failures".to_owned(),
        period: 300,
        threshold: 1.0,
        topic_arn: topic.to_owned(),
        tags: BTreeMap::from([("team".to_owned(), "security".to_owned())]),
    })
}

fn subscription(topic: &str, protocol: Protocol, endpoint: &str) -> Change {
    Change::Subscribe(Subscription {
        topic_arn: topic.to_owned(),
        protocol,
        endpoint: endpoint.to_owned(),
        needs_confirmation: true,
    })
}

fn site(account: &str, steps: Vec<Step>) -> Site {
    let id = format!("{account}/eu-central-1/cloud/trail");
    Site {
        account: account.parse().unwrap(),
        region: trailproof_core::account::Region::new("eu-central-1"),
        log_group: "cloud/trail".to_owned(),
        trails: vec![],
        repairs: vec![Repair {
            control: "console-auth-failures".to_owned(),
            reasons: vec!["metric-filter.none".to_owned()],
            steps: steps.iter().map(|step| step.id.clone()).collect(),
            turns_green: vec![account.parse().unwrap()],
            waits_for_confirmation: vec![],
            notes: vec![],
        }],
        steps,
        relies_on: ReliesOn::default(),
        not_looked_at: Vec::new(),
        id,
    }
}

/// Two sites: a complete repair, with texts that no language may trip over, and an alarm for a
/// topic in another account.
pub(crate) fn plan() -> Plan {
    let own = "arn:aws:sns:eu-central-1:111111111111:trailproof-alarms";
    let central = "arn:aws:sns:eu-central-1:333333333333:central";
    let first = "111111111111/eu-central-1/cloud/trail";
    let second = "222222222222/eu-central-1/cloud/trail";
    let id = |site: &str, number: u32| format!("{site}#{number}");
    let topic = Change::CreateTopic(Topic {
        name: "trailproof-alarms".to_owned(),
        arn: own.to_owned(),
        kms_key: Some("alias/alarms".to_owned()),
        tags: BTreeMap::from([
            ("team".to_owned(), "security".to_owned()),
            (TAG.to_owned(), "abc".to_owned()),
        ]),
        use_existing: false,
        publishers: None,
    });
    let here = "111111111111";
    let mail = "o'neil+${x}@example.com";
    Plan {
        schema_version: SCHEMA_VERSION,
        id: "abc".to_owned(),
        digest: String::new(),
        tool_version: "0.1.0".to_owned(),
        created_at: "2026-11-22T22:00:00Z".parse().unwrap(),
        run: PlanRun {
            directory: "run".to_owned(),
            observed_at: None,
            caller: "222222222222".parse().ok(),
            organization: None,
            role: Some("security/Fixer".to_owned()),
            roles: Vec::new(),
        },
        policy: serde_json::from_value(serde_json::json!({
            "controls": ["console-auth-failures"], "benchmark": "6.0.0", "assurance": "both",
            "max_delivery_age_seconds": 86_400, "trust_organization_trail": false,
            "evaluated_at": "2026-11-22T22:00:00Z",
        }))
        .unwrap(),
        offline: false,
        summary: PlanSummary::default(),
        sites: vec![
            site(
                here,
                vec![
                    step(
                        &id(first, 1),
                        here,
                        filter("failed `sign-ins`; $(rm -rf /)"),
                    ),
                    step(&id(first, 2), here, topic),
                    step(
                        &id(first, 3),
                        here,
                        subscription(own, Protocol::Email, mail),
                    ),
                    step(
                        &id(first, 4),
                        here,
                        subscription(own, Protocol::Https, "https://x/y?a=1&b=2"),
                    ),
                    step(&id(first, 5), here, alarm("it's \"failed\" 100 %{x}", own)),
                ],
            ),
            site(
                "222222222222",
                vec![
                    step(
                        &id(second, 1),
                        "222222222222",
                        filter("trailproof-console-auth-failures"),
                    ),
                    step(
                        &id(second, 2),
                        "333333333333",
                        subscription(central, Protocol::Sms, "+4915112345678"),
                    ),
                    step(
                        &id(second, 3),
                        "222222222222",
                        alarm("trailproof-console-auth-failures", central),
                    ),
                ],
            ),
        ],
        unrepairable: vec![],
        account_names: BTreeMap::new(),
        account_units: BTreeMap::new(),
        for_owners: Vec::new(),
        topics: Vec::new(),
        warnings: vec![],
    }
    .seal()
}

fn everything(language: Language) -> String {
    let export = export(&plan(), language);
    let mut text = String::new();
    for file in export.files {
        writeln!(text, "=== {} {}", file.name, file.executable).unwrap();
        text.push_str(&file.content);
    }
    for note in export.notes {
        text.push_str("=== note: ");
        text.push_str(&note);
        text.push('\n');
    }
    text
}

#[test]
fn script() {
    insta::assert_snapshot!(everything(Language::Script));
}

#[test]
fn cloudformation() {
    insta::assert_snapshot!(everything(Language::CloudFormation));
}

#[test]
fn stack_set() {
    insta::assert_snapshot!(everything(Language::StackSet));
}

#[test]
fn terraform() {
    insta::assert_snapshot!(everything(Language::Terraform));
}

#[test]
fn what_is_different_has_different_names() {
    let ids = [
        "1/trail/logs",
        "1/trail-logs",
        "1/trail_logs",
        "1/trail-logs-2",
    ];
    let names = names(ids.into_iter(), '-');
    assert_eq!(
        ids.map(|id| names[id].as_str()),
        [
            "1-trail-logs",
            "1-trail-logs-2",
            "1-trail-logs-3",
            "1-trail-logs-2-2",
        ]
    );
    let mut plan = plan();
    let mut other = plan.sites[0].clone();
    other.id = other.id.replace("cloud/trail", "cloud.trail");
    for step in &mut other.steps {
        step.id = step.id.replace("cloud/trail", "cloud.trail");
    }
    // What the first site creates is used here.
    other
        .steps
        .retain(|step| !matches!(step.change, Change::CreateTopic(_)));
    plan.sites.push(other);
    let templates = export(&plan, Language::CloudFormation);
    let files: BTreeSet<_> = templates.files.iter().map(|file| &file.name).collect();
    assert_eq!(files.len(), 3, "{files:?}");
    assert!(
        templates.notes.iter().any(|note| note
            == "roll 111111111111-eu-central-1-cloud-trail.template.json out before 111111111111-eu-central-1-cloud-trail-2.template.json: it creates the topic `trailproof-alarms`, which both use"),
        "{:?}",
        templates.notes
    );
    let terraform = &export(&plan, Language::Terraform).files[0].content;
    let resources: Vec<_> = terraform
        .lines()
        .filter(|line| line.starts_with("resource "))
        .collect();
    let different: BTreeSet<_> = resources.iter().collect();
    assert_eq!(resources.len(), different.len(), "{resources:#?}");
}

#[test]
fn every_alarm_of_a_stack_keeps_its_topic() {
    let here = "111111111111";
    let arn = |name: &str| format!("arn:aws:sns:eu-central-1:{here}:{name}");
    let topic = |name: &str| {
        Change::CreateTopic(Topic {
            name: name.to_owned(),
            arn: arn(name),
            kms_key: None,
            tags: BTreeMap::new(),
            use_existing: true,
            publishers: None,
        })
    };
    let changes = [
        topic("first"),
        subscription(&arn("first"), Protocol::Sms, "+4915112345678"),
        alarm("to the first", &arn("first")),
        topic("second"),
        alarm("to the second", &arn("second")),
        subscription(&arn("there"), Protocol::Sms, "+4915112345678"),
        alarm("elsewhere", "arn:aws:sns:eu-central-1:333333333333:central"),
    ];
    let mut plan = plan();
    let steps = changes
        .into_iter()
        .enumerate()
        .map(|(index, change)| step(&format!("x#{index}"), here, change));
    plan.sites = vec![site(here, steps.collect())];
    let files = export(&plan, Language::StackSet).files;
    for (parameter, value) in [
        ("TopicName", "first"),
        ("Topic2Name", "second"),
        ("Subscription1TopicName", "first"),
        ("Subscription2TopicName", "there"),
        ("ConsoleAuthFailuresAlarmTopicName", "first"),
        ("ConsoleAuthFailuresAlarm2Name", "to the second"),
        ("ConsoleAuthFailuresAlarm2TopicName", "second"),
        (
            "ConsoleAuthFailuresAlarm3TopicArn",
            "arn:aws:sns:eu-central-1:333333333333:central",
        ),
    ] {
        let given = format!(r#"{{"ParameterKey":"{parameter}","ParameterValue":"{value}"}}"#);
        assert!(files[1].content.contains(&given), "{given}");
    }
    let template: serde_json::Value = serde_json::from_str(&files[0].content).unwrap();
    let resources = template["Resources"].as_object().unwrap();
    assert_eq!(resources.len(), 7);
    assert_eq!(
        resources["ConsoleAuthFailuresAlarm3"]["Properties"]["AlarmActions"][0]["Ref"],
        "ConsoleAuthFailuresAlarm3TopicArn"
    );
}

#[test]
fn a_plan_survives_its_file_and_no_change() {
    let plan = plan();
    let text = plan.to_json().unwrap();
    assert_eq!(Plan::from_json(&text).unwrap(), plan);
    let changed = text.replace("\"threshold\": 1.0", "\"threshold\": 100.0");
    assert_ne!(text, changed);
    let refused = Plan::from_json(&changed).unwrap_err().to_string();
    assert!(
        refused.contains("was changed after it was made"),
        "{refused}"
    );
    let newer = text.replace("\"schema_version\": 1", "\"schema_version\": 2");
    let refused = Plan::from_json(&newer).unwrap_err().to_string();
    assert!(refused.contains("schema version 2"), "{refused}");
}
