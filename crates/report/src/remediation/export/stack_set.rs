//! The plan as one CloudFormation template that fits every site, for StackSets, and the commands
//! that give each site its values.
//!
//! A stack set has one stack per account and region. Where a plan has several sites in the same
//! place, each further one goes into a further stack set with the same template.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use serde_json::{Map, Value, json};
use trailproof_core::account::{AccountId, Region};
use trailproof_core::remedy;

use super::cloudformation::{self, pretty};
use super::{Export, ExportFile, camel, own_steps};
use crate::remediation::plan::{Plan, Site, Step};
use crate::remediation::resources::{Change, alarm, metric_filter, subscription, topic};
use crate::shell::{comment, quote};

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
    let mut central = cloudformation::central(plan);
    notes.append(&mut central.notes);
    let of_sites = [
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
    ];
    central.files.extend(of_sites);
    Export {
        files: central.files,
        notes,
    }
}

/// What kinds of changes there are at all: the template has nothing else.
#[derive(Default)]
struct Kinds {
    /// The filters that some site has, by what their parameters begin with.
    filters: BTreeSet<String>,
    /// The same for alarms, with their period and threshold, which a plan has only one of.
    alarms: BTreeMap<String, (u32, f64)>,
    /// How many topics a site has at most.
    topics: usize,
    /// How many subscriptions a site has at most.
    subscriptions: usize,
    topic_tags: BTreeMap<String, String>,
    alarm_tags: BTreeMap<String, String>,
    kms_key: bool,
    /// The alarms and subscriptions that some site sends to a topic of its own place, and those
    /// that some site sends elsewhere.
    to_own_topic: BTreeSet<String>,
    to_other_topic: BTreeSet<String>,
}

/// `Topic`, `Topic2`, `Topic3`.
fn numbered(word: &str, number: usize) -> String {
    match number {
        0 | 1 => word.to_owned(),
        number => format!("{word}{number}"),
    }
}

/// The values of one site while they are collected.
struct Values<'a> {
    site: &'a Site,
    kinds: &'a mut Kinds,
    given: Parameters,
    /// How many things of each name there are.
    counts: BTreeMap<String, usize>,
}

/// The values of one site, and the kinds of changes it needs.
fn parameters(site: &Site, steps: &[&Step], kinds: &mut Kinds) -> Parameters {
    let mut values = Values {
        site,
        kinds,
        given: Parameters::from([("LogGroupName".to_owned(), site.log_group.clone())]),
        counts: BTreeMap::new(),
    };
    for step in steps {
        values.add(step);
    }
    values.given
}

impl Values<'_> {
    fn add(&mut self, step: &Step) {
        let control = self
            .site
            .repairs
            .iter()
            .find(|repair| repair.steps.contains(&step.id))
            .map_or_else(String::new, |repair| camel(&repair.control));
        match &step.change {
            Change::PutMetricFilter(filter) => {
                let label = self.label(&format!("{control}Filter")).1;
                self.set(&label, "Name", &filter.name);
                self.set(&label, "Pattern", &filter.pattern);
                self.set(&label, "MetricNamespace", &filter.namespace);
                self.set(&label, "MetricName", &filter.metric);
                self.kinds.filters.insert(label);
            }
            Change::CreateTopic(topic) => {
                let (count, label) = self.label("Topic");
                self.kinds.topics = self.kinds.topics.max(count);
                self.kinds.topic_tags.extend(topic.tags.clone());
                self.set(&label, "Name", &topic.name);
                if let Some(key) = &topic.kms_key {
                    self.kinds.kms_key = true;
                    self.set(&label, "Key", key);
                }
            }
            Change::Subscribe(subscription) => {
                let (count, _) = self.label("Subscription");
                self.kinds.subscriptions = self.kinds.subscriptions.max(count);
                let label = format!("Subscription{count}");
                self.set(&label, "Protocol", subscription.protocol.as_str());
                self.set(&label, "Endpoint", &subscription.endpoint);
                self.set_topic(&label, &subscription.topic_arn);
            }
            Change::PutMetricAlarm(alarm) => {
                let label = self.label(&format!("{control}Alarm")).1;
                self.set(&label, "Name", &alarm.name);
                self.set(&label, "Description", &alarm.description);
                self.set(&label, "MetricNamespace", &alarm.namespace);
                self.set(&label, "MetricName", &alarm.metric);
                self.set_topic(&label, &alarm.topic_arn);
                self.kinds.alarm_tags.extend(alarm.tags.clone());
                let shape = (alarm.period, alarm.threshold);
                self.kinds.alarms.insert(label, shape);
            }
            // Central topics have templates of their own.
            Change::AddTopicStatement(_) => {}
        }
    }

    /// How many there are of a name by now, and the name of the latest.
    fn label(&mut self, name: &str) -> (usize, String) {
        let count = self.counts.entry(name.to_owned()).or_default();
        *count += 1;
        (*count, numbered(name, *count))
    }

    fn set(&mut self, label: &str, member: &str, value: &str) {
        self.given
            .insert(format!("{label}{member}"), value.to_owned());
    }

    /// A topic of the site's own place goes by its name, so that accounts share their values.
    fn set_topic(&mut self, label: &str, arn: &str) {
        let Site {
            account, region, ..
        } = self.site;
        let own = format!("arn:{}:sns:{region}:{account}:", region.partition());
        if let Some(name) = arn.strip_prefix(&own) {
            self.set(label, "TopicName", name);
            self.kinds.to_own_topic.insert(label.to_owned());
        } else {
            self.set(label, "TopicArn", arn);
            self.kinds.to_other_topic.insert(label.to_owned());
        }
    }
}

fn template(plan: &Plan, kinds: &Kinds) -> Value {
    let mut template = Template::default();
    if !kinds.filters.is_empty() {
        template.parameter("LogGroupName");
    }
    for label in &kinds.filters {
        let name = format!("{label}Name");
        let condition = template.when_given(&name);
        let mut given = |member: &str| template.parameter(&format!("{label}{member}"));
        let properties = metric_filter::properties(
            &json!({"Ref": "LogGroupName"}),
            &json!({"Ref": name}),
            &given("Pattern"),
            [given("MetricNamespace"), given("MetricName")],
            remedy::METRIC_VALUE,
        );
        template.resource(label, metric_filter::CLOUDFORMATION, condition, properties);
    }
    let topics: Vec<String> = (1..=kinds.topics)
        .map(|number| numbered("Topic", number))
        .collect();
    for label in &topics {
        let name = format!("{label}Name");
        let condition = template.when_given(&name);
        let key = kinds
            .kms_key
            .then(|| template.parameter(&format!("{label}Key")));
        let properties = topic::properties(json!({"Ref": name}), key, &kinds.topic_tags);
        template.resource(label, topic::CLOUDFORMATION, condition, properties);
    }
    for number in 1..=kinds.subscriptions {
        let label = format!("Subscription{number}");
        let endpoint = format!("{label}Endpoint");
        let condition = template.when_given(&endpoint);
        let own = topic_of(&mut template, kinds, &label, &topics);
        let protocol = template.parameter(&format!("{label}Protocol"));
        let properties = subscription::properties(&own, &protocol, &json!({"Ref": endpoint}));
        template.resource(&label, subscription::CLOUDFORMATION, condition, properties);
    }
    for (label, (period, threshold)) in &kinds.alarms {
        let name = format!("{label}Name");
        let condition = template.when_given(&name);
        let properties = alarm::template(*period, *threshold, &kinds.alarm_tags, |member| {
            match member {
                "AlarmName" => json!({"Ref": name}),
                // An alarm may name a topic that comes later.
                "AlarmActions" => topic_of(&mut template, kinds, label, &[]),
                "AlarmDescription" => template.parameter(&format!("{label}Description")),
                "Namespace" => template.parameter(&format!("{label}MetricNamespace")),
                other => template.parameter(&format!("{label}{other}")),
            }
        });
        template.resource(label, alarm::CLOUDFORMATION, condition, properties);
    }
    template.finish(plan)
}

/// The topic of an alarm or a subscription: one of the stack's own place by its name, one of
/// another by its ARN, or, where the plan has both kinds of sites, whichever the values name. Of
/// the topics that the stack creates itself, those that are given here have to be there before.
fn topic_of(template: &mut Template, kinds: &Kinds, label: &str, topics: &[String]) -> Value {
    let other = format!("{label}TopicArn");
    if !kinds.to_own_topic.contains(label) {
        return template.parameter(&other);
    }
    let name = format!("{label}TopicName");
    template.parameter(&name);
    let sub =
        format!("arn:${{AWS::Partition}}:sns:${{AWS::Region}}:${{AWS::AccountId}}:${{{name}}}");
    let own = topics
        .iter()
        .fold(json!({"Fn::Sub": sub}), |otherwise, created| {
            let condition = template.when_it_is(label, &name, created);
            json!({"Fn::If": [condition, {"Ref": created}, otherwise]})
        });
    if !kinds.to_other_topic.contains(label) {
        return own;
    }
    let condition = template.when_given(&other);
    json!({"Fn::If": [condition, {"Ref": other}, own]})
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
            _ if name.starts_with("Topic") && name.ends_with("Key") => Some("alias/none"),
            _ if name.ends_with("Protocol") => Some("https"),
            _ if ["MetricName", "MetricNamespace", "TopicName"]
                .iter()
                .any(|ending| name.ends_with(ending) && name != *ending) =>
            {
                Some("none")
            }
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

    /// The condition that a stack creates a topic, and that it is the one of this name.
    fn when_it_is(&mut self, label: &str, name: &str, created: &str) -> String {
        let condition = format!("{label}To{created}");
        self.conditions.insert(
            condition.clone(),
            json!({"Fn::And": [
                {"Condition": format!("Has{created}Name")},
                {"Fn::Equals": [{"Ref": name}, {"Ref": format!("{created}Name")}]},
            ]}),
        );
        condition
    }

    fn resource(&mut self, id: &str, kind: &str, condition: String, properties: Value) {
        let resource = Map::from_iter([
            ("Type".to_owned(), json!(kind)),
            ("Condition".to_owned(), Value::String(condition)),
            ("Properties".to_owned(), properties),
        ]);
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
        let name = quote(&format!("trailproof-{}-{}", plan.id, index + 1)).into_owned();
        let _ = writeln!(
            script,
            "\nif ! aws cloudformation describe-stack-set --stack-set-name {name} >/dev/null 2>&1; then\n    aws cloudformation create-stack-set --stack-set-name {name} --template-body file://{TEMPLATE} \\\n        --managed-execution Active=true\nfi"
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
                quote(region.as_str()),
                quote(&json!(overrides).to_string())
            );
        }
    }
    script
}
