//! Before a site is touched: is everything still as the plan took it to be, and what is left to
//! do?

use std::collections::BTreeMap;

use serde_json::{Value, json};
use trailproof_core::pattern::{Pattern, Relation, compare};

use super::{Work, feeding};
use crate::remediation::cloud::Cloud;
use crate::remediation::journal::{StepRecord, StepState};
use crate::remediation::naming::NameKind;
use crate::remediation::plan::{
    Alarm, Change, METRIC_FILTERS_PER_LOG_GROUP, MetricFilter, Reused, Site, Step, Subscription,
    Topic,
};
use crate::remediation::present::{self, PresentTopic};
use crate::remediation::state;

/// How many numbers are tried for a name that is taken.
const MOST_NAMES: u32 = 50;

/// What is left to do about a step, which now has its final names.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Decision {
    /// It is not there. For a metric filter, with the alarms that watch its metric already.
    Create(Step, Vec<String>),
    /// This plan created it.
    Ours(Step),
    /// This plan created it and died before it could say so; what undo needs to know.
    Adopt(Step, Value),
    /// Somebody else made the same.
    AlreadyThere(Step),
}

/// A site as it is now.
pub(super) struct Present {
    filters: BTreeMap<String, Value>,
    alarms: BTreeMap<String, Value>,
    topics: BTreeMap<String, Option<PresentTopic>>,
}

/// Why a site is left alone: a sentence.
pub(super) type Reason = String;

/// Looks at a site and decides about every step. `topics` says what the topics that the plan
/// creates are really called, for those that are there.
pub(super) async fn decide<C: Cloud>(
    work: &Work<'_, C>,
    site: &Site,
    topics: &mut BTreeMap<String, String>,
) -> Result<Vec<Decision>, Reason> {
    let mut present = look(work, site).await?;
    feeding::check(work, site).await?;
    check_reused(work, site, &mut present).await?;
    let mut decisions = Vec::with_capacity(site.steps.len());
    let mut actual = topics.clone();
    let earlier = topics_of_earlier(work, site, &present);
    for step in &site.steps {
        let record = work
            .record(&step.id)
            .filter(|record| matches!(record.state, StepState::Uncertain | StepState::Created(_)));
        let decision = match &step.change {
            Change::PutMetricFilter(filter) => {
                about_filter(step, filter, record.as_ref(), &present)?
            }
            Change::CreateTopic(topic) => {
                let found = match earlier.get(&topic.arn) {
                    Some(arn) => earlier_topic(work, step, topic, arn, &mut present).await?,
                    None => None,
                };
                let decision = match found {
                    Some(decision) => decision,
                    None => about_topic(work, step, topic, record, &mut present).await?,
                };
                if let Change::CreateTopic(made) = &decision.step().change {
                    actual.insert(topic.arn.clone(), made.arn.clone());
                }
                decision
            }
            Change::Subscribe(subscription) => {
                let arn = topic_of(work, &actual, &subscription.topic_arn)?;
                let created = decisions.iter().any(|decision: &Decision| {
                    matches!(decision, Decision::Create(step, _) if step.change.creates_topic(&arn))
                });
                about_subscription(work, step, subscription, arn, record, created, &mut present)
                    .await?
            }
            Change::PutMetricAlarm(alarm) => {
                let wanted = Alarm {
                    topic_arn: topic_of(work, &actual, &alarm.topic_arn)?,
                    ..alarm.clone()
                };
                about_alarm(step, &wanted, record.as_ref(), &present)?
            }
        };
        decisions.push(decision);
    }
    check_filters(work, site, &present, &decisions)?;
    check_topics(work, &mut present, &decisions).await?;
    check_patterns(work, site, &decisions).await?;
    *topics = actual;
    Ok(decisions)
}

impl Decision {
    /// The step, with its final names.
    pub(super) fn step(&self) -> &Step {
        match self {
            Self::Create(step, _)
            | Self::Ours(step)
            | Self::Adopt(step, _)
            | Self::AlreadyThere(step) => step,
        }
    }

    /// What is there already: ours, ours without a word about it, or somebody else's.
    fn there(step: Step, record: Option<&StepRecord>, result: Value) -> Self {
        match record.map(|record| &record.state) {
            Some(StepState::Created(_)) => Self::Ours(step),
            Some(StepState::Uncertain) => Self::Adopt(step, result),
            _ => Self::AlreadyThere(step),
        }
    }
}

impl Change {
    /// Whether it creates the topic of this ARN.
    fn creates_topic(&self, arn: &str) -> bool {
        matches!(self, Self::CreateTopic(topic) if topic.arn == arn)
    }
}

async fn look<C: Cloud>(work: &Work<'_, C>, site: &Site) -> Result<Present, Reason> {
    let unreadable = |error: present::Unreadable| error.to_string();
    let (account, region) = (site.account, &site.region);
    let group = present::log_group(work.cloud, account, region, &site.log_group)
        .await
        .map_err(unreadable)?
        .ok_or_else(|| format!("the log group `{}` does not exist any more", site.log_group))?;
    if let Some(class) = group.get("logGroupClass").and_then(Value::as_str)
        && class != "STANDARD"
    {
        return Err(format!(
            "the log group's class is {class}, which has no metric filters"
        ));
    }
    Ok(Present {
        filters: present::metric_filters(work.cloud, account, region, &site.log_group)
            .await
            .map_err(unreadable)?,
        alarms: present::alarms(work.cloud, account, region)
            .await
            .map_err(unreadable)?,
        topics: BTreeMap::new(),
    })
}

impl Present {
    async fn topic<C: Cloud>(
        &mut self,
        work: &Work<'_, C>,
        arn: &str,
    ) -> Result<Option<&PresentTopic>, Reason> {
        if !self.topics.contains_key(arn) {
            let topic = present::topic(work.cloud, arn)
                .await
                .map_err(|error| error.to_string())?;
            self.topics.insert(arn.to_owned(), topic);
        }
        Ok(self.topics.get(arn).and_then(Option::as_ref))
    }
}

/// Whether the things of others that the repair builds on are still what they were.
async fn check_reused<C: Cloud>(
    work: &Work<'_, C>,
    site: &Site,
    present: &mut Present,
) -> Result<(), Reason> {
    let changed = |what: &str, name: &str, now: Option<String>, before: &str| match now {
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
            Reused::MetricFilter { name, digest } => {
                let now = present.filters.get(name).map(state::metric_filter);
                changed("metric filter", name, now, digest)?;
            }
            Reused::Alarm { name, digest } => {
                let now = present.alarms.get(name).map(state::alarm);
                changed("alarm", name, now, digest)?;
            }
            Reused::Topic { arn, .. } if work.created_topics.contains(arn.as_str()) => {}
            Reused::Topic { arn, digest } => {
                let topic = present.topic(work, arn).await?;
                let now = topic.map(|topic| state::topic(&topic.attributes));
                match digest {
                    Some(digest) => changed("topic", arn, now, digest)?,
                    None if now.is_none() => {
                        return Err(format!("the topic `{arn}` does not exist"));
                    }
                    None => {}
                }
                if let Some(problem) = topic.and_then(PresentTopic::unusable) {
                    return Err(format!("the topic `{arn}` cannot be used: {problem}"));
                }
            }
        }
    }
    Ok(())
}

/// The ARN of a topic as it really is.
fn topic_of<C>(
    work: &Work<'_, C>,
    actual: &BTreeMap<String, String>,
    planned: &str,
) -> Result<String, Reason> {
    match actual.get(planned) {
        Some(arn) => Ok(arn.clone()),
        None if work.created_topics.contains(planned) => Err(format!(
            "the topic `{planned}` that it needs was not created"
        )),
        None => Ok(planned.to_owned()),
    }
}

fn about_filter(
    step: &Step,
    filter: &MetricFilter,
    record: Option<&StepRecord>,
    present: &Present,
) -> Result<Decision, Reason> {
    match present.filters.get(&filter.name) {
        None => {
            let watchers = present::watchers(filter, &present.alarms)
                .cloned()
                .collect();
            Ok(Decision::Create(step.clone(), watchers))
        }
        Some(there) if present::is_same_filter(filter, there) => {
            Ok(Decision::there(step.clone(), record, Value::Null))
        }
        Some(_) if record.is_some() => Err(format!(
            "the metric filter `{}` was changed after trailproof created it",
            filter.name
        )),
        Some(_) => Err(format!(
            "a metric filter `{}` with other content came since the plan was made: plan again",
            filter.name
        )),
    }
}

fn about_alarm(
    step: &Step,
    wanted: &Alarm,
    record: Option<&StepRecord>,
    present: &Present,
) -> Result<Decision, Reason> {
    let named = |name: String| {
        let alarm = Alarm {
            name,
            ..wanted.clone()
        };
        (
            Step {
                change: Change::PutMetricAlarm(alarm.clone()),
                ..step.clone()
            },
            alarm,
        )
    };
    if let Some(record) = record
        && let Change::PutMetricAlarm(recorded) = &record.step.change
    {
        let (step, alarm) = named(recorded.name.clone());
        return match present.alarms.get(&alarm.name) {
            None => Ok(Decision::Create(step, Vec::new())),
            Some(there) if present::is_same_alarm(&alarm, there) => {
                Ok(Decision::there(step, Some(record), Value::Null))
            }
            Some(_) => Err(format!(
                "the alarm `{}` was changed after trailproof created it",
                alarm.name
            )),
        };
    }
    let earlier = present.alarms.iter().find(|(_, there)| {
        present::topic_of_earlier(wanted, there) == Some(wanted.topic_arn.as_str())
    });
    if let Some((name, _)) = earlier {
        return Ok(Decision::AlreadyThere(named(name.clone()).0));
    }
    for number in 1..=MOST_NAMES {
        let (step, alarm) = named(NameKind::Alarm.numbered(&wanted.name, number));
        match present.alarms.get(&alarm.name) {
            None => return Ok(Decision::Create(step, Vec::new())),
            Some(there) if present::is_same_alarm(&alarm, there) => {
                return Ok(Decision::AlreadyThere(step));
            }
            Some(_) if step.name_seen_free => {
                return Err(format!(
                    "an alarm `{}` came since the plan was made: plan again",
                    alarm.name
                ));
            }
            Some(_) => {}
        }
    }
    Err(format!("every name like `{}` is taken", wanted.name))
}

/// The topics of alarms that an earlier plan left and that do what alarms of this plan would do: a
/// filter that is gone is no reason for a second alarm and a second topic. By the ARN of the topic
/// that this plan would create instead.
fn topics_of_earlier<C: Cloud>(
    work: &Work<'_, C>,
    site: &Site,
    present: &Present,
) -> BTreeMap<String, String> {
    let made = |step: &Step| {
        work.record(&step.id).is_some_and(|record| {
            matches!(record.state, StepState::Uncertain | StepState::Created(_))
        })
    };
    let creates = |arn: &str| {
        site.steps.iter().any(|step| {
            matches!(&step.change, Change::CreateTopic(topic) if topic.arn == arn && !topic.use_existing)
                && !made(step)
        })
    };
    let mut topics = BTreeMap::new();
    for step in &site.steps {
        let Change::PutMetricAlarm(alarm) = &step.change else {
            continue;
        };
        if made(step) || !creates(&alarm.topic_arn) {
            continue;
        }
        // The owner's own: another account's may be gone tomorrow without anybody's asking.
        let place = |arn: &str| arn.rsplit_once(':').map(|(place, _)| place.to_owned());
        let found = present
            .alarms
            .values()
            .filter_map(|there| present::topic_of_earlier(alarm, there))
            .find(|arn| place(arn) == place(&alarm.topic_arn));
        if let Some(arn) = found {
            topics
                .entry(alarm.topic_arn.clone())
                .or_insert_with(|| arn.to_owned());
        }
    }
    topics
}

async fn earlier_topic<C: Cloud>(
    work: &Work<'_, C>,
    step: &Step,
    wanted: &Topic,
    arn: &str,
    present: &mut Present,
) -> Result<Option<Decision>, Reason> {
    let Some(there) = present.topic(work, arn).await? else {
        return Ok(None);
    };
    if there.unusable().is_some() {
        return Ok(None);
    }
    let topic = Topic {
        name: arn.rsplit(':').next().unwrap_or_default().to_owned(),
        arn: arn.to_owned(),
        ..wanted.clone()
    };
    Ok(Some(Decision::AlreadyThere(Step {
        change: Change::CreateTopic(topic),
        ..step.clone()
    })))
}

async fn about_topic<C: Cloud>(
    work: &Work<'_, C>,
    step: &Step,
    wanted: &Topic,
    record: Option<StepRecord>,
    present: &mut Present,
) -> Result<Decision, Reason> {
    let named = |name: &str| {
        let prefix = wanted.arn.strip_suffix(&wanted.name).unwrap_or(&wanted.arn);
        let topic = Topic {
            name: name.to_owned(),
            arn: format!("{prefix}{name}"),
            ..wanted.clone()
        };
        Step {
            change: Change::CreateTopic(topic),
            ..step.clone()
        }
    };
    if let Some(record) = &record
        && let Change::CreateTopic(made) = &record.step.change
    {
        let step = named(&made.name);
        match present.topic(work, &made.arn).await? {
            None => return Ok(Decision::Create(step, Vec::new())),
            Some(there) => {
                let result = topic_result(&made.arn, &there.attributes);
                let maker = maker(work, &step, &made.arn).await?;
                if maker.as_deref() == Some(&work.plan.id) {
                    return Ok(Decision::there(step, Some(record), result));
                }
            }
        }
    }
    for number in 1..=MOST_NAMES {
        let step = named(&NameKind::Topic.numbered(&wanted.name, number));
        let Change::CreateTopic(topic) = &step.change else {
            continue;
        };
        let Some(there) = present.topic(work, &topic.arn).await? else {
            return Ok(Decision::Create(step, Vec::new()));
        };
        if wanted.use_existing {
            return match there.unusable() {
                Some(problem) => Err(format!(
                    "the topic `{}` cannot be used: {problem}",
                    topic.arn
                )),
                None => Ok(Decision::AlreadyThere(step)),
            };
        }
        let fits = there.is_like(wanted) && only_told_by_plan(work, &wanted.arn, there);
        match maker(work, &step, &topic.arn).await? {
            Some(plan) if plan == work.plan.id => return Ok(Decision::AlreadyThere(step)),
            // What an earlier plan left is used again: nobody has to confirm a second time.
            Some(_) if fits => return Ok(Decision::AlreadyThere(step)),
            _ => {}
        }
    }
    Err(format!("every name like `{}` is taken", wanted.name))
}

/// Whether everybody who is subscribed to a topic is somebody whom this plan would subscribe to
/// it: an earlier plan may have told others.
fn only_told_by_plan<C>(work: &Work<'_, C>, planned: &str, there: &PresentTopic) -> bool {
    let wanted: Vec<_> = work
        .plan
        .steps()
        .filter_map(|step| match &step.change {
            Change::Subscribe(subscription) if subscription.topic_arn == planned => Some((
                subscription.protocol.as_str(),
                subscription.endpoint.as_str(),
            )),
            _ => None,
        })
        .collect();
    there
        .subscribers()
        .all(|subscriber| wanted.contains(&subscriber))
}

/// The plan that made a topic.
async fn maker<C: Cloud>(
    work: &Work<'_, C>,
    step: &Step,
    arn: &str,
) -> Result<Option<String>, Reason> {
    present::plan_of_topic(work.cloud, step.account, &step.region, arn)
        .await
        .map_err(|error| error.to_string())
}

/// What undo needs to know of a topic.
pub(super) fn topic_result(arn: &str, attributes: &Value) -> Value {
    json!({"arn": arn, "digest": state::topic(attributes)})
}

async fn about_subscription<C: Cloud>(
    work: &Work<'_, C>,
    step: &Step,
    planned: &Subscription,
    topic_arn: String,
    record: Option<StepRecord>,
    topic_is_new: bool,
    present: &mut Present,
) -> Result<Decision, Reason> {
    let wanted = Subscription {
        topic_arn,
        ..planned.clone()
    };
    let step = Step {
        change: Change::Subscribe(wanted.clone()),
        ..step.clone()
    };
    if topic_is_new {
        return Ok(Decision::Create(step, Vec::new()));
    }
    let Some(topic) = present.topic(work, &wanted.topic_arn).await? else {
        // In a dry run, a site before this one would have created it.
        if work.options.dry_run && work.created_topics.contains(planned.topic_arn.as_str()) {
            return Ok(Decision::Create(step, Vec::new()));
        }
        return Err(format!("the topic `{}` does not exist", wanted.topic_arn));
    };
    Ok(match topic.subscription(&wanted) {
        None => Decision::Create(step, Vec::new()),
        Some(there) => {
            let result = json!({"arn": there.get("SubscriptionArn")});
            Decision::there(step, record.as_ref(), result)
        }
    })
}

/// Whether there is room, and whether somebody has repaired the site meanwhile.
fn check_filters<C>(
    work: &Work<'_, C>,
    site: &Site,
    present: &Present,
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
        if planned(name) || known.get(name) == Some(&state::metric_filter(filter)) {
            continue;
        }
        let pattern = filter.get("filterPattern").and_then(Value::as_str);
        for repair in &site.repairs {
            let needs_filter = decisions.iter().any(|decision| {
                matches!(decision, Decision::Create(step, _)
                    if repair.steps.contains(&step.id)
                        && matches!(step.change, Change::PutMetricFilter(_)))
            });
            if needs_filter && pattern.is_some_and(|pattern| covers(work, &repair.control, pattern))
            {
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
async fn check_topics<C: Cloud>(
    work: &Work<'_, C>,
    present: &mut Present,
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
        if let Some(why) = topic.refuses(arn, step.account, &step.region, &alarm.name) {
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
async fn check_patterns<C: Cloud>(
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
