//! Where messages go: `PROTOCOL:ENDPOINT`, as the user writes it behind `--subscribe`.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use trailproof_core::account::AccountId;
use trailproof_core::arn::Arn;

use super::naming::{InvalidTemplate, NameContext, Template};

/// A protocol of sns:Subscribe that can put a message in front of a person.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Protocol {
    /// An e-mail with the text.
    Email,
    /// An e-mail with the JSON document.
    EmailJson,
    /// A POST to a web address without encryption.
    Http,
    /// A POST to a web address.
    Https,
    /// A queue.
    Sqs,
    /// A text message.
    Sms,
    /// A function.
    Lambda,
}

impl Protocol {
    /// Every protocol, in the order of the help text.
    pub const ALL: [Self; 7] = [
        Self::Email,
        Self::EmailJson,
        Self::Https,
        Self::Http,
        Self::Sqs,
        Self::Sms,
        Self::Lambda,
    ];

    /// The word in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::EmailJson => "email-json",
            Self::Http => "http",
            Self::Https => "https",
            Self::Sqs => "sqs",
            Self::Sms => "sms",
            Self::Lambda => "lambda",
        }
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}

/// A subscription as the user asked for it; the endpoint may have placeholders, so that each
/// account can have a queue of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Subscriber {
    protocol: Protocol,
    endpoint: Template,
}

/// A subscription that cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSubscriber {
    /// There is no protocol that trailproof knows.
    #[error(
        "`{0}` is not PROTOCOL:ENDPOINT: the protocol is one of email, email-json, https, http, sqs, sms, lambda"
    )]
    Protocol(String),
    /// An endpoint that can be meant in one way only, without its protocol.
    #[error("`{endpoint}` has no protocol: write {protocol}:{endpoint}")]
    NoProtocol {
        /// What was written.
        endpoint: String,
        /// The protocol that has such endpoints.
        protocol: Protocol,
    },
    /// The endpoint has the wrong form for its protocol.
    #[error("`{endpoint}` is not an endpoint for {protocol}: expected {expected}")]
    Endpoint {
        /// The protocol.
        protocol: Protocol,
        /// What was written.
        endpoint: String,
        /// The right form.
        expected: &'static str,
    },
    /// A placeholder is wrong.
    #[error(transparent)]
    Template(#[from] InvalidTemplate),
}

/// One endpoint, ready for sns:Subscribe.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Endpoint {
    /// How.
    pub protocol: Protocol,
    /// Where to.
    pub address: String,
}

impl Subscriber {
    /// The endpoint of one site.
    pub fn endpoint(&self, context: NameContext<'_>) -> Result<Endpoint, InvalidSubscriber> {
        let address = self.endpoint.render(context);
        check(self.protocol, &address)?;
        Ok(Endpoint {
            protocol: self.protocol,
            address,
        })
    }
}

impl Endpoint {
    /// Whether somebody has to confirm before messages arrive: always for e-mail and web
    /// addresses, and for what belongs to another account than the topic (SNS Developer Guide).
    pub fn needs_confirmation(&self, topic_owner: AccountId) -> bool {
        match self.protocol {
            Protocol::Email | Protocol::EmailJson | Protocol::Http | Protocol::Https => true,
            Protocol::Sms => false,
            Protocol::Sqs | Protocol::Lambda => {
                self.address
                    .parse::<Arn>()
                    .ok()
                    .and_then(|arn| arn.account())
                    != Some(topic_owner)
            }
        }
    }
}

impl FromStr for Subscriber {
    type Err = InvalidSubscriber;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (word, endpoint) = text.split_once(':').ok_or_else(|| unknown(text))?;
        let protocol = Protocol::ALL
            .into_iter()
            .find(|protocol| protocol.as_str() == word)
            .ok_or_else(|| unknown(text))?;
        // `https://...` says its protocol itself; nobody writes `https:https://...` by choice.
        let endpoint = match protocol {
            Protocol::Http | Protocol::Https if endpoint.starts_with("//") => text,
            _ => endpoint,
        };
        let endpoint: Template = endpoint.parse()?;
        // With sample values, so that a wrong form is refused before any evidence is read.
        let region = trailproof_core::account::Partition::Aws.home_region();
        let sample = endpoint.render(NameContext {
            account: "111111111111"
                .parse()
                .map_err(|_| InvalidSubscriber::Protocol(text.to_owned()))?,
            region: &region,
            control: "control",
            log_group: "group",
        });
        check(protocol, &sample)?;
        Ok(Self { protocol, endpoint })
    }
}

/// What is wrong with a text that names no protocol.
fn unknown(text: &str) -> InvalidSubscriber {
    let people = [
        Protocol::Email,
        Protocol::Sms,
        Protocol::Sqs,
        Protocol::Lambda,
    ];
    // `mail:a@b` has a protocol, and a wrong one.
    let addresses = |protocol: &Protocol| match protocol {
        Protocol::Email => !text.contains(':'),
        _ => true,
    };
    let meant = people
        .into_iter()
        .filter(addresses)
        .find(|protocol| check(*protocol, text).is_ok());
    match meant {
        Some(protocol) => InvalidSubscriber::NoProtocol {
            endpoint: text.to_owned(),
            protocol,
        },
        None => InvalidSubscriber::Protocol(text.to_owned()),
    }
}

impl TryFrom<String> for Subscriber {
    type Error = InvalidSubscriber;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Subscriber> for String {
    fn from(subscriber: Subscriber) -> Self {
        subscriber.to_string()
    }
}

impl fmt::Display for Subscriber {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}", self.protocol, self.endpoint)
    }
}

/// Whether an address has the form of its protocol.
pub(super) fn check(protocol: Protocol, address: &str) -> Result<(), InvalidSubscriber> {
    let clean =
        !address.is_empty() && !address.chars().any(|c| c.is_control() || c.is_whitespace());
    let (right, expected) = match protocol {
        Protocol::Email | Protocol::EmailJson => (
            address.split_once('@').is_some_and(|(name, host)| {
                !name.is_empty() && !host.is_empty() && !host.contains('@')
            }),
            "an address such as security@example.com",
        ),
        Protocol::Http => (
            address
                .strip_prefix("http://")
                .is_some_and(|rest| !rest.is_empty()),
            "http://...",
        ),
        Protocol::Https => (
            address
                .strip_prefix("https://")
                .is_some_and(|rest| !rest.is_empty()),
            "https://...",
        ),
        Protocol::Sms => (
            address.strip_prefix('+').is_some_and(|digits| {
                (7..=15).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit())
            }),
            "a number such as +4915112345678",
        ),
        Protocol::Sqs => (is_arn_of(address, "sqs"), "the ARN of a queue"),
        Protocol::Lambda => (is_arn_of(address, "lambda"), "the ARN of a function"),
    };
    if right && clean {
        Ok(())
    } else {
        Err(InvalidSubscriber::Endpoint {
            protocol,
            endpoint: address.to_owned(),
            expected,
        })
    }
}

fn is_arn_of(address: &str, service: &str) -> bool {
    address.parse::<Arn>().is_ok_and(|arn| {
        arn.service() == service && arn.account().is_some() && arn.region().is_some()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_leaves_the_protocol_out_is_told_it() {
        for (text, words) in [
            (
                "security@example.com",
                "`security@example.com` has no protocol: write email:security@example.com",
            ),
            (
                "+4915112345678",
                "`+4915112345678` has no protocol: write sms:+4915112345678",
            ),
            (
                "arn:aws:sqs:eu-west-1:111111111111:alarms",
                "`arn:aws:sqs:eu-west-1:111111111111:alarms` has no protocol: write \
                 sqs:arn:aws:sqs:eu-west-1:111111111111:alarms",
            ),
        ] {
            assert_eq!(text.parse::<Subscriber>().unwrap_err().to_string(), words);
        }
        for text in ["pager", "mail:security@example.com"] {
            let other = text.parse::<Subscriber>().unwrap_err().to_string();
            assert!(other.contains("the protocol is one of"), "{other}");
        }
    }

    #[test]
    fn forms_of_endpoints() {
        for text in [
            "email:security@example.com",
            "email:aws+{account}@example.com",
            "email-json:a@b",
            "https://example.com/x"
                .replacen("https:", "https:https:", 1)
                .as_str(),
            "sqs:arn:aws:sqs:eu-west-1:111111111111:alarms",
            "sqs:arn:{partition}:sqs:{region}:{account}:alarms",
            "lambda:arn:aws:lambda:eu-west-1:111111111111:function:page",
            "sms:+4915112345678",
        ] {
            let subscriber: Subscriber = text
                .parse()
                .unwrap_or_else(|error| panic!("{text}: {error}"));
            assert_eq!(subscriber.to_string(), text);
        }
        for text in [
            "",
            "security@example.com",
            "pager:x",
            "email:nobody",
            "email:a@b@c",
            "email:a b@c",
            "https:example.com",
            "https:http://example.com",
            "sqs:arn:aws:sns:eu-west-1:111111111111:x",
            "sms:0151",
            "email:{who}@example.com",
        ] {
            assert!(text.parse::<Subscriber>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_web_address_names_its_protocol_itself() {
        for (text, expected) in [
            (
                "https://pager.example.com/x",
                "https:https://pager.example.com/x",
            ),
            ("http://pager.example.com", "http:http://pager.example.com"),
        ] {
            let subscriber: Subscriber = text.parse().unwrap();
            assert_eq!(subscriber.to_string(), expected);
        }
        let error = "https://".parse::<Subscriber>().unwrap_err();
        assert!(
            error
                .to_string()
                .starts_with("`https://` is not an endpoint")
        );
    }

    #[test]
    fn what_somebody_must_confirm() {
        let owner = "111111111111".parse().unwrap();
        let endpoint = |protocol, address: &str| Endpoint {
            protocol,
            address: address.to_owned(),
        };
        assert!(endpoint(Protocol::Email, "a@b").needs_confirmation(owner));
        assert!(endpoint(Protocol::Https, "https://x").needs_confirmation(owner));
        assert!(!endpoint(Protocol::Sms, "+4915112345678").needs_confirmation(owner));
        let own = "arn:aws:sqs:eu-west-1:111111111111:q";
        let other = "arn:aws:sqs:eu-west-1:222222222222:q";
        assert!(!endpoint(Protocol::Sqs, own).needs_confirmation(owner));
        assert!(endpoint(Protocol::Sqs, other).needs_confirmation(owner));
    }
}
