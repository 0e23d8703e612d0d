//! The accounts as they would be after the changes of a plan: what AWS would answer then.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value, json};
use trailproof_core::account::{AccountId, Region};
use trailproof_core::arn::Arn;
use trailproof_core::evidence::{
    Call, CallSite, Evidence, KeyName, Outcome, Reader, Record, Request,
};

use super::candidates::{Assumption, Candidate};
use super::seen::{Seen, is_complete};
use crate::remediation::plan::Step;
use crate::remediation::resources::{
    Alarm, Change, MetricFilter, Subscription, Topic, TopicStatement,
};

/// What is there after some changes: answers that stand before those of the run.
#[derive(Default)]
pub(super) struct Changes {
    answers: BTreeMap<Request, Arc<Value>>,
    /// The same for evaluation.
    evidence: Evidence,
}

/// Whether those whom a plan asks to confirm have done so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum People {
    AsTheyAre,
    Confirmed,
}

/// The changes of the plan so far, as things are and with everybody confirmed.
#[derive(Default)]
pub(super) struct Planned {
    as_they_are: Changes,
    confirmed: Changes,
    ask_people: bool,
}

impl Planned {
    pub(super) fn of(&self, people: People) -> &Changes {
        match people {
            People::AsTheyAre => &self.as_they_are,
            People::Confirmed => &self.confirmed,
        }
    }

    /// Whether somebody is asked to confirm.
    pub(super) fn ask_people(&self) -> bool {
        self.ask_people
    }

    /// Puts a repair in.
    pub(super) fn put(&mut self, candidate: &Candidate, seen: &Seen) {
        self.ask_people |= candidate.asks_people();
        for (people, changes) in [
            (People::AsTheyAre, &mut self.as_they_are),
            (People::Confirmed, &mut self.confirmed),
        ] {
            candidate.put_into(Changing {
                changes,
                seen,
                planned: None,
                people,
            });
        }
    }
}

/// What the run saw, with the changes of the plan so far and those of a repair that is tried out.
#[derive(Clone, Copy)]
pub(super) struct PlannedState<'a> {
    pub(super) seen: &'a Seen,
    pub(super) planned: &'a Changes,
    pub(super) tried: Option<&'a Changes>,
}

/// A list in an answer of AWS; empty where there is none.
pub(super) fn list<'a>(answer: Option<&'a Arc<Value>>, member: &str) -> &'a [Value] {
    answer
        .and_then(|answer| answer.get(member)?.as_array())
        .map_or(&[], Vec::as_slice)
}

impl<'a> PlannedState<'a> {
    /// Reads the evidence as it would be.
    pub(super) fn reader(self) -> Reader<'a> {
        let tried = self.tried.map(|tried| &tried.evidence);
        Reader::new(self.seen.evidence()).under(&self.planned.evidence, tried)
    }

    fn answer(self, request: &Request) -> Option<Arc<Value>> {
        let mut layers = self.tried.into_iter().chain([self.planned]);
        layers
            .find_map(|layer| layer.answers.get(request))
            .cloned()
            .or_else(|| self.seen.answer(request))
    }

    /// The answer with the metric filters of a log group; `None` where some may be unknown.
    pub(super) fn metric_filters(
        self,
        account: AccountId,
        region: &Region,
        log_group: &str,
    ) -> Option<Arc<Value>> {
        let answer = self.answer(&filters_of(account, region, log_group))?;
        is_complete(&answer).then_some(answer)
    }

    /// The answer with the metric filters of a log group as they were before any change.
    pub(super) fn seen_metric_filters(
        self,
        account: AccountId,
        region: &Region,
        log_group: &str,
    ) -> Option<Arc<Value>> {
        self.seen.answer(&filters_of(account, region, log_group))
    }

    /// Whether some metric filter of an account and region is known to write to a metric.
    pub(super) fn feeds_metric(
        self,
        account: AccountId,
        region: &Region,
        (namespace, metric): (&str, &str),
    ) -> bool {
        let site = CallSite {
            account,
            region: region.clone(),
        };
        self.reader().feeds_metric(&site, namespace, metric)
    }

    /// Whether some alarm of an account and region is known under a name.
    pub(super) fn has_alarm(self, account: AccountId, region: &Region, name: &str) -> bool {
        let site = CallSite {
            account,
            region: region.clone(),
        };
        self.reader().has_alarm(&site, name)
    }

    /// Whether every alarm of an account and region was seen.
    pub(super) fn saw_alarms(self, account: AccountId, region: &Region) -> bool {
        let answer = self.seen.answer(&alarms_of(account, region));
        answer.is_some_and(|answer| is_complete(&answer))
    }

    /// The attributes of a topic as they were before any change.
    pub(super) fn seen_topic(self, arn: &str) -> Option<Value> {
        attributes(&*self.seen.answer(&topic_request(arn, attributes_of)?)?)
    }

    /// The answer with the alarms of an account and region, where there was one.
    pub(super) fn alarms(self, account: AccountId, region: &Region) -> Option<Arc<Value>> {
        self.answer(&alarms_of(account, region))
    }

    /// The attributes of a topic, where they were seen.
    pub(super) fn topic(self, arn: &str) -> Option<Value> {
        attributes(&*self.answer(&topic_request(arn, attributes_of)?)?)
    }

    /// The answer with the subscriptions of a topic, where there was one.
    pub(super) fn subscriptions(self, arn: &str) -> Option<Arc<Value>> {
        self.answer(&topic_request(arn, subscriptions_of)?)
    }

    /// Whether the attributes of every confirmed subscription of a topic were asked for.
    pub(super) fn saw_filter_policies(self, arn: &str) -> bool {
        let listed = self.subscriptions(arn);
        let unasked = unasked(&self.reader(), list(listed.as_ref(), "Subscriptions"));
        let all = unasked.is_empty();
        for request in unasked {
            self.seen.wants(request);
        }
        all
    }

    /// Whether the rules that mute alarms in an account and region were seen.
    pub(super) fn saw_mute_rules(self, account: AccountId, region: &Region) -> bool {
        let request = mute_rules_of(account, region);
        self.reader().has(&request) || self.seen.has(&request)
    }
}

/// Changes on their way into a state.
pub(super) struct Changing<'a> {
    pub(super) changes: &'a mut Changes,
    pub(super) seen: &'a Seen,
    /// The plan so far, where it is not what is being changed.
    pub(super) planned: Option<&'a Changes>,
    pub(super) people: People,
}

impl Changing<'_> {
    /// Puts in what is taken for granted.
    pub(super) fn assume(&mut self, assumption: &Assumption) {
        match assumption {
            Assumption::UsableTopic(arn, somebody_listens) => {
                self.assume_topic(arn, *somebody_listens);
            }
            Assumption::Unfiltered(arn) => self.assume_unfiltered(arn),
            Assumption::Unmuted(account, region) => self.assume_unmuted(*account, region),
            Assumption::OwnerActs(commands) => self.put_owner_commands(commands),
        }
    }

    /// Puts a step's effect in.
    pub(super) fn put(&mut self, step: &Step) {
        match &step.change {
            Change::PutMetricFilter(filter) => self.put_filter(step, filter),
            Change::CreateTopic(topic) => self.put_topic(topic),
            Change::Subscribe(subscription) => self.put_subscription(&Subscription {
                needs_confirmation: subscription.needs_confirmation
                    && self.people == People::AsTheyAre,
                ..subscription.clone()
            }),
            Change::PutMetricAlarm(alarm) => self.put_alarm(step, alarm),
            Change::AddTopicStatement(statement) => self.put_statement(statement),
        }
    }

    pub(super) fn answer(&self, request: &Request) -> Option<Arc<Value>> {
        let own = self.changes.answers.get(request);
        let planned = self
            .planned
            .and_then(|planned| planned.answers.get(request));
        let known = own.or(planned).cloned();
        known.or_else(|| self.seen.known(request))
    }

    pub(super) fn edit(&mut self, request: Request, change: impl FnOnce(&mut Map<String, Value>)) {
        let mut response = match self.answer(&request).as_deref() {
            Some(Value::Object(response)) => response.clone(),
            _ => Map::new(),
        };
        change(&mut response);
        let response = Value::Object(response);
        // Made of answers that could be read, with elements like theirs.
        let _ = self.changes.evidence.insert(Record {
            operation: request.call.operation(),
            account: request.account,
            region: request.region.clone(),
            parameters: request.call.parameters(),
            observed_at: self.seen.now(),
            request_id: None,
            outcome: Outcome::Response(response.clone()),
        });
        self.changes.answers.insert(request, Arc::new(response));
    }

    fn put_filter(&mut self, step: &Step, filter: &MetricFilter) {
        let request = filters_of(step.account, &step.region, &filter.log_group);
        self.edit(request, |response| {
            push(response, "metricFilters", filter.described());
        });
    }

    fn put_alarm(&mut self, step: &Step, alarm: &Alarm) {
        self.edit(alarms_of(step.account, &step.region), |response| {
            let described = alarm.described(step.account, &step.region);
            response
                .entry("CompositeAlarms")
                .or_insert_with(|| json!([]));
            push(response, "MetricAlarms", described);
        });
        // A rule can only name an alarm that exists, and this one does not yet.
        self.assume_unmuted(step.account, &step.region);
    }

    /// Takes what was not seen for not there: rules that mute alarms.
    fn assume_unmuted(&mut self, account: AccountId, region: &Region) {
        let request = mute_rules_of(account, region);
        if !self.seen.has(&request) {
            self.edit(request, |response| {
                response
                    .entry("AlarmMuteRuleSummaries")
                    .or_insert_with(|| json!([]));
            });
        }
    }

    fn put_topic(&mut self, topic: &Topic) {
        let owner = topic_request(&topic.arn, attributes_of);
        if let Some(request) = owner {
            let attributes = topic.described(request.account);
            self.edit(request, |response| {
                response.insert("Attributes".to_owned(), attributes);
            });
        }
        if let Some(request) = topic_request(&topic.arn, subscriptions_of) {
            self.edit(request, |response| {
                response.entry("Subscriptions").or_insert_with(|| json!([]));
            });
        }
        if let Some(key) = &topic.kms_key {
            self.assume_key(&topic.arn, key);
        }
    }

    /// A topic whose policy nobody saw has none that could be added to: `apply` looks first.
    fn put_statement(&mut self, statement: &TopicStatement) {
        let Some(request) = topic_request(&statement.topic_arn, attributes_of) else {
            return;
        };
        self.edit(request, |response| {
            let attributes = response
                .get_mut("Attributes")
                .and_then(Value::as_object_mut);
            if let Some(policy) = attributes.and_then(|members| members.get_mut("Policy"))
                && let Some(added) = policy.as_str().and_then(|text| statement.added_to(text))
            {
                *policy = json!(added);
            }
        });
    }

    /// Takes the key that the user names for a new topic for one that CloudWatch may use, where
    /// nobody saw it. The plan says so.
    fn assume_key(&mut self, topic: &str, key: &str) {
        let Some(topic) = topic_request(topic, attributes_of) else {
            return;
        };
        let user = CallSite {
            account: topic.account,
            region: topic.region,
        };
        let Some(name) = KeyName::read(key, &user) else {
            return;
        };
        let id = self
            .seen
            .evidence()
            .reader()
            .key(&name)
            .into_iter()
            .find_map(|(_, answer)| answer.outcome.as_ref().ok()?.key_id.clone())
            .or_else(|| Some(name.to_string().split_once(":key/")?.1.to_owned()))
            .unwrap_or_else(|| "00000000-0000-0000-0000-000000000000".to_owned());
        let of_owner = |call| request(name.site.account, &name.site.region, call);
        let described = of_owner(Call::DescribeKey {
            key: name.to_string(),
        });
        if !self.seen.has(&described) {
            self.edit(described, |response| {
                let metadata =
                    json!({"KeyId": id, "KeyState": "Enabled", "KeyManager": "CUSTOMER"});
                response.insert("KeyMetadata".to_owned(), metadata);
            });
        }
        let policy = of_owner(Call::GetKeyPolicy {
            key: name.with_id(&id).to_string(),
        });
        if !self.seen.has(&policy) {
            let lets_cloudwatch = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow",
                "Principal": {"Service": "cloudwatch.amazonaws.com"},
                "Action": ["kms:Decrypt", "kms:GenerateDataKey*"], "Resource": "*"}]});
            self.edit(policy, |response| {
                response.insert("Policy".to_owned(), json!(lets_cloudwatch.to_string()));
            });
        }
    }

    /// Takes a topic that the user names for usable although it was not seen: it lets CloudWatch
    /// publish and, unless the plan subscribes somebody, somebody listens. `apply` looks first.
    fn assume_topic(&mut self, arn: &str, somebody_listens: bool) {
        let Some(request) = topic_request(arn, attributes_of) else {
            return;
        };
        let policy = json!({
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", "Principal": {"Service": "cloudwatch.amazonaws.com"},
                "Action": "sns:Publish", "Resource": arn}],
        });
        let confirmed = if somebody_listens { "1" } else { "0" };
        let attributes = json!({
            "TopicArn": arn, "Owner": request.account, "Policy": policy.to_string(),
            "SubscriptionsConfirmed": confirmed, "SubscriptionsPending": "0",
            "SubscriptionsDeleted": "0",
        });
        let (account, region) = (request.account, request.region.clone());
        self.edit(request, |response| {
            response.insert("Attributes".to_owned(), attributes);
        });
        let subscription = format!("{arn}:00000000-0000-0000-0000-000000000000");
        let listed = somebody_listens.then(|| {
            json!({"SubscriptionArn": subscription, "Owner": account, "Protocol": "email", "TopicArn": arn})
        });
        if let Some(request) = topic_request(arn, subscriptions_of) {
            let listed: Vec<Value> = listed.into_iter().collect();
            self.edit(request, |response| {
                response.insert("Subscriptions".to_owned(), listed.into());
            });
        }
        if somebody_listens {
            self.put_confirmed(subscription_request(account, &region, subscription));
        }
    }

    /// Takes the confirmed subscriptions of a topic whose attributes were never asked for ones
    /// without a filter policy. The plan says so.
    fn assume_unfiltered(&mut self, arn: &str) {
        let answer = topic_request(arn, subscriptions_of).and_then(|request| self.answer(&request));
        let listed = list(answer.as_ref(), "Subscriptions");
        for request in unasked(&self.seen.evidence().reader(), listed) {
            self.put_confirmed(request);
        }
    }

    /// What SNS tells of a confirmed subscription that nobody gave a filter policy.
    fn put_confirmed(&mut self, request: Request) {
        let mut attributes = request.call.parameters();
        attributes.insert("PendingConfirmation".to_owned(), json!("false"));
        self.edit(request, |response| {
            response.insert("Attributes".to_owned(), attributes.into());
        });
    }

    fn put_subscription(&mut self, subscription: &Subscription) {
        let arn = &subscription.topic_arn;
        if let Some(request) = topic_request(arn, subscriptions_of) {
            let described = subscription.described(request.account);
            let confirmed = described.get("SubscriptionArn").and_then(Value::as_str);
            let confirmed = confirmed.filter(|_| !subscription.needs_confirmation);
            if let Some(confirmed) = confirmed.map(str::to_owned) {
                let (account, region) = (request.account, &request.region);
                self.put_confirmed(subscription_request(account, region, confirmed));
            }
            self.edit(request, |response| {
                push(response, "Subscriptions", described);
            });
        }
        let topic = topic_request(arn, attributes_of);
        let Some(request) = topic.filter(|request| self.answer(request).is_some()) else {
            return;
        };
        let counter = if subscription.needs_confirmation {
            "SubscriptionsPending"
        } else {
            "SubscriptionsConfirmed"
        };
        self.edit(request, |response| {
            if let Some(Value::Object(attributes)) = response.get_mut("Attributes") {
                let before = attributes.get(counter).and_then(Value::as_str);
                let count = before
                    .and_then(|text| text.parse::<u64>().ok())
                    .unwrap_or(0);
                attributes.insert(counter.to_owned(), json!((count + 1).to_string()));
            }
        });
    }
}

/// The questions for the attributes of the confirmed subscriptions of a list, asked as their owners,
/// that nobody asked.
fn unasked(reader: &Reader<'_>, listed: &[Value]) -> Vec<Request> {
    let confirmed = |subscription: &Value| {
        let text = |member: &str| subscription.get(member)?.as_str();
        let arn: Arn = text("SubscriptionArn")?.parse().ok()?;
        let owner = text("Owner").and_then(|owner| owner.parse().ok());
        let (owner, region) = (owner.or(arn.account())?, arn.region()?);
        Some(subscription_request(owner, &region, arn.to_string()))
    };
    let questions = listed.iter().filter_map(confirmed);
    questions.filter(|request| !reader.has(request)).collect()
}

fn subscription_request(owner: AccountId, region: &Region, subscription_arn: String) -> Request {
    request(
        owner,
        region,
        Call::GetSubscriptionAttributes { subscription_arn },
    )
}

pub(super) fn push(response: &mut Map<String, Value>, member: &str, element: Value) {
    match response.get_mut(member) {
        Some(Value::Array(elements)) => elements.push(element),
        _ => {
            response.insert(member.to_owned(), Value::Array(vec![element]));
        }
    }
}

fn attributes(answer: &Value) -> Option<Value> {
    answer.get("Attributes").cloned()
}

pub(super) fn request(account: AccountId, region: &Region, call: Call) -> Request {
    Request {
        account,
        region: region.clone(),
        call,
    }
}

pub(super) fn filters_of(account: AccountId, region: &Region, log_group: &str) -> Request {
    let call = Call::DescribeMetricFilters {
        log_group_name: Some(log_group.to_owned()),
    };
    request(account, region, call)
}

fn alarms_of(account: AccountId, region: &Region) -> Request {
    request(account, region, Call::DescribeAlarms)
}

fn mute_rules_of(account: AccountId, region: &Region) -> Request {
    let call = Call::ListAlarmMuteRules { alarm_name: None };
    request(account, region, call)
}

fn attributes_of(topic_arn: String) -> Call {
    Call::GetTopicAttributes { topic_arn }
}

fn subscriptions_of(topic_arn: String) -> Call {
    Call::ListSubscriptionsByTopic { topic_arn }
}

/// Topics are read by their owner.
fn topic_request(arn: &str, call: fn(String) -> Call) -> Option<Request> {
    let parsed: Arn = arn.parse().ok()?;
    Some(Request {
        account: parsed.account()?,
        region: parsed.region()?,
        call: call(arn.to_owned()),
    })
}
