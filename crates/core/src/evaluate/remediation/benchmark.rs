//! The benchmark's four steps: metric filter, topic, subscription, alarm.

use std::sync::Arc;

use crate::arn::Arn;
use crate::evaluate::coverage::Required;
use crate::evaluate::shell::{command, quote};
use crate::evaluate::verdict::{Cause, Step};
use crate::finding::LinkName;

/// The namespace of metrics that the benchmark's remediation creates.
const NAMESPACE: &str = "CISBenchmark";

/// The steps that are missing.
pub(super) fn steps(
    step: &Step,
    cause: &Cause,
    chain: &[Arc<Step>],
    required: Required<'_>,
) -> Vec<String> {
    let group = chain
        .iter()
        .find(|step| step.link == LinkName::LogGroup)
        .and_then(|step| step.resource.as_deref()?.parse::<Arn>().ok());
    let Some(group) = group else {
        return Vec::new();
    };
    let (Some(account), Some(region), Some(name)) =
        (group.account(), group.region(), group.log_group_name())
    else {
        return Vec::new();
    };
    let region = region.as_str();
    let id = &required.control.id;
    let own = format!("trailproof-{id}");
    let mut namespace = NAMESPACE.to_owned();
    let mut metric = own.clone();
    let mut steps = Vec::new();
    if step.link <= LinkName::Metric {
        let transformation = format!("metricName={own},metricNamespace={NAMESPACE},metricValue=1");
        steps.push(command([
            "aws",
            "logs",
            "put-metric-filter",
            "--region",
            region,
            "--log-group-name",
            name,
            "--filter-name",
            &own,
            "--filter-pattern",
            required.pattern,
            "--metric-transformations",
            &transformation,
        ]));
    } else if let Some((known_namespace, known_metric)) = chain
        .iter()
        .find(|step| step.link == LinkName::Metric)
        .and_then(|step| step.resource.as_deref()?.rsplit_once('/'))
    {
        known_namespace.clone_into(&mut namespace);
        known_metric.clone_into(&mut metric);
    }
    let topic = format!("arn:{}:sns:{region}:{account}:{own}", group.partition());
    if step.link == LinkName::Subscription && cause.reason.code != "subscription.pending" {
        if let Some(arn) = &step.resource {
            let topic_region = step.region.as_ref().map_or(region, |known| known.as_str());
            return vec![subscribe(topic_region, arn)];
        }
    } else if step.link == LinkName::Subscription {
        return Vec::new();
    }
    if cause.reason.code == "action.disabled"
        && let Some(alarm) = alarm_name(step)
    {
        return vec![command([
            "aws",
            "cloudwatch",
            "enable-alarm-actions",
            "--region",
            region,
            "--alarm-names",
            &alarm,
        ])];
    }
    steps.push(command([
        "aws",
        "sns",
        "create-topic",
        "--region",
        region,
        "--name",
        &own,
    ]));
    steps.push(subscribe(region, &topic));
    steps.push(command([
        "aws",
        "cloudwatch",
        "put-metric-alarm",
        "--region",
        region,
        "--alarm-name",
        &own,
        "--namespace",
        &namespace,
        "--metric-name",
        &metric,
        "--statistic",
        "Sum",
        "--period",
        "300",
        "--threshold",
        "1",
        "--comparison-operator",
        "GreaterThanOrEqualToThreshold",
        "--evaluation-periods",
        "1",
        "--alarm-actions",
        &topic,
    ]));
    steps
}

fn subscribe(region: &str, topic: &str) -> String {
    format!(
        "aws sns subscribe --region {} --topic-arn {} --protocol email --notification-endpoint \"$EMAIL\"",
        quote(region),
        quote(topic)
    )
}

/// The alarm's name in the step's ARN.
fn alarm_name(step: &Step) -> Option<String> {
    let text = step.resource.as_deref()?;
    Some(match text.parse::<Arn>() {
        Ok(arn) => arn.resource().strip_prefix("alarm:")?.to_owned(),
        Err(_) => text.to_owned(),
    })
}
