//! Machines behind a subscription, as the policy describes them.

use jiff::Timestamp;

use super::audience::{Audience, Hears};
use super::{
    DELIVERED_BY_MACHINE, FORWARDED, FORWARDED_NOWHERE, FORWARDED_TOO_FAR, FORWARDING_NOT_OBSERVED,
    Question,
};
use crate::arn::Arn;
use crate::evaluate::links::topic::{PUBLISHER_NOT_JUDGED, ask_owner, is_missing};
use crate::evaluate::links::topic_key;
use crate::evaluate::reading::Reading;
use crate::evaluate::verdict::{Cause, Verdict};
use crate::evidence::{Call, Subscription};
use crate::forwarder::{Forwarder, MAX_HOPS};

/// Functions of landing zones that are known to publish what they are told to a central topic, by a
/// part of their names, and what to say of them.
const KNOWN: [(&[&str], &str); 2] = [
    (
        &["AWSAccelerator", "SnsTopicForwarder"],
        "it looks like the forwarder of Landing Zone Accelerator, which publishes to the topic of the same name and region in the log archive account: say so in a [[forwarder]] table with `target`",
    ),
    (
        &["aws-controltower-NotificationForwarder"],
        "it looks like the forwarder of Control Tower, which publishes to the topic aws-controltower-AggregateSecurityNotifications of the audit account: say so in a [[forwarder]] table with `target`",
    ),
];

/// Where the message of a machine's subscription ends; or what to say where the policy does not
/// describe the machine.
pub(super) fn judge(
    question: &Question<'_>,
    topic: &Arn,
    subscription: &Subscription,
    listed_at: Timestamp,
    passed: &[String],
) -> Result<Audience, String> {
    let endpoint = subscription.endpoint_arn().unwrap_or_default();
    let protocol = subscription.protocol.as_deref().unwrap_or_default();
    let known = question
        .forwarders
        .iter()
        .find(|forwarder| forwarder.forwards(topic.as_str(), endpoint));
    let machine = if endpoint.is_empty() {
        format!("a subscription of {protocol}")
    } else {
        endpoint.to_owned()
    };
    let alone = format!(
        "the confirmed subscriptions of topic {topic} end at machines, such as {machine}: whether a person is told rests on what it does"
    );
    let Some(forwarder) = known else {
        let named = |parts: &&[&str]| parts.iter().all(|part| endpoint.contains(part));
        let hint = KNOWN.iter().find(|(parts, _)| named(parts));
        return Err(match hint {
            Some((_, hint)) => format!("{alone}; {hint}"),
            None => alone,
        });
    };
    if let (Some(who), Some(expires)) = (&forwarder.delivers_to, forwarder.expires) {
        let owner = forwarder.owner.as_deref().unwrap_or_default();
        if listed_at >= expires.end() {
            return Err(format!(
                "{alone}; what `{owner}` says of it, that it tells {who}, ended on {expires}"
            ));
        }
        let mut audience = Audience::new(Hears::Yes(format!(
            "{machine} is told by {topic} and tells {who}, says {owner}"
        )));
        audience.observations.push((
            &DELIVERED_BY_MACHINE,
            format!("that {machine} tells {who} is what `{owner}` says, until {expires}"),
        ));
        return Ok(audience);
    }
    Ok(at_target(question, topic, forwarder, &machine, passed))
}

/// Whether somebody hears at the topic that a forwarder publishes to.
fn at_target(
    question: &Question<'_>,
    topic: &Arn,
    forwarder: &Forwarder,
    machine: &str,
    passed: &[String],
) -> Audience {
    let target = forwarder.target_of(topic).unwrap_or_default();
    let Ok(arn) = target.parse::<Arn>() else {
        let why = format!("{machine} publishes to `{target}`, which is not the ARN of a topic");
        return Audience::unknown(Cause::new(&FORWARDING_NOT_OBSERVED, why));
    };
    let passed = [passed, &[topic.to_string()]].concat();
    if passed.contains(&target) || passed.len() > MAX_HOPS {
        let why = format!(
            "the message is passed on from topic to topic, from {} to {target}, and nobody heard it before",
            passed.join(" to ")
        );
        return Audience::unknown(Cause::new(&FORWARDED_TOO_FAR, why));
    }
    let evidence = question.evidence;
    let call = || Call::GetTopicAttributes {
        topic_arn: target.clone(),
    };
    let answers = evidence.topic_attributes(&target);
    let attributes = match ask_owner(evidence, &arn, question.alarms, call, answers) {
        Reading::Read { value, .. } => value,
        Reading::Unread(unread) => {
            let mut audience = if is_missing(&unread) {
                let why = format!("{machine} publishes to topic {target}, which does not exist");
                Audience::new(Hears::Nobody(Cause::new(&FORWARDED_NOWHERE, why)))
            } else {
                let why = format!(
                    "{machine} publishes to topic {target}, which could not be seen: {}",
                    unread.why
                );
                Audience::unknown(Cause::new(&FORWARDING_NOT_OBSERVED, why))
            };
            audience.wants = unread.wants;
            audience.observed_at = unread.observed_at;
            return audience;
        }
    };
    let key = attributes.kms_master_key_id.as_deref();
    let state = key.map(|key| topic_key::state(evidence, question.alarms, &arn, key));
    if let Some(state) = &state
        && let Verdict::Broken(cause) = &state.verdict
    {
        let why = format!("{machine} publishes to topic {target}: {}", cause.message);
        return Audience::new(Hears::Nobody(Cause::new(&FORWARDED_NOWHERE, why)));
    }
    let there = Question {
        // What a machine publishes is its own message.
        message: None,
        ..*question
    };
    let mut audience = match there.list(&arn) {
        Ok((list, by, at)) => {
            let whole = list.complete && arn.account() == Some(by.account);
            let mut audience = Audience::of(&there, &arn, &list, at, &passed);
            if let Hears::Nobody(_) = audience.hears
                && !whole
            {
                audience.hears = Hears::Unknown(super::partly(&arn, &by));
                audience.wants.extend(there.owners_list(&arn));
            }
            audience.observed_at = audience.observed_at.max(Some(at));
            audience
        }
        Err((cause, unread)) => Audience {
            hears: if matches!(Verdict::because(cause.clone()), Verdict::Broken(_)) {
                Hears::Nobody(cause)
            } else {
                Hears::Unknown(cause)
            },
            wants: unread.wants,
            observed_at: unread.observed_at,
            observations: Vec::new(),
        },
    };
    match &mut audience.hears {
        Hears::Yes(detail) => {
            *detail = format!("{machine} publishes to {target}: {detail}");
            let passed_on =
                format!("{machine} passes messages of topic {topic} on to topic {target}");
            audience.observations.push((&FORWARDED, passed_on));
            audience.observations.push((
                &PUBLISHER_NOT_JUDGED,
                format!("whether {machine} may publish to topic {target} was not judged"),
            ));
        }
        Hears::Unknown(cause) | Hears::Nobody(cause) => {
            let message = format!("{machine} publishes to {target}: {}", cause.message);
            *cause = Cause {
                message: message.into(),
                ..cause.clone()
            };
        }
    }
    // A key whose state nobody knows keeps it from being proved.
    if let Some(state) = state
        && let Verdict::Unseen(cause) = state.verdict
        && !matches!(audience.hears, Hears::Nobody(_))
    {
        let why = format!("{machine} publishes to topic {target}: {}", cause.message);
        audience.hears = Hears::Unknown(Cause::new(&FORWARDING_NOT_OBSERVED, why));
        audience.wants.extend(state.wants);
        audience.observations.clear();
    }
    audience
}
