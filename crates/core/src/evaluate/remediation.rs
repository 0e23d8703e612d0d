//! What a person should do about a broken or unseen link, with the commands they would run.
//!
//! The commands add beside what is there and overwrite nothing; names that may be taken carry the
//! control's id. They run with credentials of the account that each is commented with.

use std::sync::Arc;

use super::coverage::Required;
use super::shell::{command, quote};
use super::verdict::{Cause, Step};
use crate::arn::Arn;
use crate::finding::{LinkName, Remediation, Status};

/// The namespace of metrics that the benchmark's remediation creates.
const NAMESPACE: &str = "CISBenchmark";

/// What to do about a finding.
pub(super) fn of(
    step: &Step,
    cause: &Cause,
    chain: &[Arc<Step>],
    required: Required<'_>,
) -> Remediation {
    let reason = cause.reason;
    let broken = reason.status == Status::Fail;
    let summary = match (step.account, step.region.as_ref()) {
        (Some(account), Some(region)) if broken => {
            format!("{} (account {account}, {region})", reason.remedy)
        }
        _ => reason.remedy.to_owned(),
    };
    Remediation {
        summary,
        // Links above the metric filter are not changed by `trailproof fix`, and neither are
        // settings of what it did not create.
        automatic: broken && step.link >= LinkName::MetricFilter,
        commands: if broken {
            commands(step, cause, chain, required)
        } else {
            Vec::new()
        },
    }
}

fn commands(
    step: &Step,
    cause: &Cause,
    chain: &[Arc<Step>],
    required: Required<'_>,
) -> Vec<String> {
    let trail = || -> Option<(String, String)> {
        let trail = chain.iter().find(|step| step.link == LinkName::Trail)?;
        Some((
            trail.resource.as_deref()?.to_owned(),
            trail.region.as_ref()?.to_string(),
        ))
    };
    match step.link {
        LinkName::Trail => match (cause.reason.code, trail()) {
            ("trail.single-region", Some((arn, region))) => vec![command([
                "aws",
                "cloudtrail",
                "update-trail",
                "--region",
                &region,
                "--name",
                &arn,
                "--is-multi-region-trail",
            ])],
            ("trail.no-global-service-events", Some((arn, region))) => vec![command([
                "aws",
                "cloudtrail",
                "update-trail",
                "--region",
                &region,
                "--name",
                &arn,
                "--include-global-service-events",
            ])],
            _ => Vec::new(),
        },
        LinkName::Logging => trail().map_or_else(Vec::new, |(arn, region)| {
            vec![command([
                "aws",
                "cloudtrail",
                "start-logging",
                "--region",
                &region,
                "--name",
                &arn,
            ])]
        }),
        LinkName::Selectors => trail().map_or_else(Vec::new, |(arn, region)| {
            vec![command([
                "aws",
                "cloudtrail",
                "put-event-selectors",
                "--region",
                &region,
                "--trail-name",
                &arn,
                "--event-selectors",
                r#"[{"ReadWriteType":"All","IncludeManagementEvents":true}]"#,
            ])]
        }),
        LinkName::MetricFilter
        | LinkName::Metric
        | LinkName::Alarm
        | LinkName::Action
        | LinkName::Topic
        | LinkName::Subscription => benchmark_steps(step, cause, chain, required),
        LinkName::Account | LinkName::LogGroup | LinkName::Delivery => Vec::new(),
    }
}

/// The benchmark's four steps, those that are missing.
fn benchmark_steps(
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
