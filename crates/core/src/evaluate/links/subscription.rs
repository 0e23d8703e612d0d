//! Somebody confirmed a subscription.

use crate::arn::Arn;
use crate::evaluate::links::topic::{ask_owner, is_missing};
use crate::evaluate::reading::Reading;
use crate::evaluate::verdict::{Cause, Reason, Step};
use crate::evidence::{Call, Listing, Reader, Site, Subscription, TopicAttributes};
use crate::finding::{LinkName, Status};
use crate::observation::ObservationKind;

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
static NOT_OBSERVED: Reason = Reason {
    code: "subscription.not-observed",
    status: Status::Unknown,
    meaning: "The topic's subscriptions could not be seen.",
    remedy: "Let the audit role in the topic's account call sns:GetTopicAttributes and sns:ListSubscriptionsByTopic, then scan again.",
};

pub(in crate::evaluate) const REASONS: &[&Reason] = &[&NONE, &PENDING, &NOT_OBSERVED];

static MACHINES_ONLY: ObservationKind = ObservationKind {
    code: "subscription.machines-only",
    meaning: "Every confirmed subscription ends at a machine: whether a person is told rests on what it does.",
};
static ALSO_PENDING: ObservationKind = ObservationKind {
    code: "subscription.also-pending",
    meaning: "Beside a confirmed subscription there are some that nobody has confirmed yet.",
};

pub(in crate::evaluate) const OBSERVATIONS: &[&ObservationKind] = &[&MACHINES_ONLY, &ALSO_PENDING];

/// How many subscriptions a topic has.
#[derive(Clone, Copy)]
struct Count {
    confirmed: u64,
    pending: u64,
}

impl Count {
    fn of_list(list: &Listing<Subscription>) -> Self {
        let count = |test: fn(&Subscription) -> bool| {
            list.items
                .iter()
                .filter(|subscription| test(subscription))
                .count() as u64
        };
        Self {
            confirmed: count(Subscription::is_confirmed),
            pending: count(Subscription::is_pending),
        }
    }

    fn of_counters(attributes: &TopicAttributes) -> Option<Self> {
        Some(Self {
            confirmed: attributes.subscriptions_confirmed?,
            pending: attributes.subscriptions_pending.unwrap_or_default(),
        })
    }
}

/// Judges a topic by its subscriptions. The list decides where it was seen as the topic's owner;
/// else the topic's own counters do.
pub(in crate::evaluate) fn judge(evidence: &Reader<'_>, alarms: &Site, topic: &str) -> Step {
    let step = Step::new(LinkName::Subscription);
    let Ok(arn) = topic.parse::<Arn>() else {
        return step.because(Cause::new(
            &NONE,
            format!("`{topic}` is not the ARN of a topic"),
        ));
    };
    let step = step.on(topic, arn.account(), arn.region());
    let list = ask_owner(
        evidence,
        &arn,
        alarms,
        || Call::ListSubscriptionsByTopic {
            topic_arn: topic.to_owned(),
        },
        evidence.subscriptions(topic),
    );
    let attributes = ask_owner(
        evidence,
        &arn,
        alarms,
        || Call::GetTopicAttributes {
            topic_arn: topic.to_owned(),
        },
        evidence.topic_attributes(topic),
    );
    if let Reading::Read {
        value,
        by,
        observed_at,
    } = &list
    {
        let count = Count::of_list(value);
        // Others may be shown less than the owner; what they are shown is true.
        let whole = value.complete && arn.account().is_none_or(|owner| owner == by.account);
        if count.confirmed > 0 || whole {
            let step = counted(step.seen(Some(*observed_at)), topic, count);
            return if whole {
                observe_protocols(step, topic, value)
            } else {
                step
            };
        }
    }
    match attributes {
        Reading::Read {
            value, observed_at, ..
        } => {
            let step = step.seen(Some(observed_at));
            let open = match &list {
                Reading::Unread(unread) => unread.wants.clone(),
                Reading::Read { .. } => Vec::new(),
            };
            match Count::of_counters(&value) {
                Some(count) if count.confirmed > 0 => counted(step, topic, count),
                // Some implementations always count zero; the list tells the truth.
                Some(count) => counted(step, topic, count).wanting(open),
                None => step
                    .because(Cause::new(
                        &NOT_OBSERVED,
                        format!("sns:GetTopicAttributes does not count the subscriptions of topic {topic}"),
                    ))
                    .wanting(open),
            }
        }
        Reading::Unread(unread) if is_missing(&unread) => {
            step.seen(unread.observed_at).because(Cause::new(
                &NONE,
                format!("topic {topic} does not exist, so nobody is subscribed to it"),
            ))
        }
        Reading::Unread(unread) => {
            if let Reading::Unread(list) = &list
                && is_missing(list)
            {
                return step.seen(list.observed_at).because(Cause::new(
                    &NONE,
                    format!("topic {topic} does not exist, so nobody is subscribed to it"),
                ));
            }
            // Without the counters the list can still tell.
            let wants = if unread.wants.is_empty() {
                match &list {
                    Reading::Unread(list) => list.wants.clone(),
                    Reading::Read { .. } => Vec::new(),
                }
            } else {
                unread.wants.clone()
            };
            step.seen(unread.observed_at)
                .because(Cause::new(
                    &NOT_OBSERVED,
                    format!(
                        "the subscriptions of topic {topic} could not be seen: {}",
                        unread.why
                    ),
                ))
                .wanting(wants)
        }
    }
}

/// Protocols that end at a machine (SNS API Reference, `Subscribe`). A web address may be that of a
/// pager, and an application that of a telephone.
const MACHINES: [&str; 3] = ["sqs", "lambda", "firehose"];

/// Says so where every confirmed subscription is a machine's.
fn observe_protocols(step: Step, topic: &str, list: &Listing<Subscription>) -> Step {
    let mut protocols: Vec<&str> = Vec::new();
    for subscription in list.items.iter().filter(|one| one.is_confirmed()) {
        let Some(protocol) = subscription.protocol.as_deref() else {
            return step;
        };
        if !MACHINES.contains(&protocol) {
            return step;
        }
        protocols.push(protocol);
    }
    protocols.sort_unstable();
    protocols.dedup();
    if protocols.is_empty() {
        return step;
    }
    step.observe(
        &MACHINES_ONLY,
        format!(
            "the confirmed subscriptions of topic {topic} are all of {}: whether a person is told \
             rests on what these do",
            protocols.join(", ")
        ),
    )
}

fn counted(step: Step, topic: &str, count: Count) -> Step {
    let Count { confirmed, pending } = count;
    if confirmed > 0 {
        let step = step.detail(match confirmed {
            1 => format!("1 confirmed subscription of {topic}"),
            many => format!("{many} confirmed subscriptions of {topic}"),
        });
        let further = match pending {
            0 => return step,
            1 => format!("1 further subscription of topic {topic} is not confirmed yet"),
            many => format!("{many} further subscriptions of topic {topic} are not confirmed yet"),
        };
        return step.observe(&ALSO_PENDING, further);
    }
    let waiting = match pending {
        0 => None,
        1 => Some("1 is".to_owned()),
        many => Some(format!("{many} are")),
    };
    match waiting {
        Some(waiting) => step.because(Cause::new(
            &PENDING,
            format!(
                "topic {topic} has no confirmed subscription, and {waiting} waiting to be confirmed"
            ),
        )),
        None => step.because(Cause::new(
            &NONE,
            format!("nobody is subscribed to topic {topic}"),
        )),
    }
}

#[cfg(test)]
pub(in crate::evaluate) mod tests {
    use serde_json::json;

    use crate::evaluate::fixture::{Case, MANAGEMENT, MEMBER, TOPIC, World, check, table};
    use crate::finding::Status::{Fail, Pass};

    /// The healthy organization, where the topic's confirmed subscriptions are listed.
    fn listed(protocols: &[&str]) -> World {
        let subscriptions: Vec<_> = protocols
            .iter()
            .map(|protocol| {
                json!({"Protocol": protocol, "SubscriptionArn": format!("{TOPIC}:{protocol}")})
            })
            .collect();
        World::healthy().with(
            "sns:ListSubscriptionsByTopic",
            MANAGEMENT,
            "eu-west-1",
            &json!({"TopicArn": TOPIC}),
            &json!({"Subscriptions": subscriptions}),
        )
    }

    #[test]
    fn subscriptions_of_machines_are_told() {
        for (protocols, told) in [
            (&["sqs"] as &[&str], true),
            (&["sqs", "lambda", "firehose"], true),
            (&["sqs", "email"], false),
            (&["https"], false),
            (&["application"], false),
        ] {
            let world = listed(protocols);
            check(&world, Pass, Pass, None);
            let finding = world.finding(MEMBER);
            let seen = |code: &str| finding.observations.iter().any(|seen| seen.code == code);
            assert_eq!(seen("subscription.machines-only"), told, "{protocols:?}");
        }
    }

    /// Each observation, and where it is made.
    pub(in crate::evaluate) fn observed() -> Vec<(&'static str, World)> {
        vec![
            ("subscription.machines-only", listed(&["sqs"])),
            (
                "subscription.also-pending",
                World::healthy().set(
                    "sns:GetTopicAttributes",
                    MANAGEMENT,
                    "/Attributes/SubscriptionsPending",
                    json!("1"),
                ),
            ),
        ]
    }

    /// What is changed by itself.
    pub(in crate::evaluate) fn cases() -> Vec<Case> {
        vec![Case(
            "sns:GetTopicAttributes",
            MANAGEMENT,
            "/Attributes/SubscriptionsConfirmed",
            json!("0"),
            Fail,
            Fail,
            Some("subscription.none"),
        )]
    }

    #[test]
    fn one_thing_is_not_as_it_should_be() {
        table(&cases());
    }
}
