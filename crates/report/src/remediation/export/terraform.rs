//! The plan as Terraform: one provider per account and region, one resource per change.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use trailproof_core::account::{AccountId, Region};

use super::hcl::Block;
use super::quote::hcl;
use super::{Export, ExportFile, by_hand, is_by_hand, names, role_arn, slug};
use crate::remediation::plan::{Plan, Step};
use crate::remediation::resources::Change;
use crate::shell::comment;

pub(super) fn write(plan: &Plan) -> Export {
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = writeln!(
        text,
        "# Plan {} of trailproof {}. A name that is taken when this is applied makes Terraform",
        comment(&plan.id),
        comment(&plan.tool_version)
    );
    let _ = writeln!(
        text,
        "# overwrite metric filters and alarms: read its plan before you say yes."
    );
    text.push('\n');
    Block::new("terraform", &[])
        .block(Block::new("required_providers", &[]).raw(
            "aws",
            "{ source = \"hashicorp/aws\", version = \">= 5.0\" }",
        ))
        .write(0, &mut text);

    let places: BTreeSet<(AccountId, &Region)> = plan
        .steps()
        .map(|step| (step.account, &step.region))
        .collect();
    for (account, region) in places {
        let mut provider = Block::new("provider", &["aws"])
            .text("alias", &alias(account, region))
            .text("region", region.as_str());
        if plan.run.caller != Some(account) {
            let role = role_arn(plan, region.partition(), account);
            provider = provider.block(
                Block::new("assume_role", &[])
                    .text("role_arn", &role)
                    .text("session_name", "trailproof"),
            );
        }
        text.push('\n');
        provider.write(0, &mut text);
    }

    let names = names(plan.steps().map(|step| step.id.as_str()), '_');
    let name = |step: &Step| {
        let name = names.get(step.id.as_str());
        format!("s{}", name.map(String::as_str).unwrap_or_default())
    };
    let topics: BTreeMap<&str, String> = plan
        .steps()
        .filter_map(|step| Some((step.change.created_topic()?.arn.as_str(), name(step))))
        .collect();
    let central = plan.topics.iter().map(|topic| (&topic.arn, &topic.steps));
    let sites = plan.sites.iter().map(|site| (&site.id, &site.steps));
    for (id, steps) in central.chain(sites) {
        let _ = writeln!(text, "\n# {}", comment(id));
        for (index, step) in steps.iter().enumerate() {
            if index > 0 {
                text.push('\n');
            }
            if let Change::AddTopicStatement(_) = step.change {
                let _ = writeln!(text, "# {}", comment(&by_hand(step)));
            } else {
                let provider = format!("aws.{}", alias(step.account, &step.region));
                resource(step, &name(step), &topics, Some(provider)).write(0, &mut text);
            }
        }
    }
    Export {
        files: vec![ExportFile {
            name: "main.tf".to_owned(),
            content: text,
            executable: false,
        }],
        notes: plan
            .steps()
            .filter(|step| is_by_hand(step))
            .map(by_hand)
            .collect(),
    }
}

/// The resources of steps alone: for a configuration that has its providers.
pub(super) fn blocks(steps: &[Step]) -> String {
    let name = |step: &Step| {
        let index = steps
            .iter()
            .position(|other| other == step)
            .unwrap_or_default();
        format!("trailproof_{}", index + 1)
    };
    let topics: BTreeMap<&str, String> = steps
        .iter()
        .filter_map(|step| Some((step.change.created_topic()?.arn.as_str(), name(step))))
        .collect();
    let mut text = String::new();
    for step in steps.iter().filter(|step| !is_by_hand(step)) {
        if !text.is_empty() {
            text.push('\n');
        }
        resource(step, &name(step), &topics, None).write(0, &mut text);
    }
    text
}

fn alias(account: AccountId, region: &Region) -> String {
    format!("a{account}_{}", slug(region.as_str(), '_'))
}

fn resource(
    step: &Step,
    name: &str,
    topics: &BTreeMap<&str, String>,
    provider: Option<String>,
) -> Block {
    let topic_arn = |arn: &str| {
        topics
            .get(arn)
            .map_or_else(|| hcl(arn), |topic| format!("aws_sns_topic.{topic}.arn"))
    };
    let (kind, arguments) = step.change.resource().terraform(&topic_arn);
    let labels = [kind, name];
    match provider {
        Some(provider) => arguments.of("resource", &labels, "provider", provider),
        None => arguments.alone("resource", &labels),
    }
}
