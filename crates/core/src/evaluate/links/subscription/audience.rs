//! Whom a topic tells: each of its confirmed subscriptions, and what they come to.

use jiff::Timestamp;

use super::{
    ANYBODY_CAN_UNSUBSCRIBE, Count, DROPPED, FILTER_NOT_DECIDED, FILTER_NOT_OBSERVED,
    MACHINES_ONLY, PENDING, Question, UNKNOWN_PROTOCOL,
};
use crate::arn::Arn;
use crate::evaluate::filter_policy::{self, Passage};
use crate::evaluate::reading::{Reading, ask};
use crate::evaluate::verdict::Cause;
use crate::evidence::{Call, CallSite, Listing, Request, Subscription, SubscriptionAttributes};
use crate::observation::ObservationKind;

/// Protocols that end at a machine (SNS API Reference, `Subscribe`). A web address may be that of a
/// pager, and an application that of a telephone.
const MACHINES: [&str; 3] = ["lambda", "sqs", "firehose"];

/// Protocols that reach a person, those first that say most.
const PERSONS: [&str; 6] = ["email", "email-json", "sms", "application", "https", "http"];

/// Whether somebody hears.
pub(super) enum Hears {
    /// Who, in a sentence.
    Yes(String),
    /// Why it is not known.
    Unknown(Cause),
    /// Why nobody does.
    Nobody(Cause),
}

/// What the subscriptions of a topic come to.
pub(super) struct Audience {
    pub(super) hears: Hears,
    /// The calls, never made, that may change it.
    pub(super) wants: Vec<Request>,
    pub(super) observed_at: Option<Timestamp>,
    pub(super) observations: Vec<(&'static ObservationKind, String)>,
}

impl Audience {
    pub(super) fn new(hears: Hears) -> Self {
        Self {
            hears,
            wants: Vec::new(),
            observed_at: None,
            observations: Vec::new(),
        }
    }

    pub(super) fn unknown(cause: Cause) -> Self {
        Self::new(Hears::Unknown(cause))
    }

    /// Judges the subscriptions that a topic lists. `passed` are the topics that the message was at
    /// before.
    pub(super) fn of(
        question: &Question<'_>,
        topic: &Arn,
        list: &Listing<Subscription>,
        listed_at: Timestamp,
        passed: &[String],
    ) -> Self {
        let mut confirmed: Vec<&Subscription> =
            list.items.iter().filter(|one| one.is_confirmed()).collect();
        confirmed.sort_by_key(|one| (rank(one), one.subscription_arn.clone()));
        if confirmed.is_empty() {
            return Self::new(Hears::Nobody(Count::of(list).nobody(topic.as_str())));
        }
        let count = confirmed.len();
        let told: Vec<Told> = confirmed
            .into_iter()
            .map(|subscription| Told::of(question, topic, subscription, listed_at, passed))
            .collect();
        let observed_at = told.iter().filter_map(|one| one.audience.observed_at).max();
        // One that proves it is enough. The first person is asked alone, then all at once.
        let open = |one: &&Told| !one.audience.wants.is_empty();
        let wants = match told.iter().find(open) {
            Some(first) if first.is_first_person && told.iter().all(|one| !one.is_asked) => {
                first.audience.wants.clone()
            }
            _ => told
                .iter()
                .flat_map(|one| one.audience.wants.clone())
                .collect(),
        };
        let (mut unknown, mut nobody) = (None, None);
        for one in told {
            match one.audience.hears {
                Hears::Yes(_) => {
                    let detail = match (count, one.audience.hears) {
                        (_, Hears::Yes(detail)) if !detail.is_empty() => detail,
                        (1, _) => format!("1 confirmed subscription of {topic}"),
                        (many, _) => format!("{many} confirmed subscriptions of {topic}"),
                    };
                    return Self {
                        hears: Hears::Yes(detail),
                        wants: Vec::new(),
                        observed_at,
                        observations: one.audience.observations,
                    };
                }
                Hears::Unknown(cause) => unknown = unknown.or(Some(cause)),
                // That a topic further on has nobody says more than that a message is dropped.
                Hears::Nobody(cause) if cause.reason.code == DROPPED.code => {
                    nobody = nobody.or(Some(cause));
                }
                Hears::Nobody(cause) => nobody = Some(cause),
            }
        }
        let hears = match (unknown, nobody) {
            (Some(cause), _) => Hears::Unknown(cause),
            (None, Some(cause)) => Hears::Nobody(cause),
            (None, None) => Hears::Nobody(Count::of(list).nobody(topic.as_str())),
        };
        Self {
            hears,
            wants,
            observed_at,
            observations: Vec::new(),
        }
    }
}

/// Persons first, in the order of their protocols, then what is not known, then machines.
fn rank(subscription: &Subscription) -> usize {
    let protocol = subscription.protocol.as_deref().unwrap_or_default();
    let person = PERSONS.iter().position(|known| *known == protocol);
    person.unwrap_or(if MACHINES.contains(&protocol) {
        PERSONS.len() + 1
    } else {
        PERSONS.len()
    })
}

/// What one subscription comes to.
pub(super) struct Told {
    pub(super) audience: Audience,
    /// Whether it is a person's and nobody has asked for its attributes.
    is_first_person: bool,
    /// Whether it is a person's and somebody has.
    is_asked: bool,
}

impl Told {
    pub(super) fn of(
        question: &Question<'_>,
        topic: &Arn,
        subscription: &Subscription,
        listed_at: Timestamp,
        passed: &[String],
    ) -> Self {
        let is_person = rank(subscription) < PERSONS.len();
        let reading = attributes(question, topic, subscription);
        let unasked = matches!(&reading, Reading::Unread(unread) if !unread.wants.is_empty());
        let audience = match &reading {
            Reading::Read {
                value, observed_at, ..
            } => {
                let mut audience =
                    with_attributes(question, topic, subscription, value, listed_at, passed);
                audience.observed_at = audience.observed_at.max(Some(*observed_at));
                audience
            }
            Reading::Unread(unread) => {
                let mut audience = if is_person {
                    let why = format!(
                        "whether the confirmed subscription {} lets the alarm's message through is not known: {}",
                        name(subscription),
                        unread.why
                    );
                    Audience::unknown(Cause::new(&FILTER_NOT_OBSERVED, why))
                } else {
                    // Whatever a machine lets through, it is nobody by itself.
                    let machine = ends_at(question, topic, subscription, listed_at, passed);
                    match machine.hears {
                        Hears::Yes(_) => {
                            let why = format!(
                                "whether the confirmed subscription {} lets the alarm's message through is not known: {}",
                                name(subscription),
                                unread.why
                            );
                            Audience::unknown(Cause::new(&FILTER_NOT_OBSERVED, why))
                        }
                        _ => machine,
                    }
                };
                audience.wants.extend(unread.wants.iter().cloned());
                audience.observed_at = audience.observed_at.max(unread.observed_at);
                audience
            }
        };
        Self {
            audience,
            is_first_person: is_person && unasked,
            is_asked: is_person && !unasked,
        }
    }
}

fn name(subscription: &Subscription) -> &str {
    subscription.subscription_arn.as_deref().unwrap_or_default()
}

/// What the account that subscribed is told of a subscription: others may be refused.
fn attributes(
    question: &Question<'_>,
    topic: &Arn,
    subscription: &Subscription,
) -> Reading<SubscriptionAttributes> {
    let arn = name(subscription);
    let owner = subscription
        .owner
        .as_deref()
        .and_then(|owner| owner.parse().ok());
    let site = CallSite {
        account: owner.or(topic.account()).unwrap_or(question.alarms.account),
        region: topic
            .region()
            .unwrap_or_else(|| question.alarms.region.clone()),
    };
    let answers = question.evidence.subscription_attributes(arn);
    let of_owner = answers.iter().find(|(by, _)| **by == site);
    let told = |answer: &&(&CallSite, &crate::evidence::Answer<SubscriptionAttributes>)| {
        answer.1.outcome.is_ok()
    };
    let answer = of_owner
        .filter(|answer| told(answer))
        .or_else(|| answers.iter().find(told))
        .or(of_owner);
    let call = || Call::GetSubscriptionAttributes {
        subscription_arn: arn.to_owned(),
    };
    ask(question.evidence, &site, call, |_| {
        answer.map(|(_, answer)| *answer)
    })
}

/// Judges a subscription whose attributes are known.
fn with_attributes(
    question: &Question<'_>,
    topic: &Arn,
    subscription: &Subscription,
    attributes: &SubscriptionAttributes,
    listed_at: Timestamp,
    passed: &[String],
) -> Audience {
    let arn = name(subscription);
    if attributes.subscription_arn.is_none() {
        let why = format!("sns:GetSubscriptionAttributes did not show the subscription {arn}");
        return Audience::unknown(Cause::new(&FILTER_NOT_OBSERVED, why));
    }
    if attributes.pending_confirmation.as_deref() == Some("true") {
        let why = format!("the subscription {arn} of topic {topic} is waiting to be confirmed");
        return Audience::new(Hears::Nobody(Cause::new(&PENDING, why)));
    }
    let policy = attributes.filter_policy.as_deref();
    let scope = attributes.filter_policy_scope.as_deref();
    let passage = match question.message {
        Some(message) => filter_policy::judge(policy, scope, message),
        None if policy.is_none_or(|policy| policy.trim() == "{}") => Passage::Passes,
        None => Passage::Undecided(
            "it has a filter policy, and what the message looks like there is not known".to_owned(),
        ),
    };
    let ends = || ends_at(question, topic, subscription, listed_at, passed);
    match passage {
        Passage::Dropped => {
            let why = format!("the filter policy of subscription {arn} drops the alarm's message");
            Audience::new(Hears::Nobody(Cause::new(&DROPPED, why)))
        }
        Passage::Undecided(why) => {
            let audience = ends();
            if !matches!(audience.hears, Hears::Yes(_)) {
                return audience;
            }
            let why = format!(
                "whether subscription {arn} lets the alarm's message through was not decided: {why}"
            );
            Audience::unknown(Cause::new(&FILTER_NOT_DECIDED, why))
        }
        Passage::Passes => {
            let mut audience = ends();
            let mail = subscription
                .protocol
                .as_deref()
                .is_some_and(|name| name.starts_with("email"));
            if mail && attributes.confirmation_was_authenticated.as_deref() == Some("false") {
                audience.observations.push((
                    &ANYBODY_CAN_UNSUBSCRIBE,
                    format!(
                        "subscription {arn} was confirmed without signing in: whoever has one of its messages can end it"
                    ),
                ));
            }
            audience
        }
    }
}

/// Who is at the end of a subscription.
fn ends_at(
    question: &Question<'_>,
    topic: &Arn,
    subscription: &Subscription,
    listed_at: Timestamp,
    passed: &[String],
) -> Audience {
    let arn = name(subscription);
    match subscription.protocol.as_deref() {
        Some(protocol) if PERSONS.contains(&protocol) => Audience::new(Hears::Yes(String::new())),
        Some(protocol) if MACHINES.contains(&protocol) => {
            super::forwarding::judge(question, topic, subscription, listed_at, passed)
                .unwrap_or_else(|why| Audience::unknown(Cause::new(&MACHINES_ONLY, why)))
        }
        protocol => {
            let why = format!(
                "the confirmed subscription {arn} of topic {topic} has {}",
                protocol.map_or_else(
                    || "no protocol that the evidence tells".to_owned(),
                    |protocol| format!("the protocol `{protocol}`, which trailproof does not know")
                )
            );
            Audience::unknown(Cause::new(&UNKNOWN_PROTOCOL, why))
        }
    }
}
