//! The benchmark's four steps: metric filter, topic, subscription, alarm.

use std::borrow::Cow;
use std::sync::Arc;

use crate::arn::{Arn, LogGroupAddress};
use crate::evaluate::coverage::Required;
use crate::evaluate::verdict::{Cause, Step};
use crate::finding::LinkName;
use crate::remedy::{self, Alarm, Command, MetricFilter, Subscription, Topic, Word};

/// The steps that are missing.
pub(super) fn steps(
    step: &Step,
    cause: &Cause,
    chain: &[Arc<Step>],
    required: Required<'_>,
) -> Vec<Command> {
    let group = chain
        .iter()
        .find(|step| step.link == LinkName::LogGroup)
        .and_then(|step| LogGroupAddress::of(step.resource.as_deref()?));
    let Some(LogGroupAddress {
        account,
        region,
        log_group,
    }) = group
    else {
        return Vec::new();
    };
    let partition = region.partition();
    let region = region.as_str();
    if step.link == LinkName::Subscription {
        // Somebody was asked already, and has to answer.
        if cause.reason.code == "subscription.pending" {
            return Vec::new();
        }
        if let Some(arn) = &step.resource {
            let place = step.region.as_ref().map_or(region, |known| known.as_str());
            return vec![subscribe(place, arn)];
        }
    }
    if cause.reason.code == "action.disabled"
        && let Some(alarm) = alarm_name(step)
    {
        let enable = Command::aws("cloudwatch enable-alarm-actions").in_region(Some(region));
        return vec![enable.with("--alarm-names", alarm)];
    }
    let name = remedy::name_for(remedy::NAME, &required.control.id);
    let own_metric = remedy::name_for(remedy::METRIC, &required.control.id);
    let fed = (step.link > LinkName::Metric)
        .then(|| chain.iter().find(|step| step.link == LinkName::Metric))
        .flatten()
        .and_then(|step| step.resource.as_deref()?.rsplit_once('/'));
    let (namespace, metric) = fed.unwrap_or((remedy::NAMESPACE, &own_metric));
    let filter = MetricFilter {
        log_group: &log_group,
        name: &name,
        pattern: required.pattern,
        namespace,
        metric,
        value: remedy::METRIC_VALUE,
    };
    let topic_arn = format!("arn:{partition}:sns:{region}:{account}:{}", remedy::TOPIC);
    let alarm = Alarm {
        name: &name,
        description: None,
        namespace,
        metric,
        period: remedy::PERIOD,
        threshold: remedy::THRESHOLD,
        topic_arn: &topic_arn,
    };
    let topic = Topic {
        name: remedy::TOPIC,
    };
    (step.link <= LinkName::Metric)
        .then(|| filter.command(Some(region)))
        .into_iter()
        .chain([
            topic.command(Some(region)),
            subscribe(region, &topic_arn),
            alarm.command(Some(region)),
        ])
        .collect()
}

fn subscribe(region: &str, topic_arn: &str) -> Command {
    Subscription {
        topic_arn,
        protocol: "email",
        endpoint: Word::Variable(Cow::Borrowed("EMAIL")),
    }
    .command(Some(region))
}

/// The alarm's name in the step's ARN.
fn alarm_name(step: &Step) -> Option<String> {
    let text = step.resource.as_deref()?;
    Some(match text.parse::<Arn>() {
        Ok(arn) => arn.resource().strip_prefix("alarm:")?.to_owned(),
        Err(_) => text.to_owned(),
    })
}
