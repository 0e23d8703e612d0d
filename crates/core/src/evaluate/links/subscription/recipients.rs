//! Who is subscribed where a chain ends, each by itself, and where forwarders lead from there.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::Question;
use super::audience::{Hears, Told};
use crate::arn::Arn;
use crate::evaluate::alarm_message::AlarmMessage;
use crate::evidence::{CallSite, Reader, Subscription};
use crate::forwarder::{Forwarder, MAX_HOPS};

/// A subscription of a topic that the message of an alarm reaches, or may.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recipient {
    /// The ARN of the topic.
    pub topic: String,
    /// The topics that the message was at before, from the alarm's on: forwarders passed it on.
    pub through: Vec<String>,
    /// Such as `email`. Untrusted text.
    pub protocol: Option<Arc<str>>,
    /// Where messages go: an address, a number, an ARN. Untrusted text, and personal data.
    pub endpoint: Option<Arc<str>>,
    /// Whether somebody confirmed the subscription.
    pub is_confirmed: bool,
    /// Whether it tells a person of the message; `None` where that is not known.
    pub hears: Option<bool>,
    /// Why it does not, or why that is not known; empty where it does.
    pub why: String,
}

/// Everybody who is subscribed to the topic that an alarm notifies, and to those that forwarders
/// pass its message on to, in the order in which topics list them.
pub(in crate::evaluate) fn recipients(
    evidence: &Reader<'_>,
    alarms: &CallSite,
    forwarders: &[Forwarder],
    topic: &str,
    message: Option<&AlarmMessage>,
) -> Vec<Recipient> {
    let question = Question {
        evidence,
        alarms,
        forwarders,
        message,
    };
    let mut found = Vec::new();
    if let Ok(topic) = topic.parse() {
        let mut visited = BTreeSet::new();
        add(&question, &topic, &[], Some(true), &mut visited, &mut found);
    }
    found
}

/// Adds those of a topic. `arrives` is whether the message does.
fn add(
    question: &Question<'_>,
    topic: &Arn,
    passed: &[String],
    arrives: Option<bool>,
    visited: &mut BTreeSet<String>,
    found: &mut Vec<Recipient>,
) {
    if passed.len() > MAX_HOPS || !visited.insert(topic.to_string()) {
        return;
    }
    let Ok((list, _, listed_at)) = question.list(topic) else {
        return;
    };
    let mut onward: Vec<(Arn, Option<bool>)> = Vec::new();
    for subscription in &list.items {
        let recipient = |hears, why: &str| Recipient {
            topic: topic.to_string(),
            through: passed.to_vec(),
            protocol: subscription.protocol.clone(),
            endpoint: subscription.endpoint.clone(),
            is_confirmed: subscription.is_confirmed(),
            hears,
            why: why.to_owned(),
        };
        if subscription.is_pending() {
            found.push(recipient(
                Some(false),
                "nobody has confirmed the subscription",
            ));
        }
        if !subscription.is_confirmed() {
            continue;
        }
        let told = Told::of(question, topic, subscription, listed_at, passed);
        let (hears, why) = match &told.audience.hears {
            Hears::Yes(_) => (arrives, "whether the message comes so far is not known"),
            Hears::Unknown(cause) => (None, &*cause.message),
            Hears::Nobody(cause) => (Some(false), &*cause.message),
        };
        let why = if hears == Some(true) { "" } else { why };
        found.push(recipient(hears, why));
        if let Some(target) = target(question, topic, subscription) {
            let goes_on = matches!(told.audience.hears, Hears::Yes(_));
            onward.push((target, arrives.filter(|_| goes_on)));
        }
    }
    let passed = [passed, &[topic.to_string()]].concat();
    for (target, arrives) in onward {
        let there = Question {
            // What a machine publishes is its own message.
            message: None,
            ..*question
        };
        add(&there, &target, &passed, arrives, visited, found);
    }
}

/// The topic that a machine passes messages on to, as the configuration says.
fn target(question: &Question<'_>, topic: &Arn, subscription: &Subscription) -> Option<Arn> {
    let endpoint = subscription.endpoint_arn().unwrap_or_default();
    let forwarder = question
        .forwarders
        .iter()
        .find(|forwarder| forwarder.forwards(topic.as_str(), endpoint))?;
    forwarder.target_of(topic)?.parse().ok()
}
