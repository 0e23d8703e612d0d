//! The plan as CloudFormation, one template per site, in JSON.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{Export, ExportFile, camel, is_by_hand, names, own_steps};
use crate::remediation::plan::{Plan, Site, Step};
use crate::remediation::resources::{Topic, topic_policy};
use crate::shell::comment;

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
    let of_sites = plan.sites.iter().map(|site| ExportFile {
        name: file(site),
        content: pretty(&template(plan, site, &mut notes)),
        executable: false,
    });
    let of_sites: Vec<_> = of_sites.collect();
    let mut export = central(plan);
    export.files.extend(of_sites);
    export.notes.append(&mut notes);
    export
}

/// One template for each central topic.
pub(super) fn central(plan: &Plan) -> Export {
    let mut export = Export::default();
    let names = names(plan.topics.iter().map(|topic| topic.arn.as_str()), '-');
    for topic in &plan.topics {
        let by_hand = topic.steps.iter().filter(|step| is_by_hand(step));
        export.notes.extend(by_hand.map(super::by_hand));
        let steps: Vec<&Step> = topic
            .steps
            .iter()
            .filter(|step| !is_by_hand(step))
            .collect();
        let (Some(first), Some(name)) = (steps.first(), names.get(topic.arn.as_str())) else {
            continue;
        };
        let name = format!("{name}.template.json");
        export.notes.push(format!(
            "roll {name} out in account {} and region {} before the sites: their alarms notify its topic",
            first.account, first.region
        ));
        let description = format!("trailproof plan {}: topic {}", plan.id, topic.arn);
        export.files.push(ExportFile {
            name,
            content: pretty(&document(&description, &resources(&steps))),
            executable: false,
        });
    }
    export
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
        .filter_map(|(step, other)| Some((step.change.created_topic()?, other)))
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
    let description = format!(
        "trailproof plan {}: account {}, region {}, log group {}",
        plan.id, site.account, site.region, site.log_group
    );
    document(&description, &resources(&steps))
}

fn resources(steps: &[&Step]) -> Map<String, Value> {
    let topics: BTreeMap<&str, String> = steps
        .iter()
        .filter_map(|step| Some((step.change.created_topic()?.arn.as_str(), logical_id(step))))
        .collect();
    let mut resources: Map<String, Value> = steps
        .iter()
        .map(|step| (logical_id(step), resource(step, &topics)))
        .collect();
    for step in steps {
        if let Some(policy) = step.change.created_topic().and_then(Topic::policy) {
            let id = logical_id(step);
            let policy = topic_policy::cloudformation(&policy, &json!({"Ref": id}));
            resources.insert(format!("{id}Policy"), policy);
        }
    }
    resources
}

fn document(description: &str, resources: &Map<String, Value>) -> Value {
    let description: String = comment(description).chars().take(1024).collect();
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
    let (kind, properties) = step.change.resource().cloudformation(&topic);
    json!({"Type": kind, "Properties": properties})
}
