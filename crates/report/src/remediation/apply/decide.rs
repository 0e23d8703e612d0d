//! Before a site is touched: what is left to do about each step?

use std::collections::BTreeMap;

use super::current::CurrentState;
use super::{Work, check, feeding};
use crate::remediation::cloud::Cloud;
use crate::remediation::journal::{Created, StepRecord, StepState};
use crate::remediation::naming::NameKind;
use crate::remediation::plan::{CentralTopic, Site, Step};
use crate::remediation::resources::topic_policy::Found;
use crate::remediation::resources::{
    Alarm, Change, MetricFilter, Subscription, Topic, TopicStatement, topic,
};

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
    Adopt(Step, Created),
    /// Somebody else made the same.
    AlreadyThere(Step),
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
    let mut present = CurrentState::read(work, site).await?;
    feeding::check(work, site).await?;
    check::reused(work, site, topics, &mut present).await?;
    let mut actual = topics.clone();
    let earlier = topics_of_earlier(work, site, &present);
    let decisions = each(work, &site.steps, &earlier, &mut actual, &mut present).await?;
    check::filters(work, site, &present, &decisions)?;
    check::topics(work, &mut present, &decisions).await?;
    check::patterns(work, site, &decisions).await?;
    *topics = actual;
    Ok(decisions)
}

/// Looks at a central topic and decides about every step on it. `topics` learns what it is really
/// called.
pub(super) async fn decide_topic<C: Cloud>(
    work: &Work<'_, C>,
    topic: &CentralTopic,
    topics: &mut BTreeMap<String, String>,
) -> Result<Vec<Decision>, Reason> {
    let mut present = CurrentState::of_no_site();
    check::central(work, topic, &mut present).await?;
    // Where nothing creates it, it is there by its name.
    let creates = topic
        .steps
        .iter()
        .any(|step| step.change.created_topic().is_some());
    if !creates {
        topics.insert(topic.arn.clone(), topic.arn.clone());
    }
    each(work, &topic.steps, &BTreeMap::new(), topics, &mut present).await
}

/// What is left to do about each of some steps. `earlier` has the topics of an earlier plan that
/// are used instead of new ones.
async fn each<C: Cloud>(
    work: &Work<'_, C>,
    steps: &[Step],
    earlier: &BTreeMap<String, String>,
    actual: &mut BTreeMap<String, String>,
    present: &mut CurrentState,
) -> Result<Vec<Decision>, Reason> {
    let mut decisions = Vec::with_capacity(steps.len());
    for step in steps {
        let record = work
            .record(&step.id)
            .filter(|record| matches!(record.state, StepState::Uncertain | StepState::Created(_)));
        let decision = match &step.change {
            Change::PutMetricFilter(filter) => {
                about_filter(step, filter, record.as_ref(), present)?
            }
            Change::CreateTopic(topic) => {
                let found = match earlier.get(&topic.arn) {
                    Some(arn) => earlier_topic(work, step, topic, arn, present).await?,
                    None => None,
                };
                let decision = match found {
                    Some(decision) => decision,
                    None => about_topic(work, step, topic, record, present).await?,
                };
                if let Change::CreateTopic(made) = &decision.step().change {
                    actual.insert(topic.arn.clone(), made.arn.clone());
                }
                decision
            }
            Change::Subscribe(subscription) => {
                let arn = topic_of(work, actual, &subscription.topic_arn)?;
                let created = decisions.iter().any(|decision: &Decision| {
                    matches!(decision, Decision::Create(step, _) if step.change.created_topic().is_some_and(|topic| topic.arn == arn))
                });
                about_subscription(work, step, subscription, arn, record, created, present).await?
            }
            Change::PutMetricAlarm(alarm) => {
                let wanted = Alarm {
                    topic_arn: topic_of(work, actual, &alarm.topic_arn)?,
                    ..alarm.clone()
                };
                about_alarm(step, &wanted, record.as_ref(), present)?
            }
            Change::AddTopicStatement(statement) => {
                about_statement(work, step, statement, record.as_ref(), present).await?
            }
        };
        decisions.push(decision);
    }
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
    fn there(step: Step, record: Option<&StepRecord>, result: Created) -> Self {
        match record.map(|record| &record.state) {
            Some(StepState::Created(_)) => Self::Ours(step),
            Some(StepState::Uncertain) => Self::Adopt(step, result),
            _ => Self::AlreadyThere(step),
        }
    }
}

/// The ARN of a topic as it really is.
fn topic_of<C: Cloud>(
    work: &Work<'_, C>,
    actual: &BTreeMap<String, String>,
    planned: &str,
) -> Result<String, Reason> {
    match actual.get(planned) {
        Some(arn) => Ok(arn.clone()),
        None if work.created_topics.contains(planned) => Err(work.why_missing(planned)),
        None => Ok(planned.to_owned()),
    }
}

fn about_filter(
    step: &Step,
    filter: &MetricFilter,
    record: Option<&StepRecord>,
    present: &CurrentState,
) -> Result<Decision, Reason> {
    match present.filters.get(&filter.name) {
        None => {
            let watchers = present
                .alarms
                .iter()
                .filter(|(_, alarm)| alarm.watches(filter));
            let watchers = watchers.map(|(name, _)| name.clone()).collect();
            Ok(Decision::Create(step.clone(), watchers))
        }
        Some(there) if filter.is(&there.filter) => {
            Ok(Decision::there(step.clone(), record, Created::default()))
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
    present: &CurrentState,
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
            Some(there) if alarm.is(there) => {
                Ok(Decision::there(step, Some(record), Created::default()))
            }
            Some(_) => Err(format!(
                "the alarm `{}` was changed after trailproof created it",
                alarm.name
            )),
        };
    }
    let earlier = present
        .alarms
        .iter()
        .find(|(_, there)| wanted.topic_of_earlier(there) == Some(wanted.topic_arn.as_str()));
    if let Some((name, _)) = earlier {
        return Ok(Decision::AlreadyThere(named(name.clone()).0));
    }
    for number in 1..=MOST_NAMES {
        let (step, alarm) = named(NameKind::Alarm.numbered(&wanted.name, number));
        match present.alarms.get(&alarm.name) {
            None => return Ok(Decision::Create(step, Vec::new())),
            Some(there) if alarm.is(there) => {
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
    present: &CurrentState,
) -> BTreeMap<String, String> {
    let made = |step: &Step| {
        work.record(&step.id).is_some_and(|record| {
            matches!(record.state, StepState::Uncertain | StepState::Created(_))
        })
    };
    let creates = |arn: &str| {
        site.steps.iter().any(|step| {
            let topic = step.change.created_topic();
            topic.is_some_and(|topic| topic.arn == arn && !topic.use_existing) && !made(step)
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
            .filter_map(|there| alarm.topic_of_earlier(there))
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
    present: &mut CurrentState,
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
    present: &mut CurrentState,
) -> Result<Decision, Reason> {
    let named = |name: &str| {
        let topic = wanted.named(name);
        let step = Step {
            change: Change::CreateTopic(topic.clone()),
            ..step.clone()
        };
        (step, topic)
    };
    if let Some(record) = &record
        && let Some(made) = record.step.change.created_topic()
    {
        let (step, _) = named(&made.name);
        match present.topic(work, &made.arn).await? {
            None => return Ok(Decision::Create(step, Vec::new())),
            Some(there) => {
                let result = there.created(&made.arn);
                let maker = maker(work, &step, &made.arn).await?;
                if maker.as_deref() == Some(&work.plan.id) {
                    return Ok(Decision::there(step, Some(record), result));
                }
            }
        }
    }
    for number in 1..=MOST_NAMES {
        let (step, topic) = named(&NameKind::Topic.numbered(&wanted.name, number));
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
        let fits = wanted.is_like(there, &topic.arn) && only_told_by_plan(work, &wanted.arn, there);
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
fn only_told_by_plan<C>(work: &Work<'_, C>, planned: &str, there: &topic::Present) -> bool {
    let wanted: Vec<_> = work
        .plan
        .steps()
        .filter_map(|step| match &step.change {
            Change::Subscribe(subscription) if subscription.topic_arn == planned => {
                Some(subscription.subscriber())
            }
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
    topic::maker(work.cloud, step.account, &step.region, arn)
        .await
        .map_err(|error| error.to_string())
}

/// A statement is added to the policy as it is now, which the journal keeps.
async fn about_statement<C: Cloud>(
    work: &Work<'_, C>,
    step: &Step,
    planned: &TopicStatement,
    record: Option<&StepRecord>,
    present: &mut CurrentState,
) -> Result<Decision, Reason> {
    let topic = &planned.topic_arn;
    let Some(there) = present.topic(work, topic).await? else {
        return Err(format!("the topic `{topic}` does not exist"));
    };
    let policy = there.attributes.policy.as_deref();
    let policy = policy.ok_or_else(|| format!("the policy of topic `{topic}` was not shown"))?;
    let with = |before: Option<String>| Step {
        change: Change::AddTopicStatement(TopicStatement {
            before,
            ..planned.clone()
        }),
        ..step.clone()
    };
    match planned.find(policy) {
        Found::There(_) => {
            let recorded = record.map_or_else(|| step.clone(), |record| record.step.clone());
            let result = Created {
                arn: Some(topic.clone()),
                digest: None,
            };
            Ok(Decision::there(recorded, record, result))
        }
        Found::Different => Err(format!(
            "the policy of topic `{topic}` has another statement `{}`",
            planned.sid
        )),
        Found::Absent if planned.added_to(policy).is_none() => Err(format!(
            "the policy of topic `{topic}` cannot be read, so nothing can be added to it"
        )),
        Found::Absent => Ok(Decision::Create(with(Some(policy.to_owned())), Vec::new())),
    }
}

async fn about_subscription<C: Cloud>(
    work: &Work<'_, C>,
    step: &Step,
    planned: &Subscription,
    topic_arn: String,
    record: Option<StepRecord>,
    topic_is_new: bool,
    present: &mut CurrentState,
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
    let there = topic.subscriptions.iter().find(|there| wanted.is(there));
    Ok(match there {
        None => Decision::Create(step, Vec::new()),
        Some(there) => Decision::there(step, record.as_ref(), there.created()),
    })
}
