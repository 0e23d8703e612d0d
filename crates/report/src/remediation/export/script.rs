//! The plan as a shell script. It looks before it creates, so it can be run again.

use std::fmt::Write as _;

use serde_json::json;

use super::quote::{comment, shell};
use super::{Export, ExportFile, number, role_arn};
use crate::remediation::plan::{Alarm, Change, MetricFilter, Plan, Step, Subscription, Topic};

const FUNCTIONS: &str = include_str!("functions.sh");

pub(super) fn write(plan: &Plan) -> Export {
    let mut script = String::new();
    // Writing to a String cannot fail.
    let _ = writeln!(script, "#!/bin/sh");
    let _ = writeln!(
        script,
        "# Plan {} of trailproof {}.",
        comment(&plan.id),
        comment(&plan.tool_version)
    );
    script.push_str(FUNCTIONS);
    for site in &plan.sites {
        let _ = writeln!(script, "\n# {}", comment(&site.id));
        for repair in &site.repairs {
            let _ = writeln!(
                script,
                "# {}: accounts that turn green: {}, that wait for a confirmation: {}",
                comment(&repair.control),
                repair.turns_green.len(),
                repair.waits_for_confirmation.len()
            );
        }
        for steps in site.steps.chunk_by(|a, b| a.account == b.account) {
            block(plan, steps, &mut script);
        }
    }
    Export {
        files: vec![ExportFile {
            name: "fix.sh".to_owned(),
            content: script,
            executable: true,
        }],
        notes: Vec::new(),
    }
}

/// The steps of one account, in a subshell: its credentials end with it.
fn block(plan: &Plan, steps: &[Step], script: &mut String) {
    let Some(first) = steps.first() else {
        return;
    };
    let role = role_arn(plan, first.region.partition(), first.account);
    let _ = writeln!(script, "(");
    let _ = writeln!(
        script,
        "    enter {} {} {}",
        first.account,
        shell(first.region.as_str()),
        shell(&role)
    );
    for step in steps {
        let command = match &step.change {
            Change::PutMetricFilter(filter) => metric_filter(filter),
            Change::CreateTopic(made) => topic(made),
            Change::Subscribe(made) => subscription(made),
            Change::PutMetricAlarm(made) => alarm(made),
        };
        let _ = writeln!(script, "    {command}");
    }
    let _ = writeln!(script, ")");
}

/// A literal of `JMESPath`: JSON between backticks.
fn literal(text: &str) -> String {
    format!("`{}`", json!(text).to_string().replace('`', "\\`"))
}

fn call(function: &str, arguments: &[String]) -> String {
    arguments
        .iter()
        .fold(function.to_owned(), |mut call, argument| {
            call.push_str(" \\\n        ");
            call.push_str(&shell(argument));
            call
        })
}

fn metric_filter(filter: &MetricFilter) -> String {
    let transformation = json!([{"metricName": filter.metric, "metricNamespace": filter.namespace,
        "metricValue": filter.value}]);
    let name = literal(&filter.name);
    let query = format!(
        "[length(metricFilters[?filterName=={name}]), length(metricFilters[?filterName=={name} && filterPattern=={} && metricTransformations[0].metricNamespace=={} && metricTransformations[0].metricName=={} && metricTransformations[0].metricValue=={}])]",
        literal(&filter.pattern),
        literal(&filter.namespace),
        literal(&filter.metric),
        literal(&filter.value),
    );
    call(
        "metric_filter",
        &[
            filter.log_group.clone(),
            filter.name.clone(),
            filter.pattern.clone(),
            transformation.to_string(),
            query,
        ],
    )
}

fn topic(topic: &Topic) -> String {
    let tags: Vec<_> = topic
        .tags
        .iter()
        .map(|(key, value)| json!({"Key": key, "Value": value}))
        .collect();
    let mut arguments = vec![
        topic.arn.clone(),
        topic.name.clone(),
        json!(tags).to_string(),
    ];
    if let Some(key) = &topic.kms_key {
        arguments.push(json!({"KmsMasterKeyId": key}).to_string());
    }
    let function = if topic.use_existing {
        "topic_of_any_origin"
    } else {
        "topic"
    };
    call(function, &arguments)
}

fn subscription(subscription: &Subscription) -> String {
    let query = format!(
        "length(Subscriptions[?Protocol=={} && Endpoint=={}])",
        literal(subscription.protocol.as_str()),
        literal(&subscription.endpoint)
    );
    call(
        "subscription",
        &[
            subscription.topic_arn.clone(),
            subscription.protocol.to_string(),
            subscription.endpoint.clone(),
            query,
        ],
    )
}

fn alarm(alarm: &Alarm) -> String {
    let query = format!(
        "[length([MetricAlarms, CompositeAlarms][]), length(MetricAlarms[?AlarmDescription=={}])]",
        literal(&alarm.description)
    );
    let tags: Vec<_> = alarm
        .tags
        .iter()
        .map(|(key, value)| json!({"Key": key, "Value": value}))
        .collect();
    let tags = if tags.is_empty() {
        String::new()
    } else {
        json!(tags).to_string()
    };
    call(
        "alarm",
        &[
            query,
            tags,
            alarm.name.clone(),
            alarm.description.clone(),
            alarm.namespace.clone(),
            alarm.metric.clone(),
            alarm.period.to_string(),
            number(alarm.threshold),
            alarm.topic_arn.clone(),
        ],
    )
}
