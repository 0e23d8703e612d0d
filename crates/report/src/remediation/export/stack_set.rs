//! The plan as one CloudFormation template that fits every site, for StackSets, and the commands
//! that give each site its values.
//!
//! A stack set has one stack per account and region. Where a plan has several sites in the same
//! place, each further one goes into a further stack set with the same template.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use serde_json::{Map, Value, json};
use trailproof_core::account::{AccountId, Region};

use super::cloudformation::{alarm_properties, pretty};
use super::quote::{comment, shell};
use super::{Export, ExportFile, camel, own_steps};
use crate::remediation::plan::{Alarm, Change, Plan, Site, Step};

const TEMPLATE: &str = "stack-set.template.json";

type Parameters = BTreeMap<String, String>;

pub(super) fn write(plan: &Plan) -> Export {
    let mut notes = Vec::new();
    let mut sets: Vec<BTreeMap<(AccountId, Region), Parameters>> = Vec::new();
    let mut kinds = Kinds::default();
    for site in &plan.sites {
        let steps = own_steps(site, &mut notes);
        let place = (site.account, site.region.clone());
        let values = parameters(site, &steps, &mut kinds);
        match sets.iter_mut().find(|set| !set.contains_key(&place)) {
            Some(set) => {
                set.insert(place, values);
            }
            None => sets.push(BTreeMap::from([(place, values)])),
        }
    }
    Export {
        files: vec![
            ExportFile {
                name: TEMPLATE.to_owned(),
                content: pretty(&template(plan, &kinds)),
                executable: false,
            },
            ExportFile {
                name: "stack-sets.sh".to_owned(),
                content: commands(plan, &sets),
                executable: true,
            },
        ],
        notes,
    }
}

/// What kinds of changes there are at all: the template has nothing else.
#[derive(Default)]
struct Kinds {
    /// Controls, and how many of each of their changes a site has at most.
    filters: BTreeMap<String, usize>,
    alarms: BTreeMap<String, Vec<(u32, f64)>>,
    topics: usize,
    subscriptions: usize,
    tags: BTreeSet<(String, String)>,
    kms_key: bool,
}

/// The values of one site, and the kinds of changes it needs.
fn parameters(site: &Site, steps: &[&Step], kinds: &mut Kinds) -> Parameters {
    let mut values = Parameters::from([("LogGroupName".to_owned(), site.log_group.clone())]);
    let created: BTreeSet<&str> = steps
        .iter()
        .filter_map(|step| match &step.change {
            Change::CreateTopic(topic) => Some(topic.arn.as_str()),
            _ => None,
        })
        .collect();
    let control_of = |step: &Step| {
        site.repairs
            .iter()
            .find(|repair| repair.steps.contains(&step.id))
            .map_or_else(String::new, |repair| camel(&repair.control))
    };
    let mut subscriptions = 0;
    for step in steps {
        let control = control_of(step);
        let mut set = |name: String, value: &str| values.insert(name, value.to_owned());
        match &step.change {
            Change::PutMetricFilter(filter) => {
                kinds.filters.insert(control.clone(), 1);
                set(format!("{control}FilterName"), &filter.name);
                set(format!("{control}FilterPattern"), &filter.pattern);
                set(format!("{control}MetricNamespace"), &filter.namespace);
                set(format!("{control}MetricName"), &filter.metric);
            }
            Change::CreateTopic(topic) => {
                kinds.topics = 1;
                kinds.tags.extend(topic.tags.clone());
                set("TopicName".to_owned(), &topic.name);
                if let Some(key) = &topic.kms_key {
                    kinds.kms_key = true;
                    set("TopicKey".to_owned(), key);
                }
            }
            Change::Subscribe(subscription) => {
                subscriptions += 1;
                kinds.subscriptions = kinds.subscriptions.max(subscriptions);
                set(
                    format!("Protocol{subscriptions}"),
                    subscription.protocol.as_str(),
                );
                set(format!("Endpoint{subscriptions}"), &subscription.endpoint);
                if !created.contains(subscription.topic_arn.as_str()) {
                    set("TopicArn".to_owned(), &subscription.topic_arn);
                }
            }
            Change::PutMetricAlarm(alarm) => {
                let shape = (alarm.period, alarm.threshold);
                let shapes = kinds.alarms.entry(control.clone()).or_default();
                if !shapes.contains(&shape) {
                    shapes.push(shape);
                }
                alarm_values(&control, alarm, &mut set);
                if !created.contains(alarm.topic_arn.as_str()) {
                    set("TopicArn".to_owned(), &alarm.topic_arn);
                }
            }
        }
    }
    values
}

fn alarm_values(
    control: &str,
    alarm: &Alarm,
    set: &mut impl FnMut(String, &str) -> Option<String>,
) {
    set(format!("{control}AlarmName"), &alarm.name);
    set(format!("{control}AlarmDescription"), &alarm.description);
    set(format!("{control}MetricNamespace"), &alarm.namespace);
    set(format!("{control}MetricName"), &alarm.metric);
}

fn template(plan: &Plan, kinds: &Kinds) -> Value {
    let mut template = Template::default();
    if !kinds.filters.is_empty() {
        template.parameter("LogGroupName");
    }
    for control in kinds.filters.keys() {
        let name = format!("{control}FilterName");
        let condition = template.when_given(&name);
        let properties = json!({
            "FilterName": {"Ref": name},
            "FilterPattern": template.parameter(&format!("{control}FilterPattern")),
            "LogGroupName": {"Ref": "LogGroupName"},
            "MetricTransformations": [{
                "MetricNamespace": template.parameter(&format!("{control}MetricNamespace")),
                "MetricName": template.parameter(&format!("{control}MetricName")),
                "MetricValue": "1",
            }],
        });
        let id = format!("{control}Filter");
        template.resource(&id, "AWS::Logs::MetricFilter", Some(condition), &properties);
    }
    let topic = topic(&mut template, kinds);
    for number in 1..=kinds.subscriptions {
        let endpoint = format!("Endpoint{number}");
        let condition = template.when_given(&endpoint);
        let properties = json!({
            "TopicArn": topic, "Endpoint": {"Ref": endpoint},
            "Protocol": template.parameter(&format!("Protocol{number}")),
        });
        let id = format!("Subscription{number}");
        template.resource(&id, "AWS::SNS::Subscription", Some(condition), &properties);
    }
    for (control, shapes) in &kinds.alarms {
        let name = format!("{control}AlarmName");
        let condition = template.when_given(&name);
        let (period, threshold) = shapes.first().copied().unwrap_or((300, 1.0));
        let mut properties = alarm_properties(period, threshold);
        for (member, value) in [
            ("AlarmName", json!({"Ref": name})),
            (
                "AlarmDescription",
                template.parameter(&format!("{control}AlarmDescription")),
            ),
            (
                "Namespace",
                template.parameter(&format!("{control}MetricNamespace")),
            ),
            (
                "MetricName",
                template.parameter(&format!("{control}MetricName")),
            ),
            ("AlarmActions", json!([topic])),
        ] {
            properties.insert(member.to_owned(), value);
        }
        template.resource(
            &format!("{control}Alarm"),
            "AWS::CloudWatch::Alarm",
            Some(condition),
            &Value::Object(properties),
        );
    }
    template.finish(plan)
}

/// The topic of a site: a new one, one that is there, or, where the plan has both kinds of sites,
/// whichever the site's values name.
fn topic(template: &mut Template, kinds: &Kinds) -> Value {
    if kinds.topics == 0 {
        return template.parameter("TopicArn");
    }
    let condition = template.when_given("TopicName");
    let mut properties = Map::new();
    properties.insert("TopicName".to_owned(), json!({"Ref": "TopicName"}));
    if kinds.kms_key {
        properties.insert("KmsMasterKeyId".to_owned(), template.parameter("TopicKey"));
    }
    let tags: Vec<_> = kinds
        .tags
        .iter()
        .map(|(key, value)| json!({"Key": key, "Value": value}))
        .collect();
    properties.insert("Tags".to_owned(), json!(tags));
    template.resource(
        "Topic",
        "AWS::SNS::Topic",
        Some(condition.clone()),
        &Value::Object(properties),
    );
    let existing = template.parameter("TopicArn");
    json!({"Fn::If": [condition, {"Ref": "Topic"}, existing]})
}

#[derive(Default)]
struct Template {
    parameters: Map<String, Value>,
    conditions: Map<String, Value>,
    resources: Map<String, Value>,
}

impl Template {
    /// Declares a parameter and refers to it. What a site gives no value is not used there; its
    /// default only has to be of the right form.
    fn parameter(&mut self, name: &str) -> Value {
        let default = match name {
            "LogGroupName" => None,
            "TopicArn" => Some("arn:aws:sns:us-east-1:000000000000:none"),
            "TopicKey" => Some("alias/none"),
            _ if name.starts_with("Protocol") => Some("https"),
            _ if name.ends_with("MetricName") || name.ends_with("MetricNamespace") => Some("none"),
            _ => Some(""),
        };
        let mut parameter = json!({"Type": "String"});
        if let (Some(default), Some(members)) = (default, parameter.as_object_mut()) {
            members.insert("Default".to_owned(), json!(default));
        }
        self.parameters.insert(name.to_owned(), parameter);
        json!({"Ref": name})
    }

    /// The condition that a site gives a parameter a value.
    fn when_given(&mut self, parameter: &str) -> String {
        let reference = self.parameter(parameter);
        let condition = format!("Has{parameter}");
        self.conditions.insert(
            condition.clone(),
            json!({"Fn::Not": [{"Fn::Equals": [reference, ""]}]}),
        );
        condition
    }

    fn resource(&mut self, id: &str, kind: &str, condition: Option<String>, properties: &Value) {
        let mut resource = Map::new();
        resource.insert("Type".to_owned(), json!(kind));
        if let Some(condition) = condition {
            resource.insert("Condition".to_owned(), json!(condition));
        }
        resource.insert("Properties".to_owned(), properties.clone());
        self.resources
            .insert(id.to_owned(), Value::Object(resource));
    }

    fn finish(self, plan: &Plan) -> Value {
        json!({
            "AWSTemplateFormatVersion": "2010-09-09",
            "Description": comment(&format!("trailproof plan {}, for StackSets", plan.id)),
            "Parameters": self.parameters,
            "Conditions": self.conditions,
            "Resources": self.resources,
        })
    }
}

/// The commands that create the stack sets and their stacks: sites with the same values together.
fn commands(plan: &Plan, sets: &[BTreeMap<(AccountId, Region), Parameters>]) -> String {
    let mut script = String::new();
    // Writing to a String cannot fail.
    let _ = writeln!(script, "#!/bin/sh");
    let _ = writeln!(
        script,
        "# Plan {} of trailproof {}, for StackSets with self-managed permissions. Run it in the folder of\n# the template, with credentials of the StackSets administrator.",
        comment(&plan.id),
        comment(&plan.tool_version)
    );
    let _ = writeln!(
        script,
        "# Filter patterns are meant literally:\n# shellcheck disable=SC2016\nset -eu"
    );
    for (index, set) in sets.iter().enumerate() {
        let name = shell(&format!("trailproof-{}-{}", plan.id, index + 1)).into_owned();
        let _ = writeln!(
            script,
            "\nif ! aws cloudformation describe-stack-set --stack-set-name {name} >/dev/null 2>&1; then\n    aws cloudformation create-stack-set --stack-set-name {name} --template-body file://{TEMPLATE}\nfi"
        );
        let mut groups: BTreeMap<(&Parameters, &Region), Vec<AccountId>> = BTreeMap::new();
        for ((account, region), values) in set {
            groups.entry((values, region)).or_default().push(*account);
        }
        for ((values, region), accounts) in groups {
            let overrides: Vec<_> = values
                .iter()
                .map(|(key, value)| json!({"ParameterKey": key, "ParameterValue": value}))
                .collect();
            let accounts: Vec<String> = accounts.iter().map(ToString::to_string).collect();
            let _ = writeln!(
                script,
                "aws cloudformation create-stack-instances --stack-set-name {name} \\\n    --accounts {} --regions {} \\\n    --parameter-overrides {}",
                accounts.join(" "),
                shell(region.as_str()),
                shell(&json!(overrides).to_string())
            );
        }
    }
    script
}
