//! The benchmark's four steps: metric filter, topic, subscription, alarm.

use std::borrow::Cow;
use std::sync::Arc;

use crate::arn::{Arn, LogGroupAddress};
use crate::evaluate::coverage::Required;
use crate::evaluate::verdict::{Cause, Step};
use crate::evidence::{CallSite, Reader};
use crate::finding::LinkName;
use crate::remedy::{self, Alarm, Command, MetricFilter, NameKind, Subscription, Topic, Word};

/// The steps that are missing.
pub(super) fn steps(
    step: &Step,
    cause: &Cause,
    chain: &[Arc<Step>],
    required: Required<'_>,
    evidence: &Reader<'_>,
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
    let place = CallSite {
        account,
        region: region.clone(),
    };
    let partition = region.partition();
    let region = region.as_str();
    if step.link == LinkName::Subscription {
        // Somebody was asked already, and has to answer.
        if cause.reason.code == "subscription.pending" {
            return Vec::new();
        }
        if let Some(arn) = &step.resource {
            let region = step.region.as_ref().map_or(region, |known| known.as_str());
            return vec![subscribe(region, arn)];
        }
    }
    if cause.reason.code == "action.disabled"
        && let Some(alarm) = alarm_name(step)
    {
        let enable = Command::aws("cloudwatch enable-alarm-actions").in_region(Some(region));
        return vec![enable.with("--alarm-names", alarm)];
    }
    let name = remedy::name_for(remedy::NAME, &required.control.id);
    let filter_name = NameKind::MetricFilter.free(&name, |name| {
        let filters = evidence.metric_filters(&place, &log_group).items;
        filters.iter().any(|filter| *filter.filter_name == *name)
    });
    let alarm_name = NameKind::Alarm.free(&name, |name| evidence.has_alarm(&place, name));
    let own_metric = remedy::name_for(remedy::METRIC, &required.control.id);
    let own_metric = NameKind::Metric.free(&own_metric, |metric| {
        evidence.feeds_metric(&place, remedy::NAMESPACE, metric)
    });
    let fed = (step.link > LinkName::Metric)
        .then(|| chain.iter().find(|step| step.link == LinkName::Metric))
        .flatten()
        .and_then(|step| step.resource.as_deref()?.rsplit_once('/'));
    let (namespace, metric) = fed.unwrap_or((remedy::NAMESPACE, &own_metric));
    let filter = MetricFilter {
        log_group: &log_group,
        name: &filter_name,
        pattern: required.pattern,
        namespace,
        metric,
        value: remedy::METRIC_VALUE,
    };
    let topic_arn = |name: &str| format!("arn:{partition}:sns:{region}:{account}:{name}");
    let topic_name = NameKind::Topic.free(remedy::TOPIC, |name| {
        let answers = evidence.topic_attributes(&topic_arn(name));
        answers.iter().any(|(_, answer)| answer.outcome.is_ok())
    });
    let topic_arn = topic_arn(&topic_name);
    let alarm = Alarm {
        name: &alarm_name,
        description: None,
        namespace,
        metric,
        period: remedy::PERIOD,
        threshold: remedy::THRESHOLD,
        topic_arn: &topic_arn,
    };
    let topic = Topic { name: &topic_name };
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::evaluate::fixture::{MANAGEMENT, MEMBER, World, spelled};

    const NAME: &str = "trailproof-console-auth-failures";

    /// The call that creates a metric filter or an alarm replaces one of the same name, and others
    /// hear what a topic is told.
    #[test]
    fn a_name_that_is_taken_gets_a_number() {
        let topic = "arn:aws:sns:eu-west-1:111111111111:trailproof-alarms";
        let world = World::healthy()
            .set(
                "logs:DescribeMetricFilters",
                MANAGEMENT,
                "/metricFilters",
                json!([{
                    "filterName": NAME, "filterPattern": "{ $.eventName = StopLogging }",
                    "logGroupName": "trail", "metricTransformations": [{
                        "metricName": "console-auth-failures",
                        "metricNamespace": "CISBenchmark", "metricValue": "1",
                    }],
                }]),
            )
            .set(
                "cloudwatch:DescribeAlarms",
                MANAGEMENT,
                "/MetricAlarms",
                json!([{"AlarmName": NAME}, {"AlarmName": format!("{NAME}-2")}]),
            )
            .with(
                "sns:GetTopicAttributes",
                MANAGEMENT,
                "eu-west-1",
                &json!({"TopicArn": topic}),
                &json!({"Attributes": {"TopicArn": topic}}),
            );
        let commands = spelled(&world.finding(MEMBER).remediation.unwrap());
        let taken: Vec<&str> = commands
            .split_whitespace()
            .filter(|word| word.ends_with(NAME) || word.ends_with("trailproof-alarms"))
            .collect();
        assert!(taken.is_empty(), "{taken:?} in\n{commands}");
        for named in [
            "--filter-name trailproof-console-auth-failures-2 ",
            "metricName=console-auth-failures-2,",
            "--name trailproof-alarms-2\n",
            "--alarm-name trailproof-console-auth-failures-3 ",
            "--metric-name console-auth-failures-2 ",
            "--alarm-actions arn:aws:sns:eu-west-1:111111111111:trailproof-alarms-2",
        ] {
            assert!(commands.contains(named), "{named} in\n{commands}");
        }
    }
}
