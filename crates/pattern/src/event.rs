//! A log event: a message, and what it says as JSON.

use std::borrow::Cow;
use std::cell::OnceCell;

use serde_json::Value;

/// A log event. JSON patterns look at its value, all other forms at its raw message.
#[derive(Debug, Clone)]
pub struct Event<'a> {
    value: Option<Cow<'a, Value>>,
    message: OnceCell<Cow<'a, str>>,
}

impl<'a> Event<'a> {
    /// An event whose message is the compact form of a JSON value.
    pub fn from_value(value: &'a Value) -> Self {
        Self {
            value: Some(Cow::Borrowed(value)),
            message: OnceCell::new(),
        }
    }

    /// An event by its raw message. A message that is not JSON matches no JSON pattern.
    pub fn from_message(message: &'a str) -> Self {
        Self {
            value: serde_json::from_str(message).ok().map(Cow::Owned),
            message: OnceCell::from(Cow::Borrowed(message)),
        }
    }

    /// An event by its raw message and what was read from it already.
    pub fn from_parts(value: Option<&'a Value>, message: Cow<'a, str>) -> Self {
        Self {
            value: value.map(Cow::Borrowed),
            message: OnceCell::from(message),
        }
    }

    /// What the message says as JSON.
    pub fn value(&self) -> Option<&Value> {
        self.value.as_deref()
    }

    /// The raw message.
    pub fn message(&self) -> &str {
        self.message.get_or_init(|| match &self.value {
            Some(value) => Cow::Owned(value.to_string()),
            None => Cow::Borrowed(""),
        })
    }
}
