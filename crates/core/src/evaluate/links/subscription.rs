//! Somebody confirmed a subscription, and hears.
//!
//! By the benchmark a confirmed subscription is enough. Effectively its filter policy has to let
//! the alarm's message through, and somebody has to be told: a machine is nobody until it is known
//! what it does with the message.

mod audience;
mod forwarding;
mod recipients;

use crate::arn::Arn;
use crate::evaluate::alarm_message::AlarmMessage;
use crate::evaluate::links::topic::{ask_owner, is_missing};
use crate::evaluate::reading::{Reading, Unread, ask};
use crate::evaluate::verdict::{Cause, Reason, Step, Verdict};
use crate::evidence::{Call, CallSite, Listing, Reader, Subscription};
use crate::finding::{LinkName, Status};
use crate::forwarder::Forwarder;
use crate::observation::ObservationKind;
use audience::{Audience, Hears};
pub use recipients::Recipient;
pub(in crate::evaluate) use recipients::recipients;

static NONE: Reason = Reason {
    code: "subscription.none",
    status: Status::Fail,
    meaning: "Nobody is subscribed to the topic.",
    remedy: "Subscribe somebody to the topic, and confirm the subscription.",
};
static PENDING: Reason = Reason {
    code: "subscription.pending",
    status: Status::Fail,
    meaning: "Somebody is subscribed to the topic, but nobody confirmed.",
    remedy: "Confirm the subscription by the link in the message that SNS sent; subscribe again when it is older than two days.",
};
static DROPPED: Reason = Reason {
    code: "subscription.filter-policy-drops",
    status: Status::Fail,
    meaning: "The filter policy of every confirmed subscription drops the alarm's message.",
    remedy: "Subscribe somebody to the topic without a filter policy, and confirm the subscription.",
};
static FORWARDED_NOWHERE: Reason = Reason {
    code: "subscription.forwarded-nowhere",
    status: Status::Fail,
    meaning: "The topic that a forwarder publishes to does not exist, or its key cannot be used.",
    remedy: "Look at the topic that the forwarder publishes to, or subscribe somebody to the first topic.",
};
static NOT_OBSERVED: Reason = Reason {
    code: "subscription.not-observed",
    status: Status::Unknown,
    meaning: "The topic's subscriptions could not be seen.",
    remedy: "Let the audit role in the topic's account call sns:ListSubscriptionsByTopic, then scan again.",
};
static FILTER_NOT_OBSERVED: Reason = Reason {
    code: "subscription.filter-policy-not-observed",
    status: Status::Unknown,
    meaning: "Whether the filter policy of a confirmed subscription lets the alarm's message through could not be seen.",
    remedy: "Let the audit role in the account that subscribed call sns:GetSubscriptionAttributes, then scan again.",
};
static FILTER_NOT_DECIDED: Reason = Reason {
    code: "subscription.filter-policy-not-decided",
    status: Status::Unknown,
    meaning: "Whether the filter policy of a confirmed subscription lets the alarm's message through could not be decided.",
    remedy: "Subscribe somebody to the topic without a filter policy, and confirm the subscription.",
};
static MACHINES_ONLY: Reason = Reason {
    code: "subscription.machines-only",
    status: Status::Unknown,
    meaning: "Every confirmed subscription ends at a machine: whether a person is told rests on what it does.",
    remedy: "Subscribe somebody to the topic, or describe the machine in a [[forwarder]] table of trailproof.toml.",
};
static UNKNOWN_PROTOCOL: Reason = Reason {
    code: "subscription.unknown-protocol",
    status: Status::Unknown,
    meaning: "The confirmed subscriptions have a protocol that trailproof does not know.",
    remedy: "Subscribe somebody to the topic by e-mail, and confirm the subscription.",
};
static FORWARDED_TOO_FAR: Reason = Reason {
    code: "subscription.forwarded-too-far",
    status: Status::Unknown,
    meaning: "The message is passed on more than three times, or comes back to a topic that it was at.",
    remedy: "Correct the [[forwarder]] tables, or subscribe somebody to the first topic.",
};
static FORWARDING_NOT_OBSERVED: Reason = Reason {
    code: "subscription.forwarding-not-observed",
    status: Status::Unknown,
    meaning: "The topic that a forwarder publishes to, or its key, could not be seen.",
    remedy: "Let the audit role in that topic's account call sns:GetTopicAttributes, sns:ListSubscriptionsByTopic and kms:DescribeKey, then scan again.",
};

pub(in crate::evaluate) const REASONS: &[&Reason] = &[
    &NONE,
    &PENDING,
    &DROPPED,
    &FORWARDED_NOWHERE,
    &MACHINES_ONLY,
    &UNKNOWN_PROTOCOL,
    &FILTER_NOT_DECIDED,
    &FORWARDED_TOO_FAR,
    &NOT_OBSERVED,
    &FILTER_NOT_OBSERVED,
    &FORWARDING_NOT_OBSERVED,
];

static ALSO_PENDING: ObservationKind = ObservationKind {
    code: "subscription.also-pending",
    meaning: "Beside a confirmed subscription there are some that nobody has confirmed yet.",
};
static ANYBODY_CAN_UNSUBSCRIBE: ObservationKind = ObservationKind {
    code: "subscription.anybody-can-unsubscribe",
    meaning: "The subscription was confirmed without signing in: whoever has one of its messages can end it by the link in it.",
};
static DELIVERED_BY_MACHINE: ObservationKind = ObservationKind {
    code: "subscription.delivered-by-machine",
    meaning: "Somebody vouches for it that a machine tells a person: a `[[forwarder]]` with `delivers-to`.",
};
static FORWARDED: ObservationKind = ObservationKind {
    code: "subscription.forwarded",
    meaning: "A machine passes the message on to another topic, whose subscriptions were judged: a `[[forwarder]]` with `target`.",
};
pub(in crate::evaluate) const OBSERVATIONS: &[&ObservationKind] = &[
    &ALSO_PENDING,
    &ANYBODY_CAN_UNSUBSCRIBE,
    &DELIVERED_BY_MACHINE,
    &FORWARDED,
];

/// Everything that the subscriptions of a topic are judged by.
struct Question<'a> {
    evidence: &'a Reader<'a>,
    /// The account and region of the alarm.
    alarms: &'a CallSite,
    forwarders: &'a [Forwarder],
    /// The message; `None` where nobody knows which alarm sends it, or where a machine wrote it.
    message: Option<&'a AlarmMessage>,
}

/// Judges a topic by its subscriptions, as its owner lists them. The topic's own counters say how
/// many there are, and lag behind.
pub(in crate::evaluate) fn judge(
    evidence: &Reader<'_>,
    alarms: &CallSite,
    forwarders: &[Forwarder],
    topic: &str,
    message: Option<&AlarmMessage>,
) -> Step {
    let step = Step::new(LinkName::Subscription);
    let Ok(arn) = topic.parse::<Arn>() else {
        return step.because(Cause::new(
            &NONE,
            format!("`{topic}` is not the ARN of a topic"),
        ));
    };
    let question = Question {
        evidence,
        alarms,
        forwarders,
        message,
    };
    let mut step = step.on(topic, arn.account(), arn.region());
    let (list, by, observed_at) = match question.list(&arn) {
        Ok(list) => list,
        Err((cause, unread)) => {
            return step
                .seen(unread.observed_at)
                .because(cause)
                .wanting(unread.wants);
        }
    };
    step = step.seen(Some(observed_at));
    let whole = list.complete && arn.account().is_none_or(|owner| owner == by.account);
    let counted = Count::of(&list);
    let mut audience = Audience::of(&question, &arn, &list, observed_at, &[]);
    step.cis = match counted.confirmed {
        0 if whole => Verdict::because(counted.nobody(topic)),
        0 => Verdict::because(partly(&arn, &by)),
        _ => Verdict::Proved,
    };
    if !whole && !matches!(audience.hears, Hears::Yes(_)) {
        // Others may be shown less than the owner; what they are shown is true.
        audience.hears = match audience.hears {
            Hears::Nobody(_) => Hears::Unknown(partly(&arn, &by)),
            hears => hears,
        };
        if audience.wants.is_empty() {
            audience.wants = question.owners_list(&arn);
        }
    }
    if counted.confirmed > 0 && counted.pending > 0 {
        step = step.observe(&ALSO_PENDING, counted.also_pending(topic));
    }
    let mut step = step.seen(audience.observed_at);
    match audience.hears {
        Hears::Yes(detail) => {
            for (kind, message) in audience.observations {
                step = step.observe(kind, message);
            }
            step.detail(detail)
        }
        Hears::Unknown(cause) | Hears::Nobody(cause) => step
            .effective(Verdict::because(cause))
            .wanting(audience.wants),
    }
}

/// The cause of a list that others than the topic's owner were shown.
fn partly(topic: &Arn, by: &CallSite) -> Cause {
    Cause::new(
        &NOT_OBSERVED,
        format!(
            "not every subscription of topic {topic} was seen: account {} was shown those that it may see, or a part of the list",
            by.account
        ),
    )
}

type Listed = (
    std::sync::Arc<Listing<Subscription>>,
    CallSite,
    jiff::Timestamp,
);

impl Question<'_> {
    /// The subscriptions of a topic, who was told and when; or why nobody was.
    fn list(&self, topic: &Arn) -> Result<Listed, (Cause, Unread)> {
        let evidence = self.evidence;
        let gone = |unread: Unread| {
            let why = format!("topic {topic} does not exist, so nobody is subscribed to it");
            let unread = Unread {
                wants: Vec::new(),
                ..unread
            };
            (Cause::new(&NONE, why), unread)
        };
        let call = || Call::GetTopicAttributes {
            topic_arn: topic.to_string(),
        };
        let answers = evidence.topic_attributes(topic.as_str());
        let attributes = match ask_owner(evidence, topic, self.alarms, call, answers) {
            Reading::Unread(attributes) if is_missing(&attributes) => {
                return Err(gone(attributes));
            }
            Reading::Unread(attributes) => attributes.wants,
            Reading::Read { .. } => Vec::new(),
        };
        let answers = evidence.subscriptions(topic.as_str());
        let list = ask_owner(evidence, topic, self.alarms, || Self::call(topic), answers);
        let unread = match list {
            Reading::Read {
                value,
                by,
                observed_at,
            } => return Ok((value, by, observed_at)),
            Reading::Unread(unread) => unread,
        };
        if is_missing(&unread) {
            return Err(gone(unread));
        }
        let why = format!(
            "the subscriptions of topic {topic} could not be seen: {}",
            unread.why
        );
        // The topic first: what is seen of a chain is not to depend on which of two answers an
        // interrupted scan got.
        let unread = if attributes.is_empty() {
            unread
        } else {
            Unread {
                wants: attributes,
                ..unread
            }
        };
        Err((Cause::new(&NOT_OBSERVED, why), unread))
    }

    /// The call for the list that the topic's owner is shown, where it was never made.
    fn owners_list(&self, topic: &Arn) -> Vec<crate::evidence::Request> {
        let owner = CallSite {
            account: topic.account().unwrap_or(self.alarms.account),
            region: topic.region().unwrap_or_else(|| self.alarms.region.clone()),
        };
        let answers = self.evidence.subscriptions(topic.as_str());
        let reading = ask(
            self.evidence,
            &owner,
            || Self::call(topic),
            |site| {
                let mut own = answers.iter().filter(|(by, _)| *by == site);
                own.next().map(|(_, answer)| *answer)
            },
        );
        match reading {
            Reading::Read { .. } => Vec::new(),
            Reading::Unread(unread) => unread.wants,
        }
    }

    fn call(topic: &Arn) -> Call {
        Call::ListSubscriptionsByTopic {
            topic_arn: topic.to_string(),
        }
    }
}

/// How many subscriptions a list has.
#[derive(Clone, Copy)]
struct Count {
    confirmed: usize,
    pending: usize,
}

impl Count {
    fn of(list: &Listing<Subscription>) -> Self {
        let count = |test: fn(&Subscription) -> bool| {
            let found = list.items.iter().filter(|subscription| test(subscription));
            found.count()
        };
        Self {
            confirmed: count(Subscription::is_confirmed),
            pending: count(Subscription::is_pending),
        }
    }

    fn also_pending(self, topic: &str) -> String {
        match self.pending {
            1 => format!("1 further subscription of topic {topic} is not confirmed yet"),
            many => format!("{many} further subscriptions of topic {topic} are not confirmed yet"),
        }
    }

    /// The cause of a list without a confirmed subscription.
    fn nobody(self, topic: &str) -> Cause {
        let waiting = match self.pending {
            0 => {
                let why = format!("nobody is subscribed to topic {topic}");
                return Cause::new(&NONE, why);
            }
            1 => "1 is".to_owned(),
            many => format!("{many} are"),
        };
        Cause::new(
            &PENDING,
            format!(
                "topic {topic} has no confirmed subscription, and {waiting} waiting to be confirmed"
            ),
        )
    }
}

#[cfg(test)]
pub(in crate::evaluate) mod tests;
