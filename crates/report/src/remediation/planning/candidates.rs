//! The repairs that could help at a site, cheapest first. Whether one does help is found out by
//! trying it.

use serde_json::Value;
use trailproof_core::account::{AccountId, Region};
use trailproof_core::arn::{Arn, LogGroupAddress};
use trailproof_core::control::Control;
use trailproof_core::finding::{Finding, LinkName};
use trailproof_core::remedy;

use super::central::Central;
use super::owner_commands::OwnerCommands;
use super::planned_state::{Changing, PlannedState, list};
use super::refusal::Refusal;
use super::targets::Target;
use crate::remediation::endpoint::Endpoint;
use crate::remediation::naming::{NameContext, NameKind};
use crate::remediation::options::{PatternText, PlanOptions};
use crate::remediation::plan::{Reused, Step};
use crate::remediation::resources::{
    Alarm, Change, METRIC_FILTERS_PER_LOG_GROUP, MetricFilter, Subscription, alarm, metric_filter,
    topic,
};

/// What candidates are made for and from.
#[derive(Clone, Copy)]
pub(super) struct Setting<'a> {
    pub(super) state: PlannedState<'a>,
    pub(super) options: &'a PlanOptions,
    pub(super) site: &'a LogGroupAddress,
    pub(super) control: &'a Control,
    pub(super) benchmark: &'a str,
    pub(super) broken: &'a Finding,
    /// The account whose topics all alarms notify, where the user names one.
    pub(super) central: Option<&'a Central>,
}

/// What is taken for granted where the run never looked.
#[derive(Debug, Clone)]
pub(super) enum Assumption {
    /// A topic that the user names is usable, and whether somebody listens.
    UsableTopic(String, bool),
    /// The subscriptions of a topic let everything through.
    Unfiltered(String),
    /// Nobody mutes the alarms of an account and region.
    Unmuted(AccountId, Region),
    /// The owner of a trail runs commands.
    OwnerActs(OwnerCommands),
}

impl Assumption {
    /// What a reader of the plan should know of it.
    pub(super) fn note(&self) -> String {
        match self {
            Self::UsableTopic(topic, _) => format!(
                "the run did not look at the topic `{topic}`: apply looks at it first and leaves the site alone if it is not usable"
            ),
            Self::Unfiltered(topic) => format!(
                "the run did not look at the filter policies of the subscriptions of `{topic}`: the scan after apply does"
            ),
            Self::OwnerActs(OwnerCommands { trail, .. }) => {
                format!("the owner of `{trail}` does what the plan has the commands for")
            }
            Self::Unmuted(..) => {
                "the run did not look for rules that mute the alarm: the scan after apply does"
                    .to_owned()
            }
        }
    }
}

/// A possible repair.
#[derive(Debug, Clone, Default)]
pub(super) struct Candidate {
    /// The changes, in order; without ids.
    pub(super) steps: Vec<Step>,
    /// What of others it builds on.
    pub(super) reused: Vec<Reused>,
    /// What a reader should know.
    pub(super) notes: Vec<String>,
    /// What is taken for granted, because the run never looked.
    pub(super) assumed: Vec<Assumption>,
}

/// The candidates, and why there are not more.
pub(super) struct Offers {
    pub(super) candidates: Vec<Candidate>,
    pub(super) refusal: Option<Refusal>,
}

impl Candidate {
    pub(super) fn put_into(&self, mut changing: Changing<'_>) {
        for assumption in &self.assumed {
            changing.assume(assumption);
        }
        for step in &self.steps {
            changing.put(step);
        }
    }

    /// Whether somebody has to confirm.
    pub(super) fn asks_people(&self) -> bool {
        self.steps.iter().any(|step| {
            matches!(&step.change, Change::Subscribe(subscription) if subscription.needs_confirmation)
        })
    }

    /// Whether it creates its own topic and everybody on it has to confirm: then it cannot be
    /// better than another one that waits.
    pub(super) fn always_waits(&self) -> bool {
        let creates = |step: &Step| matches!(step.change, Change::CreateTopic(_));
        let immediate = |step: &Step| matches!(&step.change, Change::Subscribe(subscription) if !subscription.needs_confirmation);
        self.steps.iter().any(creates) && !self.steps.iter().any(immediate)
    }
}

/// Everything that might help, cheapest first.
pub(super) fn offer(setting: &Setting<'_>) -> Offers {
    let mut candidates = Vec::new();
    let mut refusal = None;
    let mut note = |result: Result<Vec<Candidate>, Refusal>| match result {
        Ok(offered) => candidates.extend(offered),
        Err(reason) => refusal = refusal.take().or(Some(reason)),
    };
    if setting.broken.broken_link == Some(LinkName::Subscription) {
        note(setting.subscribe_only());
    }
    let broken = setting.broken.broken_link;
    if broken.is_some_and(|broken| broken >= LinkName::Alarm) {
        for watched in setting.existing_filters() {
            note(setting.alarm_on(&watched));
        }
    }
    note(setting.filter_and_alarm());
    candidates.sort_by_key(|candidate| candidate.steps.len());
    Offers {
        candidates,
        refusal,
    }
}

/// A metric that an alarm could watch, and the filter that feeds it.
pub(super) struct Watched {
    pub(super) namespace: String,
    pub(super) metric: String,
    pub(super) reused: Option<Reused>,
}

impl<'a> Setting<'a> {
    pub(super) fn context(&self) -> NameContext<'a> {
        NameContext {
            account: self.site.account,
            region: &self.site.region,
            control: &self.control.id,
            log_group: &self.site.log_group,
        }
    }

    pub(super) fn step(&self, account: AccountId, change: Change, name_seen_free: bool) -> Step {
        Step {
            id: String::new(),
            account,
            region: self.site.region.clone(),
            change,
            name_seen_free,
        }
    }

    /// Only somebody who listens is missing.
    fn subscribe_only(&self) -> Result<Vec<Candidate>, Refusal> {
        let chain = &self.broken.chain;
        let topic = chain
            .iter()
            .find(|link| link.link == LinkName::Topic)
            .or_else(|| {
                chain
                    .iter()
                    .find(|link| link.link == LinkName::Subscription)
            })
            .and_then(|link| link.resource.as_deref())
            .and_then(|resource| resource.parse::<Arn>().ok());
        let Some(topic) = topic.filter(|topic| topic.service() == "sns") else {
            return Ok(Vec::new());
        };
        if !self.may_notify(&topic) {
            return Ok(Vec::new());
        }
        let steps = self.subscriptions(&topic)?;
        if steps.is_empty() {
            return Err(
                if self.broken.reason.as_deref() == Some("subscription.pending") {
                    Refusal::Pending(topic.to_string())
                } else {
                    Refusal::NoSubscribers
                },
            );
        }
        let (account, region) = (self.site.account, &self.site.region);
        let unseen = !self.state.saw_mute_rules(account, region);
        let assumed: Vec<Assumption> = unseen
            .then(|| Assumption::Unmuted(account, region.clone()))
            .into_iter()
            .collect();
        Ok(vec![Candidate {
            steps,
            reused: self.reused_chain(&topic),
            notes: assumed.iter().map(Assumption::note).collect(),
            assumed,
        }])
    }

    /// The alarm, filter and topic of the finding's chain, as they were seen.
    fn reused_chain(&self, topic: &Arn) -> Vec<Reused> {
        let named = |link: LinkName| {
            self.broken
                .chain
                .iter()
                .find(|candidate| candidate.link == link)
                .and_then(|link| link.resource.as_deref())
        };
        let same_alarm = |alarm: &&Value| {
            let text = |member: &str| alarm.get(member).and_then(Value::as_str);
            named(LinkName::Alarm).is_some_and(|resource| {
                [text("AlarmArn"), text("AlarmName")].contains(&Some(resource))
            })
        };
        let alarms = self.state.alarms(self.site.account, &self.site.region);
        let mut alarms = list(alarms.as_ref(), "MetricAlarms").iter();
        let alarm = alarms.find(same_alarm).and_then(|alarm| {
            Some(Reused::Alarm {
                name: alarm.get("AlarmName")?.as_str()?.to_owned(),
                digest: alarm::digest(alarm),
            })
        });
        alarm
            .into_iter()
            .chain([self.reused_topic(topic.as_str())])
            .collect()
    }

    pub(super) fn reused_topic(&self, arn: &str) -> Reused {
        Reused::Topic {
            arn: arn.to_owned(),
            digest: self.state.seen_topic(arn).as_ref().map(topic::digest),
        }
    }

    /// Steps for the subscribers that a topic does not have yet.
    pub(super) fn subscriptions(&self, topic: &Arn) -> Result<Vec<Step>, Refusal> {
        let owner = topic.account().unwrap_or(self.site.account);
        let existing = self.state.subscriptions(topic.as_str());
        let existing = list(existing.as_ref(), "Subscriptions");
        let is_there = |endpoint: &Endpoint| {
            existing.iter().any(|subscription| {
                let text = |member: &str| subscription.get(member).and_then(Value::as_str);
                text("Protocol") == Some(endpoint.protocol.as_str())
                    && text("Endpoint") == Some(&endpoint.address)
                    && text("SubscriptionArn") != Some("Deleted")
            })
        };
        Ok(self
            .endpoints()?
            .into_iter()
            .filter(|endpoint| !is_there(endpoint))
            .map(|endpoint| {
                let change = Change::Subscribe(Subscription {
                    topic_arn: topic.to_string(),
                    needs_confirmation: endpoint.needs_confirmation(owner),
                    protocol: endpoint.protocol,
                    endpoint: endpoint.address,
                });
                self.step(owner, change, true)
            })
            .collect())
    }

    /// Everybody who is to be told of this control here.
    pub(super) fn endpoints(&self) -> Result<Vec<Endpoint>, Refusal> {
        let mut endpoints: Vec<Endpoint> = Vec::new();
        for subscriber in &self.options.subscribers {
            let endpoint = subscriber.endpoint(self.audience())?;
            if !endpoints.contains(&endpoint) {
                endpoints.push(endpoint);
            }
        }
        Ok(endpoints)
    }

    /// The metrics of filters that are there already and that a plain alarm can watch. The chain's
    /// own filter comes first.
    pub(super) fn existing_filters(&self) -> Vec<Watched> {
        let chain_filter = self
            .broken
            .chain
            .iter()
            .find(|link| link.link == LinkName::MetricFilter)
            .and_then(|link| link.resource.as_deref())
            .unwrap_or_default();
        let site = self.site;
        let filters = self
            .state
            .metric_filters(site.account, &site.region, &site.log_group);
        let mut filters: Vec<&Value> = list(filters.as_ref(), "metricFilters").iter().collect();
        let is_chains = |filter: &&Value| {
            let name = filter.get("filterName").and_then(Value::as_str);
            name.is_some_and(|name| {
                chain_filter == name
                    || chain_filter.ends_with(&format!("/{name}"))
                    || chain_filter.ends_with(&format!(":{name}"))
            })
        };
        filters.sort_by_key(|filter| !is_chains(filter));
        filters.into_iter().filter_map(watched).collect()
    }

    /// An alarm on a metric that is there.
    fn alarm_on(&self, watched: &Watched) -> Result<Vec<Candidate>, Refusal> {
        let mut candidates = Vec::new();
        for target in self.targets(Some(watched))? {
            candidates.push(self.candidate(None, watched, target)?);
        }
        Ok(candidates)
    }

    /// A filter of our own and an alarm on it.
    fn filter_and_alarm(&self) -> Result<Vec<Candidate>, Refusal> {
        let site = self.site;
        let filters = self
            .state
            .metric_filters(site.account, &site.region, &site.log_group);
        if filters.is_none() {
            return Ok(Vec::new());
        }
        let filters = list(filters.as_ref(), "metricFilters");
        if filters.len() >= METRIC_FILTERS_PER_LOG_GROUP {
            return Err(Refusal::TooManyFilters);
        }
        let context = self.context();
        let name = self.options.filter_name.render(context);
        let namespace = self.options.namespace.render(context);
        let metric = self.options.metric_name.render(context);
        NameKind::MetricFilter.check(&name)?;
        NameKind::Namespace.check(&namespace)?;
        NameKind::Metric.check(&metric)?;
        let name = NameKind::MetricFilter.free(&name, |name| {
            filters
                .iter()
                .any(|filter| filter.get("filterName").and_then(Value::as_str) == Some(name))
        });
        let metric = NameKind::Metric.free(&metric, |metric| {
            let metric = (namespace.as_str(), metric);
            self.state.feeds_metric(site.account, &site.region, metric)
        });
        let watched = Watched {
            namespace: namespace.clone(),
            metric: metric.clone(),
            reused: None,
        };
        let filter = self.step(
            site.account,
            Change::PutMetricFilter(MetricFilter {
                log_group: site.log_group.clone(),
                name,
                pattern: self.pattern().to_owned(),
                namespace,
                metric,
                value: remedy::METRIC_VALUE.to_owned(),
            }),
            true,
        );
        let mut candidates = self.filter_for_orphans(&filter, &watched.namespace, &watched.metric);
        // Without a topic there may be an alarm that has one.
        let targets = match self.targets(None) {
            Err(_) if !candidates.is_empty() => Vec::new(),
            targets => targets?,
        };
        for target in targets {
            candidates.push(self.candidate(Some(filter.clone()), &watched, target)?);
        }
        Ok(candidates)
    }

    fn pattern(&self) -> &'a str {
        match &self.options.pattern {
            PatternText::Cis => self.control.pattern_for(self.benchmark),
            PatternText::SecurityHub => self
                .control
                .security_hub
                .as_ref()
                .and_then(|hub| hub.pattern.as_deref())
                .unwrap_or_else(|| self.control.pattern_for(self.benchmark)),
            PatternText::Custom(text) => text,
        }
    }

    fn candidate(
        &self,
        filter: Option<Step>,
        watched: &Watched,
        target: Target,
    ) -> Result<Candidate, Refusal> {
        let site = self.site;
        let name = self.options.alarm_name.render(self.context());
        NameKind::Alarm.check(&name)?;
        let name = NameKind::Alarm.free(&name, |name| {
            self.state.has_alarm(site.account, &site.region, name)
        });
        let alarm = self.step(
            site.account,
            Change::PutMetricAlarm(Alarm {
                name,
                description: self.description(),
                namespace: watched.namespace.clone(),
                metric: watched.metric.clone(),
                period: self.options.period,
                threshold: self.options.threshold,
                topic_arn: target.arn,
                tags: self.options.tags.clone(),
            }),
            self.state.saw_alarms(site.account, &site.region),
        );
        let mut notes = target.notes;
        notes.extend(target.assumed.iter().map(Assumption::note));
        if self.options.threshold > 1.0 {
            notes.push(format!(
                "the alarm waits for {} events within {} seconds",
                self.options.threshold, self.options.period
            ));
        }
        Ok(Candidate {
            steps: filter
                .into_iter()
                .chain(target.steps)
                .chain([alarm])
                .collect(),
            reused: watched
                .reused
                .iter()
                .cloned()
                .chain(target.reused)
                .collect(),
            notes,
            assumed: target.assumed,
        })
    }

    fn description(&self) -> String {
        let summary = self.control.summary(self.benchmark);
        let number = summary
            .number
            .map(|number| format!(" {number}"))
            .unwrap_or_default();
        let text = format!("{}{number}: {}.", summary.benchmark, summary.title);
        text.chars()
            .map(|c| if c.is_control() { ' ' } else { c })
            .take(900)
            .collect()
    }
}

/// The metric of a filter, if an alarm without dimensions sees it.
fn watched(filter: &Value) -> Option<Watched> {
    let transformation = filter.get("metricTransformations")?.as_array()?.first()?;
    let text = |member: &str| transformation.get(member).and_then(Value::as_str);
    let has = |value: Option<&Value>| match value {
        Some(Value::Object(members)) => !members.is_empty(),
        Some(Value::Array(elements)) => !elements.is_empty(),
        _ => false,
    };
    if has(transformation.get("dimensions")) || has(filter.get("emitSystemFieldDimensions")) {
        return None;
    }
    let namespace = text("metricNamespace")?;
    let metric = text("metricName")?;
    Some(Watched {
        namespace: namespace.to_owned(),
        metric: metric.to_owned(),
        reused: Some(Reused::MetricFilter {
            name: filter.get("filterName")?.as_str()?.to_owned(),
            digest: metric_filter::digest(filter),
            namespace: Some(namespace.to_owned()),
            metric: Some(metric.to_owned()),
        }),
    })
}
