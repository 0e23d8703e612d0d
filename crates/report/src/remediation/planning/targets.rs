//! Where an alarm could send its message: topics that are there, topics that the user names, topics
//! of the plan.

use serde_json::Value;
use trailproof_core::account::AccountId;
use trailproof_core::arn::Arn;

use super::candidates::{Assumption, Setting, Watched};
use super::planned_state::list;
use super::refusal::Refusal;
use crate::remediation::naming::NameKind;
use crate::remediation::plan::{Reused, Step};
use crate::remediation::resources::{Change, Publishers, Topic};

/// How many topics of earlier plans are looked for.
const EARLIER_TOPICS: u32 = 3;

/// Where an alarm could send its message.
#[derive(Default)]
pub(super) struct Target {
    pub(super) arn: String,
    pub(super) steps: Vec<Step>,
    pub(super) reused: Option<Reused>,
    pub(super) notes: Vec<String>,
    pub(super) assumed: Vec<Assumption>,
}

impl Setting<'_> {
    /// The topics that an alarm could notify: those of other alarms on the same metric first, then
    /// those of alarms on what else the trail's events are watched for.
    pub(super) fn targets(&self, watched: Option<&Watched>) -> Result<Vec<Target>, Refusal> {
        if let Some(central) = self.central {
            return self.central_targets(central);
        }
        if let Some(named) = self.named_topic() {
            return Ok(vec![self.named_target(&named)?]);
        }
        if self.options.names_topics() && self.options.topic_name.is_none() {
            return Err(Refusal::NoTopic(self.site.region.clone()));
        }
        let mut topics = Vec::new();
        let others = self.existing_filters();
        for watched in watched.into_iter().chain(&others) {
            for topic in self.topics_of_alarms_on(watched) {
                if !topics.contains(&topic) {
                    topics.push(topic);
                }
            }
        }
        let mut targets = Vec::new();
        for arn in &topics {
            let topic: Option<Arn> = arn.parse().ok();
            let (Some(topic), Some(_)) = (topic, self.state.topic(arn)) else {
                continue;
            };
            // What the plan creates is below: each control may have people of its own.
            if self.is_planned(arn) {
                continue;
            }
            // Somebody hears already, or has to be told: which of these is found out by trying.
            let people = self.subscriptions(&topic).unwrap_or_default();
            let with_people = (!people.is_empty()).then_some(people);
            for steps in std::iter::once(Vec::new()).chain(with_people) {
                targets.push(Target {
                    arn: arn.clone(),
                    steps,
                    reused: Some(self.reused_topic(arn)),
                    assumed: self.unfiltered(arn),
                    ..Target::default()
                });
            }
        }
        match self.new_topic() {
            Ok(target) => targets.push(target),
            Err(refusal) if targets.is_empty() => return Err(refusal),
            Err(_) => {}
        }
        Ok(targets)
    }

    fn named_topic(&self) -> Option<Arn> {
        self.options.named_topic(self.context())
    }

    /// Whoever names a topic wants the messages there and nowhere else.
    pub(super) fn may_notify(&self, topic: &Arn) -> bool {
        match self.central {
            Some(central) => self
                .central_topic(central)
                .is_ok_and(|named| named == *topic),
            None => !self.options.names_topics() || self.named_topic().as_ref() == Some(topic),
        }
    }

    fn named_target(&self, topic: &Arn) -> Result<Target, Refusal> {
        let steps = self.subscriptions(topic)?;
        let assumed = if self.state.topic(topic.as_str()).is_some() {
            self.unfiltered(topic.as_str())
        } else {
            vec![Assumption::UsableTopic(topic.to_string(), steps.is_empty())]
        };
        Ok(Target {
            arn: topic.to_string(),
            assumed,
            steps,
            reused: Some(self.reused_topic(topic.as_str())),
            ..Target::default()
        })
    }

    /// What is taken for granted of who hears, which is looked for only where the chain got so far.
    fn unfiltered(&self, topic: &str) -> Vec<Assumption> {
        let seen = self.state.saw_filter_policies(topic);
        let assumption = (!seen).then(|| Assumption::Unfiltered(topic.to_owned()));
        assumption.into_iter().collect()
    }

    /// A topic of our own, one per account and region: the second site uses the first one's.
    fn new_topic(&self) -> Result<Target, Refusal> {
        let site = self.site;
        let name = self.options.topic_name(self.context());
        NameKind::Topic.check(&name)?;
        let arn_of = |name: &str| {
            format!(
                "arn:{}:sns:{}:{}:{name}",
                site.region.partition(),
                site.region,
                site.account
            )
        };
        if self.is_planned(&arn_of(&name)) {
            let arn = arn_of(&name);
            // Each control may have somebody of its own who is told.
            let topic: Arn = arn.parse().map_err(|_| Refusal::NotOurs)?;
            return Ok(Target {
                steps: self.subscriptions(&topic)?,
                arn,
                ..Target::default()
            });
        }
        if self.options.subscribers.is_empty() {
            return Err(Refusal::NoSubscribers);
        }
        if let Some(target) = self.earlier_topic(&name, arn_of) {
            return Ok(target);
        }
        let use_existing = self.options.topic_name.is_some();
        let name = NameKind::Topic.free(&name, |name| {
            !use_existing && self.state.topic(&arn_of(name)).is_some()
        });
        let arn = arn_of(&name);
        let topic: Arn = arn.parse().map_err(|_| Refusal::NotOurs)?;
        if self.state.topic(&arn).is_some() {
            return self.named_target(&topic);
        }
        let (create, notes) = self.new_topic_step(site.account, &topic, use_existing, None)?;
        let mut steps = vec![create];
        steps.extend(self.subscriptions(&topic)?);
        Ok(Target {
            arn,
            steps,
            notes,
            ..Target::default()
        })
    }

    /// The step that creates a topic, and what a reader should know of it.
    pub(super) fn new_topic_step(
        &self,
        account: AccountId,
        arn: &Arn,
        use_existing: bool,
        publishers: Option<Publishers>,
    ) -> Result<(Step, Vec<String>), Refusal> {
        let kms_key = self.key()?;
        let notes = kms_key.iter().map(|key| {
            format!("the policy of the key `{key}` must let cloudwatch.amazonaws.com use kms:Decrypt and kms:GenerateDataKey*")
        });
        let notes = notes.collect();
        let topic = Topic {
            name: arn.resource().to_owned(),
            arn: arn.to_string(),
            kms_key,
            tags: self.options.tags.clone(),
            use_existing,
            publishers,
        };
        let step = self.step(account, Change::CreateTopic(topic), false);
        Ok((step, notes))
    }

    /// A topic that has the name of a new one, as an earlier plan left it: it tells some of those
    /// who are to be told, and nobody else.
    fn earlier_topic(&self, name: &str, arn_of: impl Fn(&str) -> String) -> Option<Target> {
        for number in 1..=EARLIER_TOPICS {
            let arn = arn_of(&NameKind::Topic.numbered(name, number));
            self.state.topic(&arn)?;
            let topic: Arn = arn.parse().ok()?;
            let steps = self.subscriptions(&topic).ok()?;
            let listed = self.state.subscriptions(&arn);
            let is_there = |subscription: &&Value| {
                subscription.get("SubscriptionArn").and_then(Value::as_str) != Some("Deleted")
            };
            let listed = list(listed.as_ref(), "Subscriptions").iter();
            let listed = listed.filter(is_there).count();
            if listed > 0 && listed + steps.len() == self.endpoints().ok()?.len() {
                return Some(Target {
                    assumed: self.unfiltered(&arn),
                    reused: Some(self.reused_topic(&arn)),
                    arn,
                    steps,
                    ..Target::default()
                });
            }
        }
        None
    }

    /// Whether the plan creates a topic.
    pub(super) fn is_planned(&self, arn: &str) -> bool {
        self.state.topic(arn).is_some() && self.state.seen_topic(arn).is_none()
    }

    /// The key of a new topic. A topic and its key share a region.
    fn key(&self) -> Result<Option<String>, Refusal> {
        let Some(key) = &self.options.kms_key else {
            return Ok(None);
        };
        let key = key.render(self.audience());
        let region = self.site.region.clone();
        match key.parse::<Arn>() {
            Ok(arn) if arn.region().as_ref() != Some(&region) => Err(Refusal::Key { key, region }),
            _ => Ok(Some(key)),
        }
    }

    /// The topics that alarms on the same metric notify already.
    fn topics_of_alarms_on(&self, watched: &Watched) -> Vec<String> {
        let site = self.site;
        let alarms = self.state.alarms(site.account, &site.region);
        let mut topics = Vec::new();
        for alarm in list(alarms.as_ref(), "MetricAlarms") {
            let text = |member: &str| alarm.get(member).and_then(Value::as_str);
            if text("Namespace") != Some(&watched.namespace)
                || text("MetricName") != Some(&watched.metric)
            {
                continue;
            }
            let actions = alarm.get("AlarmActions").and_then(Value::as_array);
            for action in actions.into_iter().flatten().filter_map(Value::as_str) {
                let usable = action.parse::<Arn>().is_ok_and(|arn| {
                    arn.service() == "sns" && arn.region().as_ref() == Some(&site.region)
                });
                if usable && !topics.iter().any(|topic| topic == action) {
                    topics.push(action.to_owned());
                }
            }
        }
        topics
    }
}
