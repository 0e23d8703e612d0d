//! The plan as CloudFormation, one template per site, in JSON.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::quote::comment;
use super::{Export, ExportFile, camel, names, own_steps};
use crate::remediation::plan::{Change, Plan, Site, Step};

pub(super) fn write(plan: &Plan) -> Export {
    let mut notes = Vec::new();
    let names = names(plan.sites.iter().map(|site| site.id.as_str()), '-');
    let file = |site: &Site| {
        let name = names.get(site.id.as_str());
        format!(
            "{}.template.json",
            name.map(String::as_str).unwrap_or_default()
        )
    };
    notes.extend(plan.sites.iter().flat_map(|site| {
        let earlier = topics_of_others(plan, site);
        earlier.map(|(topic, other)| {
            format!(
                "roll {} out before {}: it creates the topic `{topic}`, which both use",
                file(other),
                file(site)
            )
        })
    }));
    let files = plan
        .sites
        .iter()
        .map(|site| ExportFile {
            name: file(site),
            content: pretty(&template(plan, site, &mut notes)),
            executable: false,
        })
        .collect();
    Export { files, notes }
}

/// The topics that a site uses and another one creates.
fn topics_of_others<'a>(
    plan: &'a Plan,
    site: &'a Site,
) -> impl Iterator<Item = (&'a str, &'a Site)> {
    plan.sites
        .iter()
        .filter(|other| other.id != site.id)
        .flat_map(|other| other.steps.iter().map(move |step| (step, other)))
        .filter_map(|(step, other)| match &step.change {
            Change::CreateTopic(topic) => Some((topic, other)),
            _ => None,
        })
        .filter(|(topic, _)| {
            let mut needed = site.steps.iter().map(|step| step.change.needed_topic());
            needed.any(|arn| arn == Some(topic.arn.as_str()))
        })
        .map(|(topic, other)| (topic.name.as_str(), other))
}

pub(super) fn pretty(value: &Value) -> String {
    // Values without maps of other keys than strings always serialize.
    let mut text = serde_json::to_string_pretty(value).unwrap_or_default();
    text.push('\n');
    text
}

fn template(plan: &Plan, site: &Site, notes: &mut Vec<String>) -> Value {
    let steps = own_steps(site, notes);
    let topics: BTreeMap<&str, String> = steps
        .iter()
        .filter_map(|step| match &step.change {
            Change::CreateTopic(topic) => Some((topic.arn.as_str(), logical_id(step))),
            _ => None,
        })
        .collect();
    let resources: Map<String, Value> = steps
        .iter()
        .map(|step| (logical_id(step), resource(step, &topics)))
        .collect();
    let description: String = comment(&format!(
        "trailproof plan {}: account {}, region {}, log group {}",
        plan.id, site.account, site.region, site.log_group
    ))
    .chars()
    .take(1024)
    .collect();
    json!({
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": description,
        "Resources": resources,
    })
}

fn logical_id(step: &Step) -> String {
    let number = step.id.rsplit_once('#').map_or("", |(_, number)| number);
    format!("{}{number}", camel(step.change.operation()))
}

fn resource(step: &Step, topics: &BTreeMap<&str, String>) -> Value {
    let topic = |arn: &str| match topics.get(arn) {
        Some(id) => json!({"Ref": id}),
        None => json!(arn),
    };
    match &step.change {
        Change::PutMetricFilter(filter) => json!({
            "Type": "AWS::Logs::MetricFilter",
            "Properties": {
                "FilterName": filter.name, "FilterPattern": filter.pattern,
                "LogGroupName": filter.log_group,
                "MetricTransformations": [{"MetricNamespace": filter.namespace,
                    "MetricName": filter.metric, "MetricValue": filter.value}],
            },
        }),
        Change::CreateTopic(made) => {
            let mut properties = Map::new();
            properties.insert("TopicName".to_owned(), json!(made.name));
            if let Some(key) = &made.kms_key {
                properties.insert("KmsMasterKeyId".to_owned(), json!(key));
            }
            insert_tags(&mut properties, &made.tags);
            json!({"Type": "AWS::SNS::Topic", "Properties": properties})
        }
        Change::Subscribe(subscription) => json!({
            "Type": "AWS::SNS::Subscription",
            "Properties": {
                "TopicArn": topic(&subscription.topic_arn),
                "Protocol": subscription.protocol, "Endpoint": subscription.endpoint,
            },
        }),
        Change::PutMetricAlarm(alarm) => {
            let mut properties = alarm_properties(alarm.period, alarm.threshold);
            for (name, value) in [
                ("AlarmName", json!(alarm.name)),
                ("AlarmDescription", json!(alarm.description)),
                ("Namespace", json!(alarm.namespace)),
                ("MetricName", json!(alarm.metric)),
                ("AlarmActions", json!([topic(&alarm.topic_arn)])),
            ] {
                properties.insert(name.to_owned(), value);
            }
            insert_tags(&mut properties, &alarm.tags);
            json!({"Type": "AWS::CloudWatch::Alarm", "Properties": properties})
        }
    }
}

/// What every alarm of a plan has in common.
pub(super) fn alarm_properties(period: u32, threshold: f64) -> Map<String, Value> {
    [
        ("Statistic", json!("Sum")),
        ("Period", json!(period)),
        ("EvaluationPeriods", json!(1)),
        ("Threshold", json!(threshold)),
        ("ComparisonOperator", json!("GreaterThanOrEqualToThreshold")),
        ("TreatMissingData", json!("notBreaching")),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into_iter()
    .collect()
}

pub(super) fn insert_tags(properties: &mut Map<String, Value>, tags: &BTreeMap<String, String>) {
    if !tags.is_empty() {
        let tags: Vec<_> = tags
            .iter()
            .map(|(key, value)| json!({"Key": key, "Value": value}))
            .collect();
        properties.insert("Tags".to_owned(), json!(tags));
    }
}
