//! Machines that pass an alarm's message on, as somebody describes them: a subscription says that a
//! function is told, and not what it does.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::arn::Arn;
use crate::evaluate::policy::matches;
use crate::mute::Expiry;

/// A machine subscribed to topics, and where its messages go. Patterns have `*` for any characters
/// and `?` for one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Forwarder {
    /// A pattern of the ARNs of the topics it is subscribed to.
    pub topic: String,
    /// A pattern of the ARNs of its endpoint: a function, a queue, a delivery stream.
    pub endpoint: String,
    /// The ARN of the topic it publishes to, with `{account}`, `{region}` and `{topic}` for those
    /// of the topic it was told by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// Who is told, where it is not a topic that tells them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivers_to: Option<String>,
    /// Who says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// Until when it is believed, measured at the time of observation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<Expiry>,
}

/// A forwarder that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidForwarder {
    /// Neither or both.
    #[error("the forwarder of `{0}` needs either a `target` or `delivers-to`")]
    Destination(String),
    /// What has to be said with `delivers-to`, and only there.
    #[error("the forwarder of `{topic}` {why}")]
    Promise {
        /// Its topic.
        topic: String,
        /// What is wrong.
        why: &'static str,
    },
    /// No ARN, or one of something else.
    #[error(
        "`{0}` is not the ARN of a topic: expected arn:PARTITION:sns:REGION:ACCOUNT:NAME, with {{account}}, {{region}} and {{topic}} where they are those of the first topic"
    )]
    Target(String),
    /// Messages would never end.
    #[error(
        "the forwarder of `{0}` leads in a circle: its messages come back to the topic they began at"
    )]
    Circle(String),
    /// Messages would never end, and never come back either.
    #[error("the forwarder of `{0}` never ends: each topic it publishes to leads to another one")]
    Endless(String),
}

/// How often a message may be passed on.
pub const MAX_HOPS: usize = 3;

/// How many topics the check for circles follows one forwarder to.
const MAX_TOPICS: usize = 1_000;

impl Forwarder {
    /// Whether it is the machine behind a subscription of a topic.
    pub fn forwards(&self, topic: &str, endpoint: &str) -> bool {
        matches(&self.topic, topic) && matches(&self.endpoint, endpoint)
    }

    /// The topic it publishes to for one it is told by.
    pub fn target_of(&self, topic: &Arn) -> Option<String> {
        let template = self.target.as_deref()?;
        let text = |value: Option<String>| value.unwrap_or_default();
        Some(
            template
                .replace(
                    "{account}",
                    &text(topic.account().map(|account| account.to_string())),
                )
                .replace(
                    "{region}",
                    &text(topic.region().map(|region| region.to_string())),
                )
                .replace("{topic}", topic.resource()),
        )
    }

    fn validate(&self) -> Result<(), InvalidForwarder> {
        let promise = |why| InvalidForwarder::Promise {
            topic: self.topic.clone(),
            why,
        };
        for (text, why) in [
            (&self.topic, "needs a `topic`"),
            (&self.endpoint, "needs an `endpoint`"),
        ] {
            if text.trim().is_empty() {
                return Err(promise(why));
            }
        }
        let is_blank =
            |text: &Option<String>| text.as_deref().is_none_or(|text| text.trim().is_empty());
        match (&self.target, &self.delivers_to) {
            (Some(_), None) => {
                let sample = self.target_of(&self.sample()).unwrap_or_default();
                let arn: Option<Arn> = sample.parse().ok();
                let is_topic = arn.is_some_and(|arn| {
                    arn.service() == "sns"
                        && arn.account().is_some()
                        && arn.region().is_some()
                        && !sample.contains(['{', '}', '*'])
                });
                if !is_topic {
                    let target = self.target.clone().unwrap_or_default();
                    return Err(InvalidForwarder::Target(target));
                }
                if self.owner.is_some() || self.expires.is_some() {
                    return Err(promise(
                        "has an `owner` or `expires`, which belong to `delivers-to`",
                    ));
                }
                Ok(())
            }
            (None, Some(_)) if is_blank(&self.delivers_to) => {
                Err(promise("needs to say who is told in `delivers-to`"))
            }
            (None, Some(_)) if is_blank(&self.owner) => Err(promise("needs an `owner`")),
            (None, Some(_)) if self.expires.is_none() => Err(promise("needs `expires`")),
            (None, Some(_)) => Ok(()),
            _ => Err(InvalidForwarder::Destination(self.topic.clone())),
        }
    }

    /// A topic that the pattern matches: wildcards stand for something that nobody else names.
    fn sample(&self) -> Arn {
        let parts: Vec<&str> = self.topic.splitn(6, ':').collect();
        let part = |index: usize, instead: &str| {
            let part = parts.get(index).copied().unwrap_or("*");
            if part.contains(['*', '?']) {
                instead.to_owned()
            } else {
                part.to_owned()
            }
        };
        let text = format!(
            "arn:{}:sns:{}:{}:{}",
            part(1, "aws"),
            part(3, "any-region-1"),
            part(4, "000000000000"),
            part(5, "any-topic")
        );
        #[allow(
            clippy::expect_used,
            reason = "no part of it is empty but those that may be"
        )]
        text.parse().unwrap_or_else(|_| {
            "arn:aws:sns:any-region-1:000000000000:any-topic"
                .parse()
                .expect("an ARN")
        })
    }
}

/// Checks forwarders, each and together.
pub fn validate(forwarders: &[Forwarder]) -> Result<(), InvalidForwarder> {
    for forwarder in forwarders {
        forwarder.validate()?;
    }
    for forwarder in forwarders {
        let first = forwarder.sample();
        let mut seen = BTreeSet::new();
        let mut reached = vec![forwarder.target_of(&first)];
        while let Some(topic) = reached.pop() {
            let Some(topic) = topic.and_then(|topic| topic.parse::<Arn>().ok()) else {
                continue;
            };
            if topic == first {
                return Err(InvalidForwarder::Circle(forwarder.topic.clone()));
            }
            if seen.len() > MAX_TOPICS {
                return Err(InvalidForwarder::Endless(forwarder.topic.clone()));
            }
            if seen.insert(topic.clone()) {
                let next = forwarders
                    .iter()
                    .filter(|next| matches(&next.topic, topic.as_str()));
                reached.extend(next.map(|next| next.target_of(&topic)));
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn forwarder(topic: &str, target: &str) -> Forwarder {
        Forwarder {
            topic: topic.to_owned(),
            endpoint: "arn:aws:lambda:*".to_owned(),
            target: Some(target.to_owned()),
            delivers_to: None,
            owner: None,
            expires: None,
        }
    }

    const A: &str = "arn:aws:sns:eu-west-1:111111111111:a";
    const B: &str = "arn:aws:sns:eu-west-1:222222222222:b";

    #[test]
    fn targets_are_made_of_the_topic() {
        let central = forwarder(
            "arn:aws:sns:*:*:alerts*",
            "arn:aws:sns:{region}:444444444444:{topic}",
        );
        assert_eq!(validate(std::slice::from_ref(&central)), Ok(()));
        let topic = "arn:aws:sns:eu-west-1:222222222222:alerts";
        assert!(central.forwards(topic, "arn:aws:lambda:eu-west-1:222222222222:function:f"));
        assert!(!central.forwards(topic, "arn:aws:sqs:eu-west-1:222222222222:q"));
        assert_eq!(
            central.target_of(&topic.parse().unwrap()).as_deref(),
            Some("arn:aws:sns:eu-west-1:444444444444:alerts")
        );
    }

    #[test]
    fn circles_are_refused() {
        for circle in [
            vec![forwarder(A, A)],
            vec![forwarder(A, B), forwarder(B, A)],
            vec![forwarder("*", "arn:aws:sns:{region}:{account}:{topic}")],
        ] {
            let error = validate(&circle).unwrap_err();
            assert!(matches!(error, InvalidForwarder::Circle(_)), "{error}");
        }
        assert_eq!(validate(&[forwarder(A, B)]), Ok(()));
        let growing = forwarder("*", "arn:aws:sns:{region}:{account}:{topic}-again");
        let error = validate(&[growing]).unwrap_err();
        assert!(matches!(error, InvalidForwarder::Endless(_)), "{error}");
    }

    #[test]
    fn what_is_missing_is_named() {
        let mut promise = forwarder(A, B);
        promise.target = None;
        let error = |forwarder: &Forwarder| {
            validate(std::slice::from_ref(forwarder))
                .unwrap_err()
                .to_string()
        };
        assert!(error(&promise).contains("either a `target`"));
        promise.delivers_to = Some("the pager of security".to_owned());
        assert!(error(&promise).contains("an `owner`"));
        promise.owner = Some("security@example.com".to_owned());
        assert!(error(&promise).contains("`expires`"));
        promise.expires = "2027-01-31".parse().ok();
        assert_eq!(validate(std::slice::from_ref(&promise)), Ok(()));
        promise.target = Some(B.to_owned());
        assert!(error(&promise).contains("either a `target`"));
        assert!(error(&forwarder(A, "security")).contains("not the ARN of a topic"));
        assert!(error(&forwarder(A, "arn:aws:sns:{place}:111111111111:x")).contains("not the ARN"));
    }
}
