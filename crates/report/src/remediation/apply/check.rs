//! Before a site is touched: is it, as a whole, still as the plan took it to be?

use std::collections::BTreeMap;

use serde_json::json;
use trailproof_core::pattern::{Pattern, Relation, compare};

use super::Work;
use super::current::CurrentState;
use super::decide::{Decision, Reason};
use crate::remediation::cloud::Cloud;
use crate::remediation::plan::{CentralTopic, Reused, Site, Step};
use crate::remediation::resources::topic_policy::Found;
use crate::remediation::resources::{Change, METRIC_FILTERS_PER_LOG_GROUP, alarm, topic};

/// Whether the things of others that the repair builds on are still what they were.
pub(super) async fn reused<C: Cloud>(
    work: &Work<'_, C>,
    site: &Site,
    actual: &BTreeMap<String, String>,
    present: &mut CurrentState,
) -> Result<(), Reason> {
    let changed = |what: &str, name: &str, now: Option<&String>, before: &str| match now {
        None => Err(format!(
            "the {what} `{name}`, on which the repair builds, is gone since the plan was made"
        )),
        Some(now) if now != before => Err(format!(
            "the {what} `{name}`, on which the repair builds, was changed since the plan was made"
        )),
        Some(_) => Ok(()),
    };
    for reused in &site.relies_on.reused {
        match reused {
            Reused::MetricFilter { name, digest, .. } => {
                let now = present.filters.get(name).map(|filter| &filter.digest);
                changed("metric filter", name, now, digest)?;
            }
            Reused::Alarm { name, digest } => {
                let now = present.alarms.get(name).map(|alarm| &alarm.digest);
                changed("alarm", name, now, digest)?;
            }
            Reused::Topic { arn, .. } if work.plan.topics.iter().any(|topic| topic.arn == *arn) => {
                if !actual.contains_key(arn) {
                    return Err(work.why_missing(arn));
                }
            }
            Reused::Topic { arn, .. } if work.created_topics.contains(arn.as_str()) => {}
            Reused::Topic { arn, digest } => {
                let topic = present.topic(work, arn).await?;
                let now = topic.map(|topic| &topic.digest);
                match digest {
                    Some(digest) => changed("topic", arn, now, digest)?,
                    None if now.is_none() => {
                        return Err(format!("the topic `{arn}` does not exist"));
                    }
                    None => {}
                }
                if let Some(problem) = topic.and_then(topic::Present::unusable) {
                    return Err(format!("the topic `{arn}` cannot be used: {problem}"));
                }
            }
        }
    }
    Ok(())
}

/// Whether a central topic that was there is still what it was. With the statement of this very
/// plan in its policy it is what the plan makes of it.
pub(super) async fn central<C: Cloud>(
    work: &Work<'_, C>,
    planned: &CentralTopic,
    present: &mut CurrentState,
) -> Result<(), Reason> {
    let Some(digest) = &planned.digest else {
        return Ok(());
    };
    let Some(there) = present.topic(work, &planned.arn).await? else {
        return Err("it is gone since the plan was made".to_owned());
    };
    let policy = there.attributes.policy.as_deref().unwrap_or_default();
    let has_statement = planned.steps.iter().any(|step| {
        matches!(&step.change, Change::AddTopicStatement(added)
            if matches!(added.find(policy), Found::There(_)))
    });
    if there.digest != *digest && !has_statement {
        return Err("it was changed since the plan was made".to_owned());
    }
    there.unusable().map_or(Ok(()), |problem| {
        Err(format!("it cannot be used: {problem}"))
    })
}

/// Whether there is room, and whether somebody has repaired the site meanwhile.
pub(super) fn filters<C>(
    work: &Work<'_, C>,
    site: &Site,
    present: &CurrentState,
    decisions: &[Decision],
) -> Result<(), Reason> {
    let new = decisions
        .iter()
        .filter(|decision| {
            matches!(decision, Decision::Create(step, _) if matches!(step.change, Change::PutMetricFilter(_)))
        })
        .count();
    if present.filters.len() + new > METRIC_FILTERS_PER_LOG_GROUP {
        return Err(format!(
            "the log group has {} metric filters now, and {METRIC_FILTERS_PER_LOG_GROUP} is the most that AWS allows",
            present.filters.len()
        ));
    }
    let planned = |name: &str| {
        site.steps.iter().any(
            |step| matches!(&step.change, Change::PutMetricFilter(filter) if filter.name == name),
        )
    };
    let known = &site.relies_on.metric_filter_digests;
    for (name, filter) in &present.filters {
        if planned(name) || known.get(name) == Some(&filter.digest) {
            continue;
        }
        for repair in &site.repairs {
            let needs_filter = decisions.iter().any(|decision| {
                matches!(decision, Decision::Create(step, _)
                    if repair.steps.contains(&step.id)
                        && matches!(step.change, Change::PutMetricFilter(_)))
            });
            if needs_filter && covers(work, &repair.control, &filter.filter.filter_pattern) {
                return Err(format!(
                    "a metric filter `{name}` that covers {} came since the plan was made: scan and plan again",
                    repair.control
                ));
            }
        }
    }
    Ok(())
}

/// Whether a pattern matches all that a control wants.
fn covers<C>(work: &Work<'_, C>, control: &str, pattern: &str) -> bool {
    let Some(control) = work.controls.iter().find(|known| known.id == control) else {
        return false;
    };
    let required = Pattern::parse(control.pattern_for(&work.plan.policy.benchmark));
    let facts = control.facts.as_deref().map(Pattern::parse);
    match (required, Pattern::parse(pattern), facts.transpose()) {
        (Ok(required), Ok(actual), Ok(facts)) => {
            let example = Some(&control.example).filter(|example| example.is_object());
            let comparison = compare(&required, &[actual], facts.as_ref(), example);
            matches!(
                comparison.relation,
                Relation::Equivalent | Relation::Broader
            ) && !comparison.matches_everything
        }
        _ => false,
    }
}

/// Whether each new alarm's message would be taken by a topic that is there, and heard by somebody.
/// A plan believes what is said about a topic that its run never looked at.
pub(super) async fn topics<C: Cloud>(
    work: &Work<'_, C>,
    present: &mut CurrentState,
    decisions: &[Decision],
) -> Result<(), Reason> {
    for decision in decisions {
        let Decision::Create(step, _) = decision else {
            continue;
        };
        let Change::PutMetricAlarm(alarm) = &step.change else {
            continue;
        };
        let arn = alarm.topic_arn.as_str();
        let Some(topic) = present.topic(work, arn).await? else {
            continue;
        };
        let alarm_arn = alarm::arn(step.account, &step.region, &alarm.name);
        let would_change = work.would_change_policy(arn);
        if let Some(why) = topic.refuses(arn, step.account, &alarm_arn)
            && !would_change
        {
            return Err(format!("the topic `{arn}` cannot be used: {why}"));
        }
        let subscribes =
            |step: &Step| matches!(&step.change, Change::Subscribe(made) if made.topic_arn == arn);
        let somebody_comes = work.plan.steps().any(subscribes)
            || decisions.iter().any(|decision| subscribes(decision.step()));
        if !somebody_comes && topic.subscribers().next().is_none() {
            return Err(format!(
                "nobody is subscribed to the topic `{arn}`: plan again with --subscribe PROTOCOL:ENDPOINT"
            ));
        }
    }
    Ok(())
}

/// Has the service itself try each new pattern on an event it must match and one it must not.
pub(super) async fn patterns<C: Cloud>(
    work: &Work<'_, C>,
    site: &Site,
    decisions: &[Decision],
) -> Result<(), Reason> {
    for decision in decisions {
        let Decision::Create(step, _) = decision else {
            continue;
        };
        let Change::PutMetricFilter(filter) = &step.change else {
            continue;
        };
        let control = site
            .repairs
            .iter()
            .find(|repair| repair.steps.contains(&step.id))
            .and_then(|repair| {
                work.controls
                    .iter()
                    .find(|known| known.id == repair.control)
            });
        let Some(control) = control.filter(|control| control.example.is_object()) else {
            continue;
        };
        let unrelated = json!({"eventSource": "trailproof.invalid", "eventName": "TrailproofTest"});
        let messages = vec![control.example.to_string(), unrelated.to_string()];
        let answer = work
            .cloud
            .matches(step.account, &step.region, &filter.pattern, messages)
            .await;
        match answer.as_deref() {
            Some([true, false]) | None => {}
            Some([false, ..]) => {
                return Err(format!(
                    "CloudWatch Logs says that the pattern of `{}` does not match the example event of {}",
                    filter.name, control.id
                ));
            }
            Some(_) => {
                return Err(format!(
                    "CloudWatch Logs says that the pattern of `{}` matches an unrelated event",
                    filter.name
                ));
            }
        }
    }
    Ok(())
}
