//! The plan as Terraform: one provider per account and region, one resource per change.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use trailproof_core::account::{AccountId, Region};

use super::hcl::Block;
use super::quote::{comment, hcl};
use super::{Export, ExportFile, names, number, role_arn, slug};
use crate::remediation::plan::{Change, Plan, Step};

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
        .filter_map(|step| match &step.change {
            Change::CreateTopic(topic) => Some((topic.arn.as_str(), name(step))),
            _ => None,
        })
        .collect();
    for site in &plan.sites {
        let _ = writeln!(text, "\n# {}", comment(&site.id));
        for (index, step) in site.steps.iter().enumerate() {
            if index > 0 {
                text.push('\n');
            }
            resource(step, &name(step), &topics).write(0, &mut text);
        }
    }
    Export {
        files: vec![ExportFile {
            name: "main.tf".to_owned(),
            content: text,
            executable: false,
        }],
        notes: Vec::new(),
    }
}

fn alias(account: AccountId, region: &Region) -> String {
    format!("a{account}_{}", slug(region.as_str(), '_'))
}

fn resource(step: &Step, name: &str, topics: &BTreeMap<&str, String>) -> Block {
    let topic_arn = |arn: &str| {
        topics
            .get(arn)
            .map_or_else(|| hcl(arn), |topic| format!("aws_sns_topic.{topic}.arn"))
    };
    let resource = |kind: &str| {
        Block::new("resource", &[kind, name]).raw(
            "provider",
            format!("aws.{}", alias(step.account, &step.region)),
        )
    };
    match &step.change {
        Change::PutMetricFilter(filter) => resource("aws_cloudwatch_log_metric_filter")
            .text("name", &filter.name)
            .text("log_group_name", &filter.log_group)
            .text("pattern", &filter.pattern)
            .block(
                Block::new("metric_transformation", &[])
                    .text("namespace", &filter.namespace)
                    .text("name", &filter.metric)
                    .text("value", &filter.value),
            ),
        Change::CreateTopic(topic) => {
            let mut block = resource("aws_sns_topic").text("name", &topic.name);
            if let Some(key) = &topic.kms_key {
                block = block.text("kms_master_key_id", key);
            }
            block.map("tags", &topic.tags)
        }
        Change::Subscribe(subscription) => resource("aws_sns_topic_subscription")
            .raw("topic_arn", topic_arn(&subscription.topic_arn))
            .text("protocol", subscription.protocol.as_str())
            .text("endpoint", &subscription.endpoint),
        Change::PutMetricAlarm(alarm) => resource("aws_cloudwatch_metric_alarm")
            .text("alarm_name", &alarm.name)
            .text("alarm_description", &alarm.description)
            .text("namespace", &alarm.namespace)
            .text("metric_name", &alarm.metric)
            .text("statistic", "Sum")
            .raw("period", alarm.period.to_string())
            .raw("evaluation_periods", "1")
            .raw("threshold", number(alarm.threshold))
            .text("comparison_operator", "GreaterThanOrEqualToThreshold")
            .text("treat_missing_data", "notBreaching")
            .raw(
                "alarm_actions",
                format!("[{}]", topic_arn(&alarm.topic_arn)),
            )
            .map("tags", &alarm.tags),
    }
}
